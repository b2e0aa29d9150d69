"""What an outsider has vouched for: declared when the oracle files are imported, and counted when they run.

covers   declares that an oracle exists; `test_every_row_has_an_oracle` wants one for every row of every table
note     records one compared case; a declaration without a noted case doesn't count
skip     records a case that was left out, and why
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

TABLES = ("OPS", "LOSSES", "OPTIMIZERS", "SCHEDULES", "KINDS", "INITIALISERS", "WHOLE", "ONNX")
Key = tuple[str, str, str]


@dataclass
class Tally:
    """What came of the cases of a row under an oracle."""

    passed: int = 0
    failed: int = 0
    worst: float = 0.0
    skipped: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


DECLARED: set[Key] = set()
TALLIES: defaultdict[Key, Tally] = defaultdict(Tally)


def _key(table: str, name: str, oracle: str) -> Key:
    assert table in TABLES, f"{table} is none of {', '.join(TABLES)}"
    return table, name, {"torch": "PyTorch"}.get(oracle, oracle)


def covers(table: str, name: str, oracle: str) -> Callable[[Any], Any]:
    """Declare an oracle of a row: a plain call, or a decorator of what asks it."""
    DECLARED.add(_key(table, name, oracle))
    return lambda thing: thing


def note(table: str, name: str, oracle: str, error: float = 0.0) -> None:
    """A case that agreed, and its relative error."""
    key = _key(table, name, oracle)
    assert key in DECLARED, f"{key} was not declared with covers()"
    tally = TALLIES[key]
    tally.passed += 1
    tally.worst = max(tally.worst, float(error))


def fail(table: str, name: str, oracle: str, why: str = "") -> None:
    """A case that disagreed; the test that found it says so as well."""
    tally = TALLIES[_key(table, name, oracle)]
    tally.failed += 1
    tally.failures.append(why)


def skip(table: str, name: str, oracle: str, reason: str, times: int = 1) -> None:
    """A case left out, and why."""
    TALLIES[_key(table, name, oracle)].skipped[reason] += times


def agreed(table: str) -> set[str]:
    """The rows of a table of which some case was compared and agreed."""
    return {name for (of, name, _), tally in TALLIES.items() if of == table and tally.passed}
