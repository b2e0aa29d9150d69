"""What a network makes of every input: of a plane where it has two, of a line where it has one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bptui.debugger.metrics import middle
from bptui.debugger.probing.work import Steps
from bptui.engine.build import build_evaluation
from bptui.engine.machine import Machine
from bptui.engine.network import Array, Network
from bptui.engine.ops import LOSSES
from bptui.engine.program import Program

_ACROSS, _DOWN, _LINE = 64, 48, 161
# Inputs that are computed at once.
_BLOCK = 512
# How far beyond the data it is looked, as a share of their extent.
_ROOM = 0.15


@dataclass(frozen=True, eq=False)
class Predictions:
    """What comes out over a range of inputs.

    axes     for each input the values tried, rising
    outputs  of one input (n, outputs); of two (down, across, outputs), the second input rising with the rows
    middle   where one output turns from one class to the other; None where there are no classes
    plain    whether it is computed just as in training: no dropout, no batch's own statistics
    """

    axes: tuple[Array, ...]
    outputs: Array
    middle: float | None
    plain: bool


def inputs(network: Network) -> int:
    """1 or 2 numbers that go in and may be drawn; 0 of any other network."""
    shape = network.x.shape
    one_or_two = len(shape) == 2 and shape[1] in (1, 2) and not network.more
    return shape[1] if one_or_two and np.ndim(network.y) == 2 else 0


class Plane:
    """Predictions of a network with one or two inputs; the program is built when first asked for."""

    def __init__(self, program: Program) -> None:
        self.network = program.network
        self._machine: Machine | None = None
        self._plain = not any(slot.kind in ("mask", "statistic") for slot in program.slots.values())

    def over(self, data: Array, arrays: Mapping[str, Array]) -> Steps[Predictions]:
        """Around all data (rows, 1 or 2), by the parameters in `arrays`."""
        machine = self._ready()
        for name in machine.program.initial:
            if machine.program.slots[name].kind in ("parameter", "statistic") and name in arrays:
                np.copyto(machine.arrays[name], arrays[name])
        axes = tuple(self._axis(data[:, k], k) for k in range(data.shape[1]))
        places = np.stack(np.meshgrid(*axes), -1).reshape(-1, len(axes))
        outputs = []
        last = machine.program.writers.get(machine.program.output, -1) + 1
        for start in range(0, len(places), _BLOCK):
            block = places[start : start + _BLOCK]
            machine.arrays["x"][: len(block)] = block
            with machine.quiet():
                machine.segment(0, last)()
            outputs.append(machine.arrays[machine.program.output][: len(block)].copy())
            yield
        shape = tuple(len(axis) for axis in reversed(axes))
        turns = middle(self.network) if classed(self.network) else None
        return Predictions(axes, np.concatenate(outputs).reshape(*shape, -1), turns, self._plain)

    def _ready(self) -> Machine:
        if self._machine is None:
            network = self.network
            x = np.zeros((_BLOCK, network.x.shape[1]), network.x.dtype)
            y = np.repeat(network.y[:1], _BLOCK, axis=0)
            self._machine = Machine(build_evaluation(network, x, y))
        return self._machine

    def _axis(self, data: Array, k: int) -> Array:
        known = data[np.isfinite(data) & (np.abs(data) < 1e100)]
        low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
        room = _ROOM * (high - low) or max(1.0, abs(high))
        count = _LINE if len(self.network.x[0]) == 1 else (_ACROSS, _DOWN)[k]
        return np.linspace(low - room, high + room, count)


def classed(network: Network) -> bool:
    """Whether there are classes to tell apart."""
    return bool(network.classes) or LOSSES[network.loss].classes or network.loss in ("bce", "hinge")
