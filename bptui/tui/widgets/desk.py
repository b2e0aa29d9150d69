"""What all that is on the main screen lies on, each where the plan puts it."""

from __future__ import annotations

from collections.abc import Mapping

from textual.geometry import NULL_REGION, NULL_SPACING, Offset, Region, Size
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.widget import Widget

from bptui.tui.arrangement import Plan, places


class _ByPlan(Layout):
    """Puts each child where the plan has its name; one that it does not name is not in sight."""

    name = "plan"

    def arrange(
        self,
        parent: Widget,
        children: list[Widget],
        size: Size,
        greedy: bool = True,  # noqa: FBT001, FBT002 - as the toolkit has it
    ) -> ArrangeResult:
        """One placement for each that is in sight."""
        del greedy
        assert isinstance(parent, Desk)
        where = parent.arrange_in(size)
        return [
            WidgetPlacement(where[child.id], Offset(), NULL_SPACING, child)
            for child in children
            if child.id is not None and where.get(child.id)
        ]


_BY_PLAN = _ByPlan()


class Desk(Widget):
    """Its children stand by a plan."""

    def __init__(self, *children: Widget, widget_id: str) -> None:
        super().__init__(*children, id=widget_id)
        self.plan = Plan()
        # Whether all stands where the plan wants it.
        self.settled = False
        self._where: Mapping[str, Region] = {}

    @property
    def layout(self) -> Layout:
        """The plan is what arranges."""
        return _BY_PLAN

    def arrange_in(self, size: Size) -> Mapping[str, Region]:
        """By name, where all stands from now on."""
        self._where = places(self.plan, *size)
        self.settled = True
        return self._where

    def place(self, widget: Widget) -> Region:
        """Where on the screen, which is all its own, one of its children stands; an empty region where it does not."""
        return self._where.get(widget.id or "", NULL_REGION)

    @property
    def bare(self) -> bool:
        """Whether no part of it lies under another, or under a page."""
        return self.settled and not self.plan.typing and self.app.screen is self.screen

    def lay(self, plan: Plan) -> None:
        """Another plan."""
        if plan != self.plan:
            self.plan = plan
            self.settled = False
            # The toolkit arranges a widget's children anew where one of them asks for it, not where it does itself.
            self.children[0].refresh(layout=True, repaint=False)
