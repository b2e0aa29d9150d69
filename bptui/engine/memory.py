"""How much memory a program needs, and how much there is."""

from __future__ import annotations

import os

import numpy as np

from bptui.engine.program import Program

# Beside the slots: what their lines compute on the way, and what a program begins with.
_BESIDE = 2


def needed(program: Program) -> int:
    """Bytes that a machine for the program takes, roughly: every slot, and as much again on the way."""
    cells = sum(slot.size for slot in program.slots.values())
    return _BESIDE * cells * np.dtype(program.network.dtype).itemsize


def installed() -> int:
    """Bytes of memory that this machine has; a great many where it does not tell."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 2**62


def fault(program: Program) -> str:
    """Why the program does not fit into this machine: '' or a reason."""
    need, there = needed(program), installed()
    if need <= there:
        return ""
    largest = max(program.slots.values(), key=lambda slot: slot.size)
    shape = "×".join(map(str, largest.shape))
    return (
        f"an iteration needs about {need / 2**30:,.1f} GiB, this machine has {there / 2**30:,.1f}: "
        f"make the batch smaller, or {largest.name} ({shape})"
    )
