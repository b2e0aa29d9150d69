"""The words that begin anew: the same network with other settings, or its spec as it is now."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from bptui.commands.answer import Answer, Context, Verb, nothing
from bptui.commands.registry import CommandError
from bptui.commands.running import Begin, Begun, to_place
from bptui.debugger import renewing
from bptui.files import origins
from bptui.files import settings as values
from bptui.files.origins import Origin
from bptui.files.report import blamed
from bptui.files.settings import Settings
from bptui.files.text import safe

_WHOLE = re.compile(r"\d{1,19}")


def restart(session: Context, rest: str) -> Answer:
    before = session.origin
    changes = {} if rest == "spec" else _settings(rest)
    kept = {} if rest == "spec" else before.settings
    origin = replace(before, settings=values.merged(before.read, kept, changes))
    with blamed("restart"):
        lost = renewing.restart(session.debugger, origin.network)
    session.adopt(origin)
    said = values.written(origin.settings) or "as the spec has it"
    where = session.where(session.debugger.view())
    return Answer((*where.lines, f"restarted, {said}{_dropped(lost)}"), where.watched)


def reload_(session: Context, rest: str) -> Begun | Answer:
    nothing(rest)
    origin = _read_again(session)
    if origin.same_spec(session.origin):
        return Answer((f"{safe(_name(origin))} is as it was",))
    return _renewed(session, origin)


def _read_again(session: Context) -> Origin:
    """The network's spec as it is now, with what was set since. Raises CommandError, SpecError."""
    before = session.origin
    if before.source is None or not before.source.shown:
        raise CommandError("this network has no spec to be read again")
    session.refuse_opening(before.source.shown if before.source.example else "")
    return replace(origins.load(before.source.shown), settings=before.settings)


def _renewed(session: Context, origin: Origin) -> Begun | Answer:
    """Go on with another state of the same spec, where one is. Raises SpecError, SettingsError."""
    with blamed(_name(origin)):
        place, lost = renewing.renew(session.debugger, origin.network)
    session.adopt(origin)
    kept = f", still with {values.written(origin.settings)}" if origin.settings else ""
    return to_place(session, place, (f"reloaded {safe(_name(origin))}{kept}{_dropped(lost)}",))


def _name(origin: Origin) -> str:
    return "" if origin.source is None else origin.source.shown


def _dropped(lost: list[str]) -> str:
    return f"; dropped: {safe(', '.join(lost))}" if lost else ""


def _settings(rest: str) -> Settings:
    """What `lr=0.1 batch=all` means. Raises CommandError."""
    found: dict[str, Any] = {}
    for word in re.sub(r"\s*=\s*", "=", rest).split():
        name, equals, value = word.partition("=")
        if not equals or not name or not value:
            raise CommandError(f"{word[:40]!r}: write restart NAME=VALUE, such as restart lr=0.1 seed=3")
        if name in found:
            raise CommandError(f"{name[:40]} stands twice")
        found[name] = _value(name, value)
    return found


def _value(name: str, text: str) -> Any:
    """A number, true or false, or a word."""
    if name == "batch" and text == "all":
        return 0
    if text in ("true", "false"):
        return text == "true"
    if _WHOLE.fullmatch(text):
        return int(text)
    try:
        return float(text)
    except ValueError:
        return text


VERBS: dict[str, Verb] = {"restart": restart}
RUNS: dict[str, Begin] = {"reload": reload_}
