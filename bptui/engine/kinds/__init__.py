"""The table of layers: every kind of node that a network may have."""

from __future__ import annotations

from collections.abc import Mapping

from bptui.engine.kinds import attention, normalising, recurrent, simple, spatial
from bptui.engine.kinds.kind import Described, Emitter, Kind, MisfitError, Option, written

_FAMILIES = (simple, spatial, normalising, attention, recurrent)
KINDS: Mapping[str, Kind] = {kind.name: kind for family in _FAMILIES for kind in family.KINDS}

__all__ = ["KINDS", "Described", "Emitter", "Kind", "MisfitError", "Option", "written"]
