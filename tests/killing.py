"""Processes killed in the middle of things, and what is found afterwards.

A script's commands are carried out here first, one by one: what each answers, and what the debugger remembers and holds
after it. Then real processes carry them out, fed by a pipe or by keys in a terminal; they are killed, and their
sessions opened again. What was answered must be there, and what is there must be what those commands lead to, to the
bit. What is left then goes on with the rest of the script, and is killed once more.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import pexpect
import pyte

from bptui.commands import opening
from bptui.commands.session import Session
from bptui.engine.fingerprint import digest
from bptui.files import sessions, specs
from bptui.files.text import safe

NETWORKS = ("article", "mazur", "xor", "moons", "iris")
MOVES = (
    "next", "next 3", "back", "step", "step 2", "step-back", "finish", "start", "iteration", "iteration-back 2", "run 7",
)  # fmt: skip
Mark = tuple[str, str]
_CHANGE = re.compile(rb"^(watch \d+: .*)  \(.*\)$", re.MULTILINE)


@dataclass
class Script:
    """Commands with what comes of them: `answers[k]` is what number k prints, `marks[k]` is all there is after k."""

    network: str
    commands: list[str] = field(default_factory=list)
    answers: list[bytes] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)

    def answered(self, first: int, text: bytes) -> int:
        """How many commands from `first` on are answered whole by what was printed, as far as it is what they print."""
        count = place = 0
        for answer in self.answers[first:]:
            if not text.startswith(answer, place):
                break
            count, place = count + 1, place + len(answer)
        return count

    def strange(self, first: int, text: bytes) -> str:
        """What was printed and is no answer, nor the beginning of one; or ""."""
        done = first + self.answered(first, text)
        rest = text[sum(map(len, self.answers[first:done])) :]
        awaited = self.answers[done] if done < len(self.answers) else b""
        return "" if awaited.startswith(rest) else f"it answered {rest[:200]!r}, not {awaited[:200]!r}"


@dataclass(frozen=True)
class Kill:
    """What one kill came to: how many commands were answered before it, how many found after it, and what is wrong."""

    answered: int
    found: int
    wrong: str = ""


def mark(session: Session) -> Mark:
    """All that a debugger remembers, and every bit that it holds."""
    debugger = session.debugger
    return renumbered(debugger.memento()), digest(debugger.look(debugger.position))


def whole(printed: bytes) -> bytes:
    """Lines that were printed to their end, without what a watch shows of the stop before: no process knows another's."""
    return _CHANGE.sub(rb"\1", printed[: printed.rfind(b"\n") + 1])


def renumbered(memento: dict[str, object]) -> str:
    """A memento with its edits numbered from 1: in one process they go on from those of other sessions."""
    numbers = sorted(int(key.partition("/")[2]) for key in memento if key.startswith("edit/"))
    new = {number: k for k, number in enumerate(numbers, 1)}

    def listed(match: re.Match[str]) -> str:
        runs = [list(map(int, run.split("-"))) for run in match[2].split()]
        serials = [serial for run in runs for serial in range(run[0], run[-1] + 1)]
        return f"{match[1]}{[new[serial] for serial in serials]}"

    lines = []
    for item in memento.items():
        text = re.sub(r"('edits': )'([\d\- ]*)'", listed, repr(item))
        lines.append(re.sub(r"('edit/|'edit': )(\d+)", lambda match: f"{match[1]}{new[int(match[2])]}", text))
    return "\n".join(sorted(lines))


def script(random: random.Random, length: int) -> Script:
    """A random walk with edits, breakpoints, watches, branches and other specs; every command answers something."""
    made = Script(random.choice(NETWORKS))
    session = Session(specs.load(made.network))
    made.marks.append(mark(session))
    while len(made.commands) < length:
        command = _command(random, session)
        with contextlib.suppress(ValueError):
            answer = session.execute(command)
            if answer.lines:
                made.commands.append(command)
                printed = "".join(f"{safe(line)}\n" for line in (*answer.lines, *answer.watched))
                made.answers.append(whole(printed.encode()))
                made.marks.append(mark(session))
    return made


def _command(random: random.Random, session: Session) -> str:
    program = session.debugger.program
    slot = random.choice([*program.parameters, "x", "lr", *(i.writes for i in program.instructions)])
    shape = program.slots[slot].shape
    cell = f"{slot}{[random.randrange(n) for n in shape]}" if shape else slot
    place = f"{random.randrange(4)}:{random.randrange(len(program))}"
    value = repr(random.uniform(-1, 1))
    return random.choice([
        *MOVES, f"goto {place}", f"set {cell} = {value}", f"set {cell} = {value} at 0:0", f"set {slot} = {value}",
        f"nudge {cell}", "undo", "redo", "print loss", "info", f"break on {slot}", "breakpoints", "watch loss * 2",
        f"branch b{random.randrange(4)}", "branches", f"find {random.randrange(9)}",
        f"load {random.choice(NETWORKS)}" if random.random() < 0.2 else "next",
    ])  # fmt: skip


# Plain mode, fed by a pipe


def kill_plain(seed: int, folder: Path, length: int = 40) -> list[Kill]:
    """Carry a script out in plain mode; kill the process, look, and let another go on from there and be killed too."""
    chance = random.Random(seed)
    made, path = script(chance, length), folder / str(seed) / f"{seed}.session"
    path.parent.mkdir()
    first = _killed(made, path, 0, 0, chance)
    if first.wrong or not path.exists():
        return [first]
    before = sessions.look(path).commands
    return [first, _killed(made, path, first.found, before + 1, chance)]


def _killed(made: Script, path: Path, first: int, before: int, chance: random.Random) -> Kill:
    """Carry out what comes after `first` commands, the session holding `before` lines when it is open; kill, look."""
    given = [str(path)] if first or path.exists() else [made.network, "--session", str(path)]
    command = [sys.executable, "-m", "bptui", *given, "--plain"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            text = _driven(process, made, first, path, chance)
        finally:
            process.kill()
        text += process.stdout.read()
    text = whole(text)
    kill = judged(made, path, first, before, made.answered(first, text))
    return replace(kill, wrong=kill.wrong or made.strange(first, text))


def _driven(process: subprocess.Popen[bytes], made: Script, first: int, path: Path, chance: random.Random) -> bytes:
    """Feed the commands, and kill while it starts, at an answer, shortly after one, or while it ends; what it said.

    `begin` and `end` wait for a file that is written beside the session before it takes its place.
    """
    way = chance.choice(("start", "begin", "answer", "answer", "later", "later", "later", "end", "end"))
    left = len(made.commands) - first
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write("".join(f"{line}\n" for line in made.commands[first:]).encode())
        process.stdin.flush()
        if way == "end":
            process.stdin.close()
    if way in ("start", "begin"):
        if way == "begin" and not path.exists():
            _await_aside(process, path)
            _pause(chance.expovariate(2000))
        else:
            _pause(chance.uniform(0.1, 0.6))
        process.kill()
        return b""
    wanted = left if way == "end" else chance.randint(min(1, left), left)
    text = b""
    while (
        made.answered(first, whole(text)) < wanted and not made.strange(first, whole(text)) and (part := _said(process))
    ):
        text += part
    if way == "end" and chance.random() < 0.5:
        _await_aside(process, path)
        _pause(chance.expovariate(2000))
    elif way != "answer":
        _pause(chance.expovariate(300))
    process.kill()
    return text


def _await_aside(process: subprocess.Popen[bytes], path: Path) -> None:
    """Until a file is written beside the session, or that was missed: a new session is there, or the process ended."""
    there = path.exists()
    while process.poll() is None and path.exists() == there:
        if any(other.suffix == ".new" for other in path.parent.iterdir()):
            break


def _pause(seconds: float) -> None:
    select.select([], [], [], seconds)


def _said(process: subprocess.Popen[bytes]) -> bytes:
    assert select.select([process.stdout], [], [], 60)[0], "nothing was said for a minute"
    return os.read(process.stdout.fileno(), 65536)


def judged(made: Script, path: Path, first: int, before: int, answered: int) -> Kill:
    """Open what was left: nothing that was answered may be missing, and what is there must be right to the bit."""
    if not path.exists():
        return Kill(answered, 0, "acknowledged, and there is no session" if answered else "")
    try:
        # A process that was killed before it had the file open has written nothing.
        done = max(0, sessions.look(path).commands - before)
        session = opening.reopen(path)
    except Exception as error:  # noqa: BLE001  # whatever it is, it is a session that can't be read
        return Kill(answered, 0, f"can't be opened: {error!r}")
    found, wrong = first + done, ""
    if done < answered:
        wrong = f"{answered - done} acknowledged commands are lost"
    elif found > len(made.commands):
        wrong = f"{found} commands of {len(made.commands)}"
    elif mark(session) != made.marks[found]:
        wrong = f"after {found} commands it is not where they lead"
    elif any("NOT" in note for note in session.notes):
        wrong = " ".join(session.notes)
    session.close()
    return Kill(answered, found, f"{path.name}: {wrong}" if wrong else "")


# The app, in a terminal

_KEYS = {"n": "next", "i": "iteration", "+": "nudge"}
_WHERE = re.compile(r"iteration (\d+) +op (\d+) of")


def kill_app(seed: int, folder: Path, length: int = 30) -> list[Kill]:
    """Press keys that go on, or nudge, and kill the app at some moment: what the screen showed must have been kept."""
    chance = random.Random(seed)
    path = folder / f"app-{seed}.session"
    keys = chance.choices(list(_KEYS), (4, 1, 1), k=length)
    made, shown = _pressed(chance.choice(("article", "mazur")), keys)
    terminal = pexpect.spawn(
        sys.executable, ["-m", "bptui", made.network, "--session", str(path)], dimensions=(24, 80), timeout=60,
        env={**os.environ, "TERM": "xterm-256color"},
    )  # fmt: skip
    screen = pyte.Screen(80, 24)
    stream = pyte.ByteStream(screen)
    wanted = chance.randrange(length)
    try:
        _read_until(terminal, screen, stream, shown[0])
        terminal.send("".join(keys))
        _read_until(terminal, screen, stream, shown[wanted])
        _pause(chance.expovariate(100))
    finally:
        os.kill(terminal.pid, signal.SIGKILL)
        terminal.close(force=True)
    return [judged(made, path, 0, 0, shown.index(_place(screen)))]


def _pressed(network: str, keys: list[str]) -> tuple[Script, list[tuple[int, int]]]:
    """The script that the keys are, and what place the screen shows after so many of them."""
    session = Session(specs.load(network))
    made = Script(network, marks=[mark(session)])
    shown = [(0, 0)]
    last = [name for name in session.debugger.program.parameters if name.startswith("W")][-1]
    for key in keys:
        command = _KEYS[key] + (f" {last}[0,0]" if key == "+" else "")
        session.execute(command)
        made.commands.append(command)
        made.marks.append(mark(session))
        shown.append((session.debugger.position.iteration, session.debugger.position.op))
    return made, shown


def _read_until(terminal: pexpect.spawn, screen: pyte.Screen, stream: pyte.ByteStream, place: tuple[int, int]) -> None:
    deadline = time.monotonic() + 60
    while (here := _place(screen)) is None or here < place:
        assert time.monotonic() < deadline, "\n".join(screen.display)
        with contextlib.suppress(pexpect.TIMEOUT):
            stream.feed(terminal.read_nonblocking(65536, timeout=0.05))


def _place(screen: pyte.Screen) -> tuple[int, int] | None:
    found = _WHERE.search(screen.display[0])
    return (int(found[1]), int(found[2])) if found else None
