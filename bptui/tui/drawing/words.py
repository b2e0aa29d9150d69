"""Instructions in the reader's words: `W1 ← W1 − lr · ∂E/∂W1` rather than `W1 = W1 - lr * W1.grad`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bptui.engine.program import Instruction, Program
from bptui.explain.notation import MINUS, Names


def left(program: Program, instruction: Instruction) -> str:
    """What is written."""
    return Names(program).slot(instruction.writes)


def sentence(program: Program, instruction: Instruction) -> str:
    """The whole operation in one short line."""
    names = Names(program)
    roles = {role: names.slot(slot) for role, slot in instruction.roles.items()}
    sign = "←" if instruction.phase == "update" else "="
    right = _RIGHT.get(instruction.op)
    text = right(roles) if right else f"{instruction.op}({', '.join(roles.values())})"
    mean = "mean " if instruction.n > 1 and instruction.phase == "loss" else ""
    over = f" / {instruction.n}" if instruction.n > 1 and instruction.phase == "backward" else ""
    text = f"({text})" if over and " " in text else text
    return f"{left(program, instruction)} {sign} {mean}{text}{over}"


_RIGHT: Mapping[str, Callable[[Mapping[str, str]], str]] = {
    "draw": lambda r: f"{r['X']}[rows]",
    "dense": lambda r: f"{r['x']} @ {r['W']}",
    "dense+b": lambda r: f"{r['x']} @ {r['W']} + {r['b']}",
    "add": lambda r: f"{r['a']} + {r['b']}",
    "half-mse": lambda r: f"½({r['p']} {MINUS} {r['y']})²",
    "mse": lambda r: f"({r['p']} {MINUS} {r['y']})²",
    "bce": lambda r: f"bce({r['p']}, {r['y']}) from probabilities",
    "bce-logits": lambda r: f"bce({r['z']}, {r['y']}) from logits",
    "softmax-ce": lambda r: f"cross-entropy({r['p']}, {r['y']}) from probabilities",
    "softmax-ce-logits": lambda r: f"cross-entropy({r['z']}, {r['y']}) from logits",
    "half-mse.p": lambda r: f"{r['p']} {MINUS} {r['y']}",
    "mse.p": lambda r: f"2·({r['p']} {MINUS} {r['y']})",
    "bce.p": lambda r: f"({r['p']} {MINUS} {r['y']}) / {r['p']}(1 {MINUS} {r['p']})",
    "bce-logits.z": lambda r: f"σ({r['z']}) {MINUS} {r['y']}",
    "softmax-ce.p": lambda r: f"{MINUS}{r['y']} / {r['p']}",
    "softmax-ce-logits.z": lambda r: f"softmax({r['z']}) {MINUS} {r['y']}",
    "copy": lambda r: r["g"],
    "dense.x": lambda r: f"{r['g']} @ {r['W']}ᵀ",
    "dense.W": lambda r: f"{r['x']}ᵀ @ {r['g']}",
    "dense.b": lambda r: f"Σ {r['g']}",
    "sigmoid.z": lambda r: f"{r['g']} · {r['a']}(1 {MINUS} {r['a']})",
    "tanh.z": lambda r: f"{r['g']} · (1 {MINUS} {r['a']}²)",
    "relu.z": lambda r: f"{r['g']} where {r['z']} > 0",
    "leaky-relu.z": lambda r: f"{r['g']} · (1 or 0.01)",
    "softmax.z": lambda r: f"softmax′({r['a']}) · {r['g']}",
    "sgd": lambda r: f"{r['w']} {MINUS} {r['lr']} · {r['g']}",
}
