"""Whether a free run has come to what is not finite, at next to no cost: by the processor's flags where they tell.

NumPy's elementwise functions notice when they overflow, divide by zero or have no result; it only has to be told to
raise. Products of matrices, sums and functions that move cells say nothing: what they write is looked at once in an
iteration, but for the gradients that only go into what lasts, which is looked at in the end. What is found so may be a
false alarm, such as exp(800) on the way to a right 0, so the iteration is then walked. After many false alarms
everything that is written is looked at instead, and the flags are left alone.
"""

from __future__ import annotations

from typing import Literal

from bptui.engine import terms
from bptui.engine.program import Instruction, Program
from bptui.engine.terms import Leaf, Map, Term

# So many false alarms.
_PATIENCE = 8
# Whatever one of them is given that is not finite, its result is not finite either.
_CARRYING = frozenset({"add", "subtract", "multiply", "negative", "square"})


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
        """The slots that neither the flags nor what lasts tell of."""
        instructions = self._program.instructions
        if not self.flagged:
            return tuple(i.writes for i in instructions)
        return tuple(i.writes for i in instructions if not i.flagged and not self._lasts(i.writes))

    def _lasts(self, slot: str) -> bool:
        """Whether what is not finite in a slot is still so at the end of a run, in what lasts."""
        return any(slot in i.reads and self._keeps(i, slot) for i in self._program.instructions)

    def _keeps(self, instruction: Instruction, slot: str) -> bool:
        written = self._program.slots[instruction.writes]
        if not written.persistent or instruction.reads[0] != written.name or instruction.own is not None:
            return False
        term = terms.read(instruction.text)
        roles = {known: role for role, known in instruction.roles.items()}
        return _carries(term, roles[slot]) and _carries(term, roles[written.name])


def _carries(term: Term, role: str) -> bool:
    """Whether the result is not finite where that argument is not."""
    match term:
        case Leaf(name):
            return name == role
        case Map(function, parts) if function in _CARRYING:
            return any(_carries(part, role) for part in parts)
    return False
