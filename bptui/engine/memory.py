"""How much memory a program needs, and how much there is."""

from __future__ import annotations

import os
from collections.abc import Mapping

from bptui.engine.program import Slot

# Beside the slots: what their lines compute on the way, and what a program begins with.
_BESIDE = 2


def installed() -> int:
    """Bytes of memory that this machine has, or lets this process have; a great many where it does not tell."""
    try:
        there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        there = 2**62
    return min(there, _allowed())


def _allowed() -> int:
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return 2**62
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return 2**62 if soft == resource.RLIM_INFINITY else soft


def fault(slots: Mapping[str, Slot], dtype: str) -> str:
    """Why a program of these slots does not fit into this machine: '' or a reason."""
    short = lack(sum(slot.size for slot in slots.values()), dtype)
    largest = max(slots.values(), key=lambda slot: slot.size)
    shape = "×".join(map(str, largest.shape))
    return short and f"{short}: make the batch smaller, or {largest.name} ({shape})"


def lack(cells: int, dtype: str) -> str:
    """Why slots of so many cells do not fit: '' or a reason. Each takes its bytes, and as much again on the way."""
    need, there = _BESIDE * cells * (4 if dtype == "float32" else 8), installed()
    if need <= there:
        return ""
    return f"an iteration needs about {gibibytes(need)} GiB, this machine has {gibibytes(there)}"


def gibibytes(count: int) -> str:
    """A number of bytes for a message; beyond all floats it is one too."""
    return f"{count / 2**30:,.1f}" if count < 10**30 else "10²⁰ or more"
