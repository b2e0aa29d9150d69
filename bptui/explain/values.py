"""What a part of a line comes to: needed where a formula shows a number of a part that no slot holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from bptui.engine import terms
from bptui.engine.network import Array
from bptui.engine.ops.functions import FUNCTIONS
from bptui.engine.terms import Call, Leaf, Let, Map, Number, Product, Reduce, Term, View

_FUNCTIONS: Mapping[str, Any] = FUNCTIONS


class Values:
    """Evaluates parts of one line, each at most once."""

    def __init__(
        self,
        arrays: Mapping[str, Array],
        named: Mapping[str, Term],
        own: Mapping[str, Callable[..., Any]],
    ) -> None:
        """arrays: role → its array; named: the parts that the line gives a name; own: a person's own functions."""
        self._arrays = arrays
        self._named = named
        self._own = own
        self._known: dict[int, Any] = {}

    def cell(self, term: Term, index: tuple[int, ...]) -> float:
        """One cell of a part."""
        return float(np.asarray(self.array(term))[index])

    def array(self, term: Term) -> Any:
        """A part as an array."""
        if id(term) not in self._known:
            with np.errstate(all="ignore"):
                self._known[id(term)] = self._evaluated(term)
        return self._known[id(term)]

    def _evaluated(self, term: Term) -> Any:
        match term:
            case Leaf(name):
                return self.array(self._named[name]) if name in self._named else self._arrays[name]
            case Number(value):
                return value
            case Let(_, part):
                return self.array(part)
            case Map(function, parts):
                return self._function(function)(*(self.array(part) for part in parts))
            case Product(a, b):
                return self.array(a) @ self.array(b)
            case Reduce(function, part, axes, keep):
                reduce = np.mean if function == "mean" else getattr(np, function).reduce
                return reduce(self.array(part), axis=axes, keepdims=keep)
            case View(kind, part, argument):
                return terms.view(np.asarray(self.array(part)), kind, argument)
            case Call():
                return self._called(term)

    def _called(self, call: Call) -> Any:
        parts, constants = [self.array(part) for part in call.parts], call.constants
        match call.function:
            case "astype":
                return np.asarray(parts[0]).astype(int)
            case "take" | "take_rows":
                return np.take(parts[0], np.asarray(parts[1], int), 0, mode="clip")
            case "concatenate":
                return np.concatenate(parts, constants[-1])
            case "argmax":
                return np.argmax(parts[0], *constants, **dict(call.options))
        return self._function(call.function)(*parts, *constants, **dict(call.options))

    def _function(self, name: str) -> Callable[..., Any]:
        # NumPy has a `place` of its own, which is another.
        return self._own.get(name) or _FUNCTIONS.get(name) or getattr(np, name)
