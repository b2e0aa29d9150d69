"""The driver of an app in a browser: it ends with the server that draws it, and the page has its colour."""

from __future__ import annotations

from textual.drivers.web_driver import WebDriver
from textual.theme import Theme


class ServedDriver(WebDriver):
    """Textual's, which would go on for nobody once its input has ended, and whose margins would stay dark."""

    def start_application_mode(self) -> None:
        """The usual; and what no row and no column fills has the colour of the app, whatever that is later."""
        super().start_application_mode()
        self._app.theme_changed_signal.subscribe(self._app, self._fill)
        self._fill(self._app.current_theme)

    def _fill(self, theme: Theme) -> None:
        """Tell the terminal its background; that of the terminal's own theme is what it began with."""
        ground = theme.background or ""
        self.write(f"\x1b]11;{ground}\x07" if ground.startswith("#") else "\x1b]111\x07")

    def run_input_thread(self) -> None:
        """The usual loop; at its end nobody is there any more."""
        super().run_input_thread()
        self._app.call_later(self._app.exit)
