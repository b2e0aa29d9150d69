"""Good files changed at random: by bytes, by lines and words, by values, and array files by what they are made of."""

from __future__ import annotations

import io
import json
import re
import struct
import zipfile
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from fuzz_arrays import archive

# What is put between others, or in the place of others.
PIECES = (
    "[", "]", "{", "}", "(", ")", '"', "'", '"""', "=", "\n", "\r\n", "\r", "\t", "#", ",", ".", ":", ";", "\\", "\0", "\x1b[31m", "\x7f", "\x85", "é", "\u202e", "\u2028", "\ufeff", "😀", "true", "nan", "-inf", "null", "-1", "0", "1e999", "1e308", "0.0000001",
    "999999999999", "9" * 50, "[]", "{}", "[[]]", "[[1]]", "x", "W = [[1]]\n", "[net]\n", "[[layer]]\n", "layers = 3\n", "seed = 1\n", "\\u0000", "\\ud800", "dense", "conv 6 5", "lstm 8", "tanh", "x = ", "a.b.c", "1979-05-27", "/dev/zero", "../", "%s", "__import__('os')",
)  # fmt: skip
ODD_NUMBERS = (
    "-1", "0", "1", "2", "3", "7", "255", "65536", "1000000", "50000001", "2147483648", "9223372036854775807", "9223372036854775808", "1" + "0" * 400, "0.5", "-0.0", "1e-400", "1e308", "1e999", "nan", "inf", "true", '"1"', "[1]", "{}",
)  # fmt: skip
ODD_VALUES: tuple[Any, ...] = (
    None, True, False, -1, 0, 1, 2, 10**6, 10**19, 10**400, 0.5, -0.0, 1e308, float("nan"), float("inf"), "", "x", "dense", "relu", "xor", "tale", "d.npz", "\ud800", "\0", "\x1b[2J", "[/]", "a" * 5000, [], {}, [[]], [1], [1, 2], ["a"], [None], [[1], [2, 3]], [[[1]], [[2]]], {"x": 1},
    {"use": "adam"}, {"file": "d.npz"}, [1] * 5000,
)  # fmt: skip
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:e-?\d+)?")
_WORD = re.compile(rb"[A-Za-z_][\w-]*")


def scribbled(rng: Random, data: bytes) -> bytes:
    """Bits turned over, bytes put in, taken out, doubled, moved, cut off."""
    content = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        rng.choice(_SCRIBBLES)(rng, content)
    return bytes(content)


def _turn(rng: Random, data: bytearray) -> None:
    if data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _insert(rng: Random, data: bytearray) -> None:
    at = rng.randrange(len(data) + 1)
    data[at:at] = rng.randbytes(rng.choice((1, 1, 2, 8, 100)))


def _remove(rng: Random, data: bytearray) -> None:
    at = rng.randrange(len(data) + 1)
    del data[at : at + rng.choice((1, 1, 2, 5, 20, 200))]


def _double(rng: Random, data: bytearray) -> None:
    at = rng.randrange(len(data) + 1)
    data[at:at] = data[at : at + rng.choice((1, 5, 50, 500))] * rng.choice((1, 1, 2, 20))


def _move(rng: Random, data: bytearray) -> None:
    at, to, length = rng.randrange(len(data) + 1), rng.randrange(len(data) + 1), rng.choice((1, 10, 100))
    piece = data[at : at + length]
    del data[at : at + length]
    data[to:to] = piece


def _overwrite(rng: Random, data: bytearray) -> None:
    at = rng.randrange(len(data) + 1)
    fill = rng.choice((b"\0", b"\xff", b" ", b"\n", rng.randbytes(1))) * rng.choice((1, 2, 4, 8, 30))
    data[at : at + len(fill)] = fill


def _cut(rng: Random, data: bytearray) -> None:
    del data[rng.randrange(len(data) + 1) :]


def _behead(rng: Random, data: bytearray) -> None:
    del data[: rng.randrange(len(data) + 1)]


_SCRIBBLES: tuple[Callable[[Random, bytearray], None], ...] = (
    _turn, _turn, _insert, _remove, _double, _move, _overwrite, _cut, _behead,
)  # fmt: skip


def rewritten(rng: Random, data: bytes) -> bytes:
    """Lines doubled, dropped, swapped; words and numbers changed for others; pieces put in; another encoding."""
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        data = rng.choice(_REWRITES)(rng, data)
    return data


def _lines(rng: Random, data: bytes) -> bytes:
    lines = data.split(b"\n")
    at, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    way = rng.randrange(4)
    if way == 0:
        lines[at:at] = [lines[at]] * rng.choice((1, 1, 2, 50))
    elif way == 1:
        del lines[at]
    elif way == 2:
        lines[at], lines[other] = lines[other], lines[at]
    else:
        lines[at] = lines[at] + lines[other]
    return b"\n".join(lines)


def _number(rng: Random, data: bytes) -> bytes:
    return _replaced(rng, data, _NUMBER, rng.choice(ODD_NUMBERS).encode())


def _word(rng: Random, data: bytes) -> bytes:
    words = _WORD.findall(data) or [b"x"]
    return _replaced(rng, data, _WORD, rng.choice(words))


def _piece(rng: Random, data: bytes) -> bytes:
    at = rng.randrange(len(data) + 1)
    end = at + rng.choice((0, 0, 0, 1, 2, 5, 20))
    return data[:at] + rng.choice(PIECES).encode("utf-8", "surrogatepass") * rng.choice((1, 1, 1, 3, 300)) + data[end:]


def _encoding(rng: Random, data: bytes) -> bytes:
    words = data.decode("utf-8", "replace")
    made: Mapping[str, Callable[[], bytes]] = {
        "mark": lambda: b"\xef\xbb\xbf" + data,
        "windows": lambda: data.replace(b"\n", b"\r\n"),
        "old mac": lambda: data.replace(b"\n", b"\r"),
        "mixed": lambda: data.replace(b"\n", b"\r\n", rng.randrange(5)),
        "utf-16": lambda: words.encode("utf-16"),
        "latin-1": lambda: (words + "é").encode("latin-1", "replace"),
        "case": lambda: words.swapcase().encode(),
        "quotes": lambda: data.replace(b'"', b"'"),
        "tabs": lambda: data.replace(b" ", b"\t"),
    }
    return made[rng.choice(tuple(made))]()


def _replaced(rng: Random, data: bytes, pattern: re.Pattern[bytes], by: bytes) -> bytes:
    found = list(pattern.finditer(data))
    if not found:
        return data + by
    chosen = rng.choice(found)
    return data[: chosen.start()] + by + data[chosen.end() :]


_REWRITES: tuple[Callable[[Random, bytes], bytes], ...] = (
    _lines,
    _lines,
    _number,
    _number,
    _number,
    _word,
    _word,
    _piece,
    _piece,
    _encoding,
)


def revalued(rng: Random, data: bytes) -> bytes:
    """A JSON document with a value, a key or a whole part changed for another."""
    document = json.loads(data)
    made = changed(rng, document, rng.choice((0.01, 0.03, 0.1)))
    return json.dumps(made).encode("utf-8", "surrogatepass")


def changed(rng: Random, value: Any, share: float) -> Any:
    """A value with a share of its parts changed for others."""
    if rng.random() < share:
        return rng.choice(ODD_VALUES)
    if isinstance(value, dict):
        return _changed_table(rng, value, share)
    if isinstance(value, list):
        items = [changed(rng, item, share) for item in value]
        if items and rng.random() < share:
            items = rng.choice((items[1:], items + items[:1], items * 20, [items], items[::-1]))
        return items
    if isinstance(value, str) and rng.random() < share:
        return rewritten(rng, value.encode()).decode("utf-8", "replace")
    return value


def _changed_table(rng: Random, table: dict[str, Any], share: float) -> dict[str, Any]:
    result = {}
    keys = list(table)
    for key, item in table.items():
        if rng.random() < share:
            continue
        name = rng.choice((*keys, "", "x", "W", "dense", "__class__", "a b", "\x1b")) if rng.random() < share else key
        result[name] = changed(rng, table[rng.choice(keys)] if rng.random() < share else item, share)
    return result


def repacked(rng: Random, data: bytes) -> bytes:
    """An array file changed in its bytes, in a header, or in what an archive holds."""
    if not zipfile.is_zipfile(io.BytesIO(data)):
        return rng.choice((scribbled, reheaded, reheaded))(rng, data)
    if rng.random() < 0.3:
        return scribbled(rng, data)
    with zipfile.ZipFile(io.BytesIO(data)) as made:
        members = {name: made.read(name) for name in made.namelist()}
    name = rng.choice(tuple(members))
    way = rng.randrange(6)
    if way <= 2:
        members[name] = reheaded(rng, members[name])
    elif way == 3:
        members[name] = scribbled(rng, members[name])
    elif way == 4:
        members[rng.choice((*members, "", "x", "z.npy", "../x.npy", "a/x.npy", "X.npy", "x_train.npy"))] = members.pop(
            name
        )
    else:
        members[rng.choice(("z.npy", "x_test.npy", "y_test.npy", "W1.npy", "b1.npy"))] = members[
            rng.choice(tuple(members))
        ]
    return archive(members, rng.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED, zipfile.ZIP_BZIP2)))


_DESCRS = (
    "<f8",
    ">f8",
    "<f4",
    "<f2",
    "<i8",
    ">i4",
    "|i1",
    "|u1",
    "<u8",
    "|b1",
    "|O",
    "<c16",
    "<U2",
    "|S8",
    "|V8",
    "<M8[s]",
    "<f16",
    "f9",
    "",
    "O",
    "<g",
)
_SIDES = (-1, 0, 1, 2, 3, 4, 6, 1000, 10**6, 2**31, 2**32, 2**63, 2**64, 10**100)


def reheaded(rng: Random, data: bytes) -> bytes:
    """A .npy whose header says something else: another type, shape, order, version or length."""
    if data[:6] != b"\x93NUMPY" or len(data) < 12:
        return scribbled(rng, data)
    (length,) = struct.unpack("<H", data[8:10])
    head, body = data[10 : 10 + length], data[10 + length :]
    way = rng.randrange(6)
    if way == 0:
        head = re.sub(rb"'descr': '[^']*'", f"'descr': '{rng.choice(_DESCRS)}'".encode(), head)
    elif way == 1:
        shape = tuple(rng.choice(_SIDES) for _ in range(rng.randrange(5)))
        head = re.sub(rb"'shape': \([^)]*\)", f"'shape': {shape}".encode(), head)
    elif way == 2:
        head = head.replace(b"False", rng.choice((b"True", b"None", b"1", b"'x'")))
    elif way == 3:
        head = scribbled(rng, head)
    elif way == 4:
        body = scribbled(rng, body)
    versions = (b"\1\0",) * 6 + (b"\2\0", b"\3\0", b"\0\0", b"\xff\xff")
    said = len(head) if rng.random() < 0.9 else rng.randrange(2**16)
    return b"\x93NUMPY" + rng.choice(versions) + struct.pack("<H", min(said, 65_535)) + head + body
