"""A line of an answer that also knows how it is said, where that is more than its signs in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Self


class Told(str):
    """A line; `say` gives the sentences for who hears it, in words, asked only then."""

    __slots__ = ("say",)
    say: Callable[[], Iterable[str]]

    def __new__(cls, text: str, say: Callable[[], Iterable[str]]) -> Self:
        """A line with what is said in its place: nothing, one sentence or several."""
        made = super().__new__(cls, text)
        made.say = say
        return made


def sentences(lines: Iterable[str]) -> Iterator[str]:
    """Lines as they are said, a sentence each, whatever they are."""
    from bptui.explain.spoken.signs import ended, sentence

    for line in lines:
        said = map(ended, line.say()) if isinstance(line, Told) else (sentence(line),)
        yield from filter(None, said)


def typed(line: str) -> str:
    """A line of who hears the answers: signs may be typed as they are said."""
    from bptui.commands.registry import ALIASES
    from bptui.explain.spoken import heard

    word, _, rest = line.strip().partition(" ")
    return f"{word} {heard.typed(ALIASES.get(word, word), rest)}" if rest else line


def complaints(text: str) -> Iterator[str]:
    """What was wrong: as it stands, since much of it is what might be typed instead."""
    from bptui.explain.spoken.signs import ended, spelled

    return (ended(f"Error: {spelled(line)}") for line in text.splitlines())
