"""The app in a real browser, headless Chromium: what is seen, which keys come through, what is said when it ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from serving import CHROMIUM, Served, app_of, browser, until
from textual.keys import key_to_character

from bptui.commands import registry

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")

_TAKES_KEYS = "document.activeElement.className == 'xterm-helper-textarea'"
_SAID = "document.body.innerText.trim()"
_KNOCK = """new Promise(done => {{
    const way = new WebSocket({address!r});
    way.onopen = () => done("open");
    way.onerror = () => done("refused");
}})"""
# The terminal is all in the window, and there is no room for another row or column; two frames later still.
_WHOLE = """(async () => {
    const frame = () => new Promise(requestAnimationFrame);
    const fits = () => {
        const screen = document.querySelector(".xterm-screen").getBoundingClientRect();
        const right = innerWidth - screen.right, below = innerHeight - screen.bottom;
        return right >= 0 && below >= 0 && right < 10 && below < 22;
    };
    const before = fits();
    await frame();
    await frame();
    return before && fits();
})()"""
# Keys that a browser keeps for itself, whatever a page says.
_BROWSERS_OWN = {"ctrl+n", "ctrl+t", "ctrl+w", "ctrl+tab"}
# Keys that are called otherwise than their characters are.
_SIGNS = {"minus": "-", "plus": "+", "slash": "/", "space": " "}


def as_pressed(key: str) -> tuple[str, int]:
    """A key's name and number as a browser has them; ctrl left out."""
    plain = _SIGNS.get(key) or key_to_character(key) or key.removeprefix("ctrl+")
    if plain[0] == "f" and plain[1:]:
        return plain.upper(), 111 + int(plain[1:])
    if key == "tab":
        return "Tab", 9
    return plain, ord(plain.upper()) if plain.isalnum() or plain == " " else 0


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    server = Served("article", "--clients", "1", folder=tmp_path)
    yield server
    if server.process.poll() is None:
        server.end()


async def test_in_chromium(served, tmp_path):
    """The app is drawn and obeys keys; a page from elsewhere that even knows the address is refused, as is one without it."""
    async with browser(tmp_path / "profile") as page:
        await page.open(served.address)
        await page.until("prediction")
        assert await page.evaluate("document.body.classList.contains('-first-byte')")
        await page.until_true(_TAKES_KEYS)  # at once, without a click
        await page.type("n")
        await page.until("op 1 of 9")
        picture = await page.picture()
        assert len(set(picture)) > 200
        if folder := os.environ.get("BPTUI_PICTURES"):
            await asyncio.to_thread(Path(folder, "served.png").write_bytes, picture)
        await page.open("data:text/html,<p>a page of somebody else</p>")
        assert await page.evaluate(_KNOCK.format(address=served.socket)) == "refused"
        await page.open(f"{served.base}/")
        await page.until_true("document.body.innerText.includes('refused: no token')")
    await until(lambda: served.apps() == [], "the end of the app whose page has gone")


async def test_the_whole_screen_is_in_the_window(served, tmp_path):
    """At the first layout, after the window has another size, and after a zoom."""
    async with browser(tmp_path / "profile") as page:
        await page.window(1280, 800)
        await page.open(served.address)
        await page.until("prediction")
        assert await page.evaluate(_WHOLE)
        for size in ((700, 500), (1900, 1000), (1000, 613), (1280, 800)):
            await page.window(*size)
            await page.until_true(_WHOLE)
        await page.window(853, 533, 1.5)
        await page.until_true(_WHOLE)


async def test_every_key_reaches_the_app(served, tmp_path):
    """Those of the commands, which a browser has other uses for too; pasting is the browser's."""
    keys = {key for row in registry.keyed().values() for key in row}
    assert not keys & _BROWSERS_OWN
    async with browser(tmp_path / "profile") as page:
        await page.open(served.address)
        await page.until("prediction")
        await page.until_true(_TAKES_KEYS)
        await page.evaluate("var sent = []; WebSocket.prototype.send = text => { sent.push(text); }")
        for key in sorted(keys | {"ctrl+s", "ctrl+c"}):
            name, number = as_pressed(key)
            await page.evaluate("sent = []")
            await page.press(name, "", number, control=key.startswith("ctrl+"))
            typed = [rest[0] for kind, *rest in map(json.loads, await page.evaluate("sent")) if kind == "stdin"]
            assert typed, key
        await page.call("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
        await page.evaluate("sent = []; navigator.clipboard.writeText('1, 2')")
        await page.press("v", "KeyV", 86, control=True, commands=["paste"])
        await page.until_true("sent.length > 0")
        assert json.loads((await page.evaluate("sent"))[-1]) == ["stdin", "\x1b[200~1, 2\x1b[201~"]


async def test_what_is_copied_is_on_the_browsers_clipboard(served, tmp_path):
    async with browser(tmp_path / "profile") as page:
        await page.open(served.address)
        await page.call("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
        await page.until("prediction")
        await page.until_true(_TAKES_KEYS)
        await page.type("y")
        await page.until("w5 sent to the browser's clipboard; no file is kept here")
        await page.until_true("navigator.clipboard.readText().then(text => text == '0.14')")
        await page.type(":copy screen\n")
        await page.until("screen sent to the browser's clipboard")
        await page.until_true("navigator.clipboard.readText().then(text => text.startsWith('<svg'))")


async def test_the_page_says_why_there_is_no_app_and_what_helps(served, tmp_path):
    """None free, left, broken off, the server gone; where reloading helps it does, also in the only place there is."""
    async with browser(tmp_path / "profile") as page:
        async with app_of(served):
            await page.open(served.address)
            await page.until_true(f"{_SAID}.includes('bptui serve article --clients 2')")
        await page.open(served.address)
        await page.until("prediction")
        await page.open(served.address)
        await page.until("prediction")
        await page.until_true(_TAKES_KEYS)
        await page.type("q")
        await page.until_true(f"{_SAID} == 'bptui has ended. Reload this page to begin again.'")
        assert not await page.evaluate(_TAKES_KEYS)  # F5 is the browser's again
        await page.open(served.address)
        await page.until("prediction")
        os.kill(served.apps()[0], signal.SIGKILL)
        await page.until_true(f"{_SAID}.startsWith('bptui was broken off')")
        await page.open(served.address)
        await page.until("prediction")
        served.process.send_signal(signal.SIGTERM)
        await page.until_true(f"{_SAID}.startsWith('bptui serve has ended') && !{_SAID}.includes('eload')")


async def test_a_server_that_was_killed_leaves_a_page_that_says_so(served, tmp_path):
    async with browser(tmp_path / "profile") as page:
        await page.open(served.address)
        await page.until("prediction")
        served.end(signal.SIGKILL)
        await page.until_true(f"{_SAID}.startsWith('The connection to bptui serve is lost')")
