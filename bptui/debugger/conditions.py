"""What a search looks for: conditions that belong to a position, and work alike in both directions of time.

A condition names the instructions after which it may come true (`places`), a quantity that is computed there, and how
the quantities of the iterations before and of this one decide. That it needs nothing else is what lets a search look at
a thousand iterations at once, and begin anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from bptui.debugger import expressions
from bptui.debugger.expressions import Expression
from bptui.debugger.rows import NotComputedError, Rows
from bptui.engine.network import Array
from bptui.engine.program import Program
from bptui.engine.timeline import Edit

# (place, moments just after its instruction, and those before it where that is asked for) → (n, k): what is looked at.
Quantity = Callable[[int, Rows, Rows], Array]
# (place, quantities of some iterations before and of n more, how many are before) → (n,) flags.
Decide = Callable[[int, Array, int], Array]


# What kind of value there is.
_NUMBERS, _TRUTH = 1, 2


def _nothing(place: int, rows: Rows, before: Rows) -> Array:
    del place, before
    return np.zeros((rows.n, 0))


def _always(place: int, values: Array, before: int) -> Array:
    del place
    return np.ones(len(values) - before, bool)


@dataclass(frozen=True, eq=False)
class Condition:
    """What a search stops at.

    text      as it was asked for
    places    indices of the instructions after which it may hold
    reads     place → slot → (first cell, one after the last) that the quantity needs there
    memory    how many iterations before this one it looks back at
    compares  the quantity compares what lasts with what it was before the instruction, or before the first of several
              that write the same slot in an iteration, as a decay of the weights and a step do
    sums      slots of which the sum of the squares will mostly do
    touched   whether an edit makes it hold where it is made, so far as its expression, if it has one, is true
    tell      place, the moment, the one before where it compares → what it is that holds there, in words
    recall    place, the quantities of the iterations before and of this one → the same
    alone     the quantity is looked at for one moment at a time
    wide      the quantity is as large as what is read
    not_finite it is `nan`: the processor's flags find it, no quantity is looked at
    """

    text: str
    places: tuple[int, ...]
    reads: Mapping[int, Mapping[str, tuple[int, int]]] = field(default_factory=dict)
    quantity: Quantity = _nothing
    decide: Decide = _always
    memory: int = 0
    compares: bool = False
    sums: frozenset[str] = frozenset()
    touched: Callable[[Edit], bool] = lambda _: False
    expression: Expression | None = None
    tell: Callable[[int, Rows, Rows], str] | None = None
    recall: Callable[[int, Array], str] | None = None
    alone: bool = False
    wide: bool = False
    not_finite: bool = False


def when_true(program: Program, text: str) -> Condition:
    """Where the instruction just done wrote something that an expression reads, and it is true."""
    expression = expressions.parse(program, text)
    check(program, expression)
    places = places_of(program, expression)
    return Condition(
        f"if {expression.text}",
        places,
        dict.fromkeys(places, expression.reads),
        lambda _, rows, __: expression.true_over(rows)[:, None],
        _so,
        touched=lambda edit: edit.slot in expression.reads,
        expression=expression,
        alone=expression.metric,
        sums=expression.sums,
    )


def _so(place: int, values: Array, before: int) -> Array:
    """The quantity says itself whether it holds."""
    del place
    return values[before:, 0].astype(bool, copy=False)


def check(program: Program, expression: Expression) -> None:
    """Refuse what has no truth whatever the numbers are. Raises ExpressionError."""
    kind = np.dtype(program.network.dtype)
    there = {name: slot.size for name, slot in program.slots.items()}
    arrays = {name: np.ones(slot.shape, kind) for name, slot in program.slots.items() if name in expression.reads}
    ones = Rows(1, there, lambda slot, start, stop: arrays[slot].reshape(1, -1)[:, start:stop], arrays, thorough=True)
    if not expression.metric:
        expression.true_over(ones)


def places_of(program: Program, expression: Expression) -> tuple[int, ...]:
    """The indices of the instructions that write what it reads; where none does, the iteration's last."""
    last = len(program) - 1
    if expression.metric:
        # Weights half updated are those of no network.
        return (last,)
    given = {0 for slot in expression.reads if program.slots[slot].given}
    written = {program.writers[slot] for slot in expression.reads if slot in program.writers}
    return tuple(sorted(given | written)) or (last,)


def when_changed(program: Program, text: str) -> Condition:
    """Where a slot was written, or cells or an expression got another value; or where one of them was edited."""
    expression = expressions.parse(program, text)
    target, places = expression.target, places_of(program, expression)
    if target is not None and target.whole:
        written = tuple(k for k in places if program.instructions[k].writes == target.slot)
        return Condition(f"on {expression.text}", written, touched=lambda edit: edit.slot == target.slot)
    return changed(program, expression)


def changed(program: Program, expression: Expression) -> Condition:
    """Where an expression got another value, to the bit.

    Of what lasts: another than before the instructions that wrote something of it. Of what each iteration computes
    anew: another than at the same place an iteration before, or than none at all.
    """
    places, target = places_of(program, expression), expression.target
    lasting = all(program.slots[slot].persistent for slot in expression.reads)

    def touched(edit: Edit) -> bool:
        return edit.slot in expression.reads and (target is None or bool(set(edit.cells) & set(target.cells)))

    def bits(_: int, rows: Rows, __: Rows) -> Array:
        return _bits(expression, rows)

    def differs(_: int, rows: Rows, before: Rows) -> Array:
        return np.asarray((_bits(expression, rows) != _bits(expression, before)).any(axis=1)[:, None])

    return Condition(
        f"on {expression.text}",
        places,
        dict.fromkeys(places, expression.reads),
        differs if lasting else bits,
        _so if lasting else _differs,
        memory=0 if lasting else 1,
        compares=lasting,
        touched=touched,
        alone=expression.metric,
        wide=not lasting,
    )


def _bits(expression: Expression, rows: Rows) -> Array:
    """The value as whole numbers, so that nan is nan again; a last column says whether it is there, and is a truth.

    Which sign a nan has depends on which of two operands the processor takes it from: here it has none.
    """
    try:
        given = expression.over(rows)
    except NotComputedError:
        return np.zeros((rows.n, 1), np.int64)
    value = given.astype(np.float64).reshape(rows.n, -1)
    value[np.isnan(value)] = np.nan
    there = np.full((rows.n, 1), _TRUTH if given.dtype == bool else _NUMBERS, np.int64)
    return np.concatenate([np.ascontiguousarray(value).view(np.int64), there], axis=1)


def _differs(place: int, values: Array, before: int) -> Array:
    del place
    there = values[before:, -1] != 0
    # A number that was not there is another one; a truth that was not there was not true.
    first = np.where(values[:1, -1:] == _TRUTH, [*[0] * (values.shape[1] - 1), _TRUTH], ~values[:1])
    earlier = values[before - 1 : -1] if before else np.concatenate([first, values[:-1]])
    return np.asarray(there & (values[before:] != earlier).any(axis=1))
