"""Conditions over slots so wide that a free run keeps but the sums of their squares, held against plain NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from driving import goto_text, run_on

from bptui.debugger.debugger import Debugger
from bptui.debugger.rows import WIDE
from bptui.engine.network import Network
from bptui.engine.player import Player
from bptui.engine.timeline import Position, Timeline
from bptui.files.specs import load

ITERATIONS = 12
ONCE = (("sgd", "float64"), ("momentum", "float32"), ("adam", "float64"))
# They write each weight twice in an iteration.
TWICE = (("adamw", "float32"), ("lion", "float64"))
OPTIMIZERS = {
    "sgd": 'use = "sgd", lr = 0.2', "momentum": 'use = "sgd", lr = 0.05, momentum = 0.9', "adam": 'use = "adam", lr = 0.003',
    "adamw": 'use = "adamw", lr = 0.003, weight_decay = 10', "lion": 'use = "lion", lr = 0.001, weight_decay = 10',
}  # fmt: skip
SPEC = """
data = {{ use = "digits", batch = 16 }}
loss = "softmax-ce"
dtype = "{dtype}"
optim = {{ {optim} }}
layers = ["dense 80 relu", "dense 64 tanh", "dense 10"]
iterations = {iterations}
"""


@dataclass
class Told:
    """What plain NumPy says of each iteration: the slots after it, and the weights before."""

    after: list[dict[str, np.ndarray]]
    before: list[dict[str, np.ndarray]]

    def sizes(self, slot: str) -> np.ndarray:
        return np.array([np.sqrt(np.mean(np.square(one[slot], dtype=np.float64))) for one in self.after])

    def largest(self, slot: str) -> np.ndarray:
        return np.array([np.abs(one[slot]).max() for one in self.after])

    def moved(self, slot: str) -> np.ndarray:
        pairs = zip(self.before, self.after, strict=True)
        return np.array([np.linalg.norm(new[slot] - old[slot]) / np.linalg.norm(old[slot]) for old, new in pairs])


def network(folder, optim: str, dtype: str, iterations: int = 2 * ITERATIONS) -> Network:
    path = folder / f"{dtype}.toml"
    path.write_text(SPEC.format(dtype=dtype, optim=OPTIMIZERS[optim], iterations=iterations), encoding="utf-8")
    return load(str(path))


@pytest.fixture(scope="module", params=ONCE, ids="-".join)
def wide(request, tmp_path_factory):
    return told_of(tmp_path_factory.getbasetemp(), *request.param)


@pytest.fixture(scope="module", params=ONCE + TWICE, ids="-".join)
def updated(request, tmp_path_factory):
    return told_of(tmp_path_factory.getbasetemp(), *request.param)


@cache
def told_of(folder, optim: str, dtype: str) -> tuple[Debugger, Told]:
    """A debugger, and what it should say."""
    debugger = Debugger(network(folder, optim, dtype))
    timeline = Timeline(debugger.program)
    player = Player(timeline)
    assert player.machine.arrays["W1"].size >= WIDE <= player.machine.arrays["W2"].size
    found: list[list[dict[str, np.ndarray]]] = [[], []]
    for t in range(ITERATIONS):
        for op, kept in ((0, found[1]), (len(debugger.program), found[0])):
            player.goto(timeline, Position(t, op))
            kept.append({name: array.copy() for name, array in player.machine.arrays.items()})
    return debugger, Told(*found)


def hits(debugger: Debugger, condition: str, *, back: bool = False) -> list[int]:
    """The iterations, of the first ones, in which it stops at a condition, in the order of time."""
    return [place.iteration for place in places(debugger, condition, back=back)]


def places(debugger: Debugger, condition: str, *, back: bool = False) -> list[Position]:
    debugger.breakpoints.all.clear()
    goto_text(debugger, f"{ITERATIONS}:0" if back else "0:0")
    debugger.add_breakpoint(condition)
    found: list[Position] = []
    # Without a view at every stop, which costs more than the way there.
    while (ended := debugger.run(back=back).whole()).stopped and (back or ended.position.iteration < ITERATIONS):
        found.append(ended.position)
        debugger._go(ended.position)
    return found[::-1] if back else found


def thresholds(values: np.ndarray) -> list[float]:
    """Some between values, far from all of them, and one beyond."""
    ordered = np.unique(values)
    gaps = np.diff(ordered)
    places = np.flatnonzero(gaps > 1e-4 * ordered[1:])
    return [float((ordered[k] + ordered[k + 1]) / 2) for k in places[:: max(1, len(places) // 2)]] + [
        float(ordered[-1]) * 2
    ]


def begins(ill: np.ndarray) -> list[int]:
    """Where something holds and did not before."""
    return [int(t) for t in np.flatnonzero(ill) if t == 0 or not ill[t - 1]]


@pytest.mark.parametrize("slot", ["W1", "W2.grad"])
@pytest.mark.parametrize("operator", [">", ">="])
def test_the_largest_magnitude(wide, slot, operator):
    debugger, told = wide
    values = told.largest(slot)
    for bound in thresholds(values):
        expected = [int(t) for t in np.flatnonzero(values > bound)]
        assert hits(debugger, f"if abs({slot}).max() {operator} {bound!r}") == expected
        assert hits(debugger, f"if {bound!r} < abs({slot}).max()") == expected
        assert hits(debugger, f"if abs({slot}).max() {operator} {bound!r}", back=True) == expected


def test_a_norm_and_what_reads_cells_besides(wide):
    debugger, told = wide
    values = told.sizes("W1") * np.sqrt(told.after[0]["W1"].size)
    for bound in thresholds(values):
        expected = [int(t) for t in np.flatnonzero(values > bound)]
        assert hits(debugger, f"if norm(W1) > {bound!r}") == expected
        assert hits(debugger, f"if norm(W1) > {bound!r}", back=True) == expected
        # Here a cell of W1 is read, so that there is more to it than its norm.
        assert hits(debugger, f"if norm(W1) > {bound!r} and W1[0, 0] < 1e9") == expected


def test_before_its_update_it_has_the_norm_it_had(wide):
    debugger, told = wide
    loss, update = debugger.program.loss_index + 1, debugger.program.writers["W1"] + 1
    norms = [[np.linalg.norm(one["W1"]) for one in moments] for moments in (told.before, told.after)]
    for bound in thresholds(np.array(norms[1])):
        expected = [
            Position(t, op) for t in range(ITERATIONS) for op, norm in zip((loss, update), norms, strict=True) if norm[t] > bound
        ]  # fmt: skip
        assert places(debugger, f"if norm(W1) > {bound!r} and loss > 0") == expected
        assert places(debugger, f"if abs(W1).max() > 1e-9 and norm(W1) > {bound!r} and loss > 0", back=True) == expected


def test_one_cell_that_is_nearly_all_of_the_norm(updated):
    debugger, told = updated
    # The pixel in the corner is white in every picture: its weights have no gradient.
    assert all(one["W1.grad"][0, 0] == 0 for one in told.after)
    goto_text(debugger, "0:0")
    debugger.set("W1[0, 0]", "50")
    try:
        # With no gradient nothing but a decay changes it.
        decay = debugger.program.network.training.options.get("weight_decay", 0)
        kept = 1 - decay * float(debugger.view().state.arrays["lr"])
        values = 50 * kept ** np.arange(1, ITERATIONS + 1)
        for bound in (50 * (1 - 1e-6), 50 * kept ** (ITERATIONS - 3.5), 49):
            over = [int(t) for t in np.flatnonzero(values > bound)]
            assert hits(debugger, f"if abs(W1).max() > {bound!r}")[-ITERATIONS:] == over
        everywhere = list(range(ITERATIONS)) if kept == 1 else []
        assert hits(debugger, "if abs(W1).max() >= 50")[-ITERATIONS:] == everywhere
        assert hits(debugger, "if abs(W1).max() > 51") == hits(debugger, "if abs(W1).max() > 80") == []
    finally:
        debugger.undo()


def test_a_slot_that_is_not_computed_yet_decides_nothing(wide):
    debugger, _ = wide
    # loss is written before W2.grad, where nothing is true of it; after it all is.
    assert hits(debugger, "if norm(W2.grad) > 0 and loss > 0")[:3] == [0, 1, 2]
    goto_text(debugger, "0:0")
    run_on(debugger)
    assert debugger.program.instructions[debugger.position.op - 1].writes == "W2.grad"


def test_the_ratio_of_an_update_to_its_weights(updated):
    debugger, told = updated
    values = {slot: told.moved(slot) for slot in ("W1", "W2", "W3")}
    for bound in thresholds(values["W1"])[:4]:
        expected = sorted({t for each in values.values() for t in begins(each > bound)})
        assert sorted(set(hits(debugger, f"ratio 0 {bound!r}"))) == expected
        assert sorted(set(hits(debugger, f"ratio 0 {bound!r}", back=True))) == expected


def test_gradients_from_layer_to_layer(wide):
    debugger, told = wide
    sizes = {slot: told.sizes(f"{slot}.grad") for slot in ("W1", "W2", "W3")}
    ratios = [sizes["W1"] / sizes["W2"], sizes["W2"] / sizes["W3"]]
    for bound in (one for one in thresholds(ratios[0]) if one < 1):
        expected = sorted({t for each in ratios for t in begins(each < bound)})
        assert sorted(set(hits(debugger, f"vanishing {1 / bound!r}"))) == expected


@pytest.mark.parametrize(("optim", "dtype"), ONCE)
def test_far_on_in_one_stretch(optim, dtype, tmp_path):
    debugger = Debugger(network(tmp_path, optim, dtype, 1000))
    timeline, end, norms = Timeline(debugger.program), len(debugger.program), []
    player = Player(timeline)
    for t in range(1000):
        player.goto(timeline, Position(t, end))
        norms.append(float(np.linalg.norm(player.machine.arrays["W1"])))
    highest = np.maximum.accumulate(norms)
    last = int(np.flatnonzero(np.diff(highest) > 1e-6 * highest[1:])[-1]) + 1
    assert last > 700
    debugger.breakpoints.all.clear()
    goto_text(debugger, "0:0")
    bound = float(highest[last - 1] + highest[last]) / 2
    debugger.add_breakpoint(f"if norm(W1) > {bound!r} and norm(b2) + norm(b3) >= 0")
    run_on(debugger)
    assert debugger.position == Position(last, debugger.program.writers["W1"] + 1)


def test_it_changes_where_it_is_written_alone(wide):
    debugger, _ = wide
    update = debugger.program.writers["W2"] + 1
    expected = [Position(t, update) for t in range(ITERATIONS)]
    assert places(debugger, "on norm(W2) + 0 * norm(W1)") == expected
    assert places(debugger, "on norm(W2) + 0 * norm(W1)", back=True) == expected


def stops(debugger: Debugger, condition: str) -> list[tuple[Position, str]]:
    """Where it stops, and what it says there."""
    debugger.breakpoints.all.clear()
    goto_text(debugger, "0:0")
    debugger.add_breakpoint(condition)
    found: list[tuple[Position, str]] = []
    while "breakpoint" in (view := run_on(debugger)).message and debugger.position.iteration < ITERATIONS:
        found.append((debugger.position, view.message.partition(":")[2]))
    return found


def test_an_edit_that_changes_nothing_moves_no_stop(updated):
    debugger, told = updated
    bounds = thresholds(told.moved("W1"))
    # A weight is decayed, and then it gets its step: what reads it in between sees it half updated.
    written = [name for name in debugger.program.writers if name.startswith("W1.")]
    texts = [
        *(f"ratio 0 {bound!r}" for bound in bounds),
        "on norm(W1)",
        *(f"if norm(W1) > norm({name})" for name in written),
    ]
    texts += [f"on norm(W1) + 0 * {name}[0, 0]" for name in written if debugger.program.slots[name].persistent]
    free = [stops(debugger, text) for text in texts]
    assert all(free[: len(bounds) - 1])
    goto_text(debugger, "0:0")
    undone = 0
    try:
        for t in range(0, ITERATIONS, 3):
            goto_text(debugger, f"{t}:2")
            debugger.set("lr", repr(float(debugger.view().state.arrays["lr"])))
            undone += 1
        assert [stops(debugger, text) for text in texts] == free
    finally:
        for _ in range(undone):
            debugger.undo()
