"""How well a network does: accuracy, and the loss and accuracy on the rows that are held out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bptui.engine.build import build_evaluation
from bptui.engine.machine import Machine
from bptui.engine.network import Array, Network, NetworkError
from bptui.engine.program import Program


def available(network: Network) -> tuple[str, ...]:
    """The metrics that make sense for a network."""
    found = ["accuracy"] if network.classes else []
    if network.test is not None:
        found += ["test_loss", *(["test_accuracy"] if network.classes else [])]
    return tuple(found)


def accuracy(network: Network, output: Array, y: Array) -> float:
    """The share of rows (or places) whose largest output is the right class; of one output, on the right side."""
    if y.shape[-1] > 1:
        return float((output.argmax(-1) == y.argmax(-1)).mean())
    return float(((output > middle(network)) == second(network, y)).mean())


def middle(network: Network) -> float:
    """Where one output turns to the second class: 0 of what is no probability."""
    return 0.5 if network.nodes[-1].last_op == "sigmoid" or network.loss not in ("bce", "hinge") else 0.0


def second(network: Network, y: Array) -> Array:
    """Which rows with one target are of the second class."""
    return np.asarray(y > (0.0 if network.loss == "hinge" else 0.5))


class Metrics:
    """Evaluates parameters on all training rows and on those held out; programs are built when first asked for."""

    def __init__(self, program: Program) -> None:
        self.network = program.network
        self._machines: dict[str, Machine] = {}

    def __call__(self, name: str, arrays: Mapping[str, Array]) -> float:
        """One metric of the parameters in `arrays`."""
        part, _, what = name.rpartition("_") if "_" in name else ("train", "", name)
        loss, right = self._evaluated(part or "train", arrays)
        return loss if what == "loss" else right

    def all(self, arrays: Mapping[str, Array]) -> dict[str, float]:
        """Every metric that makes sense; none where all rows at once don't fit into memory."""
        try:
            return {name: self(name, arrays) for name in available(self.network)}
        except NetworkError:
            return {}

    def _evaluated(self, part: str, arrays: Mapping[str, Array]) -> tuple[float, float]:
        """(loss, accuracy) on one part of the data."""
        machine = self._machine(part)
        for name in machine.program.initial:
            if name in arrays and machine.program.slots[name].kind in ("parameter", "statistic"):
                np.copyto(machine.arrays[name], arrays[name])
        with machine.quiet():
            machine.segment(0, len(machine.program))()
        output, y = machine.arrays[machine.program.output], machine.arrays["y"]
        return float(machine.arrays["loss"]), accuracy(self.network, output, y)

    def _machine(self, part: str) -> Machine:
        if part not in self._machines:
            network = self.network
            rows: tuple[Any, Any] = (network.x, network.y)
            more = network.more
            if part == "test":
                assert network.test is not None
                rows, more = network.test, network.test_more
            self._machines[part] = Machine(build_evaluation(network, *rows, more))
        return self._machines[part]
