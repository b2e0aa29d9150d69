"""The word that asks for a number before it is there: for who learns with a pencil."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from bptui.commands import wording
from bptui.commands.answer import Answer, Context, Verb, number
from bptui.commands.registry import CommandError
from bptui.debugger import expressions, moves
from bptui.engine.player import Moment
from bptui.engine.program import Target
from bptui.engine.timeline import Position
from bptui.explain.formulas import formula

# Digits to which a guess is compared, where no others are shown.
_DIGITS = 4
# A difference of more per cent says nothing.
_FAR = 100
# `h2 = 0.48`, but not `w5 == 0.14`.
_NAMED = re.compile(r"([^=<>!]+)=(?!=)(.*)", re.DOTALL)


@dataclass(frozen=True)
class Question:
    """A number that the next operation writes.

    name   how a reader calls it
    after  where it is written
    text   its formula in symbols
    """

    slot: str
    cell: int
    name: str
    after: Position
    text: str


def question(session: Context, cell: Target | None = None) -> Question:
    """What is asked for: a cell that the next operation writes, the first of them unless another is wanted.

    Raises CommandError where there is nothing to be worked out, or the operation does not write that cell.
    """
    debugger = session.debugger
    here, program = debugger.position, debugger.program
    k = here.op % debugger.count
    instruction = program.instructions[k]
    if instruction.op == "draw":
        raise CommandError("the next operation draws the rows of a batch: nobody can work that out; next makes it")
    asked = Target(instruction.writes, (here.element,)) if cell is None else cell
    if asked.slot != instruction.writes or len(asked.cells) != 1 or asked.cells[0] < here.element:
        first = debugger.spell(Target(instruction.writes, (here.element,)))
        raise CommandError(f"that is no one number that the next operation writes; {first} is one")
    name = debugger.spell(Target(asked.slot, asked.cells))
    after = moves.forward(program, here, 1)
    made = formula(program, Moment(k, debugger.look(here), debugger.look(after)), asked.cells[0], session.digits)
    # Of the formula only what does not hold the result.
    text = f"{made.left} {made.relation} {made.rows[0]}" if len(made.rows) > 1 else instruction.source
    return Question(asked.slot, asked.cells[0], name, after, text)


def predict(session: Context, rest: str) -> Answer:
    named = _NAMED.fullmatch(rest)
    cell = expressions.parse_target(session.debugger.program, named[1]) if named else None
    asked = question(session, cell)
    if not rest:
        return Answer(
            (f"what is {asked.name} at {asked.after}? {asked.text}", "predict NUMBER answers, and makes the step")
        )
    guess = number(session, (named[2] if named else rest).strip())
    answer = session.where(session.debugger.next())
    state = session.debugger.look(session.debugger.position)
    value = float(state.arrays[asked.slot].reshape(-1)[asked.cell])
    said = f"{asked.name} = {wording.number_text(value, session.digits)}; {judged(guess, value, session.digits)}"
    return Answer((*answer.lines, said), answer.watched)


def judged(guess: float, value: float, digits: int | None = None) -> str:
    """How near a guess came: to how many digits it is right (one says little), else its sign, and how far it is off."""
    if not (math.isfinite(guess) and math.isfinite(value)):
        return f"{guess:.4g} was guessed"
    most = max(2, digits or _DIGITS)
    right = max((n for n in range(2, most + 1) if _same(guess, value, n)), default=0)
    if right == most:
        return f"{guess:.{most}g} is right"
    return f"{_worded(guess, value, right)}: it is {_off(guess, value)}"


def _same(guess: float, value: float, n: int) -> bool:
    return f"{guess:.{n}g}" == f"{value:.{n}g}"


def _worded(guess: float, value: float, right: int) -> str:
    text = f"{guess:.4g}"
    if right:
        return f"{text} is right to {right} digits"
    if guess * value > 0:
        return f"{text} has the right sign"
    return f"{text} has the wrong sign" if guess * value < 0 else f"{text} is not right"


def _off(guess: float, value: float) -> str:
    """`0.017 too low (8.9 %)`."""
    difference = guess - value
    share = 100 * abs(difference / value) if value else math.inf
    said = f" ({share:.2g} %)" if share < _FAR else ""
    return f"{abs(difference):.3g} too {'high' if difference > 0 else 'low'}{said}"


VERBS: dict[str, Verb] = {"predict": predict}
