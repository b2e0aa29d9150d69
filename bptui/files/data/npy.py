"""Array files, .npz and .npy: every header is read and weighed before a single number is.

An archive of 1.5 MB can unpack to gigabytes, and a header may claim anything: sizes come from the headers, are compared
with what the file holds, and only then are numbers read. Python objects (pickles) are never read.
"""

from __future__ import annotations

import io
import lzma
import math
import struct
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

import numpy as np
import numpy.typing as npt

from bptui.engine.network import Array
from bptui.files.data.opening import opened
from bptui.files.report import FileError
from bptui.files.text import quoted, safe

MAX_NUMBERS = 50_000_000
MAX_BYTES = 512 * 2**20
MAX_ARRAYS = 1000
MAX_DIMENSIONS = 8
# A header of plain numbers has about 100 bytes; NumPy's own limit.
_MAX_HEADER = 10_000
_LENGTHS = {(1, 0): "<H", (2, 0): "<I"}
_HEADERS: Mapping[tuple[int, int], Callable[[IO[bytes]], tuple[tuple[int, ...], bool, np.dtype]]] = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    tokenize.TokenError,
    SyntaxError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    MemoryError,
    EOFError,
    NotImplementedError,
    RuntimeError,
)


class _RefusedError(Exception):
    """Why a file is not read, without its name."""


@dataclass(frozen=True)
class _Header:
    """What an array claims to be, and on how many bytes of the stream that claim stands."""

    name: str
    shape: tuple[int, ...]
    dtype: npt.DTypeLike
    fortran: bool
    length: int

    @property
    def what(self) -> str:
        """The array as a message calls it."""
        return safe(self.name[:40]) if self.name else "the array"

    @property
    def size(self) -> int:
        """Bytes that its numbers take in the file."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize


def read_arrays(path: Path, shown: str) -> dict[str, Array]:
    """Name → array of a .npz, in the file's order; a .npy's only array has the name "".

    Arrays keep their type (whole numbers, floats, true and false), are writable and C-contiguous. Raises FileError.
    """
    file, size = opened(path, shown)
    with file:
        return _all(file, size, shown)


def read_bytes(data: bytes, shown: str) -> dict[str, Array]:
    """As read_arrays, from bytes."""
    return _all(io.BytesIO(data), len(data), shown)


def _all(file: BinaryIO, size: int, shown: str) -> dict[str, Array]:
    try:
        start = file.read(6)
        file.seek(0)
        if start[:2] == b"PK":
            return _archive(file)
        if start == np.lib.format.MAGIC_PREFIX:
            return _single(file, size)
        fault = "the file is empty" if not start else "this is neither a .npz nor a .npy file"
    except _RefusedError as refused:
        fault = str(refused)
    except OSError as error:
        fault = f"can't be read: {error.strerror or error}"
    except _DAMAGED as error:
        fault = f"the file is damaged: {str(error).splitlines()[0][:100] if str(error) else type(error).__name__}"
    raise FileError(safe(f"{shown}: {fault}")) from None


def _single(file: BinaryIO, size: int) -> dict[str, Array]:
    header = _header(file, "")
    _weigh([header])
    _compare(header, size)
    return {"": _numbers(file, header)}


def _archive(file: BinaryIO) -> dict[str, Array]:
    with zipfile.ZipFile(file) as archive:
        infos = _members(archive)
        headers = [_peek(archive, info) for info in infos]
        _weigh(headers)
        for info, header in zip(infos, headers, strict=True):
            _compare(header, info.file_size)
        return {header.name: _member(archive, info, header) for info, header in zip(infos, headers, strict=True)}


def _members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The arrays of an archive; each name may stand once, and nothing else may lie in it."""
    infos = archive.infolist()
    if not infos:
        raise _RefusedError("the archive is empty")
    if len(infos) > MAX_ARRAYS:
        raise _RefusedError(f"{len(infos)} arrays are too many: the limit is {MAX_ARRAYS}")
    names = [info.filename for info in infos]
    for info in infos:
        if not info.filename.endswith(".npy") or info.filename == ".npy":
            raise _RefusedError(f"{quoted(info.filename)} in the archive is no array")
        if names.count(info.filename) > 1:
            raise _RefusedError(f"{quoted(info.filename)} stands twice in the archive")
        if info.flag_bits & 1:
            raise _RefusedError(f"{quoted(info.filename)} is encrypted")
    return infos


def _peek(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> _Header:
    with archive.open(info) as stream:
        return _header(stream, info.filename.removesuffix(".npy"))


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, header: _Header) -> Array:
    with archive.open(info) as stream:
        _header(stream, header.name)
        return _numbers(stream, header)


@contextmanager
def _quiet() -> Iterator[None]:
    """NumPy warns of headers that Python 2 wrote; they are read all the same."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _header(stream: IO[bytes], name: str) -> _Header:
    """The header at the stream's place. Its length is looked at before it is read: that too may claim anything."""
    magic = stream.read(8)
    if magic[:6] != np.lib.format.MAGIC_PREFIX or len(magic) < 8:
        raise _RefusedError(f"{quoted(name)} is no array" if name else "this is no .npy file")
    version = (magic[6], magic[7])
    if version not in _HEADERS:
        raise _RefusedError(f"version {version[0]}.{version[1]} of the .npy format holds no plain numbers")
    code = _LENGTHS[version]
    field = stream.read(struct.calcsize(code))
    (length,) = struct.unpack(code, field)
    if length > _MAX_HEADER:
        raise _RefusedError(f"a header of {length} bytes is too long")
    with _quiet():
        shape, fortran, dtype = _HEADERS[version](io.BytesIO(field + stream.read(length)))
    header = _Header(name, tuple(map(int, shape)), dtype, fortran, len(magic) + len(field) + length)
    _check_kind(header)
    return header


def _check_kind(header: _Header) -> None:
    dtype = np.dtype(header.dtype)
    if dtype.hasobject:
        raise _RefusedError(f"{header.what} holds Python objects, which are never read: they could run code")
    if dtype.kind not in "biuf":
        kind = {"c": "complex numbers", "U": "texts", "S": "texts"}.get(dtype.kind, "no plain numbers")
        raise _RefusedError(f"{header.what} holds {kind}: real numbers are needed")
    if any(side < 0 for side in header.shape):
        raise _RefusedError(f"{header.what} has a side below 0")
    if len(header.shape) > MAX_DIMENSIONS:
        raise _RefusedError(f"{header.what} has {len(header.shape)} dimensions: the limit is {MAX_DIMENSIONS}")
    if 0 in header.shape:
        raise _RefusedError(f"{header.what} is empty")


def _weigh(headers: list[_Header]) -> None:
    """Refuse what is too large, before any of it is read. Numbers take 8 bytes here, whatever they take there."""
    for header in headers:
        if (count := math.prod(header.shape)) > MAX_NUMBERS:
            shown = f"{count:,}" if count < 10**18 else "more than 10¹⁸"
            raise _RefusedError(f"{header.what} has {shown} numbers: the limit is {MAX_NUMBERS:,}")
    total = sum(math.prod(header.shape) * max(8, np.dtype(header.dtype).itemsize) for header in headers)
    if total > MAX_BYTES:
        raise _RefusedError(f"its arrays need {total >> 20:,} MiB: the limit is {MAX_BYTES >> 20} MiB")


def _compare(header: _Header, size: int) -> None:
    """A file has to be as long as its header says."""
    claimed = header.length + header.size
    if size < claimed:
        raise _RefusedError(f"{header.what} is cut off: {size:,} bytes of {claimed:,}")
    if size > claimed:
        raise _RefusedError(f"{header.what} has {size - claimed:,} bytes more than its header says")


def _numbers(stream: IO[bytes], header: _Header) -> Array:
    """The numbers after a header. Reading on to the end has the archive's checksum looked at."""
    data = stream.read(header.size)
    if len(data) < header.size or stream.read(1):
        raise _RefusedError(f"{header.what} is not as long as its header says")
    dtype = np.dtype(header.dtype)
    flat = np.frombuffer(data, dtype).astype(dtype.newbyteorder("="))
    if header.fortran:
        return np.ascontiguousarray(flat.reshape(header.shape[::-1]).T)
    return flat.reshape(header.shape)
