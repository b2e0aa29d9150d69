"""A terminal driver that a stray byte does not kill, and that notices when the terminal has gone."""

from __future__ import annotations

import codecs
import errno
import signal
from typing import Any

from textual.drivers import linux_driver

# What a shell reports of a program that a closed terminal has ended, be it told by a signal or found out by reading.
GONE = 128 + getattr(signal, "SIGHUP", 1)


class TolerantDriver(linux_driver.LinuxDriver):
    """Decodes what is typed or pasted with replacement signs where it is not UTF-8."""

    def run_input_thread(self) -> None:
        """The usual loop, with a decoder that does not raise but where there will never be anything to read again."""
        # The loop makes its decoder from this name of its module; there is no other place to say so.
        vars(linux_driver)["getincrementaldecoder"] = _tolerant
        try:
            super().run_input_thread()
        except EOFError:
            self._app.call_later(self._app.exit, return_code=GONE)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            self._app.call_later(self._app.exit, return_code=GONE)


def _tolerant(encoding: str) -> Any:
    """What makes a decoder; that one raises EOFError when a terminal has nothing more: it has been closed."""
    usual = codecs.getincrementaldecoder(encoding)

    class Decoder(usual):  # type: ignore[misc, valid-type]
        def __init__(self) -> None:
            super().__init__(errors="replace")

        def decode(self, data: bytes, final: bool = False) -> str:  # noqa: FBT001, FBT002  # as it is called
            if not data and not final:
                raise EOFError
            text: str = super().decode(data, final)
            return text

    return Decoder
