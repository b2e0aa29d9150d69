"""The app in a browser: real servers, refused and let in; the commands that touch files; a real Chromium."""

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
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bptui.commands import registry
from bptui.commands.completion import complete
from bptui.commands.opening import Manner
from bptui.files import origins

aiohttp = pytest.importorskip("aiohttp")
pytest.importorskip("textual_serve")

SECONDS = 40
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


SPEC = 'data = "xor"\nlayers = ["dense 1 sigmoid"]\nloss = "bce"\nlr = 0.1\n'


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


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    (tmp_path / "secret.toml").write_text(SPEC)
    server = Served("article", "--clients", "2", folder=tmp_path)
    yield server
    if server.process.poll() is None:
        server.end()


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


async def shown(way: aiohttp.ClientWebSocketResponse, text: str) -> str:
    """Wait for what the app draws, its styles left out; all of it."""
    seen, deadline = "", time.monotonic() + SECONDS
    while text not in seen:
        assert time.monotonic() < deadline, f"waited for {text!r}: {seen[-2000:]}"
        message = await asyncio.wait_for(way.receive(), SECONDS)
        assert message.type == aiohttp.WSMsgType.BINARY, (message, seen[-2000:])
        seen += re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", message.data.decode())
    return seen


async def test_who_does_not_know_the_address_is_refused(served):
    """No token, a false one, another host, another origin, another site; and what is not there is not there."""
    good, own = f"/{served.token}/", {"Origin": served.base}
    false = f"/{served.token[:-1]}{'a' if served.token[-1] != 'a' else 'b'}/"
    async with aiohttp.ClientSession() as session:

        async def status(path: str, **headers: str) -> int:
            from yarl import URL

            async with session.get(
                URL(served.base + path, encoded=True), headers=headers, allow_redirects=False
            ) as answer:
                assert served.token not in await answer.text() or answer.status == 200
                return answer.status

        assert await status(good) == 200
        assert await status(good, **own) == 200
        assert await status(good + "static/js/textual.js") == 200
        for path in (
            "/",
            "/ws",
            "/static/js/textual.js",
            false,
            f"{false}ws",
            f"{false}static/js/textual.js",
            f"//{served.token}/",
            "/%F0",
        ):
            assert await status(path) == 403, path
        for headers in (
            {"Host": "evil.example"}, {"Host": "evil.example:80"}, {"Host": f"127.0.0.1.evil.example:{served.base[-5:]}"},
            {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:1"}, {"Origin": served.base + ".evil.example"},
            {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
        ):  # fmt: skip
            for path in (good, f"{good}ws", f"{good}static/js/textual.js"):
                assert await status(path, **headers) == 403, (path, headers)
        for path in (
            "static/",
            "static/../server.py",
            "static/..%2fserver.py",
            "static/%2e%2e/server.py",
            "static//etc/passwd",
            "download/x",
        ):
            assert await status(good + path) in (403, 404), path
        assert await status(f"{good}ws") == 403  # a page always says where it is from
        async with session.get(served.address) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert "https://" not in await answer.text()
        for headers in ({}, {"Origin": "http://evil.example"}, {"Origin": "http://127.0.0.1:1"}):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(served.socket, headers=headers)
            assert refused.value.status == 403
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(served.socket.replace(good, false), headers=own)
    assert served.apps() == []


async def test_each_page_has_an_app_of_its_own_up_to_the_cap(served, tmp_path):
    """Two apps step apart; a third is refused until one has gone; no file is written from there."""
    async with app_of(served) as one, app_of(served) as other:
        await shown(one, "prediction")
        await shown(other, "prediction")
        await one.send_json(["stdin", "n"])
        await shown(one, "op 1 of 9")
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with app_of(served):
                pass
        assert refused.value.status == 503
        for bad in (
            "",
            "[]",
            "3",
            '["stdin", 3]',
            '["resize", {"width": -1, "height": "x"}]',
            '["resize", {"width": 99999999, "height": 1}]',
            '["stdin", "\\ud800"]',
        ):
            await other.send_str(bad)
        await other.send_json(["resize", {"width": 120, "height": 40}])
        target = tmp_path / "stolen.toml"
        await other.send_json(["stdin", f":save {target}\r"])
        await shown(other, "no files here")
        assert not target.exists()
        await other.send_json(["stdin", "\x03\x0f"])
        assert "secret" not in await shown(other, "diverging")  # the list of what can be opened
        await other.send_json(["stdin", "\x03\x1a"])  # ctrl+z stops nothing
        await other.send_json(["stdin", "n"])
        await shown(other, "op 1 of 9")
        pids = served.apps()
        assert len(pids) == 2
        await one.close()
        await until(lambda: len(served.apps()) == 1, "the first app's end")
        async with app_of(served) as again:
            await shown(again, "prediction")
            await again.send_json(["stdin", "q"])
            await until(lambda: len(served.apps()) == 1, "the end of an app that was left")


@pytest.mark.parametrize("number, code", [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
async def test_it_ends_with_all_its_apps(served, number, code):
    async with app_of(served) as way:
        await shown(way, "prediction")
        pids = served.apps()
        assert len(pids) == 1
        assert await asyncio.to_thread(served.end, number) == code
        await until(lambda: not any(map(running, pids)), "the app's end")


async def test_an_app_does_not_outlive_a_server_that_was_killed(served):
    async with app_of(served) as way:
        await shown(way, "prediction")
        pids = served.apps()
        served.end(signal.SIGKILL)
        await until(lambda: not any(map(running, pids)), "the app's end")


@pytest.mark.parametrize("arguments, said", [
    (("artcle",), "artcle"), (("--port", "70000"), "70000"), (("article", "--clients", "0"), "0"),
])  # fmt: skip
def test_what_is_wrong_is_said_before_anything_is_served(bptui, arguments, said):
    made = bptui("serve", *arguments)
    assert (made.returncode, made.stdout) == (2, "")
    assert said in made.stderr and len(made.stderr.splitlines()) == 1


def test_a_session_is_not_served(bptui, tmp_path):
    kept = tmp_path / "mine.bptui"
    bptui("article", "--plain", "--session", str(kept), stdin="next\n")
    made = bptui("serve", str(kept))
    assert made.returncode == 2
    assert "a network, no session" in made.stderr


def test_without_the_extra_one_line_says_what_to_install(bptui, tmp_path):
    (tmp_path / "textual_serve.py").write_text(
        "raise ModuleNotFoundError('No module named textual_serve', name='textual_serve')"
    )
    made = bptui("serve", env={"PYTHONPATH": str(tmp_path)})
    assert made.returncode == 2
    assert made.stderr == "bptui: serve needs the extra web: pip install 'bptui[web]'\n"


# What is served touches no files

_TOUCHED: list[tuple[str, object]] = []
_LISTENING = False


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if _LISTENING and event in (
        "open",
        "os.listdir",
        "os.scandir",
        "os.mkdir",
        "os.remove",
        "os.rename",
        "subprocess.Popen",
    ):
        _TOUCHED.append((event, arguments[0]))


@pytest.fixture
def touched() -> Iterator[list[tuple[str, object]]]:
    global _LISTENING  # noqa: PLW0603  # a hook can't be taken away again
    sys.addaudithook(_note)
    _TOUCHED.clear()
    _LISTENING = True
    yield _TOUCHED
    _LISTENING = False


def test_no_word_touches_a_file_where_none_may_be_touched(tmp_path, touched):
    """Every word of the registry, with paths there are and there are not; the built-in networks alone are opened."""
    spec = tmp_path / "mine.toml"
    spec.write_text(SPEC)
    (tmp_path / "w.npz").write_bytes(b"PK")
    session = Manner(files=False).session(origins.load(str(spec)))
    touched.clear()
    for row in registry.words():
        for rest in (
            "",
            str(spec),
            f"{tmp_path}/new.toml",
            f"{tmp_path}/new.npz",
            str(tmp_path / "w.npz"),
            str(tmp_path),
            f"lr={spec}",
            "../x",
        ):
            assert not [one for one in complete(session, f"{row.verb} {rest}").candidates if str(tmp_path) in one.text]
            try:
                session.execute(f"{row.verb} {rest}")
            except (ValueError, OSError) as error:
                assert str(tmp_path) not in str(error) or row.verb not in ("load", "save", "diff")
    here = [one for one in touched if str(tmp_path) in str(one[1]) or one[0] == "subprocess.Popen"]
    assert not here
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.toml", "w.npz"]
    assert session.execute("load xor").lines[0] == "loaded xor"
    assert "no files here" in refusal(session, f"load {spec}")
    assert "no files here" in refusal(session, "save there.toml")
    assert "no files here" in refusal(session, f"diff {spec}")


def refusal(session, line: str) -> str:
    with pytest.raises(registry.CommandError) as refused:
        session.execute(line)
    return str(refused.value)


# In a real browser


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

    async def until(self, text: str) -> None:
        """Until the app has drawn it."""
        deadline = time.monotonic() + SECONDS
        while text not in self.frames:
            assert time.monotonic() < deadline, f"waited for {text!r}: {self.frames[-2000:]}"
            await self.evaluate("new Promise(done => setTimeout(done, 50))")


@asynccontextmanager
async def browser(folder: Path) -> AsyncIterator[Browser]:
    process = subprocess.Popen(  # noqa: ASYNC220 - it does not wait
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", "--window-size=1200,800",
         f"--user-data-dir={folder}", "about:blank"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
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


_KNOCK = """new Promise(done => {{
    const way = new WebSocket({address!r});
    way.onopen = () => done("open");
    way.onerror = () => done("refused");
}})"""


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
async def test_in_chromium(served, tmp_path):
    """The app is drawn and obeys keys; a page from elsewhere that even knows the address is refused, as is one without it."""
    deadline = time.monotonic() + 3 * SECONDS
    async with browser(tmp_path / "profile") as page:
        await page.call("Page.navigate", url=served.address)
        await page.until("prediction")
        assert await page.evaluate("document.body.classList.contains('-first-byte')")
        keys_for = "document.activeElement.className"
        while await page.evaluate(keys_for) != "xterm-helper-textarea":  # at once, without a click
            assert time.monotonic() < deadline
            await page.evaluate("new Promise(done => setTimeout(done, 50))")
        await page.call("Input.dispatchKeyEvent", type="keyDown", key="n", code="KeyN", text="n")
        await page.until("op 1 of 9")
        picture = base64.b64decode((await page.call("Page.captureScreenshot", format="png"))["data"])
        assert len(set(picture)) > 200
        if folder := os.environ.get("BPTUI_PICTURES"):
            await asyncio.to_thread(Path(folder, "served.png").write_bytes, picture)
        await page.call("Page.navigate", url="data:text/html,<p>a page of somebody else</p>")
        assert await page.evaluate(_KNOCK.format(address=served.socket)) == "refused"
        await page.call("Page.navigate", url=f"{served.base}/")
        while "refused: no token" not in await page.evaluate("document.body ? document.body.innerText : ''"):
            assert time.monotonic() < deadline, "a page without the token was not refused"
    await until(lambda: served.apps() == [], "the end of the app whose page has gone")
