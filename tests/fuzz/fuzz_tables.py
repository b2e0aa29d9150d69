"""Malformed data beside a good spec: tables of text (CSV), and texts for sequences."""

from __future__ import annotations

from collections.abc import Iterator

from fuzz_cases import FOLDER, LOOP, PIPE, Case, Content, text

GOOD_TABLE = "height,width,colour,species\n1,2,red,cat\n3,4,blue,dog\n5,6,red,cat\n7,8,green,dog\n"
OPTIONS = "one_hot = 'colour'"


def spec(
    options: str = OPTIONS, file: str = "points.csv", layers: str = '"dense 1 sigmoid"', loss: str = "bce"
) -> bytes:
    options = f", {options}" if options else ""
    return text(f'data = {{ file = "{file}"{options} }}\nlayers = [{layers}]\nloss = "{loss}"\n')


def case(name: str, table: Content, options: str = OPTIONS, file: str = "points.csv") -> Case:
    return Case(name, "net.toml", {"net.toml": spec(options, file), file: table})


def plain(name: str, table: str | bytes) -> Case:
    """A table of numbers, or what should be one."""
    content = text(table) if isinstance(table, str) else table
    return Case(name, "net.toml", {"net.toml": spec("", layers='"dense 1"', loss="mse"), "points.csv": content})


def no_table() -> Iterator[Case]:
    """Bytes that are no text, or nothing at all."""
    good = text(GOOD_TABLE)
    contents = {
        "empty": b"", "blank": b"\n \n\t\n", "a header alone": b"a,b\n", "one column": b"a\n1\n2\n", "another delimiter": b"a;b\n1;2\n3;4\n", "tabs": b"a\tb\n1\t2\n",
        "one word": b"hello", "a zero": good + b"\0", "zeros": bytes(1000), "UTF-16": GOOD_TABLE.encode("utf-16"), "UTF-32": GOOD_TABLE.encode("utf-32"),
        "Latin-1": good + "é,1,red,cat\n".encode("latin-1"), "half a character": good + b"\xe2\x82,", "a surrogate": good + b"\xed\xa0\x80,1,1,1\n", "zip": b"PK\x03\x04" + bytes(40),
        "xls": b"\xd0\xcf\x11\xe0" + bytes(40), "a pickle": b"\x80\x04cos\nsystem\n(S'touch hostile'\ntR.", "gzip": b"\x1f\x8b" + bytes(20), "a mark alone": b"\xef\xbb\xbf", "JSON": b'{"a": [1, 2]}', "HTML": b"<table><tr><td>1</td></tr></table>",
        "every byte": bytes(range(256)), "a megabyte of commas": b"," * 2**20, "a megabyte of quotes": b'"' * 2**20, "a megabyte of line ends": b"\n" * 2**20, "a megabyte of one word": b"a" * 2**20,
        "a megabyte of quoted line ends": b'"' + b"\n" * 2**20, "two hundred thousand carriage returns": b"a\r" * 200_000,
    }  # fmt: skip
    for name, content in contents.items():
        yield case(name, content)
    for name in (FOLDER, PIPE, LOOP):
        yield case(name, name)
    for file in (
        "none.csv",
        "../none.csv",
        "/dev/zero",
        "/dev/null",
        "a/b/c.csv",
        "x" * 300 + ".csv",
        "/" + "x/" * 3000 + ".csv",
        "points.csv\\u0000.csv",
        "\\u001b[2J.csv",
        "\\u202e.csv",
    ):
        yield Case(f"named {file[:20]}", "net.toml", {"net.toml": spec(file=file), "points.csv": good})  # fmt: skip


CELLS = (
    "", " ", "x", "nan", "NaN", "-nan", "inf", "-Infinity", "1e999", "-1e999", "1_000", "1,5", "0x10", "1e", "--1", "1.2.3", "½", "²", "∞", "−1", "1 2", "#N/A", "NULL", "None", "True",
    "=1+1", "=cmd|'/C calc'!A0", "@SUM(1)", "\x1b[31m", "\x9b31m", "\u202e1", "\u200b", "[/]", "x" * 100_000, "9" * 100_000 + "x", "1" + "e" * 5000, "\\", "%s", "{0}", "\ufeff1",
)  # fmt: skip


def wrong_cells() -> Iterator[Case]:
    """A number that is none, first and last in its table, and a whole column of it."""
    for k, cell in enumerate(CELLS):
        shown = f'"{cell}"' if "," in cell else cell
        yield plain(f"cell {k} first: {cell[:12]!r}", f"a,b\n{shown},1\n2,3\n")
        yield plain(f"cell {k} last: {cell[:12]!r}", "a,b\n1,2\n" + "3,4\n" * 50 + f"{shown},6\n")
        yield plain(f"cell {k} a hundred times: {cell[:12]!r}", "a,b\n1,2\n" + f"{shown[:1000]},6\n" * 100)


RAGGED = {
    "too few": "a,b,c\n1,2,3\n4,5\n", "too many": "a,b\n1,2\n3,4,5\n", "a header too short": "a,b\n1,2,3\n", "a header too long": "a,b,c\n1,2\n", "a final comma": "a,b\n1,2,\n", "a thousand too few": "a,b\n" + "1\n" * 1000,
    "each another": "a,b\n" + "".join(",".join("1" * k) + "\n" for k in range(3, 60)), "one giant": "a,b\n1,2\n" + "1," * 300_000 + "\n", "a header of 20,000": ",".join(f"c{k}" for k in range(20_000)) + "\n",
    "rows of 20,000": ",".join("1" for _ in range(20_000)) + "\n", "twice a name": "a,a,b\n1,2,3\n", "twice a name, blanks": "a, a,b\n1,2,3\n", "a blank line of cells": "a,b\n1,2\n,\n", "comments": "a,b\n1,2\n# nothing\n",
}  # fmt: skip
QUOTES = {
    "never closed": 'a,b\n1,"2\n3,4\n', "never closed, long": 'a,b\n1,"' + "2,3\n" * 100_000, "something after": 'a,b\n1,"2"3\n', "inside": 'a,b\n1,2"3\n', "three": 'a,b\n1,"""\n', "a quote alone": 'a,b\n",2\n',
    "a number with a quote": 'a,b\n"1""2",3\n', "a line end in a number": 'a,b\n"1\n2",3\n', "a name of lines": '"a\nb","c\nd"\nx,y\n', "a field of a megabyte": "a,b\n1," + "x" * 2**20 + "\n", "an escape by backslash": 'a,b\n1,"2\\"3"\n',
    "mixed line ends": "a,b\r\n1,2\n3,x\r5,6\r\n", "a carriage return alone": "a,b\r1,x\r3,4\r", "a vertical tab": "a,b\n1,2\x0b3,4\n", "a line separator": "a,b\n1,2\u20283,4\n", "a next line": "a,b\n1,2\x853,4\n",
}  # fmt: skip


def ragged() -> Iterator[Case]:
    for name, table in RAGGED.items():
        yield plain(name, table)


def quotes() -> Iterator[Case]:
    for name, table in QUOTES.items():
        yield plain(name, table)


ROLES = (
    "label = 'none'", "label = 9", "label = -9", "label = 1.5", "label = true", "label = []", "label = {}", "label = ['species', 'species']", "label = ['species', 9]", "label = ''", "label = '\\u001b'".replace("'", '"'),
    "label = ['height', 'width', 'colour', 'species']", "columns = ['none']", "columns = ['species']", "columns = []", "columns = 'height', one_hot = 'colour'", "one_hot = ['none']", "one_hot = 'species'", "one_hot = []", "one_hot = 3.5",
    "one_hot = ['colour', 'colour']", f"one_hot = [{'1,' * 30_000}]", f"columns = [{','.join(repr('none' + str(k)) for k in range(5000))}]", "header = false", "header = 1", "header = 'yes'", "delimiter = ''", "delimiter = ';;'", "delimiter = ';'",
    "delimiter = '\"'", "delimiter = 3", 'delimiter = "\\n"', 'delimiter = "\\u0000"', "delimiter = '\u202e'", "one_hot = 'colour', classes = ['cat']", "one_hot = 'colour', classes = ['cat', 'dig']", "one_hot = 'colour', classes = ['cat', 'cat']",
    "one_hot = 'colour', classes = 3", "one_hot = 'colour', test = 4", "one_hot = 'colour', test = nan", "one_hot = 'colour', test = 'half'", "one_hot = 'colour', batch = 5", "one_hot = 'colour', batch = -1", "one_hot = 'colour', scale = 'none of these'",
    "one_hot = 'colour', shape = [7]", "one_hot = 'colour', shape = [0]", "one_hot = 'colour', shape = [-1, -5]", "one_hot = 'colour', shape = [99999999999, 99999999999]", "one_hot = 'colour', seed = -1", "one_hot = 'colour', qqq = 1", "use = 'xor'", "x = [[1]]", "text = 'tale'",
)  # fmt: skip


def roles() -> Iterator[Case]:
    """A good table, and options that do not fit it."""
    for row in ROLES:
        yield case(row[:50], text(GOOD_TABLE), row)


def crowds() -> Iterator[Case]:
    """Tables of many mistakes, classes or columns."""
    yield plain("fifty thousand mistakes in one column", "a,b\n1,2\n" + "x,1\n" * 50_000)
    yield plain(
        "a mistake in each of two thousand columns",
        ",".join(f"c{k}" for k in range(2000)) + "\n" + ",".join("x" for _ in range(2000)) + "\n",
    )
    yield plain("five thousand classes", "a,b\n" + "".join(f"1,c{k}\n" for k in range(5000)))
    yield plain("one class", "a,b\n" + "1,c\n" * 50)
    names = ", ".join(f'"c{k}"' for k in range(1000))
    yield case(
        "five thousand that are no class",
        text("a,b\n" + "".join(f"1,d{k}\n" for k in range(5000))),
        f"classes = [{names}]",
    )
    yield case(
        "a column for each of twenty thousand texts",
        text("a,b\n" + "".join(f"t{k},{k}\n" for k in range(20_000))),
        "one_hot = 'a'",
    )


WORDS = {
    "empty": b"", "too short": b"abc", "one character": b"a" * 1000, "a zero": b"abc\0" * 20, "no UTF-8": b"\xff\xfe" * 40, "a pickle": b"\x80\x04cos\nsystem\n." * 4, "half a character": b"abcd" * 20 + b"\xe2\x82",
}  # fmt: skip


TEXT_OPTIONS = (
    "length = 1", "length = 1000", "length = 'x'", "length = -1", "stride = 0", "stride = 99999999", "targets = 'x'", "targets = 1", "one_hot = 1", "test = 0.99", "test = -1", "batch = 0", "batch = 9999", "label = 1", "seed = 1",
)  # fmt: skip


def words() -> Iterator[Case]:
    """Texts that no sequence can be cut from."""
    for name, content in WORDS.items():
        yield Case(
            name,
            "net.toml",
            {"net.toml": text('data = { text = "t.txt" }\nlayers = ["dense 1"]\nloss = "mse"\n'), "t.txt": content},
        )
    for option in TEXT_OPTIONS:
        key = option.partition(" ")[0]
        others = {"one_hot": "one_hot = true", "targets": "targets = 'last'"}
        options = ", ".join([option, *(other for name, other in others.items() if name != key)])
        said = f'data = {{ text = "t.txt", {options} }}\nlayers = ["flatten", "dense 4"]\nloss = "softmax-ce"\n'
        yield Case(option, "net.toml", {"net.toml": text(said), "t.txt": b"abcd" * 20})
    many = "".join(chr(0x4E00 + k % 20_000) for k in range(200_000))
    yield Case(
        "twenty thousand characters",
        "net.toml",
        {
            "net.toml": text('data = { text = "t.txt", one_hot = true }\nlayers = ["dense 4"]\nloss = "mse"\n'),
            "t.txt": text(many),
        },
    )


GENERATORS = {
    "no table": no_table,
    "cells": wrong_cells,
    "ragged": ragged,
    "quotes": quotes,
    "roles": roles,
    "crowds": crowds,
    "texts": words,
}
