"""Run every oracle and write what came of it into README.md: `python tests/oracles/report.py`."""

from __future__ import annotations

import platform
import sys
from collections import Counter
from pathlib import Path

HERE = Path(__file__).parent
for _folder in (HERE.parent.parent, HERE.parent, HERE):
    if str(_folder) not in sys.path:
        sys.path.insert(0, str(_folder))

import pytest  # noqa: E402
from oracles_registry import TABLES, TALLIES, Tally  # noqa: E402

TITLES = {
    "OPS": "Rows of the op table",
    "KINDS": "Layers",
    "LOSSES": "Losses",
    "OPTIMIZERS": "Optimizers",
    "SCHEDULES": "Schedules of the learning rate",
    "INITIALISERS": "Initialisers",
    "WHOLE": "Whole networks",
    "ONNX": "Operators of ONNX",
}
HEAD = "| row | oracle | cases | failed | skipped | worst error |\n|---|---|--:|--:|--:|--:|"


def versions() -> str:
    """Of Python and of the oracles; a missing one is said to be missing."""
    found = [f"Python {platform.python_version()}"]
    for name in ("numpy", "torch", "onnx", "sklearn"):
        try:
            found.append(f"{name} {__import__(name).__version__}")
        except ImportError:
            found.append(f"{name} is missing")
    return ", ".join(found)


def line(name: str, oracle: str, tally: Tally) -> str:
    """A row of a table."""
    skipped = sum(tally.skipped.values())
    cases = tally.passed + tally.failed
    worst = f"{tally.worst:.1e}" if tally.worst else "0" if cases else "–"
    return f"| `{name}` | {oracle} | {cases:,} | {tally.failed} | {skipped or ''} | {worst} |"


def section(table: str) -> list[str]:
    """A table's heading and rows, in the order of their names."""
    keys = sorted(key for key in TALLIES if key[0] == table)
    if not keys:
        return []
    return [
        f"## {TITLES[table]}",
        "",
        HEAD,
        *(line(name, oracle, TALLIES[table, name, oracle]) for _, name, oracle in keys),
        "",
    ]


def reasons() -> list[str]:
    """Why cases were left out, most often first."""
    counts: Counter[tuple[str, str]] = Counter()
    for (_, _, oracle), tally in TALLIES.items():
        for reason, times in tally.skipped.items():
            counts[oracle, reason] += times
    rows = [
        f"| {oracle} | {reason} | {times} |"
        for (oracle, reason), times in sorted(counts.items(), key=lambda c: (-c[1], c[0]))
    ]
    return (
        ["## What was left out, and why", "", "| oracle | reason | cases |", "|---|---|--:|", *rows, ""] if rows else []
    )


def summary() -> str:
    """All cases of every table but the rows that other tables' cases also went through."""
    passed, failed, skipped = Counter(), Counter(), Counter()
    for (table, _, _), tally in TALLIES.items():
        passed[table] += tally.passed
        failed[table] += tally.failed
        skipped[table] += sum(tally.skipped.values())
    rows = [
        f"| {TITLES[t]} | {passed[t] + failed[t]:,} | {failed[t]} | {skipped[t]} |"
        for t in TABLES
        if passed[t] + failed[t]
    ]
    return "\n".join(["| | comparisons | failed | skipped |", "|---|--:|--:|--:|", *rows])


TEXT = """# Proven by outsiders

What bptui computes, compared with what others compute: PyTorch's values and the gradients of its autograd, ONNX's own
backend node tests, and central differences. Everything runs through the product itself: real instructions, the real
builder's gradients, the real compiled lines; and each line that is shown is evaluated by plain NumPy and has to give
the very same bits.

Written by `python tests/oracles/report.py`, with {versions}.

A case is one set of arguments in one precision, its result and all its gradients together; a case that goes through
several rows counts for each of them. The worst error is relative, that of double precision where PyTorch is asked
(numbers below 1e-3 are compared as if they were 1e-3), and that of the precision a case of ONNX has. In the row of an
initialiser it is the distance from PyTorch's law as a share of what a sample may have. A case written out by ONNX in
several operators is a case of those operators and isn't counted.

{summary}
"""


def main() -> int:
    """Run, write, and say whether all agreed."""
    code = int(
        pytest.main([str(HERE), "-q", "-n", "0", "-p", "no:cacheprovider", "--no-header", "--tb=short", "-W", "ignore"])
    )
    parts = [
        TEXT.format(versions=versions(), summary=summary()),
        *(text for table in TABLES for text in section(table)),
        *reasons(),
    ]
    (HERE / "README.md").write_text("\n".join(parts).rstrip() + "\n", encoding="utf-8")
    return code


if __name__ == "__main__":
    raise SystemExit(main())
