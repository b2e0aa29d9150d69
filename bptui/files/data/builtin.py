"""Real data that lie in the package; `bptui/datasets/SOURCES.md` says where they are from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib.resources import files

from bptui.files.data.csvfile import from_text
from bptui.files.data.finishing import Raw
from bptui.files.data.written import package_arrays
from bptui.files.values import Table

# Each set's file, and how its inputs are scaled unless the spec says otherwise.
_FILES: Mapping[str, tuple[str, str]] = {
    "iris": ("iris.csv", "standard"),
    "wine": ("wine.csv", "standard"),
    "digits": ("digits.npz", "max"),
}
BUILTIN = tuple(_FILES)
# Whose rows are pictures, (height, width).
PICTURES: Mapping[str, tuple[int, int]] = {"digits": (8, 8)}


def read_builtin(table: Table, name: str) -> Raw:
    """Iris: (150, 4) centimetres and 3 species; wine: (178, 13) measurements and 3 growers; digits: (1797, 64) pixels
    of 8 × 8 pictures, 0 to 16, and 10 digits. Unless told otherwise, iris and wine are standardised, pixels go to 1.
    """
    file, scale = _FILES[name]
    data = files("bptui").joinpath("datasets", file).read_bytes()
    # Options of files, such as label, are not for these: the table is the spec's without them.
    plain = table.inner({}, table.where)
    raw = package_arrays(data, plain, name) if file.endswith(".npz") else from_text(plain, data.decode(), name)
    return replace(raw, scale=scale)
