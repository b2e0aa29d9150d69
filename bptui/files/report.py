"""Mistakes of one spec, gathered while it is read and told all at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from bptui.engine.network import NetworkError, Problem, Where
from bptui.files.lines import Lines
from bptui.files.text import safe

MAX_MISTAKES = 100
MAX_LENGTH = 300


class SpecError(ValueError):
    """A spec that can't be used; `lines` has every mistake, ready to print: `FILE:LINE: what is wrong`."""

    def __init__(self, lines: Iterable[str]) -> None:
        """Keep the lines."""
        self.lines = list(lines)
        super().__init__("\n".join(self.lines))


class FileError(ValueError):
    """A file that can't be read or written; its text is one line."""


class Report:
    """Mistakes, and the places whose value could not be read.

    What follows from an unreadable value is no news: problems at a spoilt place, or inside it, are dropped.
    """

    def __init__(self) -> None:
        """Nothing is wrong so far."""
        self._problems: list[Problem] = []
        self._spoilt: set[Where] = set()

    def __bool__(self) -> bool:
        """Whether anything is wrong."""
        return bool(self._problems)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The mistakes noted so far."""
        return tuple(self._problems)

    def add(self, where: Where, message: str, *, spoils: Where | None = None) -> None:
        """Note a mistake; the value at `where`, or the larger one named, is taken as unreadable."""
        self._problems.append(Problem(where, message))
        self._spoilt.add(where if spoils is None else spoils)

    def spoil(self, where: Where) -> None:
        """Say that nothing is known about a place."""
        self._spoilt.add(where)

    def merge(self, problems: Iterable[Problem]) -> None:
        """Take over what the engine found, except where that only follows from mistakes known already."""
        self._problems.extend([problem for problem in problems if not self._follows(problem.where)])

    def _follows(self, where: Where) -> bool:
        return any(where[:n] in self._spoilt for n in range(len(where) + 1))

    def error(self, shown: str, lines: Lines) -> SpecError:
        """Everything noted, by line; mistakes without a line come first."""
        found = {(lines.find(problem.where) or 0, problem.message): None for problem in self._problems}
        ready = [f"{mark(shown, line)}: {_trim(message)}" for line, message in sorted(found, key=lambda pair: pair[0])]
        more = len(ready) - MAX_MISTAKES
        if more > 0:
            ready[MAX_MISTAKES:] = [f"{mark(shown)}: and {more} more mistakes"]
        return SpecError(ready)


@contextmanager
def blamed(shown: str) -> Iterator[None]:
    """What shows only while a network is being built is told as its spec's mistakes. Raises SpecError."""
    try:
        yield
    except NetworkError as error:
        raise SpecError(f"{mark(shown)}: {_trim(problem.message)}" for problem in error.problems) from None
    except MemoryError:
        raise single(shown, "there is not enough memory for this network and its data") from None


def mark(shown: str, line: int = 0) -> str:
    """`FILE:LINE`, or `FILE` where no line is known."""
    name = safe(shown) or "''"
    return f"{name}:{line}" if line else name


def single(shown: str, message: str, line: int = 0) -> SpecError:
    """An error of one mistake."""
    return SpecError([f"{mark(shown, line)}: {_trim(message)}"])


def _trim(message: str) -> str:
    text = safe(message[: 4 * MAX_LENGTH])
    return text if len(text) <= MAX_LENGTH else text[: MAX_LENGTH - 1] + "…"
