"""Running: to breakpoints and conditions either way, and what is said where a run has come to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bptui.debugger import conditions
from bptui.debugger.breakpoints import Breakpoint
from bptui.debugger.editing import DebuggerError
from bptui.debugger.examiner import Examiner
from bptui.debugger.looking import Looking
from bptui.debugger.rows import Rows
from bptui.debugger.stops import Breakpoints, Ended, Run
from bptui.debugger.view import View
from bptui.engine.network import Array
from bptui.engine.timeline import START, Position


class Running(Looking):
    """Runs begun from where one is; each goes on in portions, and is arrived from or left."""

    def run(self, *, back: bool = False) -> Run:
        """A run to the next breakpoint or back to the previous, in portions; `arrive` ends it. Raises DebuggerError."""
        if not back:
            self._refuse_at_end()
        self._note_losses()
        return Run(self._player, self.timeline, self.breakpoints, START if back else self.end, back=back)

    def arrive(self, ended: Ended) -> View:
        """Go to where a run ended, and say why it did."""
        view = self.goto(ended.position)
        if ended.stopped:
            message = "stopped at " + "; ".join(
                f"breakpoint {one.number}: {one.text}{self.told(one.condition)}" for one in ended.stopped
            )
        elif ended.position == START:
            message = "stopped at the start: nothing to stop at before it"
        else:
            message = f"stopped at the end: {self.program.network.iterations} iterations{self._lost(view)}"
        return replace(view, message=message)

    def told(self, condition: conditions.Condition) -> str:
        """What it is that a condition holds of here, in brackets, where it has a word for that."""
        place = self.position.op - 1
        if place not in condition.places:
            return ""
        if condition.recall is not None:
            return f" ({condition.recall(place, self._quantities(condition, place))})"
        if condition.tell is None:
            return ""
        rows = before = Rows.of(self._player.live())
        if condition.compares:
            before = Rows.of(self._begun(self._moment_here(self._player.state()).before, place))
        return f" ({condition.tell(place, rows, before)})"

    def _quantities(self, condition: conditions.Condition, place: int) -> Array:
        """What a condition looks at, here and in the iterations before that it looks back at: (n, k)."""
        here = self.position
        rows = Rows.of(self._player.live())
        now = np.array(condition.quantity(place, rows, rows))
        examiner = Examiner(self._player, self.timeline, [condition])
        examiner.begin(here.iteration)
        past = examiner.remembered(0, place)
        self._player.goto(self.timeline, here)
        return now if past is None else np.concatenate([past, now])

    def leave(self, run: Run) -> View:
        """Interrupt a run: forward one is where it has got to, between two iterations; back where one began."""
        return self.goto(run.reached)

    def run_until(self, text: str) -> Run:
        """A run on until an expression is true; `arrive_until` ends it. Raises ExpressionError or DebuggerError."""
        condition = conditions.when_true(self.program, text)
        self._refuse_at_end()
        last = self.count - 1
        if last not in condition.places:
            reads = {**condition.reads, last: condition.reads[condition.places[0]]}
            condition = replace(condition, places=(*condition.places, last), reads=reads)
        return self._run_for(condition, self.end)

    def arrive_until(self, run: Run, ended: Ended) -> View:
        """Go to where it came true. Raises DebuggerError where it did not; one is where one was."""
        if ended.stopped:
            return self.goto(ended.position)
        self.goto(run.begun)
        text = run.texts[0].removeprefix("if ")
        raise DebuggerError(f"{text} does not come true within {self.end.iteration + 1} iterations")

    def run_back_to(self, condition: conditions.Condition) -> Run:
        """A run back to where a condition held last; it ends at the very start where it never did."""
        return self._run_for(condition, START, back=True)

    def run_to(self, place: Position) -> Run:
        """A run to the end of the iteration before that of a position further on."""
        self._note_losses()
        return Run(self._player, self.timeline, Breakpoints(), Position(place.iteration - 1, self.count))

    def _run_for(self, condition: conditions.Condition, end: Position, *, back: bool = False) -> Run:
        """A run that stops at one condition and at no breakpoint."""
        self._note_losses()
        alone = Breakpoints()
        alone.put(Breakpoint(1, condition))
        return Run(self._player, self.timeline, alone, end, back=back)

    @property
    def at_end(self) -> str:
        """That one is at the end of the spec's iterations or past it, so that nothing runs on; or ""."""
        if self.position < self.end:
            return ""
        many = self.program.network.iterations
        done = f"{many} iteration{'s' * (many != 1)}"
        return f"at the end ({self.end}), {done} done" if self.position == self.end else f"past the end of {done}"

    def _refuse_at_end(self) -> None:
        if self.at_end:
            raise DebuggerError(f"{self.at_end}: reverse-continue goes back, run 10 goes on")

    def _lost(self, view: View) -> str:
        lost = np.flatnonzero(~np.isfinite(view.losses))
        return f"; from iteration {int(lost[0]) * view.every} on the loss is no finite number" if lost.size else ""
