"""Arrays as text, out and in: NumPy, the csv module and every way of writing a matrix give the same bits back."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from bptui.commands import formats
from bptui.files import matrices
from bptui.files.matrices import MatrixError

SHAPES = array_shapes(max_dims=4, max_side=5)
ANY = arrays(st.sampled_from([np.float64, np.float32]), SHAPES)
FINITE = arrays(np.float64, SHAPES, elements=st.floats(allow_nan=False, allow_infinity=False))
RECTANGLES = arrays(
    np.float64,
    array_shapes(min_dims=2, max_dims=2, max_side=6),
    elements=st.floats(allow_nan=False, allow_infinity=False),
)


def same(one: np.ndarray, other: np.ndarray) -> bool:
    """Shape, dtype and bits, but for what a NaN holds beside."""
    there = np.isnan(one)
    bits = (np.where(there, 0, one).tobytes(), np.where(there, 0, other).tobytes())
    return one.dtype == other.dtype and one.shape == other.shape and bool((there == np.isnan(other)).all()) and bits[0] == bits[1]  # fmt: skip


@given(ANY)
def test_numpy_reads_what_is_written_for_it(array):
    assert same(eval(formats.written(array, "numpy"), {"np": np}), array)


@given(ANY)
def test_the_csv_module_reads_the_rows(array):
    text = formats.written(array, "csv")
    read = np.array([[float(cell) for cell in row] for row in csv.reader(io.StringIO(text))], array.dtype)
    assert same(read.reshape(array.shape), array)


@given(ANY)
def test_latex_has_a_row_for_each_row(array):
    text = formats.written(array, "latex")
    planes = np.atleast_2d(array)
    assert text.count("\\begin{bmatrix}") == text.count("\\end{bmatrix}") == int(np.prod(planes.shape[:-2]))
    assert text.count("&") == array.size - array.size // planes.shape[-1]
    assert text.count("\\\\") == array.size // planes.shape[-1] - int(np.prod(planes.shape[:-2]))


@given(FINITE, st.sampled_from(["value", "numpy", "csv"]))
def test_what_is_written_is_read_back_to_the_same_bits(array, form):
    assert same(matrices.shaped(matrices.read(formats.written(array, form)), array.shape, "W1"), array)


def matlab(array: np.ndarray) -> str:
    return "W = [" + "; ".join(" ".join(map(repr, row.tolist())) for row in array) + "];"


def tabs(array: np.ndarray) -> str:
    return "\r\n".join("\t".join(map(repr, row.tolist())) for row in array)


def blanks(array: np.ndarray) -> str:
    saved = io.StringIO()
    np.savetxt(saved, array, fmt="%.17g", header="weights")
    return saved.getvalue()


def printed(array: np.ndarray) -> str:
    with np.printoptions(floatmode="unique", threshold=10**6):
        return str(array)


def represented(array: np.ndarray) -> str:
    with np.printoptions(floatmode="unique", threshold=10**6):
        return repr(array)


def semicolons(array: np.ndarray) -> str:
    return "\n".join(";".join(map(repr, row.tolist())) for row in array)


@given(RECTANGLES, st.sampled_from([matlab, tabs, blanks, printed, represented, lambda a: formats.written(a, "latex")]))
def test_matrices_of_other_tools_are_read(array, write):
    assert same(matrices.shaped(matrices.read(write(array)), array.shape, "W1"), array)


@given(RECTANGLES.filter(lambda array: array.shape[0] > 1))
def test_a_csv_with_semicolons_is_read(array):
    assert same(matrices.shaped(matrices.read(semicolons(array)), array.shape, "W1"), array)


W1 = [[0.11, 0.12], [0.21, 0.08]]


@pytest.mark.parametrize("text", [
    "[[0.11, 0.12], [0.21, 0.08]]", "((0.11, 0.12), (0.21, 0.08))", "{{0.11, 0.12}, {0.21, 0.08}}", "[0.11 0.12; 0.21 0.08]",
    "0.11 0.12; 0.21 0.08", ".11, .12\n.21, .08", "[0.11 0.12]\n[0.21 0.08]", "# a comment\n0.11 0.12\n\n0.21 0.08\n",
    "tensor([[0.1100, 0.1200],\n        [0.2100, 0.0800]], device='cuda:0', grad_fn=<MmBackward0>)",
    "Parameter containing:\ntensor([[0.11, 0.12],\n        [0.21, 0.08]], requires_grad=True)",
    "W_{1} = \\left[\\begin{array}{cc} 0.11 & 0.12 \\\\ 0.21 & 8 \\times 10^{-2} \\end{array}\\right]",
    "$$\\begin{pmatrix}0.11&0.12\\\\0.21&0.08\\\\\\end{pmatrix}$$", '"0.11","0.12"\n"0.21","0.08"',
    "array([[0.11, 0.12],\n       [0.21, 0.08]], dtype=float32)", "0.11;0.12\n0.21;0.08", "1.1e-1\t12E-2\n+.21\t0.08",
])  # fmt: skip
def test_every_way_of_writing_one_matrix(text):
    assert matrices.read(text).tolist() == W1


@pytest.mark.parametrize("text, said", [
    ("", "no numbers"), ("[]", "no numbers"), ("[[0.1, 0.2], [0.3]]", "row 2 has 1 numbers, row 1 has 2"), ("1 2\n3", "row 2 has 1"),
    ("[[1, 2]", "not closed"), ("[1, 2)", "closes nothing"), ("1,,2", "nothing is no number: row 1, column 2"), ("[1,,2]", "a number is missing"),
    ("0,11;0,12\n0,21;0,08", "points"), ("1 2\n3 x", "'x' is no number: row 2, column 2"), ("[1 ... 9]", "left out"),
    ("[1, [2, 3]]", "mixed"), ("[" * 9 + "1" + "]" * 9, "too many"), ("[1-2]", "runs into"), ("[__import__('os')]", "no number"),
    ("1.5.2", "no number"), ("1j", "no number"), ("0x10", "no number"), ("1_000", "no number"), ("w1,w2\n1,2", "'w1' is no number"),
    (" " * (matrices.MOST_CHARACTERS + 1), "too much"), ("\x1b[31m1 2", "no number"),
])  # fmt: skip
def test_what_is_no_matrix_is_refused_in_a_line(text, said):
    with pytest.raises(MatrixError, match=said.replace("(", "\\(")) as refused:
        matrices.read(text)
    assert str(refused.value).isprintable()


@given(st.text(alphabet="0123456789.,;&[](){}-+eE \n\t\\nai#%'$=_", max_size=60))
def test_any_text_is_numbers_or_refused(text):
    try:
        assert matrices.read(text).size
    except MatrixError as refused:
        assert str(refused).isprintable()


def test_another_shape_is_refused_with_what_is_needed():
    turned = np.zeros((2, 3))
    with pytest.raises(MatrixError, match=r"2×3 numbers \(it is transposed\); W1 is 3×2"):
        matrices.shaped(turned, (3, 2), "W1")
    with pytest.raises(MatrixError, match=r"2×3 numbers; W1 is 2×2"):
        matrices.shaped(turned, (2, 2), "W1")
    for have, need in [((3,), (1, 3)), ((3,), (3, 1)), ((1, 3), (3,)), ((3, 1), (3,)), ((1,), ()), ((4, 3), (2, 2, 3))]:
        assert matrices.shaped(np.zeros(have), need, "x").shape == need
    for have, need in [((4,), (2, 2)), ((1, 4), (2, 2)), ((3,), ()), ((2, 2), (4,)), ((3, 4), (2, 2, 3))]:
        with pytest.raises(MatrixError):
            matrices.shaped(np.zeros(have), need, "x")
