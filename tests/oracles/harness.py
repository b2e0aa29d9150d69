"""Runs one op, one layer or one loss through the real thing and takes what it gave, gradients too.

Nothing is computed here that the product computes: a row of the op table becomes a real `Instruction`, its gradients
are those that the real `Builder` emits for it (attributes, summing back after broadcasting and all), the program is
proved by the real `check`, and what runs are the compiled lines of a real `Machine`. Each instruction is also evaluated
as plain NumPy from the line that is shown, and has to give the same bits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import slow
from oracles_registry import covers, fail, note, skip

from bptui.engine.build import Builder
from bptui.engine.checking import checked
from bptui.engine.graph import sample_shapes
from bptui.engine.machine import Machine
from bptui.engine.network import Network, Node
from bptui.engine.ops import OPS
from bptui.engine.program import Instruction, Program, Slot, check

Arrays = dict[str, np.ndarray]
Step = tuple[str, Sequence[str], str, Mapping[str, Any]]


class BitsDiffer(AssertionError):
    """What is shown is not what ran."""


@dataclass
class Ran:
    """What came of it.

    out    the result
    grads  argument (a role, "x", a letter of a layer's parameter) → its gradient
    used   "" → the ops that gave the result, argument → those that gave its gradient; of several rows all are under "grad"
    """

    out: np.ndarray
    grads: Arrays = field(default_factory=dict)
    used: dict[str, list[str]] = field(default_factory=dict)
    machine: Machine | None = None


class _Probe(Builder):
    """The real builder, with nothing frozen: data have gradients as well."""

    def frozen(self, name: str) -> bool:
        del name
        return False

    def given(self, name: str, value: Any, kind: str = "parameter") -> str:
        array = np.asarray(value)
        if kind == "rows":
            self.slots[name] = Slot(name, array.shape, "rows")
            return name
        return self.persistent(name, array, kind)

    def proved(self) -> Program:
        result = Program(
            self.network, self.slots, tuple(self.instructions), {name: self._begun(name) for name in self.start}
        )
        check(result)
        return result


def _empty(dtype: Any) -> Network:
    return Network((), np.zeros((1, 1)), np.zeros((1, 1)), dtype=np.dtype(dtype).name)


def execute(program: Program, given: Arrays | None = None, *, bits: bool = True) -> Machine:
    """Every instruction, by the compiled lines; and by the shown ones, which have to give the same bits."""
    machine = Machine(program)
    if not given:
        machine.begin(0)
    for name, value in (given or {}).items():
        machine.arrays[name][...] = value
    for k, instruction in enumerate(program.instructions):
        wanted = slow.evaluate(program, k, dict(machine.arrays)) if bits else None
        with machine.quiet():
            machine.execute(k)
        if wanted is not None:
            _same_bits(instruction, machine.arrays[instruction.writes], wanted, machine.arrays)
    return machine


def _same_bits(instruction: Instruction, found: np.ndarray, wanted: np.ndarray, arrays: Any) -> None:
    if wanted.shape != found.shape:
        raise BitsDiffer(f"{instruction.source}: {found.shape} ran, the shown line gives {wanted.shape}")
    wanted = np.asarray(wanted, found.dtype)
    if found.tobytes() == wanted.tobytes():
        return
    # One nan is as good as another. Times a single 0, `dot` gives 0 where `@` gives nan (see `Lowering._product`).
    single = "@" in instruction.text and any(arrays[s].size == 1 and not arrays[s].any() for s in instruction.reads)
    same_nans = np.isnan(found).tobytes() == np.isnan(wanted).tobytes()
    if single or (same_nans and np.nan_to_num(found, nan=0).tobytes() == np.nan_to_num(wanted, nan=0).tobytes()):
        return
    raise BitsDiffer(f"{instruction.source}: {found} ran, the shown line gives {wanted}")


def run_op(
    op: str,
    arrays: Sequence[Any] | Mapping[str, Any],
    attrs: Mapping[str, Any] | None = None,
    *,
    g: Any = None,
    n: int = 1,
    dtype: Any = "float64",
    wanted: Sequence[str] | None = None,
    bits: bool = True,
) -> Ran:
    """One row of the table, and the gradient of each argument that has one, for an upstream gradient `g`.

    wanted  the roles whose gradient is taken; None: all that have one, where `g` is given or the row needs none
    """
    row = OPS[op]
    values = list(arrays.values()) if isinstance(arrays, Mapping) else list(arrays)
    roles = row.roles(len(values))
    builder = _Probe(_empty(dtype))
    whole = {"X rows": "rows"} if op == "draw" else {}
    for role, value in zip(roles, values, strict=True):
        builder.given(role, value, "rows" if whole and role == "rows" else "parameter")
    writes = roles[0] if row.in_place else "out"
    instruction = Instruction(op, "forward", roles, writes, n=n, attrs=dict(attrs or {}))
    builder.emit(instruction, "value")
    used = {"": [op]}
    if g is not None:
        builder.given("out.grad", g, "data")
        for role in [r for r in roles if (row.args[0] if row.variadic else r) in row.vjps]:
            if wanted is None or role in wanted:
                before = len(builder.instructions)
                builder.gradient(0, instruction, role, 1)
                used[role] = [i.op for i in builder.instructions[before:]]
    machine = execute(builder.proved(), {"rows": values[1]} if whole else None, bits=bits)
    grads = {role: machine.arrays[f"{role}.grad"].copy() for role in used if role}
    return Ran(machine.arrays[writes].copy(), grads, used, machine)


def _used(builder: Builder, *, updates: bool = True) -> dict[str, list[str]]:
    """The ops that ran, those of the walk back apart."""
    phases = ("forward", "loss", "update") if updates else ("forward",)
    return {
        "": [i.op for i in builder.instructions if i.phase in phases],
        "grad": [i.op for i in builder.instructions if i.phase == "backward"],
    }


def run_chain(
    steps: Sequence[Step], arrays: Mapping[str, Any], *, g: Any = None, dtype: Any = "float64", bits: bool = True
) -> Ran:
    """Several rows one after the other, and the gradient of each array they begin with.

    steps  (op, slots it reads, slot it writes, attributes); one that writes what it reads is an update in place
    """
    builder = _Probe(_empty(dtype))
    for name, value in arrays.items():
        builder.given(name, value)
    for op, reads, writes, attrs in steps:
        phase = "update" if writes in arrays else "forward"
        builder.emit(Instruction(op, phase, tuple(reads), writes, attrs=dict(attrs)), "value")
    last = steps[-1][2]
    builder.outputs["last"] = last
    if g is not None:
        builder.given(f"{last}.grad", g, "data")
        builder.backward()
    machine = execute(builder.proved(), bits=bits)
    grads = {name: machine.arrays[f"{name}.grad"].copy() for name in arrays if f"{name}.grad" in machine.arrays}
    return Ran(machine.arrays[last].copy(), grads, _used(builder), machine)


def run_loss(
    loss: str,
    x: Any,
    y: Any,
    options: Mapping[str, Any] | None = None,
    *,
    dtype: Any = "float64",
    bits: bool = True,
    act: str = "identity",
) -> Ran:
    """A loss of a real network, and the gradient of what it is taken of; the one layer adds a table of zeros."""
    x, y = np.asarray(x, dtype), np.asarray(y, dtype)
    node = Node("1", ("x",), 0, "position", act, given={"P": np.zeros(x.shape[1:], dtype)})
    network = Network((node,), x, y, loss, dtype=np.dtype(dtype).name, loss_options=dict(options or {}))
    builder = _Probe(checked(network))
    builder.data()
    builder.slots["x"] = replace(builder.slots["x"], kind="parameter")
    builder.forward()
    builder.slots["P1"] = replace(builder.slots["P1"], kind="data")
    builder.loss()
    builder.backward()
    machine = execute(builder.proved(), bits=bits)
    return Ran(machine.arrays["loss"].copy(), {"x": machine.arrays["x.grad"].copy()}, _used(builder), machine)


def run_kind(
    kind: str,
    inputs: Sequence[Any],
    options: Mapping[str, Any] | None = None,
    *,
    given: Mapping[str, Any] | None = None,
    g: Any = None,
    dtype: Any = "float64",
    evaluation: bool = False,
    statistics: Mapping[str, Any] | None = None,
    act: str = "identity",
    bits: bool = True,
) -> Ran:
    """One layer of a real network on real data, and the gradients of its inputs and its parameters.

    given       letter → values of its parameters
    evaluation  as it is in use: no dropout, running statistics
    statistics  word → the running statistic it begins with
    """
    options, given = dict(options or {}), dict(given or {})
    names = ["x", *(f"x{k}" for k in range(2, len(inputs) + 1))]
    data = dict(zip(names, (np.asarray(a, dtype) for a in inputs), strict=True))
    units = options.pop("units", 0)
    rest = {k: np.asarray(v, dtype) for k, v in given.items() if k not in ("W", "b")}
    bias = options.pop("bias", True)
    both = {k: np.asarray(given[k], dtype) for k in ("W", "b") if k in given}
    node = Node("1", tuple(names), units, kind, act, options=options, given=rest, bias=bias, **both)
    more = {name: data[name] for name in names[1:]}
    network = Network((node,), data["x"], np.zeros((len(data["x"]), 1)), "mse", dtype=np.dtype(dtype).name, more=more)
    shape = sample_shapes(network, (node,))["1"]
    assert shape is not None, f"{kind} can't read {[a.shape for a in data.values()]} with {options}"
    network = replace(network, y=np.zeros((len(data["x"]), *shape)))
    builder = _Probe(checked(network), evaluation=evaluation)
    builder.data()
    for name in names:
        builder.slots[name] = replace(builder.slots[name], kind="parameter")
    builder.forward()
    for word, value in (statistics or {}).items():
        builder.start[f"{word}1"] = np.asarray(value, dtype)
    output = builder.outputs["1"]
    if g is not None:
        builder.given(f"{output}.grad", g, "data")
        builder.backward()
    builder.statistics()
    program = builder.proved()
    machine = execute(program, bits=bits)
    grads = {}
    for name, slot in program.slots.items():
        if slot.kind == "parameter" and f"{name}.grad" in program.slots:
            grads[name if name in names else name.removesuffix("1")] = machine.arrays[f"{name}.grad"].copy()
    return Ran(machine.arrays[output].copy(), grads, _used(builder, updates=False), machine)


# Comparing


class Asked:
    """An oracle that is asked about one row: it counts every case, and says in the end which of them it denied."""

    def __init__(self, table: str, name: str, oracle: str) -> None:
        self.key = (table, name, oracle)
        covers(*self.key)
        self.denied: list[str] = []
        self.cases = 0

    def compare(
        self,
        label: str,
        ran: Ran,
        out: Any,
        grads: Mapping[str, Any],
        most: float,
        floor: float = 1e-3,
        *,
        layer: bool = False,
    ) -> None:
        """A result and its gradients; what is in `grads` has to be in `ran`, and the other way round."""
        self.cases += 1
        found = {"": (ran.out, out), **{role: (ran.grads.get(role), grads[role]) for role in grads}}
        wrong = [f"has no gradient of {role}" for role in grads if role not in ran.grads]
        wrong += [f"has a gradient of {role}" for role in ran.grads if role not in grads]
        errors = {role: error(*pair, floor=floor) for role, pair in found.items() if pair[0] is not None}
        wrong += [
            f"{role or 'result'} is off by {e:.3g}: {found[role][0]} is not {found[role][1]}"
            for role, e in errors.items()
            if not e <= most
        ]
        table, _, oracle = self.key
        if wrong:
            self.deny(label, "; ".join(wrong))
            return
        # The worst error that is told is that of double precision.
        told = dict.fromkeys(errors, 0.0) if ran.out.dtype == np.float32 else errors
        note(*self.key, max(told.values()))
        for role, names in ran.used.items():
            for name in dict.fromkeys(names):
                if (table, name) != self.key[:2] and name in OPS:
                    covers("OPS", name, oracle)
                    note("OPS", name, oracle, max(told.values()) if layer else told.get(role, 0.0))

    def agree(self, label: str, off: float, most: float, what: str = "") -> None:
        """A number that says how far off it is."""
        self.cases += 1
        if off <= most:
            note(*self.key, off)
        else:
            self.deny(label, f"{what} is off by {off:.3g}")

    def deny(self, label: str, why: str) -> None:
        fail(*self.key, f"{label}: {why}")
        self.denied.append(f"{self.key[1]}, {label}: {why}")

    def skip(self, reason: str, times: int = 1) -> None:
        skip(*self.key, reason, times)

    def done(self) -> None:
        """Raise with the first cases denied."""
        assert not self.denied, f"{len(self.denied)} of {self.cases} denied:\n" + "\n".join(self.denied[:5])
        assert self.cases, f"{self.key} has no case"


def error(found: Any, wanted: Any, floor: float = 1e-3) -> float:
    """The worst relative error; numbers below `floor` are compared as if they were as large. inf where shapes, nans or
    infinities differ."""
    found, wanted = np.asarray(found), np.asarray(wanted)
    if found.shape != wanted.shape:
        return float("inf")
    if not found.size:
        return 0.0
    found, wanted = found.astype(np.float64), wanted.astype(np.float64)
    if (np.isnan(found) != np.isnan(wanted)).any():
        return float("inf")
    ends = np.isinf(found) | np.isinf(wanted)
    if (found[ends] != wanted[ends]).any():
        return float("inf")
    plain = np.isfinite(found) & np.isfinite(wanted)
    if not plain.any():
        return 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        worst = np.abs(found[plain] - wanted[plain]) / np.maximum(np.abs(wanted[plain]), floor)
    return float(worst.max())


def slope_error(
    found: Arrays, arrays: Arrays, output: Any, g: np.ndarray, random: np.random.Generator, steps: float = 1e-4
) -> float | None:
    """Gradients against central differences along a random direction: the worst relative error, None at a kink.

    output  (arrays by name) → the result, by the machine
    """
    worst, here = 0.0, np.asarray(output(arrays)) * g
    for name, gradient in found.items():
        at = arrays[name]
        if not at.size:
            continue
        way = random.normal(0, 1, at.shape)

        def along(t: float, name: str = name, way: np.ndarray = way, at: np.ndarray = at) -> float:
            return float((np.asarray(output({**arrays, name: at + t * way})) * g).sum())

        ends = {t: along(t) for t in (steps, -steps, steps / 2, -steps / 2)}
        wide, near = (ends[steps] - ends[-steps]) / (2 * steps), (ends[steps / 2] - ends[-steps / 2]) / steps
        slope, mine = (4 * near - wide) / 3, float((gradient * way).sum())
        # Below a part of what is summed up, rounding is all that a difference shows.
        noise = 1e-4 * float(np.abs(here).sum())
        size = max(abs(slope), abs(mine), 1e-2 * float(np.abs(gradient).max(initial=0)), noise, 1e-9)
        off = abs(slope - mine) / size
        bend = abs(ends[steps] + ends[-steps] - 2 * float(here.sum())) / steps
        # The two differences agree where there is a slope, and a second one.
        if off > 1e-6 and (bend > 1e-2 * size or abs(wide - near) * 2 > off * size or not np.isfinite(slope)):
            return None
        worst = max(worst, off)
    return worst
