"""Weights in files of their own: .npz and .npy, without pickle, read headers first, written whole or not at all."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from bptui.engine.network import Array
from bptui.files.data.npy import read_arrays
from bptui.files.report import FileError
from bptui.files.text import quoted, safe
from bptui.files.values import suggest
from bptui.files.whole import replace_file

# The archive's comment, by which a file of our own making is known again.
MARKER = b"written by bptui save"


def read_array(path: Path, key: str | None = None) -> Array:
    """One array of a file, as float64 in the shape it has there.

    key  its name in a .npz; may be left out where there is only one. A .npy holds one array without a name.

    Raises FileError, also where a number is not finite.
    """
    shown = safe(str(path))
    arrays = read_arrays(path, str(path))
    name = "" if "" in arrays else next(iter(arrays)) if key is None and len(arrays) == 1 else key
    if name is None:
        raise FileError(f"{shown}: it holds {_some(arrays)}: say by key which is meant")
    if name not in arrays:
        hint = suggest(name, arrays) or f" (it holds {_some(arrays)})"
        raise FileError(f"{shown}: it holds no {quoted(name)}{safe(hint)}")
    array: Array = arrays[name].astype(np.float64)
    if not np.isfinite(array).all():
        place = ", ".join(map(str, np.argwhere(~np.isfinite(array))[0]))
        what = safe(name) or "the array"
        raise FileError(f"{shown}: {what} holds a number that is not finite, at [{place}]")
    return array


def load_npz(path: Path) -> dict[str, Array]:
    """Every array of a .npz, by name, to the bits and in the type in which they were saved. Raises FileError."""
    arrays = read_arrays(path, str(path))
    if "" in arrays:
        raise FileError(f"{safe(str(path))}: this is a .npy file, with one array and no name for it")
    return arrays


def save_npz(path: str | Path, arrays: Mapping[str, Array]) -> None:
    """Write arrays by name: whole or not at all, and never over a file of somebody else's making.

    The same arrays give the same bytes. Raises FileError; ValueError where an array holds no real numbers.
    """
    data = _packed(arrays)
    target = Path(path)
    try:
        refusal = _refusal(target)
        if not refusal:
            replace_file(target, data)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FileError(safe(f"{path}: can't be written: {reason}")) from None
    if refusal:
        raise FileError(f"{safe(str(path))}: {refusal}")


def _packed(arrays: Mapping[str, Array]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = MARKER
        for name, array in arrays.items():
            if array.dtype.kind not in "biuf":
                raise ValueError(f"{name} holds {array.dtype} and no real numbers")
            member = io.BytesIO()
            np.lib.format.write_array(member, array, allow_pickle=False)
            # Without a date of its own: the same numbers are the same file.
            info = zipfile.ZipInfo(f"{name}.npy")
            archive.writestr(info, member.getvalue(), zipfile.ZIP_DEFLATED)
    return file.getvalue()


def _refusal(path: Path) -> str:
    """Why that file may not be overwritten, or nothing: only one that save_npz wrote may be."""
    if path.is_dir():
        return "this is a directory"
    ours = not os.path.lexists(path) or (path.is_file() and _ends_with_marker(path))
    return "" if ours else "it exists and was not written by save, so it is left alone"


def _ends_with_marker(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - len(MARKER)))
        return file.read() == MARKER


def _some(names: Mapping[str, Array]) -> str:
    """A few of the names, for a message."""
    shown = [safe(name[:40]) for name in list(names)[:6]]
    return ", ".join(shown) + (", …" if len(names) > 6 else "")
