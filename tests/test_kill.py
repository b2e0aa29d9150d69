"""`kill -9` at any moment loses nothing that was answered, and leaves no session that can't be opened.

The whole: `python -m pytest -m soak tests/test_kill.py`, a thousand kills in about ten minutes.
"""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import killing
import pytest


def test_a_few_kills_of_plain_mode(tmp_path):
    kills = [kill for seed in range(5) for kill in killing.kill_plain(seed, tmp_path, length=12)]
    assert [kill.wrong for kill in kills if kill.wrong] == []
    assert sum(kill.answered for kill in kills) > 10


def test_a_few_kills_of_the_app(tmp_path):
    kills = [kill for seed in range(2) for kill in killing.kill_app(seed, tmp_path, length=12)]
    assert [kill.wrong for kill in kills if kill.wrong] == []
    assert all(kill.found >= kill.answered for kill in kills)


def test_this_would_notice_a_journal_that_is_late(tmp_path, monkeypatch):
    """A command that is answered and not yet written is one that is lost."""
    made = killing.Script("article", ["next", "next"])
    session = killing.Session(killing.specs.load("article"))
    for command in ("", "next", "next"):
        session.execute(command)
        made.marks.append(killing.mark(session))
    kept = killing.opening.begin(killing.opening.origins.load("article"), tmp_path / "s")
    kept.execute("next")
    kept.close()
    assert killing.judged(made, tmp_path / "s", 0, 0, 2).wrong == "s: 1 acknowledged commands are lost"


def _one(job: tuple[str, int, Path]) -> list[killing.Kill]:
    front, seed, folder = job
    return killing.kill_app(seed, folder) if front == "app" else killing.kill_plain(seed, folder)


@pytest.mark.soak
def test_a_thousand_kills(tmp_path):
    wanted = int(os.environ.get("BPTUI_KILLS", "1000"))
    first = int(os.environ.get("BPTUI_SEED", "1000"))
    jobs = [("app" if k % 8 == 0 else "plain", first + k, tmp_path) for k in range(wanted)]
    kills: Counter[str] = Counter()
    wrong: list[str] = []
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for (front, *_), found in zip(jobs, pool.map(_one, jobs), strict=True):
            for kill in found:
                kills.update({front: 1, "answered": kill.answered, "found": kill.found})
                wrong += [kill.wrong] if kill.wrong else []
            if sum(kills[key] for key in ("app", "plain")) >= wanted:
                break
        pool.shutdown(cancel_futures=True)
    print(f"{dict(kills)}; wrong: {len(wrong)}", *wrong, sep="\n")
    assert wrong == []
