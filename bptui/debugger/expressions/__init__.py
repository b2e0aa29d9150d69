"""The expression language: slots, labels, numbers, arithmetic, comparisons, indexing and a few functions.

Text is parsed with `ast` and turned into closures over a whitelist of nodes; nothing a person types is ever compiled
as Python. The closures work on rows: the same slots at several moments, one or thousands, so that a condition is looked
at for a whole stretch of iterations at once, and gives the same bits as looked at for each alone. What is deliberately
absent: names that are no slot or label, attributes other than `.grad`, `.T` and the listed methods, calls of anything
else, strings, lambdas, comprehensions.
"""

from bptui.debugger.expressions.errors import ExpressionError
from bptui.debugger.expressions.expression import Expression, parse
from bptui.debugger.expressions.names import find_slot, parse_target, value_of
from bptui.debugger.expressions.values import FUNCTIONS, METHODS

__all__ = ["FUNCTIONS", "METHODS", "Expression", "ExpressionError", "find_slot", "parse", "parse_target", "value_of"]
