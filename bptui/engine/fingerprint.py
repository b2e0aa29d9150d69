"""What is on this machine that the bits of a result may depend on, and what a result's bits are.

Bits are promised on the same machine and versions. Elsewhere the fingerprint says what is different, and a digest
whether it mattered.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import platform
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from bptui.engine.player import State
from bptui.engine.program import Program
from bptui.version import __version__

# What is asked for → how a person calls it; the first ones can't change a bit by themselves.
NAMES = {
    "bptui": "bptui",
    "python": "Python",
    "system": "the system",
    "cpu": "the processor",
    "numpy": "NumPy",
    "blas": "the BLAS library",
    "kernel": "the BLAS kernel",
    "threads": "the number of BLAS threads",
    "simd": "the instruction sets that NumPy uses",
}
# OpenBLAS as NumPy's wheels have it, then as built by others.
_SYMBOLS = ("scipy_openblas_{}64_", "scipy_openblas_{}", "openblas_{}64_", "openblas_{}")


@cache
def _here() -> tuple[tuple[str, str], ...]:
    blas, kernel, threads = _blas()
    found = {
        "bptui": __version__,
        "python": platform.python_version(),
        "system": f"{sys.platform} {platform.machine()}",
        "cpu": _processor(),
        "numpy": np.__version__,
        "blas": blas,
        "kernel": kernel,
        "threads": threads,
        "simd": _simd(),
    }
    return tuple(found.items())


def fingerprint() -> dict[str, str]:
    """This machine and its versions, by the keys of NAMES; "" where a thing can't be told."""
    return dict(_here())


def differences(there: Mapping[str, str], here: Mapping[str, str]) -> list[str]:
    """A sentence for each thing that was different where a session was made; what is not known is not told."""
    return [
        f"{called} was {there[key]}, here it is {here[key]}"
        for key, called in NAMES.items()
        if there.get(key) and here.get(key) and there[key] != here[key]
    ]


def digest(state: State) -> str:
    """32 hex digits that two states share only if they are the same to the bit: every cell that is computed."""
    made = hashlib.blake2b(digest_size=16)
    for name, array in sorted(state.arrays.items()):
        there = state.computed[name]
        made.update(f"{name} {array.dtype.str} {there};".encode())
        made.update(np.ascontiguousarray(array.reshape(-1)[:there]).data)
    return made.hexdigest()


def listing(program: Program) -> str:
    """16 hex digits of a program's instructions: another version may make others of the same network."""
    return hashlib.blake2b(str(program).encode(), digest_size=8).hexdigest()


def _configuration() -> Mapping[str, Any]:
    """What NumPy knows of how it was built; nothing where it does not say (a build without meson)."""
    try:
        return np.show_config(mode="dicts") or {}
    except (TypeError, ValueError, AttributeError):
        return {}


def _simd() -> str:
    """The instruction sets found when NumPy was loaded, over those it takes for granted."""
    sets = _configuration().get("SIMD Extensions", {})
    return " ".join([*sets.get("baseline", ()), *sets.get("found", ())])


def _blas() -> tuple[str, str, str]:
    """(library and version, the kernel it chose for this processor, its threads); "" for what can't be told."""
    built = _configuration().get("Build Dependencies", {}).get("blas", {})
    name = f"{built.get('name', '')} {built.get('version', '')}".strip()
    for path in _libraries():
        # It is loaded already, by NumPy: this only asks for it by name.
        with contextlib.suppress(OSError):
            library = ctypes.CDLL(str(path))
            kernel, threads = _asked(library, "get_corename"), _asked(library, "get_num_threads")
            if kernel is not None and threads is not None:
                kernel.restype, threads.restype = ctypes.c_char_p, ctypes.c_int
                return name, (kernel() or b"").decode("ascii", "replace"), str(threads())
    return name, "", os.environ.get("OPENBLAS_NUM_THREADS", "")


def _libraries() -> list[Path]:
    """The BLAS that came in NumPy's own wheel, if it did."""
    package = Path(np.__file__).parent
    folders = (package.parent / "numpy.libs", package / ".dylibs")
    return [path for folder in folders if folder.is_dir() for path in sorted(folder.glob("*openblas*"))]


def _asked(library: ctypes.CDLL, name: str) -> Any:
    """A function of the library, under whatever name this build gives it, or None."""
    return next((getattr(library, s.format(name)) for s in _SYMBOLS if hasattr(library, s.format(name))), None)


def _processor() -> str:
    """The processor's name."""
    with contextlib.suppress(OSError), Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as file:
        for line in file:
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    return os.environ.get("PROCESSOR_IDENTIFIER") or platform.machine()
