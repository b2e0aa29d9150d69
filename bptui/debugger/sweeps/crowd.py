"""Sharing a sweep among workers: processes of this machine, or any other executor; no fork is lost with a worker."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import multiprocessing
import os
import pickle
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from dataclasses import dataclass
from multiprocessing import resource_tracker
from typing import Any

from bptui.debugger.sweeps.sweep import Outcome, Plan, either
from bptui.debugger.sweeps.variants import SweepError
from bptui.engine.stacks import Watch, nobody

# Parts for each worker, so that none waits long for the last; and the most forks of one.
_PARTS, _MOST = 4, 1024
# So often in a row all may be lost.
_TRIES = 3
# How long a scheduler is waited for; and after how many seconds without a result it is seen who is still there.
_PATIENCE, _LOOK = "10s", 5
# So often in that time who watches may break it off.
_LOOKS = 50

_Future = Future[list[Outcome]]


@dataclass(frozen=True)
class Crowd:
    """Workers.

    open     what opens an executor; another is opened where work was lost
    workers  how many there are
    words    what they are called
    lost     what is raised where a worker was lost with its work
    there    how many are there now; asked while nothing gets done
    """

    open: Callable[[], contextlib.AbstractContextManager[Executor]]
    workers: int
    words: str
    lost: tuple[type[BaseException], ...] = (BrokenExecutor, CancelledError)
    there: Callable[[], int] = lambda: 1


def processes(workers: int | None = None) -> Crowd:
    """Processes of this machine; as many as it has processors unless told."""
    count = workers or os.cpu_count() or 1
    # Spawned ones begin anew, so that the number of BLAS threads is set before NumPy is there.
    context = multiprocessing.get_context("spawn")

    def opened() -> ProcessPoolExecutor:
        if os.name == "posix":
            # It hands on the standard error's number, and an app that has put something else there has none.
            with contextlib.redirect_stderr(sys.__stderr__):
                resource_tracker.ensure_running()
        return ProcessPoolExecutor(count, mp_context=context, initializer=_leave_interrupts)

    return Crowd(opened, count, f"{count} process{'es' * (count > 1)}")


def _leave_interrupts() -> None:
    """Ctrl+C at a terminal goes to all processes: it is for the one that has the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def dask(address: str) -> Crowd:
    """The workers of a Dask cluster that is there already, by its scheduler's address. Raises SweepError."""
    try:
        library: Any = importlib.import_module("distributed")
    except ImportError:
        raise SweepError("--dask needs the package distributed: pip install 'bptui[dask]'") from None
    cluster = _Cluster(library, address)
    with cluster.open():
        threads = cluster.threads()
        cluster.refuse_strangers()
    words = f"{threads} thread{'s' * (threads > 1)} of the Dask cluster at {address}"
    lost = (BrokenExecutor, CancelledError, library.KilledWorker, library.comm.CommClosedError)
    return Crowd(cluster.open, max(1, threads), words, lost, cluster.threads)


class _Cluster:
    """A client of a Dask cluster, while it is open."""

    def __init__(self, library: Any, address: str) -> None:
        self.library = library
        self.address = address
        self._client: Any = None

    @contextlib.contextmanager
    def open(self) -> Iterator[Executor]:
        """An executor. Raises SweepError where no scheduler answers."""
        try:
            self._client = self.library.Client(self.address, timeout=_PATIENCE, set_as_default=False)
        except (OSError, ValueError) as error:
            raise SweepError(f"no Dask scheduler answers at {self.address[:80]}: {type(error).__name__}") from None
        with self._client:
            # Not pure: what is asked for once more is not to be answered from memory.
            yield self._client.get_executor(pure=False)

    def threads(self) -> int:
        """The threads of all workers that are there now."""
        return sum(self._client.nthreads().values())

    def refuse_strangers(self) -> None:
        """Raises SweepError where workers have no bptui, or none that sweeps: work sent to them would end them."""
        try:
            known = self._client.run(importlib.util.find_spec, __name__)
        except ImportError:
            known = {"": None}
        if not known or None in known.values():
            why = "don't have the bptui that is here: install it there" if known else "are not there"
            raise SweepError(f"the workers of the Dask cluster at {self.address[:80]} {why}")


def shared(plan: Plan, crowd: Crowd, watch: Watch = nobody) -> list[Outcome]:
    """Carry out a plan by workers, in the order of its variants. Raises SweepError where they keep being lost."""
    count = len(plan.variants)
    size = max(1, min(_MOST, -(-count // (_PARTS * crowd.workers))))
    parts = [plan.part(start, start + size) for start in range(0, count, size)]
    done: dict[int, list[Outcome]] = {}
    tries = 0
    while len(done) < len(parts):
        missing = [k for k in range(len(parts)) if k not in done]
        with crowd.open() as executor:
            numbers: dict[_Future, int] = {}
            try:
                for k, future in _submitted(executor, parts, missing, crowd, watch, numbers):
                    with contextlib.suppress(*crowd.lost):
                        done[k] = future.result()
                        watch(parts[k].work)
            except BaseException:
                _break_off(executor, numbers)
                raise
        tries = tries + 1 if len(done) + len(missing) == len(parts) else 0
        if tries == _TRIES:
            raise SweepError(
                f"the workers were lost {_TRIES} times in a row: {len(missing)} parts of the sweep are left"
            )
    return [outcome for k in range(len(parts)) for outcome in done[k]]


def _break_off(executor: Executor, futures: Iterable[_Future]) -> None:
    """Nothing more is begun, and processes of ours do not finish what they have begun."""
    if not isinstance(executor, ProcessPoolExecutor):
        for future in futures:
            future.cancel()
        return
    # It cancels its futures itself: where a process is gone first, it says so to each that nobody else has cancelled.
    # `terminate_workers`, which does this, is there from Python 3.14 on.
    ours = list((executor._processes or {}).values())  # noqa: SLF001
    executor.shutdown(wait=False, cancel_futures=True)
    for process in ours:
        process.terminate()


def _submitted(
    executor: Executor,
    parts: Sequence[Plan],
    missing: Sequence[int],
    crowd: Crowd,
    watch: Watch,
    numbers: dict[_Future, int],
) -> Iterator[tuple[int, _Future]]:
    """The work that is still to be done, each as it is done; an end where nobody is there to do it.

    numbers  is filled with what was handed out
    """
    with contextlib.suppress(*crowd.lost):
        for k in missing:
            numbers[executor.submit(either, parts[k])] = k
    waiting, idle = set(numbers), 0
    while waiting and idle < _TRIES:
        done, waiting = _next(waiting, watch)
        idle = 0 if done or crowd.there() else idle + 1
        for future in done:
            yield numbers[future], future


def _next(waiting: set[_Future], watch: Watch) -> tuple[set[_Future], set[_Future]]:
    """What is done, if anything gets done in a while, and what is not."""
    done: set[_Future] = set()
    for _ in range(_LOOKS):
        watch(0)
        done, waiting = wait(waiting, _LOOK / _LOOKS, FIRST_COMPLETED)
        if done:
            break
    return done, waiting


def portable(plan: Plan) -> bool:
    """Whether a plan can be sent to another process; an op of a person's own can't."""
    try:
        pickle.dumps(plan.part(0, 1))
    except (pickle.PicklingError, AttributeError, TypeError):
        return False
    return True
