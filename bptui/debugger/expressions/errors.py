"""What is refused, and how what was typed is repeated in a message."""

from __future__ import annotations

MOST_REPEATED = 100


class ExpressionError(ValueError):
    """An expression that can't be read, or has no value; the message is one line for the person who typed it."""


def short(text: str) -> str:
    """What was typed, as a message repeats it."""
    return text if len(text) <= MOST_REPEATED else text[: MOST_REPEATED - 1] + "…"
