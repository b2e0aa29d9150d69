"""The op table: every operation a program may hold, a file a family."""

from __future__ import annotations

from collections.abc import Mapping

from bptui.engine.ops import (
    activations,
    elementwise,
    linear,
    losses,
    normalising,
    rearranging,
    reductions,
    updates,
)
from bptui.engine.ops.activations import ACTIVATIONS
from bptui.engine.ops.losses import LOSSES, Loss
from bptui.engine.ops.row import Op, Shape

_FAMILIES = (elementwise, activations, linear, reductions, rearranging, normalising, losses, updates)
OPS: Mapping[str, Op] = {op.name: op for family in _FAMILIES for op in family.ROWS}

__all__ = ["ACTIVATIONS", "LOSSES", "OPS", "Loss", "Op", "Shape"]
