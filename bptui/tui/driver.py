"""A terminal driver that a stray byte does not kill."""

from __future__ import annotations

import codecs
from functools import partial
from typing import Any

from textual.drivers import linux_driver


class TolerantDriver(linux_driver.LinuxDriver):
    """Decodes what is typed or pasted with replacement signs where it is not UTF-8."""

    def run_input_thread(self) -> None:
        """The usual loop, with a decoder that does not raise."""
        # The loop makes its decoder from this name of its module; there is no other place to say so.
        vars(linux_driver)["getincrementaldecoder"] = _tolerant
        super().run_input_thread()


def _tolerant(encoding: str) -> Any:
    return partial(codecs.getincrementaldecoder(encoding), errors="replace")
