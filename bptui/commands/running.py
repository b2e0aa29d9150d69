"""The words that run: each begins a run, which goes on in portions, and says where it came to."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from bptui.commands.answer import Answer, Context, count, nothing
from bptui.commands.registry import CommandError
from bptui.debugger import breakpoints, conditions, health, moves
from bptui.debugger.editing import DebuggerError
from bptui.debugger.expressions import ExpressionError
from bptui.debugger.stops import Ended, Run
from bptui.engine.player import estimated_seconds
from bptui.engine.timeline import Position, parse

# Seconds between two looks at whether it is to be broken off.
_SLICE = 0.05
# Seconds, roughly, that need not be looked at.
_INSTANT = 0.01
# So few iterations are as quick together as one.
_FEW = 8


class Pace:
    """How many iterations to look at at once, so that it takes about so many seconds; one to begin with.

    n  as many
    """

    def __init__(self, seconds: float) -> None:
        self.n = 1
        self._seconds = seconds
        self._each = 0.0

    def adapt(self, seconds: float, iterations: int) -> None:
        """Learn from a portion: the next has at most twice as many, and what the slowest of late allow.

        What few iterations take says little of what each takes: to begin with them takes as long again and more.
        """
        if self.n < _FEW and seconds < self._seconds:
            self.n *= 2
            return
        self._each = max(seconds / max(1, iterations), self._each / 2)
        self.n = max(1, min(2 * self.n, int(self._seconds / max(self._each, 1e-9))))


@dataclass(frozen=True)
class Begun:
    """A run, and what there is to say once it has ended.

    arrive  goes there. Raises DebuggerError where what was looked for is not there; one is where one was
    """

    session: Context
    run: Run
    arrive: Callable[[Ended], Answer]

    def portion(self, pace: Pace) -> Answer | None:
        """Some iterations; what came of it, if it is over. Raises as `arrive` does."""
        begun, examined = time.monotonic(), self.run.examined
        ended = self.run.portion(pace.n)
        pace.adapt(time.monotonic() - begun, self.run.examined - examined)
        return None if ended is None else self.arrive(ended)

    def whole(self) -> Answer:
        """All of it, unless somebody wants it broken off. Raises as `arrive` does."""
        pace = Pace(_SLICE)
        while not self.session.stopped():
            came = self.portion(pace)
            if came is not None:
                return came
        answer = self.session.where(self.session.debugger.leave(self.run))
        return Answer((*answer.lines, "interrupted"), answer.watched)


# What a word and the rest of its line begin; an answer where nothing has to run. Raises as `Session.execute` does.
Begin = Callable[[Context, str], Begun | Answer]


def continue_(session: Context, rest: str) -> Begun | Answer:
    return _to_breakpoint(session, rest, back=False)


def reverse_continue(session: Context, rest: str) -> Begun | Answer:
    return _to_breakpoint(session, rest, back=True)


def _to_breakpoint(session: Context, rest: str, *, back: bool) -> Begun | Answer:
    nothing(rest)
    debugger = session.debugger
    try:
        run = debugger.run(back=back)
    except DebuggerError as error:
        return session.where(debugger.view(str(error)))
    return Begun(session, run, lambda ended: session.where(debugger.arrive(ended)))


def until(session: Context, rest: str) -> Begun:
    run = session.debugger.run_until(rest)

    def arrive(ended: Ended) -> Answer:
        return session.where(session.debugger.arrive_until(run, ended))

    return Begun(session, run, arrive)


def when(session: Context, rest: str) -> Begun:
    """Back to where a condition held last, or where an expression, which is looked at for a change, had another."""
    debugger = session.debugger
    if not rest:
        raise CommandError("when what? when w5, when sign(w5), when nan, when dead a1, when if loss < 0.1")
    try:
        condition = breakpoints.parse(debugger.program, rest)
    except ExpressionError as error:
        condition = _changed(session, rest, error)
    run = debugger.run_back_to(condition)

    def arrive(ended: Ended) -> Answer:
        if not ended.stopped:
            debugger.leave(run)
            raise DebuggerError(f"{condition.text} did not happen before here")
        answer = session.where(debugger.goto(ended.position))
        said = f"{condition.text}{debugger.told(condition)}: the last time before was here"
        return Answer((*answer.lines, said), answer.watched)

    return Begun(session, run, arrive)


def _changed(session: Context, rest: str, error: ExpressionError) -> conditions.Condition:
    if rest.isdecimal():
        # An operation that is not there: a number never changes.
        raise error
    try:
        return conditions.when_changed(session.debugger.program, rest)
    except ExpressionError as expression:
        # One word may be meant as either, and after a condition's word comes no expression; anything else is one.
        word = rest.split(maxsplit=1)[0]
        meant = rest.isidentifier() or word in (*health.KINDS, "if", "on")
        raise (error if meant else expression) from None


def iteration(session: Context, rest: str) -> Begun | Answer:
    debugger = session.debugger
    return to_place(session, moves.iterations(debugger.program, debugger.position, count(rest)))


def run(session: Context, rest: str) -> Begun | Answer:
    if not rest:
        raise CommandError("how many iterations? run N")
    return iteration(session, rest)


def goto(session: Context, rest: str) -> Begun | Answer:
    # A whole number alone is an iteration: its start.
    return to_place(session, parse(session.debugger.program, f"{rest}:0" if rest.isdecimal() else rest))


def to_place(session: Context, place: Position, said: tuple[str, ...] = ()) -> Begun | Answer:
    """To a position, with something said behind it; where what lies between takes more than an instant, it is run."""
    debugger = session.debugger

    def arrive(_: Ended | None = None) -> Answer:
        answer = session.where(debugger.goto(place))
        return Answer((*answer.lines, *said), answer.watched)

    if (place.iteration - debugger.position.iteration) * estimated_seconds(debugger.program) < _INSTANT:
        return arrive()
    return Begun(session, debugger.run_to(place), arrive)


RUNS: dict[str, Begin] = {
    "continue": continue_,
    "reverse-continue": reverse_continue,
    "until": until,
    "when": when,
    "iteration": iteration,
    "run": run,
    "goto": goto,
}
