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
from bptui.explain.notation import MINUS, factor, number, power, product, quotient, summed, total


@dataclass(frozen=True)
class Call:
    """One cell of one instruction's result, and how its operands are to be written."""

    program: Program
    instruction: Instruction
    index: Index
    render: Render

    def __call__(self, role: str, *index: int) -> str:
        """An operand's cell, as text."""
        return self.render(self.instruction.roles[role], index)

    def here(self, role: str) -> str:
        """The cell of an operand that lies under the result's."""
        return self(role, *narrowed(self.index, self.shape(role)))

    def shape(self, role: str) -> tuple[int, ...]:
        """The shape of an operand."""
        return self.program.slots[self.instruction.roles[role]].shape


Builder = Callable[[Call], str]


def _dense(call: Call) -> str:
    *lead, j = call.index
    count = call.shape("x")[-1]

    def term(k: int) -> str:
        return call("b", j) if k == count else product([call("x", *lead, k), call("W", k, j)])

    return summed(count + ("b" in call.instruction.roles), term)


def _draw(call: Call) -> str:
    data = call.instruction.roles["X"]
    return f"{data}[{', '.join([f'rows[{call.index[0]}]', *map(str, call.index[1:])])}]"


def _add(call: Call) -> str:
    return total([call.here("a"), call.here("b")])


def _sigmoid(call: Call) -> str:
    return quotient("1", f"1 + {power('e', MINUS + factor(call.here('z')))}")


def _tanh(call: Call) -> str:
    return f"tanh({call.here('z')})"


def _relu(call: Call) -> str:
    return f"max(0, {call.here('z')})"


def _leaky(call: Call) -> str:
    z, slope = call.here("z"), float(call.instruction.attrs.get("slope", 0.01))
    return f"{'max' if slope <= 1 else 'min'}({z}, {product([number(slope), z])})"


def _softmax(call: Call) -> str:
    axis = call.instruction.attrs.get("axis", -1) % len(call.index)

    def powered(k: int) -> str:
        return power("e", call("z", *call.index[:axis], k, *call.index[axis + 1 :]))

    return f"{powered(call.index[axis])} / ({summed(call.shape('z')[axis], powered)})"


def _mean(call: Call, role: str, term: Callable[[Index], str], front: str = "") -> str:
    """A sum over all cells, divided by what the mean is taken over."""
    n, shape = call.instruction.n, call.shape(role)
    count = math.prod(shape)
    text = summed(count, lambda k: term(unravelled(k, shape)))
    if n == 1 and not front:
        return text
    inner = text if count == 1 and not front.startswith(MINUS) else f"[{text}]"
    return f"{front}{inner}" if n == 1 else f"{front}1/{n} · {inner}"


def _half_mse(call: Call) -> str:
    return _mean(call, "p", lambda c: f"½({call('p', *c)} {MINUS} {factor(call('y', *c))})²")


def _mse(call: Call) -> str:
    return _mean(call, "p", lambda c: f"({call('p', *c)} {MINUS} {factor(call('y', *c))})²")


def _bce(call: Call) -> str:
    def term(c: Index) -> str:
        p, y = call("p", *c), factor(call("y", *c))
        return f"{y}·ln({p}) + (1 {MINUS} {y})·ln(1 {MINUS} {factor(p)})"

    return _mean(call, "p", term, MINUS)


def _bce_logits(call: Call) -> str:
    def term(c: Index) -> str:
        z, y = call("z", *c), call("y", *c)
        return f"ln(1 + {power('e', z)}) {MINUS} {product([z, y])}"

    return _mean(call, "z", term)


def _softmax_ce(call: Call) -> str:
    return _mean(call, "p", lambda c: product([call("y", *c), f"ln({call('p', *c)})"]), MINUS)


def _softmax_ce_logits(call: Call) -> str:
    return _mean(call, "z", lambda c: product([call("y", *c), f"ln softmax({call('z', *c)})"]), MINUS)


def _over(call: Call, text: str) -> str:
    """A loss's derivative by one cell, divided by what the mean is taken over."""
    return text if call.instruction.n == 1 else f"{factor(text)} / {call.instruction.n}"


def _difference(call: Call, role: str = "p") -> str:
    return f"{call(role, *call.index)} {MINUS} {factor(call('y', *call.index))}"


def _d_half_mse(call: Call) -> str:
    return _over(call, _difference(call))


def _d_mse(call: Call) -> str:
    return _over(call, product(["2", _difference(call)]))


def _d_bce(call: Call) -> str:
    p = call("p", *call.index)
    quotient = f"({_difference(call)}) / ({product([p, f'1 {MINUS} {factor(p)}'])})"
    return quotient if call.instruction.n == 1 else f"{quotient} / {call.instruction.n}"


def _d_bce_logits(call: Call) -> str:
    z, y = call("z", *call.index), call("y", *call.index)
    return _over(call, f"1 / (1 + e^({MINUS}{factor(z)})) {MINUS} {factor(y)}")


def _d_softmax_ce(call: Call) -> str:
    p, y = call("p", *call.index), call("y", *call.index)
    return _over(call, f"{MINUS}{factor(y)} / {factor(p)}")


def _d_softmax_ce_logits(call: Call) -> str:
    return _over(call, f"softmax({call('z', *call.index)}) {MINUS} {factor(call('y', *call.index))}")


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


def written_cell(line: Line, index: Index, render: Render, *, numbers: bool = False) -> str:
    """The right side for one cell, every part of it written out; with numbers, of two cases the one that holds."""
    builder = BUILDERS.get(line.instruction.op)
    if builder is not None:
        return builder(Call(line.program, line.instruction, index, render))
    return Writer(line, render, numbers=numbers, inline=True).text(line.term, index)
