"""Another network in place of this one, and this one's spec read again whenever its file has changed."""

from __future__ import annotations

from textual.widgets import Input

from bptui.commands.answer import Answer
from bptui.files.choices import Choice, choices
from bptui.files.origins import Origin
from bptui.files.report import SpecError
from bptui.files.settings import current, text, written
from bptui.files.watching import SpecWatch
from bptui.tui.screens.opening import Opening
from bptui.tui.screens.settings import SettingsPage

# Between two looks at the spec's file; what is seen changed is read at the next look, when it rests.
SECONDS = 0.5


class Renewing(Opening):
    """A screen that notices when the spec of its network changes."""

    _watched: SpecWatch | None = None
    # The network of whose spec the file is full of mistakes now.
    _mistaken: Origin | None = None

    def on_mount(self) -> None:
        """Look at the spec's file now and then, if files may be looked at."""
        if not self.session.files:
            return
        self._watched = SpecWatch(self.session.origin)
        self.set_interval(SECONDS, self.look_at_the_spec)

    def open_line(self, text: str, suggestion: str = "") -> None:
        """The command line with a text."""
        raise NotImplementedError

    @property
    def mistaken(self) -> bool:
        return self._mistaken is self.session.origin

    def look_at_the_spec(self) -> None:
        """Read it again where it has changed; not while something goes on, or is typed or opened."""
        busy = self._underway is not None or self._ticking is not None or isinstance(self.focused, Input)
        if busy or self.app.screen is not self:
            return
        if self._watched is None or self._watched.origin is not self.session.origin:
            self._watched = SpecWatch(self.session.origin)
        if self._watched.changed():
            self._do("reload", asked=False)

    def _failed(self, line: str, error: ValueError | OSError, *, asked: bool) -> None:
        if line == "reload" and isinstance(error, SpecError):
            self._mistaken = self.session.origin
            first, *more = error.lines
            if more and not asked:
                error = SpecError([f"{len(error.lines)} mistakes, :reload shows them all   {first}"])
        super()._failed(line, error, asked=asked)

    def _after(self, line: str, answer: Answer) -> None:
        looked = self._looked
        if line == "reload":
            self._mistaken = None
        super()._after(line, answer)
        if looked and line == "reload":
            self._looked = True
            self._draw()

    def _open(self) -> object:
        """The page from which another network is opened."""
        from bptui.tui.screens.choosing import OpenPage

        network = self.session.debugger.program.network
        anew = Choice("this network anew, with other settings", network.name, written(current(network)), anew=True)
        page = OpenPage([anew, *choices(self.session.folder)], self._opened)

        def after(wanted: bool | None) -> None:  # noqa: FBT001 - what the page gives
            if wanted:
                self._ask_for_settings()

        return self.app.push_screen(page, after)

    def _ask_for_settings(self) -> object:
        """The form with all settings as they are, to be changed."""
        known = current(self.session.debugger.program.network)
        came: list[Answer] = []

        def restart(changes: str) -> str:
            try:
                came.append(self.session.execute(f"restart {changes}".rstrip()))
            except (ValueError, OSError) as error:
                return " ".join(str(error).splitlines())
            return ""

        def after(_: None) -> None:
            for answer in came:
                self._after("restart", answer)

        page = SettingsPage({name: text(name, value) for name, value in known.items()}, restart)
        return self.app.push_screen(page, after)

    def _opened(self, named: str) -> list[str]:
        """Open a network by its name; what is wrong with it."""
        try:
            answer = self.session.execute(f"open {named}")
        except SpecError as error:
            return error.lines
        except (ValueError, OSError) as error:
            return [str(error)]
        self._after("open", answer)
        return []
