"""What takes longer than a frame: done in portions, so that no key waits for it."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Generic, TypeVar

T = TypeVar("T")
# Ends with what is wanted; until then it may be left and gone on with wherever it yields.
Steps = Generator[None, None, T]


class Work(Generic[T]):
    """Steps to a result.

    result  what came of it, once it is done
    """

    def __init__(self, steps: Steps[T]) -> None:
        self._steps = steps
        self.result: T | None = None

    def go_on(self, seconds: float) -> bool:
        """Work for so long, or a step if that takes longer; whether it is done."""
        until = time.monotonic() + seconds
        while self.result is None:
            try:
                next(self._steps)
            except StopIteration as end:
                self.result = end.value
            if time.monotonic() >= until:
                break
        return self.result is not None
