"""The words of breakpoints and watches."""

from __future__ import annotations

from bptui.commands import wording
from bptui.commands.answer import Answer, Context, Verb, nothing
from bptui.commands.registry import CommandError
from bptui.debugger.breakpoints import Breakpoint


def break_(session: Context, rest: str) -> Answer:
    return Answer((_listed(session.debugger.add_breakpoint(rest)),))


def breakpoints_(session: Context, rest: str) -> Answer:
    nothing(rest)
    lines = [_listed(one) for one in session.debugger.breakpoints.all.values()]
    return Answer(tuple(lines) or ("there are no breakpoints",))


def delete(session: Context, rest: str) -> Answer:
    stops = session.debugger.breakpoints
    if rest == "all":
        gone = list(stops.all.values())
        stops.all.clear()
        return Answer((f"deleted {len(gone)} breakpoint{'s' * (len(gone) != 1)}",))
    if rest and not rest.isdecimal():
        session.debugger.drop(rest)
        return Answer((f"deleted branch {rest}",))
    gone_one = stops.delete(_number(rest, "delete"))
    return Answer((f"deleted breakpoint {gone_one.number}: {gone_one.text}",))


def enable(session: Context, rest: str) -> Answer:
    return Answer((_listed(session.debugger.breakpoints.change(_number(rest, "enable"), enabled=True)),))


def disable(session: Context, rest: str) -> Answer:
    return Answer((_listed(session.debugger.breakpoints.change(_number(rest, "disable"), enabled=False)),))


def ignore(session: Context, rest: str) -> Answer:
    words = rest.split()
    if len(words) != 2 or not all(word.isdecimal() and len(word) < 9 for word in words):
        raise CommandError("write ignore BREAKPOINT TIMES, such as ignore 1 10")
    return Answer((_listed(session.debugger.breakpoints.change(int(words[0]), ignore=int(words[1]))),))


def watch(session: Context, rest: str) -> Answer:
    debugger = session.debugger
    if not rest:
        return watches(session, "")
    number = debugger.watches.add(debugger.program, rest)
    shown = [one for one in debugger.watched() if one.number == number]
    return Answer(tuple(wording.watch_line(one, session.digits) for one in shown))


def watches(session: Context, rest: str) -> Answer:
    nothing(rest)
    lines = [wording.watch_line(one, session.digits) for one in session.debugger.watched()]
    return Answer(tuple(lines) or ("nothing is watched",))


def unwatch(session: Context, rest: str) -> Answer:
    gone = session.debugger.watches
    number = _number(rest, "unwatch")
    return Answer((f"no longer watched: {gone.delete(number).text}",))


def _listed(one: Breakpoint) -> str:
    said = "" if one.enabled else "; disabled"
    said += f"; ignored {one.ignore} more time{'s' * (one.ignore != 1)}" * bool(one.ignore)
    return f"breakpoint {one.number}: {one.text}; met {one.hits} time{'s' * (one.hits != 1)}{said}"


def _number(rest: str, word: str) -> int:
    if not rest.isdecimal() or len(rest) > 8:
        raise CommandError(f"which one? {word} and its number, such as {word} 1")
    return int(rest)


VERBS: dict[str, Verb] = {
    "break": break_,
    "breakpoints": breakpoints_,
    "delete": delete,
    "enable": enable,
    "disable": disable,
    "ignore": ignore,
    "watch": watch,
    "watches": watches,
    "unwatch": unwatch,
}
