"""A network with other settings than its spec says: what `restart` changes, kept beside the spec's own text.

What is drawn at the beginning, the weights, the order of the rows and the masks, follows another seed; the data stay.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from bptui.engine.checking import checked
from bptui.engine.network import Network, NetworkError, Training
from bptui.engine.ops import LOSSES
from bptui.engine.optimizers import OPTIMIZERS
from bptui.files.targets import with_classes
from bptui.files.values import LARGEST, finite, suggest

# JSON values by name; `batch` 0 is all rows, an optimizer's options stand by their own names.
Settings = Mapping[str, Any]
NAMES = ("lr", "seed", "optim", "batch", "loss", "iterations")
_WHOLE = {"seed": 0, "batch": 0, "iterations": 1}


class SettingsError(ValueError):
    """Settings that a network can't have; the message says why in one line."""


def merged(network: Network, before: Settings, changes: Settings) -> Settings:
    """What holds after further changes; another optimizer has options and a learning rate of its own.

    network  as its spec has it. Raises SettingsError
    """
    optim = str(before.get("optim", network.training.optim))
    changed = str(changes.get("optim", optim))
    known = _options(changed)
    _refuse_optim(changed)
    _refuse_unknown(changes, changed)
    kept = {key: value for key, value in before.items() if key in NAMES or key in known}
    if changed != optim:
        usual = network.lr if changed == network.training.optim else OPTIMIZERS[changed].lr
        kept = {key: value for key, value in kept.items() if key in NAMES} | {"lr": usual}
    found = {**kept, **changes}
    own = {key: value for key, value in current(network).items() if key in NAMES or changed == network.training.optim}
    # What the spec says itself is left to it: where it is changed there, it changes.
    return {key: value for key, value in found.items() if key not in own or own[key] != value}


def with_settings(network: Network, settings: Settings) -> Network:
    """The network with settings that hold in place of its own. Raises SettingsError."""
    _check(network, settings)
    made = replace(
        network,
        lr=float(settings.get("lr", network.lr)),
        seed=settings.get("seed", network.seed),
        iterations=settings.get("iterations", network.iterations),
        training=_training(network.training, settings),
    )
    try:
        return checked(_with_loss(_with_batch(made, settings, network.seed), settings.get("loss", network.loss)))
    except NetworkError as error:
        raise SettingsError("; ".join(dict.fromkeys(problem.message for problem in error.problems))) from None


def written(settings: Settings) -> str:
    """As one types them: `lr=0.1 batch=all`."""
    return " ".join(f"{key}={text(key, value)}" for key, value in settings.items())


def current(network: Network) -> Settings:
    """The settings that a network has, the usual ones by name."""
    training = network.training
    found = {
        "lr": network.lr, "seed": network.seed, "optim": training.optim, "batch": network.batch or 0,
        "loss": network.loss, "iterations": network.iterations,
    }  # fmt: skip
    return {**found, **training.options}


def text(key: str, value: Any) -> str:
    """A setting's value, as one types it."""
    if key == "batch" and not value:
        return "all"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _training(training: Training, settings: Settings) -> Training:
    optim = settings.get("optim", training.optim)
    own = training.options if optim == training.optim else {}
    set_ = {key: value for key, value in settings.items() if key in _options(optim)}
    return replace(training, optim=optim, options={**own, **set_})


def _with_batch(network: Network, settings: Settings, seed: int) -> Network:
    """Another batch or seed; where the data are from says with what seed they were drawn, for saving it."""
    batch = settings.get("batch", network.batch)
    source = network.source
    if source is not None and network.seed != seed:
        source = {"seed": seed, **source}
    if source is not None and "batch" in settings:
        source = {key: value for key, value in source.items() if key != "batch"} | ({"batch": batch} if batch else {})
    return replace(network, batch=None if batch in (0, None, len(network.x)) else batch, source=source)


def _with_loss(network: Network, loss: str) -> Network:
    """Another loss, and targets as that one wants them."""
    if loss == network.loss:
        return network
    made = replace(network, loss=loss, loss_options={})
    if network.loss == "hinge" and len(network.classes) == 2:
        test = None if network.test is None else (network.test[0], (network.test[1] > 0).astype(np.float64))
        made = replace(made, y=(network.y > 0).astype(np.float64), test=test)
    in_columns = len(network.classes) > 1 and network.y.shape[-1] == len(network.classes)
    return made if in_columns else with_classes(made)


# What is wrong


def _check(network: Network, settings: Settings) -> None:
    largest = float(np.finfo(np.float32).max) if network.dtype == "float32" else math.inf
    optim = settings.get("optim", network.training.optim)
    _refuse_optim(optim)
    _refuse_unknown(settings, optim)
    loss = settings.get("loss", network.loss)
    if not isinstance(loss, str) or loss not in LOSSES:
        raise SettingsError(f"no loss is called {str(loss)[:40]!r}{_hint(str(loss), LOSSES)}")
    for key, value in settings.items():
        if fault := _fault(key, value, optim, largest):
            raise SettingsError(f"{key}={str(value)[:40]}: {fault}")
    if settings.get("batch", 0) > len(network.x):
        raise SettingsError(f"batch={settings['batch']}: the data have {len(network.x)} rows")


def _refuse_optim(optim: object) -> None:
    if not isinstance(optim, str) or optim not in OPTIMIZERS:
        raise SettingsError(f"no optimizer is called {str(optim)[:40]!r}{_hint(str(optim), OPTIMIZERS)}")


def _refuse_unknown(settings: Settings, optim: str) -> None:
    known = [*NAMES, *_options(optim)]
    for key in settings:
        if key not in known:
            raise SettingsError(f"{key[:40]!r} can't be set{_hint(key, known)}")


def _options(optim: str) -> Mapping[str, Any]:
    return OPTIMIZERS[optim].options if optim in OPTIMIZERS else {}


def _fault(key: str, value: Any, optim: str, largest: float) -> str:
    """What is wrong with a value: '' or a reason."""
    if key in _WHOLE:
        right = type(value) is int and _WHOLE[key] <= value <= LARGEST
        return "" if right else f"a whole number from {_WHOLE[key]} on is needed"
    if key in ("optim", "loss"):
        return ""
    if isinstance(_options(optim).get(key), bool):
        return "" if isinstance(value, bool) else "true or false is needed"
    return finite(value, largest)


def _hint(word: str, words: Any) -> str:
    return suggest(word, words) or f" (one of {', '.join(words)})"
