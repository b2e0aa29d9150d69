"""The command line. A subcommand imports what it needs, inside its function, so that `--version` costs nothing."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, NoReturn

from bptui import __version__

if TYPE_CHECKING:
    from bptui.commands.opening import Request
    from bptui.engine.network import Network
    from bptui.engine.program import Program
    from bptui.files.preferences import Preferences


# More are a burden to listen to.
_SPOKEN_DIGITS = 4


DEFAULT_MEMORY = 256
# What is loaded at the start stays: so many objects more are made before any is looked at whether it is still needed.
_SELDOM = 200_000


class _Parser(argparse.ArgumentParser):
    """A mistake is one line and exit code 2, as for any other bad input."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message} (bptui --help shows how it is used)")


class InputError(ValueError):
    """Bad input: its lines go to standard error, and the exit code is 2."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    _write_utf8()
    try:
        return _dispatch(arguments)
    except (ValueError, OSError) as error:
        return _complain(error)
    except MemoryError:
        return _complain(InputError("there is not enough memory for that"))
    except KeyboardInterrupt:
        return 130


def _write_utf8() -> None:
    """A terminal that can't show a sign gets a question mark rather than a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def _complain(error: ValueError | OSError) -> int:
    from bptui.files.text import safe

    if isinstance(error, BrokenPipeError):
        # Whoever read us has gone; there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    text = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename else str(error)
    for line in text.splitlines():
        print(f"bptui: {safe(line)}", file=sys.stderr)
    return 2


def _dispatch(arguments: list[str]) -> int:
    if arguments[:1] and arguments[0] in _SUBCOMMANDS:
        return _SUBCOMMANDS[arguments[0]](arguments[1:])
    return _open(arguments)


def _open(arguments: list[str]) -> int:
    """`bptui [SPEC | SESSION] [--session FILE] [--plain [-x FILE]]`, `bptui --resume`."""
    words = [word for word in arguments[:2] if not word.startswith("-")]
    if len(words) == 2:
        from bptui.engine.network import nearest

        raise InputError(f"{words[0]!r} is no command{nearest(words[0], _SUBCOMMANDS)}; bptui --help shows them")
    options = _opening_parser().parse_args(arguments)
    for wrong, why in (
        (options.script is not None and not options.plain, "-x FILE goes with --plain"),
        (options.resume and (options.spec or options.session), "--resume opens the last session: say nothing else"),
        (options.no_session and (options.resume or options.session), "--no-session keeps none: say nothing else"),
        (options.tour and options.plain, "--tour is for the app; in plain mode the word tour prints it"),
        (options.tour and (options.spec or options.resume), "--tour goes through the article: name nothing else"),
    ):
        if wrong:
            raise InputError(why)
    return _plain(options) if options.plain else _app(options)


def _opening_parser() -> _Parser:
    parser = _Parser(
        prog="bptui",
        description="See backpropagation happen: step a neural network forward and backward, one operation at a time.",
        epilog="also: bptui trace | run | sweep | check | examples | new | settings | serve (each with --help)",
        allow_abbrev=False,
    )
    parser.add_argument("spec", nargs="?", default="", help="an example's name, a spec file or a session (article)")
    parser.add_argument("--plain", action="store_true", help="line mode: commands from the terminal, a pipe or a file")
    parser.add_argument("--spoken", action="store_true", help="for a screen reader or braille: with --plain sentences")
    parser.add_argument("-x", dest="script", metavar="FILE", help="with --plain: carry out the commands of FILE")
    parser.add_argument("--session", metavar="FILE", default="", help="keep all that is done in FILE, or go on with it")
    parser.add_argument("--resume", action="store_true", help="open the last session, however it ended")
    parser.add_argument("--no-session", action="store_true", help="keep nothing of what is done")
    _add_digits(parser)
    help_memory = "how many MiB checkpoints may take (256)"
    parser.add_argument("--memory", type=_memory, metavar="MIB", help=help_memory)
    parser.add_argument("--tour", action="store_true", help="a minute's walk through the article; any key leaves it")
    parser.add_argument("--theme", default="", metavar="NAME", help="dark, light, contrast, contrast-light, terminal")
    parser.add_argument("--ascii", action="store_true", help="no signs but ASCII")
    # What `bptui serve` begins: its driver is no terminal's.
    parser.add_argument("--served", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--version", action="version", version=f"bptui {__version__}")
    return parser


def _request(options: argparse.Namespace, *, keep: bool) -> Request:
    from bptui.commands.opening import Manner, Request

    keep = keep and not (options.no_session or options.served)
    digits = options.digits or (_SPOKEN_DIGITS if options.spoken and options.plain else None)
    memory = (options.memory or DEFAULT_MEMORY) * 2**20
    manner = Manner(digits, memory, spoken=options.spoken, ascii=options.ascii, files=not options.served)
    return Request(options.spec, options.session, keep, options.resume, manner, remember=keep)


def _app(options: argparse.Namespace) -> int:
    gc.set_threshold(_SELDOM)
    from bptui.commands import opening

    try:
        if not options.served:
            refuse_without_terminal()
    except InputError:
        request = _request(options, keep=True)
        opening.check(request)  # the spec's mistakes are worth telling with or without a terminal
        raise
    settings = _settings(options)
    request = _request(options, keep=True)
    with _blamed(options.spec):
        session = opening.opened(request)
    from bptui.tui.app import run
    from bptui.tui.drawing.look import Look

    usual = Look()
    look = Look(
        theme=options.theme or settings.theme or usual.theme,
        colours="NO_COLOR" not in os.environ,
        ascii=options.ascii,
    )
    with _blamed(options.spec):
        return run(session, look, settings.keys, tour=options.tour)


def _settings(options: argparse.Namespace) -> Preferences:
    """A person's settings, what the command line says being stronger. Raises SpecError."""
    from bptui.tui.drawing.palette import THEMES

    found = _preferences()
    if options.theme and options.theme not in THEMES:
        raise InputError(f"--theme {options.theme}: it is one of {', '.join(THEMES)}")
    options.spoken = options.spoken or found.spoken
    options.digits = options.digits or found.digits
    options.memory = options.memory or found.memory or DEFAULT_MEMORY
    options.ascii = options.ascii or (not _unicode() if found.ascii is None else found.ascii)
    return found


def _preferences() -> Preferences:
    from bptui.commands import registry
    from bptui.files import preferences
    from bptui.tui.drawing.palette import THEMES

    return preferences.load(preferences.place(), THEMES, registry.keyed())


def _unicode() -> bool:
    """Whether the locale says that the terminal takes UTF-8; where it says nothing (C, POSIX), Python takes it so."""
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


def _plain(options: argparse.Namespace) -> int:
    from bptui import plain
    from bptui.commands import opening

    terminal = options.script is None and sys.stdin.isatty() and sys.stdout.isatty()
    if terminal:  # what a script reads is never changed by settings
        _settings(options)
    with _blamed(options.spec):
        session = opening.opened(_request(options, keep=terminal))
    if options.script is not None:
        return plain.script(session, options.script)
    return plain.talk(session) if terminal else plain.pipe(session, sys.stdin.buffer)


def refuse_without_terminal() -> None:
    """The app needs a terminal. Raises InputError, which names what works without one."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InputError("the app needs a terminal for input and output; --plain works without one")
    if os.environ.get("TERM", "") in ("dumb", ""):
        raise InputError("this terminal (TERM=dumb) can't show the app; --plain works in it")


def _trace(arguments: list[str]) -> int:
    """`bptui trace SPEC [--iterations N] [--format text|json]`."""
    from bptui import reports

    parser = _spec_parser("trace", "every instruction with its values, no screen needed")
    parser.add_argument("--iterations", type=_count, default=1, metavar="N", help="how many (1)")
    options = parser.parse_args(arguments)
    with _blamed(options.spec):
        reports.trace(_program(options.spec), options.iterations, options.format, options.digits)
    return 0


def _run(arguments: list[str]) -> int:
    """`bptui run SPEC [--until EXPR] [--iterations N] [--format text|json]`."""
    from bptui import reports

    parser = _spec_parser("run", "train, and report iteration and loss")
    parser.add_argument("--until", metavar="EXPR", help='stop when this is true, such as "loss < 1e-6"')
    parser.add_argument("--iterations", type=_count, metavar="N", help="how many updates at most (the spec's)")
    options = parser.parse_args(arguments)
    with _blamed(options.spec):
        program = _program(options.spec)
        iterations = program.network.iterations if options.iterations is None else options.iterations
        reports.run(program, iterations, options.until, options.format, options.digits)
    return 0


def _sweep(arguments: list[str]) -> int:
    """`bptui sweep SPEC --set TARGET=VALUES … [--at POSITION] [--iterations N] [--until EXPR] …`."""
    from bptui import reports

    parser = _spec_parser("sweep", _SWEEP, argparse.RawDescriptionHelpFormatter)
    parser.add_argument("more", nargs="*", metavar="TARGET=VALUES", help="the same as --set TARGET=VALUES")
    parser.add_argument(
        "--set",
        dest="sets",
        action="append",
        default=[],
        metavar="TARGET=VALUES",
        help="what differs; given several times, the forks are the product, the last varying fastest",
    )
    parser.add_argument("--at", metavar="POSITION", help="where the forks part, such as 3:12 (0:0)")
    parser.add_argument("--iterations", type=_count, metavar="N", help="updates at most, from 0:0 on (the spec's)")
    parser.add_argument("--until", metavar="EXPR", help="a fork stops when this is true of it")
    parser.add_argument("--parameters", action="store_true", help="with --format json: the weights of each fork too")
    parser.add_argument("--workers", type=_workers, metavar="N", help="share the forks among N processes")
    parser.add_argument("--dask", metavar="ADDRESS", help="share them among a Dask cluster's workers (extra: dask)")
    options = parser.parse_args(arguments)
    options.sets += options.more
    if not options.sets:
        raise InputError("what differs? --set TARGET=VALUES, such as --set lr=0.01,0.1")
    if options.workers and options.dask:
        raise InputError("--workers is for processes here, --dask for a cluster: one of both")
    reports.sweep(_program(options.spec), options)
    return 0


def _check(arguments: list[str]) -> int:
    """`bptui check SPEC [--format text|json]`; 1 where a gradient is wrong."""
    from bptui import reports

    parser = _spec_parser("check", "check every gradient against a numeric derivative; exit code 1 if one is wrong")
    options = parser.parse_args(arguments)
    with _blamed(options.spec):
        return 0 if reports.check(_program(options.spec), options.format, options.digits) else 1


def _serve(arguments: list[str]) -> int:
    """`bptui serve [SPEC] [--port N] [--clients N]`."""
    from bptui.commands import opening

    parser = _Parser(prog="bptui serve", description=_SERVE, allow_abbrev=False)
    parser.add_argument("spec", nargs="?", default=opening.DEFAULT, help="an example's name or a spec file (article)")
    parser.add_argument("--port", type=_port, default=0, metavar="N", help="where to listen (any that is free)")
    parser.add_argument("--clients", type=_clients, default=4, metavar="N", help="how many pages at once (4)")
    options = parser.parse_args(arguments)
    request = opening.Request(options.spec)
    if request.is_session:
        raise InputError(f"{options.spec}: what is served is a network, no session")
    with _blamed(options.spec):
        opening.check(request)
    try:
        from bptui.web import server
    except ModuleNotFoundError as missing:
        raise InputError("serve needs the extra web: pip install 'bptui[web]'") from missing
    return server.serve([options.spec], options.port, options.clients, lambda line: print(line, flush=True))


def _examples(arguments: list[str]) -> int:
    """`bptui examples`."""
    from bptui.files.examples import examples

    _Parser(prog="bptui examples", description="the built-in networks, a line each").parse_args(arguments)
    found = examples()
    wide = max(len(name) for name, _ in found) + 1
    for name, title in found:
        print(f"{name:<{wide}} {title}")
    return 0


def _new(arguments: list[str]) -> int:
    """`bptui new FILE`."""
    from pathlib import Path

    from bptui.files import writing

    parser = _Parser(prog="bptui new", description="write a commented spec to start from")
    parser.add_argument("file")
    options = parser.parse_args(arguments)
    writing.new(Path(options.file))
    print(f"wrote {options.file}: open it with bptui {options.file}")
    return 0


def _show_settings(arguments: list[str]) -> int:
    """`bptui settings [--write | --keys]`; the keys are those in force with the person's own file."""
    from bptui.commands import registry
    from bptui.files import preferences
    from bptui.files.text import safe

    parser = _Parser(prog="bptui settings", description="where your settings are kept, and what can be set")
    parser.add_argument("--write", action="store_true", help="write a commented file to start from")
    parser.add_argument(
        "--keys", action="store_true", help="the names of the commands, and the keys that they have now"
    )
    options = parser.parse_args(arguments)
    if options.write:
        preferences.new(preferences.place())
    if options.keys:
        for name, keys in registry.keyed(registry.with_keys(_preferences().keys)).items():
            print(f"{name:<16} {', '.join(keys)}".rstrip())
    else:
        print(safe(str(preferences.place())))
    return 0


_SUBCOMMANDS: dict[str, Callable[[list[str]], int]] = {
    "trace": _trace,
    "run": _run,
    "sweep": _sweep,
    "check": _check,
    "examples": _examples,
    "new": _new,
    "serve": _serve,
    "settings": _show_settings,
}


_SERVE = "the app in a browser on this machine, without files: for who knows the address that it prints (extra: web)"
_SWEEP = """a what-if question for many variants at once: each ends as `run` would, to the same bits

TARGET is anything that `set` takes (lr, w5, W1[0,1], W1, a label), or seed: other weights, order and masks, the same
data. VALUES are expressions with commas between; 0..63 is a range, log:1e-4..1e-1:7 seven numbers, each the same
multiple of the one before."""


def _spec_parser(
    name: str, description: str, formatter: type[argparse.HelpFormatter] = argparse.HelpFormatter
) -> _Parser:
    parser = _Parser(prog=f"bptui {name}", description=description, formatter_class=formatter, allow_abbrev=False)
    parser.add_argument("spec", help="an example's name or a spec file")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    _add_digits(parser)
    return parser


def _add_digits(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--digits", type=_digits, metavar="N", help="how many significant digits are shown (all)")


def _digits(text: str) -> int:
    return _number(text, 1, 17)


def _memory(text: str) -> int:
    return _number(text, 1, 1 << 20)


def _workers(text: str) -> int:
    return _number(text, 1, 1024)


def _port(text: str) -> int:
    return _number(text, 0, 65535)


def _clients(text: str) -> int:
    return _number(text, 1, 1000)


def _count(text: str) -> int:
    return _number(text, 0, 10**9)


def _number(text: str, least: int, most: int) -> int:
    if not text.isdecimal() or len(text) > 12 or not least <= int(text) <= most:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a whole number from {least} to {most}")
    return int(text)


def _load(spec: str) -> Network:
    from bptui.files import specs

    return specs.load(spec)


def _program(spec: str) -> Program:
    from bptui.engine.build import build

    return build(_load(spec))


def _blamed(spec: str) -> AbstractContextManager[None]:
    from bptui.files.report import blamed

    return blamed(spec)
