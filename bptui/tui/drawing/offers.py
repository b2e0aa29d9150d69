"""The list of everything that can be done, narrowed by what is typed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.fuzzy import FuzzySearch

from bptui.files.text import safe
from bptui.tui.drawing.choices import HEADING, Choices, here, with_full
from bptui.tui.drawing.lines import Line, Run, cut, line, width

_WIDEST, _KEY = 30, 8
# What is found as it stands counts so much more than letters that are scattered over a name: in a name, in the help.
_NAMED, _SAID = 3.0, 2.5


@dataclass(frozen=True)
class Offer:
    """Something that can be done.

    name   its word, or what it is called
    usage  what may follow the word
    key    its key, as a person reads it
    verb   the command's word, or ""
    line   a line of the command language that does it, or ""
    press  the name of a key that does it, where it has no word
    """

    name: str
    help: str
    group: str
    usage: str = ""
    key: str = ""
    verb: str = ""
    line: str = ""
    press: str = ""
    needs: bool = False


@dataclass(frozen=True)
class Found:
    """An offer, and which letters of its name were typed."""

    offer: Offer
    letters: frozenset[int] = frozenset()


def narrowed(offers: Sequence[Offer], typed: str) -> list[Found]:
    """Those that fit every word that is typed, the best first; all of them, in their order, where none is."""
    words = typed.lower().split()
    if not words:
        return [Found(offer) for offer in offers]
    search = FuzzySearch()
    fitting = [(score, Found(offer, letters)) for offer in offers for score, letters in [_fits(search, offer, words)]]
    return [found for score, found in sorted(fitting, key=lambda pair: -pair[0]) if score]


def _fits(search: FuzzySearch, offer: Offer, words: Sequence[str]) -> tuple[float, frozenset[int]]:
    """How well, 0 where a word is nowhere; the letters of the name that it is for."""
    total, letters = 0.0, set[int]()
    for word in words:
        score, places = search.match(word, offer.name)
        named = score * (_NAMED if word in offer.name.lower() else 1)
        # In a sentence some letters or other are always found in order.
        said = len(word) * _SAID * (f" {word}" in f" {offer.help.lower()}" or word == offer.key.lower())
        if not named and not said:
            return 0.0, frozenset()
        exact = offer.name.lower().startswith(word) + (word == offer.key.lower())
        total += max(named, said) + exact * len(word)
        letters |= set(places if named >= said else ())
    return total, frozenset(letters)


def listed(found: Sequence[Found], chosen: int, columns: int, rows: int) -> Choices:
    """A line for each, under their groups where all are there in order; the chosen one in full below."""
    if not found:
        return Choices([line((" nothing is called so, and no help speaks of it", "dim"))])
    offer = found[chosen].offer
    text = " ".join(part for part in (offer.name, offer.usage) if part)
    title = f"{offer.key}  {offer.name}" if offer.key else offer.name
    return with_full(_rows(found, chosen, columns), chosen, title, f"{text}: {safe(offer.help)}", columns, rows)


def _rows(found: Sequence[Found], chosen: int, columns: int) -> Choices:
    """All lines."""
    groups = [one.offer.group for one in found]
    # Where what is typed has put them in another order, headings would be nothing but noise.
    ordered = len(set(groups)) == sum(a != b for a, b in zip(groups, ["", *groups], strict=False))
    lines: list[Line] = []
    of: list[int] = []
    for k, one in enumerate(found):
        if ordered and not any(each.letters for each in found) and (k == 0 or groups[k - 1] != groups[k]):
            lines.append(line((f" {groups[k]}", "dim+bold")))
            of.append(HEADING)
        made = _row(one, columns)
        lines.append(here(made, columns) if k == chosen else cut(made, columns))
        of.append(k)
    return Choices(lines, of)


def _row(found: Found, columns: int) -> Line:
    """Its key, its name with what may follow, and its help, as much as there is room for."""
    offer = found.offer
    name: list[Run] = [(c, "bold+under" if k in found.letters else "plain") for k, c in enumerate(safe(offer.name))]
    wide = min(_WIDEST, columns // 3)
    words = cut(line(*name, (f" {offer.usage}" * bool(offer.usage), "dim")), wide)
    gap = " " * (wide - width(words) + 2)
    return line((f" {offer.key:>{_KEY}}  ", "bold"), *words, (gap, "plain"), (safe(offer.help), "dim"))
