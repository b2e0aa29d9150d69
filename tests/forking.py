"""The command line as a process of its own that starts at once.

Starting Python and importing NumPy and Textual takes most of a second, and hundreds of tests want a process. So one
process has imported everything, and each run is a fork of it: its own arguments, folder, environment, streams and, where
it is asked for, terminal; it ends as `python -m bptui` ends. That nothing is missing from what a subcommand imports by
itself is seen by the tests that start Python anew: those of the README's commands, of imports, and some in a terminal.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import io
import json
import os
import pty
import runpy
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pexpect.fdpexpect

_PRELOADED = ("bptui.cli", "bptui.plain", "bptui.reports", "bptui.commands.speaking", "bptui.tui.app")
_LARGEST = 1 << 20
# Nothing that a test asks for takes so long.
_SECONDS = 100


class Process:
    """A run: its process id, and how it ends."""

    def __init__(self, control: socket.socket) -> None:
        control.settimeout(_SECONDS)
        self._control = control.makefile("rb")
        control.close()
        self.pid = int(self._control.readline())
        self._status: int | None = None

    def wait(self) -> int:
        """Its exit code, or minus the number of the signal that ended it."""
        if self._status is None:
            self._status = os.waitstatus_to_exitcode(int(self._control.readline()))
            self._control.close()
        return self._status


def start(arguments: Sequence[str], streams: Sequence[int], folder: Path | None, env: Mapping[str, str], *, terminal: bool = False) -> Process:  # fmt: skip
    """`python -m bptui ARGUMENTS`, with three streams; they are the terminal that it controls where it has one."""
    ours, theirs = socket.socketpair()
    asked = json.dumps([list(arguments), str(folder or Path.cwd()), dict(env), terminal]).encode(
        "utf-8", "surrogateescape"
    )
    with theirs:
        socket.send_fds(_server(), [asked], [*streams, theirs.fileno()])
    return Process(ours)


def run(
    arguments: Sequence[str], stdin: bytes, folder: Path | None, env: Mapping[str, str]
) -> tuple[int, bytes, bytes]:
    """Its exit code, and all that it wrote."""
    reads, writes = os.pipe()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as said:
        process = start(arguments, (reads, out.fileno(), said.fileno()), folder, env)
        os.close(reads)
        feeding = threading.Thread(target=_feed, args=(writes, stdin))
        feeding.start()
        code = process.wait()
        feeding.join()
        return code, *(_all_of(file) for file in (out, said))


def _feed(pipe: int, content: bytes) -> None:
    with contextlib.suppress(BrokenPipeError), os.fdopen(pipe, "wb") as file:
        file.write(content)


def _all_of(file: Any) -> bytes:
    file.seek(0)
    return file.read()


class Spawned(pexpect.fdpexpect.fdspawn):
    """What `pexpect.spawn` gives, as far as it is used here."""

    def __init__(self, arguments: Sequence[str], dimensions: tuple[int, int] = (24, 80), env: Mapping[str, str] | None = None, **options: Any) -> None:  # fmt: skip
        leader, follower = pty.openpty()
        _resize(follower, *dimensions)
        self.process = start(arguments, [follower] * 3, options.pop("cwd", None), env or os.environ, terminal=True)
        os.close(follower)
        super().__init__(leader, **options)
        self.pid = self.process.pid
        self.exitstatus: int | None = None
        self.signalstatus: int | None = None

    def setwinsize(self, rows: int, columns: int) -> None:
        _resize(self.child_fd, rows, columns)

    def wait(self) -> int | None:
        code = self.process.wait()
        self.exitstatus, self.signalstatus = (code, None) if code >= 0 else (None, -code)
        return self.exitstatus

    def kill(self, number: int) -> None:
        os.kill(self.pid, number)

    def close(self, *, force: bool = False) -> None:
        """Make an end of it, whatever it does."""
        if self.exitstatus is None and self.signalstatus is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL if force else signal.SIGHUP)
        if self.child_fd >= 0:
            super().close()


def _resize(terminal: int, rows: int, columns: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


@cache
def _server() -> socket.socket:
    """The process that is forked, one for each that runs tests; it ends when nobody has its socket any more."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        subprocess.Popen([sys.executable, __file__, str(theirs.fileno())], pass_fds=[theirs.fileno()])
    return ours


# In that process


def _serve(asking: socket.socket) -> None:
    """Fork for whoever asks, for ever; return in the process that is to be bptui, made ready for it."""
    for name in _PRELOADED:
        __import__(name)
    gc.collect()
    gc.freeze()
    ended, wakes = socket.socketpair()
    wakes.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
    told: dict[int, int] = {}
    while True:
        ready, _, _ = select.select([asking, ended], [], [])
        if ended in ready:
            ended.recv(_LARGEST)
            _tell(told)
        if asking not in ready:
            continue
        asked, given, _, _ = socket.recv_fds(asking, _LARGEST, 4)
        if not asked:
            os._exit(0)
        if (child := os.fork()) == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for stream in (asking.detach(), ended.detach(), wakes.detach(), *told.values()):
                os.close(stream)
            _become(given, *json.loads(asked.decode("utf-8", "surrogateescape")))
            return
        told[child] = given.pop()
        os.write(told[child], b"%d\n" % child)
        for stream in given:
            os.close(stream)


def _tell(told: dict[int, int]) -> None:
    """To whom it may concern, how each ended that did."""
    while told:
        child, status = os.waitpid(-1, os.WNOHANG)
        if child == 0:
            return
        with contextlib.suppress(BrokenPipeError), os.fdopen(told.pop(child), "wb") as control:
            control.write(b"%d\n" % status)


def _become(given: Sequence[int], arguments: list[str], folder: str, env: dict[str, str], terminal: bool) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    sys.path[:0] = [place for place in env.get("PYTHONPATH", "").split(os.pathsep) if place]
    if terminal:
        os.setsid()
        fcntl.ioctl(given[0], termios.TIOCSCTTY, 0)
    for number, stream in enumerate(given[:3]):
        os.dup2(stream, number)
    for stream in given:
        os.close(stream)
    sys.argv = ["bptui", *arguments]
    sys.stdin = sys.__stdin__ = _stream(0, "r", "strict")
    sys.stdout = sys.__stdout__ = _stream(1, "w", "strict")
    sys.stderr = sys.__stderr__ = _stream(2, "w", "backslashreplace")


def _stream(number: int, mode: str, errors: str) -> io.TextIOWrapper:
    """As Python makes them at its start."""
    made = os.fdopen(number, f"{mode}b", closefd=False)
    return io.TextIOWrapper(made, "utf-8", errors, line_buffering=number == 2 or os.isatty(number))


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
    runpy.run_module("bptui", run_name="__main__", alter_sys=True)
