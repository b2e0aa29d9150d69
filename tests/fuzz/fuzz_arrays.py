"""Malformed array files, .npz and .npy: headers that lie, pickles, bombs, and archives that are none."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping

import numpy as np
from fuzz_cases import Case, text

X, Y = np.arange(6.0).reshape(3, 2), np.array([[0.5], [1.5], [2.5]])
CLASSES = np.array([0, 1, 0])


def spec(file: str = "d.npz") -> bytes:
    return text(f'data = "{file}"\nlayers = ["dense 1"]\nloss = "mse"\n')


def weighted(value: str = '"w.npz"') -> bytes:
    return text(f'data = "xor"\nloss = "mse"\n[[layer]]\ndense = 1\nW = {value}\n')


def case(name: str, content: bytes, file: str = "d.npz") -> Case:
    """As the data of a spec."""
    return Case(name, "net.toml", {"net.toml": spec(file), file: content})


def both(name: str, content: bytes) -> Iterator[Case]:
    """As data, as a layer's weights, and as weights for all."""
    yield case(name, content)
    yield Case(f"{name}, for W", "net.toml", {"net.toml": weighted(), "w.npz": content})
    whole = text('data = "xor"\nlayers = ["dense 1"]\nloss = "mse"\nweights = "w.npz"\n')
    yield Case(f"{name}, for all weights", "net.toml", {"net.toml": whole, "w.npz": content})


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, array, allow_pickle=True)
    return file.getvalue()


def packed(arrays: Mapping[str, np.ndarray], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    return archive({f"{name}.npy": npy(array) for name, array in arrays.items()}, method)


def archive(members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as made:
        for name, content in members.items():
            made.writestr(zipfile.ZipInfo(name), content, method)
    return file.getvalue()


def header(words: str | bytes, version: tuple[int, int] = (1, 0), length: int | None = None) -> bytes:
    data = words.encode("latin-1", "replace") if isinstance(words, str) else words
    code = "<H" if version == (1, 0) else "<I"
    return b"\x93NUMPY" + bytes(version) + struct.pack(code, len(data) if length is None else length) + data


def described(descr: str = "'<f8'", shape: str = "(3, 2)", fortran: str = "False", more: str = "") -> str:
    return f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, {more}}}\n"


class Trap:
    """What unpickling would run."""

    def __reduce__(self):
        return (exec, ("open('hostile', 'w').close()",))


HEADERS = {
    "empty": "", "blank": " " * 60, "no dict": "hello", "a list": "[1, 2]", "half a dict": "{'descr': '<f8'", "no shape": "{'descr': '<f8', 'fortran_order': False}", "a key too many": described(more="'a': 1"), "keys of numbers": "{1: 2, 3: 4, 5: 6}",
    "code": "__import__('os').system('touch hostile')", "code in the shape": described(shape="(__import__('os').system('touch hostile'),)"), "a call": described(shape="tuple([3, 2])"), "a comprehension": described(shape="tuple(k for k in (3, 2))"),
    "a negative side": described(shape="(-3, 2)"), "two negative sides": described(shape="(-3, -2)"), "no side": described(shape="(0, 2)"), "a fraction": described(shape="(3.0, 2)"), "a text as side": described(shape="('3', 2)"),
    "a number as shape": described(shape="6"), "a list as shape": described(shape="[3, 2]"), "no shape at all": described(shape="None"), "a shape of shapes": described(shape="((3, 2),)"), "nine sides": described(shape="(1,1,1,1,1,1,1,3,2)"), "a thousand sides": described(shape="(" + "1," * 1000 + ")"),
    "a huge side": described(shape=f"({10**9}, 2)"), "a side beyond 64 bits": described(shape=f"({2**64}, 2)"), "sides that wrap": described(shape=f"({2**32}, {2**32})"), "sides that wrap to six": described(shape=f"({2**63 + 3}, 2)"), "a side of 4000 digits": described(shape=f"({'9' * 4000}, 2)"), "a side of 5000 digits": described(shape=f"({'9' * 5000}, 2)"),
    "fortran by word": described(fortran="'yes'"), "fortran none": described(fortran="None"), "fortran 1": described(fortran="1"),
    "objects": described("'|O'"), "objects by name": described("'object'"), "a structure": described("[('a', '<f8'), ('b', '<f8')]"), "a structure of objects": described("[('a', '|O')]"), "a nested structure": described("[('a', [('b', '<f8')])]"), "a subarray": described("('<f8', (2,))"),
    "texts": described("'<U8'"), "bytes": described("'|S8'"), "nothing": described("'|V8'"), "nothing of nothing": described("'|V0'"), "texts of nothing": described("'<U0'"), "dates": described("'<M8[s]'"), "spans": described("'<m8[s]'"), "complex": described("'<c16'"), "half complex": described("'<c8'"),
    "no such type": described("'<f9'"), "an empty type": described("''"), "a type of code": described("\"__import__('os')\""), "a type of 10,000 letters": described("'" + "f" * 9000 + "'"), "a type by number": described("8"), "no type": described("None"), "a dict as type": described("{'names': ['a'], 'formats': ['<f8']}"),
    "a huge text type": described("'<U99999999'"), "a comma type": described("'f8,f8'"), "an aligned type": described("{'names': ['a'], 'formats': ['O'], 'offsets': [0], 'itemsize': 8}"), "long doubles": described("'<g'"),
    "deep brackets": "(" * 9000, "deep braces": "{" * 3000 + "}" * 3000, "deep minus": described(shape="(" + "-" * 5000 + "3, 2)"), "a long sum": described(shape="(3" + "+0" * 2000 + ", 2)"), "an f-string": described(shape="(f'{3}', 2)"), "zeros": "\0" * 60, "a line end inside": described().replace(",", ",\n"), "Python 2": described(shape="(3L, 2L)"),
    "not Latin-1": "ÿ" * 60, "a comment": "# nothing\n",
}  # fmt: skip
# These are read: an eight-byte number is an eight-byte number.
READ = ("a line end inside", "Python 2")


def lying_headers() -> Iterator[Case]:
    """48 bytes of numbers behind a header that says something else."""
    body = X.tobytes()
    for name, words in HEADERS.items():
        if name in READ:
            continue
        content = header(words) + body if len(words) < 65_000 else header(words, (2, 0)) + body
        yield case(f"{name}, .npy", content, "d.npy")
        yield from both(name, archive({"x.npy": content, "y.npy": npy(Y)}))


def lengths() -> Iterator[Case]:
    """Headers and numbers that are not as long as they say."""
    good = header(described()) + X.tobytes()
    contents = {
        "no number": header(described()), "a number too few": good[:-8], "a byte too few": good[:-1], "a byte too many": good + b"\0", "a megabyte too many": good + bytes(2**20), "half a header": good[:30], "half a magic": good[:3],
        "magic alone": good[:8], "a length alone": good[:10], "a header longer than the file": header(described(), length=60_000), "a header of 4 GB": header(described(), (2, 0), 2**32 - 1) + X.tobytes(), "a header of nothing": header("", length=0) + X.tobytes(),
        "version 0": b"\x93NUMPY\x00\x00" + good[8:], "version 3": b"\x93NUMPY\x03\x00" + good[8:], "version 255": b"\x93NUMPY\xff\xff" + good[8:], "another magic": b"\x94NUMPY" + good[6:], "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(50), "MATLAB": b"MATLAB 5.0 MAT-file" + bytes(200),
        "a torch file": archive({"archive/data.pkl": b"\x80\x02cos\nsystem\n."}), "empty": b"", "words": b"hello",
    }  # fmt: skip
    for name, content in contents.items():
        yield case(f"{name}, .npy", content, "d.npy")
        yield from both(name, archive({"x.npy": content, "y.npy": npy(Y)}))
    for name, array in {
        "no columns": np.arange(3.0),
        "one number": np.float64(3),
        "one column": np.ones((3, 1)),
    }.items():
        yield case(name, npy(array), "d.npy")


def pickles() -> Iterator[Case]:
    """Whatever would run code if it were unpickled."""
    trap = np.array([[Trap()]], dtype=object)
    raw = pickle.dumps(Trap())
    for protocol in range(6):
        yield from both(f"protocol {protocol}", pickle.dumps(Trap(), protocol))
    yield case("an array of traps, .npy", npy(trap), "d.npy")
    yield from both("an array of traps", packed({"x": trap, "y": Y}))
    yield from both("a trap among others", packed({"x": X, "y": Y, "a": trap}))
    yield from both("a pickle as a member", archive({"x.npy": raw, "y.npy": npy(Y)}))
    yield from both("a pickle beside", archive({"x.npy": npy(X), "y.npy": npy(Y), "z.pkl": raw}))
    yield from both("a pickle behind plain numbers", archive({"x.npy": npy(X) + raw, "y.npy": npy(Y)}))
    yield from both(
        "a pickle behind a header of objects",
        archive({"x.npy": header(described("'|O'", "(1, 1)")) + raw, "y.npy": npy(Y)}),
    )
    yield from both(
        "a pickle in a structure", archive({"x.npy": header(described("[('a', '|O')]", "(1,)")) + raw, "y.npy": npy(Y)})
    )
    yield from both("a pickle before the archive", raw + packed({"x": trap, "y": Y}))


def deflated(content: bytes) -> bytes:
    """Blocks of a deflated stream that no others need: they may stand in any order, and as often as one likes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush(zlib.Z_FULL_FLUSH)


def bomb(shape: str, megabytes: int, claimed: int | None = None, descr: str = "'|u1'") -> bytes:
    """An archive whose x unpacks to so many megabytes of zeros; its directory may claim another size."""
    head = header(described(descr, shape))
    data = deflated(head) + deflated(bytes(2**20)) * megabytes + zlib.compressobj(9, zlib.DEFLATED, -15).flush()
    return raw_archive("x.npy", data, len(head) + megabytes * 2**20 if claimed is None else claimed)


def raw_archive(name: str, data: bytes, size: int) -> bytes:
    """An archive of one deflated member, written by hand so that its size may lie. Nobody gets as far as its checksum."""
    encoded = name.encode()
    fields = struct.pack("<HHHHHIII", 20, 0, 8, 0, 33, 0, len(data), size & 0xFFFFFFFF)
    local = b"PK\x03\x04" + fields + struct.pack("<HH", len(encoded), 0) + encoded
    entry = b"PK\x01\x02\x14\x00" + fields + struct.pack("<HHHHHII", len(encoded), 0, 0, 0, 0, 0, 0) + encoded
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(entry), len(local) + len(data), 0)
    return local + data + entry + end


def bombs() -> Iterator[Case]:
    """Small files that unpack to more than a machine has. The first is of 1.5 MB and unpacks to 1.6 GB."""
    yield from both("1.6 GB of bytes", bomb("(1638400, 1024)", 1600))
    yield from both("1.6 GB of floats", bomb("(204800, 1024)", 1600, descr="'<f8'"))
    yield from both("100 MB that claim to be 6 numbers", bomb("(3, 2)", 100, descr="'<f8'"))
    yield from both(
        "100 MB whose directory claims 6 numbers",
        bomb("(3, 2)", 100, claimed=len(header(described())) + 48, descr="'<f8'"),
    )
    yield from both(
        "300 MB whose directory and header claim a fitting size",
        bomb("(3000, 1000)", 300, claimed=len(header(described("'<f8'", "(3000, 1000)"))) + 24_000_000, descr="'<f8'"),
    )
    yield from both(
        "6 numbers that claim to be 1.6 GB",
        archive({"x.npy": header(described(shape="(204800, 1024)")) + X.tobytes(), "y.npy": npy(Y)}),
    )
    yield from both(
        "60 million bytes", archive({"x.npy": header(described("'|u1'", "(60000, 1000)")) + bytes(60_000_000)})
    )
    yield from both("a thousand and one arrays", packed({f"a{k}": np.ones(1) for k in range(1001)}))
    yield from both("100 MB without a header", raw_archive("x.npy", deflated(bytes(2**20)) * 100, 100 * 2**20))
    yield case("an archive in an archive", archive({"x.npz": packed({"x": X, "y": Y})}))


def archives() -> Iterator[Case]:
    """Archives that are none, or hold what they should not."""
    good = packed({"x": X, "y": Y})
    at = good.rindex(b"PK\x05\x06")
    directory = good.index(b"PK\x01\x02")
    contents = {
        "no directory": good[:directory], "no end": good[:at], "half": good[: len(good) // 2], "a byte": b"P", "a signature": b"PK\x03\x04", "an empty archive": b"PK\x05\x06" + bytes(18), "the end alone": good[at:], "reversed": good[::-1],
        "zeros inside": good[:60] + bytes(40) + good[100:], "a directory far away": good[: at + 16] + struct.pack("<I", 2**31) + good[at + 20 :], "a wrong checksum": good.replace(good[14:18], b"\0\0\0\0"), "an unknown method": good.replace(b"\x08\x00\x00\x00\x21\x00", b"\x63\x00\x00\x00\x21\x00"), "encrypted": good.replace(b"PK\x01\x02\x14\x03\x14\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01\x00"),
        "no y": packed({"x": X}), "no x": packed({"y": Y}), "x of one dimension": packed({"x": X[0], "y": Y}), "y of none": packed({"x": X, "y": np.float64(1)}), "other rows": packed({"x": X, "y": Y[:2]}), "nan": packed({"x": X * np.nan, "y": Y}), "infinity": packed({"x": np.full((3, 2), np.inf), "y": Y}),
        "one class": packed({"x": X, "y": np.zeros(3, int)}), "x twice": packed({"x": X, "X": X, "y": Y}), "y_test alone": packed({"x": X, "y": Y, "y_test": Y}), "another width": packed({"x": X, "y": Y, "x_test": X[:, :1], "y_test": Y}),
    }  # fmt: skip
    for name, content in contents.items():
        yield case(name, content)
    names = ("", ".npy", "/x.npy", "../x.npy", "a/../../x.npy", "C:\\x.npy", "x.npy/", "x", "x.txt", "x\0.npy", "x\x1b[2J.npy", "x\u202e.npy", "[/].npy", "x y.npy", "1.npy", "class.npy", "\U0001f600.npy", "lr.npy", "x_test_test.npy", "x.grad.npy")  # fmt: skip
    for name in names:
        yield case(f"a member called {name[:20]!r}", archive({"x.npy": npy(X), "y.npy": npy(Y), name: npy(X)}))
    twice = io.BytesIO()
    with zipfile.ZipFile(twice, "w") as made:
        for content in (npy(X), npy(Y)):
            made.writestr(
                zipfile.ZipInfo("x.npy"), content
            ) if "x.npy" not in made.namelist() else made.filelist.append(made.filelist[0])
    yield case("a member twice", twice.getvalue())
    for method, called in ((zipfile.ZIP_BZIP2, "bzip2"), (zipfile.ZIP_LZMA, "lzma")):
        broken = bytearray(packed({"x": X, "y": Y}, method))
        broken[60:70] = b"\xff" * 10
        yield case(f"broken {called}", bytes(broken))


KEYS = (
    "{ file = 'w.npz', key = 'qqq' }", "{ file = 'w.npz', key = '' }", "{ file = 'w.npz', key = 3 }", "{ file = 3 }", "{ file = '' }", "{ file = 'w.npz', qqq = 1 }", "{}", "'none.npz'", "'w.npz/x'", "''", "'.'", "'/dev/zero'", "'\\u0000'".replace("'", '"'), "'net.toml'",
)  # fmt: skip


def keys() -> Iterator[Case]:
    """A good file of weights, and a spec that does not say what is meant of it."""
    arrays = packed({"a": np.ones((2, 1)), "b": np.ones((3, 1))})
    for value in KEYS:
        yield Case(value, "net.toml", {"net.toml": weighted(value), "w.npz": arrays})
    for name, array in {
        "another shape": np.ones((3, 1)),
        "flat": np.ones(2),
        "deep": np.ones((2, 1, 1)),
        "nan": np.full((2, 1), np.nan),
        "texts": np.array([["a"], ["b"]]),
        "complex": np.ones((2, 1), complex),
        "a number": np.float64(2),
    }.items():
        yield Case(f"weights {name}", "net.toml", {"net.toml": weighted(), "w.npz": packed({"W1": array})})


GENERATORS = {
    "headers": lying_headers,
    "lengths": lengths,
    "pickles": pickles,
    "bombs": bombs,
    "archives": archives,
    "keys": keys,
}
