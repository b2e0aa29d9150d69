"""Which panes are in sight: pages of the small arrangement, one pane alone; and where the focus is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from textual import events
from textual.screen import Screen

from bptui.engine.program import Program
from bptui.tui.arrangement import PAGES, Plan, is_small, is_tiny
from bptui.tui.widgets.desk import Desk
from bptui.tui.widgets.pane import Pane
from bptui.tui.widgets.stops import StopsPane


class Arranged(Screen[None]):
    """A screen of numbered panes that stand by a plan."""

    def __init__(self) -> None:
        super().__init__()
        self._reading = 1
        self.plan = Plan()

    @property
    def small(self) -> bool:
        """Whether one thing is shown after the other."""
        return is_small(*self.app.size)

    def plan_for(self, **wanted: Any) -> None:
        """Have something else in sight."""
        plan = replace(self.plan, **wanted)
        if plan == self.plan:
            return
        self.plan = plan
        for desk in self.query(Desk):  # none where the app is leaving
            desk.lay(self.plan)

    def make_room(self, program: Program, breakpoints: int, watches: int) -> None:
        """For the listing, as long as it is; the pane of stops is there while it has rows."""
        phases = len({instruction.phase for instruction in program.instructions})
        self.plan_for(listing=len(program) + phases, stops=breakpoints + watches, watches=watches > 0)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Remember the pane, for when a window too small to show any has grown again."""
        if isinstance(event.widget, Pane):
            self._reading = event.widget.number
            here = self.focused is event.widget
            if here:
                self.line_left()  # the mouse leaves the command line without a word
            self.plan_for(typing=self.plan.typing and not here, on_stops=isinstance(event.widget, StopsPane))

    def line_left(self) -> None:
        """Nothing is typed any more."""

    def note_reading(self) -> None:
        """The same at once, before the focus goes to the command line."""
        if isinstance(self.focused, Pane):
            self._reading = self.focused.number

    def focus_again(self) -> None:
        """What was hidden has lost the focus; without one the arrows would be dead."""
        if self.focused is None and not is_tiny(*self.app.size):
            self.focus_pane(self._reading)

    def focus_back(self) -> None:
        """From the command line to the pane where the reader was."""
        self.set_focus(next(pane for pane in self.query(Pane) if pane.number == self._reading))

    def focus_pane(self, number: int) -> None:
        """Focus a pane, opening its page where it has one."""
        pane = next(pane for pane in self.query(Pane) if pane.number == number)
        self._open_page(pane)
        self.set_focus(pane)  # at once: the next key is for it
        if self.focused is not pane:
            pane.focus()

    def focus_next_pane(self) -> None:
        """Focus the pane with the next number; that of stops only where it has something to show."""
        numbers = sorted(pane.number for pane in self.query(Pane) if pane.id != "stops" or self.plan.stops)
        here = self.focused.number if isinstance(self.focused, Pane) else 0
        self.focus_pane(next((number for number in numbers if number > here), numbers[0]))

    def _open_page(self, pane: Pane) -> None:
        """In the small arrangement some panes are pages of their own."""
        name = pane.id or ""
        zoomed = name if self.plan.zoomed else ""
        self.plan_for(page=name if name in PAGES else "", on_stops=name == "stops", zoomed=zoomed)

    def close_pages(self) -> None:
        """Back to the first page of the small arrangement."""
        self.plan_for(page="", on_stops=False)

    def first_sight(self) -> None:
        """As it is at the beginning, for another network: the page of one's last plot says nothing of it."""
        self.unzoom()
        self.close_pages()
        self.focus_pane(1)

    def zoom_on(self, pane: Pane) -> None:
        """One pane alone."""
        self.plan_for(zoomed=pane.id or "")

    def unzoom(self) -> None:
        """All panes again."""
        self.plan_for(zoomed="")
