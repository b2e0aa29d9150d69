"""Nothing is without an oracle: every row of every table has to have been compared, in this very run, and have agreed.

It looks at what was noted while the other files ran, not at what they say they cover, so it can't be talked into it; run
alone or with some of them left out it has nothing to look at and says so.
"""

from __future__ import annotations

import os
from pathlib import Path

import oracles_registry
import pytest

from bptui.engine.initial import INITIALISERS, WITH_NUMBERS
from bptui.engine.kinds import KINDS
from bptui.engine.ops import LOSSES, OPS
from bptui.engine.optimizers import OPTIMIZERS, SCHEDULES

TABLES = {
    "OPS": tuple(OPS), "LOSSES": tuple(LOSSES), "OPTIMIZERS": tuple(OPTIMIZERS), "SCHEDULES": tuple(SCHEDULES), "KINDS": tuple(KINDS),
    "INITIALISERS": (*INITIALISERS, *WITH_NUMBERS),
}  # fmt: skip


HERE = Path(__file__).parent


def left_out(request: pytest.FixtureRequest) -> str:
    """What of this folder did not run, so that nothing can be said."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        return "what another worker ran (pytest -n 0 tests/oracles)"
    options = request.config.option
    ran = {item.path.name for item in request.session.items if item.path.parent == HERE}
    missing = sorted({path.name for path in HERE.glob("test_*.py")} - ran)
    narrowed = (
        options.keyword
        or options.deselect
        or getattr(options, "lf", False)
        or any("::" in a for a in request.config.args)
    )
    return ", ".join(missing) or ("some of the cases" if narrowed else "")


@pytest.fixture
def whole(request):
    """Only where all the other files ran whole, with PyTorch and ONNX there."""
    if missing := left_out(request):
        pytest.skip(f"only where all of tests/oracles runs; left out: {missing}")


@pytest.mark.parametrize("table", TABLES)
def test_every_row_has_an_oracle(table, whole):
    asked = oracles_registry.agreed(table)
    without = [name for name in TABLES[table] if name not in asked]
    assert not without, f"{table} without an oracle that agreed: {', '.join(without)}"


@pytest.mark.parametrize("table", TABLES)
def test_an_oracle_is_of_a_row(table, whole):
    assert not oracles_registry.agreed(table) - set(TABLES[table])


def test_a_declared_oracle_was_asked(whole):
    """One that is declared and compared nothing would be a claim."""
    idle = sorted(
        oracles_registry.DECLARED
        - {k for k, tally in oracles_registry.TALLIES.items() if tally.passed or tally.skipped}
    )
    # An update has no gradient, and neither have operators of whole numbers.
    idle = [key for key in idle if not (key[0] == "ONNX" and key[2].startswith("central"))]
    assert not idle
