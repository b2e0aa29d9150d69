"""The main screen: its panes, its keys, and the command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Protocol, cast

from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, Static

from bptui.commands.registry import COMMANDS, CommandError
from bptui.engine.network import nearest
from bptui.files.text import safe
from bptui.tui.arrangement import SMALLEST
from bptui.tui.drawing.look import Look
from bptui.tui.drawing.palette import THEMES
from bptui.tui.screens.copying import Copying
from bptui.tui.screens.touring import Touring
from bptui.tui.screens.typing import Typing
from bptui.tui.widgets.bars import HeaderBar, KeysBar, StatusBar, WatchBar
from bptui.tui.widgets.desk import Desk
from bptui.tui.widgets.formula import FormulaPane
from bptui.tui.widgets.looks import commands_of
from bptui.tui.widgets.network import NetworkPane
from bptui.tui.widgets.pane import Pane
from bptui.tui.widgets.program import ProgramPane
from bptui.tui.widgets.stops import StopsPane
from bptui.tui.widgets.time import LossPane
from bptui.tui.widgets.values import ValuesPane

if TYPE_CHECKING:
    from bptui.tui.screens.finding import Chosen

# Words that a key asks an argument for: the command line opens with them.
_ASKING = ("goto", "find")


def _bindings() -> list[BindingType]:
    """One binding for every key of the registry's rows.

    They have priority, so that each is carried out before the next key is looked at: what is typed on fast after `:`
    reaches the command line.
    """
    made: list[BindingType] = []
    for command in COMMANDS:
        if command.verb and command.keys:
            keys, action = ",".join(command.keys), f"verb('{command.verb}')"
            made.append(Binding(keys, action, command.help, show=False, priority=True, id=command.name))
            continue
        for key in command.keys:
            name = command.name or f"key.{key}"
            made.append(Binding(key, f"key_only('{key}')", command.help, show=False, priority=True, id=name))
    return made


class Dressed(Protocol):
    """The app, as far as its look goes."""

    look: Look

    def dress(self, look: Look) -> None:
        """Look otherwise from now on."""


class MainScreen(Typing, Touring, Copying):
    """Six panes that follow one view."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *_bindings(),
        Binding("enter", "verb('set')", "edit the cell under the cursor", show=False, id="set.enter"),
        Binding("escape", "leave", "leave the command line or a page", show=False, priority=True, id="leave"),
        Binding(
            "ctrl+c",
            "interrupt",
            "stop a run, leave the command line, or quit",
            show=False,
            priority=True,
            id="interrupt",
        ),
    ]

    def compose(self) -> ComposeResult:
        yield Desk(
            HeaderBar(id="header").data_bind(MainScreen.scene),
            ProgramPane(1, "program").data_bind(MainScreen.scene),
            ValuesPane(2, "values").data_bind(MainScreen.scene),
            StopsPane(6, "stops").data_bind(MainScreen.scene),
            NetworkPane(3, "network").data_bind(MainScreen.scene),
            FormulaPane(4, "formula").data_bind(MainScreen.scene),
            LossPane(5, "loss").data_bind(MainScreen.scene),
            WatchBar(id="watched").data_bind(MainScreen.scene),
            StatusBar(id="status").data_bind(MainScreen.scene),
            *self.line_widgets(),
            KeysBar(id="keys").data_bind(MainScreen.scene),
            Static(Content(f"too small: {SMALLEST[0]}×{SMALLEST[1]} is needed"), id="small"),
            widget_id="all",
        )

    def on_mount(self) -> None:
        """Ready for the first key."""
        self._bind_words()
        self.query_one(ProgramPane).focus()
        notes = self.session.notes
        self._show(notes[0] if len(notes) == 1 else None)
        if len(notes) > 1:
            from bptui.tui.screens.dialogs import TextPage

            self.app.push_screen(TextPage("About this session", notes))
        self.call_after_refresh(self._look_ahead, "next")

    # Keys

    def _bind_words(self) -> None:
        """Keys that a person gave to words which have none usually."""
        for usual, command in zip(COMMANDS, commands_of(self), strict=True):
            if command.verb and command.keys and not usual.keys:
                self._bindings.bind(",".join(command.keys), f"word('{command.verb}')", show=False, priority=True)

    def action_word(self, verb: str) -> None:
        """A word by a key: carried out, or written on the command line where something has to follow."""
        self._not_while_typing()
        usage = next(command.usage for command in COMMANDS if command.verb == verb)
        if usage and not usage.startswith("["):
            self.open_line(f"{verb} ")
        else:
            self._read(verb)

    def action_verb(self, verb: str) -> object:
        """A key of a verb: from every pane, except while somebody types. What it opens is waited for."""
        self._not_while_typing()
        return self.carry_out(verb)

    def carry_out(self, verb: str) -> object:
        """What a verb does; what it opens is given, to be waited for."""
        if verb != "play":
            self._stop_playing()
        special: dict[str, Callable[[], object]] = {
            "play": self._play, "set": self._edit, "nudge": lambda: self._nudge(1), "explain": self._explain,
            "origin": self._origin, "help": self._help, "quit": self.app.exit,
            "formulas": lambda: self._page("Every update formula", "formulas"),
            "to": lambda: self._run_to("to"), "to-back": lambda: self._run_to("to-back"),
            "break": self._break, "breakpoints": lambda: self.focus_pane(6), "watch": self._watch,
            "branches": self._branches, "predict": self._predict,
            "view": lambda: self._view_of(1), "open": self._open, "tour": self.tour,
            "copy": lambda: self._copy(""), "restart": self._ask_for_settings,
        }  # fmt: skip
        if verb in _ASKING:
            self.open_line(f"{verb} ")
        elif verb in special:
            return special[verb]()
        else:
            self._do(verb)
        return None

    def action_key_only(self, key: str) -> object:
        """A key that has no word. What it opens is waited for."""
        self._not_while_typing()
        if key.isdigit():
            self.focus_pane(int(key))
            return None
        keys: dict[str, Callable[[], object]] = {
            "minus": lambda: self._nudge(-1), "E": self._edit_whole, "V": lambda: self._view_of(-1), "z": self._zoom,
            "colon": lambda: self.open_line(""), "ctrl+p": self._find,
            "tab": self.focus_next_pane, "left_square_bracket": lambda: self._tensor(-1),
            "right_square_bracket": lambda: self._tensor(1),
            "left_curly_bracket": lambda: self._tensor(-1, whole=True),
            "right_curly_bracket": lambda: self._tensor(1, whole=True),
        }  # fmt: skip
        return keys[key]()

    def _not_while_typing(self) -> None:
        """Raises SkipAction where a key belongs to the command line."""
        if isinstance(self.focused, Input):
            raise SkipAction

    def action_interrupt(self) -> None:
        """Ctrl+C means stop: what runs, else what is being typed, else the app, with the exit code of an interrupt."""
        if isinstance(self.focused, Input):
            self.action_leave()
        else:
            self.app.exit(return_code=130)

    def action_leave(self) -> None:
        """Close the command line, or come back from a page or a zoomed pane."""
        self._stop_playing()
        if isinstance(self.focused, Input):
            self._close_line()
            self._answer("")
            return
        self.first_sight()

    def unknown(self, key: str) -> None:
        """A key that nothing belongs to: say where all are."""
        self._show(f"{safe(key)} does nothing here; ? shows every key, :tour what they are for")

    # Everything that can be done

    def _help(self) -> object:
        """The keys, those of the focused pane first."""
        from bptui.tui.screens.manual import HelpPage, sections

        pane = self.focused if isinstance(self.focused, Pane) else None
        active = self.active_bindings.values()
        own = [one.binding for one in active if one.node is pane]

        def find(wanted: bool | None) -> None:  # noqa: FBT001 - what the page gives
            if wanted:
                self._find()

        return self.app.push_screen(HelpPage(sections(pane, own, commands_of(self))), find)

    def _find(self) -> object:
        """The page of all of it."""
        from bptui.tui.screens.finding import FindPage, offers

        panes = sorted(self.query(Pane), key=lambda pane: pane.number)
        return self.app.push_screen(FindPage(offers(commands_of(self), panes)), self._found)

    def _found(self, chosen: Chosen | None) -> None:
        """What was chosen there is done as its key would, or as its word; what it needs is asked for."""
        if chosen is None:
            return
        offer, write = chosen
        line = offer.line or offer.verb
        if line and (write or offer.needs):
            self.open_line(f"{line} " if offer.usage else line)
        elif offer.press:
            self.action_key_only(offer.press)
        elif offer.key:
            self.carry_out(offer.verb)
        else:
            self._read(line)

    # Stops

    def _break(self) -> None:
        """At the operation under the program's cursor; from elsewhere the command line asks where."""
        if isinstance(self.focused, ProgramPane) and self._row >= 0:
            self._do(self._stopping.toggle(self._row))
        else:
            self.open_line("break ")

    def _watch(self) -> None:
        """The command line, with the cell under the cursor as what is typed over."""
        self.open_line("watch ", self._stopping.suggestion(*self._cursor))

    def choose_stop(self, down: int) -> None:
        """The reader moved in the stops."""
        self._stopping.choose(down)
        self._note = ""
        self._draw()

    def change_stop(self, deed: str) -> None:
        """The reader did something to a row of the stops."""
        line = self._stopping.switch() if deed == "switch" else self._stopping.drop()
        if line:
            self._do(line)
        else:
            self.query_one(LossPane).show("watch" if self._stopping.plotted else "loss")

    def _read(self, line: str) -> None:
        """A line; some words have a screen of their own here."""
        verb, _, rest = line.partition(" ")
        words: dict[str, Callable[[str], None]] = {
            "diff": self._diff, "sweep": self._sweep, "view": self._view_named, "theme": self._wear,
            "look": self._look_at, "copy": self._copy,
            "mark": self._mark,
        }  # fmt: skip
        if line in ("branches", "d"):
            self._branches()
        elif verb in words and (rest or verb != "view"):
            words[verb](rest.strip())
        elif line in ("predict", "view", "play", "open", "tour", "restart"):
            self.carry_out(line)
        elif line:
            self._do(line)

    def _wear(self, theme: str) -> None:
        """Another theme, from now on."""
        if theme not in THEMES:
            self._refuse(
                CommandError(f"no theme is called {theme[:40]!r}{nearest(theme, THEMES)}: {', '.join(THEMES)}")
            )
            return
        app = cast(Dressed, self.app)
        app.dress(replace(app.look, theme=theme))

    # Layout

    def on_resize(self) -> None:
        """Another arrangement for another size."""
        if self.is_mounted:
            self._draw()
            self.call_after_refresh(self.focus_again)

    def _zoom(self) -> None:
        """One pane alone, and back."""
        if self.plan.zoomed:
            self.unzoom()
            self._show("")
        elif isinstance(self.focused, Pane):
            self.zoom_on(self.focused)
            self._show("z shows all panes again")
