"""`python -m tests.bench WORD …` from the top of the repository: measurements, a module for each word."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

BENCHES = {
    "engine": "how fast the engine is, against hand-written NumPy, PyTorch, micrograd and JAX",
    "sweep": "how much faster many forks are stacked than one after the other",
    "ui": "what a key, a run, idling and starting cost in the app, in a real terminal",
    "time": "what seeking, walking back and looking for conditions cost, in iterations",
}


def main(arguments: list[str]) -> int:
    """Run the bench that the first word names."""
    if not arguments or arguments[0] not in BENCHES:
        print("usage: python -m tests.bench WORD …", *(f"  {word}  {what}" for word, what in BENCHES.items()), sep="\n")
        return 0 if arguments in ([], ["--help"], ["-h"]) else 2
    # Before NumPy is imported: one thread, one core.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    # A terminal and the app in it are two processes: each has a core of its own, as at a person's.
    if hasattr(os, "sched_setaffinity") and arguments[0] != "ui":
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    root = Path(__file__).resolve().parents[2]
    sys.path[:0] = [str(root), str(root / "tests")]
    return int(importlib.import_module(f"tests.bench.{arguments[0]}").main(arguments[1:]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
