"""Where each slot's cells lie: what lasts in one flat vector, and what a fused update goes through side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bptui.engine.lowering import ALIGN, aligned
from bptui.engine.network import Array
from bptui.engine.program import GIVEN, Program, Slot


@dataclass(frozen=True, eq=False)
class Layout:
    """The arrays of a program.

    arrays  slot → its array, C-contiguous and aligned
    vector  every slot that lasts and that instructions may write: what a checkpoint copies
    data    every slot that lasts and is only read (and edited by hand)
    passing every other slot of the program's own type, each written anew in every iteration
    whole   the vector and what passes, which lie side by side
    flat    ending of a slot's name → the array that holds that slot of every trained parameter, side by side: ""
            the parameters, ".grad" their gradients, ".m" an optimizer's state
    """

    arrays: Mapping[str, Array]
    vector: Array
    data: Array
    passing: Array
    whole: Array
    flat: Mapping[str, Array]


def lay_out(program: Program, dtype: np.dtype[Any], real: np.dtype[Any] | None = None) -> Layout:
    """Allocate every slot.

    real  the type of data and of what is a function of the iteration, where it is not `dtype`
    """
    real = real or dtype
    groups = side_by_side(program)
    arrays: dict[str, Array] = {}
    flat: dict[str, Array] = {}
    lasting = [slot for slot in program.slots.values() if slot.persistent and slot.kind != "data"]
    grouped = [name for names in groups.values() for name in names]
    ordered = [*_ordered(program, groups, lasting), *[s for s in lasting if s.name not in grouped]]
    kinds = {slot.name: _type(program, slot, dtype, real) for slot in program.slots.values()}
    whole, between = _beside(ordered, _passing(program, groups, kinds, dtype), dtype, arrays)
    vector, passing = whole[:between], whole[between:]
    for ending, names in groups.items():
        members = [program.slots[name] for name in names]
        flat[ending] = _span(vector if members[0].persistent else passing, arrays, members, dtype)
    data, _ = _beside([s for s in program.slots.values() if s.kind == "data" and s.persistent], [], real, arrays)
    for slot in program.slots.values():
        if slot.name not in arrays:
            arrays[slot.name] = aligned(slot.shape, kinds[slot.name])
    return Layout(arrays, vector, data, passing, whole, flat)


def _type(program: Program, slot: Slot, dtype: np.dtype[Any], real: np.dtype[Any]) -> np.dtype[Any]:
    """The type of a slot's numbers: what is drawn, given or read stays real where values are complex."""
    if slot.kind == "rows":
        return np.dtype(np.int64)
    writer = program.writers.get(slot.name)
    drawn = writer is not None and program.instructions[writer].phase == "data"
    return real if slot.kind in GIVEN or drawn else dtype


def _passing(
    program: Program, groups: Mapping[str, list[str]], kinds: Mapping[str, np.dtype[Any]], dtype: np.dtype[Any]
) -> list[Slot]:
    """The slots of an iteration alone: the groups of a fused update side by side, then the others.

    Before them all what no flag tells of: whoever wants to know whether that is finite finds it in one place.
    """
    slots = [slot for slot in program.slots.values() if not slot.persistent and kinds[slot.name] == dtype]
    grouped = [name for names in groups.values() for name in names]
    others = [slot for slot in slots if slot.name not in grouped]
    silent = {i.writes for i in program.instructions if not i.flagged}
    first = [slot for slot in others if slot.name in silent]
    return [*first, *_ordered(program, groups, slots), *[slot for slot in others if slot.name not in silent]]


def side_by_side(program: Program) -> dict[str, list[str]]:
    """Ending → the slots with it, one of each parameter that a fused update changes, always in the same order."""
    trained = list(
        dict.fromkeys(i.reads[0] for i in program.instructions if i.fused and _is_parameter(program, i.writes))
    )
    if not trained:
        return {}
    endings: dict[str, None] = {}
    for instruction in program.instructions:
        if instruction.fused:
            endings.update(
                dict.fromkeys(
                    e for e in (_ending(s, trained) for s in (*instruction.reads, instruction.writes)) if e is not None
                )
            )
    return {ending: [name + ending for name in trained] for ending in endings}


def _is_parameter(program: Program, name: str) -> bool:
    return program.slots[name].kind == "parameter"


def _ending(slot: str, trained: Iterable[str]) -> str | None:
    """`.m` of `W1.m`; None for a slot that is of no trained parameter."""
    name, dot, ending = slot.partition(".")
    return dot + ending if name in trained else None


def _ordered(program: Program, groups: Mapping[str, list[str]], lasting: list[Slot]) -> list[Slot]:
    names = {slot.name for slot in lasting}
    return [program.slots[name] for group in groups.values() for name in group if name in names]


def _beside(one: list[Slot], other: list[Slot], dtype: np.dtype[Any], arrays: dict[str, Array]) -> tuple[Array, int]:
    """Slots one behind the other, each on the alignment, the padding 0, and where the others begin.

    Their views go to `arrays`.
    """
    step, places, end, between = ALIGN // dtype.itemsize, [], 0, 0
    for k, slot in enumerate((*one, *other)):
        between = end if k == len(one) else between
        places.append(end)
        end += -(-slot.size // step) * step
    vector = aligned((end,), dtype)
    vector[:] = 0
    for slot, start in zip((*one, *other), places, strict=True):
        arrays[slot.name] = vector[start : start + slot.size].reshape(slot.shape)
    return vector, between if other else end


def _span(vector: Array, arrays: Mapping[str, Array], slots: list[Slot], dtype: np.dtype[Any]) -> Array:
    """The part of the vector in which these slots lie one behind the other."""
    step, base = ALIGN // dtype.itemsize, vector.ctypes.data
    start = (arrays[slots[0].name].ctypes.data - base) // dtype.itemsize
    last = (arrays[slots[-1].name].ctypes.data - base) // dtype.itemsize
    return vector[start : last + -(-slots[-1].size // step) * step]


def place(vector: Array, array: Array) -> slice:
    """Where the cells of a slot lie in the vector that it is a view of."""
    start = (array.ctypes.data - vector.ctypes.data) // vector.itemsize
    return slice(start, start + array.size)
