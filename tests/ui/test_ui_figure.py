"""The network's neurons and lines: what is lit, what is left out, what the arrows and the mouse lead to."""

from __future__ import annotations

import itertools
import re

import larger
import networks
import numpy as np
import pytest

from bptui.commands.session import Session
from bptui.files import specs
from bptui.tui.drawing.canvas import Canvas
from bptui.tui.drawing.network.figure import figure, planned
from bptui.tui.drawing.network.hits import cell_at
from bptui.tui.drawing.network.lit import Flow, flow, lit
from bptui.tui.drawing.network.sight import Sight, row_of
from bptui.tui.drawing.network.walk import Trail, Walk
from bptui.tui.screens.helping import scene_of

SIZES = [(78, 8), (74, 15), (86, 20)]
NETWORKS = ["article", "mazur", "xor", "iris", "moons", "adam_mlp"]
every_network = pytest.mark.parametrize("name", NETWORKS)


def opened(name):
    return Session(larger.ALL[name]() if name in larger.ALL else specs.load(name))


def sight_of(session, cursor=None):
    view = session.debugger.view()
    scene = scene_of(session, view, cursor or (view.program.parameters[-1], 0), 0, looked=False, note="", compact=False)
    return Sight(scene, row_of(scene), focused=True)


def sights(name, elements=2):
    """Each operation of an iteration: its first elements one by one, and all of it."""
    session = opened(name)
    for op in range(1, session.debugger.count + 1):
        for element in range(1, min(elements + 1, session.debugger.program.size(op - 1))):
            session.execute(f"goto 0:{op - 1}.{element}")
            yield sight_of(session)
        session.execute(f"goto 0:{op}")
        yield sight_of(session)


def text_of(lines):
    return ["".join(part for part, _ in line) for line in lines]


@every_network
def test_the_lines_that_are_lit_are_the_weights_that_are_read_or_written(name):
    for sight in sights(name):
        scene = sight.scene
        made = planned(sight, 74, 15, "neurons")
        assert made is not None
        for gap in made.gaps:
            marks = lit(scene, gap, sight.layers, sight.row)
            if gap.weight:
                read = scene.read.get(gap.weight)
                expected = np.zeros(scene.view.program.slots[gap.weight].size, bool)
                if read is not None:
                    expected |= read.reshape(-1)
                slot, cells = scene.written
                if slot in (gap.weight, f"{gap.weight}.grad"):
                    expected[list(cells)] = True
                assert (marks == expected[gap.cells]).all(), (str(scene.position), gap.weight)


def test_values_flow_on_gradients_back_and_at_a_weight_they_meet():
    """The article's nine operations, as its own figures draw them."""
    found = []
    for sight in sights("article", elements=0):
        made = planned(sight, 120, 15)
        flows = [
            (gap.weight, flow(sight.scene, gap)) for gap in made.gaps if lit(sight.scene, gap, sight.layers, 0).any()
        ]
        found.append(flows)
        heads = "".join(text_of(figure(sight, 120, 15)))
        assert ("▶" in heads) == any(f in (Flow.FORWARD, Flow.MEET) for _, f in flows)
    forward, back, meet, none = Flow.FORWARD, Flow.BACK, Flow.MEET, Flow.NONE
    assert found == [
        [("W1", forward)], [("W2", forward)], [], [], [("W2", meet)], [("W2", back)], [("W1", meet)], [("W1", none)],
        [("W2", none)],
    ]  # fmt: skip


@every_network
@pytest.mark.parametrize("size", SIZES)
def test_every_weight_is_there_or_said_to_be_left_out(name, size):
    for sight in list(sights(name, elements=0))[::5]:
        made = planned(sight, *size)
        if made is None:
            continue
        text = "\n".join(text_of(figure(sight, *size)))
        shown = re.search(r"(\d+) (numbers )?more in Values", text)
        weights = [(gap.weight, cell) for gap in made.gaps if gap.weight for cell in _cells(sight, gap.weight)]
        missing = [cell for cell in weights if sight.number(*cell)[0].strip() not in text]
        if missing:
            assert shown, (str(sight.scene.position), missing)
            assert int(shown[1]) >= len(missing)


def test_gradients_of_neurons_without_a_row_of_their_own_are_said_to_be_left_out():
    session = opened("article")
    session.execute("goto 0:6")
    short, high = ("\n".join(text_of(figure(sight_of(session), 78, rows))) for rows in (7, 8))
    assert "more in Values" not in high
    assert "−0.1133" in high
    assert "−0.1133" not in short
    assert "… 3 more in Values (2)" in short  # ∂E/∂prediction and both of ∂E/∂h


def _cells(sight, slot):
    return range(sight.scene.view.program.slots[slot].size)


@every_network
@pytest.mark.parametrize("size", SIZES)
def test_no_label_stands_on_another_or_on_a_neuron(name, size):
    made = planned(sight_of(opened(name)), *size)
    for gap in [] if made is None else made.gaps:
        places = []
        for link in gap.links:
            if link.label is not None:
                rows = range(link.label.y, link.label.y + 1 + link.label.tall)
                places += [(x, y) for y in rows for x in range(link.label.x, link.label.right)]
        for column in made.columns:
            for neuron in column.neurons:
                rows = range(neuron.y, neuron.y + neuron.height)
                places += [(x, y) for y in rows for x in range(neuron.x, neuron.right)]
        assert len(places) == len(set(places))
        assert all(0 <= x < size[0] and 0 <= y < size[1] for x, y in places)


@pytest.mark.parametrize("size", [(73, 17), (76, 14), (80, 20), (81, 8), (120, 30)])
def test_long_numbers_get_fewer_digits_and_nothing_is_written_over_a_box(size):
    """Gradients of a trained network, such as −0.00001193, would be wider than the space between two layers."""
    session = opened("article")
    for line in ("set w5 = 0.17", "run 29"):
        session.execute(line)
    levels = set()
    for op in range(1, session.debugger.count + 1):
        session.execute(f"goto 29:{op}")
        sight = sight_of(session)
        made, text = planned(sight, *size), text_of(figure(sight, *size))
        levels.add((made.form.level, made.form.labels))
        for neuron in (neuron for column in made.columns for neuron in column.neurons):
            for y in range(neuron.y, neuron.y + neuron.height if neuron.height > 1 else neuron.y):
                assert text[y][neuron.x] + text[y][neuron.right - 1] in ("╭╮", "││", "╰╯"), "\n".join(text)
    assert len(levels) == 1, "what is there in one operation is there in all of them"


@every_network
def test_walking_right_and_left_again_is_home(name):
    """From every neuron, over the weight and the next neuron as far as the loss, and back."""
    session = opened(name)
    session.execute("goto 0:1")
    start = sight_of(session)
    for k, layer in enumerate(start.layers):
        for kin in layer.kin:
            trail, path = Trail(), [(kin.value.slot, kin.value.cell(0))]
            for _ in range(2 * (len(start.layers) - k)):
                path.append(walked(session, path[-1], trail, 1))
            assert path[-1][0] == "loss"
            there = list(dict.fromkeys(path))
            back = [there[-1]]
            for _ in there[1:]:
                back.append(walked(session, back[-1], trail, -1))
            assert back == there[::-1]


def walked(session, cell, trail, across, down=0):
    sight = sight_of(session, cell)
    return Walk(planned(sight, 74, 15, "neurons"), sight, trail).go(across, down)


@every_network
def test_up_and_down_reach_every_weight_and_bias(name):
    session = opened(name)
    session.execute("goto 0:1")
    program = session.debugger.program
    seen = set()
    layers = sight_of(session).layers
    for k, layer in enumerate(layers[1:], 1):
        for j in range(len(layer.kin)) if layer.weight else ():
            cell = (layer.weight, j)
            seen.add(cell)
            for _ in range(len(layers[layer.inputs[0]].kin) * len(layer.kin) + len(layer.kin)):
                following = walked(session, cell, Trail(), 0, 1)
                if following == cell:
                    break
                cell = following
                seen.add(cell)
        assert k
    assert seen == {(name, cell) for name in program.parameters for cell in range(program.slots[name].size)}


@every_network
def test_what_is_pointed_at_is_what_is_drawn_there(name):
    session = opened(name)
    session.execute("goto 0:3")
    sight = sight_of(session)
    made = planned(sight, 74, 15, "neurons")
    for column in made.columns:
        for neuron in column.neurons:
            rows = range(neuron.y, neuron.y + neuron.height)
            found = {cell_at(made, sight, neuron.x + 1, y) for y in rows}
            expected = [*neuron.facts, *filter(None, [neuron.bias])] or [neuron.kin.value]
            assert {(fact.slot, fact.cell(0)) for fact in expected} <= found
    for gap in made.gaps:
        for link in gap.links:
            if link.label is not None:
                assert cell_at(made, sight, link.label.x, link.label.y) == (gap.weight, link.cell)
            elif gap.weight and len(gap.links) < 9:
                (x0, y0), (x1, y1) = link.path[0], link.path[-1]
                assert cell_at(made, sight, round(x0 + (x1 - x0) * 0.3), round(y0 + (y1 - y0) * 0.3))


def test_a_skip_leads_past_the_layer_between_and_not_through_it():
    """h1 goes into the sum beside h2: its lines run where h2 has no neurons."""
    made = planned(sight_of(Session(networks.skip_net())), 100, 20)
    between = made.columns[2].neurons
    skips = [link for gap in made.gaps for link in gap.links if link.target.layer - link.source.layer > 1]
    assert skips
    for link in skips:
        assert len(link.path) == 4
        for (x0, y0), (x1, y1) in itertools.pairwise(link.path[1:3]):
            assert y0 == y1
            assert not any(n.y <= y0 < n.y + n.height for n in between if x0 <= n.x and n.right <= x1)


def test_what_is_left_out_is_said_clear_of_the_lines():
    """Where there is no place for all of it, a shorter text has one; where there is none at all, a blank is around it."""
    sight = sight_of(opened("digits"))
    for size in ((90, 34), (86, 20), (198, 57)):
        said = next(line for line in text_of(figure(sight, *size, "neurons")) if "more in Values" in line)
        assert re.search(r" (lines: the 32 largest of each layer · )?… 4810 (numbers )?more in Values \(2\) ", said), (
            said
        )


@pytest.mark.parametrize("across", [False, True])
def test_a_text_finds_a_stretch_without_text_and_without_lines_unless_it_may_cross_them(across):
    canvas = Canvas(12, 3)
    canvas.write(8, 2, "abcd")
    canvas.stroke((0, 1), (12, 1), "plain")
    canvas.stroke((0, 2), (5, 2), "plain")
    assert canvas.stretch(6, across=across) == ((1, 2) if across else (1, 0))
    assert canvas.stretch(20, across=across) is None
