"""Instructions in the reader's words: `W1 ← W1 − lr · ∂E/∂W1` rather than `W1 = W1 - lr * W1.grad`.

What has no words of its own is said by its line, over whole arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bptui.engine import terms
from bptui.engine.ops import ACTIVATIONS, LOSSES
from bptui.engine.program import Instruction, Program
from bptui.explain.lines import index_text, parts_of, whole_text
from bptui.explain.notation import MINUS, Names, factor, number

Roles = Mapping[str, str]
_MOST = 48


def left(program: Program, instruction: Instruction) -> str:
    """What is written."""
    return Names(program).slot(instruction.writes)


def sentence(program: Program, instruction: Instruction) -> str:
    """The whole operation in one short line."""
    roles = {role: _name(program, instruction, slot) for role, slot in instruction.roles.items()}
    sign = "←" if instruction.writes in instruction.reads else "="
    mean = "mean " if instruction.n > 1 and instruction.phase == "loss" else ""
    over = f" / {instruction.n}" if instruction.n > 1 and instruction.phase == "backward" else ""
    text = _right(instruction, roles)
    text = f"({text})" if over and " " in text else text
    return f"{left(program, instruction)} {sign} {mean}{text}{over}"


def _name(program: Program, instruction: Instruction, slot: str) -> str:
    """A slot; an optimizer's values of the same parameter go without its name: `m`, not `W1.m`."""
    parameter, dot, word = slot.partition(".")
    same = dot and parameter == instruction.writes.partition(".")[0] and instruction.phase == "update"
    return word if same and not word.startswith("grad") else Names(program).slot(slot)


def _right(instruction: Instruction, roles: Roles) -> str:
    op = instruction.op
    if op in _RIGHT:
        return _RIGHT[op](roles)
    if op in _SHAPED:
        return _SHAPED[op](roles, instruction.attrs)
    base, dot, _ = op.partition(".")
    if base in ACTIVATIONS:
        return _activation(base, roles, gradient=bool(dot))
    base = base.partition("/")[0]
    if base in LOSSES or base.removesuffix("-logits") in LOSSES:
        return f"{base}{'′' * bool(dot)}({', '.join(roles.values())})"
    line = terms.read(instruction.text)
    brief = f"{op.replace('.', ' by ')}({', '.join(roles.values())})"
    if any(isinstance(part, terms.Let) for part in parts_of(line)):
        return brief
    text = whole_text(line, roles.__getitem__)
    return text if len(text) <= _MOST else brief


def _activation(name: str, roles: Roles, *, gradient: bool) -> str:
    inside = ", ".join(text for role, text in roles.items() if role != "g")
    return f"{roles['g']} · {name}′({inside})" if gradient else f"{name}({inside})"


def _sum(text: str) -> str:
    return f"Σ {text}"


_CROSS = "cross-entropy({}, {})"
_RIGHT: Mapping[str, Callable[[Roles], str]] = {
    "draw": lambda r: f"{r['X']}[rows]",
    "dense": lambda r: f"{r['x']} @ {r['W']}",
    "dense+b": lambda r: f"{r['x']} @ {r['W']} + {r['b']}",
    "add": lambda r: f"{r['a']} + {r['b']}",
    "half-mse": lambda r: f"½({r['p']} {MINUS} {r['y']})²",
    "mse": lambda r: f"({r['p']} {MINUS} {r['y']})²",
    "mae": lambda r: f"|{r['p']} {MINUS} {r['y']}|",
    "bce": lambda r: f"bce({r['p']}, {r['y']}) from probabilities",
    "bce-logits": lambda r: f"bce({r['z']}, {r['y']}) from logits",
    "softmax-ce": lambda r: f"{_CROSS.format(r['p'], r['y'])} from probabilities",
    "softmax-ce-logits": lambda r: f"{_CROSS.format(r['z'], r['y'])} from logits",
    "half-mse.p": lambda r: f"{r['p']} {MINUS} {r['y']}",
    "mse.p": lambda r: f"2·({r['p']} {MINUS} {r['y']})",
    "mae.p": lambda r: f"sign({r['p']} {MINUS} {r['y']})",
    "bce.p": lambda r: f"({r['p']} {MINUS} {r['y']}) / {r['p']}(1 {MINUS} {r['p']})",
    "bce-logits.z": lambda r: f"σ({r['z']}) {MINUS} {r['y']}",
    "softmax-ce.p": lambda r: f"{MINUS}{r['y']} / {r['p']}",
    "softmax-ce-logits.z": lambda r: f"softmax({r['z']}) {MINUS} {r['y']}",
    "copy": lambda r: r["g"],
    "dense.x": lambda r: f"{r['g']} @ {r['W']}ᵀ",
    "dense.W": lambda r: f"{r['x']}ᵀ @ {r['g']}",
    "dense.b": lambda r: _sum(r["g"]),
    "matmul.a": lambda r: f"{r['g']} @ {r['b']}ᵀ",
    "matmul.b": lambda r: f"{r['a']}ᵀ @ {r['g']}",
    "sigmoid.z": lambda r: f"{r['g']} · {r['out']}(1 {MINUS} {r['out']})",
    "tanh.z": lambda r: f"{r['g']} · (1 {MINUS} {r['out']}²)",
    "relu.z": lambda r: f"{r['g']} where {r['z']} > 0",
    "sgd": lambda r: f"{r['w']} {MINUS} {r['lr']} · {r['g']}",
    # Windows
    "pad": lambda r: f"pad({r['x']})",
    "pad.x": lambda r: f"{r['g']} without padding",
    "unfold": lambda r: f"windows of {r['x']}",
    "unfold.x": lambda r: f"windows of {r['g']} added",
    "fold": lambda r: f"windows of {r['c']} added",
    "fold.c": lambda r: f"windows of {r['g']}",
    "conv": lambda r: f"{r['c']} ∗ {r['W']}",
    "conv+b": lambda r: f"{r['c']} ∗ {r['W']} + {r['b']}",
    "conv.W": lambda r: f"{r['c']} ∗ {r['g']}",
    "conv.c": lambda r: f"{r['g']} ∗ {r['W']}",
    "conv.b": lambda r: _sum(r["g"]),
    "spread": lambda r: f"{r['x']} ∗ {r['W']}",
    "spread.W": lambda r: f"{r['x']} ∗ {r['g']}",
    "spread.x": lambda r: f"{r['g']} ∗ {r['W']}",
    "bias": lambda r: f"{r['x']} + {r['b']}",
    "bias.b": lambda r: _sum(r["g"]),
    "max-pool": lambda r: f"largest of {r['c']}",
    "avg-pool": lambda r: f"mean of {r['c']}",
    "max-pool.c": lambda r: f"{r['g']} to the largest",
    "avg-pool.c": lambda r: f"{r['g']} shared out",
    # Norms
    "standardize": lambda r: f"({r['x']} {MINUS} mean) / √variance",
    "standardize.x": lambda r: f"standardize′({r['x']}) · {r['g']}",
    "normalize": lambda r: f"({r['x']} {MINUS} {r['m']}) / √{r['v']}",
    "rms": lambda r: f"{r['x']} / √mean {r['x']}²",
    "rms.x": lambda r: f"rms′({r['x']}) · {r['g']}",
    "affine": lambda r: f"{r['x']}·{r['W']} + {r['b']}",
    "affine.b": lambda r: _sum(r["g"]),
    "affine.W": lambda r: _sum(f"{r['g']}·{r['x']}"),
    "affine.x": lambda r: f"{r['g']}·{r['W']}",
    "scaled": lambda r: f"{r['x']}·{r['W']}",
    "scaled.W": lambda r: _sum(f"{r['g']}·{r['x']}"),
    "scaled.x": lambda r: f"{r['g']}·{r['W']}",
    # Reductions
    "max.x": lambda r: f"{r['g']} to the largest",
    "min.x": lambda r: f"{r['g']} to the smallest",
    "var": lambda r: f"variance of {r['x']}",
    "var.x": lambda r: f"variance′({r['x']}) · {r['g']}",
    "logsumexp": lambda r: f"ln Σ e^{r['x']}",
    "logsumexp.x": lambda r: f"softmax({r['x']}) · {r['g']}",
    # Moving cells
    "concat": lambda r: _side_by_side(list(r.values())),
    "gather": lambda r: f"rows {r['x']} of {r['W']}",
    "gather.W": lambda r: f"{r['g']} added to the rows {r['x']}",
    "slice.x": lambda r: f"{r['g']}, else 0",
    "concat.a": lambda r: f"part of {r['g']}",
    "tile": lambda r: f"{r['x']} repeated",
    "tile.x": lambda r: f"Σ repeats of {r['g']}",
    "expand": lambda r: f"{r['x']} repeated",
    "unbroadcast": lambda r: _sum(r["g"]),
    "causal": lambda r: f"{r['x']} without the future",
    "causal.x": lambda r: f"{r['g']} without the future",
    # Optimizers
    "clip-value": lambda r: f"{r['g']} clipped",
    "clip-norm": lambda r: f"{r['g']} scaled down to the norm",
    "square-norm": lambda r: f"|{r['g']}|²",
    "total": lambda r: _total(list(r.values())),
    "running-mean": lambda r: f"{r['r']} nearer mean {r['x']}",
    "running-var": lambda r: f"{r['r']} nearer var {r['x']}",
    **{
        f"lr-{name}": lambda r, name=name: f"{name} of {r['lr0']} at {r['t']}"  # type: ignore[misc]
        for name in ("step", "exponential", "cosine", "warm-up", "one-cycle")
    },
    "nadam-mu": lambda r: f"momentum at {r['t']}",
    "nadam-mu-next": lambda r: f"momentum at {r['t']} + 1",
    "nadam-step": lambda r: f"{r['g']} and {r['m']}, corrected",
    "radam-rho": lambda r: f"length of the average at {r['t']}",
    "radam-rectify": lambda r: f"rectification for {r['rho']}",
    "radam-step": lambda r: f"{r['rectify']}·{r['m']} / √{r['v']}",
}


def _side_by_side(names: list[str]) -> str:
    return " | ".join(names if len(names) <= 3 else [names[0], "…", names[-1]])


def _total(names: list[str]) -> str:
    return " + ".join(names if len(names) <= 4 else [names[0], "…", names[-1]])


def _by(shape: Any) -> str:
    return "×".join(map(str, shape))


_SHAPED: Mapping[str, Callable[[Roles, Mapping[str, Any]], str]] = {
    "reshape": lambda r, a: f"{r['x']} as {_by(a['shape'])}",
    "reshape.x": lambda r, a: f"{r['g']} as {_by(a['of'])}",
    "transpose": lambda r, a: f"{r['x']}, axes {' '.join(map(str, a['axes']))}",
    "transpose.x": lambda r, _: f"{r['g']}, axes back",
    "slice": lambda r, a: f"{r['x']}[{index_text(_slices(a['index']))}]",
    "leaky-relu.z": lambda r, a: f"{r['g']} · (1 or {number(a.get('slope', 0.01), 4)})",
    "average": lambda r, a: _average(r["m"], r["g"], a),
    "average-square": lambda r, a: _average(r["v"], f"{factor(r['g'])}²", a),
    "momentum": lambda r, a: f"{number(a['momentum'], 4)}·{r['m']} + {_share(a['take'])}{r['g']}",
    "over-root": lambda r, _: f"{r['g']} / √{r['v']}",
    "adadelta": lambda r, _: f"{r['g']} · √{r['u']} / √{r['v']}",
    "adam": lambda r, _: f"{r['w']} {MINUS} {r['lr']} · {r['m']} / √{r['v']}",
    "infinity": lambda r, a: f"max({number(a['keep'], 4)}·{r['u']}, |{r['g']}|)",
    "shrink": lambda r, a: f"{r['w']} {MINUS} {r['lr']} · {number(a['decay'], 4)}·{r['w']}",
    "decayed": lambda r, a: f"{r['g']} + {number(a['decay'], 4)}·{r['w']}",
}


def _share(value: float) -> str:
    return "" if value == 1 else f"{number(value, 4)}·"


def _average(old: str, new: str, attrs: Mapping[str, Any]) -> str:
    return f"{number(attrs['keep'], 4)}·{old} + {_share(attrs['take'])}{new}"


def _slices(index: Any) -> tuple[Any, ...]:
    """An index as the op's attribute has it: three numbers stand for a slice."""
    return tuple(slice(*part) if isinstance(part, tuple) else part for part in index)
