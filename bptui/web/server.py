"""`bptui serve`: the page, the files that it needs, and the connection to an app of one's own behind it."""

from __future__ import annotations

import asyncio
import html
import json
import signal
import socket
import string
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import textual_serve
from aiohttp import WSCloseCode, WSMsgType, web

from bptui.web.door import LOOPBACK, Door
from bptui.web.process import ServedApp

Say = Callable[[str], None]
# Seconds that a page has to agree to being closed.
_GRACE = 2.0
# Bytes of one message: what is pasted, at most.
_MOST_BYTES = 1 << 16
_LARGEST = (500, 300)
_FONT = 16
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "font-src 'self'; img-src 'self' data:; connect-src 'self' {socket}; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Server:
    """Serves the app to whom the door lets in, to so many at once.

    arguments  of each app: the network that it opens
    """

    def __init__(self, door: Door, arguments: Sequence[str], clients: int) -> None:
        self._door = door
        self._arguments = tuple(arguments)
        self._most = clients
        self._open: dict[web.WebSocketResponse, web.Request] = {}
        # An app whose page has gone has its place until it has ended: a page that is reloaded waits for that.
        self._places = asyncio.Semaphore(clients)
        own = f"ws://{LOOPBACK}:{door.port} ws://localhost:{door.port}"
        self._headers = {name: text.replace("{socket}", own) for name, text in _HEADERS.items()}
        self._files = _static()
        self._page = string.Template(Path(__file__).with_name("page.html").read_text("utf-8"))

    def application(self) -> web.Application:
        """What answers requests; there is nothing but what is listed here."""
        app = web.Application(middlewares=[self._guarded])
        app.add_routes([
            web.get("/{token}/", self._index),
            web.get("/{token}/ws", self._socket),
            web.get("/{token}/static/{path:.+}", self._static),
        ])  # fmt: skip
        return app

    async def close(self) -> None:
        """End every client's app."""
        await asyncio.gather(*(one.close(code=WSCloseCode.GOING_AWAY) for one in tuple(self._open)))

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Before anything else, for every path: those that are not there too."""
        why = self._door.refusal(request.path, request.headers, socket=request.path.endswith("/ws"))
        if why:
            return web.Response(status=403, text=f"refused: {why}\n", headers=self._headers)
        try:
            answer: web.StreamResponse = await handler(request)
        except web.HTTPException as error:
            return web.Response(status=error.status, text=f"{error.reason}\n", headers=self._headers)
        if not answer.prepared:
            answer.headers.update(self._headers)
        return answer

    async def _index(self, request: web.Request) -> web.Response:
        """The page, also where there is no place: one that is reloaded still has its own when it asks for it again."""
        way = f"ws://{request.host}/{self._door.token}/ws"
        most = "1 page" if self._most == 1 else f"{self._most} pages"
        name = html.escape(" ".join(self._arguments))
        text = self._page.substitute(name=name, socket=way, size=_FONT, most=most, more=2 * self._most)
        return web.Response(text=text, content_type="text/html")

    async def _static(self, request: web.Request) -> web.StreamResponse:
        """One of the files of the page; the folder is not looked at again."""
        path = self._files.get(request.match_info["path"])
        if path is None:
            raise web.HTTPNotFound
        return web.FileResponse(path)

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        """An app's; where there is no place the code of the end says so: of a refusal a page is not told why."""
        way = web.WebSocketResponse(heartbeat=15, timeout=_GRACE, max_msg_size=_MOST_BYTES)
        await way.prepare(request)
        if sum(_there(*one) for one in self._open.items()) >= self._most:
            await way.close(code=WSCloseCode.TRY_AGAIN_LATER)
            return way
        self._open[way] = request
        try:
            async with self._places:
                if not _there(way, request):  # it went while it waited
                    return way
                await self._carry(way, _size(request.query.get("width"), request.query.get("height")))
        finally:
            del self._open[way]
        return way

    async def _carry(self, way: web.WebSocketResponse, size: tuple[int, int]) -> None:
        """Between a page and its app, until one of them has gone."""
        app = ServedApp(self._arguments, way)
        try:
            await app.start(*size)
            async for message in way:
                if message.type == WSMsgType.TEXT:
                    await _hand_on(app, way, message.data)
        finally:
            await app.stop()


def _there(way: web.WebSocketResponse, request: web.Request) -> bool:
    """Whether a page is: of one that went before it was listened to the connection is no more."""
    return not way.closed and request.transport is not None and not request.transport.is_closing()


async def _hand_on(app: ServedApp, way: web.WebSocketResponse, text: str) -> None:
    """A message of the page; one that is none is passed over."""
    try:
        kind, *rest = json.loads(text)
    except (ValueError, TypeError):
        return
    said: Any = rest[0] if rest else None
    match kind:
        case "stdin" if isinstance(said, str):
            await app.send_bytes(said.encode("utf-8", "replace"))
        case "resize" if isinstance(said, dict):
            await app.set_terminal_size(*_size(said.get("width"), said.get("height")))
        case "ping":
            await way.send_json(["pong", said])
        case "blur":
            await app.blur()
        case "focus":
            await app.focus()


def _size(width: object, height: object) -> tuple[int, int]:
    """Columns and rows, within what an app is drawn at."""
    found = (_whole(width, 80), _whole(height, 24))
    return max(1, min(found[0], _LARGEST[0])), max(1, min(found[1], _LARGEST[1]))


def _whole(value: object, otherwise: int) -> int:
    text = str(value)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else otherwise


def _static() -> dict[str, Path]:
    folder, own = Path(textual_serve.__file__).parent / "static", Path(__file__).with_name("page.js")
    return {own.name: own} | {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}


def serve(arguments: Sequence[str], port: int, clients: int, say: Say) -> int:
    """Serve until a signal comes; 128 + its number. Raises OSError where the port is taken."""
    return asyncio.run(_serve(arguments, port, clients, say))


async def _serve(arguments: Sequence[str], port: int, clients: int, say: Say) -> int:
    asked = _signalled()
    listening = socket.create_server((LOOPBACK, port))
    door = Door(listening.getsockname()[1])
    server = Server(door, arguments, clients)
    runner = web.AppRunner(server.application(), access_log=None, shutdown_timeout=2 * _GRACE)
    await runner.setup()
    try:
        await web.SockSite(runner, listening).start()
        say(f"open {door.address} in a browser on this machine; ctrl+c ends it")
        return await asked
    finally:
        await server.close()
        await runner.cleanup()


def _signalled() -> asyncio.Future[int]:
    """The exit code that a signal to end means, once one comes."""
    loop = asyncio.get_running_loop()
    asked: asyncio.Future[int] = loop.create_future()

    def end(number: int) -> None:
        if not asked.done():
            asked.set_result(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end, number)
    return asked
