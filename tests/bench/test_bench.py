"""The bench's own loops compute what the engine computes, and a quick run writes what it measured."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [path for path in (str(ROOT), str(ROOT / "tests")) if path not in sys.path]

from tests.bench.engine import OURS, Free, contenders, difference, tolerance  # noqa: E402
from tests.bench.hand import Hand  # noqa: E402
from tests.bench.nets import DTYPES, OPTIMS, SHAPES, case  # noqa: E402
from tests.bench.rivals import Naive  # noqa: E402
from tests.bench.same import Same  # noqa: E402

SMALL = [name for name in SHAPES if name != "784-512-512-10"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("optim", OPTIMS)
@pytest.mark.parametrize("name", SMALL)
def test_the_hand_written_loops_and_the_engine_agree(name, optim, dtype):
    made = case(name, optim, dtype, lr={"sgd": 0.05, "adam": 0.01}[optim] if dtype == "float64" else None)
    ours = Free(made)
    bits, worst = difference(made, ours, Same(made))
    assert bits, f"{made.title}: {worst}"
    assert difference(made, ours, Hand(made))[1] <= tolerance(made, "folded")
    assert difference(made, ours, Naive(made))[1] <= tolerance(made, "naive")
    if optim == "sgd" and made.loss == "half-mse":
        assert difference(made, ours, Hand(made, free=True))[1] <= tolerance(made, "limit")


@pytest.mark.parametrize("name", ["2-2-1", "moons-b1", "moons-b100"])
def test_every_way_to_run_gives_the_same_bits(name):
    made = case(name, "adam")
    people = dict(contenders(made, list(OURS)))
    for who, contender in people.items():
        assert difference(made, people["free"], contender)[0], who


@pytest.mark.parametrize("who", ["torch", "micrograd"])
def test_rivals_agree(who):
    for name, optim in (("2-2-1", "sgd"), ("moons-b1", "sgd"), ("784-128-64-10", "adam")):
        made = case(name, optim)
        for rival in dict(contenders(made, [who])).values():
            assert difference(made, Free(made), rival, 3)[1] <= tolerance(made, who)


def test_a_quick_run_writes_what_it_measured(tmp_path):
    file = tmp_path / "measured.json"
    command = [
        sys.executable,
        "-m",
        "tests.bench",
        "engine",
        "--quick",
        "--only",
        "2-2-1",
        "moons-b100",
        "--json",
        str(file),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "free/hand" in done.stdout
    found = json.loads(file.read_text(encoding="utf-8"))
    assert {result["network"] for result in found["results"]} == {"2-2-1", "moons-b100"}
    assert all(checked["ok"] for result in found["results"] for checked in result["checked"].values())
    assert all(value > 0 for result in found["results"] for value in result["medians"].values())
    assert {"cpu", "numpy", "python", "blas"} <= found["versions"].keys()


def test_a_quick_sweep_is_stacked_to_the_same_bits(tmp_path):
    file = tmp_path / "measured.json"
    command = [sys.executable, "-m", "tests.bench", "sweep", "--quick", "--only", "2-2-1", "--json", str(file)]
    subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found = json.loads(file.read_text(encoding="utf-8"))["results"]
    assert [(row["network"], row["optim"], row["same"]) for row in found] == [("2-2-1", o, True) for o in OPTIMS]
    assert all(row["ratio"] > 0 for row in found)


def test_the_table_of_what_the_app_costs_tells_what_misses_its_target(tmp_path):
    """The medians of runs, sizes side by side; where no target is, nothing can miss it."""
    runs = []
    for median in (3.0, 3.5, 3.1):
        step = {"step median": median, "step 95 %": 6.0, "step bytes": 100.0, "step frames": 1.0}
        whole = {"all median": 7.0, "all bytes": 100.0}
        quiet = {
            "held lag 95 % ms": 1.0,
            "held core %": 1.0,
            "free key 95 % ms": 1.0,
            "idle core %": 0,
            "idle bytes": 0,
        }
        found = {f"key article {size}": {**step, **whole} for size in ("80x24", "120x40", "250x70")}
        found |= {
            f"{word} article 120x40": {**quiet, "free frames/s": 44.0, "free speed": 1.0}
            for word in ("held", "free", "idle")
        }
        found |= {"start": {"first frame": 1.5, "usable": 1.5, "version": 1.0}, "tensor": {"tensor ms": 1.0}}
        runs.append(tmp_path / f"{median}.json")
        runs[-1].write_text(json.dumps({"found": found}), encoding="utf-8")
    command = [sys.executable, "-m", "tests.bench", "ui", "--of", *map(str, runs)]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    cells = {row.split(" | ")[0].strip("| "): row.split(" | ")[2].strip("| ") for row in said[2:]}
    assert cells["an ordinary step, median"] == "3.1 / 3.1"
    assert said[3].split(" | ")[2].strip("| ") == "**6** / **6**"
    assert cells["all panes, median"] == "**7**"
    assert cells["… at 250x70"] == "7"
    assert cells["running free: frames a second"] == "**44**"
    assert (cells["first frame"], cells["usable"]) == ("1.5", "**1.5**")


def test_words_that_name_no_bench():
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", "nothing"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "engine" in done.stdout
