"""A row of the op table: an operation as one line of NumPy over named arguments, and how it is differentiated.

The line is the single truth. What runs (`bptui.engine.lowering`), the shape of the result
(`bptui.engine.shapes`), which cells depend on which (`bptui.engine.reach`) and the formula a person reads
(`bptui.explain`) are all derived from it, so that what is shown is what ran.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

Shape = tuple[int, ...]
Attrs = Mapping[str, Any]
# Attributes → the line, for an op whose line depends on them.
Template = str | Callable[[Attrs], str]

_WORD = re.compile(r"(?<![\w.])[A-Za-z_]\w*")


@dataclass(frozen=True)
class Op:
    """A row of the table.

    args       the roles of what is read, in order
    source     the line, over the roles; `{name}` stands for an attribute
    vjps       role of an argument → (backward op, the roles it reads: this op's, `out`, or `g`, the gradient of out)
    attrs      attribute → what it is where nothing is said; None where it has to be said
    scaled     the result is divided by `n`, what a mean divides by; the division is left out where n is 1
    wrap       whether the line needs brackets before that division
    in_place   the result replaces the first argument; has to be elementwise
    variadic   takes any number of arguments of the role `args[0]`: a1, a2, …
    functions  name → function that a person's own op calls
    backward   name → row of its gradients, where it is a person's own and not in the table
    formula    how a person writes their own op, over its roles: `x³`; "" for the line itself
    kink       (attributes, arrays by role) → mask of the cells at which it has no derivative
    """

    name: str
    args: tuple[str, ...]
    source: Template
    vjps: Mapping[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    attrs: Attrs = field(default_factory=dict)
    scaled: bool = False
    wrap: bool = False
    in_place: bool = False
    variadic: bool = False
    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    backward: Mapping[str, Op] = field(default_factory=dict)
    formula: str = ""
    kink: Callable[[Mapping[str, Any]], Any] | None = None

    def roles(self, count: int) -> tuple[str, ...]:
        """The roles of `count` arguments."""
        return tuple(f"{self.args[0]}{k}" for k in range(1, count + 1)) if self.variadic else self.args

    def text(self, attrs: Attrs | None = None) -> str:
        """The line over roles, attributes filled in."""
        given = {**self.attrs, **(attrs or {})}
        text = self.source(given) if callable(self.source) else self.source.format(**given) if given else self.source
        n = given.get("n", 1)
        if not self.scaled or n == 1:
            return text
        return f"({text}) / {n}" if self.wrap else f"{text} / {n}"


def named(text: str, names: Mapping[str, str]) -> str:
    """A line with roles replaced by names."""
    return _WORD.sub(lambda match: names.get(match.group(), match.group()), text)


@lru_cache(maxsize=4096)
def parse(text: str) -> ast.expr:
    """The tree of a line over roles."""
    return ast.parse(text, mode="eval").body


def free_names(text: str, roles: Iterable[str]) -> tuple[str, ...]:
    """Which of the roles a line reads, in the order in which it reads them."""
    known = set(roles)
    return tuple(dict.fromkeys(word for word in _WORD.findall(text) if word in known))


def rows(
    name: str,
    args: str,
    source: Template,
    /,
    *,
    attrs: Attrs | None = None,
    reads: Mapping[str, Sequence[str]] | None = None,
    vjps: Mapping[str, Template] | None = None,
    **settings: Any,
) -> list[Op]:
    """An op and the ops of its gradients.

    vjps   role → the line of that argument's gradient, over the op's own roles, `out` and `g`; it is made an op called
           `name.role`. A line `=other` names an op there is already.
    reads  role → what its gradient reads, where that can't be seen from the line because it depends on attributes
    """
    roles = tuple(args.split())
    backward: list[Op] = []
    table: dict[str, tuple[str, tuple[str, ...]]] = {}
    shared = {key: settings[key] for key in ("scaled", "functions") if key in settings}
    wrapped = settings.pop("wrapped", ())
    # `dense+b` is differentiated as `dense` is.
    base = name.partition("+")[0]
    for role, line in (vjps or {}).items():
        if isinstance(line, str) and line.startswith("="):
            table[role] = (line[1:], ("g",))
            continue
        known = (*roles, "out", "g")
        read = tuple((reads or {}).get(role, ())) or free_names(str(line), known)
        table[role] = (f"{base}.{role}", read)
        inner = {"of": None, **(attrs or {})}
        backward.append(Op(f"{base}.{role}", read, line, attrs=inner, wrap=role in wrapped, **shared))
    return [Op(name, roles, source, table, attrs or {}, **settings), *backward]
