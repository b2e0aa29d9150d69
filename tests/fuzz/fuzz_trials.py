"""Trying a case: in this process under a watch, or as a whole run of its own, and what is wrong with how it went."""

from __future__ import annotations

import contextlib
import io
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fuzz_cases import Case
from watching import Seen, watched

from bptui import cli
from bptui.files.report import MAX_MISTAKES
from bptui.files.text import safe

SECONDS, MEGABYTES = 1.0, 200.0
# What ends a trial that has lost all bounds, so that it does not take the machine with it.
_LAST_SECONDS, _LAST_MEGABYTES = 10.0, 4000
# What code hidden in a case would make.
_CANARY = "hostile"
# How a line begins that tells of the spec inside a session.
_OF_ITS_SPEC = ("bptui: article:", "bptui: moons:", "bptui: xor:")


@dataclass(frozen=True)
class Trial:
    """How it went.

    code       the exit code; 0 where it was read
    out, err   what was printed
    seconds    processor time; wall  by the clock, of a whole run
    megabytes  that memory grew by; of a whole run all that it took
    faults     what should not have been
    """

    case: Case
    code: int | None
    out: str
    err: str
    seconds: float
    megabytes: float
    faults: list[str] = field(default_factory=list)
    wall: float = 0.0

    def __str__(self) -> str:
        return f"{self.case.name}: {'; '.join(self.faults)}\n    exit {self.code}, {self.err[:300]!r}"


class RanAwayError(BaseException):
    """A trial that had to be ended: no ValueError, so that nothing takes it for an answer."""


def in_process(case: Case, folder: Path) -> Trial:
    """Open it as the command line does, here, in an empty working directory."""
    case.put(folder)
    (folder / ".commands").write_bytes(b"info\n")
    before = Path.cwd()
    os.chdir(folder)
    faults: list[str] = []
    code: int | None = None
    out, err = _stream(), _stream()
    seen = Seen()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), _ended_at_last(), watched() as seen:
            code = cli.main(WAYS["a script"](case.opened) if case.session else traced(case.opened))
    except (Exception, SystemExit, RanAwayError) as error:  # noqa: BLE001 - whatever it is, it is told
        faults.append(f"raised {type(error).__name__}: {str(error)[:200]}")
    finally:
        os.chdir(before)
    faults += [f"did {deed}" for deed in seen.deeds if not (case.session and _is_keeping(deed, folder))]
    trial = Trial(case, code, _text(out), _text(err), seen.seconds, seen.megabytes, faults)
    judge(trial, folder)
    return trial


def _is_keeping(deed: str, folder: Path) -> bool:
    """Whether it is what a session does to be kept: write to files of its own folder."""
    return deed.startswith(("open ", "os.")) and (str(folder) in deed or "/" not in deed) and "os.system" not in deed


def traced(opened: str) -> list[str]:
    """All of reading and building, and nothing of training."""
    return ["trace", opened, "--iterations", "0", "--format", "json"]


# Lines that any network answers.
COMMANDS = b"info\nlist\nnext 3\nprint lr\nback\nstep\niteration 2\nformulas\n"
# The ways in which a file can be opened without a terminal.
WAYS: Mapping[str, Callable[[str], list[str]]] = {
    "a script": lambda opened: [opened, "--plain", "-x", ".commands"],
    "a pipe": lambda opened: [opened, "--plain"],
    "trace": lambda opened: ["trace", opened],
    "run": lambda opened: ["run", opened, "--iterations", "2"],
    "check": lambda opened: ["check", opened, "--format", "json"],
}


def whole(case: Case, folder: Path, way: str) -> Trial:
    """Open it in a process of its own, as a shell would."""
    case.put(folder)
    (folder / ".commands").write_bytes(COMMANDS)
    arguments, stdin = WAYS[way](case.opened), COMMANDS if way == "a pipe" else b""
    report = folder / ".report"
    launch = [sys.executable, "-S", "-E", str(Path(__file__).with_name("launch.py")), str(report)]
    paths = [str(Path(cli.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    settings = {**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    command = [*launch, sys.executable, "-m", "bptui", *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, cwd=folder, env=settings, check=True, timeout=100)
    code, seconds, megabytes, wall = map(float, report.read_text().split())
    out, err = (stream.decode("utf-8", "replace") for stream in (done.stdout, done.stderr))
    trial = Trial(case, int(code), out, err, seconds, megabytes, [], wall)
    judge(trial, folder, right=(0, 1) if way == "check" else (0,))
    return trial


def judge(trial: Trial, folder: Path, right: tuple[int, ...] = (0,)) -> None:
    """Note what should not have been; `right` are the exit codes of what is read."""
    faults = trial.faults
    if trial.code == 2 or trial.code is None:
        _judge_refusal(trial)
    elif trial.code in right:
        if not trial.case.good:
            faults.append("was read, though malformed")
        if trial.err and not (trial.case.session and all(line.startswith("note: ") for line in trial.err.splitlines())):
            faults.append("was read, and still complained")
    else:
        faults.append(f"exit code {trial.code}")
    # A large network that is right may take what it needs, within what no trial may.
    if trial.code not in right and trial.seconds > SECONDS:
        faults.append(f"took {trial.seconds:.2f} s")
    if trial.code not in right and trial.megabytes > MEGABYTES:
        faults.append(f"took {trial.megabytes:.0f} MB")
    if "Traceback" in trial.err:
        faults.append("a traceback")
    if (folder / _CANARY).exists():
        faults.append("something in it was run")


def _judge_refusal(trial: Trial) -> None:
    """Lines that name the file, no more than a screenful of screenfuls, and nothing that a terminal would obey."""
    lines = trial.err.removesuffix("\n").split("\n")
    shown = safe(trial.case.opened) or "''"
    if trial.out:
        trial.faults.append("printed something besides the mistakes")
    if not 1 <= len(lines) <= MAX_MISTAKES + 1:
        trial.faults.append(f"{len(lines)} lines")
    for line in lines:
        if not line.startswith(f"bptui: {shown}:") and not (trial.case.session and line.startswith(_OF_ITS_SPEC)):
            trial.faults.append(f"a line without the file's name: {line[:120]!r}")
        elif safe(line) != line:
            trial.faults.append(f"a line that a terminal would obey: {line[:120]!r}")
        elif len(line) > len(shown) + 400:
            trial.faults.append(f"a line of {len(line)} characters")


def _stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), "utf-8", newline="\n", write_through=True)


def _text(stream: io.TextIOWrapper) -> str:
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode("utf-8", "replace")


@contextlib.contextmanager
def _ended_at_last() -> Iterator[None]:
    """Bounds far beyond what is allowed: memory that can't be had, and an alarm by processor time."""

    def ring(*_: object) -> None:
        raise RanAwayError(f"more than {_LAST_SECONDS} s")

    old, limits = signal.signal(signal.SIGVTALRM, ring), resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + _LAST_MEGABYTES * 2**20, limits[1]))
    signal.setitimer(signal.ITIMER_VIRTUAL, _LAST_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, old)
        resource.setrlimit(resource.RLIMIT_AS, limits)


def warm(cases: list[Case], folder: Path) -> None:
    """Open cases without judging: what is imported late is imported then, and no case is blamed for it."""
    for number, case in enumerate(cases):
        (folder / str(number)).mkdir()
        in_process(case, folder / str(number))
