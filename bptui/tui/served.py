"""The driver of an app in a browser: it ends with the server that draws it."""

from __future__ import annotations

from textual.drivers.web_driver import WebDriver


class ServedDriver(WebDriver):
    """Textual's, which would go on for nobody once its input has ended."""

    def run_input_thread(self) -> None:
        """The usual loop; at its end nobody is there any more."""
        super().run_input_thread()
        self._app.call_later(self._app.exit)
