"""What the app costs, in a real pty, against a toolkit's app that changes one line per key (`floor.py`), in the same run.

key     from a key to the last byte of its frame: an ordinary step (`n` back and forth by `N`), and what changes all panes
        (`i` and `I`); frames a key; bytes sent
held    `n` 30 times a second: how far the frames lag behind, and what of a core it takes
free    `c`: frames a second, what a key waits, iterations a second over those of the same debugger without a screen
idle    processor time and bytes while nothing is pressed
start   the first frame over that of the app that changes one line, the first key's frame over importing the toolkit and
        NumPy, `--version` over Python alone
tensor  a step with a large tensor in view against a small one
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bptui.commands.running import Pace
from bptui.commands.session import Session
from bptui.debugger.debugger import Debugger
from bptui.engine.network import Network
from bptui.files import specs, writing
from tests.bench.engine import versions
from tests.bench.nets import case
from tests.bench.terminal import Drawn, Timed, app, floor

SIZES = ((80, 24), (120, 40), (250, 70))
STEPS = 60
# A target, and what it is of: the bench says of each whether it is met.
TARGETS = {
    "step median": 3.2, "step 95 %": 5.0, "all median 120x40": 6.5, "all median 250x70": 12.0, "frames": 1.0,
    "step bytes": 6144, "all bytes": 32768, "held lag 95 % ms": 50, "held core %": 40, "free frames/s": 45,
    "free key 95 % ms": 80, "free speed": 0.6, "idle core %": 0.3, "idle bytes": 0, "first frame": 1.8,
    "usable": 1.35, "version": 3.0, "tensor ms": 2.0,
}  # fmt: skip
LEAST = ("free frames/s", "free speed")


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which a share of them lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def pressed(terminal: Timed, keys: Sequence[bytes], count: int) -> list[Drawn]:
    """Keys in turn, each when the one before has been drawn."""
    return [terminal.press(keys[k % len(keys)]) for k in range(count)]


def nets(folder: Path) -> Iterator[tuple[str, str]]:
    """(name, spec): the article's, and one of 784-128-64-10."""
    yield "article", "article"
    path = folder / "digits784.toml"
    network = case("784-128-64-10", "sgd", "float64").network()
    debugger = Debugger(network)
    state = debugger.look(debugger.position)
    kept = {name: state.arrays[name] for name, slot in debugger.program.slots.items() if slot.persistent}
    writing.save(path, writing.to_toml(network, kept, folder))
    yield "784-128-64-10", str(path)


def keys_of(terminal: Timed) -> dict[str, list[Drawn]]:
    """Ordinary steps, and whole iterations."""
    pressed(terminal, [b"n", b"n", b"N"], 9)
    steps = pressed(terminal, [b"n", b"n", b"n", b"N"], STEPS)
    pressed(terminal, [b"i"], 3)
    return {"step": steps, "all": pressed(terminal, [b"i", b"i", b"I"], STEPS // 2)}


def keys(spec: str, size: tuple[int, int], rounds: int) -> dict[str, Any]:
    """What a key costs, over the floor's; the two take turns."""
    kinds: dict[str, list[Drawn]] = {"step": [], "all": [], "floor": []}
    for _ in range(rounds):
        with floor(*size) as bare:
            bare.settled()
            pressed(bare, [b"n"], 9)
            kinds["floor"] += pressed(bare, [b"n"], STEPS // 2)
        with app(spec, *size) as terminal:
            terminal.settled()
            for kind, drawn in keys_of(terminal).items():
                kinds[kind] += drawn
        with floor(*size) as bare:
            bare.settled()
            pressed(bare, [b"n"], 9)
            kinds["floor"] += pressed(bare, [b"n"], STEPS // 2)
    low = statistics.median(drawn.seconds for drawn in kinds["floor"])
    found: dict[str, Any] = {"floor ms": 1000 * low}
    for kind in ("step", "all"):
        times = [drawn.seconds for drawn in kinds[kind]]
        found[f"{kind} median"] = statistics.median(times) / low
        found[f"{kind} 95 %"] = percentile(times, 0.95) / low
        found[f"{kind} bytes"] = percentile([drawn.sent for drawn in kinds[kind]], 0.95)
        found[f"{kind} frames"] = statistics.mean(drawn.frames for drawn in kinds[kind])
    return found


def held(spec: str, size: tuple[int, int], seconds: float = 6.0) -> dict[str, float]:
    """`n` and `N` 30 times a second, as a held key sends them: how late each one's frame is."""
    lags: list[float] = []
    with app(spec, *size) as terminal:
        terminal.settled()
        pressed(terminal, [b"n", b"N"], 6)
        begun, used = time.perf_counter(), terminal.processor
        for k in range(int(seconds * 30)):
            due = begun + k / 30
            while (left := due - time.perf_counter()) > 0:
                terminal.read(left)
            terminal.write(b"nnnN"[k % 4 : k % 4 + 1])
            while time.perf_counter() < due + 1 / 30 and not terminal.read(
                max(0.0, due + 1 / 30 - time.perf_counter())
            ):
                pass
            lags.append(time.perf_counter() - due)
        core = (terminal.processor - used) / (time.perf_counter() - begun)
    return {"held lag 95 % ms": 1000 * percentile(lags, 0.95), "held core %": 100 * core}


def free(spec: str, size: tuple[int, int], seconds: float = 5.0) -> dict[str, float]:
    """A run: frames a second, what the key that breaks it off waits, and how far it has got."""
    network, each = specs.load(spec), seconds / 5
    waits: list[float] = []
    shares: list[float] = []
    frames: list[float] = []
    for _ in range(5):
        alone = _speed(network, each)
        # Another app each time: ground that was visited before is leapt over.
        with app(spec, *size) as terminal:
            terminal.settled()
            terminal.screen = b""
            terminal.write(b":run 9999999\r")
            begun = time.perf_counter()
            while time.perf_counter() < begun + each:
                terminal.read(0.05)
            ran = time.perf_counter() - begun
            frames.append(terminal.screen.count(b"\x1b[?2026l") / ran)
            waits.append(terminal.press(b"j").seconds)
            shares.append(_reached(terminal) / ran / alone)
    return {
        "free frames/s": statistics.median(frames),
        "free key 95 % ms": 1000 * percentile(waits, 0.95),
        "free speed": statistics.median(shares),
    }


def _reached(terminal: Timed) -> int:
    """The iteration that the header shows."""
    found = re.search(r"iteration (\d+) ", terminal.shown()[0])
    assert found is not None
    return int(found[1])


def _speed(network: Network, seconds: float) -> float:
    """Iterations a second of the same run without a screen."""
    session = Session(network)
    begun = session.begin("run 9999999")
    pace, start = Pace(0.008), time.perf_counter()
    while time.perf_counter() < start + seconds:
        begun.portion(pace)
    return session.debugger.position.iteration / (time.perf_counter() - start)


def idle(spec: str, size: tuple[int, int], seconds: float = 10.0) -> dict[str, float]:
    """What it takes to do nothing."""
    with app(spec, *size) as terminal:
        terminal.settled(1.0)
        pressed(terminal, [b"n"], 3)
        terminal.settled(1.5)
        used, before, begun = terminal.processor, len(terminal.screen), time.perf_counter()
        while time.perf_counter() < begun + seconds:
            terminal.read(begun + seconds - time.perf_counter())
        spent = time.perf_counter() - begun
        return {
            "idle core %": 100 * (terminal.processor - used) / spent,
            "idle bytes": float(len(terminal.screen) - before),
        }


def start(rounds: int) -> dict[str, float]:
    """Starting, over starting the barest of its kind."""
    first: dict[str, list[float]] = {"bare": [], "own": [], "imports": [], "usable": [], "python": [], "version": []}
    for _ in range(rounds):
        with floor(120, 40) as bare:
            first["bare"].append(bare.until(b"0 keys"))
        with app("article", 120, 40) as terminal:
            first["own"].append(terminal.until(b"Program"))
            pressed_at = time.perf_counter() - terminal.begun
            first["usable"].append(pressed_at + terminal.press(b"n").seconds)
        first["imports"].append(_process("import textual.app, textual.widgets, numpy"))
        first["python"].append(_process("pass"))
        first["version"].append(_run([sys.executable, "-m", "bptui", "--version"]))
    middle = {name: statistics.median(times) for name, times in first.items()}
    return {
        "first frame": middle["own"] / middle["bare"],
        "usable": middle["usable"] / middle["imports"],
        "version": middle["version"] / middle["python"],
        "first frame ms": 1000 * middle["own"],
    }


def _process(code: str) -> float:
    return _run([sys.executable, "-c", code])


def _run(command: Sequence[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - begun


def tensor(folder: Path, size: tuple[int, int]) -> dict[str, float]:
    """A step with a tensor of 784×512 in view, and with one of 20×20: the difference in milliseconds."""
    middles = {}
    for name, wide, high in (("small", 20, 20), ("large", 784, 512)):
        path = folder / f"{name}.toml"
        path.write_text(
            f'seed = 1\nloss = "half-mse"\nlr = 0.01\n'
            f'layers = ["dense {high} tanh", "dense 1"]\n'
            f'data = {{ file = "{name}.npz" }}\n',
            encoding="utf-8",
        )
        rng = np.random.default_rng(0)
        np.savez(folder / f"{name}.npz", x=rng.normal(size=(1, wide)), y=np.ones((1, 1)))
        with app(str(path), *size) as terminal:
            terminal.settled()
            terminal.write(b":look W1[0,0]\r:view heat\r")
            terminal.settled(0.5)
            times = [drawn.seconds for drawn in pressed(terminal, [b"n", b"N"], STEPS)]
            middles[name] = statistics.median(times)
    return {"tensor ms": 1000 * (middles["large"] - middles["small"])}


def main(arguments: Sequence[str]) -> int:
    """Measure, print a table, and say of each target whether it is met."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench ui")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=[], help="key, held, free, idle, start, tensor")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--of", nargs="+", metavar="FILE", help="measure nothing: the table of what was written before")
    options = parser.parse_args(arguments)
    if options.of:
        runs = [json.loads(Path(file).read_text(encoding="utf-8"))["found"] for file in options.of]
        print(*table(runs), sep="\n")
        return 0
    found: dict[str, dict[str, float]] = {}

    def measured(name: str, what: Callable[[], dict[str, float]]) -> None:
        if not options.only or name.split(maxsplit=1)[0] in options.only:
            found[name] = what()
            print(name, {key: round(value, 3) for key, value in found[name].items()}, flush=True)

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for net, spec in nets(folder):
            for size in SIZES:
                shown = f"{net} {size[0]}x{size[1]}"
                measured(f"key {shown}", lambda spec=spec, size=size: keys(spec, size, options.rounds))
            measured(f"held {net} 120x40", lambda spec=spec: held(spec, (120, 40)))
            measured(f"free {net} 120x40", lambda spec=spec: free(spec, (120, 40)))
            measured(f"idle {net} 120x40", lambda spec=spec: idle(spec, (120, 40)))
        measured("start", lambda: start(options.rounds * 3))
        measured("tensor", lambda: tensor(folder, (120, 40)))
    missed = list(_missed(found))
    print(*(f"MISSED {line}" for line in missed), f"{len(missed)} targets missed", sep="\n")
    if options.json:
        Path(options.json).write_text(json.dumps({"versions": versions(), "found": found}, indent=1), encoding="utf-8")
    return 0


# What stands in the table's rows: words, the key of a figure, its target in words, and the sizes at which that counts.
_USUAL, _MIDDLE, _LARGE = ("80x24", "120x40"), ("120x40",), ("250x70",)
ROWS = (
    ("an ordinary step, median", "step median", "≤ 3.2 ×", _USUAL),
    ("… 95 %", "step 95 %", "≤ 5 ×", _USUAL),
    ("… bytes", "step bytes", "≤ 6144", _USUAL),
    ("all panes, median", "all median", "≤ 6.5 ×", _MIDDLE),
    ("… at 250x70", "all median", "≤ 12 ×", _LARGE),
    ("… bytes", "all bytes", "≤ 32768", (*_MIDDLE, *_LARGE)),
    ("frames a key", "step frames", "1", _USUAL),
    ("a key held: lag, 95 %", "held lag 95 % ms", "≤ 50 ms", _MIDDLE),
    ("… of a core", "held core %", "≤ 40 %", _MIDDLE),
    ("running free: frames a second", "free frames/s", "≥ 45", _MIDDLE),
    ("… a key, 95 %", "free key 95 % ms", "≤ 80 ms", _MIDDLE),
    ("… speed over that without a screen", "free speed", "≥ 0.6", _MIDDLE),
    ("idle: of a core", "idle core %", "≤ 0.3 %", _MIDDLE),
    ("… bytes", "idle bytes", "0", _MIDDLE),
    ("first frame", "first frame", "≤ 1.8 ×", ()),
    ("usable", "usable", "≤ 1.35 ×", ()),
    ("`--version` over bare Python", "version", "≤ 3 ×", ()),
    ("784×512 in view over 20×20", "tensor ms", "≤ 2 ms", ()),
)


def table(runs: Sequence[dict[str, dict[str, float]]]) -> Iterator[str]:
    """The medians of some runs beside their targets; what misses its own is bold. Sizes stand side by side."""
    nets_of = [name.split()[1] for name in runs[0] if name.startswith("idle")]
    yield f"| what | target | {' | '.join(nets_of)} |"
    yield f"| --- | --- |{' --- |' * len(nets_of)}"
    for words, key, target, sizes in ROWS:
        alone = [name for name in ("start", "tensor") if key in runs[0].get(name, {})]
        places = [[f"{key.partition(' ')[0]} {net} {size}" for size in sizes] for net in nets_of]
        kinds = [[_place(place, runs[0]) for place in those] for those in places] or []
        cells = [
            " / ".join(_figure(runs, place, key) for place in those) for those in ([alone, []] if alone else kinds)
        ]
        yield f"| {words} | {target} | {' | '.join(cells)} |"


def _place(place: str, run: dict[str, dict[str, float]]) -> str:
    """Where a run has it: steps and whole panes are both of `key`."""
    return place if place in run else f"key {place.partition(' ')[2]}"


def _figure(runs: Sequence[dict[str, dict[str, float]]], place: str, key: str) -> str:
    values = [run[place][key] for run in runs]
    middle = statistics.median(values)
    missed = any(line.startswith(f"{place}: {key} ") for line in _missed({place: {key: middle}}))
    shown = f"{middle:.0f}" if middle >= 100 else f"{middle:.3g}"
    return f"**{shown}**" if missed else shown


def _missed(found: dict[str, dict[str, float]]) -> Iterator[str]:
    for name, figures in found.items():
        size = name.rpartition(" ")[2]
        for key, value in figures.items():
            target = TARGETS.get(
                f"{key} {size}", TARGETS.get(key.replace("all frames", "frames").replace("step frames", "frames"))
            )
            large = size == "250x70" and key.startswith("step")
            if target is not None and not large and (value < target if key in LEAST else value > target * 1.0000001):
                yield f"{name}: {key} {value:.3g}, target {target}"
