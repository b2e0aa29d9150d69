"""Breakpoints: conditions with a number, that are counted, disabled, ignored for a while, or stop once."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bptui.debugger import conditions, health
from bptui.debugger.conditions import Condition
from bptui.debugger.expressions import ExpressionError
from bptui.engine.network import nearest
from bptui.engine.ops import OPS
from bptui.engine.program import PHASES, Program

# So many kinds of operation are named where none is called so.
_NAMED = 12


@dataclass(frozen=True, eq=False)
class Breakpoint:
    """A condition that `continue` and `reverse-continue` stop at.

    hits    how often it has been met
    ignore  how many more times it is met without stopping
    once    it goes when it has stopped
    """

    number: int
    condition: Condition
    enabled: bool = True
    hits: int = 0
    ignore: int = 0
    once: bool = False

    @property
    def text(self) -> str:
        """As it was asked for."""
        return self.condition.text + " once" * self.once


_COMPARISON = re.compile(r"[<>]|[=!]=")


def meant(text: str) -> str:
    """A comparison alone is a condition: `loss < 0.1` is `if loss < 0.1`."""
    first = text.split(maxsplit=1)[0] if text.split() else ""
    alone = _COMPARISON.search(text) and first not in ("if", "on", *health.KINDS)
    return f"if {text}" if alone else text


def parse(program: Program, text: str) -> Condition:
    """The condition that `7`, `forward`, `relu`, `on w5`, `if loss < 0.1` or `nan` means. Raises ExpressionError."""
    words = text.split()
    if not words:
        raise ExpressionError("stop at what? if EXPR, on X, an operation's number, a phase, an op, nan, dead, ratio …")
    word, rest = words[0], " ".join(words[1:])
    if word == "if":
        return conditions.when_true(program, rest)
    if word == "on":
        return conditions.when_changed(program, rest)
    if word in health.KINDS:
        return health.parse(program, word, words[1:])
    if rest:
        raise ExpressionError(f"{' '.join(words)[:60]!r} is no condition{_hint(program, word)}")
    if word == "nan":
        return Condition("nan", tuple(range(len(program))), not_finite=True)
    return _at(program, word)


def _at(program: Program, word: str) -> Condition:
    """An instruction by its number, the first of a phase, or every one of an op."""
    instructions = program.instructions
    if word.isdecimal() and len(word) < 9 and 1 <= int(word) <= len(instructions):
        return Condition(word, (int(word) - 1,))
    if word.isdecimal():
        raise ExpressionError(f"there is no operation {word[:20]}: an iteration has {len(instructions)}")
    if word in PHASES:
        phases = [i.phase for i in instructions]
        places = tuple(k for k, phase in enumerate(phases) if phase == word and (k == 0 or phases[k - 1] != word))
        if not places:
            raise ExpressionError(f"there is no operation in the {word} phase of this network")
        return Condition(word, places)
    # `dense` is `dense+b` too: with its bias.
    places = tuple(k for k, i in enumerate(instructions) if word in (i.op, i.op.partition("+")[0]))
    if not places:
        raise ExpressionError(f"nothing to stop at is called {word[:60]!r}{_hint(program, word)}")
    return Condition(word, places)


def _hint(program: Program, word: str) -> str:
    ops = dict.fromkeys(i.op for i in program.instructions)
    known = [*PHASES, *ops, "if", "on", "nan", *health.KINDS]
    if word in program.slots or word in program.targets:
        return f" (did you mean on {word}?)"
    kinds = list(dict.fromkeys(op.partition("+")[0] for op in ops))
    here = ", ".join(kinds[:_NAMED]) + ", …" * (len(kinds) > _NAMED)
    if word in OPS:
        return f": the kinds of operation here are {here}"
    return nearest(word, known) or f" (a number, a phase, on X, if EXPR, nan …, or a kind of operation: {here})"
