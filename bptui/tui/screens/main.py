"""The main screen: it owns the session and the one scene that all panes draw from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from textual import events
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.reactive import reactive
from textual.timer import Timer
from textual.widgets import Input, Static
from textual.widgets.input import Selection

from bptui.commands import looking, origins, registry
from bptui.commands.answer import Answer
from bptui.commands.branching import compared
from bptui.commands.registry import COMMANDS
from bptui.commands.running import Begun
from bptui.commands.session import Session
from bptui.commands.sweeping import sweep
from bptui.commands.wording import number_text
from bptui.debugger.debugger import spell
from bptui.engine.program import Target
from bptui.engine.timeline import START, Position, normal
from bptui.tui.screens import helping
from bptui.tui.screens.arranging import SMALLEST, Arranged
from bptui.tui.screens.branching import BranchesPage, DiffPage
from bptui.tui.screens.dialogs import EditDialog, Place, TextPage, page_columns
from bptui.tui.screens.past import past
from bptui.tui.screens.running import Free, Running, Sweeping
from bptui.tui.screens.stopping import Stopping
from bptui.tui.screens.tree import TreePage
from bptui.tui.widgets.bars import HeaderBar, KeysBar, StatusBar, WatchBar
from bptui.tui.widgets.field import Field
from bptui.tui.widgets.pane import Pane
from bptui.tui.widgets.panes import FormulaPane, LossPane, NetworkPane, ProgramPane, StopsPane, ValuesPane

PLAY_SECONDS = 0.6
# Digits in the table of a sweep, which is to be compared down its columns.
_SWEPT_DIGITS = 6
# Words that a key asks an argument for: the command line opens with them.
_ASKING = ("goto", "find")


def _bindings() -> list[BindingType]:
    """One binding for every key of the registry's rows.

    They have priority, so that each is carried out before the next key is looked at: what is typed on fast after `:`
    reaches the command line.
    """
    made: list[BindingType] = []
    for command in COMMANDS:
        for key in command.keys:
            action = f"verb('{command.verb}')" if command.verb else f"key_only('{key}')"
            name = f"{command.verb or 'key'}.{key}"
            made.append(Binding(key, action, command.help, show=False, priority=True, id=name))
    return made


class MainScreen(Arranged):
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

    scene: reactive[object] = reactive(None, layout=False, always_update=True)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._view = session.debugger.view()
        self._cursor = self._first_cell()
        self._row = -1
        self._looked = False
        self._note = ""
        self._stopping = Stopping(session)
        self._ticking: Timer | None = None
        self._free_run: Free | None = None
        self._free_line = ""

    def compose(self) -> ComposeResult:
        with Container(id="all"):
            yield HeaderBar(id="header").data_bind(MainScreen.scene)
            with Container(id="middle"):
                with Container(id="left"):
                    yield ProgramPane(1, "program").data_bind(MainScreen.scene)
                    yield ValuesPane(2, "values").data_bind(MainScreen.scene)
                    yield StopsPane(6, "stops").data_bind(MainScreen.scene)
                with Container(id="right"):
                    yield NetworkPane(3, "network").data_bind(MainScreen.scene)
                    yield FormulaPane(4, "formula").data_bind(MainScreen.scene)
                    yield LossPane(5, "loss").data_bind(MainScreen.scene)
            yield WatchBar(id="watched").data_bind(MainScreen.scene)
            yield StatusBar(id="status").data_bind(MainScreen.scene)
            yield Field(
                id="line",
                placeholder="a command, such as  set w5 = 0.2 at 0:0   (help lists them)",
                select_on_focus=False,  # it opens with a word, such as `find `, that typing must not replace
            )
            yield KeysBar(id="keys").data_bind(MainScreen.scene)
        yield Static(Content(f"too small: {SMALLEST[0]}×{SMALLEST[1]} is needed"), id="small")

    def on_mount(self) -> None:
        """Ready for the first key."""
        self.fit(*self.app.size)
        self.query_one(ProgramPane).focus()
        notes = self.session.notes
        self._show(notes[0] if len(notes) == 1 else None)
        if len(notes) > 1:
            self.app.push_screen(TextPage("about this session", notes))

    # What is shown

    def _show(self, note: str | None = None) -> None:
        """Make the scene anew; the only place that writes it."""
        self._view = self.session.debugger.view()
        said = self._view.message if note is None else note
        self._note = "  ".join(part for part in (said, self.session.unsaved) if part)
        self._draw()

    def _draw(self) -> None:
        passing = self._free_run is not None
        stops = self._stopping.rows(passing=passing)
        scene = helping.scene_of(
            self.session, self._view, self._cursor, self._row, looked=self._looked, note=self._note,
            compact=self.has_class("compact"),
        )  # fmt: skip
        self.scene = replace(scene, stops=stops, past=past(self.session.debugger, stops.plotted, passing=passing))
        self.make_room(len(stops.breakpoints), len(stops.watched))

    def _first_cell(self) -> tuple[str, int]:
        """The last layer's first weight: what a newcomer wants to turn first."""
        parameters = [name for name in self.session.debugger.program.parameters if name.startswith("W")]
        return (parameters[-1] if parameters else "x"), 0

    def _refuse(self, error: ValueError | OSError) -> None:
        self._note = " ".join(str(error).splitlines())
        self._draw()

    # Keys

    def interrupted(self, key: str) -> bool:
        """Any key interrupts a run, and does nothing else then, but for those that quit and suspend."""
        return self._stop_running() and key not in (*registry.find("quit").keys, "ctrl+z")

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
            "branches": self._branches,
        }  # fmt: skip
        if verb in _ASKING:
            self.open_line(f"{verb} ")
        elif verb in special:
            return special[verb]()
        else:
            self._do(verb)
        return None

    def action_key_only(self, key: str) -> None:
        """A key that has no word."""
        self._not_while_typing()
        if key.isdigit():
            self.focus_pane(int(key))
        else:
            keys: dict[str, Callable[[], object]] = {
                "minus": lambda: self._nudge(-1), "z": self._zoom, "colon": lambda: self.open_line(""),
                "tab": self.focus_next_pane, "left_square_bracket": lambda: self._tensor(-1),
                "right_square_bracket": lambda: self._tensor(1),
            }  # fmt: skip
            keys[key]()

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

    def on_unmount(self) -> None:
        """Nothing goes on after the app."""
        if self._free_run is not None:
            self._free_run.stop()

    def action_leave(self) -> None:
        """Close the command line, or come back from a page or a zoomed pane."""
        self._stop_playing()
        if isinstance(self.focused, Input):
            self._close_line()
            return
        self.unzoom()
        self.close_pages()
        self.set_focus(self.query_one(ProgramPane))

    def _do(self, line: str) -> None:
        """Carry out a line of the command language and show what came of it."""
        here = self._position()
        try:
            answer = self.session.begin(line)
        except (ValueError, OSError) as error:
            self._refuse(error)
            return
        if isinstance(answer, Begun):
            self._looked = False
            self._go(Running(self.session.debugger, answer, self._show, lambda came: self._ended(line, came)), line)
            return
        if answer.quit:
            self.app.exit()
            return
        self._after(line, answer)
        if self._position() == here == START and line in ("back", "step-back", "iteration-back", "start"):
            self._show("this is the very start")

    def _after(self, line: str, answer: Answer) -> None:
        if answer.loaded:
            self._cursor, self._row = self._first_cell(), -1
        verb = line.split(maxsplit=1)[0] if line.split() else ""
        self._looked = False
        moved = verb not in ("print", "p", "save") and len(answer.lines) <= 2
        note = "" if moved and answer.lines and answer.lines[0].startswith(f"{self._position()} ") else None
        if len(answer.lines) > 2:
            self._show("")
            self.app.push_screen(TextPage(line, list(answer.lines)))
        else:
            said = answer.lines[1:] if note == "" else answer.lines
            self._show("  ".join(said))

    def _run_to(self, verb: str) -> None:
        if self._row < 0:
            self._show("choose an operation first: ↑ and ↓ in the program (1)")
        else:
            self._do(f"{verb} {self._row + 1}")

    # Stopping

    def _break(self) -> None:
        """At the operation under the program's cursor; from elsewhere the command line asks where."""
        if isinstance(self.focused, ProgramPane) and self._row >= 0:
            self._do(self._stopping.toggle(self._row))
        else:
            self.open_line("break ")

    def _watch(self) -> None:
        """The command line, with the cell under the cursor as what is typed over."""
        self.open_line("watch ", self._stopping.suggestion(*self._cursor))

    def _branches(self) -> None:
        """The tree of branches; what is chosen there is carried out."""
        self.app.push_screen(BranchesPage(self.session.debugger.branches), self._chosen_branch)

    def _chosen_branch(self, line: str | None) -> None:
        verb, _, name = (line or "").partition(" ")
        if verb == "diff":
            self._diff(name)
        elif verb:
            self._do(line or "")
        if verb == "delete":
            self._branches()

    def _diff(self, name: str) -> None:
        """Two timelines side by side."""
        try:
            found = compared(self.session, name)
        except ValueError as error:
            self._refuse(error)
            return
        self.session.acknowledge(f"diff {name}")
        self.app.push_screen(DiffPage(found, self.session.debugger.program))

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
            self._draw()

    def _position(self) -> Position:
        return self.session.debugger.position

    # Editing

    def _edit(self) -> object:
        """Open the dialog; ready once what this gives is awaited, so that a number typed at once is for it."""
        slot, cell = self._cursor
        debugger = self.session.debugger
        target = Target(slot, (cell,), scalar=True)
        name = debugger.spell(target)
        if not self._view.is_computed(slot, cell):
            self._show(f"{name} is not computed yet: {debugger.writing(slot)}")
            return None
        value = number_text(self._view.number(slot, cell))

        def apply(text: str, at: str | None) -> None:
            edit = debugger.set(name, text, at)
            self.session.acknowledge(f"set {name} = {text}{f' at {at}' if at else ''}")
            self._show(f"set {name} = {edit.values[0]:.12g} at {edit.position}; u takes it back")

        return self.app.push_screen(EditDialog(name, value, self._places(slot, cell), apply), lambda _: None)

    def _places(self, slot: str, cell: int) -> list[Place]:
        """From when an edit of a cell may hold."""
        del cell
        here = self._position()
        program = self.session.debugger.program
        writer = program.writers.get(slot)
        places = [(here, Place(f"from here, {here}", None))]
        if program.slots[slot].persistent:
            begun = normal(program, here.iteration, 0, 0)
            places.append((begun, Place(f"from the start of this iteration, {here.iteration}:0", str(begun))))
            places.append((START, Place("from the very start, 0:0", "0:0")))
        elif writer is not None and here.op > writer + 1:
            done = normal(program, here.iteration, writer + 1, 0)
            places.append((done, Place(f"from where it was computed, {done}", str(done))))
        return list(dict(places).values())

    def _nudge(self, steps: int) -> None:
        slot, cell = self._cursor
        try:
            edit = self.session.debugger.nudge(Target(slot, (cell,), scalar=True), steps)
        except ValueError as error:
            self._refuse(error)
            return
        name = spell(self.session.debugger.program, Target(slot, (cell,)))
        self.session.acknowledge(f"nudge {name}")
        since = (
            "at the start of this iteration"
            if self.session.debugger.program.slots[slot].persistent
            else "when computed"
        )
        self._show(f"{name} = {edit.values[0]:.12g} {since}, and all that follows from it; u takes it back")

    # Looking

    def _explain(self) -> None:
        """The cell whose formula is shown; in the values the one under the cursor."""
        slot, cell = self._cursor
        if self._view.moment is not None and not self._looked and not isinstance(self.focused, ValuesPane):
            slot, cell = helping.written_cell(self._view, self._cursor)
        title = f"where {spell(self.session.debugger.program, Target(slot, (cell,)))} comes from"
        tree = origins.opened(self.session, slot, cell)

        def deeper() -> None:
            if tree is not None:
                self.app.push_screen(TreePage(title, tree), self._visit)

        lines = looking.explain_cell(self.session, slot, cell)
        if tree is None or len(lines) <= origins.MOST_LINES:
            self.app.push_screen(TextPage(title, lines, deeper if tree else None))
        else:
            deeper()

    def _visit(self, position: Position | None) -> None:
        """Go where a page has led, if anywhere."""
        if position is not None:
            self._do(f"goto {position}")

    def _origin(self) -> None:
        """Where the number under the cursor was written; pressed again there, where its old value was."""
        slot, cell = self._cursor
        name = spell(self.session.debugger.program, Target(slot, (cell,)))
        try:
            where, *said = self.session.execute(f"origin {name}").lines
        except (ValueError, OSError) as error:
            self._refuse(error)
            return
        self._show()
        self.point(slot, cell, said[0] if said else where)

    def _page(self, title: str, line: str) -> None:
        self.app.push_screen(TextPage(title, list(self.session.execute(line).lines)))

    def _help(self) -> None:
        pane = self.focused if isinstance(self.focused, Pane) else None
        self.app.push_screen(TextPage("Keys that work here", helping.keys(pane, page_columns(self.app.size.width))))

    def _tensor(self, by: int) -> None:
        """The cursor to the next or previous slot."""
        from bptui.tui.drawing.table import shown_slots

        if self.scene is None:
            return
        slots = shown_slots(self.scene)  # type: ignore[arg-type]
        here = (
            slots.index(self._cursor[0].removesuffix(".grad")) if self._cursor[0].removesuffix(".grad") in slots else 0
        )
        self.point(slots[(here + by) % len(slots)], 0)

    def point(self, slot: str, cell: int, note: str = "") -> None:
        """The reader moved to a cell of the values."""
        self._cursor = (slot, cell)
        self._looked = True
        self._note = note
        self._draw()

    def choose_row(self, op: int) -> None:
        """The reader moved in the program."""
        self._row = op
        self._note = ""
        self._draw()

    # Time

    def _play(self) -> None:
        if self._ticking is not None:
            self._stop_playing()
            self._show("paused")
            return
        self._ticking = self.set_interval(PLAY_SECONDS, lambda: self._do("next"))
        self._show("playing; space pauses")

    def _stop_playing(self) -> None:
        if self._ticking is not None:
            self._ticking.stop()
            self._ticking = None

    def _go(self, free: Free, line: str) -> None:
        """Let go what any key breaks off; `line` is what it is, where anything has changed then."""
        self._free_run, self._free_line = free, line
        free.slice(self)

    def _ended(self, line: str, came: Answer | ValueError | OSError) -> None:
        self._free_run = None
        if not isinstance(came, Answer):
            self._refuse(came)
            return
        self.session.acknowledge(line)
        self._after(line, came)

    def _stop_running(self) -> bool:
        """Any key interrupts a run."""
        if self._free_run is None:
            return False
        said = self._free_run.stop()
        self._free_run = None
        if self._free_line:
            self.session.acknowledge(self._free_line)
        self._show(said)
        return True

    def _sweep(self, rest: str) -> None:
        """Forks from here, while the screen goes on; all of them on a page."""
        debugger, line = self.session.debugger, f"sweep {rest}"
        here = debugger.timeline, debugger.position
        digits = self.session.digits or _SWEPT_DIGITS

        def ended(came: Answer | ValueError | OSError) -> None:
            self._ended(line, came)

        self._go(Sweeping(lambda begun: sweep(*here, rest, digits, begun), self._show, ended), "")

    # The command line

    def open_line(self, text: str, suggestion: str = "") -> None:
        """The command line with a text; what is suggested after it is typed over."""
        self._stop_playing()
        self.note_reading()
        line = self.query_one("#line", Field)
        self.add_class("typing")
        line.begin(text + suggestion)
        self.set_focus(line)  # at once: the next key is for it
        line.selection = Selection(len(text), len(line.value))

    def _close_line(self) -> None:
        self.remove_class("typing")
        if isinstance(self.focused, Input):
            self.focus_back()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter runs the line and closes it."""
        self._close_line()
        word = event.value.strip()
        verb, _, rest = word.partition(" ")
        if verb == "diff":
            self._diff(rest.strip())
        elif word in ("branches", "d"):
            self._branches()
        elif verb == "sweep":
            self._sweep(rest.strip())
        elif event.value.strip():
            self._do(event.value.strip())
        self.app.post_message(Field.Read())

    # Layout

    def on_resize(self, event: events.Resize) -> None:
        """Another arrangement for another size."""
        self.fit(*event.size)
        if self.is_mounted:
            self._draw()
            self.call_after_refresh(self.focus_again)

    def _zoom(self) -> None:
        """One pane alone, and back."""
        if self.has_class("zoom"):
            self.unzoom()
            self._show("")
        elif isinstance(self.focused, Pane):
            self.zoom_on(self.focused)
            self._show("z shows all panes again")
