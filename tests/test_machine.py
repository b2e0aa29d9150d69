"""Buffers and the compiled code: three ways to run give the same bits, and a bad program is refused."""

from __future__ import annotations

from dataclasses import replace

import networks
import numpy as np
import pytest
from test_ops import NETWORKS

from bptui.engine.build import build
from bptui.engine.lowering import ALIGN
from bptui.engine.machine import Machine, _once
from bptui.engine.network import Network, Node
from bptui.engine.ops import OPS
from bptui.engine.program import Instruction, Program, ProgramError, Slot, check

EVERY = {**NETWORKS, **{name: make() for name, make in networks.ALL.items()}}


def whole(program: Program, n: int) -> tuple[Machine, list[float]]:
    """n iterations by the generated function."""
    machine, losses = Machine(program), np.empty(n)
    with machine.quiet():
        machine.run(0, n, losses)
    return machine, losses.tolist()


def by_operation(program: Program, n: int) -> tuple[Machine, list[float]]:
    machine, losses = Machine(program), []
    with machine.quiet():
        for t in range(n):
            machine.begin(t)
            for k in range(len(program)):
                machine.execute(k)
            losses.append(float(machine.arrays["loss"]))
    return machine, losses


def by_element(program: Program, n: int) -> tuple[Machine, list[float]]:
    machine, losses = Machine(program), []
    with machine.quiet():
        for t in range(n):
            machine.begin(t)
            for k in range(len(program)):
                for cell in range(program.size(k)):
                    machine.execute(k, cell, cell + 1)
            losses.append(float(machine.arrays["loss"]))
    return machine, losses


def test_what_does_the_same_is_compiled_once():
    """Another machine of a program, and another layer: the code is the same, what it works on is not."""
    program = build(networks.mazur_like())
    one, other = (Machine(program) for _ in range(2))
    index = {i.writes: k for k, i in enumerate(program.instructions)}
    first, second = (one.segment(index[slot], index[slot] + 1) for slot in ("a1", "a2"))
    assert first.__code__ is second.__code__ is other.segment(index["a1"], index["a1"] + 1).__code__
    assert [
        array is again for array, again in zip(first.__defaults__[-3:-1], second.__defaults__[-3:-1], strict=True)
    ] == [False, False]
    assert whole(program, 1)[0]._bare.__code__ is whole(program, 1)[0]._bare.__code__


@pytest.mark.parametrize("name", EVERY)
def test_running_stepping_and_stepping_into_give_the_same_bits(name):
    program = build(EVERY[name])
    first, losses = whole(program, 4)
    for way in (by_operation, by_element):
        other, other_losses = way(program, 4)
        for slot, array in first.arrays.items():
            assert array.tobytes() == other.arrays[slot].tobytes(), f"{slot} {way.__name__}"
        assert [loss.hex() for loss in losses] == [loss.hex() for loss in other_losses]


@pytest.mark.parametrize("name", sorted(networks.ALL))
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_buffers_are_contiguous_and_aligned(name, dtype):
    machine = Machine(build(networks.ALL[name](dtype=dtype)))
    for slot, array in machine.arrays.items():
        assert array.flags.c_contiguous, slot
        assert array.ctypes.data % ALIGN == 0, slot
        assert array.dtype == (np.int64 if slot == "rows" else dtype)
        assert array.shape == machine.program.slots[slot].shape


@pytest.mark.parametrize("name", sorted(networks.ALL))
def test_everything_that_lasts_is_in_one_vector(name):
    machine = Machine(build(networks.ALL[name]()))
    copy = machine.vector.copy()
    with machine.quiet():
        machine.run(0, 3, np.empty(3))
    assert copy.tobytes() != machine.vector.tobytes()
    np.copyto(machine.vector, copy)
    for slot, value in machine.program.initial.items():
        assert machine.arrays[slot].tobytes() == value.tobytes(), slot
        home = machine.data if machine.program.slots[slot].kind == "data" else machine.vector
        assert np.shares_memory(machine.arrays[slot], home), slot
    for slot in machine.program.slots.values():
        lasting = slot.persistent and slot.kind != "data"
        assert np.shares_memory(machine.arrays[slot.name], machine.vector) == lasting


def test_nothing_is_rebound():
    machine = Machine(build(networks.skip_net()))
    before = {name: id(array) for name, array in machine.arrays.items()}
    machine.begin(0)
    machine.run(0, 2, np.empty(2))
    machine.execute(3, 0, 1)
    machine.reset()
    assert {name: id(array) for name, array in machine.arrays.items()} == before


def test_frozen_parameters_are_never_written():
    machine = Machine(build(networks.mazur_like()))
    machine.run(0, 20, np.empty(20))
    assert machine.arrays["b1"].tolist() == [0.35, 0.35]
    assert machine.arrays["b2"].tolist() == [0.6, 0.6]


def test_a_reset_starts_again():
    machine = Machine(build(networks.sigmoid_net()))
    losses = [np.empty(5), np.empty(5)]
    for kept in losses:
        machine.reset()
        machine.run(0, 5, kept)
    assert losses[0].tobytes() == losses[1].tobytes()


def test_nothing_a_person_named_is_in_generated_code():
    machine = Machine(build(networks.skip_net()))
    code = [line for k in range(len(machine.program)) for line in machine._lines_of(k)]
    assert code
    assert not any("h1" in line for line in code)


# The checker

PROGRAM = build(networks.article())


def changed(k: int, **changes: object) -> Program:
    """The article's program with one instruction changed."""
    instructions = list(PROGRAM.instructions)
    instructions[k] = replace(instructions[k], **changes)
    return replace(PROGRAM, instructions=tuple(instructions))


def swapped(a: int, b: int) -> Program:
    instructions = list(PROGRAM.instructions)
    instructions[a], instructions[b] = instructions[b], instructions[a]
    return replace(PROGRAM, instructions=tuple(instructions))


def with_slot(slot: Slot) -> Program:
    return replace(PROGRAM, slots={**PROGRAM.slots, slot.name: slot})


BAD = {
    "read before write": (swapped(0, 1), "reads z1 before it is written"),
    "gradient before its own": (swapped(4, 3), "reads z2.grad before it is written"),
    "second write": (changed(5, writes="z1"), "writes z1 a second time"),
    "second write of a weight": (changed(0, writes="W1"), "*"),
    "wrong shape": (with_slot(Slot("z1", (1, 3), "value")), r"gives \(1, 2\), z1 has \(1, 3\)"),
    "in place, not elementwise": (changed(7, op="dense", reads=("x", "W1"), writes="W1"), "*"),
    "in place on another": (changed(7, reads=("W2", "lr", "W2.grad")), "*"),
}


@pytest.mark.parametrize("name", BAD)
def test_the_checker_refuses(name):
    program, why = BAD[name]
    with pytest.raises(ProgramError, match=why if why != "*" else None):
        check(program)


def test_the_checker_refuses_in_place_that_is_not_elementwise(monkeypatch):
    monkeypatch.setattr(
        "bptui.engine.program.OPS",
        {**OPS, "sgd": replace(OPS["sgd"], source="w - lr * g.sum(0, keepdims=True) * w.sum()")},
    )
    with pytest.raises(ProgramError, match="in place without being elementwise"):
        check(replace(PROGRAM, instructions=tuple(replace(i) for i in PROGRAM.instructions)))


@pytest.mark.parametrize("name", sorted(networks.ALL))
def test_the_checker_passes_what_is_built(name):
    check(build(networks.ALL[name]()))


# The program


def test_a_value_read_twice_gets_one_instruction_that_adds_up():
    sources = [i.source for i in build(networks.skip_net()).instructions if i.phase == "backward"]
    assert "a_h1.grad = a_h1.grad1 + a_h1.grad2" in sources


def test_a_frozen_bias_gets_no_gradient():
    program = build(networks.skip_net())
    assert "b_h2.grad" not in program.slots
    assert "b_h1.grad" in program.slots


def test_gradients_are_all_taken_before_any_update():
    for make in networks.ALL.values():
        phases = [i.phase for i in build(make()).instructions]
        assert phases == sorted(phases, key=["data", "forward", "loss", "backward", "update"].index)


def test_drawn_batches_are_two_rows_of_the_program():
    program = build(networks.drawn_net())
    assert [(i.phase, i.source) for i in program.instructions[:2]] == [("data", "x = X[rows]"), ("data", "y = Y[rows]")]


def test_every_row_is_drawn_once_in_an_epoch_and_the_rest_dropped():
    machine = Machine(build(networks.drawn_net()))
    for epoch in range(4):
        drawn = []
        for t in (2 * epoch, 2 * epoch + 1):
            machine.begin(t)
            drawn += machine.arrays["rows"].tolist()
        assert len(set(drawn)) == 4
        assert set(drawn) < set(range(5))


def test_the_listing_is_a_line_an_instruction():
    lines = str(PROGRAM).splitlines()
    assert lines[0] == "  1 forward  z1 = x @ W1"
    assert len(lines) == 9


def test_instructions_are_values():
    assert Instruction("add", "forward", ("a", "b"), "c").source == "c = a + b"


# What is computed once


def test_a_buffer_that_is_seen_under_another_name_is_not_moved():
    """square(h) stands in the norm as a temporary that a view of it is read of, and as an instruction of its own."""
    nodes = (
        Node("h", ("x",), 1),
        Node("r", ("h",), op="rms-norm"),
        Node("s", ("h",), op="square"),
        Node("c", ("r", "s"), op="concat"),
        Node("o", ("c",), 1),
    )
    program = build(Network(nodes, np.array([[1.5], [2.0], [3.0]]), np.array([[1.0], [2.0], [0.0]]), loss="mse"))
    first, losses = whole(program, 4)
    other, other_losses = by_operation(program, 4)
    assert losses == other_losses
    assert first.vector.tobytes() == other.vector.tobytes()


def test_what_two_instructions_compute_alike_is_computed_once():
    machine = Machine(build(networks.article()))
    lines = [line for _, lines in _once(list(machine._iteration())[:7], machine._scope.names) for line in lines]
    assert sum(line.startswith("subtract(") for line in lines) == 1


def test_stepping_into_keeps_nothing():
    machine = Machine(build(networks.sigmoid_net()))
    for cell in range(3):
        machine.execute(0, cell, cell + 1)
    before = len(machine._scope.names)
    for cell in range(9):
        machine.execute(0, cell, cell + 1)
    assert len(machine._scope.names) == before
