"""A long sum by what its terms have in common: `x[0,k]·W1[k,3]` for k from 0 to 783."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bptui.explain.pieces import Cell, Piece, bracketed, joined, piece

LETTER = "k"


def series(count: int, term: Callable[[int], str]) -> Piece | None:
    """All terms, or all but a last one of another kind (a bias); None where they have no form in common.

    The first two and the last are compared: indices that rise by one a term all the way are what the letter stands for.
    """
    for end in (count, count - 1):
        form = _common(piece(term(0)), piece(term(1)), piece(term(end - 1)), end - 1)
        if form is not None and LETTER in form:
            made = Piece(f"Σ {form}", "series", (f"{LETTER}=0", str(end - 1), form))
            return joined(" + ", [made, *(term(k) for k in range(end, count))])
    return None


def _common(first: Piece, second: Piece, last: Piece, steps: int) -> Piece | None:
    if first == second == last:
        return first
    if not first.kind == second.kind == last.kind or not len(first.parts) == len(second.parts) == len(last.parts):
        return None
    if first.kind == "symbol":
        return _symbol(first, second, last, steps)
    parts = [_common(*three, steps) for three in zip(first.parts, second.parts, last.parts, strict=True)]
    found = [part for part in parts if part is not None]
    if len(found) < len(parts) or not parts:
        return None
    return _rebuilt(first, found)


def _symbol(first: Piece, second: Piece, last: Piece, steps: int) -> Piece | None:
    if first.cell is None or second.cell is None or last.cell is None:
        return None
    index = list(_lettered(first.cell, second.cell, last.cell, steps))
    said = f"[{','.join(map(str, first.cell[1]))}]"
    if not index or not first.endswith(said):
        return None
    return Piece(f"{first.removesuffix(said)}[{','.join(index)}]", "symbol")


def _lettered(first: Cell, second: Cell, last: Cell, steps: int) -> Iterator[str]:
    """An index with the letter for what rises by one a term; nothing where something else goes on."""
    if not first[0] == second[0] == last[0]:
        return
    index = []
    for a, b, z in zip(first[1], second[1], last[1], strict=True):
        if a == b == z:
            index.append(str(a))
        elif b - a == 1 and z - a == steps:
            index.append(f"{LETTER}+{a}" if a else LETTER)
        else:
            return
    yield from index


def _rebuilt(like: Piece, parts: list[Piece]) -> Piece | None:
    match like.kind:
        case "row" | "sum":
            return Piece("".join(parts), "row", parts)
        case "brackets":
            return bracketed(parts[1], f"{parts[0]}{parts[2]}")
        case "derivative":
            return Piece(f"∂{parts[0]}/∂{parts[1]}{''.join(parts[2:])}", "derivative", parts)
        case "fraction":
            return Piece(f"({parts[0]}) / ({parts[1]})", "fraction", parts)
        case "power":
            return Piece(f"{parts[0]}{'' if parts[1] == '²' else '^'}{parts[1]}", "power", parts)
    return None
