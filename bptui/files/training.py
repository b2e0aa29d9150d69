"""How a spec says that the network is trained: loss, optimizer, schedule, clipping, penalties."""

from __future__ import annotations

from typing import Any

from bptui.engine.network import Training
from bptui.engine.ops import LOSSES
from bptui.engine.optimizers import OPTIMIZERS, SCHEDULES
from bptui.files.text import quoted
from bptui.files.values import Table, suggest

UPDATES = ("simultaneous", "sequential")
REDUCTIONS = ("mean", "sum")


def read_loss(top: Table) -> tuple[str, dict[str, Any]]:
    """(its name, its options): `loss = "mse"`, or `loss = { use = "huber", delta = 2, reduction = "sum" }`."""
    if not top.has("loss"):
        top.fault("loss", f"loss is missing: it is one of {', '.join(LOSSES)}")
    if not isinstance(top.values.get("loss"), dict):
        return top.word("loss", "half-mse"), {}
    table = top.table("loss", '{ use = "huber", delta = 2 }')
    if not table.has("use"):
        top.fault("loss", f"loss has no use: it is one of {', '.join(LOSSES)}")
    name = table.word("use", "half-mse")
    if name not in LOSSES:
        table.fault("use", f"unknown loss {quoted(name)}{suggest(name, LOSSES)}")
        return "half-mse", {}
    row = LOSSES[name]
    weighted = ("class_weights",) if "smoothing" in row.options else ()
    table.check_keys(("use", "reduction", *row.options, *weighted), f"the loss {name}")
    found: dict[str, Any] = {key: _positive(table, key, least=0.0) for key in row.options if table.has(key)}
    if table.has("reduction"):
        found["reduction"] = _one_of(table, "reduction", REDUCTIONS)
    if table.has("class_weights") and weighted:
        weights = table.numbers("class_weights")
        if weights is not None:
            found["class_weights"] = tuple(float(w) for w in weights)
    return name, found


def read_training(top: Table, layers_lr: float) -> tuple[Training, float]:
    """(how the weights are changed, the learning rate)."""
    name, options, lr = _optimizer(top, layers_lr)
    schedule, settings = _schedule(top)
    value, norm = _clip(top)
    training = Training(
        optim=name,
        options=options,
        schedule=schedule,
        schedule_options=settings,
        clip_value=value,
        clip_norm=norm,
        l1=_positive(top, "l1", least=0.0) if top.has("l1") else 0.0,
        l2=_positive(top, "l2", least=0.0) if top.has("l2") else 0.0,
        sequential=_one_of(top, "update", UPDATES) == "sequential" if top.has("update") else False,
    )
    return training, lr


def _optimizer(top: Table, default: float) -> tuple[str, dict[str, Any], float]:
    """(name, options, learning rate), the rate written at the top or with the optimizer."""
    lr = top.number("lr", default)
    if not top.has("optim"):
        return "sgd", {}, lr
    if isinstance(top.values["optim"], str):
        name = _named(top, "optim")
        return name, {}, lr if top.has("lr") else OPTIMIZERS[name].lr
    optim = top.table("optim", '{ use = "sgd", lr = 0.1 }')
    name = _named(optim, "use") if optim.has("use") else "sgd"
    known = OPTIMIZERS[name].options
    if optim.values.get("use", name) == name:
        optim.check_keys(("use", "lr", *known), "optim")
    if optim.has("lr") and top.has("lr"):
        optim.fault("lr", "lr stands twice: at the top and in optim")
    options = {key: _setting(optim, key, default) for key, default in known.items() if optim.has(key)}
    start = lr if top.has("lr") or "use" not in optim.values else OPTIMIZERS[name].lr
    return name, options, optim.number("lr", start)


def _setting(table: Table, key: str, default: Any) -> float | bool:
    if isinstance(default, bool):
        return table.flag(key, default=default)
    return table.number(key, default)


def _named(table: Table, key: str) -> str:
    """The optimizer's name; sgd where it is none."""
    name = table.word(key, "sgd")
    if name in OPTIMIZERS:
        return name
    hint = suggest(name, OPTIMIZERS) or f" (one of {', '.join(OPTIMIZERS)})"
    table.fault(key, f"no optimizer is called {quoted(name)}{hint}")
    return "sgd"


def _schedule(top: Table) -> tuple[str, dict[str, Any]]:
    """`schedule = { use = "cosine", steps = 100 }`."""
    if not top.has("schedule"):
        return "constant", {}
    table = top.table("schedule", '{ use = "cosine", steps = 100 }')
    if not isinstance(top.values["schedule"], dict):
        return "constant", {}
    name = table.word("use")
    if name not in SCHEDULES:
        hint = suggest(name, SCHEDULES) or f" (one of {', '.join(SCHEDULES)})"
        table.fault("use", f"no schedule is called {quoted(name)}{hint}")
        return "constant", {}
    known = SCHEDULES[name].options
    table.check_keys(("use", *known), f"the schedule {name}")
    missing = [key for key, default in known.items() if default is None and not table.has(key)]
    if missing:
        table.report.add(table.where, f"the schedule {name} needs {missing[0]}", spoils=("schedule",))
        return "constant", {}
    found = {
        key: _positive(table, key, least=1.0 if key in ("every", "steps") else 0.0) for key in known if table.has(key)
    }
    return name, found


def _plan(table: Table, key: str) -> float:
    """An option of a schedule; lengths are whole numbers."""
    return table.whole(key, 1, 1) if key in ("every", "steps") else _positive(table, key, least=0.0)


def _clip(top: Table) -> tuple[float | None, float | None]:
    """(largest value, largest norm) of `clip = { value = 1 }` or `{ norm = 1 }`."""
    if not top.has("clip"):
        return None, None
    table = top.table("clip", "{ norm = 1 }")
    table.check_keys(("value", "norm"), "clip")
    value, norm = (_positive(table, key, least=0.0) if table.has(key) else None for key in ("value", "norm"))
    return value, norm


def _positive(table: Table, key: str, least: float) -> float:
    number = table.number(key, least)
    if number < least:
        table.fault(key, f"{key} is {number}: at least {least:g} is needed")
        return least
    return number


def _one_of(table: Table, key: str, words: tuple[str, ...]) -> str:
    word = table.word(key, words[0])
    if word not in words:
        table.fault(key, f"{key} is {quoted(word)}: it is one of {', '.join(words)}{suggest(word, words)}")
        return words[0]
    return word
