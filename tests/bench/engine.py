"""How fast the engine is, as ratios: against a hand-written loop, PyTorch, micrograd and JAX.

Method. One process, one thread of every library, one core (`--cpu`). For each case every contender begins from the same
weights and is first checked to give the same losses and parameters: to the bit where the operations are the same, else
within 1e-9 (float32: 1e-5) of the largest. Then rounds: in each round every contender in turn is set back to the
beginning and timed over enough iterations for `--slice` seconds, so that what disturbs the machine disturbs all alike.
What is reported is the median over rounds, and ratios of medians.

Time is the process's own on the processor (all its threads), so that sharing the core with others disturbs less; the
garbage collector is off while a slice is timed.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bptui.engine.build import build
from bptui.engine.machine import Machine, Taps
from bptui.engine.player import Player
from bptui.engine.timeline import Position, Timeline
from tests.bench import memory
from tests.bench.hand import Hand
from tests.bench.nets import BETA1, BETA2, DTYPES, EPS, OPTIMS, SHAPES, Case, case
from tests.bench.rivals import Jax, Micrograd, Naive, Torch
from tests.bench.same import Same

STEPS = 12
# How often the guarded run keeps a copy of what lasts.
EVERY = 64


class Free:
    """Machine.run, n iterations in a call."""

    def __init__(self, made: Case) -> None:
        self.machine = Machine(build(made.network()))
        self.t = 0

    def reset(self) -> None:
        self.machine.reset()
        self.t = 0

    def run(self, n: int) -> np.ndarray:
        losses = np.empty(n)
        with self.machine.quiet():
            self._run(n, losses)
        self.t += n
        return losses

    def _run(self, n: int, losses: np.ndarray) -> None:
        self.machine.run(self.t, n, losses)

    def parameters(self) -> list[np.ndarray]:
        return [self.machine.arrays[name] for name in self.machine.program.parameters]


def _points(machine: Machine) -> list[tuple[int, Callable[[], bool]]]:
    """Three breakpoints that never hold: in the forward pass, at the loss, in the backward pass."""
    program = machine.program
    item = machine.arrays["loss"].item
    backward = next(k for k, i in enumerate(program.instructions) if i.phase == "backward")
    return [(0, lambda: False), (program.loss_index, lambda: item() < -1.0), (backward, lambda: False)]


class Stops(Free):
    """Machine.run with three breakpoints."""

    def _run(self, n: int, losses: np.ndarray) -> None:
        self.machine.run(self.t, n, losses, Taps(_points(self.machine)))


class NaN(Free):
    """Machine.run while overflow, division by 0 and invalid operations raise."""

    def _run(self, n: int, losses: np.ndarray) -> None:
        with np.errstate(over="raise", invalid="raise", divide="raise"):
            self.machine.run(self.t, n, losses)


class Guarded(Free):
    """Three breakpoints, the NaN stop, and a copy of the flat vector every so many iterations."""

    def _run(self, n: int, losses: np.ndarray) -> None:
        machine, points = self.machine, _points(self.machine)
        every = max(EVERY, -(-n // 400))
        kept: dict[int, np.ndarray] = {}
        with np.errstate(over="raise", invalid="raise", divide="raise"):
            for t in range(0, n, every):
                kept[t] = machine.vector.copy()
                part = min(every, n - t)
                machine.run(self.t + t, part, losses[t : t + part], Taps(points))


class Played(Free):
    """Player.goto far ahead: what a session does, checkpoints of its own."""

    def __init__(self, made: Case) -> None:
        self.timeline = Timeline(build(made.network()))
        self.machine = Machine(self.timeline.program)
        self.reset()

    def reset(self) -> None:
        # A new player with the old machine, so that compiling is not timed again.
        self.player = Player(self.timeline)
        self.machine.reset()
        self.player.machine = self.machine
        self.t = 0

    def _run(self, n: int, losses: np.ndarray) -> None:
        self.player.goto(self.timeline, Position(self.t + n - 1, len(self.timeline.program)))
        losses[:] = self.player.losses.until(self.t + n)[self.t :]


class Stepped(Free):
    """machine.execute, one instruction after the other."""

    def _run(self, n: int, losses: np.ndarray) -> None:
        machine, count, loss = self.machine, len(self.machine.program), self.machine.arrays["loss"]
        execute = machine.execute
        for t in range(n):
            machine.begin(self.t + t)
            for k in range(count):
                execute(k)
            losses[t] = loss.item()


class Walked(Played):
    """Player.goto, one instruction further each time."""

    def _run(self, n: int, losses: np.ndarray) -> None:
        goto, timeline, count = self.player.goto, self.timeline, len(self.timeline.program)
        for t in range(self.t, self.t + n):
            for k in range(1, count + 1):
                goto(timeline, Position(t, k))
        losses[:] = self.player.losses.until(self.t + n)[self.t :]


OURS: dict[str, Any] = {
    "free": Free, "stops": Stops, "nan": NaN, "guarded": Guarded, "player": Played, "stepped": Stepped, "walked": Walked,
}  # fmt: skip

# ratio → (over, under, target, whether the target is a most); a target may depend on the network.
TARGETS: dict[str, tuple[str, str, float | dict[str, float] | None, bool]] = {
    "free/hand": ("free", "hand", 1.05, True),
    "free/folded": ("free", "folded", None, True),
    "free/limit": ("free", "limit", None, True),
    "guarded/hand": ("guarded", "hand", 1.15, True),
    "stops/hand": ("stops", "hand", None, True),
    "nan/hand": ("nan", "hand", None, True),
    "player/hand": ("player", "hand", None, True),
    "stepped/hand": ("stepped", "hand", 3.5, True),
    "walked/hand": ("walked", "hand", None, True),
    "naive/ours": ("naive", "free", None, False),
    "torch/ours": (
        "torch",
        "free",
        {"2-2-1": 20, "moons-b1": 20, "moons-b100": 10, "784-128-64-10": 1.4, "784-512-512-10": 1.05},
        False,
    ),
    "micrograd/ours": ("micrograd", "free", {"moons-b100": 30000}, False),
    "jax/ours": ("jax", "free", {"2-2-1": 1.5, "moons-b1": 2.5}, False),
}


def contenders(made: Case, wanted: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Everybody that takes part in a case and can be imported."""
    plain = made.optim == "sgd" and made.loss == "half-mse"
    for name in wanted:
        if name in OURS:
            yield name, OURS[name](made)
        elif name == "hand":
            yield name, Same(made)
        elif name == "folded":
            yield name, Hand(made)
        elif name == "limit" and plain:
            yield name, Hand(made, free=True)
        elif name == "naive":
            yield name, Naive(made)
        elif (name == "micrograd" and plain and made.dtype == "float64") or name in ("torch", "jax"):
            kind = {"micrograd": Micrograd, "torch": Torch, "jax": Jax}[name]
            try:
                yield name, kind(made)
            except ImportError:
                continue


def difference(made: Case, reference: Any, other: Any, steps: int = STEPS) -> tuple[bool, float]:
    """(whether bits are equal, the largest relative difference) of losses and parameters after some iterations."""
    found = []
    for contender in (reference, other):
        contender.reset()
        losses = np.asarray(contender.run(steps), np.float64)
        found.append([losses, *(np.array(p, np.float64) for p in contender.parameters())])
        contender.reset()
    pairs = list(zip(*found, strict=True))
    worst = max(float(np.max(np.abs(a - b)) / max(np.max(np.abs(a)), 1e-300)) for a, b in pairs)
    return all(a.tobytes() == b.tobytes() for a, b in pairs), worst


def tolerance(made: Case, name: str) -> float:
    """How far a contender may be off: PyTorch's Adam adds epsilon elsewhere; float32 rounds at 6e-8."""
    return 1e-9 if made.dtype == "float64" else 2e-5 if name == "jax" else 1e-5


def _once(contender: Any, n: int) -> float:
    # One iteration that is not timed: whoever was before has left the caches full of something else.
    contender.reset()
    contender.run(1)
    contender.reset()
    start = time.process_time()
    contender.run(n)
    return time.process_time() - start


def measure(made: Case, wanted: Sequence[str], rounds: int, slice_: float) -> dict[str, Any]:
    """Medians (seconds an iteration) and how each differs from the free run."""
    people = dict(contenders(made, wanted))
    checked: dict[str, Any] = {}
    for name, contender in people.items():
        if name != "free":
            steps = 2 if name == "micrograd" else STEPS
            bits, worst = difference(made, people["free"], contender, steps)
            checked[name] = {"bits": bits, "difference": worst, "ok": worst <= tolerance(made, name)}
    counts = {}
    for name, contender in people.items():
        n = 1
        _once(contender, n)
        while (spent := _once(contender, n)) < slice_ / 4 and n < 100_000:
            n *= 4
        counts[name] = max(1, min(int(n * slice_ / spent), 20_000))
    times: dict[str, list[float]] = {name: [] for name in people}
    gc.collect()
    gc.disable()
    for number in range(rounds):
        for name, contender in people.items():
            if name == "micrograd" and number >= 3:
                continue
            times[name].append(_once(contender, counts[name]) / counts[name])
        gc.collect()
    gc.enable()
    medians = {name: statistics.median(values) for name, values in times.items()}
    return {"case": made.title, "network": made.name, "optim": made.optim, "dtype": made.dtype, "medians": medians,
            "checked": checked, "counts": counts, "ratios": ratios(made.name, medians)}  # fmt: skip


def ratios(network: str, medians: dict[str, float]) -> list[dict[str, Any]]:
    """The ratios that can be made of what was measured, with their targets."""
    result = []
    for name, (over, under, target, most) in TARGETS.items():
        if over not in medians or under not in medians:
            continue
        wanted = target.get(network) if isinstance(target, dict) else target
        value = medians[over] / medians[under]
        ok = None if wanted is None else value <= wanted if most else value >= wanted
        result.append({"ratio": name, "value": value, "target": wanted, "most": most, "ok": ok})
    return result


def gradcheck(made: Case, rounds: int) -> dict[str, Any] | None:
    """A check of all gradients in training steps, and against torch.autograd.gradcheck; None where it isn't there."""
    try:
        from bptui.engine.gradcheck import GradientChecker
    except ImportError:
        return None
    program, free, ours, steps, theirs = build(made.network()), Free(made), [], [], []
    rival = _torch_gradcheck(made)
    # Code is compiled and buffers are made once, for the check as for the training step.
    check = GradientChecker(program).check
    check()
    # As many in a row as training steps are, unless each takes long: what is done once finds the caches cold.
    repeats = 50 if sum(slot.size for slot in program.slots.values()) < 100_000 else 5
    free.run(10)
    for _ in range(rounds):
        for times, what in (
            (ours, lambda: [check() for _ in range(repeats)]),
            (steps, lambda: free.run(50)),
            (theirs, rival),
        ):
            if what is not None:
                start = time.perf_counter()
                what()
                times.append(time.perf_counter() - start)
    step = statistics.median(steps) / 50
    result = {"case": made.title, "steps": statistics.median(ours) / repeats / step, "steps_target": 6}
    if theirs:
        result |= {"torch": statistics.median(ours) / repeats / statistics.median(theirs), "torch_target": 0.4}
    return result


def _torch_gradcheck(made: Case) -> Callable[[], Any] | None:
    try:
        rival = Torch(made)
    except ImportError:
        return None
    torch, names = rival.torch, [name for name, _ in rival.net.named_parameters()]
    values = tuple(p.detach().clone().requires_grad_() for p in rival.net.parameters())

    def loss(*parameters: Any) -> Any:
        called = torch.func.functional_call(rival.net, dict(zip(names, parameters, strict=True)), (rival.x,))
        return rival.loss(called, rival.y)

    return lambda: torch.autograd.gradcheck(loss, values, fast_mode=True)


def versions() -> dict[str, str]:
    """What it was measured with."""
    found = {"python": platform.python_version(), "numpy": np.__version__}
    for name in ("torch", "jax", "scipy"):
        if name in sys.modules:
            found[name] = sys.modules[name].__version__
    model = "unknown"
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = lines[0].partition(":")[2].strip() if lines else model
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {**found, "cpu": model, "blas": f"{blas['name']} {blas['version']}"}


def table(results: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The report."""
    yield f"{'network':16}{'optim':6}{'dtype':9}{'ratio':16}{'value':>10}  {'target':>9}"
    for result in results:
        head = f"{result['network']:16}{result['optim']:6}{result['dtype']:9}"
        medians = ", ".join(f"{name} {1e6 * value:.4g}" for name, value in result["medians"].items())
        yield f"{head}µs: {medians}"
        for name, found in result["checked"].items():
            if not found["ok"]:
                yield f"{head}{name} DIFFERS by {found['difference']:.1e}"
        for row in result["ratios"]:
            sign = "≤" if row["most"] else "≥"
            target = "" if row["target"] is None else f"{sign} {row['target']:g}"
            word = {None: "", True: "ok", False: "MISS"}[row["ok"]]
            yield f"{head}{row['ratio']:16}{row['value']:10.3f}  {target:>9}  {word}"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench engine", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="small networks, float64, few short rounds: to see that it runs"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured here")
    parser.add_argument(
        "--only", nargs="*", choices=SHAPES, default=list(SHAPES), metavar="NETWORK", help="these networks"
    )
    parser.add_argument("--optim", nargs="*", choices=OPTIMS, default=list(OPTIMS))
    parser.add_argument("--dtype", nargs="*", choices=DTYPES, default=list(DTYPES))
    parser.add_argument("--who", nargs="*", help="these contenders (free takes part always)")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--slice", type=float, default=0.02, help="seconds that each is timed for in a round")
    parser.add_argument("--no-memory", action="store_true")
    given = parser.parse_args(arguments)
    if given.quick:
        given.rounds, given.slice, given.dtype = 3, 0.002, ["float64"]
        given.only = [name for name in given.only if not name.startswith("784")]
    everybody = [*OURS, "hand", "folded", "limit", "naive", "torch", "jax", "micrograd"]
    if given.quick:
        everybody = [name for name in everybody if name not in ("torch", "jax", "micrograd")]
    wanted = ["free", *(name for name in (given.who or everybody) if name != "free")]
    results = []
    for name in given.only:
        for optim in given.optim:
            for dtype in given.dtype:
                results.append(measure(case(name, optim, dtype), wanted, given.rounds, given.slice))
                print("\n".join(list(table(results[-1:]))[0 if len(results) == 1 else 1 :]), flush=True)
    checks = [found for name in given.only if (found := gradcheck(case(name), given.rounds)) is not None]
    for found in checks:
        print(f"gradient check {found['case']}: " + ", ".join(f"{k} {v:.3g}" for k, v in found.items() if k != "case"))
    peaks = [] if given.no_memory else memory.report(["2-2-1"] if given.quick else list(given.only))
    for row in peaks:
        print(memory.line(row))
    missed = [row for result in results for row in result["ratios"] if row["ok"] is False]
    print(
        f"{sum(row['ok'] is not None for result in results for row in result['ratios'])} targets, {len(missed)} missed"
    )
    if given.json:
        whole = {"versions": versions(), "constants": {"beta1": BETA1, "beta2": BETA2, "eps": EPS}, "rounds": given.rounds,
                 "slice": given.slice, "results": results, "gradcheck": checks, "memory": peaks}  # fmt: skip
        given.json.write_text(json.dumps(whole, indent=1), encoding="utf-8")
    return 0
