"""Conditions on how training does: each stops where an ill sets in, not at every iteration that it lasts.

The thresholds are the usual ones and can be given: updates of about a thousandth of a weight are healthy (Karpathy,
CS231n, "Neural Networks Part 3"); a relu is dead when no row of the data moves it; gradients that differ by a factor of
a thousand from layer to layer vanish or explode (Glorot & Bengio 2010).
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import numpy as np

from bptui.debugger import conditions, expressions
from bptui.debugger.conditions import Condition
from bptui.debugger.expressions import ExpressionError
from bptui.debugger.rows import WIDE, Rows, squares, wide
from bptui.engine.network import Array
from bptui.engine.program import Program, Slot, Target

_RELUS = ("relu",)
# Bounds of what saturates.
_BOUNDS = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}
_LONGEST = 256
# So many cells are compared in a piece.
_PIECE = 8192
# Units that are named where one has died.
_NAMED = 8


def parse(program: Program, word: str, words: list[str]) -> Condition:
    """`dead a1`, `dead h2`, `saturated`, `vanishing 1000`, `exploding`, `ratio 1e-6 0.1`, `rising 5`, `flat 20 1e-6`.

    Raises ExpressionError.
    """
    condition, _ = KINDS[word]
    return condition(program, words)


def _dead(program: Program, words: list[str]) -> Condition:
    asked = _activations(program, words, _RELUS)

    def moves(place: int, rows: Rows, before: Rows) -> Array:
        del before
        return np.asarray((_units(program, place, rows) != 0).any(axis=2))[:, asked[place]]

    return _asleep(program, " ".join(["dead", *words]), asked, moves)


def _saturated(program: Program, words: list[str]) -> Condition:
    name, numbers = _name_and_numbers(program, words)
    share = _numbers("saturated", numbers, (0.01,), least=0.0)[0]
    asked = _activations(program, name, tuple(_BOUNDS))

    def free(place: int, rows: Rows, before: Rows) -> Array:
        del before
        low, high = _BOUNDS[program.instructions[place].op]
        margin = share * (high - low)
        values = _units(program, place, rows)
        between = np.logical_and(values >= low + margin, values <= high - margin) | np.isnan(values)
        return np.asarray(between.any(axis=2))[:, asked[place]]

    return _asleep(program, " ".join(["saturated", *words]), asked, free)


def _asleep(program: Program, text: str, asked: Mapping[int, list[int]], awake: conditions.Quantity) -> Condition:
    """A unit that no row has moved for as many iterations as it takes to see all data; where it comes to be so.

    asked  place → the units that are looked at there
    """
    network = program.network
    epoch = 1 if network.batch is None else max(1, len(network.x) // network.batch)
    epoch = min(epoch, _LONGEST)

    def still(values: Array) -> Array:
        """Whether each unit was still in an iteration and in those before it, for all the data: (n, units)."""
        counted = np.cumsum(~values.astype(bool), axis=0)
        window = counted.copy()
        window[epoch:] -= counted[:-epoch]
        return np.asarray(window == epoch)

    def decide(place: int, values: Array, before: int) -> Array:
        del place
        asleep = still(values)
        sets_in = asleep.copy()
        sets_in[1:] &= ~asleep[:-1]
        return np.asarray(sets_in.any(axis=1))[before:]

    def recall(place: int, values: Array) -> str:
        asleep = still(values)
        new = asleep[-1] & ~asleep[-2] if len(asleep) > 1 else asleep[-1]
        units = [asked[place][k] for k in np.flatnonzero(new)]
        by_now = int(asleep[-1].sum())
        more = f", {by_now} of {len(asked[place])} by now" if by_now > len(units) else ""
        return f"{_called(program, program.instructions[place].writes, units)}{more}"

    places = tuple(asked)
    return Condition(text, places, _whole(program, places), awake, decide, memory=epoch, recall=recall)


def _called(program: Program, slot: str, units: Sequence[int]) -> str:
    """Units in words, and by the reader's name where there is one that has it."""
    named = ", ".join(map(str, units[:_NAMED])) + " …" * (len(units) > _NAMED)
    said = f"unit{'s' * (len(units) != 1)} {named} of {slot}"
    if len(units) != 1:
        return said
    cells = tuple(_cells_by_unit(program.slots[slot])[units[0]].tolist())
    label = next((name for name, target in program.targets.items() if (target.slot, target.cells) == (slot, cells)), "")
    return f"{label}, {said}" if label and not program.targets[label].whole else said


def _whole(program: Program, places: tuple[int, ...]) -> dict[int, dict[str, tuple[int, int]]]:
    written = {place: program.instructions[place].writes for place in places}
    return {place: {slot: (0, program.slots[slot].size)} for place, slot in written.items()}


def _axis(slot: Slot) -> int:
    """Which axis units lie along: a picture's channels, else the last one."""
    return 1 if len(slot.shape) > 3 else len(slot.shape) - 1


def _units(program: Program, place: int, rows: Rows) -> Array:
    """What an activation gives, (n, units, everything else)."""
    slot = program.slots[program.instructions[place].writes]
    axis = _axis(slot)
    values = rows.cells(slot.name, 0, slot.size).reshape(rows.n, *slot.shape)
    return np.moveaxis(values, axis + 1, 1).reshape(rows.n, slot.shape[axis], -1)


def _cells_by_unit(slot: Slot) -> Array:
    """The flat cells of each unit, (units, everything else)."""
    axis = _axis(slot)
    return np.moveaxis(np.arange(slot.size).reshape(slot.shape), axis, 0).reshape(slot.shape[axis], -1)


def _activations(program: Program, words: list[str], ops: tuple[str, ...]) -> dict[int, list[int]]:
    """The activations of these ops → their units; or of the slot, or the units, that are named.

    Raises ExpressionError.
    """
    text = " ".join(words)
    found = [k for k, i in enumerate(program.instructions) if i.op in ops and i.phase == "forward"]
    if not found:
        raise ExpressionError(f"this network has no output of {' or '.join(ops)}")
    target = expressions.parse_target(program, text) if words else None
    asked = [k for k in found if target is None or program.instructions[k].writes == target.slot]
    if not asked:
        has = ", ".join(dict.fromkeys(program.instructions[k].writes for k in found[:_NAMED]))
        raise ExpressionError(f"{text[:40]} is no output of {' or '.join(ops)}: there is {has}")
    return {place: _units_of(program.slots[program.instructions[place].writes], target) for place in asked}


def _units_of(slot: Slot, target: Target | None) -> list[int]:
    """The units whose cells are meant, all of each. Raises ExpressionError."""
    cells = _cells_by_unit(slot)
    if target is None or target.whole:
        return list(range(len(cells)))
    inside = np.isin(cells, target.cells)
    if (inside.any(axis=1) != inside.all(axis=1)).any():
        index = ", ".join("2" if k == _axis(slot) else ":" for k in range(len(slot.shape)))
        raise ExpressionError(f"a unit of {slot.name} is {slot.name}[{index}], for every row")
    return [int(k) for k in np.flatnonzero(inside.all(axis=1))]


def _vanishing(program: Program, words: list[str]) -> Condition:
    factor = _numbers("vanishing", words, (1000.0,), least=1.0)[0]
    return _between(program, " ".join(["vanishing", *words]), lambda ratio: ratio < 1 / factor)


def _exploding(program: Program, words: list[str]) -> Condition:
    factor = _numbers("exploding", words, (1000.0,), least=1.0)[0]
    return _between(program, " ".join(["exploding", *words]), lambda ratio: (ratio > factor) | ~np.isfinite(ratio))


def _between(program: Program, text: str, ill: Callable[[Array], Array]) -> Condition:
    """The gradient of a layer's weights (root mean square) over that of the next layer's."""
    reads, ratio = _gradients(program)
    if not reads:
        raise ExpressionError("two layers with weights are needed, to compare their gradients")
    sums = wide(program, {name for read in reads.values() for name in read})

    def tell(place: int, rows: Rows, before: Rows) -> str:
        one, other = map(program.name, reads[place])
        return f"{one} is {ratio(place, rows, before)[0, 0]:.4g} of {other}, root mean squares"

    return Condition(text, tuple(sorted(reads)), reads, ratio, _sets_in(ill), memory=1, sums=sums, tell=tell)


@lru_cache(maxsize=4)
def _gradients(program: Program) -> tuple[Mapping[int, Mapping[str, tuple[int, int]]], conditions.Quantity]:
    """What is read where, and the quantity: one for all conditions, so that it is computed once for all of them."""
    weights = [slot for slot in _weights(program) if f"{slot.name}.grad" in program.writers]
    pairs: dict[int, tuple[str, str]] = {}
    for earlier, later in itertools.pairwise(weights):
        names = f"{earlier.name}.grad", f"{later.name}.grad"
        pairs[max(program.writers[name] for name in names)] = names

    def ratio(place: int, rows: Rows, before: Rows) -> Array:
        del before
        one, other = (_size(rows, program.slots[name]) for name in pairs[place])
        # Where nothing comes back at all, as after convergence, nothing vanishes on the way.
        return np.where((one == 0) & (other == 0), 1.0, one / other)[:, None]

    reads = {place: {name: (0, program.slots[name].size) for name in names} for place, names in pairs.items()}
    return reads, _quietly(ratio)


def _ratio(program: Program, words: list[str]) -> Condition:
    low, high = _numbers("ratio", words, (1e-6, 0.1), least=0.0)
    weights = {program.writers[slot.name]: slot for slot in _weights(program) if slot.name in program.writers}
    if not weights:
        raise ExpressionError("no weights are trained here")

    places = tuple(sorted(weights))
    reads, ratio, sums = _updates(program)

    def tell(place: int, rows: Rows, before: Rows) -> str:
        return f"{program.name(weights[place].name)} by {ratio(place, rows, before)[0, 0]:.4g} of its size"

    return Condition(
        " ".join(["ratio", *words]),
        places,
        reads,
        ratio,
        _sets_in(lambda ratio: ~((ratio >= low) & (ratio <= high))),
        memory=1,
        compares=True,
        sums=sums,
        tell=tell,
    )


@lru_cache(maxsize=4)
def _updates(
    program: Program,
) -> tuple[Mapping[int, Mapping[str, tuple[int, int]]], conditions.Quantity, frozenset[str]]:
    """What is read where; the size of an update over that of the weights before it; of which slots sizes alone matter.

    What sgd takes away is the learning rate times the gradient (or the velocity): its size is known without looking at
    any weight twice, as in Karpathy's notes. Of what other optimizers do it is the size of the difference.
    """
    places = {program.writers[slot.name]: slot for slot in _weights(program) if slot.name in program.writers}
    often = Counter(instruction.writes for instruction in program.instructions)
    sgd = {
        place: program.instructions[place].roles
        for place, slot in places.items()
        # Weights that decay first are written twice: then it is but a part of what happens to them.
        if program.instructions[place].op == "sgd" and often[slot.name] == 1
    }
    reads = _whole(program, tuple(places))
    for place, roles in sgd.items():
        reads[place] |= {roles[role]: (0, program.slots[roles[role]].size) for role in ("lr", "g")}

    def moved(place: int, rows: Rows, before: Rows) -> Array:
        slot = places[place]
        if place not in sgd:
            return _moved(*(one.cells(slot.name, 0, slot.size) for one in (before, rows)))[:, None]
        rate, step = sgd[place]["lr"], program.slots[sgd[place]["g"]]
        # Just before it: what is edited just after it had no part in it.
        taken = np.abs(before.cells(rate, 0, 1)[:, 0]) * _size(before, step)
        return np.asarray(taken / np.sqrt(before.squares(slot.name, slot.size) / slot.size))[:, None]

    sums = wide(program, {name for place in sgd for name in reads[place]})
    return reads, _quietly(moved), sums if len(sgd) == len(places) else frozenset()


def _rising(program: Program, words: list[str]) -> Condition:
    times = int(_numbers("rising", words, (5,), least=1.0)[0])

    def decide(place: int, values: Array, before: int) -> Array:
        del place
        rises = np.concatenate([[False], values[1:, 0] > values[:-1, 0]])
        moments = np.arange(len(rises))
        broken = np.maximum.accumulate(np.where(rises, 0, moments))
        return np.asarray((moments - broken)[before:] == times)

    return _of_loss(program, " ".join(["rising", *words]), decide, times + 1)


def _flat(program: Program, words: list[str]) -> Condition:
    times, tolerance = _numbers("flat", words, (20, 1e-6), least=0.0)
    times = max(1, int(times))

    def decide(place: int, values: Array, before: int) -> Array:
        del place
        losses = values[:, 0]
        flat = np.zeros(len(losses), bool)
        if len(losses) > times:
            windows = np.lib.stride_tricks.sliding_window_view(losses, times + 1)
            with np.errstate(all="ignore"):
                flat[times:] = np.ptp(windows, axis=1) <= tolerance * np.abs(windows).max(axis=1)
        sets_in = flat.copy()
        sets_in[1:] &= ~flat[:-1]
        return sets_in[before:]

    return _of_loss(program, " ".join(["flat", *words]), decide, times + 1)


def _of_loss(program: Program, text: str, decide: conditions.Decide, memory: int) -> Condition:
    if memory > _LONGEST:
        raise ExpressionError(f"{text}: at most {_LONGEST - 1} iterations are looked back at")
    place = program.loss_index
    reads = {place: {"loss": (0, 1)}}
    return Condition(text, (place,), reads, lambda _, rows, __: rows.cells("loss", 0, 1), decide, memory=memory)


def _sets_in(ill: Callable[[Array], Array]) -> conditions.Decide:
    """Where something is out of range and was not in the iteration before."""

    def decide(place: int, values: Array, before: int) -> Array:
        del place
        out = ill(values[:, 0])
        sets_in = out.copy()
        sets_in[1:] &= ~out[:-1]
        return np.asarray(sets_in[before:])

    return decide


def _quietly(quantity: conditions.Quantity) -> conditions.Quantity:
    def quiet(place: int, rows: Rows, before: Rows) -> Array:
        with np.errstate(all="ignore"):
            return quantity(place, rows, before)

    return quiet


def _size(rows: Rows, slot: Slot) -> Array:
    """Root mean square of a slot, (n,)."""
    return np.asarray(np.sqrt(rows.squares(slot.name, slot.size) / slot.size))


def _moved(old: Array, new: Array) -> Array:
    """The size of what was added to each row over that of the row before, (n,)."""
    if old.shape[1] < WIDE:
        return np.asarray(np.sqrt(squares(new - old) / squares(old)))
    return np.array([_moved_in_pieces(*rows) for rows in zip(old, new, strict=True)])


def _moved_in_pieces(old: Array, new: Array) -> np.float64:
    """The same of one row, piece after piece, so that the differences stay in the cache."""
    added = before = np.float64(0)
    for start in range(0, len(old), _PIECE):
        piece = old[start : start + _PIECE]
        difference = new[start : start + _PIECE] - piece
        added += difference.dot(difference)
        before += piece.dot(piece)
    return np.float64(np.sqrt(added / before))


def _weights(program: Program) -> list[Slot]:
    """The weights, not the biases: those begin at zero, so that every first step is infinitely large beside them."""
    return [slot for slot in program.slots.values() if slot.kind == "parameter" and len(slot.shape) > 1]


def _name_and_numbers(program: Program, words: list[str]) -> tuple[list[str], list[str]]:
    """`a1[:, 2] 0.05` in its two parts, in either order; what is no name is to be a number."""
    if not words or _ends_a_name(program, words[-1]):
        first = len(words) > 1 and words[0] not in program.slots and _is_number(words[0])
        return words[first:], words[:first]
    return words[:-1], words[-1:]


def _ends_a_name(program: Program, word: str) -> bool:
    return word in program.slots or word in program.targets or word.endswith("]")


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _numbers(word: str, given: list[str], usual: tuple[float, ...], least: float) -> tuple[float, ...]:
    """The numbers that follow a word, the usual ones for those left out. Raises ExpressionError."""
    try:
        numbers = [float(text) for text in given]
    except ValueError:
        numbers = [-1.0]
    if len(numbers) > len(usual) or any(not np.isfinite(n) or n < least for n in numbers):
        raise ExpressionError(f"{word} {' '.join(given)[:40]}: write {word} {KINDS[word][1]}")
    return (*numbers, *usual[len(numbers) :])


# word → (what makes the condition, how it is written)
KINDS: Mapping[str, tuple[Callable[[Program, list[str]], Condition], str]] = {
    "dead": (_dead, "[UNIT]"),
    "saturated": (_saturated, "[UNIT] [0.01]"),
    "vanishing": (_vanishing, "[1000]"),
    "exploding": (_exploding, "[1000]"),
    "ratio": (_ratio, "[1e-6 0.1]"),
    "rising": (_rising, "[5]"),
    "flat": (_flat, "[20 1e-6]"),
}
