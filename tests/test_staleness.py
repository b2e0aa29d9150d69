"""Which numbers no longer follow from those they were computed from.

Three rules, each with its examples: an edit outdates what was computed from the value it replaced, and all that was
computed from that; setting a number by hand makes it what the person wants; and after an update what was computed from
the weights before is of the old weights, but never a gradient whose own update is still to come.
"""

from __future__ import annotations

from itertools import product

import networks
import numpy as np
import pytest
from driving import goto_text

from bptui.debugger.debugger import Debugger
from bptui.engine.network import Network


def debugger(*commands: str, network: Network | None = None) -> Debugger:
    """A debugger after some commands: positions to go to, and edits."""
    walker = Debugger(network or networks.article())
    for command in commands:
        if "=" in command:
            target, value = command.split(" = ")
            walker.set(target, *value.split(" at "))
        else:
            goto_text(walker, command)
    return walker


def outdated(walker: Debugger) -> dict[str, list]:
    return {slot: np.asarray(mask).astype(int).tolist() for slot, mask in walker.view().stale.outdated.items()}


def test_nothing_is_stale_at_first_or_after_a_walk():
    assert outdated(debugger("0:7")) == {}
    assert debugger("0:7").view().stale.old == frozenset()


def test_an_edit_outdates_what_was_computed_from_it():
    walker = debugger("0:3", "w5 = 0.2")
    assert outdated(walker) == {"z2": [[1]], "loss": 1}
    assert {edit.text for edit in walker.view().stale.causes.values()} == {"set w5 = 0.2"}


def test_an_edit_of_one_weight_outdates_its_own_neuron_only():
    assert outdated(debugger("0:1", "w3 = 1")) == {"z1": [[0, 1]]}
    assert outdated(debugger("0:1", "w2 = 1")) == {"z1": [[1, 0]]}


def test_what_comes_later_is_computed_from_stale_numbers_and_stays_marked():
    walker = debugger("0:3", "w5 = 0.2", "0:7")
    assert outdated(walker).keys() == {"z2", "loss", "z2.grad", "W2.grad", "z1.grad", "W1.grad"}


def test_an_edit_before_all_that_reads_it_outdates_nothing():
    assert outdated(debugger("0:1", "w5 = 0.2", "0:4")) == {}
    assert outdated(debugger("lr = 1", "0:9")) == {}
    assert outdated(debugger("0:7", "w5 = 0.2 at 0:0")) == {}


def test_an_edited_activation_outdates_what_was_made_of_it_and_not_itself():
    assert outdated(debugger("0:2", "h1 = 1")) == {"z2": [[1]]}
    assert outdated(debugger("0:2", "prediction = 1")) == {}
    assert outdated(debugger("0:3", "prediction = 1")) == {"loss": 1}


def test_setting_a_stale_number_by_hand_makes_it_right():
    walker = debugger("0:2", "w5 = 0.2", "prediction = 0.242")
    assert outdated(walker) == {}
    assert outdated(debugger("0:2", "w5 = 0.2", "prediction = 0.242", "0:3")) == {}


def test_an_edit_inside_an_operation_outdates_the_cells_before_it():
    assert outdated(debugger("0:0.1", "i1 = 5")) == {"z1": [[1, 0]]}
    assert outdated(debugger("0:0.1", "i1 = 5", "0:1")) == {"z1": [[1, 0]]}
    assert outdated(debugger("0:0.1", "w3 = 5", "0:1")) == {}


def test_the_next_iteration_starts_clean():
    assert outdated(debugger("0:3", "w5 = 0.2", "1:4")) == {}


def test_an_undo_takes_the_marks_back():
    walker = debugger("0:3", "w5 = 0.2")
    walker.undo()
    assert outdated(walker) == {}


def test_stepping_back_before_what_is_stale_takes_its_mark_away():
    walker = debugger("0:3", "w5 = 0.2", "0:1")
    assert outdated(walker) == {}
    goto_text(walker, "0:3")
    assert outdated(walker) == {"z2": [[1]], "loss": 1}


def test_a_weight_edited_after_its_update_outdates_nothing():
    walker = debugger("0:9", "w5 = 0.2")
    assert "z2" not in outdated(walker)
    assert "W2.grad" not in outdated(walker)


def test_a_learning_rate_edited_between_two_updates_outdates_the_first():
    assert outdated(debugger("0:8", "lr = 1")) == {"W1": [[1, 1], [1, 1]]}
    assert outdated(debugger("0:8", "lr = 1", "0:9")) == {"W1": [[1, 1], [1, 1]]}


def test_targets_are_read_by_the_loss_and_its_derivative():
    assert outdated(debugger("0:4", "target = 2")) == {"loss": 1, "z2.grad": [[1]]}


def test_after_an_update_what_its_weights_made_is_of_the_old_weights():
    old = debugger("0:8").view().stale.old
    assert {"z1", "z2", "loss", "z2.grad", "z1.grad", "W1.grad"} <= old
    assert "W2.grad" not in old, "its own update is still to come"
    assert "W2.grad" in debugger("0:9").view().stale.old


def test_weights_data_and_the_rate_are_never_of_the_old_weights():
    assert not {"W1", "W2", "x", "y", "lr"} & debugger("0:9").view().stale.old


def test_an_update_begun_counts():
    assert "z1" in debugger("0:7.1").view().stale.old
    assert debugger("0:7").view().stale.old == frozenset()


@pytest.mark.parametrize("name", sorted(networks.ALL))
def test_a_number_changes_with_a_replay_only_if_it_was_marked(name):
    """Whatever would come out differently had the edit been there from the iteration's start, is marked."""
    network = networks.ALL[name]()
    program = debugger(network=network).program
    parameters = [slot for slot in program.parameters if program.slots[slot].persistent]
    last = next(k for k, i in enumerate(program.instructions) if i.phase == "update")
    for parameter, op in product(parameters, range(1, last + 1, 2)):
        cell = f"{parameter}[{', '.join('0' for _ in program.slots[parameter].shape)}]"
        late = debugger(f"0:{op}", f"{cell} = {cell} + 0.5", network=network).view()
        early = debugger(f"0:{op}", f"{cell} = {cell} + 0.5 at 0:0", network=network).view()
        for slot, array in early.state.arrays.items():
            differs = (array != late.state.arrays[slot]) & ~np.isnan(array)
            marked = late.stale.outdated.get(slot, np.zeros(array.shape, bool))
            assert not (differs & ~marked).any(), f"{slot} after {cell} was edited at 0:{op}"
