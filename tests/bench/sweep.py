"""How much faster many forks are stacked than one after the other.

Method. One process, one thread, one core. The forks are those of `bptui sweep`: the bench's networks, each fork another
learning rate, so near each other that none blows up. One after the other means one machine for all of them, set back to
the start for each and run as `bptui run` does, with its guard against what is not finite; stacked means everything that
`carry_out` does after the plan is made: building, proving, compiling, running, measuring and handing back the outcomes. Both
are timed in turn, in rounds, and compared to the bit in the first. What is reported is the median of the rounds' ratios.

Time is the process's own on the processor, so that sharing the core with others disturbs less.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bptui.debugger.sweeps.sweep import Outcome, Plan, plan, together
from bptui.debugger.sweeps.variants import read_axes
from bptui.debugger.training import pace
from bptui.engine.build import build
from bptui.engine.freerun import FreeRun, stretches
from bptui.engine.machine import Machine
from bptui.engine.timeline import START, Timeline
from tests.bench.engine import versions
from tests.bench.nets import DTYPES, OPTIMS, RATES, case

# Network → how many forks, and by how much they have to be faster.
CASES = {"2-2-1": (1024, 25.0), "moons-b1": (512, 4.0), "moons-b100": (64, 1.8)}


def planned(name: str, optim: str, dtype: str, forks: int, iterations: int) -> Plan:
    """So many forks of a network, each another learning rate."""
    program = build(case(name, optim, dtype).network())
    first = RATES[optim]
    axes = read_axes([f"lr=log:{first!r}..{2 * first!r}:{forks}"])
    made = plan(Timeline(program), START, axes, here=True)
    return replace(made, iterations=iterations, parameters=True)


class OneByOne:
    """A machine that runs one fork after the other; each loss, and the parameters, as at its end."""

    def __init__(self, made: Plan) -> None:
        self.made = made
        self.machine = Machine(build(made.network))

    def run(self) -> list[list[bytes]]:
        machine, made = self.machine, self.made
        names, last, found = machine.program.parameters, machine.program.loss_index + 1, []
        losses = np.empty(made.iterations)
        for variant in made.variants:
            machine.reset()
            for edit in variant.edits:
                machine.arrays[edit.slot].reshape(-1)[list(edit.cells)] = edit.values
            free = FreeRun(machine)
            for t, length in stretches(0, made.iterations, pace(made.iterations)):
                free.run(t, length, losses[t : t + length])
            machine.begin(made.iterations)
            machine.segment(0, last)()
            found.append(
                [float(machine.arrays["loss"]).hex().encode(), *(machine.arrays[name].tobytes() for name in names)]
            )
        return found


def bits(outcomes: Sequence[Outcome]) -> list[list[bytes]]:
    return [
        [float(outcome.loss).hex().encode(), *(array.tobytes() for array in outcome.parameters.values())]
        for outcome in outcomes
    ]


def measure(name: str, optim: str, dtype: str, rounds: int, scale: float) -> dict[str, Any]:
    """Medians over rounds; `scale` of the forks' 1000 iterations."""
    forks, target = CASES[name]
    made = planned(name, optim, dtype, forks, max(20, round(1000 * scale)))
    alone = OneByOne(made)
    alone.machine.run(0, 1, np.empty(1))
    times: dict[str, list[float]] = {"alone": [], "stacked": []}
    same = True
    for _ in range(rounds):
        gc.collect()
        start = time.process_time()
        stacked = together(made)
        middle = time.process_time()
        each = alone.run()
        times["stacked"].append(middle - start)
        times["alone"].append(time.process_time() - middle)
        same = same and bits(stacked) == each
    ratio = statistics.median(a / b for a, b in zip(times["alone"], times["stacked"], strict=True))
    count = forks * made.iterations
    # A short run is there to see that it runs: what is done once weighs too much.
    wanted = target if scale == 1 else None
    return {"network": name, "optim": optim, "dtype": dtype, "forks": forks, "iterations": made.iterations, "same": same,
            "ratio": ratio, "target": wanted, "ok": None if wanted is None else ratio >= wanted,
            **{who: statistics.median(values) / count for who, values in times.items()}}  # fmt: skip


def line(row: dict[str, Any]) -> str:
    word = {None: "", True: f"≥ {row['target']}  ok", False: f"≥ {row['target']}  MISS"}[row["ok"]]
    return (
        f"{row['network']:12}{row['optim']:6}{row['dtype']:9}{row['forks']:5} forks of {row['iterations']} iterations: "
        f"alone {1e9 * row['alone']:8.0f} ns, stacked {1e9 * row['stacked']:8.0f} ns, "
        f"{row['ratio']:6.1f} x  {word if row['same'] else 'DIFFERS'}"
    )


def rows(given: argparse.Namespace) -> Iterator[dict[str, Any]]:
    for name in given.only:
        for optim in given.optim:
            for dtype in given.dtype:
                yield measure(name, optim, dtype, given.rounds, 0.02 if given.quick else 1.0)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench sweep", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="few iterations and rounds: to see that it runs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured here")
    parser.add_argument("--only", nargs="*", choices=CASES, default=list(CASES), metavar="NETWORK")
    parser.add_argument("--optim", nargs="*", choices=OPTIMS, default=list(OPTIMS))
    parser.add_argument("--dtype", nargs="*", choices=DTYPES, default=list(DTYPES))
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args(arguments)
    if given.quick:
        given.rounds, given.dtype = 1, ["float64"]
    found = []
    for row in rows(given):
        print(line(row), flush=True)
        found.append(row)
    if given.json:
        given.json.write_text(json.dumps({"versions": versions(), "results": found}, indent=1), encoding="utf-8")
    return 0
