"""bptui: a step debugger for training neural networks, in the terminal."""

import os

__version__ = "0.1.0"

# Before NumPy is imported by anything below: more than one BLAS thread splits a product differently from run to run,
# and a replay has to give the same bits.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
