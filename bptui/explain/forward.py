"""The formula of each forward and loss op, written with whatever its operands are rendered as.

A builder gets a `Call` and gives the right side for one cell. Rendered with symbols it is the formula, with numbers
the arithmetic, and with other formulas the whole thing written out down to inputs and weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bptui.engine.program import Instruction, Program
from bptui.explain.notation import MINUS, factor, product, total

Index = tuple[int, ...]
Render = Callable[[str, Index], str]


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

    def shape(self, role: str) -> tuple[int, ...]:
        """The shape of an operand."""
        return self.program.slots[self.instruction.roles[role]].shape


Builder = Callable[[Call], str]


def _dense(call: Call) -> str:
    i, j = call.index
    terms = [product([call("x", i, k), call("W", k, j)]) for k in range(call.shape("x")[1])]
    return total(terms + ([call("b", j)] if "b" in call.instruction.roles else []))


def _draw(call: Call) -> str:
    data = call.instruction.roles["X"]
    return f"{data}[rows[{call.index[0]}], {call.index[1]}]"


def _add(call: Call) -> str:
    return total([call("a", *call.index), call("b", *call.index)])


def _sigmoid(call: Call) -> str:
    z = call("z", *call.index)
    inner = factor(z)
    return f"1 / (1 + e^({MINUS}{inner}))"


def _tanh(call: Call) -> str:
    return f"tanh({call('z', *call.index)})"


def _relu(call: Call) -> str:
    return f"max(0, {call('z', *call.index)})"


def _leaky(call: Call) -> str:
    z = call("z", *call.index)
    return f"max({z}, {product(['0.01', z])})"


def _softmax(call: Call) -> str:
    i, j = call.index
    powers = [f"e^{factor(call('z', i, k))}" for k in range(call.shape("z")[1])]
    return f"{powers[j]} / ({total(powers)})"


def _cells(call: Call, role: str) -> list[Index]:
    rows, columns = call.shape(role)
    return [(i, j) for i in range(rows) for j in range(columns)]


def _mean(call: Call, terms: list[str], front: str = "") -> str:
    """A sum of terms, divided by what the mean is taken over."""
    n, text = call.instruction.n, total(terms)
    if n == 1 and not front:
        return text
    inner = text if len(terms) == 1 and not front.startswith(MINUS) else f"[{text}]"
    return f"{front}{inner}" if n == 1 else f"{front}1/{n} · {inner}"


def _half_mse(call: Call) -> str:
    return _mean(call, [f"½({call('p', *c)} {MINUS} {factor(call('y', *c))})²" for c in _cells(call, "p")])


def _mse(call: Call) -> str:
    return _mean(call, [f"({call('p', *c)} {MINUS} {factor(call('y', *c))})²" for c in _cells(call, "p")])


def _bce(call: Call) -> str:
    def term(c: Index) -> str:
        p, y = call("p", *c), factor(call("y", *c))
        return f"{y}·ln({p}) + (1 {MINUS} {y})·ln(1 {MINUS} {factor(p)})"

    return _mean(call, [term(c) for c in _cells(call, "p")], MINUS)


def _bce_logits(call: Call) -> str:
    def term(c: Index) -> str:
        z, y = call("z", *c), call("y", *c)
        return f"ln(1 + e^{factor(z)}) {MINUS} {product([z, y])}"

    return _mean(call, [term(c) for c in _cells(call, "z")])


def _softmax_ce(call: Call) -> str:
    terms = [product([call("y", *c), f"ln({call('p', *c)})"]) for c in _cells(call, "p")]
    return _mean(call, terms, MINUS)


def _softmax_ce_logits(call: Call) -> str:
    terms = [product([call("y", *c), f"ln softmax({call('z', *c)})"]) for c in _cells(call, "z")]
    return _mean(call, terms, MINUS)


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
