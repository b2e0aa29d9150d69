"""What goes to the terminal's or the browser's clipboard, and into a file beside: neither says whether it took it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bptui.commands.registry import CommandError
from bptui.commands.wording import number_text
from bptui.engine.program import Target
from bptui.files.report import FileError
from bptui.files.text import safe
from bptui.tui.scene import Scene
from bptui.tui.screens.opening import Opening

if TYPE_CHECKING:
    from bptui.commands.copying import Asked

# Terminals and tmux drop what is longer, in base64, without a word.
MOST_CODED = 74_000
# The terminal of a page in a browser drops more than ten million.
_MOST_SERVED = 9_000_000
_MOMENT = 0.1


class Copying(Opening):
    """A screen from which things are copied."""

    def _copy(self, rest: str) -> None:
        """What is named; without a name the number under the cursor, in full."""
        from bptui.commands import copying

        try:
            slot, cell = self._cursor
            named = rest or self.session.debugger.spell(Target(slot, (cell,), scalar=True))
            wanted = copying.asked(self.session, named)
            if wanted.form == "svg":
                # The line that asked for it is gone from the screen by then: it takes a layout, which takes a moment.
                self.set_timer(_MOMENT, lambda: self._copy_screen(wanted))
            else:
                text = self._cell_text(slot, cell) if not rest else self._text(wanted)
                self._hand_over(wanted, text)
        except (ValueError, OSError) as error:
            self._refuse(error)

    def _cell_text(self, slot: str, cell: int) -> str:
        if not self._view.is_computed(slot, cell):
            raise CommandError(f"not computed yet: {self.session.debugger.writing(slot)}")
        return number_text(self._view.number(slot, cell))

    def _text(self, wanted: Asked) -> str:
        from bptui.commands import copying
        from bptui.commands.copying import FORMULA

        scene = self.scene
        if wanted.what == FORMULA and isinstance(scene, Scene) and scene.formula is not None:
            made = copying.shown_formula(self.session, *scene.formula)
            return copying.formula_text(made, wanted.form)
        return copying.text_of(self.session, wanted)

    def _copy_screen(self, wanted: Asked) -> None:
        try:
            self._hand_over(wanted, self.app.export_screenshot(title=self.session.debugger.program.network.name))
        except (ValueError, OSError) as error:
            self._refuse(error)

    def _hand_over(self, wanted: Asked, text: str) -> None:
        """To the file that is named, or to the clipboard. Raises ValueError."""
        from bptui.commands import copying

        if wanted.file:
            self._show(copying.written(self.session, wanted, text))
            return
        coded = -(-len(text.encode("utf-8", "replace")) // 3) * 4
        whose, most = ("browser", _MOST_SERVED) if self.app.is_web else ("terminal", MOST_CODED)
        kept = self._kept(wanted, text)
        if coded <= most:
            self.app.copy_to_clipboard(text)
            beside = f"; also in {kept}" if kept else "; no file is kept here" if self.app.is_web else ""
            self._show(f"{wanted.words} sent to the {whose}'s clipboard{beside}")
        elif kept:
            self._show(f"{wanted.words} is too long for a {whose}'s clipboard: in {kept}")
        else:
            raise CommandError(f"{wanted.words} is too long for a {whose}'s clipboard, and there are no files here")

    def _kept(self, wanted: Asked, text: str) -> str:
        """Where it is kept too, or "" where that can't be."""
        from bptui.commands import copying
        from bptui.files import copies

        if not self.session.files:
            return ""
        try:
            return _from_home(copies.keep(text, copying.SUFFIXES[wanted.form]))
        except FileError:
            return ""


def _from_home(path: Path) -> str:
    """A path as a person knows it."""
    home = Path.home()
    return safe(f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path))
