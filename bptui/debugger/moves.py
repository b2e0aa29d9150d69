"""Where each verb of time leads from a position: counting, and nothing else."""

from __future__ import annotations

from bptui.engine.program import Program
from bptui.engine.timeline import START, Position, normal


def forward(program: Program, here: Position, k: int) -> Position:
    """K operations on; a half-done one is finished first, which counts as one."""
    return _place(program, _moments(program, here) + k)


def back(program: Program, here: Position, k: int) -> Position:
    """K operations back; a half-done one is left undone first, which counts as one."""
    return _place(program, max(0, _moments(program, here) + (here.element > 0) - k))


def step(program: Program, here: Position, k: int) -> Position:
    """K elements on, into and out of operations."""
    whole, k = divmod(k, _elements(program))
    moment, element = _moments(program, here) + whole * len(program), here.element + k
    while element >= (size := program.size(moment % len(program))):
        moment, element = moment + 1, element - size
    return _place(program, moment, element)


def step_back(program: Program, here: Position, k: int) -> Position:
    """K elements back, as far as the start."""
    whole, k = divmod(k, _elements(program))
    moment, element = _moments(program, here) - whole * len(program), here.element - k
    while element < 0 and moment > 0:
        moment -= 1
        element += program.size(moment % len(program))
    return _place(program, moment, max(0, element)) if moment >= 0 else START


def finish(program: Program, here: Position) -> Position:
    """The end of the phase that the next operation belongs to."""
    k = here.op % len(program)
    phase = program.instructions[k].phase
    base = _moments(program, here) - k
    while k < len(program) and program.instructions[k].phase == phase:
        k += 1
    return _place(program, base + k)


def start(program: Program, here: Position) -> Position:
    """The start of the phase that the operation done last, or half done, belongs to."""
    if here == START:
        return START
    k = last(here)
    base = _moments(program, here) - here.op
    while k > 0 and program.instructions[k - 1].phase == program.instructions[k].phase:
        k -= 1
    return _place(program, base + k)


def iterations(program: Program, here: Position, k: int) -> Position:
    """K whole iterations on, or back where K is negative, at the same operation; not before the start."""
    moment = _moments(program, here) + k * len(program)
    return START if moment < 0 else _place(program, moment, here.element)


def to(program: Program, here: Position, index: int) -> Position:
    """Where operation `index` will be done next."""
    moment = _moments(program, here)
    ahead = (index + 1 - moment) % len(program) or len(program)
    return _place(program, moment + ahead)


def to_back(program: Program, here: Position, index: int) -> Position | None:
    """Where operation `index` was done last; None where it never was."""
    moment = _moments(program, here) + (here.element > 0)
    behind = (moment - index - 1) % len(program) or len(program)
    return None if moment - behind < 1 else _place(program, moment - behind)


def last(here: Position) -> int:
    """The index of the operation done last, or half done."""
    return here.op if here.element else here.op - 1


def _moments(program: Program, here: Position) -> int:
    """The number of operations done since the start."""
    return here.iteration * len(program) + here.op


def _place(program: Program, moments: int, element: int = 0) -> Position:
    return normal(program, *divmod(moments, len(program)), element)


def _elements(program: Program) -> int:
    """The number of elements that an iteration writes."""
    return sum(program.size(k) for k in range(len(program)))
