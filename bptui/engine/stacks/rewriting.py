"""The line of an op on one fork's arrays → the same line on arrays with a leading axis, a lane for each fork.

What is the same for all forks stays as it is and is computed once: NumPy broadcasts it from the right. So an operand
with lanes is given as many axes as the result has before it meets another.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bptui.engine import terms
from bptui.engine.ops.row import Shape
from bptui.engine.terms import Call, Leaf, Let, Map, Number, Product, Reduce, Term, View


class LanesError(ValueError):
    """An op that can't be done for many forks at once with the bits of each alone; the message says which."""


@dataclass(frozen=True)
class Lanes(Product):
    """A product of which at least one side has lanes: one product for each."""


@dataclass(frozen=True)
class _Part:
    """A part of the line: on arrays with lanes where `laned`, and the shape that it has without them."""

    term: Term
    shape: Shape
    laned: bool


def rewrite(text: str, shapes: Mapping[str, Shape], laned: Collection[str], width: int) -> Term:
    """The tree of a line over roles, for `width` lanes.

    shapes  role → shape without lanes
    laned   the roles whose arrays have lanes

    Raises LanesError.
    """
    names = {role: _Part(Leaf(role), shape, role in laned) for role, shape in shapes.items()}
    return _Rewriting(names, width).part(terms.read(text)).term


class _Rewriting:
    def __init__(self, names: dict[str, _Part], width: int) -> None:
        self.names = names
        self.width = width

    def part(self, term: Term) -> _Part:
        """A part of the line, rewritten."""
        match term:
            case Leaf(name):
                return self.names[name]
            case Number():
                return _Part(term, (), laned=False)
            case Let(name, inner):
                made = self.part(inner)
                self.names[name] = _Part(Leaf(name), made.shape, made.laned)
                return _Part(Let(name, made.term), made.shape, made.laned)
            case Map(function, parts):
                return self._map(function, [self.part(inner) for inner in parts])
            case Product(a, b):
                return self._product(self.part(a), self.part(b))
            case Reduce():
                return self._reduce(term, self.part(term.part))
            case View(kind, inner, argument):
                return self._view(kind, self.part(inner), argument)
            case Call():
                return self._call(term, [self.part(inner) for inner in term.parts])

    def _spread(self, part: _Part, rank: int) -> Term:
        """A part with lanes, its own axes the last of `rank`."""
        if not part.laned or len(part.shape) == rank:
            return part.term
        shape = (self.width, *(1,) * (rank - len(part.shape)), *part.shape)
        return View("reshape", part.term, shape)

    def _map(self, function: str, parts: list[_Part]) -> _Part:
        shape = np.broadcast_shapes(*(part.shape for part in parts))
        laned = any(part.laned for part in parts)
        if function == "power" and laned and (parts[-1].laned or parts[-1].shape):
            # NumPy squares, and takes roots, where one exponent is there for all that it goes through in a row.
            raise LanesError("a power whose exponent is not one number for all")
        return _Part(Map(function, tuple(self._spread(part, len(shape)) for part in parts)), shape, laned)

    def _product(self, a: _Part, b: _Part) -> _Part:
        shape = terms.product_shape(a.shape, b.shape)
        if not (a.laned or b.laned):
            return _Part(Product(a.term, b.term), shape, laned=False)
        if min(len(a.shape), len(b.shape)) < 2:
            raise LanesError("a product with a vector")
        rank = max(len(a.shape), len(b.shape))
        return _Part(Lanes(self._spread(a, rank), self._spread(b, rank)), shape, laned=True)

    def _reduce(self, term: Reduce, part: _Part) -> _Part:
        shape = terms.reduced(part.shape, term.axes, keep=term.keep)
        if not part.laned:
            return _Part(Reduce(term.function, part.term, term.axes, term.keep), shape, laned=False)
        rank = len(part.shape)
        axes = range(rank) if term.axes is None else [k % rank for k in term.axes]
        return _Part(Reduce(term.function, part.term, tuple(k + 1 for k in axes), term.keep), shape, laned=True)

    def _view(self, kind: str, part: _Part, argument: Any) -> _Part:
        shape = terms.viewed(kind, part.shape, argument)
        if not part.laned:
            return _Part(View(kind, part.term, argument), shape, laned=False)
        rank = len(part.shape)
        if kind == "reshape":
            return _Part(View(kind, part.term, (self.width, *shape)), shape, laned=True)
        if kind == "transpose":
            axes = range(rank - 1, -1, -1) if argument is None else [k % rank for k in argument]
            return _Part(View(kind, part.term, (0, *(k + 1 for k in axes))), shape, laned=True)
        if kind == "swapaxes":
            return _Part(View(kind, part.term, tuple(k % rank + 1 for k in argument)), shape, laned=True)
        if kind == "broadcast":
            return _Part(View(kind, self._spread(part, len(shape)), (self.width, *shape)), shape, laned=True)
        index = argument if isinstance(argument, tuple) else (argument,)
        return _Part(View(kind, part.term, (slice(None), *index)), shape, laned=True)

    # Functions

    def _call(self, call: Call, parts: list[_Part]) -> _Part:
        shape = terms.called(call.function, [part.shape for part in parts], call.constants, dict(call.options))
        if not any(part.laned for part in parts):
            plain = Call(call.function, tuple(part.term for part in parts), call.constants, call.options)
            return _Part(plain, shape, laned=False)
        rewritten = _CALLS.get(call.function)
        if rewritten is None:
            raise LanesError(f"{call.function}, which is done for one fork after the other")
        return _Part(rewritten(self, call, parts, shape), shape, laned=True)

    def folded(self, call: Call, parts: list[_Part], shape: Shape) -> Term:
        """Windows and their like: the lanes are gone through as one long batch."""
        inner = parts[0]
        batch = (self.width * inner.shape[0], *inner.shape[1:])
        first = (self.width * shape[0], *shape[1:])
        constants = (first, *call.constants[1:]) if call.function == "fold" else call.constants
        made = Call(call.function, (View("reshape", inner.term, batch),), constants, call.options)
        return View("reshape", made, (self.width, *shape))

    def taken(self, call: Call, parts: list[_Part], shape: Shape) -> Term:
        """Rows of what is the same for all, by numbers that differ."""
        del shape
        if parts[0].laned:
            raise LanesError(f"rows of what differs, {call.function}")
        return Call(call.function, tuple(part.term for part in parts), call.constants, call.options)

    def joined(self, call: Call, parts: list[_Part], shape: Shape) -> Term:
        """Parts side by side; what is the same for all is seen once for each lane."""
        axis = call.constants[-1] % len(shape) + 1
        wide = [part.term if part.laned else View("broadcast", part.term, (self.width, *part.shape)) for part in parts]
        return Call(call.function, tuple(wide), (*call.constants[:-1], axis), call.options)

    def padded(self, call: Call, parts: list[_Part], shape: Shape) -> Term:
        """Nothing is added to the lanes."""
        del shape
        return Call(call.function, (parts[0].term,), (((0, 0), *call.constants[0]),), call.options)

    def tiled(self, call: Call, parts: list[_Part], shape: Shape) -> Term:
        """Each lane repeated by itself."""
        del shape
        return Call(call.function, (parts[0].term,), ((1, *call.constants[0]),), call.options)

    def placed(self, call: Call, parts: list[_Part], shape: Shape) -> Term:
        """The same place in each lane."""
        del shape
        wide, index = call.constants
        constants = ((self.width, *wide), (slice(None), *(index if isinstance(index, tuple) else (index,))))
        return Call(call.function, (parts[0].term,), constants, call.options)

    def lower_part(self, call: Call, parts: list[_Part], shape: Shape) -> Term:
        """What works on the last two axes, or on each cell."""
        if call.function != "astype" and len(shape) < 2:
            raise LanesError(f"{call.function} of a vector")
        return Call(call.function, (parts[0].term,), call.constants, call.options)

    def largest(self, call: Call, parts: list[_Part], shape: Shape) -> Term:
        """Where the largest along an axis is."""
        del shape
        axis = call.constants[0] % len(parts[0].shape) + 1
        return Call(call.function, (parts[0].term,), (axis,), call.options)


_CALLS: Mapping[str, Callable[[_Rewriting, Call, list[_Part], Shape], Term]] = {
    "unfold": _Rewriting.folded,
    "fold": _Rewriting.folded,
    "take_rows": _Rewriting.taken,
    "concatenate": _Rewriting.joined,
    "pad": _Rewriting.padded,
    "tile": _Rewriting.tiled,
    "place": _Rewriting.placed,
    "tril": _Rewriting.lower_part,
    "triu": _Rewriting.lower_part,
    "astype": _Rewriting.lower_part,
    "argmax": _Rewriting.largest,
}
