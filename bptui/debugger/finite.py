"""Whether a free run has come to what is not finite, at next to no cost: by the processor's flags where they tell.

NumPy's elementwise functions notice when they overflow, divide by zero or have no result; it only has to be told to
raise. Products of matrices, sums and functions that move cells say nothing: what they write is looked at, once in an
iteration. What is found so may be a false alarm, such as exp(800) on the way to a right 0, so the iteration is then
walked. After many false alarms everything that is written is looked at instead, and the flags are left alone.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from bptui.engine import terms
from bptui.engine.network import Array
from bptui.engine.program import Instruction, Program

# So many false alarms.
_PATIENCE = 8


class Finite:
    """What is known of a search's alarms."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._alarms = 0

    @property
    def flagged(self) -> bool:
        """Whether the flags are listened to."""
        return self._alarms < _PATIENCE

    @property
    def flags(self) -> Literal["ignore", "raise"]:
        """What NumPy is to do about them."""
        return "raise" if self.flagged else "ignore"

    def false_alarm(self) -> bool:
        """One more; whether that was one too many."""
        self._alarms += 1
        return self._alarms == _PATIENCE

    def looked_at(self) -> tuple[str, ...]:
        """The slots that no flag tells of."""
        return tuple(i.writes for i in self._program.instructions if not (self.flagged and _tells(i)))


def _tells(instruction: Instruction) -> bool:
    return instruction.own is None and terms.is_elementwise(terms.read(instruction.text))


def all_finite(array: Array) -> bool:
    """Whether all numbers are finite, and add up without overflow: one pass, and nothing is written."""
    try:
        return bool(np.isfinite(np.add.reduce(array, axis=None)))
    except FloatingPointError:
        return False
