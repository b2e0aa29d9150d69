"""The right side of an instruction for one cell, written with whatever its operands are rendered as.

Rendered with symbols it is the formula, with numbers the arithmetic, and with other formulas the whole thing written
out down to inputs and weights. The builders here are for ops that read better than their line does; what has none is
written from its line (`bptui.explain.lines`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bptui.engine.program import Instruction, Program
from bptui.explain.cells import Index, narrowed, unravelled
from bptui.explain.lines import Line, Render, Writer
from bptui.explain.notation import (
    MINUS,
    SPACED,
    difference,
    factor,
    negative,
    number,
    power,
    product,
    quotient,
    summed,
    total,
)  # fmt: skip
from bptui.explain.pieces import Piece, bracketed, called, fraction, piece, row


@dataclass(frozen=True)
class Call:
    """One cell of one instruction's result, and how its operands are to be written."""

    program: Program
    instruction: Instruction
    index: Index
    render: Render

    def __call__(self, role: str, *index: int) -> Piece:
        """An operand's cell, as text."""
        return piece(self.render(self.instruction.roles[role], index))

    def here(self, role: str) -> Piece:
        """The cell of an operand that lies under the result's."""
        return self(role, *narrowed(self.index, self.shape(role)))

    def shape(self, role: str) -> tuple[int, ...]:
        """The shape of an operand."""
        return self.program.slots[self.instruction.roles[role]].shape


Builder = Callable[[Call], Piece]


def _dense(call: Call) -> Piece:
    *lead, j = call.index
    count = call.shape("x")[-1]

    def term(k: int) -> Piece:
        return call("b", j) if k == count else product([call("x", *lead, k), call("W", k, j)])

    return summed(count + ("b" in call.instruction.roles), term)


def _draw(call: Call) -> Piece:
    data = call.instruction.roles["X"]
    return piece(f"{data}[{', '.join([f'rows[{call.index[0]}]', *map(str, call.index[1:])])}]")


def _add(call: Call) -> Piece:
    return total([call.here("a"), call.here("b")])


def _sigmoid(call: Call) -> Piece:
    return _logistic(power("e", negative(call.here("z"))))


def _logistic(power_of_e: Piece) -> Piece:
    return quotient("1", total(["1", power_of_e]))


def _tanh(call: Call) -> Piece:
    return called("tanh", call.here("z"))


def _relu(call: Call) -> Piece:
    return called("max", "0", call.here("z"))


def _leaky(call: Call) -> Piece:
    z, slope = call.here("z"), float(call.instruction.attrs.get("slope", 0.01))
    return called("max" if slope <= 1 else "min", z, product([number(slope), z]))


def _softmax(call: Call) -> Piece:
    axis = call.instruction.attrs.get("axis", -1) % len(call.index)

    def powered(k: int) -> Piece:
        return power("e", call("z", *call.index[:axis], k, *call.index[axis + 1 :]))

    above, below = powered(call.index[axis]), summed(call.shape("z")[axis], powered)
    return fraction(f"{above} / ({below})", above, below)


def _mean(call: Call, role: str, term: Callable[[Index], str], front: str = "") -> Piece:
    """A sum over all cells, divided by what the mean is taken over."""
    n, shape = call.instruction.n, call.shape(role)
    count = math.prod(shape)
    text = summed(count, lambda k: term(unravelled(k, shape)))
    if n == 1 and not front:
        return text
    inner = text if count == 1 and not front.startswith(MINUS) else bracketed(text, "[]")
    return row(front, inner) if n == 1 else row(front, fraction(f"1/{n}", "1", str(n)), SPACED, inner)


def _half_mse(call: Call) -> Piece:
    return _mean(call, "p", lambda c: row("½", power(_difference(call, c), "2")))


def _mse(call: Call) -> Piece:
    return _mean(call, "p", lambda c: power(_difference(call, c), "2"))


def _bce(call: Call) -> Piece:
    def term(c: Index) -> Piece:
        p, y = call("p", *c), factor(call("y", *c))
        rest = bracketed(difference("1", y))
        return row(y, "·", called("ln", p), " + ", rest, "·", called("ln", difference("1", p)))

    return _mean(call, "p", term, MINUS)


def _bce_logits(call: Call) -> Piece:
    def term(c: Index) -> Piece:
        z, y = call("z", *c), call("y", *c)
        return row(called("ln", row("1 + ", power("e", z))), f" {MINUS} ", product([z, y]))

    return _mean(call, "z", term)


def _softmax_ce(call: Call) -> Piece:
    return _mean(call, "p", lambda c: product([call("y", *c), called("ln", call("p", *c))]), MINUS)


def _softmax_ce_logits(call: Call) -> Piece:
    def term(c: Index) -> Piece:
        return product([call("y", *c), row("ln ", called("softmax", call("z", *c)))])

    return _mean(call, "z", term, MINUS)


def _over(call: Call, text: str) -> Piece:
    """A loss's derivative by one cell, divided by what the mean is taken over."""
    n = call.instruction.n
    return piece(text) if n == 1 else fraction(f"{factor(text)} / {n}", text, str(n))


def _difference(call: Call, index: Index) -> Piece:
    return difference(call("p", *index), call("y", *index))


def _d_half_mse(call: Call) -> Piece:
    return _over(call, _difference(call, call.index))


def _d_mse(call: Call) -> Piece:
    return _over(call, product(["2", _difference(call, call.index)]))


def _d_bce(call: Call) -> Piece:
    p, n = call("p", *call.index), call.instruction.n
    above, below = _difference(call, call.index), product([p, difference("1", p)])
    whole = fraction(f"({above}) / ({below})", above, below)
    return whole if n == 1 else fraction(f"{whole} / {n}", whole, str(n))


def _d_bce_logits(call: Call) -> Piece:
    z, y = negative(call("z", *call.index)), call("y", *call.index)
    chance = _logistic(Piece(f"e^({z})", "power", ("e", z)))
    return _over(call, difference(chance, y))


def _d_softmax_ce(call: Call) -> Piece:
    p, y = call("p", *call.index), negative(call("y", *call.index))
    return _over(call, fraction(f"{y} / {factor(p)}", y, p))


def _d_softmax_ce_logits(call: Call) -> Piece:
    return _over(call, difference(called("softmax", call("z", *call.index)), call("y", *call.index)))


BUILDERS: Mapping[str, Builder] = {
    "draw": _draw,
    "dense": _dense,
    "dense+b": _dense,
    "add": _add,
    "sigmoid": _sigmoid,
    "tanh": _tanh,
    "relu": _relu,
    "leaky-relu": _leaky,
    "softmax": _softmax,
    "half-mse": _half_mse,
    "mse": _mse,
    "bce": _bce,
    "bce-logits": _bce_logits,
    "softmax-ce": _softmax_ce,
    "softmax-ce-logits": _softmax_ce_logits,
    "half-mse.p": _d_half_mse,
    "mse.p": _d_mse,
    "bce.p": _d_bce,
    "bce-logits.z": _d_bce_logits,
    "softmax-ce.p": _d_softmax_ce,
    "softmax-ce-logits.z": _d_softmax_ce_logits,
}


def written_cell(line: Line, index: Index, render: Render, *, numbers: bool = False) -> Piece:
    """The right side for one cell, every part of it written out; with numbers, of two cases the one that holds."""
    builder = BUILDERS.get(line.instruction.op)
    if builder is not None:
        return builder(Call(line.program, line.instruction, index, render))
    return Writer(line, render, numbers=numbers, inline=True).text(line.term, index)
