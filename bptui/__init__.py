"""bptui: a step debugger for training neural networks, in the terminal. In Python: see `bptui.api`."""

import os
from typing import Any

from bptui.version import __version__ as __version__

# Before NumPy is imported by anything below: more than one BLAS thread splits a product differently from run to run,
# and a replay has to give the same bits.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

_API = ("Net", "Layer", "Op", "NetworkError", "check", "debug", "program", "train")


def __getattr__(name: str) -> Any:
    """`bp.Net`, `bp.Dense` and the like: loaded when first asked for, so that importing bptui costs nothing."""
    if name.startswith("_") or not (name in _API or name[:1].isupper()):
        raise AttributeError(f"module 'bptui' has no attribute {name!r}")
    from bptui import api

    if name in _API:
        return getattr(api, name)
    if name in api.LAYERS:
        return api.layer(api.LAYERS[name])
    raise AttributeError(f"module 'bptui' has no attribute {name!r}")
