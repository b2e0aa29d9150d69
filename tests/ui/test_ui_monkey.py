"""A monkey at a real terminal: no crash, no hang, and it quits at once whatever has been done to it.

The whole form, more than a hundred thousand events over twelve seeds, with its figures:

    python -m pytest -n 0 -s -m soak tests/ui/test_ui_monkey.py
"""

from __future__ import annotations

import pytest
from monkey import Monkey

EXAMPLES = ("article", "mazur", "xor", "moons", "iris", "digits", "sequential", "lenet", "transformer", "lstm")
SMALL, WHOLE = 300, 9000


def played(seed: int, events: int, folder, examples: tuple[str, ...]) -> str:
    monkey = Monkey(seed, folder, examples)
    try:
        return str(monkey.play(events))
    finally:
        monkey.close()


@pytest.mark.parametrize(("seed", "example"), [(1, "article"), (2, "moons")])
def test_a_monkey_does_no_harm(tmp_path, seed, example):
    played(seed, SMALL, tmp_path, (example, "xor"))


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10, 22))
def test_a_monkey_that_has_all_day(tmp_path, seed):
    first = EXAMPLES[seed % len(EXAMPLES)]
    others = tuple(name for name in EXAMPLES if name != first)
    print(f"\nseed {seed}, {first} first: {played(seed, WHOLE, tmp_path, (first, *others))}")
