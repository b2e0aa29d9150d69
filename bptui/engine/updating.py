"""The update phase: schedule, clipping, and each parameter's instructions, as its optimizer says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bptui.engine.optimizers import OPTIMIZERS, SCHEDULES, schedule_attrs
from bptui.engine.program import Instruction, Slot

if TYPE_CHECKING:
    from bptui.engine.build import Builder


def emit_updates(builder: Builder) -> None:
    """Update every parameter whose gradient is complete; what they share comes first."""
    training = builder.network.training
    writer = _Writer(builder)
    writer.rate()
    gradients = {name: writer.clipped_value(name) for name in builder.complete}
    if training.clip_norm is not None and gradients:
        gradients = writer.clipped_norm(gradients)
    writer.shared_at = len(builder.instructions)
    optimizer = OPTIMIZERS[training.optim]
    options = {**optimizer.options, **training.options}
    for name in [name for name, slot in builder.slots.items() if slot.kind == "parameter" and name in gradients]:
        writer.begin(name)
        optimizer.emit(writer, gradients[name], options)
    builder.complete.clear()


class _Writer:
    """Writes the instructions of one parameter after the other; those of the same number do the same to each."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder
        self.parameter = ""
        self.shared_at = 0
        self._number = 0
        self._fusing = not builder.network.training.sequential

    def begin(self, parameter: str) -> None:
        self.parameter = parameter
        self._number = 0

    def rate(self) -> None:
        """The learning rate: a number that lasts, or one computed from it and the number of the update."""
        network = self.builder.network
        op = SCHEDULES[network.training.schedule].op
        if "lr" in self.builder.slots:
            if self.builder.slots["lr"].kind == "data":
                raise self.builder.clash("lr")
            return
        self.builder.persistent("lr0" if op else "lr", np.array(network.lr), "rate")
        if op:
            attrs = schedule_attrs(network.training.schedule, network.training.schedule_options)
            reads = ("lr0", self.counter("t"))
            self.builder.emit(Instruction(op, "update", reads, "lr", attrs=attrs), "value")

    # Clipping

    def clipped_value(self, parameter: str) -> str:
        most, gradient = self.builder.network.training.clip_value, f"{parameter}.grad"
        if most is None:
            return gradient
        return self._emit("clip-value", [gradient], f"{parameter}.clipped", low=-most, high=most)

    def clipped_norm(self, gradients: dict[str, str]) -> dict[str, str]:
        """All gradients scaled down together, so that their norm over all parameters is at most so large."""
        squares = [self._emit("square-norm", [g], f"{name}.norm2") for name, g in gradients.items()]
        total = squares[0]
        if len(squares) > 1:
            total = self._emit("total", squares, "norm2", count=len(squares))
        most = self.builder.network.training.clip_norm
        return {name: self._emit("clip-norm", [g, total], f"{name}.scaled", most=most) for name, g in gradients.items()}

    # What an optimizer writes with

    def state(self, word: str, value: float = 0.0) -> str:
        begun = np.broadcast_to(value, self.builder.slots[self.parameter].shape)
        return self.builder.persistent(f"{self.parameter}.{word}", begun, "state", of=self.parameter)

    def value(self, word: str, op: str, reads: list[str], **attrs: Any) -> str:
        self._number += self._fusing
        return self._emit(op, reads, f"{self.parameter}.{word}", fused=self._number, **attrs)

    def shared(self, word: str, op: str, reads: list[str], **attrs: Any) -> str:
        if word not in self.builder.slots:
            instruction = Instruction(op, "update", tuple(reads), word, attrs=attrs)
            self.builder.emit(instruction, "value", at=self.shared_at)
            self.shared_at += 1
        return word

    def counter(self, word: str) -> str:
        name = word.partition(" ")[0]
        if name in self.builder.slots and self.builder.slots[name].kind != "counter":
            raise self.builder.clash(name)
        if name not in self.builder.slots:
            self.builder.slots[name] = Slot(name, (), "counter", of=word)
        return name

    def update(self, op: str, reads: list[str], **attrs: Any) -> None:
        self._number += self._fusing
        self._emit(op, reads, reads[0], fused=self._number, **attrs)

    def _emit(self, op: str, reads: list[str], writes: str, fused: int = 0, **attrs: Any) -> str:
        kind = self.builder.slots[writes].kind if writes in self.builder.slots else "value"
        instruction = Instruction(op, "update", tuple(reads), writes, attrs=attrs, fused=fused)
        return self.builder.emit(instruction, kind, of=self.parameter if kind == "value" else "")
