"""What it costs to go anywhere in time, and to look for conditions on the way.

Everything is in units of one iteration's time, run free in the same round on the same core (`Machine.run`), or a ratio
of two medians over rounds that take turns.

seek        `Player.goto` to random positions out of a million iterations of 2-16-16-1, the median of nine seeks to each,
            each beside an iteration's time of that moment; every state compared with that of a second machine that ran
            there without a checkpoint
back        one iteration back, and again, amortised over a walk, from several places
memory      what checkpoints and losses take, and what the process grew by, over the million
conditions  `Forward` with ten conditions that never hold, over `Player.goto`: ten of single numbers on small networks,
            ten of whole arrays on the large ones; and over `Machine.run` without a checkpoint
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bptui.debugger import breakpoints
from bptui.debugger.search import Forward
from bptui.engine.build import build
from bptui.engine.machine import Machine
from bptui.engine.player import Player
from bptui.engine.program import Program
from bptui.engine.timeline import Position, Timeline
from tests.bench.engine import versions
from tests.bench.nets import Case, case

SCALARS = (
    "nan", "if loss < -1", "if loss > 1e6", "if W1[0, 0] > 1e3", "if abs(W1.grad[0, 0]) > 1e3", "if lr > 1", "if isnan(W2[0, 0])",
    "if z1[0, 0] < -1e6 or z1[0, 0] > 1e6", "rising 50", "if loss > 100 and W2.grad[0, 0] > 100",
)  # fmt: skip
ARRAYS = (
    "nan", "if abs(W1.grad).max() > 1e3", "if abs(W1).max() > 1e3", "if norm(W2) > 1e6", "if isnan(W3).any()", "if a1.max() > 1e6",
    "if (a1 > 0).sum() < 1", "vanishing 1e6", "exploding 1e6", "ratio 0 1e3",
)  # fmt: skip
CONDITIONS = {
    "2-2-1": SCALARS, "moons-b1": SCALARS, "moons-b100": SCALARS, "784-128-64-10": ARRAYS, "784-512-512-10": ARRAYS,
}  # fmt: skip
# Seeks to each place, of which the median counts; how many of them follow one another between two timings of an
# iteration, since a processor does not keep its pace for as long as all of them take.
REPEATS, TOGETHER = 9, 10
MOST_SEEK, MOST_BACK, MOST_CONDITIONS = 2, 6, 1.15
STATUS = Path("/proc/self/statm")


def seconds(what: Callable[[], Any]) -> float:
    """The processor's time that something takes."""
    gc.disable()
    begun = time.process_time()
    what()
    taken = time.process_time() - begun
    gc.enable()
    return taken


def batched(items: Sequence[Any], n: int) -> Iterator[Sequence[Any]]:
    """n items at a time, in order."""
    return (items[k : k + n] for k in range(0, len(items), n))


def resident() -> int:
    gc.collect()
    return int(STATUS.read_text().split()[1]) * 4096 if STATUS.exists() else 0


class Bare:
    """An iteration's time, again in each round."""

    def __init__(self, program: Program) -> None:
        self.machine = Machine(program)
        self.n = 256
        self.losses = np.empty(self.n)
        self.run()

    def run(self) -> None:
        with self.machine.quiet():
            self.machine.run(0, self.n, self.losses)

    def time(self) -> float:
        self.machine.reset()
        return seconds(self.run) / self.n


# Anywhere in time


def digest(machine: Machine) -> int:
    return hash(tuple(array.tobytes() for array in machine.arrays.values()))


def expected(program: Program, places: Sequence[Position]) -> dict[Position, int]:
    """What there is at places in order, by a machine that only ever runs on."""
    machine, t, found = Machine(program), 0, {}
    with machine.quiet():
        for place in places:
            machine.run(t, place.iteration - t, np.empty(place.iteration - t))
            t, kept = place.iteration, machine.vector.copy()
            machine.begin(t)
            for k in range(place.op):
                machine.execute(k)
            found[place] = digest_at(program, machine, place)
            np.copyto(machine.vector, kept)
    return found


def digest_at(program: Program, machine: Machine, place: Position) -> int:
    """Of what is computed at a place."""
    written = {i.writes for i in program.instructions[: place.op]}
    slots = [s for s in program.slots.values() if s.persistent or s.name in written]
    return hash(tuple(machine.arrays[slot.name].tobytes() for slot in slots))


def anywhere(made: Case, iterations: int, targets: int, rounds: int) -> dict[str, Any]:
    """Seeking and walking back, after a run of so many iterations."""
    program, rng = build(made.network()), np.random.default_rng(3)
    before, bare = resident(), Bare(program)
    timeline = Timeline(program)
    player = Player(timeline)
    player.goto(timeline, Position(iterations - 1, len(program)))
    grown = resident() - before
    places = [Position(int(t), int(op)) for t, op in zip(
        rng.integers(1, iterations, targets), rng.integers(1, len(program) + 1, targets), strict=True
    )]  # fmt: skip
    wanted = expected(program, sorted(places))
    one, same = [], 0
    taken: dict[Position, list[float]] = {place: [] for place in places}
    # Each place in turn and all of them again: nothing is near where one comes from.
    for _ in range(REPEATS):
        for several in batched(list(taken), TOGETHER):
            times = [seconds(lambda place=place: player.goto(timeline, place)) for place in several]
            one.append(bare.time())
            for place, time_ in zip(several, times, strict=True):
                taken[place].append(time_ / one[-1])
    for place in taken:
        player.goto(timeline, place)
        same += digest_at(program, player.machine, place) == wanted[place]
    unit = statistics.median(one)
    seeks = [statistics.median(ratios) for ratios in taken.values()]
    stride = player.checkpoints.stride
    return {
        "case": made.title, "iterations": iterations, "K": stride, "unit_us": 1e6 * unit,
        "seek_median": statistics.median(seeks), "seek_worst": max(seeks), "seek_99": float(np.quantile(seeks, 0.99)),
        "seek_target": stride + MOST_SEEK, "same": same, "targets": len(taken),
        **walking_back(player, bare, rng, iterations, rounds),
        "kept_mib": (player.checkpoints.nbytes + 8 * len(player.losses.until(iterations))) / 2**20,
        "cap_mib": 256, "grown_mib": grown / 2**20,
    }  # fmt: skip


def walking_back(
    player: Player, bare: Bare, rng: np.random.Generator, iterations: int, rounds: int, steps: int = 400
) -> dict[str, Any]:
    """One iteration back at a time, in iterations' time each; the worst of several places, and a walk's worst step."""
    walks, one, worst = [], [], 0.0
    for _ in range(rounds):
        here = Position(int(rng.integers(steps + 1, iterations)), int(rng.integers(1, len(player.program))))
        player.goto(player.timeline, here)
        one.append(bare.time())
        single = []
        for k in range(1, steps + 1):
            back = Position(here.iteration - k, here.op)
            single.append(seconds(lambda back=back: player.goto(player.timeline, back)))
        walks.append(sum(single) / steps)
        worst = max(worst, *single)
    unit = statistics.median(one)
    return {
        "back_median": statistics.median(walks) / unit, "back_worst": max(walks) / unit, "back_target": MOST_BACK,
        "back_longest_step": worst / unit,
    }  # fmt: skip


# Conditions


class Searched:
    """The same iterations with and without conditions, from the start each time."""

    def __init__(self, made: Case, conditions: Sequence[str]) -> None:
        self.program = build(made.network())
        self.timeline = Timeline(self.program)
        self.machine = Machine(self.program)
        self.conditions = [breakpoints.parse(self.program, text) for text in conditions]

    def player(self) -> Player:
        """A new one with the old machine, so that compiling is not timed again."""
        player = Player(self.timeline)
        self.machine.reset()
        player.machine = self.machine
        return player

    def run(self, n: int) -> float:
        self.machine.reset()
        losses = np.empty(n)
        with self.machine.quiet():
            return seconds(lambda: self.machine.run(0, n, losses))

    def played(self, n: int) -> float:
        player = self.player()
        return seconds(lambda: player.goto(self.timeline, Position(n - 1, len(self.program))))

    def searched(self, n: int) -> float:
        search = Forward(self.player(), self.timeline, self.conditions, Position(n - 1, len(self.program)))

        def whole() -> None:
            while not search.over:
                assert not search.advance()

        return seconds(whole)


def conditions(made: Case, texts: Sequence[str], rounds: int, slice_: float) -> dict[str, Any]:
    """Ten conditions together, and each alone."""
    ten = Searched(made, texts)
    ten.searched(64)
    n = max(64, int(slice_ / (ten.run(64) / 64)))
    ten.searched(n)
    bare, played, searched = [], [], []
    for _ in range(rounds):
        bare.append(ten.run(n))
        played.append(ten.played(n))
        searched.append(ten.searched(n))
    over = statistics.median(searched) / statistics.median(played)
    return {
        "case": made.title, "iterations": n, "over_played": over, "target": MOST_CONDITIONS,
        "over_run": statistics.median(searched) / statistics.median(bare),
        "played_over_run": statistics.median(played) / statistics.median(bare),
        "alone": {text: alone(made, text, n, rounds) for text in texts},
    }  # fmt: skip


def alone(made: Case, text: str, n: int, rounds: int) -> float:
    """One condition over none."""
    one = Searched(made, [text])
    one.searched(n)
    pairs = [(one.played(n), one.searched(n)) for _ in range(max(3, rounds // 3))]
    return statistics.median(searched for _, searched in pairs) / statistics.median(played for played, _ in pairs)


def report(results: Sequence[dict[str, Any]]) -> Iterator[str]:
    """What was measured, and what missed its target."""
    for found in results:
        if "over_played" in found:
            word = "ok" if found["over_played"] <= found["target"] else "MISS"
            yield (
                f"conditions {found['case']}: {found['over_played']:.3f} of Player.goto (≤ {found['target']:g}) {word}, "
                f"{found['over_run']:.3f} of Machine.run, which {found['played_over_run']:.3f} is Player.goto"
            )
            yield "  alone: " + ", ".join(f"{text} {ratio:.3f}" for text, ratio in found["alone"].items())
            continue
        seek = "ok" if found["seek_worst"] <= found["seek_target"] else "MISS"
        back = "ok" if found["back_worst"] <= found["back_target"] else "MISS"
        kept = "ok" if found["kept_mib"] <= found["cap_mib"] else "MISS"
        yield (
            f"seek {found['case']}, {found['iterations']} iterations of {found['unit_us']:.2f} µs, K = {found['K']}: median "
            f"{found['seek_median']:.1f}, 99 % {found['seek_99']:.1f}, worst {found['seek_worst']:.1f} iterations' time "
            f"(≤ {found['seek_target']}) {seek}; {found['same']} of {found['targets']} the same bits"
        )
        yield (
            f"  one iteration back: median {found['back_median']:.2f}, worst walk {found['back_worst']:.2f} "
            f"(≤ {found['back_target']}) {back}, longest step {found['back_longest_step']:.1f}"
        )
        yield f"  kept {found['kept_mib']:.0f} MiB of {found['cap_mib']} {kept}, resident + {found['grown_mib']:.0f} MiB"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench time", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="few iterations and rounds: to see that it runs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured here")
    parser.add_argument("--only", nargs="*", choices=("seek", "conditions"), default=["seek", "conditions"])
    parser.add_argument("--nets", nargs="*", choices=CONDITIONS, default=list(CONDITIONS), help="for conditions")
    parser.add_argument("--rounds", type=int, default=15)
    given = parser.parse_args(arguments)
    iterations, targets, slice_ = (20_000, 30, 0.02) if given.quick else (1_000_000, 300, 0.3)
    rounds = 3 if given.quick else given.rounds
    nets = [name for name in given.nets if not (given.quick and name.startswith("784"))]
    results: list[dict[str, Any]] = []
    if "seek" in given.only:
        for name in ("moons-b1",) if given.quick else ("moons-b1", "moons-b100"):
            results.append(anywhere(case(name), iterations, targets, rounds))
            print("\n".join(report(results[-1:])), flush=True)
    for name in nets if "conditions" in given.only else ():
        results.append(conditions(case(name), CONDITIONS[name], rounds, slice_))
        print("\n".join(report(results[-1:])), flush=True)
    if given.json:
        text = json.dumps({"versions": versions(), "rounds": rounds, "results": results}, indent=1)
        given.json.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
