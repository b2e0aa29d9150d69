"""`bptui serve` as it is begun, and a headless Chromium to open it in."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

aiohttp = pytest.importorskip("aiohttp")
pytest.importorskip("textual_serve")

SECONDS = 40
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# Nothing but the page: no calls home, and no process for a graphics card that there is not.
_QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


class Served:
    """`bptui serve` in a process of its own."""

    def __init__(self, *arguments: str, folder: Path | None = None) -> None:
        command = [sys.executable, "-m", "bptui", "serve", *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder)
        line = self.process.stdout.readline()
        self.address = re.search(r"http://127\.0\.0\.1:\d+/[\w-]{43}/", line)[0]
        self.base, self.token = re.fullmatch(r"(http://.*:\d+)/(.*)/", self.address).groups()

    @property
    def socket(self) -> str:
        return self.address.replace("http", "ws", 1) + "ws"

    def apps(self) -> list[int]:
        """The processes that it has begun and that still run."""
        listed = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True, check=False
        )
        return [int(pid) for pid in listed.stdout.split()]

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(SECONDS)


async def until(condition, what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited for {what}"
        await asyncio.sleep(0.05)


def running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not Path(f"/proc/{pid}/stat").exists() or Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"


@asynccontextmanager
async def app_of(server: Served) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    headers = {"Origin": server.base}
    async with aiohttp.ClientSession() as session, session.ws_connect(server.socket, headers=headers) as way:
        yield way


_A_MOMENT = "new Promise(done => setTimeout(done, 50))"
_SEEN = "document.body ? document.body.innerText : ''"


class Browser:
    """Headless Chromium, driven by its own protocol."""

    def __init__(self, way: aiohttp.ClientWebSocketResponse) -> None:
        self._way = way
        self._number = 0
        self.frames = ""

    async def call(self, method: str, **params: object) -> dict:
        self._number += 1
        await self._way.send_json({"id": self._number, "method": method, "params": params})
        while True:
            told = json.loads((await asyncio.wait_for(self._way.receive(), SECONDS)).data)
            self._note(told)
            if told.get("id") == self._number:
                assert "error" not in told, told
                return told["result"]

    def _note(self, told: dict) -> None:
        if told.get("method") == "Network.webSocketFrameReceived":
            frame = told["params"]["response"]
            if frame["opcode"] == 2:
                text = base64.b64decode(frame["payloadData"]).decode()
                self.frames += re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", text)

    async def evaluate(self, code: str) -> object:
        made = await self.call("Runtime.evaluate", expression=code, awaitPromise=True, returnByValue=True)
        return made["result"].get("value")

    async def window(self, width: int, height: int, zoom: float = 1) -> None:
        """Another size of the window; with a zoom in units of that."""
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=zoom, mobile=False
        )

    async def open(self, address: str) -> None:
        """An address, and keys can be pressed as soon as the app is there."""
        await self.call("Page.navigate", url=address)
        self.frames = ""  # the page before may have drawn until it went

    async def press(self, key: str, code: str, number: int, *, control: bool = False, **more: object) -> None:
        """A key as a keyboard gives it: its name, where it is, its number; and what the browser does with it, if more."""
        text = "\r" if key == "Enter" else key if len(key) == 1 and not control else ""
        known = {"key": key, "code": code, "windowsVirtualKeyCode": number, "modifiers": 2 * control}
        await self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text, **known, **more)
        await self.call("Input.dispatchKeyEvent", type="keyUp", **known)

    async def type(self, text: str) -> None:
        """Letters, each as a key; a new line is enter."""
        for letter in text:
            if letter == "\n":
                await self.press("Enter", "Enter", 13)
            else:
                await self.press(letter, "", ord(letter.upper()) if letter.isalnum() else 0)

    async def picture(self) -> bytes:
        return base64.b64decode((await self.call("Page.captureScreenshot", format="png"))["data"])

    async def until(self, text: str) -> None:
        """Until the app has drawn it."""
        deadline = time.monotonic() + SECONDS
        while text not in self.frames:
            assert time.monotonic() < deadline, f"waited for {text!r}: {self.frames[-2000:]}"
            await self.evaluate(_A_MOMENT)

    async def until_true(self, code: str) -> None:
        """Until the page agrees."""
        deadline = time.monotonic() + SECONDS
        while not await self.evaluate(code):
            assert time.monotonic() < deadline, f"waited for {code}: {await self.evaluate(_SEEN)!r}"
            await self.evaluate(_A_MOMENT)


@asynccontextmanager
async def browser(folder: Path) -> AsyncIterator[Browser]:
    process = subprocess.Popen(  # noqa: ASYNC220 - it does not wait
        [CHROMIUM, *_QUIET, "--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        port = folder / "DevToolsActivePort"
        await until(lambda: port.exists() and port.read_text().count("\n") >= 1, "Chromium")
        async with aiohttp.ClientSession() as session:
            base = f"http://127.0.0.1:{port.read_text().splitlines()[0]}"
            async with session.get(f"{base}/json/list") as answer:
                page = next(each for each in await answer.json() if each["type"] == "page")
            async with session.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0) as way:
                made = Browser(way)
                for domain in ("Page", "Network", "Runtime"):
                    await made.call(f"{domain}.enable")
                yield made
    finally:
        process.terminate()
        process.wait(SECONDS)
