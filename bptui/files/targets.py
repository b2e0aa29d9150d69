"""Class numbers made into what a loss asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from bptui.engine.graph import output_width
from bptui.engine.network import Array, Network, NetworkError
from bptui.engine.ops import LOSSES
from bptui.files.data import classes_to_columns
from bptui.files.report import Report

# Each class has a name, so that a wide last layer would fill the memory with them.
_MAX_CLASSES = 100_000


def with_classes(network: Network, report: Report | None = None) -> Network:
    """The network, class numbers made into columns of 0 and 1, or into −1 and 1, where its loss asks for them.

    Mistakes go to the report; without one they raise NetworkError.
    """
    noted = Report() if report is None else report
    found = _with_classes(network, noted)
    if report is None and noted:
        raise NetworkError(noted.problems)
    return found


def _with_classes(network: Network, report: Report) -> Network:
    width, given = output_width(network), len(network.classes)
    if given > 2 and width not in (0, 1, given) and network.y.shape[1:] != (given,):
        message = f"the data have {given} classes, the last layer gives {width} outputs: they have to agree"
        report.add(("data",), message, spoils=("data", "y"))
        return network
    columns = LOSSES[network.loss].classes if network.loss in LOSSES else False
    several = given > 2 and width == given
    numbered = network.y.shape[1:] == (1,) or bool(network.classes)
    if width >= 2 and numbered and (columns or several):
        if width > _MAX_CLASSES:
            message = f"the last layer gives {width:,} outputs: as classes, {_MAX_CLASSES:,} are the limit"
            report.add(("data",), message, spoils=("data", "y"))
            return network
        names = network.classes or tuple(str(k) for k in range(width))
        return _changed(network, lambda y: classes_to_columns(y, width, report), names)
    if network.loss == "hinge" and len(network.classes) == 2:
        return _changed(network, lambda y: np.where(y > 0, 1.0, -1.0), network.classes)
    return network


def _changed(network: Network, change: Callable[[Array], Array], classes: tuple[str, ...]) -> Network:
    """The network with its targets changed, those held out too."""
    test = None if network.test is None else (network.test[0], change(network.test[1]))
    return replace(network, y=change(network.y), test=test, classes=classes)
