"""What tests do with a debugger in one go, where a front end lets it run in portions."""

from __future__ import annotations

from bptui.debugger.conditions import Condition
from bptui.debugger.debugger import Debugger, DebuggerError
from bptui.debugger.view import View
from bptui.engine.timeline import Position, parse


def goto_text(debugger: Debugger, text: str) -> View:
    """To the position that `3:12` means."""
    return debugger.goto(parse(debugger.program, text))


def run_on(debugger: Debugger) -> View:
    """To the next breakpoint, or the end of the iterations that the spec asks for."""
    try:
        run = debugger.run()
    except DebuggerError as error:
        return debugger.view(str(error))
    return debugger.arrive(run.whole())


def run_back(debugger: Debugger) -> View:
    """Back to the previous breakpoint, or to the very start."""
    return debugger.arrive(debugger.run(back=True).whole())


def run_until(debugger: Debugger, text: str) -> View:
    """On until an expression is true."""
    run = debugger.run_until(text)
    return debugger.arrive_until(run, run.whole())


def last(debugger: Debugger, condition: Condition) -> Position | None:
    """The last position before here at which a condition holds, or None; one stays where one is."""
    run = debugger.run_back_to(condition)
    ended = run.whole()
    debugger.leave(run)
    return ended.position if ended.stopped else None
