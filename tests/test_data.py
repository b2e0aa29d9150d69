"""The data of a spec: what is made up, built in, read from files and written out, and every mistake with its words."""

from __future__ import annotations

import csv
import io
import math
import os
import random
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bptui.engine.initial import generator
from bptui.files import load
from bptui.files.data import NAMES, Data, classes_to_columns, generated, npy, read_data
from bptui.files.lines import Lines
from bptui.files.report import Report, SpecError
from bptui.files.values import Table

IRIS = "height,width,colour,species\n1,2,red,cat\n3,4,blue,dog\n5,6,red,cat\n7,8,green,emu\n"
FLOAT32 = float(np.finfo(np.float32).max)


def told(report: Report) -> list[str]:
    """The lines of a report, without the spec's name."""
    return [line.removeprefix("s.toml: ") for line in report.error("s.toml", Lines()).lines] if report else []


def attempt(data, folder=Path("nowhere"), seed: int = 0, largest: float = math.inf) -> tuple[Data, list[str]]:
    """What is read, and what is wrong."""
    report = Report()
    found = read_data(Table({"data": data}, (), report, largest), folder, seed)
    return found, told(report)


def good(data, folder=Path("nowhere"), seed: int = 0) -> Data:
    found, lines = attempt(data, folder, seed)
    assert lines == []
    for array in (found.x, found.y, *found.more.values(), *(found.test or ())):
        assert array.dtype == np.float64 and np.isfinite(array).all()
    return found


def wrong(data, folder=Path("nowhere"), **options) -> list[str]:
    _, lines = attempt(data, folder, **options)
    assert lines
    assert all(line.isprintable() and len(line) <= 300 for line in lines)
    return lines


@pytest.fixture
def put(tmp_path):
    """Write a file's content, and give the folder."""

    def write(content: str | bytes, name: str = "points.csv") -> Path:
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path

    return write


def packed(**arrays) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def header(text: str, version: tuple[int, int] = (1, 0)) -> bytes:
    code = "<H" if version == (1, 0) else "<I"
    return b"\x93NUMPY" + bytes(version) + struct.pack(code, len(text)) + text.encode("latin-1")


def member(content: bytes, name: str = "x.npy") -> bytes:
    """An archive with one member of that content."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return file.getvalue()


X, Y = np.arange(6.0).reshape(3, 2), np.array([[1.5], [2.5], [3.5]])


class TestForms:
    def test_a_name_alone_is_a_table(self):
        assert good("xor").source == {"use": "xor"}
        assert good({"use": "xor"}).source == {"use": "xor"}

    def test_a_file_alone_is_a_table(self, put):
        folder = put("a,b\n1,2\n3,4\n")
        assert good("points.csv", folder).source == {"file": "points.csv"}
        assert good("./points.csv", folder).x.tolist() == [[1], [3]]

    def test_the_source_is_as_it_stood(self):
        table = {"use": "moons", "rows": 30, "batch": 5, "test": 0.2, "scale": "minmax"}
        assert good(table).source == table

    def test_what_is_written_out_has_no_source(self):
        assert good({"x": [[1]], "y": [[1]]}).source is None

    @pytest.mark.parametrize("name", NAMES)
    def test_every_name_is_read(self, name):
        data = good(name)
        assert len(data.x) == len(data.y)
        assert data.y.shape[1:] == (1,)
        assert data.batch is None and data.test is None and data.more == {}
        if data.classes:
            assert set(data.y[:, 0]) == set(range(len(data.classes)))

    def test_gates(self):
        assert good("xor").x.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
        assert [good(name).y[:, 0].tolist() for name in ("xor", "and", "or")] == [
            [0, 1, 1, 0],
            [0, 0, 0, 1],
            [0, 1, 1, 1],
        ]
        assert good("xor").classes == ()

    def test_batches(self):
        assert good({"use": "xor", "batch": 3}).batch == 3
        assert good({"use": "xor", "batch": 4}).batch is None
        assert good({"use": "moons", "rows": 100, "test": 0.5, "batch": 50}).batch is None

    @pytest.mark.parametrize(
        ("data", "says"),
        [
            (3, 'data is 3: write data = "xor" or data = { x = [[2, 3]], y = [[1]] }'),
            ("moonz", "no data are called 'moonz' (did you mean moons?)"),
            ("qqqq", f"no data are called 'qqqq' (there are {', '.join(NAMES)})"),
            ({"use": "digit"}, "no data are called 'digit' (did you mean digits?)"),
            ({"use": 3}, "use = a text is expected: 3 is no text"),
            ({"file": 3}, "file = a text is expected: 3 is no text"),
            ({"text": []}, "text = a text is expected: a list is no text"),
            ({"use": "xor", "x": [[1]]}, "data has both use and x: only one may stand"),
            ({"use": "xor", "file": "a.csv"}, "data has both use and file: only one may stand"),
            ({"use": "xor", "rows": 3}, "unknown key 'rows' in data (one of use, batch, test, seed, scale, shape)"),
            ({"use": "moons", "arms": 3}, "unknown key 'arms' in data (one of use, rows, noise, batch, test, seed, scale, shape)"),
            ({"use": "moons", "batch_size": 3}, "unknown key 'batch_size' in data (did you mean batch?)"),
            ({"use": "moons", "seed": -1}, "seed = a whole number is expected: -1 is less than 0"),
            ({"use": "moons", "rows": 0}, "rows = a whole number is expected: 0 is less than 1"),
            ({"use": "moons", "rows": 1}, "rows = 1 is too few: moons of 2 classes need at least 2"),
            ({"use": "moons", "rows": 10**9}, "rows = 1000000000 is too large: the limit is 100,000"),
            ({"use": "moons", "noise": -0.5}, "noise = -0.5: a deviation is not below 0"),
            ({"use": "moons", "noise": "a"}, "noise = a number is expected: 'a' is no number"),
            ({"use": "circles", "factor": 1}, "factor = 1: the inner circle's radius is from 0 to below 1"),
            ({"use": "spirals", "arms": 1}, "arms = a whole number is expected: 1 is less than 2"),
            ({"use": "spirals", "arms": 3000}, "arms = 3000 is too large: the limit is 1,000"),
            ({"use": "spirals", "arms": 300, "rows": 200}, "rows = 200 is too few: spirals of 300 classes need at least 300"),
            ({"use": "blobs", "centres": [[1, 2]]}, "centres is a list of 2 to 1000 rows of up to 100 numbers"),
            ({"use": "blobs", "centres": [[1, 2], [3]]}, "row 1 of centres is 1 long, row 0 is 2"),
            ({"use": "linear", "a": ["x"]}, "a holds a wrong value: 'x' is no number"),
            ({"use": "linear", "a": [1] * 101}, "a is a list of up to 100 numbers"),
            ({"use": "xor", "scale": "standart"}, "scale = 'standart' (did you mean standard?)"),
            ({"use": "xor", "scale": "pqr"}, "scale = 'pqr' (one of none, standard, minmax, max)"),
            ({"use": "xor", "test": 0}, "test = 0: a share between 0 and 1, or a whole number of rows, is expected"),
            ({"use": "xor", "test": 1.5}, "test = 1.5: a share between 0 and 1, or a whole number of rows, is expected"),
            ({"use": "xor", "test": True}, "test = 0.2, a share or a number of rows, is expected: true is no number"),
            ({"use": "xor", "test": 0.01}, "test = 0.01 of 4 rows leaves none to test with"),
            ({"use": "xor", "test": 0.99}, "test = 0.99 of 4 rows leaves none to train with"),
            ({"use": "xor", "test": 4}, "test = 4 of 4 rows leaves none to train with"),
            ({"use": "digits", "shape": [1, 8, 9]}, "shape = 1 × 8 × 9 holds 72 numbers, a row of x has 64"),
            ({"use": "digits", "shape": [8, -1]}, "shape is a list of whole numbers such as [1, 8, 8], not a list"),
            ({"use": "digits", "shape": 64}, "shape is a list of whole numbers such as [1, 8, 8], not 64"),
        ],
    )  # fmt: skip
    def test_one_mistake_one_line(self, data, says):
        assert wrong(data) == [says]

    def test_numbers_that_run_over(self):
        assert wrong({"use": "moons", "noise": 1.7e308})[0].startswith("x holds a wrong value in row ")
        lines = wrong({"use": "linear", "a": 3e38, "b": 3e38, "noise": 0}, largest=FLOAT32)
        assert lines[0].startswith("y holds a wrong value in row ") and lines[0].endswith("is too large for float32")

    def test_several_mistakes_are_all_told(self):
        assert len(wrong({"use": "moons", "noise": -1, "rows": 0, "scale": "a", "test": 2.5, "batch": "x"})) == 5


class TestWhateverStandsThere:
    """No value of any key, however odd, does more than be told."""

    ODD = (None, True, -1, 0, 0.5, 3, 10**400, 1e308, "", "x", "a", "\ud800", "\0", [], {}, [[]], [1], [1, 2], ["a"], [None], [[1], [2, 3]], [[[1]], [[2]]], {"x": 1}, math.nan, "standard", [[1], [2]], [0, 1], "points.csv", "tale", "xor", "d.npz")  # fmt: skip
    KEYS = ("use", "file", "text", "x", "y", "x_test", "y_test", "a", "a_test", "classes", "batch", "test", "seed", "scale", "shape", "rows", "noise", "arms", "centres", "factor", "b", "label", "header", "delimiter", "one_hot", "columns", "length", "targets", "stride")  # fmt: skip
    GOOD = (
        {"x": [[1], [2]], "y": [0, 1], "x_test": [[1]], "y_test": [1]},
        {"x": [[1], [2]], "y": [0, 1], "classes": ["a", "b"], "a": [[1], [2]]},
        {"file": "points.csv", "one_hot": "colour", "test": 0.25, "scale": "standard"},
        {"file": "d.npz", "scale": "max", "shape": [1, 2]},
        {"text": "tale", "length": 5, "targets": "last", "test": 3},
        *({"use": name, "rows": 20, "test": 0.2} for name in generated.KINDS),
        {"use": "iris", "shape": [2, 2], "batch": 10},
    )

    def test_it_is_read_or_told(self, put):
        put(packed(x=X, y=Y), "d.npz")
        folder, rng, read = put(IRIS), random.Random(6), 0
        for _ in range(3000):
            table = dict(rng.choice(self.GOOD))
            for _ in range(rng.choice((0, 1, 1, 2, 4))):
                key = rng.choice((*self.KEYS, *table, *table, *table, *table))
                table[key] = rng.choice(self.ODD)
            found, lines = attempt(table, folder)
            assert all(line.isprintable() and len(line) <= 300 for line in lines)
            assert lines or (found.x.size and found.y.size and np.isfinite(found.x).all())
            assert len(found.y) == len(found.x) or lines or not any(key in table for key in ("use", "file", "text"))
            read += not lines
        assert 100 < read < 2000

    @pytest.mark.parametrize("value", ODD, ids=repr)
    def test_data_itself(self, tmp_path, value):
        found, lines = attempt(value, tmp_path)
        assert bool(lines) == (not found.x.size)


class TestInASpec:
    """A file's mistake is one line at the spec's own, and calls up no other."""

    SPEC = 'loss = "half-mse"\nlayers = ["dense 1"]\n[data]\nfile = "points.csv"\n'

    @pytest.mark.parametrize(
        ("content", "options", "says"),
        [
            ("a,b\n1,2\nx,3\n", "", "s.toml:4: points.csv: line 3, column 'a': 'x' is no number"),
            ("a,b\n1,2\n1,3\n", "batch = 3\n", "s.toml:5: batch is 3: the data have 2 rows to draw from"),
            ("a,b\n1,2\n1,3\n", 'label = "c"\n', "s.toml:5: points.csv has no column 'c' (it has a, b)"),
            ("a,b,c\n1,2,5\n1,3,5\n", 'label = ["a", "b"]\n', "s.toml:3: y has 2 columns, the last layer gives 1: they have to agree"),
        ],
    )  # fmt: skip
    def test_one_line(self, put, monkeypatch, content, options, says):
        monkeypatch.chdir(put(content))
        Path("s.toml").write_text(self.SPEC + options, encoding="utf-8")
        with pytest.raises(SpecError) as caught:
            load("s.toml")
        assert caught.value.lines == [says]

    def test_it_is_found_beside_the_spec(self, put, tmp_path, monkeypatch):
        put("a,b\n1,2\n3,4\n")
        put(self.SPEC, "s.toml")
        monkeypatch.chdir("/")
        network = load(str(tmp_path / "s.toml"))
        assert network.x.tolist() == [[1], [3]] and network.source == {"file": str(tmp_path / "points.csv")}


class TestMadeUp:
    """The formulas, and that nothing but the seed and the name goes in."""

    def test_the_seed_decides(self):
        assert good("moons", seed=1).x.tobytes() == good("moons", seed=1).x.tobytes()
        assert good("moons", seed=1).x.tobytes() != good("moons", seed=2).x.tobytes()
        assert good({"use": "moons", "seed": 2}, seed=1).x.tobytes() == good("moons", seed=2).x.tobytes()

    @pytest.mark.parametrize("rows", [2, 3, 50, 101])
    def test_moons_are_scikit_learns(self, rows):
        datasets = pytest.importorskip("sklearn.datasets", reason="scikit-learn is missing")
        x, y = datasets.make_moons(rows, shuffle=False)
        mine = good({"use": "moons", "rows": rows, "noise": 0})
        assert np.array_equal(mine.x, x) and mine.y[:, 0].tolist() == y.tolist()
        assert mine.classes == ("0", "1")

    @pytest.mark.parametrize(("rows", "factor"), [(2, 0.5), (101, 0.8), (50, 0.0)])
    def test_circles_are_scikit_learns(self, rows, factor):
        datasets = pytest.importorskip("sklearn.datasets", reason="scikit-learn is missing")
        x, y = datasets.make_circles(rows, shuffle=False, factor=factor)
        mine = good({"use": "circles", "rows": rows, "noise": 0, "factor": factor})
        assert np.array_equal(mine.x, x) and mine.y[:, 0].tolist() == y.tolist()

    def test_blobs_are_scikit_learns(self):
        datasets = pytest.importorskip("sklearn.datasets", reason="scikit-learn is missing")
        centres = [[0, 0, 1], [3, 3, -1], [-2, 5, 0]]
        x, y = datasets.make_blobs(11, centers=np.array(centres), cluster_std=0.0, shuffle=False)
        mine = good({"use": "blobs", "rows": 11, "noise": 0, "centres": centres})
        assert np.array_equal(mine.x, x) and mine.y[:, 0].tolist() == y.tolist()

    def test_blobs_lie_around_their_centres(self):
        centres = generator(7, "blobs").uniform(-10, 10, (4, 2))
        data = good({"use": "blobs", "rows": 4000, "centres": 4}, seed=7)
        for k, centre in enumerate(centres):
            cloud = data.x[data.y[:, 0] == k] - centre
            assert np.allclose(cloud.mean(0), 0, atol=0.1) and np.allclose(cloud.std(0), 1, atol=0.1)

    def test_noise_is_a_deviation(self):
        still, noisy = (good({"use": "moons", "rows": 5000, "noise": noise}).x for noise in (0, 0.3))
        assert np.allclose((noisy - still).std(0), 0.3, atol=0.02)

    @pytest.mark.parametrize("arms", [2, 3, 5])
    def test_arms(self, arms):
        data = good({"use": "spirals", "rows": 4 * arms + 1, "arms": arms, "noise": 0})
        assert data.classes == tuple(map(str, range(arms)))
        assert np.bincount(data.y[:, 0].astype(int)).tolist() == [5] + [4] * (arms - 1)
        radius, angle = np.hypot(*data.x.T), np.arctan2(data.x[:, 1], data.x[:, 0])
        expected = 2 * np.pi * (radius + data.y[:, 0] / arms)
        assert np.allclose(np.exp(1j * angle), np.exp(1j * expected))

    def test_a_line_and_a_curve(self):
        data = good({"use": "linear", "a": [2, -3], "b": 0.5, "noise": 0, "rows": 7})
        assert data.x.shape == (7, 2) and data.classes == ()
        assert np.allclose(data.y[:, 0], 2 * data.x[:, 0] - 3 * data.x[:, 1] + 0.5)
        plain = good({"use": "linear", "noise": 0})
        assert np.allclose(plain.y, 2 * plain.x + 1)
        curve = good({"use": "sine", "noise": 0})
        assert np.allclose(curve.y, np.sin(curve.x)) and curve.x[0, 0] == -np.pi

    def test_formulas_stand_in_docstrings(self):
        for kind in generated.KINDS.values():
            assert kind.draw.__doc__ and "(rows" in kind.draw.__doc__


class TestBuiltIn:
    @pytest.mark.parametrize("name", ["iris", "wine", "digits"])
    def test_as_scikit_learn_has_them(self, name):
        datasets = pytest.importorskip("sklearn.datasets", reason="scikit-learn is missing")
        theirs = getattr(datasets, f"load_{name}")()
        mine = good({"use": name, "scale": "none"})
        assert np.array_equal(mine.x, theirs.data)
        assert mine.y[:, 0].tolist() == theirs.target.tolist()
        assert list(mine.classes) == [str(word) for word in theirs.target_names]

    def test_how_they_are_scaled(self):
        for name in ("iris", "wine"):
            assert np.allclose(good(name).x.mean(0), 0) and np.allclose(good(name).x.std(0), 1)
        raw = good({"use": "digits", "scale": "none"}).x
        assert np.array_equal(good("digits").x, raw / 16)

    def test_pictures(self):
        data = good({"use": "digits", "shape": [1, 8, 8], "test": 297})
        assert data.x.shape == (1500, 1, 8, 8) and data.test[0].shape == (297, 1, 8, 8)
        flat = good({"use": "digits", "test": 297})
        assert data.x.reshape(1500, 64).tobytes() == flat.x.tobytes()

    def test_where_they_are_from(self):
        from importlib.resources import files

        folder = files("bptui").joinpath("datasets")
        words = folder.joinpath("SOURCES.md").read_text("utf-8")
        for item in folder.iterdir():
            assert item.name == "SOURCES.md" or f"`{item.name}`" in words
        assert "CC BY 4.0" in words


class TestHeldOut:
    def test_rows_are_parted(self):
        whole = good({"use": "blobs", "rows": 40})
        parted = good({"use": "blobs", "rows": 40, "test": 0.25})
        assert len(parted.x) == 30 and len(parted.test[0]) == 10
        both = np.concatenate([parted.x, parted.test[0]])
        assert sorted(map(tuple, both)) == sorted(map(tuple, whole.x))
        assert [row for row in whole.x.tolist() if row in parted.x.tolist()] == parted.x.tolist()

    def test_targets_and_further_inputs_go_along(self):
        column = [[float(i)] for i in range(20)]
        data = good({"x": column, "a": [[-i] for [i] in column], "y": [i * 10 for [i] in column], "test": 5})
        assert np.array_equal(data.more["a"], -data.x) and np.array_equal(data.y, 10 * data.x)
        assert np.array_equal(data.test_more["a"], -data.test[0]) and np.array_equal(data.test[1], 10 * data.test[0])
        assert len(data.x) == 15 and len(data.test[0]) == 5

    def test_the_seed_decides_which(self):
        parts = [
            good({"x": [[i] for i in range(50)], "y": [[0]] * 50, "test": 0.2}, seed=k).x.tolist() for k in (1, 1, 2)
        ]
        assert parts[0] == parts[1] != parts[2]

    @pytest.mark.parametrize("scale", ["standard", "minmax", "max"])
    def test_scaling_is_by_the_rows_trained_on(self, scale):
        table = {"use": "blobs", "rows": 60, "test": 0.3}
        raw, data = good(table), good({**table, "scale": scale})
        offset = {"standard": raw.x.mean(0), "minmax": raw.x.min(0), "max": np.zeros(2)}[scale]
        divisor = {"standard": raw.x.std(0), "minmax": np.ptp(raw.x, 0), "max": np.abs(raw.x).max()}[scale]
        assert np.array_equal(data.x, (raw.x - offset) / divisor)
        assert np.array_equal(data.test[0], (raw.test[0] - offset) / divisor)
        assert np.array_equal(data.y, raw.y)

    @pytest.mark.parametrize("scale", ["standard", "minmax", "max"])
    def test_a_column_of_one_value(self, scale):
        data = good({"x": [[0, 5], [0, 5]], "y": [1, 2], "scale": scale})
        assert data.x.tolist() == [[0, 1 if scale == "max" else 0]] * 2

    def test_scaling_that_runs_over(self):
        table = {"x": [[1.7e308], [-1.7e308]], "y": [1, 2], "scale": "standard"}
        assert wrong(table) == ["scale = 'standard': the numbers of x are too large"]


class TestWrittenOut:
    def test_rows_of_any_shape(self):
        pictures = np.arange(24.0).reshape(2, 3, 4)
        data = good({"x": pictures.tolist(), "y": [[[1, 2]], [[3, 4]]]})
        assert np.array_equal(data.x, pictures) and data.y.shape == (2, 1, 2)

    def test_further_inputs(self):
        data = good({"x": [[1], [2]], "a": [[3], [4]], "b": [[[5]], [[6]]], "y": [0, 1]})
        assert {name: array.shape for name, array in data.more.items()} == {"a": (2, 1), "b": (2, 1, 1)}

    def test_held_out_rows_of_their_own(self):
        table = {"x": [[1], [2]], "y": [0, 1], "x_test": [[3]], "y_test": [[1]], "a": [[1], [2]], "a_test": [[7]]}
        data = good({**table, "scale": "max"})
        assert [part.tolist() for part in data.test] == [[[1.5]], [[1]]]
        assert data.test_more["a"].tolist() == [[7]] and list(data.more) == ["a"]
        assert good({"x": [[1]], "y": [1], "x_test": [[3], [4]], "y_test": [0, 1]}).test[1].tolist() == [[0], [1]]

    def test_classes_by_name(self):
        data = good({"x": [[1], [2], [3]], "y": [0, 2, 1], "classes": ["a", "b", "c"]})
        assert data.classes == ("a", "b", "c") and data.y.tolist() == [[0], [2], [1]]
        columns = good({"x": [[1], [2]], "y": [[0, 1], [1, 0]], "classes": ["a", "b"]})
        assert columns.y.tolist() == [[1], [0]]

    def test_a_reshaped_row(self):
        assert good({"x": [[1, 2, 3, 4]], "y": [1], "shape": [2, 2]}).x.tolist() == [[[1, 2], [3, 4]]]

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"x": [[[1, 2]], [[3]]]}, "x holds parts of different shapes: (1, 1) and (1, 2)"),
            ({"x": [[["a"]], [[1]]]}, "row 0 of x holds a wrong value: 'a' is no number"),
            ({"x": [[[1]], 3]}, "x holds 3 among its lists"),
            ({"a": [["q"], [1]]}, "row 0 of a holds a wrong value: 'q' is no number"),
            ({"a": 3}, "unknown key 'a' in data (one of x, y, x_test, y_test, classes, batch, test, seed, scale, shape)"),
            ({"shap": [1, 2]}, "unknown key 'shap' in data (did you mean shape?)"),
            ({"1a": [[1], [2]]}, "'1a' is no name for an input: letters, digits and _, not a digit first"),
            ({"lr": [[1], [2]]}, "'lr' is no name for an input: it has a meaning already"),
            ({"x_test": [[1]]}, "y has no y_test, though others have"),
            ({"x_test": [[1, 2]], "y_test": [[1]]}, "a row of x_test is 2, a row of x 1"),
            ({"x_test": [[1], [2]], "y_test": [1]}, "1 targets for 2 rows of x_test"),
            ({"x_test": [[1], [2]], "y_test": [[1]]}, "held-out rows: x_test has 2, y_test has 1"),
            ({"x_test": [[1]], "y_test": [[1]], "test": 1}, "data has both test and x_test: only one may stand"),
            ({"a_test": [[1]], "x_test": [[1]], "y_test": [[1]]}, "a_test belongs to no 'a'"),
            ({"classes": ["a"]}, "classes names one class only: 'a'"),
            ({"classes": ["a", "a"]}, "classes names 'a' twice"),
            ({"classes": 3}, "classes is a list of texts: 3 is no list"),
            ({"classes": ["a", "b"], "y": [0, 2]}, "row 1 of y is 2.0: the 2 classes are numbered 0 to 1"),
            ({"classes": ["a", "b"], "y": [0.5, 1]}, "row 0 of y is 0.5: the 2 classes are numbered 0 to 1"),
        ],
    )  # fmt: skip
    def test_one_mistake_one_line(self, changes, says):
        assert wrong({"x": [[1], [2]], "y": [0, 1], **changes}) == [says]


class TestClassesToColumns:
    def columns(self, y, width):
        report = Report()
        return classes_to_columns(np.array(y, float), width, report), told(report)

    def test_any_trailing_shape(self):
        assert self.columns([[2], [0]], 3)[0].tolist() == [[0, 0, 1], [1, 0, 0]]
        assert self.columns([[1, 0]], 2)[0].tolist() == [[[0, 1], [1, 0]]]
        deep = np.arange(12).reshape(2, 3, 2)
        assert np.array_equal(self.columns(deep, 12)[0], np.eye(12)[deep])

    @pytest.mark.parametrize(
        ("y", "says"),
        [
            ([[0], [3]], "row 1 of y is 3.0: the classes of 3 outputs are numbered 0 to 2"),
            ([[0], [-1]], "row 1 of y is -1.0: the classes of 3 outputs are numbered 0 to 2"),
            ([[0.5], [0]], "row 0 of y is 0.5: the classes of 3 outputs are numbered 0 to 2"),
            ([[0, 1], [1, 7]], "row 1 of y is 7.0 at place 1: the classes of 3 outputs are numbered 0 to 2"),
            ([[math.nan]], "row 0 of y is nan: the classes of 3 outputs are numbered 0 to 2"),
        ],
    )
    def test_what_is_no_class(self, y, says):
        assert self.columns(y, 3) == (pytest.approx(np.zeros((0, 0))), [says])

    def test_too_many_numbers(self):
        assert self.columns(np.zeros((1000, 1)), 10**6)[1] == ["1000 rows of 1000000 classes are too many numbers"]
        found = self.columns(np.zeros((10, 100)), 10**6)[1]
        assert found == ["10 rows of 100 places of 1000000 classes are too many numbers"]


class TestCsv:
    def test_names_as_targets(self, put):
        data = good({"file": "points.csv", "one_hot": "colour"}, put(IRIS))
        assert data.classes == ("cat", "dog", "emu")
        assert data.y.tolist() == [[0], [1], [0], [2]]
        # blue, green, red
        assert data.x.tolist() == [[1, 2, 0, 0, 1], [3, 4, 1, 0, 0], [5, 6, 0, 0, 1], [7, 8, 0, 1, 0]]

    def test_only_numbers_are_scaled(self, put):
        data = good({"file": "points.csv", "one_hot": ["colour"], "scale": "minmax"}, put(IRIS))
        assert data.x[:, 0].tolist() == [0, 2 / 6, 4 / 6, 1]
        assert data.x[:, 2:].tolist() == [[0, 0, 1], [1, 0, 0], [0, 0, 1], [0, 1, 0]]

    def test_columns_by_name_and_number_in_the_order_given(self, put):
        data = good({"file": "points.csv", "columns": ["width", 0], "label": "species"}, put(IRIS))
        assert data.x.tolist() == [[2, 1], [4, 3], [6, 5], [8, 7]]
        assert good({"file": "points.csv", "columns": [-3], "label": 2}, put(IRIS)).classes == ("blue", "green", "red")

    def test_several_targets_are_numbers(self, put):
        data = good({"file": "points.csv", "label": ["b", "a"]}, put("a,b,c\n1,2,3\n4,5,6\n"))
        assert data.x.tolist() == [[3], [6]] and data.y.tolist() == [[2, 1], [5, 4]] and data.classes == ()

    def test_a_target_of_numbers(self, put):
        data = good("points.csv", put("a,b\n1,0.5\n2,1e-3\n3,0.5\n"))
        assert data.y.tolist() == [[0.5], [0.001], [0.5]] and data.classes == ()

    def test_classes_given_in_their_order(self, put):
        table = {"file": "points.csv", "one_hot": "colour", "classes": ["emu", "cat", "dog"]}
        assert good(table, put(IRIS)).y[:, 0].tolist() == [1, 2, 1, 0]
        numbers = good({"file": "points.csv", "classes": ["1", "2"]}, put("a,b\n1,2\n2,1\n"))
        assert numbers.classes == ("1", "2") and numbers.y.tolist() == [[1], [0]]

    @pytest.mark.parametrize(
        ("text", "options", "rows"),
        [
            ("1,2\n3,4\n", {}, 2),
            ("1,2\n3,4\n", {"header": True}, 1),
            ("a,b\n3,4\n", {}, 1),
            ("5.1,3.5,setosa\n4.9,3.0,virginica\n", {}, 2),
            (",a\n3,4\n", {}, 1),
            ("nan,2\n1,2\n", {"header": True}, 1),
        ],
    )
    def test_the_header_is_seen(self, put, text, options, rows):
        assert len(good({"file": "points.csv", **options}, put(text)).x) == rows

    def test_a_table_of_texts_without_a_header(self, put):
        table = {"file": "points.csv", "header": False, "one_hot": [0]}
        assert good(table, put("red,yes\nblue,no\n")).y.tolist() == [[1], [0]]

    @pytest.mark.parametrize(
        ("text", "options", "name"),
        [
            ("a;b\n1;2\n3;4\n", {"delimiter": ";"}, "points.csv"),
            ("a\tb\n1\t2\n3\t4\n", {}, "points.tsv"),
            ("a b\n1 2\n3 4\n", {"delimiter": " "}, "points.txt"),
            ("\ufeffa,b\r\n1,2\r\n\r\n3,4\r\n", {}, "points.csv"),
            ("a,b\r1,2\r3,4", {}, "points.csv"),
            ('"a","b"\n" 1 ","2"\n+3, 4\n  \n', {}, "points.csv"),
        ],
    )
    def test_how_tables_are_written(self, put, text, options, name):
        data = good({"file": name, **options}, put(text, name))
        assert data.x.tolist() == [[1], [3]] and data.y.tolist() == [[2], [4]]

    def test_rows_held_out_and_a_batch(self, put):
        text = "a,b\n" + "".join(f"{i},{2 * i}\n" for i in range(50))
        data = good({"file": "points.csv", "test": 0.2, "batch": 8}, put(text), seed=3)
        assert len(data.x) == 40 and data.batch == 8 and np.array_equal(data.test[1], 2 * data.test[0])

    @pytest.mark.parametrize(
        ("text", "options", "says"),
        [
            ("", {}, ["points.csv: the file is empty"]),
            ("\n \n", {}, ["points.csv: the file is empty"]),
            ("a,b\n", {}, ["points.csv: there is no line after the header"]),
            ("a\n1\n", {}, ["points.csv: line 1 has one column only: inputs and a target are needed"]),
            ("a;b\n1;2\n", {}, ['points.csv: line 1 has one column only: write delimiter = ";"']),
            ("a\tb\n1\t2\n", {}, ['points.csv: line 1 has one column only: write delimiter = "\\t"']),
            ("a,b,a\n1,2,3\n", {}, ["points.csv: line 1: two columns are called 'a'"]),
            ("a,b\n1,2\n3\n5,6,7\n", {}, ["points.csv: line 3: 1 cell, the first line has 2", "points.csv: line 4: 3 cells, the first line has 2"]),
            ("a,b\n" + "1\n" * 5, {}, ["points.csv: line 2: 1 cell, the first line has 2 (and 4 more such lines)"]),
            ("a,b\n1,2\nabc,3\n", {}, ["points.csv: line 3, column 'a': 'abc' is no number"]),
            ("1,2\nabc,3\n", {}, ["points.csv: line 2, column 0: 'abc' is no number"]),
            ("a,b\n1,2\n,3\n", {}, ["points.csv: line 3, column 'a': the cell is empty"]),
            ("a,b\n1,2\n3, \n", {}, ["points.csv: line 3, column 'b': the cell is empty"]),
            ("a,b\n1,2\nnan,3\n", {}, ["points.csv: line 3, column 'a': nan is no finite number"]),
            ("a,b\n1,2\n1,-inf\n", {}, ["points.csv: line 3, column 'b': -inf is no finite number"]),
            ("a,b\n1,2\n1e999,3\n", {}, ["points.csv: line 3, column 'a': inf is no finite number"]),
            ("a,b\n1,2\n1_000,3\n", {}, ["points.csv: line 3, column 'a': '1_000' is no number"]),
            ("a;b\n1;2\n1,5;3\n", {"delimiter": ";"}, ["points.csv: line 3, column 'a': '1,5' is no number: write 1.5"]),
            ("a,b\n1,2\n1,x\n", {}, ["points.csv: line 3, column 'b': 'x' is no number"]),
            ("a,b\n1,x\n1,2\n1,y\n", {}, ["points.csv: line 2, column 'b': 'x' is no number", "points.csv: line 4, column 'b': 'y' is no number"]),
            ("a,b\n" + "1,2\n" * 3 + "q,2\n" * 5, {}, ["points.csv: line 5, column 'a': 'q' is no number (and 4 more in this column)"]),
            ("a,b\n" + "q,2\n" * 5, {}, ["points.csv: column 'a' holds no number at all (line 2: 'q' is no number): name it in one_hot, or leave it out by columns"]),
            ("a,b\n1,cat\n2,cat\n", {}, ["points.csv: column 'b' holds one class only: 'cat'"]),
            ("a,b\n1,cat\n2,dog\n", {"classes": ["cat", "dig"]}, ["points.csv: line 3, column 'b': 'dog' is none of the classes (did you mean dig?)"]),
            ("a,b\n1,2\n", {"label": "c"}, ["points.csv has no column 'c' (it has a, b)"]),
            ("height,b\n1,2\n", {"label": "hieght"}, ["points.csv has no column 'hieght' (did you mean height?)"]),
            ("a,b\n1,2\n", {"label": 2}, ["label = 2: points.csv has 2 columns, numbered 0 to 1"]),
            ("a,b\n1,2\n", {"label": -3}, ["label = -3: points.csv has 2 columns, numbered 0 to 1"]),
            ("a,b\n1,2\n", {"label": True}, ["label is a column's name or number, not true"]),
            ("a,b\n1,2\n", {"label": []}, ["label is an empty list: name a column"]),
            ("1,2\n3,4\n", {"label": "a"}, ["points.csv has no header, so 'a' is no column: number them from 0 to 1"]),
            ("a,b\n1,2\n", {"label": ["a", 0]}, ["label names column 'a' twice"]),
            ("a,b\n1,2\n", {"label": ["a", "b"]}, ["points.csv: no column is left for the inputs"]),
            ("a,b\n1,2\n", {"columns": ["a", "b"]}, ["column 'b' is a target, so it can't be an input"]),
            ("a,b,c\n1,2,3\n", {"columns": ["a"], "one_hot": ["b"]}, ["column 'b' is no input by columns"]),
            ("a,b,c\n1,2,3\n", {"columns": ["z"], "one_hot": ["q"]}, ["points.csv has no column 'z' (it has a, b, c)", "points.csv has no column 'q' (it has a, b, c)"]),
            ("a,b\n1,2\n", {"delimiter": ";;"}, ["delimiter is one character such as \";\", not ';;'"]),
            ("a,b\n1,2\n", {"header": 1}, ["header = true or false is expected: 1 is neither"]),
            ("a,b\n1,2\n", {"lable": 1}, ["unknown key 'lable' in data (did you mean label?)"]),
            ('a,b\n1,"2\n3,4\n', {}, ["points.csv: line 2: not CSV: unexpected end of data"]),
            ('a,b\n1,"2"3\n', {}, ["points.csv: line 2: not CSV: ',' expected after '\"'"]),
            ("a,b\n1,2\n3,4\n", {"test": 2}, ["test = 2 of 2 rows leaves none to train with"]),
            ("a,b\n1,2\n3,4\n", {"shape": [2]}, ["shape = 2 holds 2 numbers, a row of x has 1"]),
        ],
    )  # fmt: skip
    def test_every_mistake(self, put, text, options, says):
        assert wrong({"file": "points.csv", **options}, put(text)) == says

    def test_lines_are_the_files_own(self, put):
        text = '\n\n"a\nname",b\n\n"1",2\nx,3\n'
        assert wrong("points.csv", put(text)) == ["points.csv: line 7, column 'a\\nname': 'x' is no number"]

    def test_too_large_for_float32(self, put):
        says = ["points.csv: line 2, column 'a': 1e+39 is too large for float32"]
        assert wrong("points.csv", put("a,b\n1e39,2\n"), largest=FLOAT32) == says

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            (b"a,b\n1,\xff\n", "points.csv: line 2: this is no UTF-8 text: byte 0xff is none"),
            ("a,b\n1,2\n".encode("utf-16"), "points.csv: this is a binary file, not a text"),
            (b"a,b\n1,2\0\n", "points.csv: this is a binary file, not a text"),
        ],
    )
    def test_no_text(self, put, content, says):
        assert wrong("points.csv", put(content)) == [says]

    def test_no_file(self, tmp_path, put):
        put("a,b\n1,2\n")
        (tmp_path / "folder.csv").mkdir()
        os.mkfifo(tmp_path / "pipe.csv")
        assert wrong("point.csv", tmp_path) == ["point.csv: no such file (did you mean points.csv?)"]
        assert wrong("no/such.csv", tmp_path) == ["no/such.csv: no such file"]
        assert wrong("points.csv/a.csv", tmp_path) == ["points.csv/a.csv: no such file"]
        assert wrong("folder.csv", tmp_path) == ["folder.csv: this is a directory"]
        assert wrong("pipe.csv", tmp_path) == ["pipe.csv: this is no regular file"]
        assert wrong({"file": ""}, tmp_path) == ["'': this is a directory"]
        assert wrong({"file": "a\0.csv"}, tmp_path) == ["a\\x00.csv: can't be read: embedded null byte"]

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_no_right_to_read(self, put):
        folder = put("a,b\n1,2\n")
        (folder / "points.csv").chmod(0)
        assert wrong("points.csv", folder) == ["points.csv: can't be read: Permission denied"]

    def test_limits(self, put, monkeypatch):
        folder = put("a,b,c\n1,2,3\n4,5,6\n")
        monkeypatch.setattr("bptui.files.data.cells.MAX_NUMBERS", 3)
        assert wrong("points.csv", folder) == ["points.csv: more than 3 numbers are too many"]
        table = {"file": "points.csv", "one_hot": ["a", "b"]}
        assert wrong(table, folder) == ["points.csv: 2 rows of 6 columns are too many numbers"]
        monkeypatch.setattr("bptui.files.data.csvfile.MAX_COLUMNS", 2)
        assert wrong("points.csv", folder) == ["points.csv: line 1 has 3 columns: the limit is 2"]
        monkeypatch.setattr("bptui.files.data.csvfile.MAX_BYTES", 4)
        assert wrong("points.csv", folder) == ["points.csv: the file is too large: the limit is 0 MiB"]

    def test_too_many_classes(self, put):
        text = "a,b\n" + "".join(f"{i},n{i}\n" for i in range(1001))
        assert wrong("points.csv", put(text)) == ["points.csv: column 'b' has 1,001 classes: the limit is 1,000"]

    def test_a_long_field(self, put):
        lines = wrong("points.csv", put("a,b\n" + "9" * 200_000 + ",2\n"))
        assert lines == ["points.csv: line 2: not CSV: field larger than field limit (131072)"]

    def test_what_would_drive_a_terminal_is_shown_as_text(self, put):
        assert wrong("points.csv", put("a,b\n\x1b[2J,1\n")) == [
            "points.csv: line 2, column 'a': '\\x1b[2J' is no number"
        ]

    finite = st.floats(allow_nan=False, allow_infinity=False)
    words = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=8).map(str.strip).filter(bool)

    @settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.data())
    def test_what_csv_writes_comes_back(self, tmp_path, data):
        rows = data.draw(st.integers(2, 6))
        numbers = data.draw(st.lists(st.lists(self.finite, min_size=rows, max_size=rows), min_size=1, max_size=3))
        named = st.lists(self.words.map(lambda w: f"k{w}"), min_size=rows, max_size=rows).filter(
            lambda c: len(set(c)) > 1
        )
        classes = data.draw(named)
        header = [f"h{k}" for k in range(len(numbers) + 1)]
        with (tmp_path / "t.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(
                file, delimiter=";", quoting=data.draw(st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
            )
            writer.writerow(header)
            writer.writerows([*map(repr, row), name] for *row, name in zip(*numbers, classes, strict=True))
        found = good({"file": "t.csv", "delimiter": ";"}, tmp_path)
        assert found.x.tobytes() == np.array(numbers).T.copy().tobytes()
        assert [found.classes[int(k)] for k in found.y[:, 0]] == classes

    def test_mutated_tables_are_read_or_refused_in_lines(self, put):
        rng = random.Random(4)
        pieces = [b",", b"\n", b'"', b"\r", b"nan", b"1e9999", b"\0", b"\xff", b"x", b"", b"-", b";", b"\n\n", b"1"]
        read = 0
        for _ in range(600):
            data = bytearray(rng.choice((IRIS, "1,2\n3,4\n5,6\n")).encode())
            for _ in range(rng.randrange(4)):
                at = rng.randrange(len(data) + 1)
                data[at : at + rng.randrange(3)] = rng.choice(pieces)
            options = {"one_hot": [2]} if b"red" in data else {}
            found, lines = attempt({"file": "points.csv", **options}, put(bytes(data)))
            assert bool(lines) == (found.x.size == 0)
            assert all(line.isprintable() for line in lines)
            read += not lines
        assert 100 < read < 500


class TestArrays:
    def test_all_parts(self, put):
        folder = put(packed(x=X, y=Y, x_test=X[:1], y_test=Y[:1], a=-X, a_test=-X[:1]), "d.npz")
        data = good({"file": "d.npz", "batch": 2}, folder)
        assert np.array_equal(data.x, X) and np.array_equal(data.y, Y) and np.array_equal(data.more["a"], -X)
        assert np.array_equal(data.test[0], X[:1]) and np.array_equal(data.test_more["a"], -X[:1])
        assert (data.batch, data.classes, data.source) == (2, (), {"file": "d.npz", "batch": 2})

    def test_names_of_other_libraries(self, put):
        data = good("m.npz", put(packed(x_train=X, y_train=[0, 1, 2], x_test=X[:2], y_test=[1, 0]), "m.npz"))
        assert len(data.x) == 3 and data.classes == ("0", "1", "2") and data.test[1].tolist() == [[1], [0]]

    @pytest.mark.parametrize(
        ("y", "classes", "numbers"),
        [
            (np.array([0, 2, 1]), ("0", "1", "2"), [[0], [2], [1]]),
            (np.array([[0], [1], [1]], np.uint8), ("0", "1"), [[0], [1], [1]]),
            (np.array([True, False, True]), ("0", "1"), [[1], [0], [1]]),
            (np.array([[0, 1, 0], [1, 0, 0], [1, 0, 0]]), ("0", "1", "2"), [[1], [0], [0]]),
            (np.array([0, 2000, 1]), (), [[0], [2000], [1]]),
            (np.array([-1, 1, 1]), (), [[-1], [1], [1]]),
            (np.array([0.0, 1, 1]), (), [[0], [1], [1]]),
            (np.array([[1, 1], [0, 1], [1, 0]]), (), [[1, 1], [0, 1], [1, 0]]),
        ],
    )
    def test_which_targets_are_classes(self, put, y, classes, numbers):
        data = good("d.npz", put(packed(x=X, y=y), "d.npz"))
        assert data.classes == classes and data.y.tolist() == numbers

    def test_classes_by_name(self, put):
        data = good({"file": "d.npz", "classes": ["a", "b"]}, put(packed(x=X, y=[0.0, 1, 1]), "d.npz"))
        assert data.classes == ("a", "b")
        lines = wrong({"file": "d.npz", "classes": ["a", "b"]}, put(packed(x=X, y=[0.0, 1, 2]), "d.npz"))
        assert lines == ["d.npz: row 2 of y is 2.0: the 2 classes are numbered 0 to 1"]

    def test_one_array(self, put):
        file = io.BytesIO()
        np.save(file, np.arange(6.0).reshape(2, 3))
        data = good("d.npy", put(file.getvalue(), "d.npy"))
        assert data.x.tolist() == [[0, 1], [3, 4]] and data.y.tolist() == [[2], [5]]

    @pytest.mark.parametrize("dtype", ["<f8", ">f8", "<f4", "<f2", ">i4", "u1", "?"])
    def test_types_and_orders(self, put, dtype):
        array = (np.arange(24).reshape(2, 3, 4) % 7).astype(dtype)
        for order in (np.ascontiguousarray(array), np.asfortranarray(array)):
            data = good("d.npz", put(packed(x=order, y=Y[:2]), "d.npz"))
            assert np.array_equal(data.x, array.astype(float))

    @pytest.mark.parametrize(
        ("arrays", "says"),
        [
            ({"x": X}, "d.npz: it has no array 'y': it holds 'x'"),
            ({"xx": X, "y": Y}, "d.npz: it has no array 'x' (did you mean xx?): it holds 'xx', 'y'"),
            ({"x": X[:, 0], "y": Y}, "d.npz: 'x' has 1 dimensions: (rows, …) is needed"),
            ({"x": X, "y": np.float64(3)}, "d.npz: 'y' has 0 dimensions: (rows, …) is needed"),
            ({"x": X, "X": X, "y": Y}, "d.npz: two arrays mean the same: 'X'"),
            ({"x": X + 1j, "y": Y}, "d.npz: x holds complex numbers: real numbers are needed"),
            ({"x": X, "y": np.array(["a", "b", "c"])}, "d.npz: y holds texts: real numbers are needed"),
            ({"x": X.astype("M8[s]"), "y": Y}, "d.npz: x holds no plain numbers: real numbers are needed"),
            ({"x": np.zeros(3, [("a", "f8")]), "y": Y}, "d.npz: x holds no plain numbers: real numbers are needed"),
            ({"x": X[:0], "y": Y}, "d.npz: x is empty"),
            ({"x": X.reshape(3, 2, *[1] * 7), "y": Y}, "d.npz: x has 9 dimensions: the limit is 8"),
            ({"x": np.where(X == 3, np.nan, X), "y": Y}, "d.npz: x holds a wrong value in row 1: nan is no finite number"),
            ({"x": X, "y": Y, "a": X - np.inf}, "d.npz: a holds a wrong value in row 0: -inf is no finite number"),
            ({"x": X, "y": Y, "1a": X}, "d.npz: '1a' is no name for an input: letters, digits and _, not a digit first"),
            ({"x": X, "y": Y, "x_test": X}, "d.npz: y has no y_test, though others have"),
            ({"x": X, "y": np.zeros(3, int)}, "d.npz: y holds one class only: 0"),
        ],
    )  # fmt: skip
    def test_every_mistake(self, put, arrays, says):
        assert wrong("d.npz", put(packed(**arrays), "d.npz")) == [says]

    def test_objects_are_never_read(self, put, tmp_path):
        class Trap:
            def __reduce__(self):
                return (os.mkdir, (str(tmp_path / "sprung"),))

        folder = put(packed(x=np.array([Trap()], object), y=Y), "d.npz")
        says = "d.npz: x holds Python objects, which are never read: they could run code"
        assert wrong("d.npz", folder) == [says]
        assert not (tmp_path / "sprung").exists()

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            (b"", "the file is empty"),
            (b"hello", "this is neither a .npz nor a .npy file"),
            (b"PK\x03\x04 nothing", "the file is damaged: File is not a zip file"),
            (b"PK\x05\x06" + bytes(18), "the archive is empty"),
            (b"\x93NUMPY", "this is no .npy file"),
            (b"\x93NUMPY\x01\x00", "the file is damaged: unpack requires a buffer of 2 bytes"),
            (b"\x93NUMPY\x03\x00\x01\x00\x00\x00 ", "version 3.0 of the .npy format holds no plain numbers"),
            (header("x" * 20_000), "a header of 20000 bytes is too long"),
            (member(b"words", "a.txt"), "'a.txt' in the archive is no array"),
            (member(b"words"), "'x' is no array"),
            (member(header(" " * 4, (2, 0))[:8] + b"\xff\xff\xff\xff"), "a header of 4294967295 bytes is too long"),
            (header("{'descr': '<f8', 'fortran_order': False, 'shape': (2, -3), }"), "the array has a side below 0"),
            (header("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }") + bytes(8), "the array is cut off: 77 bytes of 117"),
            (header("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2), }") + bytes(24), "the array has 8 bytes more than its header says"),
            (header("{'descr': '<f8', 'fortran_order': False, 'shape': (10**9, 2), }"), None),
            (header("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000, 2), }"), "the array has 2,000,000,000 numbers: the limit is 50,000,000"),
            (header(f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({10**40}, 2), }}"), "the array has more than 10¹⁸ numbers: the limit is 50,000,000"),
            (header("{'descr': '|O', 'fortran_order': False, 'shape': (1, 2), }"), "the array holds Python objects, which are never read: they could run code"),
            (header("(" * 9000), None),
            (header("__import__('os').mkdir('sprung')"), None),
        ],
    )  # fmt: skip
    def test_no_array_file(self, put, content, says):
        lines = wrong("d.npz", put(content, "d.npz"))
        assert len(lines) == 1
        assert lines == [f"d.npz: {says}"] if says else lines[0].startswith("d.npz: the file is damaged")

    def test_an_archive_that_would_unpack_to_gigabytes(self, put, monkeypatch):
        """Zeros pack well: 60 kB for 60 million numbers, refused from the header before any of them is unpacked."""
        text = header("{'descr': '|u1', 'fortran_order': False, 'shape': (60000, 1000), }")
        content = member(text + bytes(60_000_000))
        assert len(content) < 100_000
        monkeypatch.setattr(npy, "_numbers", None)
        says = ["d.npz: x has 60,000,000 numbers: the limit is 50,000,000"]
        assert wrong("d.npz", put(content, "d.npz")) == says

    def test_many_arrays_that_are_too_large_together(self, put, monkeypatch):
        monkeypatch.setattr(npy, "MAX_BYTES", 100)
        monkeypatch.setattr(npy, "_numbers", None)
        says = ["d.npz: its arrays need 0 MiB: the limit is 0 MiB"]
        assert wrong("d.npz", put(packed(x=X.astype("u1"), y=Y, a=Y.astype("u1"), b=Y), "d.npz")) == says
        monkeypatch.setattr(npy, "MAX_ARRAYS", 3)
        assert wrong("d.npz", put(packed(x=X, y=Y, a=Y, b=Y), "d.npz")) == [
            "d.npz: 4 arrays are too many: the limit is 3"
        ]

    def test_a_header_that_lies_about_a_members_size(self, put):
        text = header("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2), }")
        assert wrong("d.npz", put(member(text + bytes(2**20)), "d.npz")) == [
            "d.npz: x has 1,048,560 bytes more than its header says"
        ]

    def test_two_members_of_one_name(self, put):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive, pytest.warns(UserWarning):
            archive.writestr("x.npy", b"1")
            archive.writestr("x.npy", b"2")
        assert wrong("d.npz", put(file.getvalue(), "d.npz")) == ["d.npz: 'x.npy' stands twice in the archive"]

    def test_an_encrypted_member(self, put):
        data = bytearray(member(b"1"))
        data[6] |= 1
        data[data.index(b"PK\x01\x02") + 8] |= 1
        assert wrong("d.npz", put(bytes(data), "d.npz")) == ["d.npz: 'x.npy' is encrypted"]

    def test_no_file(self, tmp_path):
        (tmp_path / "f.npz").mkdir()
        assert wrong("f.npz", tmp_path) == ["f.npz: this is a directory"]
        assert wrong("g.npz", tmp_path) == ["g.npz: no such file (did you mean f.npz?)"]
        assert wrong({"file": "g.npz", "label": 1}, tmp_path)[0].startswith("unknown key 'label' in data")

    def test_too_large_for_float32(self, put):
        lines = wrong("d.npz", put(packed(x=X * 1e39, y=Y), "d.npz"), largest=FLOAT32)
        assert lines == ["d.npz: x holds a wrong value in row 0: 1e+39 is too large for float32"]

    def test_a_wrong_one_dimensional_array(self, put):
        file = io.BytesIO()
        np.save(file, np.arange(3.0))
        says = "d.npy: the array is 3: (rows, columns) are needed, the last column being the target"
        assert wrong("d.npy", put(file.getvalue(), "d.npy")) == [says]

    def test_mutated_archives_are_read_or_refused_in_one_line(self, put):
        rng = random.Random(5)
        seeds = (
            packed(x=X, y=Y),
            member(header("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2), }") + bytes(16)),
        )
        file = io.BytesIO()
        np.save(file, X)
        for _ in range(1500):
            data = bytearray(rng.choice((*seeds, file.getvalue())))
            for _ in range(rng.choice((1, 1, 2, 5))):
                at = rng.randrange(len(data))
                data[at : at + rng.choice((0, 1, 1, 4))] = rng.randbytes(rng.choice((0, 1, 1, 4)))
            found, lines = attempt(
                "d.npz", put(bytes(data[: rng.choice((None, None, rng.randrange(len(data))))]), "d.npz")
            )
            assert bool(lines) == (found.x.size == 0)
            assert all(line.isprintable() for line in lines)


class TestText:
    def test_next(self, put):
        data = good({"text": "a.txt", "length": 3}, put("abcabcab", "a.txt"))
        assert data.classes == ("a", "b", "c")
        assert data.x.tolist() == [[0, 1, 2], [0, 1, 2]] and data.y.tolist() == [[1, 2, 0], [1, 2, 0]]

    def test_last(self, put):
        data = good({"text": "a.txt", "length": 3, "targets": "last"}, put("abcab", "a.txt"))
        assert data.x.tolist() == [[0, 1, 2], [1, 2, 0]] and data.y.tolist() == [[0], [1]]

    def test_columns(self, put):
        folder = put("aé\r\nb" * 5, "a.txt")
        numbers, columns = (good({"text": "a.txt", "length": 4, "one_hot": flag}, folder) for flag in (False, True))
        assert numbers.classes == ("\n", "a", "b", "é")
        assert np.array_equal(columns.x, np.eye(4)[numbers.x.astype(int)])
        assert columns.y.tolist() == numbers.y.tolist()

    def test_a_stride(self, put):
        data = good({"text": "a.txt", "length": 2, "stride": 1}, put("abcd", "a.txt"))
        assert data.x.tolist() == [[0, 1], [1, 2]]

    @pytest.mark.parametrize("options", [{}, {"stride": 3}, {"targets": "last"}, {"length": 7, "stride": 20}])
    def test_the_end_is_held_out_and_never_seen(self, tmp_path, options):
        text = "".join(chr(0x4E00 + i) for i in range(400))
        (tmp_path / "a.txt").write_text(text, encoding="utf-8")
        data = good({"text": "a.txt", "test": 0.25, **options}, tmp_path)
        seen = max(data.x.max(), data.y.max())
        assert seen < data.test[0].min() <= seen + 20
        whole = good({"text": "a.txt", **options}, tmp_path)
        assert len(data.test[0]) == round(0.25 * len(whole.x))

    def test_the_tale(self):
        data = good({"text": "tale", "length": 20, "batch": 16, "test": 5})
        text = "".join(data.classes[int(k)] for k in data.x.ravel())
        assert text.startswith("the cat sat on the mat.") and text.isascii() and text == text.lower()
        assert data.x.shape[1] == 20 and len(data.test[0]) == 5 and len(data.classes) < 30
        assert data.source == {"text": "tale", "length": 20, "batch": 16, "test": 5}

    @pytest.mark.parametrize(
        ("text", "options", "says"),
        [
            ("", {}, "a.txt: the file is empty"),
            ("abc", {"length": 3}, "a.txt: the text has 3 characters: length = 3 needs at least 4"),
            ("aaaa", {"length": 2}, "a.txt: the text has one character only: 'a'"),
            ("abcd", {"length": 1}, "length = a whole number is expected: 1 is less than 2"),
            ("abcd", {"length": 10**6}, "length = 1000000 is too large: the limit is 10,000"),
            ("abcd" * 9, {"targets": "nxt"}, "targets = 'nxt' (did you mean next?)"),
            ("abcd" * 9, {"targets": "all"}, "targets = 'all' (next or last)"),
            ("abcd" * 9, {"one_hot": "yes"}, "one_hot = true or false is expected: 'yes' is neither"),
            ("abcd" * 9, {"lenght": 3}, "unknown key 'lenght' in data (did you mean length?)"),
            ("abcd" * 9, {"test": 9}, "test = 9 of 2 rows leaves none to train with"),
            ("abcd" * 9, {"test": 1}, "test = 1 of 2 rows leaves none to train with"),
            ("abcd" * 9, {"y": [[1]]}, "data has both text and y: only one may stand"),
        ],
    )
    def test_every_mistake(self, put, text, options, says):
        assert wrong({"text": "a.txt", **options}, put(text, "a.txt")) == [says]

    def test_no_text(self, put, tmp_path):
        assert wrong({"text": "tail"}, tmp_path) == ["tail: no such file (did you mean tale?)"]
        assert wrong({"text": ""}, tmp_path) == ["text is the name of a file or a built-in text: tale"]
        assert wrong({"text": "a.txt"}, put(b"\xff", "a.txt")) == [
            "a.txt: line 1: this is no UTF-8 text: byte 0xff is none"
        ]

    def test_too_many_numbers(self, put):
        text = "".join(chr(0x4E00 + i) for i in range(2000)) * 2
        lines = wrong({"text": "a.txt", "one_hot": True, "length": 100, "stride": 1}, put(text, "a.txt"))
        assert lines == [
            "a.txt: 3,900 rows of 100 places of 2,000 characters are too many numbers: choose a larger stride"
        ]
