"""The most memory that a session takes: VmHWM of a subprocess that trains, against what it has to hold.

Allowed: the interpreter with NumPy and the engine imported (measured in a subprocess that does only that), the cap on
checkpoints, and three times parameters, optimizer state, and activations (every slot that is no parameter or state).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

_PEAK = """
import json, re, sys
sys.path[:0] = [{root!r}, {tests!r}]
import numpy as np
import bptui.engine.player
from bptui.engine.build import build
from bptui.engine.checkpoints import MEMORY
from bptui.engine.player import Player
from bptui.engine.timeline import Position, Timeline
from tests.bench.nets import case
def peak():
    return 1024 * int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
bare = peak()
{body}
"""
_TRAIN = """
made = case({name!r}, {optim!r}, {dtype!r})
inputs = peak()
program = build(made.network())
player = Player(Timeline(program))
player.goto(player.timeline, Position({iterations}, len(program)))
size = np.dtype(made.dtype).itemsize
sizes = dict()
for slot in program.slots.values():
    kind = "data" if slot.kind == "data" else "held"
    sizes[kind] = sizes.get(kind, 0) + slot.size * size
print(json.dumps(dict(peak=peak(), bare=bare, cap=MEMORY, checkpoints=player.checkpoints.nbytes, **sizes)))
"""


def session(name: str, optim: str = "adam", dtype: str = "float64") -> dict[str, Any]:
    """The peak of one session; enough iterations for its checkpoints to reach their cap where that takes not long."""
    iterations = {"2-2-1": 20000, "784-512-512-10": 40}.get(name, 2000 if "moons" in name else 300)
    body = _TRAIN.format(name=name, optim=optim, dtype=dtype, iterations=iterations)
    code = _PEAK.format(root=str(ROOT), tests=str(ROOT / "tests"), body=body)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    found = json.loads(done.stdout)
    # The data are held twice: as described, and in the machine.
    allowed = found["bare"] + found["cap"] + 3 * found["held"] + 3 * found["data"]
    used = found["bare"] + found["checkpoints"] + 3 * found["held"] + 3 * found["data"]
    return {
        "case": f"{name} {optim} {dtype}",
        **found,
        "allowed": allowed,
        "with_present_checkpoints": used,
        "ok": found["peak"] <= allowed,
    }


def report(names: Sequence[str]) -> list[dict[str, Any]]:
    """For each network; none where /proc is missing."""
    return [session(name) for name in names] if Path("/proc/self/status").exists() else []


def line(row: dict[str, Any]) -> str:
    """One line of the report, in MiB."""
    mib = {
        key: f"{row[key] / 2**20:.1f}"
        for key in ("peak", "bare", "checkpoints", "held", "data", "allowed", "with_present_checkpoints")
    }
    return (
        "memory "
        + row["case"]
        + ": "
        + ", ".join(f"{k} {v}" for k, v in mib.items())
        + (" ok" if row["ok"] else " MISS")
    )
