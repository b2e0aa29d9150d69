"""A program in a pty that is timed: when its frames are finished, how many there are, and how many bytes."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import pyte

# A terminal that can draw a frame at once is asked whether it can, and told where a frame begins and ends.
_ASKED, _ANSWER = b"\x1b[?2026$p", b"\x1b[?2026;2$y"
_END = b"\x1b[?2026l"
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Drawn:
    """What came of a key: seconds to the end of the last frame, frames, bytes."""

    seconds: float
    frames: int
    sent: int


class Timed:
    """A program in a pty of a size; what it draws is read, and timed."""

    def __init__(self, command: Sequence[str], columns: int, rows: int, **env: str) -> None:
        self.begun = time.perf_counter()
        self.screen = b""
        self._tail = b""
        # What is to be seen, as a terminal makes it of all that came.
        self._picture = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._picture)
        self._unseen: list[bytes] = []
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            self._become(command, env)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.set_blocking(self._fd, False)

    def _become(self, command: Sequence[str], env: dict[str, str]) -> None:
        unwanted = ("NO_COLOR", "COLUMNS", "LINES", "PYTHONDONTWRITEBYTECODE")
        settings = {key: value for key, value in os.environ.items() if key not in unwanted}
        settings |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"} | env
        time.sleep(0.05)  # the window gets its size before anybody asks for it
        os.execvpe(command[0], list(command), settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
        os.close(self._fd)

    def read(self, seconds: float) -> bytes:
        """What comes within so long; b"" where nothing does."""
        if not select.select([self._fd], [], [], seconds)[0]:
            return b""
        try:
            part = os.read(self._fd, 1 << 20)
        except (BlockingIOError, OSError):
            return b""
        if _ASKED in self._tail + part:
            os.write(self._fd, _ANSWER)
        self._tail = (self._tail + part)[-16:]
        self.screen += part
        self._unseen.append(part)
        return part

    def shown(self) -> list[str]:
        """The lines on the screen. What came is made a picture only now: that takes longer than to draw it."""
        # pyte prints the end of Kitty's sequences (CSI > 1 u) as text: they are no part of the picture.
        self._stream.feed(b"".join(self._unseen).replace(b"\x1b[>1u", b"").replace(b"\x1b[<u", b""))
        self._unseen.clear()
        return list(self._picture.display)

    def settled(self, quiet: float = 0.25, most: float = 20.0) -> float:
        """Read until nothing comes for a while; when the last byte came, since it was started."""
        last, deadline = time.perf_counter(), time.perf_counter() + most
        while time.perf_counter() < deadline:
            if self.read(quiet):
                last = time.perf_counter()
            elif self.screen:
                break
        return last - self.begun

    def until(self, wanted: bytes, most: float = 20.0) -> float:
        """Read until something was written; seconds since it was started."""
        deadline = time.perf_counter() + most
        while wanted not in self.screen:
            if time.perf_counter() > deadline:
                raise TimeoutError(f"{wanted!r} did not come")
            self.read(0.5)
        return time.perf_counter() - self.begun

    def press(self, key: bytes, quiet: float = 0.03, most: float = 5.0) -> Drawn:
        """A key, and what is drawn for it: the frame is finished with the last byte before it is quiet."""
        begun = last = time.perf_counter()
        os.write(self._fd, key)
        sent, frames, tail = 0, 0, b""
        while time.perf_counter() < begun + most:
            part = self.read(quiet if sent else most)
            if not part:
                break
            last = time.perf_counter()
            sent += len(part)
            frames += (tail + part).count(_END) - tail.count(_END)
            tail = (tail + part)[-len(_END) + 1 :]
        return Drawn(last - begun, frames, sent)

    def write(self, data: bytes) -> None:
        os.write(self._fd, data)

    @property
    def processor(self) -> float:
        """Seconds of processor time that it has taken."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS


def app(spec: str, columns: int, rows: int, *options: str, **env: str) -> Timed:
    """bptui on a spec, keeping no session."""
    return Timed([sys.executable, "-m", "bptui", spec, "--no-session", *options], columns, rows, **env)


def floor(columns: int, rows: int) -> Timed:
    """The app that changes one line."""
    return Timed([sys.executable, str(Path(__file__).with_name("floor.py"))], columns, rows)
