"""The tree of where a number came from, opened node by node: formulas, operands, the terms of long sums."""
