"""Files of ill will, and good ones changed at random: read, or refused in lines; at once, in little memory, nothing run.

The small form is part of every run. The whole one, which says what it found in figures:

    python -m pytest -n 0 -s -m soak tests/fuzz
"""

from __future__ import annotations

import itertools
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import fuzz_arrays
import pytest
from fuzz_cases import Case
from fuzz_kinds import KINDS, malformed, mutated
from fuzz_trials import MEGABYTES, SECONDS, WAYS, Trial, in_process, warm, whole

from bptui import cli

SMALL, WHOLE, RUNS = 400, 20_000, 500
# Each goes in on its own; the sample takes every so many of a generator's cases.
STRIDE = 7


@pytest.fixture(scope="module", autouse=True)
def warmed(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What is imported late is imported before anything is judged."""
    sample = [*(case for kind in KINDS for case in kind.good()), *mutated(0, 60), *_sample(malformed(large=False), 40)]
    warm(sample, tmp_path_factory.mktemp("warm"))


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[Path]:
    """An empty folder for each case."""
    return (path for k in itertools.count() if not (path := tmp_path / str(k)).mkdir())


def _sample(cases: Iterable[Case], stride: int) -> list[Case]:
    return list(cases)[::stride]


def _tried(cases: Iterable[Case], trial: Callable[[Case], Trial]) -> list[Trial]:
    """Every case, tried; all that went wrong is told together."""
    trials = [trial(case) for case in cases]
    wrong = [made for made in trials if made.faults]
    assert not wrong, f"{len(wrong)} of {len(trials)}:\n" + "\n".join(map(str, wrong[:20]))
    return trials


def _told(what: str, trials: list[Trial]) -> None:
    """The figures of a whole form."""
    codes = Counter(trial.code for trial in trials)
    refused = [trial for trial in trials if trial.code == 2]
    slowest, largest = (max(refused, key=lambda t: getattr(t, by)) for by in ("seconds", "megabytes"))
    print(f"\n{what}: {len(trials)} tried, {codes[0] + codes[1]} read, {codes[2]} refused, no other end")
    print(f"  longest refusal {slowest.seconds:.2f} s of processor time ({slowest.case.name})")
    print(f"  largest refusal {largest.megabytes:.0f} MB ({largest.case.name})")
    if any(trial.wall for trial in trials):
        walls = sorted(trial.wall for trial in refused)
        print(f"  by the clock: median {walls[len(walls) // 2]:.2f} s, longest {walls[-1]:.2f} s")


class TestInProcess:
    def test_the_good_ones_are_read_without_a_word(self, folders):
        cases = [case for kind in KINDS for case in kind.good()]
        assert {trial.code for trial in _tried(cases, lambda case: in_process(case, next(folders)))} == {0}

    def test_there_are_enough_of_them_and_no_two_alike(self):
        cases = malformed(large=False)
        assert len({(case.opened, tuple(sorted(case.files.items(), key=str))) for case in cases}) >= 500
        assert len({case.name for case in cases}) == len(cases)
        assert {kind.name for kind in KINDS} <= {case.name.split("/")[0] for case in cases}

    def test_some_malformed_ones(self, folders):
        cases = _sample(malformed(large=False), STRIDE)
        assert {trial.code for trial in _tried(cases, lambda case: in_process(case, next(folders)))} == {2}

    def test_some_mutations(self, folders):
        codes = Counter(trial.code for trial in _tried(mutated(1, SMALL), lambda case: in_process(case, next(folders))))
        assert codes[0] > SMALL / 20
        assert codes[2] > SMALL / 5

    @pytest.mark.soak
    @pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
    def test_every_malformed_one(self, folders, kind):
        trials = _tried(kind.malformed(), lambda case: in_process(case, next(folders)))
        assert {trial.code for trial in trials} == {2}
        _told(f"malformed {kind.name}", trials)

    @pytest.mark.soak
    @pytest.mark.parametrize("seed", range(2, 12))
    def test_very_many_mutations(self, folders, seed):
        trials = _tried(mutated(seed, WHOLE // 10), lambda case: in_process(case, next(folders)))
        _told(f"mutations of seed {seed}", trials)


class TestWholeRuns:
    def test_a_few(self, folders):
        self._runs(10, 3, folders)

    @pytest.mark.soak
    def test_hundreds(self, folders):
        _told("whole runs", self._runs(RUNS, 4, folders))

    def _runs(self, count: int, seed: int, folders: Iterator[Path]) -> list[Trial]:
        """Half of them malformed, half mutated, opened in every way in turn."""
        rng = random.Random(seed)
        # What no shell could pass as an argument is left out.
        cases = [case for case in malformed(large=count > 100) if "\ud800" not in case.opened]
        chosen = [*rng.sample(cases, count // 2), *mutated(seed, count - count // 2)]
        every, sessions = itertools.cycle(WAYS), itertools.cycle(("a script", "a pipe"))
        return _tried(chosen, lambda case: whole(case, next(folders), next(sessions if case.session else every)))


class TestTheBomb:
    """A small archive that would unpack to gigabytes is refused from the header of its array."""

    CONTENT = fuzz_arrays.bomb("(1638400, 1024)", 1600)
    SAYS = "x has 1,677,721,600 numbers: the limit is 50,000,000\n"

    def test_it_is_small(self):
        assert 1.4e6 < len(self.CONTENT) < 1.8e6

    @pytest.mark.parametrize("case", list(fuzz_arrays.both("a bomb", CONTENT)), ids=lambda case: case.name)
    def test_it_is_refused(self, folders, case):
        (trial,) = _tried([case], lambda case: in_process(case, next(folders)))
        assert trial.err.endswith(self.SAYS)
        assert trial.megabytes < 20

    def test_it_is_refused_in_a_run_of_its_own(self, folders):
        case = fuzz_arrays.case("a bomb", self.CONTENT)
        (trial,) = _tried([case], lambda case: whole(case, next(folders), "run"))
        assert trial.err == f"bptui: net.toml:1: d.npz: {self.SAYS}"


class TestTheTrialItself:
    """It sees what it is there for."""

    CASE = Case("a trial", "net.toml", {"net.toml": b'data = "xor"\nlayers = ["dense 1"]\nloss = "mse"\n'})

    def _faults(self, monkeypatch, folders, deed: Callable[[], object]) -> str:
        load = cli._load
        monkeypatch.setattr(cli, "_load", lambda spec: deed() and load(spec))
        return "; ".join(in_process(self.CASE, next(folders)).faults)

    def test_what_is_read_though_malformed(self, monkeypatch, folders):
        assert self._faults(monkeypatch, folders, lambda: True) == "was read, though malformed"

    def test_any_other_exception(self, monkeypatch, folders):
        assert "raised KeyError" in self._faults(monkeypatch, folders, lambda: {}["W"])

    def test_lines_without_the_file(self, monkeypatch, folders):
        def complain():
            raise ValueError("something\nand more")

        assert self._faults(monkeypatch, folders, complain).count("a line without the file's name") == 2

    def test_what_a_terminal_would_obey(self, monkeypatch, folders):
        def complain():
            raise ValueError("net.toml:1: \x9b31m")

        monkeypatch.setattr("bptui.files.text.safe", lambda text: text)
        assert "a terminal would obey" in self._faults(monkeypatch, folders, complain)

    def test_code_that_is_run(self, monkeypatch, folders):
        assert "something in it was run" in self._faults(monkeypatch, folders, lambda: Path("hostile").touch() or True)

    def test_time_and_memory(self, monkeypatch, folders):
        def waste():
            taken = bytearray(int(3 * MEGABYTES * 2**20))  # as much may be given back meanwhile
            taken[::4096] = taken[::4096]
            end = time.process_time() + SECONDS
            while time.process_time() < end:
                pass
            raise ValueError("net.toml: no")

        faults = self._faults(monkeypatch, folders, waste)
        assert "MB" in faults
        assert " s" in faults
