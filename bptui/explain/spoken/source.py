"""A line of NumPy as a person says it: `z2 = z1 @ W2` is `prediction is h times W2`."""

from __future__ import annotations

import ast
from collections.abc import Callable

from bptui.explain.spoken.arrays import number
from bptui.explain.spoken.signs import grouped, words

Name = Callable[[str], str | None]

_BINARY: dict[type[ast.operator], tuple[int, str]] = {
    ast.Add: (1, "plus"), ast.Sub: (1, "minus"), ast.Mult: (2, "times"), ast.Div: (2, "divided by"),
    ast.MatMult: (2, "times"), ast.Pow: (4, "to the power of"),
}  # fmt: skip
_COMPARED: dict[type[ast.cmpop], str] = {
    ast.Gt: "is greater than", ast.GtE: "is at least", ast.Lt: "is less than", ast.LtE: "is at most",
    ast.Eq: "equals", ast.NotEq: "is not",
}  # fmt: skip
_OF = {
    "square": "the square of", "sqrt": "the square root of", "exp": "e to the power of", "log": "the logarithm of",
    "abs": "the absolute value of", "sum": "the sum of", "mean": "the mean of", "max": "the largest of",
    "min": "the smallest of", "argmax": "the place of the largest of",
}  # fmt: skip
_TWO = {"maximum": "the larger of {} and {}", "minimum": "the smaller of {} and {}",
        "power": "{} to the power of {}", "where": "{1} where {0}, else {2}"}  # fmt: skip


def source(text: str, name: Name) -> str:
    """The line with every slot called by its name; what is no Python is said sign by sign."""
    try:
        statement = ast.parse(text).body[0]
        if not isinstance(statement, ast.Assign):
            return words(text)
        speaker = _Speaker(name)
        left, right = speaker.said(statement.targets[0]), speaker.said(statement.value)
    except (SyntaxError, ValueError, IndexError, RecursionError):
        return words(text)
    target = ast.unparse(statement.targets[0])
    again = any(ast.unparse(node) == target for node in ast.walk(statement.value) if isinstance(node, ast.expr))
    return f"{left} {'becomes' if again else 'is'} {right}"


class _Speaker:
    """Says the nodes of one line."""

    def __init__(self, name: Name) -> None:
        self._known = name

    def said(self, node: ast.expr) -> str:
        text = ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ""
        known = self._known(text) if text else None
        if known is not None:
            return known
        say = getattr(self, f"_{type(node).__name__.lower()}", None)
        return words(ast.unparse(node)) if say is None else str(say(node))

    def _operand(self, node: ast.expr, level: int, *, right: bool = False) -> str:
        """A part of a term, in brackets where it binds less."""
        said = self.said(node)
        own = _BINARY[type(node.op)][0] if isinstance(node, ast.BinOp) else 5
        loose = isinstance(node, ast.Compare | ast.NamedExpr) or (isinstance(node, ast.UnaryOp) and right)
        return grouped(said) if loose or own < level or (right and own == level) else said

    def _binop(self, node: ast.BinOp) -> str:
        level, word = _BINARY[type(node.op)]
        left, right = self._operand(node.left, level), self._operand(node.right, level, right=level > 1)
        parted = level == 1 and (" times " in left or " times " in right)
        return f"{left}{',' * parted} {word} {right}"

    def _unaryop(self, node: ast.UnaryOp) -> str:
        return f"minus {self._operand(node.operand, 3)}"

    def _constant(self, node: ast.Constant) -> str:
        value = node.value
        return number(value) if isinstance(value, int | float) else words(str(value))

    def _tuple(self, node: ast.Tuple) -> str:
        return ", ".join(self.said(part) for part in node.elts)

    def _compare(self, node: ast.Compare) -> str:
        left, right = self.said(node.left), self.said(node.comparators[0])
        return f"{left} {_COMPARED.get(type(node.ops[0]), 'beside')} {right}"

    def _namedexpr(self, node: ast.NamedExpr) -> str:
        return f"{self.said(node.target)}, called so here, {self.said(node.value)}"

    def _subscript(self, node: ast.Subscript) -> str:
        return f"{self._operand(node.value, 5)} at {self.said(node.slice)}"

    def _slice(self, node: ast.Slice) -> str:
        if node.lower is None or node.upper is None:
            return "all"
        return f"{self.said(node.lower)} to {self.said(node.upper)}"

    def _attribute(self, node: ast.Attribute) -> str:
        if node.attr == "T":
            return f"{self._operand(node.value, 5)} transposed"
        return words(ast.unparse(node))

    def _call(self, node: ast.Call) -> str:
        if isinstance(node.func, ast.Attribute):
            return self._method(node.func, node.args)
        called, given = ast.unparse(node.func), [self.said(part) for part in node.args]
        if called in _TWO:
            return _TWO[called].format(*(grouped(part) for part in given))
        if len(given) == 1:
            return f"{_OF.get(called, f'{words(called)} of')} {grouped(given[0])}"
        return f"{words(called)} of {grouped(', '.join(given))}"

    def _method(self, function: ast.Attribute, given: list[ast.expr]) -> str:
        of, how = grouped(self.said(function.value)), ", ".join(self.said(part) for part in given)
        match function.attr:
            case "reshape":
                return f"{of} reshaped to {how.replace(', ', ' by ')}"
            case "transpose":
                return f"{of} with its axes in the order {how}"
            case "swapaxes":
                return f"{of} with its axes {how} exchanged"
            case "astype":
                return of
        over = f" over axis {how}" if how else ""
        return f"{_OF.get(function.attr, f'{words(function.attr)} of')} {of}{over}"
