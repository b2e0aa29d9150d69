"""An hour of stepping and free running takes no more memory than its first minutes."""

from __future__ import annotations

import gc
import time
from pathlib import Path

import networks
import numpy as np
import pytest
from driving import run_back, run_on
from naive import Drawing, history

from bptui.debugger.debugger import Debugger, DebuggerError
from bptui.engine.timeline import Position

STATUS = Path("/proc/self/statm")
# So small that checkpoints and losses have reached it when the memory is first looked at.
MEMORY = 2**20
NAMES = ("article", "dropout", "dying", "skip")
VERBS = ("next", "back", "step", "step_back", "iteration", "iteration_back")


def resident() -> int:
    """Bytes of this process that are in memory."""
    gc.collect()
    return int(STATUS.read_text().split()[1]) * 4096


class Student:
    """Somebody who steps, runs, goes back, edits and takes back, for as long as it takes."""

    def __init__(self, name: str, iterations: int, random: np.random.Generator) -> None:
        self.random = random
        self.debugger = Debugger(networks.MORE[name](iterations=iterations), MEMORY)
        self.moments = history(self.debugger.program, [], 3)

    def act(self) -> None:
        """One of the things that people do; now and then a far way."""
        what = self.random.random()
        if what < 0.6:
            getattr(self.debugger, str(self.random.choice(VERBS)))(int(self.random.integers(1, 4)))
        elif what < 0.7:
            self.debugger.goto(self.somewhere())
        elif what < 0.8:
            self.run()
        elif what < 0.9:
            self.edit()
        else:
            self.stop_at()
        if self.random.random() < 0.2:
            self.debugger.view()
            self.debugger.watched()

    def somewhere(self) -> Position:
        end = self.debugger.end
        return Position(int(end.iteration * self.random.random() ** 3), 1 + int(self.random.integers(end.op)))

    def run(self) -> None:
        """To a stop, or in portions that are interrupted, either way."""
        back = bool(self.random.random() < 0.5)
        if self.random.random() < 0.5:
            (run_back if back else run_on)(self.debugger)
            return
        try:
            run = self.debugger.run(back=back)
        except DebuggerError:
            return
        for _ in range(int(self.random.integers(1, 30))):
            ended = run.portion(100)
            if ended is not None:
                self.debugger.arrive(ended)
                return
        self.debugger.leave(run)

    def edit(self) -> None:
        """Edits are taken back again, and branches dropped: what a person keeps would grow."""
        debugger = self.debugger
        try:
            debugger.set("lr", "lr * 1.001")
            debugger.next(5)
        except DebuggerError:
            pass
        while debugger.timeline.edits:
            debugger.undo()
        debugger.branches.redoable.clear()

    def stop_at(self) -> None:
        """A few breakpoints, the oldest of which go."""
        debugger = self.debugger
        text, _ = Drawing(debugger.program, self.moments, self.random).condition()
        debugger.add_breakpoint(text)
        debugger.watches.add(debugger.program, "abs(lr)")
        for kept, most in ((debugger.breakpoints, 4), (debugger.watches, 2)):
            while len(kept.all) > most:
                kept.delete(next(iter(kept.all)))


def grown(seconds: float, iterations: int, warm: float) -> list[float]:
    """Megabytes by which memory has grown since it was warm, looked at ten times."""
    random = np.random.default_rng(1)
    students = [Student(name, iterations, random) for name in NAMES]
    for student in students:
        student.debugger.goto(student.debugger.end)
    start, samples = time.monotonic(), []
    while (passed := time.monotonic() - start) < seconds:
        for student in students:
            student.act()
        if passed > warm + len(samples) * (seconds - warm) / 10:
            samples.append(resident())
            print(f"{passed:.0f} s: {samples[-1] / 1e6:.1f} MB", flush=True)
    return [(sample - samples[0]) / 1e6 for sample in samples]


@pytest.mark.skipif(not STATUS.exists(), reason="the system does not tell how much memory is in use")
@pytest.mark.parametrize(
    ("seconds", "iterations", "warm"),
    [
        pytest.param(5, 2_000, 2, id="seconds"),
        pytest.param(3600, 100_000, 600, id="an hour", marks=pytest.mark.soak),
    ],
)
def test_memory_does_not_grow(seconds, iterations, warm):
    assert max(grown(seconds, iterations, warm)) < 10
