"""What may stand next in a line of the command language: for the app's line and for Tab in plain mode."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from bptui.commands import formats, naming, registry
from bptui.commands.answer import Context
from bptui.commands.naming import Candidate
from bptui.commands.registry import COMMANDS, Command
from bptui.debugger import fills, health
from bptui.engine.ops import LOSSES
from bptui.engine.optimizers import OPTIMIZERS
from bptui.explain import parts
from bptui.files import settings
from bptui.files.text import safe

# More than a screen could show.
MOST = 300
FILLS = tuple(Candidate(usage.partition(" ")[0], usage) for usage in fills.USAGES)
_DRAWN = frozenset(usage.partition(" ")[0] for usage in fills.USAGES if " " in usage)
# What an expression or a word may end with, and a blank; but for the words that something has to follow.
_WHOLE = re.compile(r"[\w.)\]]\s+$")
_OPENING = frozenset({"if", "on", "and", "or", "not"})
_BLANK = re.compile(r"\s+")


@dataclass(frozen=True)
class Completion:
    """Where in a line the word begins that is being typed, and what may stand there, the likeliest first."""

    start: int
    candidates: tuple[Candidate, ...] = ()

    def line(self, text: str, k: int = 0) -> str:
        """A line with one of them in the place of what is typed of it."""
        return text[: self.start] + self.candidates[k].text


# What follows a word → from where on it is completed, and what may stand there, whatever is typed of it.
Found = tuple[int, Iterable[Candidate]]
Source = Callable[[Context, str], Found]


def complete(context: Context, text: str, near: str = "", app: Mapping[str, Sequence[str]] | None = None) -> Completion:
    """What may stand at the end of a text.

    near  the name of the cell where the reader is: it comes first
    app   the words that only the app has, each with what may follow it where nothing here knows
    """
    app = app or {}
    lead = len(text) - len(text.lstrip())
    blank = _BLANK.search(text, lead)
    if blank is None:
        return _kept(text, lead, (_verb(one) for one in COMMANDS if one.verb and (not one.app or one.verb in app)))
    command = command_of(text)
    if command is None:
        return Completion(len(text))
    rest = text[blank.end() :]
    if command.app and command.verb not in app:
        return Completion(len(text))
    if app.get(command.verb):
        return _kept(text, blank.end(), map(Candidate, app[command.verb]))
    start, candidates = SOURCES.get(command.verb, _nothing)(context, rest)
    return _kept(text, blank.end() + start, candidates, near)


def command_of(text: str) -> Command | None:
    """The command whose word a line begins with, if there is one."""
    word = next(iter(text.split(None, 1)), "")
    verb = registry.ALIASES.get(word, word)
    return next((command for command in COMMANDS if verb and command.verb == verb), None)


def _kept(text: str, start: int, candidates: Iterable[Candidate], near: str = "") -> Completion:
    """Those that begin with what is typed and are more than it, each once; none that a terminal would obey."""
    typed = text[start:]
    found: dict[str, Candidate] = {}
    for one in islice((one for one in candidates if one.text.startswith(typed) and one.text != typed), MOST):
        if safe(one.text) == one.text:
            found.setdefault(one.text, one)
    first = [found.pop(near)] if near in found else []
    return Completion(start, (*first, *found.values()))


def _verb(command: Command) -> Candidate:
    return Candidate(command.verb + " " * bool(command.usage), command.help)


# What follows a word


def _nothing(context: Context, rest: str) -> Found:
    del context
    return len(rest), ()


def _expression(context: Context, rest: str) -> Found:
    start = naming.begun(rest)
    return start, naming.names(context.debugger.program, rest[start:], functions=True)


def _target(context: Context, rest: str) -> Found:
    start = naming.begun(rest)
    return start, naming.names(context.debugger.program, rest[start:])


def _setting(context: Context, rest: str) -> Found:
    """A target, its value now to be mended, and from when on it is to hold."""
    target, equals, value = rest.partition("=")
    if not equals:
        known = target.endswith(" ") and target.strip()
        return (len(rest), [Candidate("= ")]) if known else _target(context, rest)
    before = len(rest) - len(value)
    if not value.strip():
        return len(rest), [*naming.present(context.debugger, target.strip(), space=not value)]
    if at := re.search(r"\sat\s+(\S*)$", value):
        return before + at.start(1), naming.positions(context.debugger)
    if value.split(maxsplit=1)[0] in _DRAWN:
        return len(rest), [Candidate("seed "), Candidate("at ")] if value.endswith(" ") else ()
    if value.endswith(" "):
        return len(rest), [Candidate("at ", "from when on it holds")]
    start, candidates = _expression(context, value)
    return before + start, [*candidates, *(FILLS if not value[:start].strip() else ())]


def _copied(context: Context, rest: str) -> Found:
    """What is copied, in which format, to which file."""
    if at := re.search(r"\sto\s+(\S*)$", rest):
        return at.start(1), _files(context, rest[at.start(1) :], tuple(formats.FORMATS.values()))
    if at := re.search(r"\sas\s+(\S*)$", rest):
        return at.start(1), map(Candidate, formats.FORMATS)
    if rest.strip() and rest.endswith(" "):
        return len(rest), [Candidate("as ", "in a format"), *([Candidate("to ", "a file")] * context.files)]
    start, names = _expression(context, rest)
    others = [
        Candidate("formula", "what is shown"),
        Candidate("screen", "as a picture"),
        Candidate("session", "its text"),
    ]
    return start, [*names, *(others if not start else ())]


def _plot(context: Context, rest: str) -> Found:
    """A plot, and the cells that it is of."""
    name, space, cells = rest.partition(" ")
    if not space:
        return 0, map(Candidate, PLOTS)
    start, names = _target(context, cells)
    return len(name) + 1 + start, names if name in ("weight", "surface", "histogram") else ()


def _position(context: Context, rest: str) -> Found:
    del rest
    return 0, naming.positions(context.debugger)


def _stop(context: Context, rest: str) -> Found:
    """What `break` takes: a condition, and `once` behind a whole one."""
    last = rest.rsplit(maxsplit=1)[-1] if _WHOLE.search(rest) else "if"
    if last not in _OPENING:
        return len(rest), [Candidate("once", "it goes when it has stopped")] * (last != "once")
    return _condition(context, rest)


def _condition(context: Context, rest: str) -> Found:
    """What `break` and `when` take: `on X`, `if EXPR`, a phase, a kind of operation, an illness and its unit."""
    program = context.debugger.program
    word, blank, after = rest.partition(" ")
    if not blank:
        words = [Candidate("if ", "an expression is true"), Candidate("on ", "it was written, or changed")]
        words += [Candidate("nan", "not finite"), *naming.illnesses(program)]
        phases = dict.fromkeys(one.phase for one in program.instructions)
        ops = dict.fromkeys(one.op.partition("+")[0] for one in program.instructions)
        return 0, [*words, *(Candidate(phase, "its first operation") for phase in phases), *map(Candidate, ops)]
    if word in ("if", "on"):
        start, candidates = _expression(context, after)
        return len(word) + 1 + start, candidates
    if word in ("dead", "saturated"):
        start, candidates = _target(context, after)
        return len(word) + 1 + start, candidates
    return _expression(context, rest) if naming.begun(rest) < len(rest) else (len(rest), ())


def _change(context: Context, rest: str) -> Found:
    """What `when` takes beside conditions: an expression, which had another value."""
    start, conditions = _condition(context, rest)
    if " " in rest:
        known = rest.split(" ", 1)[0] in ("if", "on", "nan", *health.KINDS)
        return (start, conditions) if known else _expression(context, rest)
    begun, names = _expression(context, rest)
    return (start, [*conditions, *names]) if start == begun else (begun, names)


def _breakpoint(context: Context, rest: str) -> Found:
    del rest
    return 0, naming.breakpoints(context.debugger)


def _enabled(context: Context, rest: str) -> Found:
    del rest
    return 0, naming.breakpoints(context.debugger, enabled=True)


def _disabled(context: Context, rest: str) -> Found:
    del rest
    return 0, naming.breakpoints(context.debugger, enabled=False)


def _forgotten(context: Context, rest: str) -> Found:
    del rest
    debugger = context.debugger
    branches = [one for one in naming.branches(debugger) if debugger.branches.all[one.text].parent]
    return 0, [*naming.breakpoints(debugger), Candidate("all", "every breakpoint"), *branches]


def _watch(context: Context, rest: str) -> Found:
    del rest
    return 0, (Candidate(str(number), one.text) for number, one in context.debugger.watches.all.items())


def _branch(context: Context, rest: str) -> Found:
    del rest
    return 0, naming.branches(context.debugger)


def _beside(context: Context, rest: str) -> Found:
    return 0, [*naming.branches(context.debugger), *_spec(context, rest)[1]]


def _spec(context: Context, rest: str) -> Found:
    return 0, [*naming.examples(), *_files(context, rest, (".toml", ".json"))]


def _file(context: Context, rest: str) -> Found:
    return 0, _files(context, rest, (".toml", ".npz"))


def _files(context: Context, rest: str, endings: tuple[str, ...]) -> Iterable[Candidate]:
    """None where no folder may be looked at."""
    return naming.files(rest, endings) if context.files else ()


def _sweep(context: Context, rest: str) -> Found:
    start = rest.rfind(" ") + 1
    if re.search(r"(^|\s)until\s", rest) or "=" in rest[start:]:
        return _expression(context, rest)
    known = naming.names(context.debugger.program, rest[start:])
    begun = [Candidate("seed=", "other weights, order and masks"), Candidate("iterations "), Candidate("until ")]
    return start, [*(Candidate(f"{one.text}=", one.note) for one in known), *begun]


def _restart(context: Context, rest: str) -> Found:
    """Settings; an optimizer or a loss by its name."""
    del context
    start = rest.rfind(" ") + 1
    name, equals, _ = rest[start:].partition("=")
    known: dict[str, Iterable[str]] = {"optim": OPTIMIZERS, "loss": LOSSES, "batch": ("all",)}
    if equals:
        return start + len(name) + 1, map(Candidate, known.get(name, ()))
    begun = [Candidate("spec", "as the spec has it")] * (not start)
    return start, [*(Candidate(f"{one}=") for one in settings.NAMES), *begun]


def _help(context: Context, rest: str) -> Found:
    del context, rest
    return 0, (Candidate(command.verb, command.help) for command in registry.words())


def _part(context: Context, rest: str) -> Found:
    del rest
    known = [Candidate("all", "everything"), Candidate("none", "nothing")]
    return 0, [*known, *(Candidate(name) for name in parts.names(context.debugger.program))]


def _nan(context: Context, rest: str) -> Found:
    del context, rest
    return 0, [Candidate("nan")]


SOURCES: Mapping[str, Source] = {
    "goto": _position, "set": _setting, "nudge": _target, "break": _stop, "when": _change, "delete": _forgotten,
    "enable": _disabled, "disable": _enabled, "ignore": _breakpoint, "watch": _expression, "unwatch": _watch,
    "branch": _branch, "diff": _beside, "sweep": _sweep, "explain": _target, "origin": _target, "uses": _target,
    "restart": _restart, "predict": _expression, "why": _nan, "print": _expression, "until": _expression,
    "save": _file, "load": _spec, "fold": _part, "find": _target, "help": _help,
    "open": _spec, "copy": _copied, "describe": _target, "curve": _expression,
    "plot": _plot, "look": _target,
}  # fmt: skip
# The plots that are told in words.
PLOTS = ("loss", "weight", "surface", "norms", "histogram", "boundary", "fit")
# Words that only a number follows, which nobody can guess.
NUMBERS = frozenset({"next", "back", "step", "step-back", "iteration", "iteration-back", "to", "to-back", "run"})
