"""A monkey at a terminal: keys, pastes, the mouse, stray bytes, resizes and commands at random, the same for a seed.

It knows what is legal: ctrl+c may end the app with 130, ctrl+q and a quit with 0, nothing else may end it. Now and then
it takes the app's pulse: the window gets a height that it never has otherwise, and the last line has to be drawn.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import select
import signal
import sys
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pexpect
from hostile import GROUPS

from bptui.commands.registry import COMMANDS
from bptui.files import example_names

# Heights for the pulse alone, in turn.
PULSES = (71, 73)
PULSE_EVERY = 40
# A pulse waits for whatever was asked before it: on a busy machine a gradient check of a large network takes a while.
PULSE_SECONDS = 90.0
QUIT_SECONDS = 2.0
# What comes within Textual's ESCAPE_DELAY of an escape makes a sequence of it.
ESCAPE_SECONDS = 0.3


def patience() -> float:
    """How many times as long everything takes where others are at work on the machine too."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


# Keys that end it are for the end; ctrl+z would leave it to a shell that is not there.
_NOT_PRESSED = ("q",)
_CONTROL = [bytes([code]) for code in range(1, 32) if code not in (0x03, 0x11, 0x1A, 0x1B)]
_NAMED = {"space": b" ", "tab": b"\t", "plus": b"+", "minus": b"-", "slash": b"/", "f1": b"\x1bOP", "f5": b"\x1b[15~", "f9": b"\x1b[20~", "f10": b"\x1b[21~", "f11": b"\x1b[23~"}  # fmt: skip
_MOVES = [b"\x1b[A", b"\x1b[B", b"\x1b[C", b"\x1b[D", b"\x1b[H", b"\x1b[F", b"\x1b[5~", b"\x1b[6~", b"\x1b[2~", b"\x1b[3~", b"h", b"j", b"k", b"l", b"\r", b"\x1b", b"\t", b"\x1b[Z", b"\x7f"]  # fmt: skip
_TEXTS = [text for name, group in GROUPS.items() if name != "long" for text in group.values()]


def key(name: str) -> bytes:
    """What a terminal sends for a key of the registry."""
    if name in _NAMED:
        return _NAMED[name]
    if len(name) == 1:
        return name.encode()
    if name.startswith("ctrl+"):
        return bytes([ord(name[-1]) & 0x1F])
    return unicodedata.lookup({"equals sign": "EQUALS SIGN"}.get(name, name.replace("_", " ").upper())).encode()


_KEYS = [key(name) for command in COMMANDS for name in command.keys if name not in _NOT_PRESSED]


@dataclass
class Figures:
    """What came of it."""

    events: int = 0
    starts: int = 0
    interrupted: int = 0
    received: int = 0
    megabytes: float = 0.0
    longest_pulse: float = 0.0
    quits: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.events} events, {self.starts} starts, {self.interrupted} legal ends on the way, "
            f"{self.received / 1e6:.0f} MB drawn, longest pulse {self.longest_pulse:.2f} s, "
            f"at most {self.megabytes:.0f} MB, quit in {max(self.quits, default=0):.2f} s at most"
        )


class MonkeyError(AssertionError):
    """The app did what it may not; the last that it drew and the last that it was sent are told."""


class Monkey:
    """One run: an app in a pty, and what is done to it."""

    def __init__(self, seed: int, folder: Path, examples: tuple[str, ...] = ()) -> None:
        self.random = Random(seed)
        self.folder = folder
        self.examples = examples or example_names()
        self.figures = Figures()
        self._sent: list[bytes] = []
        self._drawn = b""
        self._pulse = 0
        self._size = (80, 24)
        self._start()

    # The app

    def _start(self) -> None:
        example = self.examples[self.figures.starts % len(self.examples)]
        settings = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLORTERM", "COLUMNS", "LINES")}
        settings |= {
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "PYTHONIOENCODING": "utf-8",
            # Not where it is started: `python -m bptui` would take a folder called bptui for the package.
            "XDG_STATE_HOME": str(self.folder / "state"),
        }
        columns, rows = self._size = (self.random.choice((80, 120, 200)), self.random.choice((24, 40)))
        arguments = ["-X", "faulthandler", "-m", "bptui", example]
        self.child = pexpect.spawn(sys.executable, arguments, dimensions=(rows, columns), env=settings, cwd=self.folder)
        os.set_blocking(self.child.child_fd, False)
        self.figures.starts += 1
        self._sent, self._drawn = [example.encode()], b""
        self._wait_for(b"\x1b[?1049h")
        self.feel()

    def close(self) -> None:
        """Whatever is left of it."""
        self.child.close(force=True)

    def _fail(self, what: str) -> None:
        tail = self._drawn[-3000:].decode("utf-8", "replace")
        tail = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", tail)
        raise MonkeyError(f"{what}\nlast sent: {self._sent[-30:]}\nlast drawn: {tail}")

    def _place(self) -> str:
        """Where it hangs: what faulthandler tells when it is aborted."""
        os.kill(self.child.pid, signal.SIGABRT)
        deadline = time.monotonic() + QUIT_SECONDS
        while self.read(0.2) and time.monotonic() < deadline:
            pass
        told = self._drawn.decode("utf-8", "replace").partition("most recent call first")[2]
        return re.sub(r"\s+", " ", told)[:3000]

    # Bytes

    def send(self, data: bytes) -> None:
        """Hand bytes over, taking in what is drawn meanwhile: neither side may wait for the other."""
        self._sent.append(data)
        deadline = time.monotonic() + PULSE_SECONDS * patience()
        while data:
            self.read(0.0)
            try:
                data = data[os.write(self.child.child_fd, data) :]
            except BlockingIOError:
                self.read(0.05)
            except OSError:
                return  # it has ended: whoever looks next will see
            if time.monotonic() > deadline:
                self._fail("it takes no more input")

    def read(self, seconds: float) -> bool:
        """Take in what has come; False at the end."""
        ready, _, _ = select.select([self.child.child_fd], [], [], seconds)
        if not ready:
            return True
        try:
            part = os.read(self.child.child_fd, 65536)
        except OSError as error:
            if error.errno == errno.EIO:
                return False
            raise
        self.figures.received += len(part)
        self._drawn = (self._drawn + part)[-200_000:]
        return bool(part)

    def _wait_for(self, mark: bytes) -> bool:
        """Until it has drawn that; False if it ended before."""
        deadline = time.monotonic() + PULSE_SECONDS * patience()
        while mark not in self._drawn:
            if not self.read(0.1):
                return False
            if time.monotonic() > deadline:
                self._fail(f"nothing of {mark!r} within {PULSE_SECONDS} s; it was at {self._place()}")
        return True

    # Watching over it

    def feel(self) -> None:
        """Its pulse; where it has ended, whether it was allowed to, and then a new start."""
        self._pulse += 1
        rows = PULSES[self._pulse % 2]
        begun = time.monotonic()
        self._drawn = b""
        self.resize(100, rows)
        alive = self._wait_for(b"\x1b[%d;1H" % rows)
        self.figures.longest_pulse = max(self.figures.longest_pulse, time.monotonic() - begun)
        if b"Traceback" in self._drawn:
            self._fail("a traceback")
        if not alive:
            self._ended()
            self._start()

    def _ended(self) -> None:
        code, sent = self._code(), b"".join(self._sent[1:])
        self.figures.interrupted += 1
        if not (code == 130 and b"\x03" in sent) and not (code == 0 and (b"\x11" in sent or b"q" in sent)):
            self._fail(f"it ended with {code}")

    def _code(self) -> int | None:
        with contextlib.suppress(pexpect.ExceptionPexpect):
            self.child.wait()
        return self.child.exitstatus if self.child.signalstatus is None else -self.child.signalstatus

    def _rest(self) -> None:
        """For longer than an escape is waited for to become something else."""
        deadline = time.monotonic() + ESCAPE_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            self.read(left)

    def _catch_up(self) -> None:
        """Until it has done all that it was sent: a terminal holds hundreds of keys, some of which take their time.

        A pulse comes by another way, and can be felt before those are read. So a line is asked for that nothing else
        draws, and again, since an escape that waits in the terminal makes another key of what follows it.
        """
        begun, asked, answered = time.monotonic(), 0, False
        while not answered:
            if time.monotonic() - begun > PULSE_SECONDS * patience():
                self._fail("it does not come to the end of what it was sent")
            asked += 1
            self.send(b"\x1b")
            self._rest()
            self.send(b":zz%d\r" % asked)
            deadline = time.monotonic() + QUIT_SECONDS
            while not (answered := b"'zz%d'" % asked in self._drawn) and time.monotonic() < deadline:
                if not self.read(0.1):
                    self._ended()  # by what it had been sent before
                    self._start()
                    return
        # A line that was refused stays open, to be mended.
        self.send(b"\x1b")
        self._rest()

    def resize(self, columns: int, rows: int) -> None:
        self._size = (columns, rows)
        with contextlib.suppress(OSError):
            self.child.setwinsize(rows, columns)

    def quit(self) -> None:
        """Escape from whatever is open; then q, and it has to be gone soon, with 0."""
        self.feel()
        self._catch_up()
        self.feel()
        begun = time.monotonic()
        self.send(b"q")
        while self.read(0.05):
            if time.monotonic() - begun > PULSE_SECONDS * patience():
                self._fail(f"it does not quit; it was at {self._place()}")
        took = time.monotonic() - begun
        self.figures.quits.append(took)
        if (code := self._code()) != 0:
            self._fail(f"it quit with {code}")
        if b"Traceback" in self._drawn:
            self._fail("a traceback at the end")
        if took > QUIT_SECONDS * patience():
            self._fail(f"it took {took:.2f} s to quit")

    # What it does

    def play(self, events: int) -> Figures:
        """So many events, and then the end."""
        for number in range(1, events + 1):
            self._note_size()
            deed = self.random.choices(tuple(_DEEDS), tuple(_DEEDS.values()))[0]
            deed(self)
            self.figures.events += 1
            if number % PULSE_EVERY == 0:
                self.feel()
        self.quit()
        return self.figures

    def _note_size(self) -> None:
        """The most memory that it ever had; Linux alone tells."""
        if self.figures.events % 100 == 0:
            with contextlib.suppress(OSError):
                status = Path(f"/proc/{self.child.pid}/status").read_text()
                if found := re.search(r"VmHWM:\s+(\d+)", status):
                    self.figures.megabytes = max(self.figures.megabytes, int(found[1]) / 1024)

    def press(self) -> None:
        self.send(self.random.choice(_KEYS))

    def press_many(self) -> None:
        """Over a slow line many keys come at once."""
        self.send(b"".join(self.random.choices(_KEYS + _MOVES, k=self.random.randint(2, 12))))

    def move(self) -> None:
        self.send(self.random.choice(_MOVES))

    def control(self) -> None:
        odd = [b"\x1b" + self.random.choice(b"abcdefghijklmnoprstuvwxyz").to_bytes(), b"\x1b[%d;%du" % (self.random.randint(1, 60_000), self.random.randint(1, 16)), b"\x1b[1;%dA" % self.random.randint(2, 16), b"\x1b[%d~" % self.random.randint(0, 60), b"\x1bO" + self.random.choice(b"PQRSHFM").to_bytes(), b"\x1b[I", b"\x1b[O"]  # fmt: skip
        self.send(self.random.choice([*_CONTROL, *odd]))

    def interrupt(self) -> None:
        self.send(b"\x03" if self.random.random() < 0.9 else b"\x11")

    def mouse(self) -> None:
        """Presses, releases, drags and wheels, inside the window and beyond."""
        for _ in range(self.random.randint(1, 4)):
            button = self.random.choice((0, 0, 0, 1, 2, 3, 32, 34, 35, 64, 65, 66, 67, 4, 8, 16, 128, 255))
            x, y = self.random.randint(0, self._size[0] + 3), self.random.randint(0, self._size[1] + 3)
            self.send(b"\x1b[<%d;%d;%d%c" % (button, x, y, self.random.choice(b"Mm")))

    def paste(self) -> None:
        text = self.random.choice([*_TEXTS, "goto 0:3", "print loss", "0.5", "x" * 5000, "", "\n", "[/]"])
        self.send(b"\x1b[200~" + text.replace("\x1b[201~", "").encode("utf-8", "replace") + b"\x1b[201~")

    def stray(self) -> None:
        """Bytes that are no UTF-8, and characters of every kind."""
        data = self.random.randbytes(self.random.randint(1, 12)).translate(
            bytes.maketrans(b"\x03\x11\x1a\x1bq", b"abcde")
        )
        self.send(
            self.random.choice(
                (data, "漢字é\u0301😀\u202e\u2028".encode(), b"\xff\xfe", b"\xc3\x28", b"\xed\xa0\x80", b"\xf0\x9f")
            )
        )

    def shape(self) -> None:
        sizes = (
            (1, 1),
            (2, 2),
            (3, 2),
            (300, 200),
            (300, 1),
            (1, 200),
            (40, 14),
            (39, 14),
            (80, 24),
            (99, 29),
            (160, 38),
        )
        width, height = self.random.choice((*sizes, *[(self.random.randint(1, 300), self.random.randint(1, 70))] * 10))
        self.resize(width, height)

    def command(self) -> None:
        """A line after `:`, each word of the registry with something behind it."""
        verbs = [command.verb for command in COMMANDS if command.verb and not command.app and command.verb != "quit"]
        line = (
            f"{self.random.choice(verbs)} {self._argument()}".replace("q", "Q")
            if self.random.random() < 0.9
            else self._argument()
        )
        line = line.replace("\x1b", "").replace("\r", " ").replace("\n", " ").replace("\x03", "").replace("\x11", "")
        self.send(b":" + "".join(c for c in line if c.isprintable()).encode("utf-8", "replace") + b"\r")

    def _argument(self) -> str:
        number = self.random.randint(0, 12)
        slot = self.random.choice(
            (
                "W1",
                "W1[0,0]",
                "b1[0]",
                "lr",
                "loss",
                "x",
                "x[0,0]",
                "z1",
                "a1",
                "z1.grad",
                "W1.grad",
                "w5",
                "h1",
                "y",
                "nothing",
                "W_h1",
                "prediction",
            )
        )
        return self.random.choice([
            "", str(number), f"{number}:{self.random.randint(0, 20)}", f"{number}:{number}.{number}", slot, f"{slot} = {self.random.uniform(-2, 2):.3g}", f"{slot} = {slot} * 1e{number * 30}",
            f"{slot} = 0.5 at {number}:{number}", f"{slot} {self.random.uniform(-1, 1):.2g}", f"{slot} > 0", f"abs({slot}).max()", f"{slot} @ {slot}", "loss < 1e9", "0.5", "1e-3", "=", "[[1, 2], [3, 4]]",
            f"saved{number}.toml", f"saved{number}.npz", self.random.choice(self.examples), self.random.choice(("next", "set", "zz")),
            self.random.choice(_TEXTS).replace("/", "").replace(".", ""), "x" * 3000, "(" * 300, "9" * 50,
        ])  # fmt: skip


_DEEDS: dict[Callable[[Monkey], None], int] = {
    Monkey.press: 380, Monkey.press_many: 60, Monkey.move: 140, Monkey.control: 60, Monkey.mouse: 100, Monkey.paste: 50, Monkey.stray: 40, Monkey.shape: 60, Monkey.command: 105, Monkey.interrupt: 1,
}  # fmt: skip
