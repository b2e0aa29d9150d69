"""The lines at the top and the bottom of the screen."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from textual.reactive import reactive

from bptui.commands.registry import Command
from bptui.tui.drawing import prose
from bptui.tui.drawing.keys import told
from bptui.tui.drawing.lines import Line, cut, line, width
from bptui.tui.drawing.stops import watched_bar
from bptui.tui.scene import Scene
from bptui.tui.widgets.looks import commands_of
from bptui.tui.widgets.painted import Painted

_ALWAYS = ("next", "back", "edit", "panes", "help")


class Bar(Painted):
    """One line, drawn from the scene."""

    scene: reactive[Scene | None] = reactive(None, layout=False, repaint=False, always_update=True)

    def made(self, scene: Scene, columns: int) -> Line:
        """The line."""
        raise NotImplementedError

    def watch_scene(self) -> None:
        """Something happened."""
        self.redraw()

    def drawn(self, columns: int, rows: int) -> Sequence[Line]:
        del rows
        return [self.made(self.scene, columns)] if self.scene is not None else []


class HeaderBar(Bar):
    """The network and the moment."""

    def made(self, scene: Scene, columns: int) -> Line:
        return prose.header(scene, columns)


class WatchBar(Bar):
    """The watches, where there is no room for their pane."""

    def made(self, scene: Scene, columns: int) -> Line:
        return watched_bar(scene, columns)


class StatusBar(Bar):
    """The cell under the cursor in full, or what the last command said; for a while what is under the mouse."""

    hover: reactive[str] = reactive("", layout=False, repaint=False)

    def watch_scene(self) -> None:
        """Something happened: the number under the mouse may be another by now."""
        self.set_reactive(StatusBar.hover, "")
        super().watch_scene()

    def watch_hover(self) -> None:
        """The mouse is elsewhere."""
        self.redraw()

    def made(self, scene: Scene, columns: int) -> Line:
        return cut(line((f" {self.hover}", "dim")) if self.hover else prose.status(scene), columns)


class KeysBar(Bar):
    """The most useful keys; it never changes."""

    def watch_scene(self) -> None:
        """Nothing of it changes with the moment; it is drawn when it comes in sight."""
        if self.scene is None or not self._lines:
            self.redraw()

    def made(self, scene: Scene, columns: int) -> Line:
        del scene
        return footer(columns, commands_of(self))


@lru_cache(maxsize=8)
def footer(columns: int, commands: tuple[Command, ...]) -> Line:
    """As many keys as there is room for; help is always among them."""
    shown = [command for command in commands if command.footer and command.key]
    while shown and width(_keys(shown)) > columns:
        removable = [command for command in shown if command.footer not in _ALWAYS]
        if not removable:
            break
        shown.remove(removable[-1])
    return cut(_keys(shown), columns)


def _keys(commands: list[Command]) -> Line:
    return line(" ", *told([(command.key, command.footer) for command in commands]), " ")
