"""One client's app: a process of its own that may touch no file, and ends with the connection."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence

from aiohttp import WSCloseCode, web
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

# Seconds that an app has to leave in order, and then to obey a signal.
_PATIENCE = 3.0
# With which exit codes it ends when one leaves it: by a key, or by ctrl+c.
_MEANT = (0, 130)
_DRIVER = "bptui.tui.served:ServedDriver"


def command(arguments: Sequence[str]) -> tuple[str, ...]:
    """The app as it is served."""
    return (sys.executable, "-m", "bptui", "--served", *arguments)


class ServedApp(AppService):
    """Textual's, which is begun without a shell, hands nothing on but the picture, and ends in any case."""

    def __init__(self, arguments: Sequence[str], way: web.WebSocketResponse) -> None:
        """The app of a network, and the connection to its page."""
        super().__init__(
            "",
            write_bytes=way.send_bytes,
            write_str=way.send_str,
            close=way.close,  # type: ignore[arg-type]  # what it gives is not looked at
            download_manager=DownloadManager(),
        )
        self._way = way
        self._arguments = tuple(arguments)
        self._process: Process | None = None
        self._task: asyncio.Task[None] | None = None

    async def on_meta(self, data: bytes) -> None:
        """Nothing: no file and no link goes to the page, and that it ends is seen when it has."""

    async def run(self) -> None:
        """Until the process has ended; then the page is told, and whether it was meant to."""
        await super().run()
        if self._process is not None:
            meant = await self._process.wait() in _MEANT
            await self._way.close(code=WSCloseCode.OK if meant else WSCloseCode.INTERNAL_ERROR)

    def _build_environment(self, width: int = 80, height: int = 24) -> dict[str, str]:
        return {**super()._build_environment(width, height), "TEXTUAL_DRIVER": _DRIVER}

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        """In a group of its own: ctrl+c at the server's terminal is for the server, which ends it in order."""
        self._process = process = await asyncio.create_subprocess_exec(
            *command(self._arguments),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env=self._build_environment(width, height),
            start_new_session=True,
        )
        self._stdin = process.stdin
        return process

    async def stop(self) -> None:
        """Ask it to leave; end it if it does not."""
        process = self._process
        for number in (None, signal.SIGTERM, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM):
            if process is None or process.returncode is not None:
                break
            if number is None:
                await self.send_meta({"type": "quit"})
            else:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, number)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(process.wait(), _PATIENCE)
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
