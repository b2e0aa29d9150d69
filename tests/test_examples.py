"""Every example can be stepped from its first operation to its last, forward and back, and explained, in plain mode."""

from __future__ import annotations

import pytest

from bptui.commands.session import Session
from bptui.engine.player import state_at
from bptui.files.examples import example_names
from bptui.files.specs import load


@pytest.mark.parametrize("name", example_names())
def test_every_operation_of_an_iteration_and_back(name):
    session = Session(load(name))
    debugger = session.debugger
    start = debugger.look(debugger.position)
    # Of a long program every fourth is looked at: a look costs more than the step.
    stride = 1 if len(debugger.program) < 150 else 4
    for k in range(stride, len(debugger.program) + 1, stride):
        instruction = debugger.program.instructions[k - 1]
        (line,) = session.execute(f"next {stride}").lines
        assert line.startswith(f"0:{k} {instruction.phase}  {instruction.source}  ")
    session.execute(f"goto 0:{len(debugger.program)}")
    end = debugger.look(debugger.position)
    for _ in range(0, len(debugger.program), stride):
        session.execute(f"back {stride}")
    assert debugger.look(debugger.position).same_bits(start)
    session.execute("iteration")
    assert debugger.look(debugger.position).same_bits(state_at(debugger.timeline, debugger.position))
    session.execute(f"goto 0:{len(debugger.program)}")
    assert debugger.look(debugger.position).same_bits(end)


@pytest.mark.parametrize("name", example_names())
def test_some_operations_are_stepped_into_and_explained(name):
    session = Session(load(name))
    program = session.debugger.program
    for k in range(0, len(program), max(1, len(program) // 7)):
        session.execute(f"goto 0:{k}" if k else "goto 0:0")
        (line,) = session.execute("step").lines
        assert program.instructions[k].source in line
        written = program.instructions[k].writes
        session.execute("next")
        index = ", ".join("0" for _ in program.slots[written].shape)
        lines = session.execute(f"explain {written}[{index}]" if index else f"explain {written}").lines
        assert 1 <= len(lines) <= 41
        assert "nan" not in lines[0]


@pytest.mark.parametrize("name", example_names())
def test_an_edit_reaches_the_loss(name):
    """A weight that is changed changes the loss, and undo brings the old one back to the bit."""
    session = Session(load(name))
    debugger = session.debugger
    session.execute(f"goto 0:{debugger.program.loss_index + 1}")
    before = float(debugger.look(debugger.position).arrays["loss"])
    last = [name for name in debugger.program.parameters if name.startswith("W")][-1]
    # Every weight of the last layer that comes from its first neurons: some of them are alive.
    session.execute(f"set {last}[:20, 0] = 3 at 0:0")
    assert float(debugger.look(debugger.position).arrays["loss"]) != before
    session.execute("undo")
    assert float(debugger.look(debugger.position).arrays["loss"]) == before
