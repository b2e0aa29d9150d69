"""What is to be set: `lr=0.01,0.1`, `seed=0..63`, `w5=log:1e-3..1:4`; and the variants that are their product."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bptui.debugger import editing
from bptui.engine.player import State
from bptui.engine.program import Program, Target
from bptui.engine.timeline import START, Edit

MOST_FORKS = 100_000
# A seed → what there is at the place where forks part.
Other = Callable[[int], State]
_RANGE = re.compile(r"([+-]?\d{1,15})\.\.([+-]?\d{1,15})")
_LOG = re.compile(r"log:(.+?)\.\.(.+):(\d{1,6})")
_DIGITS = 12


class SweepError(ValueError):
    """A sweep that can't be made; the message says why in one line."""


@dataclass(frozen=True)
class Axis:
    """One of the things that are set: its name, and the texts of its values."""

    target: str
    values: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Variant:
    """One fork: what is set (target → number, or nested list), as edits and as a seed (None: the network's)."""

    settings: dict[str, Any]
    edits: tuple[Edit, ...] = ()
    seed: int | None = None


def read_axes(texts: Sequence[str]) -> list[Axis]:
    """What each `TARGET=VALUES` means. Raises SweepError."""
    axes = [_axis(text) for text in texts]
    names = [axis.target for axis in axes]
    for name in names:
        if names.count(name) > 1:
            raise SweepError(f"{name} is set twice: write its values in one list")
    if math.prod(len(axis.values) for axis in axes) > MOST_FORKS:
        raise SweepError(f"that makes more than {MOST_FORKS} forks")
    return axes


def _axis(text: str) -> Axis:
    target, equals, values = text.partition("=")
    target = " ".join(target.split())
    if not equals or not target or not values.strip():
        raise SweepError(f"{text[:60]!r}: write TARGET=VALUES, such as lr=0.01,0.1 or seed=0..7")
    return Axis(target, tuple(value for part in _split(values) for value in _several(part, text)))


def _split(text: str) -> Iterator[str]:
    """The parts between commas that are in no brackets."""
    depth, start = 0, 0
    for k, sign in enumerate(text):
        depth += (sign in "([") - (sign in ")]")
        if sign == "," and depth == 0:
            yield text[start:k].strip()
            start = k + 1
    yield text[start:].strip()


def _several(part: str, text: str) -> list[str]:
    """A range as its numbers, anything else as it is. Raises SweepError."""
    if not part:
        raise SweepError(f"{text[:60]!r}: a value is missing between commas")
    if match := _RANGE.fullmatch(part):
        first, last = (int(number) for number in match.groups())
        if not 0 <= last - first < MOST_FORKS:
            why = "ends before it begins" if last < first else f"has more than {MOST_FORKS} numbers"
            raise SweepError(f"{part} {why}")
        return [str(number) for number in range(first, last + 1)]
    return _spaced(part) if part.startswith("log:") else [part]


def _spaced(part: str) -> list[str]:
    """Numbers of which each is the same multiple of the one before, to 12 digits."""
    match = _LOG.fullmatch(part)
    try:
        first, last, count = float(match[1]), float(match[2]), int(match[3])  # type: ignore[index]
    except (TypeError, ValueError):
        raise SweepError(f"{part[:60]!r}: write log:FIRST..LAST:COUNT, such as log:1e-4..1e-1:7") from None
    if not (0 < first < math.inf and 0 < last < math.inf and 2 <= count <= MOST_FORKS):
        raise SweepError(f"{part[:60]!r}: both ends are above 0, and there are two numbers at least")
    numbers = np.exp(np.linspace(math.log(first), math.log(last), count))
    return [repr(first), *(repr(float(f"{number:.{_DIGITS}g}")) for number in numbers[1:-1]), repr(last)]


def variants(
    program: Program, state: State, axes: Sequence[Axis], *, here: bool, begun: Sequence[Edit], other: Other
) -> list[Variant]:
    """The product of what is set, the last axis varying fastest; each set as the command `set` does it, in order.

    state  where the forks part
    here   no place was named, so that `lr` is what a schedule computes it from
    begun  the edits made at the very start, which another seed's weights get too
    other  what there is at that place with another seed

    Raises SweepError, or what `set` raises.
    """
    return list(_Product(program, axes, here=here, begun=begun, other=other).below(0, state, Variant({})))


class _Product:
    def __init__(
        self, program: Program, axes: Sequence[Axis], *, here: bool, begun: Sequence[Edit], other: Other
    ) -> None:
        self.program = program
        self.other = other
        self.axes = axes
        self.begun = tuple(begun)
        self.targets = [
            None if axis.target == "seed" else editing.find(program, axis.target, here=here) for axis in axes
        ]
        self._plain: dict[tuple[int, str], tuple[Edit, Any]] = {}
        # Where numbers alone are left to be set, nobody looks at the state any more.
        reading = [k for k, axis in enumerate(axes) if axis.target != "seed" and not all(map(_is_number, axis.values))]
        self._last = max(reading, default=-1)

    def below(self, k: int, state: State, variant: Variant) -> Iterator[Variant]:
        """The variants that begin with what is set already."""
        if k == len(self.axes):
            yield variant
            return
        axis, target = self.axes[k], self.targets[k]
        for text in axis.values:
            if target is None:
                made = self._seeded(state, variant, text)
                changed = self._drawn(state, made) if k < self._last else state
            else:
                edit, value = self._edit(k, target, state, text)
                changed = _with(state, (edit,)) if k < self._last else state
                made = Variant({**variant.settings, axis.target: value}, (*variant.edits, edit), variant.seed)
            yield from self.below(k + 1, changed, made)

    def _seeded(self, state: State, variant: Variant, text: str) -> Variant:
        """Another seed: other weights from the start on, on which what was set already is set again."""
        if not text.isdecimal():
            raise SweepError(f"seed={text[:40]}: a seed is a whole number from 0 on")
        settings = {**variant.settings, "seed": int(text)}
        # Those made at the start have been made again on the way to any later place.
        again = self.begun if state.position == START else ()
        return Variant(settings, (*again, *variant.edits), int(text))

    def _drawn(self, state: State, variant: Variant) -> State:
        assert variant.seed is not None
        if state.position != START:
            return _with(self.other(variant.seed), variant.edits)
        arrays = {**state.arrays, **self.program.drawn(variant.seed)}
        return _with(State(state.position, arrays, state.computed), variant.edits)

    def _edit(self, k: int, target: Target, state: State, text: str) -> tuple[Edit, Any]:
        if (k, text) in self._plain:
            return self._plain[k, text]
        editing.refuse_unset(self.program, target, state)
        values = editing.values(self.program, state, target, text)
        name = self.axes[k].target
        edit = Edit(state.position, target.slot, target.cells, values, f"set {name} = {text}")
        found = edit, _shown(self.program, target, values, text)
        if _is_number(text):
            self._plain[k, text] = found
        return found


def _with(state: State, edits: Sequence[Edit]) -> State:
    arrays = dict(state.arrays)
    for edit in edits:
        arrays[edit.slot] = arrays[edit.slot].copy()
        arrays[edit.slot].reshape(-1)[list(edit.cells)] = edit.values
    return State(state.position, arrays, state.computed)


def _shown(program: Program, target: Target, values: Any, text: str) -> Any:
    """What was set, as a number or as nested lists."""
    if len(values) == 1 or (not text.startswith("[") and (values == values[0]).all()):
        return float(values[0])
    return values.reshape(program.slots[target.slot].shape if target.whole else target.form).tolist()


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
