"""A terminal driver that no stray byte and no hostile paste ends, and that notices when the terminal has gone."""

from __future__ import annotations

import codecs
import contextlib
import errno
import signal
import threading
from queue import Empty
from typing import Any, Protocol, cast

from textual.drivers import linux_driver

from bptui.tui.brush import Brush
from bptui.tui.thrift import thrifty

# What a shell reports of a program that a closed terminal has ended, be it told by a signal or found out by reading.
GONE = 128 + getattr(signal, "SIGHUP", 1)
_BEGIN, _END = "\x1b[200~", "\x1b[201~"
_ESCAPE, _SHOWN = "\x1b", "␛"


class Painting(Protocol):
    """An app with a brush."""

    brush: Brush


class TolerantDriver(linux_driver.LinuxDriver):
    """Decodes what is typed or pasted with replacement signs where it is not UTF-8."""

    _gone = False

    def start_application_mode(self) -> None:
        """The terminal is the app's; frames may be written to it."""
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self._brush.onto(self)

    def stop_application_mode(self) -> None:
        """The terminal is the shell's again: what widgets draw on the way out is not for it."""
        self._brush.leave()
        super().stop_application_mode()

    @property
    def _brush(self) -> Brush:
        return cast(Painting, self._app).brush

    def run_input_thread(self) -> None:
        """The usual loop, with a decoder that does not raise but where there will never be anything to read again."""
        # The loop makes its decoder from this name of its module; there is no other place to say so.
        vars(linux_driver)["getincrementaldecoder"] = lambda _: Decoder
        try:
            super().run_input_thread()
        except EOFError:
            self._hang_up()
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            self._hang_up()

    def write(self, data: str) -> None:
        """In fewer bytes; nothing, once nobody sees it: its queue would fill up and block."""
        if not self._gone:
            if threading.current_thread() is threading.main_thread():  # what is read is answered by another
                self._brush.flush()
            super().write(thrifty(data))

    def put(self, frame: str) -> None:
        """Write as it is, where somebody sees it."""
        if not self._gone and self._writer_thread is not None:
            super().write(frame)

    def _hang_up(self) -> None:
        """The terminal has been closed: leave."""
        self._gone = True
        writer = self._writer_thread
        with contextlib.suppress(Empty):
            while writer is not None:
                writer._queue.get_nowait()  # noqa: SLF001 - whoever waits to put something there goes on
        self._app.call_later(self._app.exit, return_code=GONE)


class Decoder:
    """Bytes of a terminal as text, in pieces as they come.

    An escape in a pasted text would begin a sequence: the parser would take what follows for keys. It is shown instead.
    """

    def __init__(self) -> None:
        """Nothing has come so far."""
        self._bytes: Any = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._pasting = False
        self._before = ""

    def decode(self, data: bytes, final: bool = False) -> str:  # noqa: FBT001, FBT002 - as codecs has it
        """The next piece of text; of a paste all but what may be the beginning of its end.

        Raises EOFError when a terminal has nothing more: it has been closed.
        """
        if not data and not final:
            raise EOFError
        text, parts = self._bytes.decode(data, final), []
        while text:
            part, text = self._pasted(text) if self._pasting else self._typed(text)
            parts.append(part)
        return "".join(parts)

    def _typed(self, text: str) -> tuple[str, str]:
        """As far as the beginning of a paste, which may have begun in the piece before; and the rest."""
        at = (self._before + text).find(_BEGIN)
        self._pasting = at >= 0
        end = at + len(_BEGIN) - len(self._before) if self._pasting else len(text)
        self._before = "" if self._pasting else (self._before + text)[1 - len(_BEGIN) :]
        return text[:end], text[end:]

    def _pasted(self, text: str) -> tuple[str, str]:
        """As far as the end of a paste, and the rest. `_before` holds what may be the beginning of that end."""
        inner, end, rest = (self._before + text).partition(_END)
        self._pasting, self._before = not end, ""
        if not end:
            length = next((n for n in range(len(_END) - 1, 0, -1) if inner.endswith(_END[:n])), 0)
            self._before = inner[len(inner) - length :]
            inner = inner[: len(inner) - length]
        return inner.replace(_ESCAPE, _SHOWN) + end, rest
