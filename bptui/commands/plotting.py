"""The plots in sentences: what an eye would read off them, the important first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from bptui.commands import describing
from bptui.commands.answer import Answer, Context, Verb
from bptui.commands.registry import CommandError
from bptui.commands.wording import number_text
from bptui.debugger import expressions
from bptui.debugger.debugger import spell
from bptui.debugger.metrics import middle, second
from bptui.debugger.probing.knobs import Knob, knob, turned
from bptui.debugger.probing.planes import Plane, Predictions, classed, inputs
from bptui.debugger.probing.probe import Probe
from bptui.debugger.probing.slopes import Slice, Surface, sliced, surface
from bptui.debugger.probing.work import Steps, T, Work
from bptui.engine.network import Array, Network, nearest
from bptui.engine.program import Target
from bptui.engine.timeline import normal

_DIGITS = 4
# Of a curve so many places are told.
_PLACES = 5
# So many iterations back begins the way that training took, as in the picture.
_WAY = 40
# What is smaller beside the largest loss is rounding.
_NOTHING = 1e-14


def plot(session: Context, rest: str) -> Answer:
    """A plot by its name, and what it is of."""
    name, _, cells = rest.partition(" ")
    if not name:
        raise CommandError(f"which plot? {', '.join(_PLOTS)}")
    if name not in _PLOTS:
        raise CommandError(f"no plot is called {name[:40]!r}{nearest(name, _PLOTS)}: {', '.join(_PLOTS)}")
    return Answer(tuple(_PLOTS[name](session, cells)))


def _whole(steps: Steps[T]) -> T:
    work = Work(steps)
    work.go_on(float("inf"))
    assert work.result is not None
    return work.result


def _figure(session: Context, value: float) -> str:
    return number_text(value, session.digits or _DIGITS)


def _knobs(session: Context, text: str, count: int) -> list[Knob]:
    """The cells that are named, as many as the plot has axes."""
    debugger = session.debugger
    words = text.split()
    if len(words) != count:
        raise CommandError("name one cell, as in weight w5" if count == 1 else "name two cells, as in surface w5 w6")
    found = []
    for word in words:
        target = expressions.parse_target(debugger.program, word)
        if len(target.cells) != 1:
            raise CommandError(f"{word} is {len(target.cells)} numbers: name one cell")
        found.append(knob(debugger.begun(), *turned(debugger.program, target.slot, target.cells[0])))
    return found


def _named(session: Context, one: Knob) -> str:
    return spell(session.debugger.program, Target(one.slot, (one.cell,)))


def _gradient(session: Context, one: Knob) -> float | None:
    view, slot = session.debugger.view(), f"{one.slot}.grad"
    if one.after or slot not in view.program.slots or not view.is_computed(slot, one.cell):
        return None
    return view.number(slot, one.cell)


def _loss(session: Context, one: Knob) -> str:
    return session.debugger.program.name("loss") + " after the update" * one.after


def _now(session: Context, knobs: Sequence[Knob], values: Sequence[float]) -> str:
    """What is no longer as the loss was computed with, by an edit or the update since: '' where all of it is."""
    view = session.debugger.view()
    moved = []
    for one, value in zip(knobs, values, strict=True):
        now = view.number(one.slot, one.cell) if view.is_computed(one.slot, one.cell) else value
        if now != value and not np.isnan(now):
            moved.append(f"{_named(session, one)} is {_figure(session, now)}")
    return f"with which it was computed; now {' and '.join(moved)}" if moved else ""


# The loss elsewhere


def _weight(session: Context, text: str) -> Iterator[str]:
    (one,) = _knobs(session, text, 1)
    found = _whole(sliced(Probe(session.debugger.program), session.debugger.begun(), one))
    name, loss, (value, here) = _named(session, one), _loss(session, one), found.here
    is_now = _now(session, [one], (value,))
    yield f"{loss} over {name}: {_figure(session, here)} at {_figure(session, value)}, {is_now or 'where it is'}"
    yield from _slope(session, one, found)
    if found.flat:
        yield f"{loss} is the same everywhere"
    elif found.lowest is not None:
        least = _rounded(found.lowest[1], found.losses)
        yield f"lowest {_figure(session, least)} at {_figure(session, found.lowest[0])}"
    places = np.linspace(0, len(found.values) - 1, _PLACES).astype(int)
    yield "; ".join(f"{_figure(session, found.losses[k])} at {_figure(session, found.values[k])}" for k in places)


def _slope(session: Context, one: Knob, found: Slice) -> Iterator[str]:
    steepness = _gradient(session, one)
    if steepness is None:
        yield "the tangent: no gradient is computed yet"
        return
    way = "falls" if steepness < 0 else "rises" if steepness > 0 else "stays"
    yield f"the tangent has the slope {_figure(session, steepness)}: with more of {_named(session, one)} it {way}"
    if found.updated is not None:
        yield f"the update takes it to {_figure(session, found.updated)}"


def _surface(session: Context, text: str) -> Iterator[str]:
    first, second_ = _knobs(session, text, 2)
    found = _whole(surface(Probe(session.debugger.program), session.debugger.begun(), (first, second_), (0.0, 0.0)))
    names, (x, y, here) = [_named(session, one) for one in found.knobs], found.here
    at = f"{names[0]} {_figure(session, x)} and {names[1]} {_figure(session, y)}"
    are_now = _now(session, found.knobs, (x, y)) or "where they are"
    yield f"{_loss(session, first)} over {names[0]} and {names[1]}: {_figure(session, here)} at {at}, {are_now}"
    slopes = [_gradient(session, one) for one in found.knobs]
    if None in slopes:
        yield "the way down: no gradient is computed yet"
    else:
        down = zip(slopes, names, strict=True)
        ways = (f"{'more' if slope < 0 else 'less'} of {name}" for slope, name in down if slope)
        yield f"the way down: {' and '.join(ways) or 'it is flat here'}"
    yield from _gone(session, found, names)
    yield from _lowest(session, found, names)


def _gone(session: Context, found: Surface, names: list[str]) -> Iterator[str]:
    """The way that training took here: where both were so many iterations ago, half as many ago, and are."""
    debugger = session.debugger
    t, slots = debugger.position.iteration, debugger.program.slots
    many = min(t, _WAY)
    if not many or any(slots[one.slot].kind != "parameter" for one in found.knobs):
        return
    places = [debugger.look(normal(debugger.program, t - back, 0, 0)).arrays for back in (many, many // 2)]
    ways = []
    for one, name, now in zip(found.knobs, names, found.here, strict=False):
        begun, halfway = (_figure(session, float(arrays[one.slot].reshape(-1)[one.cell])) for arrays in places)
        ways.append(f"{name} from {begun}" + f" over {halfway}" * (many > 1) + f" to {_figure(session, now)}")
    yield f"the way here, of the last {many} iterations: {', '.join(ways)}".replace(
        "last 1 iterations", "last iteration"
    )


def _lowest(session: Context, found: Surface, names: list[str]) -> Iterator[str]:
    known = np.where(np.isfinite(found.losses), found.losses, np.inf)
    if not np.isfinite(known).any():
        yield "it is not finite anywhere here"
        return
    k, j = np.unravel_index(int(known.argmin()), known.shape)
    at = f"{names[0]} {_figure(session, found.xs[j])} and {names[1]} {_figure(session, found.ys[k])}"
    yield f"lowest {_figure(session, _rounded(float(known[k, j]), found.losses))} of what was tried, at {at}"
    ends = (f"{name} from {_figure(session, axis[0])} to {_figure(session, axis[-1])}" for name, axis in
            zip(names, (found.xs, found.ys), strict=True))  # fmt: skip
    yield f"tried: {', '.join(ends)}"


def _rounded(least: float, losses: Array) -> float:
    """0 where it is nothing beside the others."""
    return 0.0 if abs(least) < _NOTHING * float(np.abs(losses[np.isfinite(losses)]).max(initial=0.0)) else least


# The network elsewhere


def _plane(session: Context, several: int) -> tuple[Predictions, Array, Array]:
    """What comes out, and all rows of inputs and targets."""
    debugger = session.debugger
    if inputs(debugger.program.network) != several:
        raise CommandError(f"only for networks of {'one input' if several == 1 else 'two inputs'}")
    arrays = debugger.view().state.arrays
    x, y = (arrays["X"], arrays["Y"]) if "X" in arrays else (arrays["x"], arrays["y"])
    return _whole(Plane(debugger.program).over(x, arrays)), x, y


def _at(found: Predictions, row: Array) -> Array:
    """What comes out at the nearest place that was tried."""
    places = [int(np.abs(axis - value).argmin()) for axis, value in zip(found.axes, row, strict=True)]
    return np.asarray(found.outputs[tuple(reversed(places))])


def _boundary(session: Context, text: str) -> Iterator[str]:
    del text
    found, x, y = _plane(session, 2)
    network = session.debugger.program.network
    out = np.array([_at(found, row) for row in x])
    if not classed(network):
        low, high = float(found.outputs.min()), float(found.outputs.max())
        yield f"what comes out of the plane lies between {_figure(session, low)} and {_figure(session, high)}"
        return
    sides, wanted = (_sides(network, each, targets=each is y) for each in (out, y))
    right = int((sides == wanted).sum())
    yield f"{right} of {len(x)} rows lie on their side of the boundary"
    wrong = np.flatnonzero(sides != wanted)[:_PLACES]
    if len(wrong):
        others = ", and others" * (len(wrong) < len(x) - right)
        yield f"on the wrong side: {', '.join(f'row {k}' for k in wrong)}{others}"
    plane = _sides(network, found.outputs.reshape(-1, found.outputs.shape[-1]))
    names = network.classes or tuple(map(str, range(max(2, found.outputs.shape[-1]))))
    shares = (f"{name} {100 * float((plane == k).mean()):.0f} percent" for k, name in enumerate(names))
    yield f"of the plane around them: {', '.join(shares)}"


def _sides(network: Network, values: Array, *, targets: bool = False) -> Array:
    """The number of the class of each row."""
    if values.shape[-1] > 1:
        return np.asarray(values.argmax(-1))
    return np.asarray(second(network, values) if targets else values > middle(network)).reshape(-1).astype(int)


def _fit(session: Context, text: str) -> Iterator[str]:
    del text
    found, x, y = _plane(session, 1)
    out = np.array([_at(found, row)[0] for row in x])
    off = np.abs(out - y[:, 0])
    worst = int(off.argmax())
    said = f"{_figure(session, out[worst])} comes out, {_figure(session, float(y[worst, 0]))} is wanted"
    yield f"farthest from the data in row {worst}, at {_figure(session, float(x[worst, 0]))}: {said}"
    yield f"on average {_figure(session, float(off.mean()))} off in {len(x)} rows"
    axis = found.axes[0]
    places = np.linspace(0, len(axis) - 1, _PLACES).astype(int)
    yield "; ".join(f"{_figure(session, float(found.outputs[k, 0]))} at {_figure(session, axis[k])}" for k in places)


# How large gradients are


def _norms(session: Context, text: str) -> Iterator[str]:
    """Each layer's, the smallest first: one that vanishes is what one listens for."""
    del text
    view = session.debugger.view()
    known = {}
    for name in view.program.parameters:
        slot = f"{name}.grad"
        if slot in view.program.slots and view.state.computed[slot] == view.program.slots[slot].size:
            values = view.state.arrays[slot].astype(float)
            with np.errstate(all="ignore"):
                known[name] = float(np.sqrt(np.square(values).sum()))
    if not known:
        raise CommandError("no gradient is computed here yet")
    for name, norm in sorted(known.items(), key=lambda pair: pair[1]):
        trouble = ": dead, every gradient is 0" if norm == 0 else "" if np.isfinite(norm) else ": not finite"
        yield f"norm of {name}.grad: {_figure(session, norm)}{trouble}"


_PLOTS: Mapping[str, Callable[[Context, str], Iterator[str]]] = {
    "loss": lambda session, text: iter(describing.curve(session, text).lines), "weight": _weight, "surface": _surface,
    "norms": _norms, "histogram": lambda session, text: iter(describing.describe(session, text).lines),
    "boundary": _boundary, "fit": _fit,
}  # fmt: skip
VERBS: dict[str, Verb] = {"plot": plot}
