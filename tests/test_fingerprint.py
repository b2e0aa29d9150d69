"""What this machine is, what differs from another, and when two states are the same."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from driving import goto_text

import bptui
from bptui.debugger.debugger import Debugger
from bptui.engine.fingerprint import NAMES, differences, digest, fingerprint
from bptui.files import specs


def test_it_knows_versions_and_kernel():
    code = "import bptui.engine.fingerprint as f; print(*f.fingerprint().values(), sep='\\n')"
    lines = subprocess.check_output([sys.executable, "-c", code], text=True).splitlines()
    found = dict(zip(NAMES, lines, strict=True))
    assert found["bptui"] == bptui.__version__
    assert found["numpy"] == np.__version__
    assert found["python"] == sys.version.split()[0]
    assert found["threads"] == os.environ["OPENBLAS_NUM_THREADS"]


def test_the_kernel_is_the_one_that_threadpoolctl_finds():
    threadpoolctl = pytest.importorskip("threadpoolctl")
    blas = [library for library in threadpoolctl.threadpool_info() if "numpy.libs" in library["filepath"]]
    if not blas:
        pytest.skip("NumPy has no BLAS of its own here")
    assert fingerprint()["kernel"] == blas[0]["architecture"]
    assert fingerprint()["threads"] == str(blas[0]["num_threads"])


def test_the_same_machine_has_no_differences():
    assert differences(fingerprint(), fingerprint()) == []


def test_differences_are_sentences_and_what_is_not_known_is_not_told():
    there = fingerprint() | {"numpy": "1.26.0", "kernel": "Haswell", "cpu": ""}
    here = fingerprint() | {"numpy": "2.4.6", "kernel": "SkylakeX"}
    assert differences(there, here) == [
        "NumPy was 1.26.0, here it is 2.4.6",
        "the BLAS kernel was Haswell, here it is SkylakeX",
    ]
    assert differences({}, here) == []


@pytest.mark.parametrize("name", ["article", "moons"])
def test_a_digest_is_that_of_the_moment_however_one_came_there(name):
    one, other = Debugger(specs.load(name)), Debugger(specs.load(name))
    goto_text(one, "3:2.1")
    goto_text(other, "5:9")
    goto_text(other, "3:4")
    goto_text(other, "3:2.1")
    assert digest(one.look(one.position)) == digest(other.look(other.position))
    other.step()
    assert digest(one.look(one.position)) != digest(other.look(other.position))


def test_a_digest_notices_the_last_bit_of_any_number():
    debugger = Debugger(specs.load("article"))
    goto_text(debugger, "0:4")
    before = debugger.look(debugger.position)
    for slot in ("W1", "x", "lr", "z2", "z2.grad"):
        value = float(before.arrays[slot].reshape(-1)[0])
        debugger.set(f"{slot}[0,0]" if before.arrays[slot].ndim else slot, repr(float(np.nextafter(value, 9))))
        assert digest(debugger.look(debugger.position)) != digest(before), slot
        debugger.undo()
        assert digest(debugger.look(debugger.position)) == digest(before)
