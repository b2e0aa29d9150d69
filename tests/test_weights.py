"""Weights in files: saved whole or not at all, read headers first, to the same bits."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bptui.files.report import FileError
from bptui.files.weights import load_npz, read_array, save_npz

W, B = np.array([[1 / 3, -0.0], [5e-324, 1e300]]), np.array([0.1, 2.0])


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def refused(call, *arguments) -> str:
    with pytest.raises(FileError) as caught:
        call(*arguments)
    assert str(caught.value).isprintable()
    return str(caught.value)


class TestReading:
    def test_by_key(self):
        np.savez("w.npz", W1=W, b1=B.astype("f4"))
        assert read_array(Path("w.npz"), "W1").tobytes() == W.tobytes()
        assert read_array(Path("w.npz"), "b1").tolist() == B.astype("f4").tolist()
        assert read_array(Path("w.npz"), "b1").dtype == np.float64

    def test_the_only_one(self):
        np.savez("w.npz", weight=W)
        np.save("w.npy", np.asfortranarray(W))
        assert read_array(Path("w.npz")).tobytes() == W.tobytes()
        for key in (None, "W1"):
            assert read_array(Path("w.npy"), key).tobytes() == W.tobytes()

    def test_what_is_wrong(self):
        np.savez("w.npz", W1=W, b1=B, n=np.array([[1, np.nan]]))
        np.save("w.npy", np.array([1.0, np.inf]))
        np.savez("o.npz", W1=np.array([None], object))
        np.savez("e.npz", **{f"array{k}": B for k in range(8)})
        assert refused(read_array, Path("w.npz")) == "w.npz: it holds W1, b1, n: say by key which is meant"
        assert refused(read_array, Path("w.npz"), "W2") == "w.npz: it holds no 'W2' (did you mean W1?)"
        assert refused(read_array, Path("w.npz"), "q") == "w.npz: it holds no 'q' (it holds W1, b1, n)"
        assert refused(read_array, Path("w.npz"), "n") == "w.npz: n holds a number that is not finite, at [0, 1]"
        assert refused(read_array, Path("w.npy")) == "w.npy: the array holds a number that is not finite, at [1]"
        assert refused(read_array, Path("no.npz")) == "no.npz: no such file (did you mean o.npz?)"
        assert refused(read_array, Path("o.npz"), "W1").startswith("o.npz: W1 holds Python objects")
        assert refused(read_array, Path("e.npz")).endswith("array4, array5, …: say by key which is meant")
        assert refused(load_npz, Path("w.npy")) == "w.npy: this is a .npy file, with one array and no name for it"
        assert refused(load_npz, Path()) == ".: this is a directory"


class TestSaving:
    arrays = st.dictionaries(
        st.sampled_from(["W1", "b1", "W1.m", "lr", "W_h", "é"]),
        hnp.arrays(
            st.sampled_from([np.float64, np.float32, np.int64, np.bool_, np.uint8]),
            hnp.array_shapes(min_dims=0, max_dims=4, max_side=4),
        ),
        max_size=4,
    ).filter(bool)

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(arrays)
    def test_what_is_saved_comes_back_to_the_same_bits(self, arrays):
        save_npz("w.npz", arrays)
        again = load_npz(Path("w.npz"))
        assert list(again) == list(arrays)
        for name, array in arrays.items():
            assert (again[name].shape, again[name].dtype) == (array.shape, array.dtype)
            assert again[name].tobytes() == array.tobytes()
            again[name][...] = 0
        with np.load("w.npz", allow_pickle=False) as theirs:
            assert set(theirs) == set(arrays)

    def test_the_same_arrays_are_the_same_file(self):
        save_npz("a.npz", {"W1": W, "b1": B})
        save_npz(Path("b.npz"), {"W1": W, "b1": B})
        assert Path("a.npz").read_bytes() == Path("b.npz").read_bytes()

    def test_over_its_own_and_nothing_else(self):
        save_npz("w.npz", {"W1": W})
        save_npz("w.npz", {"W1": B})
        assert load_npz(Path("w.npz"))["W1"].tolist() == B.tolist()
        np.savez("theirs.npz", W1=W)
        Path("empty").touch()
        for name in ("theirs.npz", "empty"):
            before = Path(name).read_bytes()
            assert (
                refused(save_npz, name, {"W1": B})
                == f"{name}: it exists and was not written by save, so it is left alone"
            )
            assert Path(name).read_bytes() == before
        assert refused(save_npz, ".", {"W1": B}) == ".: this is a directory"

    @pytest.mark.parametrize("path", ["no/such/w.npz", "a\0b", "x" * 5000, "/proc/x.npz", "\ud800"])
    def test_where_nothing_can_be_written(self, path):
        assert "can't be written" in refused(save_npz, path, {"W1": W})

    def test_a_full_disk_leaves_the_old_file_and_nothing_else(self, monkeypatch):
        save_npz("w.npz", {"W1": W})
        before = Path("w.npz").read_bytes()

        def fail(*args):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", fail)
        assert refused(save_npz, "w.npz", {"W1": B}) == "w.npz: can't be written: No space left on device"
        assert Path("w.npz").read_bytes() == before
        assert [path.name for path in Path().iterdir()] == ["w.npz"]

    @pytest.mark.parametrize("array", [np.array([None]), np.array(["a"]), np.array([1j])])
    def test_only_numbers(self, array):
        with pytest.raises(ValueError, match=r"^W1 holds .* and no real numbers"):
            save_npz("w.npz", {"W1": array})
        assert not Path("w.npz").exists()

    def test_it_is_small(self):
        save_npz("w.npz", {"W1": np.zeros((1000, 100))})
        assert Path("w.npz").stat().st_size < 2000
        with zipfile.ZipFile("w.npz") as archive:
            assert archive.testzip() is None
