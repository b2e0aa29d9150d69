"""The app in a browser: real servers, refused and let in; the commands that touch files."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from serving import SECONDS, Served, aiohttp, app_of, running, until

from bptui.commands import registry
from bptui.commands.completion import complete
from bptui.commands.opening import Manner
from bptui.files import origins

SPEC = 'data = "xor"\nlayers = ["dense 1 sigmoid"]\nloss = "bce"\nlr = 0.1\n'


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    (tmp_path / "secret.toml").write_text(SPEC)
    server = Served("article", "--clients", "2", folder=tmp_path)
    yield server
    if server.process.poll() is None:
        server.end()


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
        async with app_of(served) as third:
            assert (await third.receive()).type == aiohttp.WSMsgType.CLOSE
            assert third.close_code == aiohttp.WSCloseCode.TRY_AGAIN_LATER
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
        listed = await shown(other, "diverging")  # what can be opened
        assert "secret" not in listed and "name of a file" not in listed
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


async def test_the_margins_of_the_page_have_the_colour_of_the_theme(served):
    async with app_of(served) as way:
        await shown(way, "\x1b]11;#0d1117\x07")
        await way.send_json(["stdin", ":theme light\r"])
        await shown(way, "\x1b]11;#ffffff\x07")
        await way.send_json(["stdin", ":theme terminal\r"])
        await shown(way, "\x1b]111\x07")


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
