"""Malformed specs, TOML and JSON: a generator for each way in which one can be wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator

from fuzz_cases import FOLDER, LOOP, NOTHING, PIPE, Case, text

TAIL = 'layers = ["dense 3 tanh", "dense 1 sigmoid"]\nloss = "bce"\n'
BASE = 'data = "xor"\n' + TAIL
# One key of the spec left open; each is a whole spec without it.
WITHOUT = {
    "data": TAIL,
    "layers": 'data = "xor"\nloss = "bce"\n',
    "loss": 'data = "xor"\nlayers = ["dense 1 sigmoid"]\n',
}
OTHERS = (
    "name", "title", "seed", "dtype", "layer", "net", "layout", "init", "weights", "lr", "optim", "schedule", "clip",
    "l1", "l2", "update", "iterations", "labels", "freeze", "narration",
)  # fmt: skip
# Values by what they are, as TOML has them.
VALUES = {
    "true": "true", "a number": "3", "a negative number": "-3", "a fraction": "0.5", "nan": "nan", "infinity": "-inf",
    "a huge number": "1" + "0" * 400, "over the edge": "1e999", "a text": '"qqq"', "no text": '""', "a list": "[1, 2]",
    "an empty list": "[]", "a ragged list": "[[1], [2, 3]]", "a mixed list": '[1, "a", true]', "an empty table": "{}",
    "a table": "{ qqq = 1 }", "a date": "1979-05-27", "a time": "07:32:00", "a moment": "1979-05-27T07:32:00Z",
    "a deep list": "[" * 60 + "]" * 60, "a long text": '"' + "q" * 100_000 + '"', "an escape": '"\\u001b]52;c;aGk=\\u0007"',
    "a half character": '"\\u0000"', "bidi": '"\\u202eabc"',
}  # fmt: skip
# What of these a key takes.
FITTING = {
    "name": ("a text", "no text", "a long text", "an escape", "a half character", "bidi"),
    "title": ("a text", "no text", "a long text", "an escape", "a half character", "bidi"),
    "seed": ("a number",),
    "init": ("no text",),
    "layout": ("no text",),
    "lr": ("a number", "a fraction"),
    "l1": ("a number", "a fraction"),
    "l2": ("a number", "a fraction"),
    "iterations": ("a number",),
    "optim": ("an empty table",),
    "clip": ("an empty table",),
    "labels": ("an empty table",),
    "narration": ("an empty table",),
    "freeze": ("an empty list",),
    "weights": (),
}  # fmt: skip


def case(name: str, content: str | bytes, opened: str = "net.toml") -> Case:
    return Case(name, opened, {opened: content if isinstance(content, bytes) else text(content)})


def wrong_values() -> Iterator[Case]:
    """Each key with a value of each kind that it does not take."""
    for key in (*WITHOUT, *OTHERS):
        rest = WITHOUT.get(key, "" if key not in ("layer", "net") else WITHOUT["layers"])
        for name, value in VALUES.items():
            if name not in FITTING.get(key, ()):
                yield case(f"{key} is {name}", f"{key} = {value}\n{rest or BASE}")


def missing() -> Iterator[Case]:
    for key, rest in WITHOUT.items():
        yield case(f"no {key}", rest)


SYNTAX = {
    "open text": 'title = "abc',
    "open long text": 'title = """abc',
    "open list": "seed = [1, 2",
    "open table": "optim = { lr = 1",
    "open header": "[net",
    "closed too often": "seed = 1]",
    "no value": "seed =",
    "no equals": "seed 1",
    "no key": "= 1",
    "two equals": "seed = = 1",
    "two values": "seed = 1 2",
    "two keys": "seed title = 1",
    "a key twice": "seed = 1\nseed = 2",
    "a table twice": "[optim]\n[optim]",
    "a table over a value": "seed = 1\n[seed]",
    "a list over a table": "[net]\n[[net]]",
    "a value in a value": "seed = 1\nseed.a = 2",
    "no such escape": 'title = "\\q"',
    "half an escape": 'title = "\\u12"',
    "a surrogate by escape": 'title = "\\ud800"',
    "an escape beyond": 'title = "\\UFFFFFFFF"',
    "a raw control": 'title = "a\x01b"',
    "a raw escape": 'title = "\x1b[31m"',
    "a raw delete": 'title = "\x7f"',
    "a control in a comment": "# \x07",
    "a line end in a text": 'title = "a\nb"',
    "a line end in a table": "optim = { lr = 1,\n}",
    "a comma too many in a table": "optim = { lr = 1, }",
    "two commas": "freeze = [1,,2]",
    "a leading zero": "seed = 01",
    "two underscores": "seed = 1__0",
    "a final point": "lr = 1.",
    "a leading point": "lr = .5",
    "an exponent of nothing": "lr = 1e",
    "a sign alone": "lr = +",
    "a sign twice": "lr = --1",
    "hexadecimal nothing": "seed = 0x",
    "no such date": "seed = 2026-13-45",
    "no such time": "seed = 99:99:99",
    "capital true": "bias = True",
    "none": "seed = None",
    "null": "seed = null",
    "a bare text": "title = abc",
    "a colon": "seed: 1",
    "python": "import os\nos.system('touch hostile')",
    "python in a value": "seed = __import__('os').system('touch hostile')",
    "yaml": "data: xor\nlayers:\n  - dense 1\n",
    "xml": '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>',
    "ini": "[a b c",
    "shell": "$(touch hostile)",
    "a template": "seed = {{ 7 * 7 }}",
    "a merge conflict": "<<<<<<< HEAD\nseed = 1\n=======\nseed = 2\n>>>>>>> x\n",
    "a carriage return alone": "seed = 1\rloss = 2",
    "a form feed": "\fseed = 1",
    "a blank of another kind": "seed\u00a0= 1",
    "a zero width key": "\u200bseed = 1",
    "a byte order mark inside": "seed = \ufeff1",
    "typographic quotes": "title = \u201cabc\u201d",
    "a key of another alphabet": "\u0455eed = 1",
    "a number of 5000 digits": "seed = " + "9" * 5000,
    "a number of 100,000 digits": "seed = " + "9" * 100_000,
    "a hexadecimal number of 100,000 digits": "seed = 0x" + "f" * 100_000,
}  # fmt: skip


def syntax() -> Iterator[Case]:
    """Texts that are no TOML, each before and after a spec."""
    for name, line in SYNTAX.items():
        yield case(name, f"{line}\n{BASE}")
        yield case(f"{name}, at the end", f"{BASE}{line}")


def no_text() -> Iterator[Case]:
    """Bytes that are no UTF-8, or nothing at all."""
    spec = text(BASE)
    contents = {
        "empty": b"", "blank": b" \n\t\r\n", "comments": b"# nothing\n" * 3, "one zero": b"\0", "zeros": bytes(5000),
        "a zero inside": spec[:20] + b"\0" + spec[20:], "UTF-16": BASE.encode("utf-16"), "UTF-16 without a mark": BASE.encode("utf-16-be"),
        "UTF-32": BASE.encode("utf-32"), "UTF-7": BASE.replace("xor", "+AGE-").encode("utf-7"), "Latin-1": spec + "# ä".encode("latin-1"),
        "half a character": spec + b"# \xe2\x82", "too long a form": spec + b"# \xc0\xaf", "a surrogate": spec + b"# \xed\xa0\x80",
        "beyond Unicode": spec + b"# \xf5\x80\x80\x80", "a continuation alone": b"\x80" + spec, "a mark alone": b"\xef\xbb\xbf",
        "two marks": b"\xef\xbb\xbf\xef\xbb\xbf" + spec, "gzip": b"\x1f\x8b\x08\x00" + bytes(30), "zip": b"PK\x03\x04" + bytes(30),
        "elf": b"\x7fELF\x02\x01\x01" + bytes(30), "a pickle": b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00cos\nsystem\n.",
        "NumPy": b"\x93NUMPY\x01\x00v\x00{}", "PNG": b"\x89PNG\r\n\x1a\n" + bytes(20), "every byte": bytes(range(256)),
        "random": bytes((k * 7919 + k * k) % 256 for k in range(4096)), "a whole megabyte of quotes": b'"' * 2**20,
        "a megabyte of brackets": b"[" * 2**20, "a megabyte of equals": b"=" * 2**20, "a megabyte of points": b"a" + b".a" * 2**19,
        "a megabyte in one word": b"a" * 2**20,
    }  # fmt: skip
    for name, content in contents.items():
        yield case(name, content)
        yield case(f"{name}, as JSON", content, "net.json")


def no_file() -> Iterator[Case]:
    """Things that lie there and are no file."""
    for name in (FOLDER, PIPE, LOOP, NOTHING):
        for opened in (
            "net.toml",
            "net.json",
            "no name",
            "a\nb.toml",
            "\x1b]52;c;aGk=\x07.toml",
            "[bold]x.toml",
            "x" * 200,
        ):
            yield Case(f"{name} called {opened[:12]!r}", opened, {opened: name})  # fmt: skip
    for opened in (
        "/dev/null",
        "/dev/zero",
        "/dev/random",
        "/proc/self/mem",
        "/",
        "..",
        "x" * 5000,
        "a/" * 3000,
        "net.toml/",
        "\ud800",
        " ",
        "-",
    ):
        yield Case(f"opened is {opened[:12]!r}", opened, {})  # fmt: skip


LINES = (
    "", " ", "dense", "dense -1", "dense 0", "dense 1.5", "dense 1e3", "dense ４", "dense x", "dense 4 4", "dense 4 tanh relu",
    "dense 4 tahn", "dense 4 bias", "dense 4 bias=", "dense 4 bias=1", "dense 4 bias=yes", "dense 4 =", "dense 4 =1", "dense 4 a=b=c",
    "dense 4 init=", "dense 4 init=normal,1e999", "dense 4 init=uniform,-1e308,1e308", "dense 4 init=normal,0,1e308", "dense 4 init=constant,1e308", "dense 4 init=constant,nan", "dense 4 shares=9",
    "dense 4 units=5", "dense 4 W=1", "dense 4 (x)", "dense 4 ()", "dense 4 (", "dense 4 )", "dense(4)", "dense,4", "DENSE 4", "dense 4;",
    "dense 99999999999999999999", "dense " + "9" * 5000, "dense 4 " + "tanh " * 10_000, "x" * 100_000, "(" * 50_000, "=" * 50_000,
    "dense 4 \x1b[31m", "dense 4 \u202e", "dense 4 \0", "__import__('os').system('touch hostile')", "lambda: 1", "{0.__class__}", "%s%n", "[/]",
    "conv", "conv 0 3", "conv 6", "conv 6 -1", "conv 6 3 stride=0", "conv 6 3 pad=-1", "conv 6 3 pad=same", "conv 6 3 dilation=0", "conv 6 3 groups=0",
    "conv 6 1,2,3,4,5,6", "conv 6 " + "1," * 500, "conv 6 3", "conv 6 999999999", "max-pool", "max-pool 0", "max-pool 2", "flatten 1", "reshape", "reshape 0",
    "reshape -1,-1", "reshape 1.5", "reshape 999999,999999", "reshape " + "1," * 5000 + "1", "transpose axes=", "transpose axes=1,1", "transpose axes=9",
    "dropout", "dropout 1", "dropout -1", "dropout 2", "dropout nan", "batch-norm momentum=-1", "layer-norm eps=-1", "group-norm 3", "group-norm 0",
    "embedding", "embedding 0 4", "embedding 4", "embedding 4 999999999", "embedding 1.5 4", "multi-head", "multi-head 0", "multi-head 3", "multi-head 2 causal=maybe",
    "attention", "lstm", "lstm 0", "lstm 4 last=1", "lstm 999999", "rnn 4 gate=qqq", "gru 4 (x)", "add", "sub", "matmul", "where", "concat", "split", "split 1",
    "slice 2", "slice 1 1", "slice 3 1", "slice 0 99", "slice 0 1 axis=0", "slice 0 1 axis=-9", "pad", "pad -1 1", "pad 1", "tile", "tile 0", "tile 1,2,3,4,5,6,7,8,9,10",
    "clip", "clip 1", "clip nan 1", "pow", "sum axis=0", "sum axis=99", "sum axis=1,1", "softmax axis=0", "logsumexp axis=-99", "one-hot -1", "position -1",
)  # fmt: skip


def lines() -> Iterator[Case]:
    """Lines of layers that say nothing, or nothing that fits a row of two numbers."""
    for k, line in enumerate(LINES):
        yield case(
            f"line {k}: {line[:30]!r}",
            f'data = "xor"\nloss = "bce"\nlayers = [{json.dumps(line)}, "dense 1 sigmoid"]\n',
        )


GRAPHS = {
    "of itself": 'a = "dense 1 (a)"',
    "two that wait for each other": 'a = "dense 1 (b)"\nb = "dense 1 (a)"',
    "of nothing": 'a = "dense 1 (nothing)"',
    "two ends": 'a = "dense 1 (x)"\nb = "dense 1 (x)"',
    "called x": 'x = "dense 1 (x)"',
    "called y": 'y = "dense 1 (x)"',
    "called loss": 'loss = "dense 1 (x)"',
    "called lr": 'lr = "dense 1 (x)"',
    "called by a number": '1 = "dense 1 (x)"',
    "called by a keyword": 'lambda = "dense 1 (x)"',
    "called by a call": '"a()" = "dense 1 (x)"',
    "called by code": '"a; import os" = "dense 1 (x)"',
    "called by nothing": '"" = "dense 1 (x)"',
    "called by an escape": '"\\u001b[2J" = "dense 1 (x)"',
    "called by markup": '"[/]" = "dense 1 (x)"',
    "called by bidi": '"\\u202ea" = "dense 1 (x)"',
    "called by a ligature": '"\\ufb01" = "dense 1 (x)"',
    "called by a long name with a blank": f'"{"n" * 5000} n" = "dense 1 (x)"',
    "called by dunder": '"__import__(\'os\')" = "dense 1 (x)"',
    "reads code": "a = \"dense 1 (__import__('os'))\"",
    "reads an escape": 'a = "dense 1 (\\u001b[2J)"',
    "a number": "a = 1",
    "a list": "a = []",
    "an empty table": "a = {}",
    "a table of nothing": "a = { qqq = 1 }",
    "dense and conv": "a = { dense = 1, conv = 1, from = 'x' }",
    "adds one": 'a = "dense 1 (x)"\nb = "add (a)"',
    "adds unlike": 'a = "dense 1 (x)"\nb = "dense 2 (x)"\nc = "add (a, b)"',
    "shares with nobody": 'a = "dense 1 (x)"\nb = "dense 1 shares=qqq (a)"',
    "shares with itself": 'a = "dense 1 shares=a (x)"',
    "shares in a circle": 'a = "dense 1 shares=b (x)"\nb = "dense 1 shares=a (a)"',
    "shares another shape": 'a = "dense 5 (x)"\nb = "dense 1 shares=a (a)"',
}  # fmt: skip


def graphs() -> Iterator[Case]:
    for name, lines_ in GRAPHS.items():
        yield case(name, f'data = "xor"\nloss = "mse"\n[net]\n{lines_}\n')


TABLES = {
    "data": (
        "use = 'xor', file = 'x.csv'", "use = 'moons', rows = 0", "use = 'moons', rows = -1", "use = 'moons', rows = 1", "use = 'moons', noise = -1",
        "use = 'moons', noise = 1e308", "use = 'moons', noise = nan", "use = 'circles', factor = 1", "use = 'blobs', centres = []", "use = 'blobs', centres = [[1]]",
        "use = 'blobs', centres = [[1], [2, 3]]", "use = 'linear', a = []", "use = 'linear', a = 1e308, noise = 1e308", "use = 'xor', test = 9",
        "use = 'xor', test = -1", "use = 'xor', test = 0.01", "use = 'xor', batch = 99", "use = 'xor', batch = 0", "use = 'xor', batch = 1.5", "use = 'xor', seed = -1",
        "use = 'xor', scale = 'qqq'", "use = 'xor', shape = [3]", "use = 'xor', shape = []", "use = 'xor', shape = [-1, -2]", "use = 'xor', shape = 2", "use = ''",
        "use = '../xor'", "text = ''", "text = 'tale', length = 0", "text = 'tale', length = 99999", "text = 'tale', targets = 'qqq'", "text = 'tale', stride = 0",
        "text = 'tale', test = 0.999999", "x = [], y = []", "x = [[1]], y = []", "x = [[1]]", "y = [[1]]", "x = [[1]], y = [[1, 2], [3]]", "x = [[1], [2]], y = [1]",
        "x = [[1]], y = [['a']]", "x = [[1]], y = [[[1]]], z = 3", "x = [[1e400]], y = [[1]]", "x = [[1]], y = [[1]], x_test = [[1, 2]], y_test = [[1]]",
        "x = [[1]], y = [[1]], x_test = [[1]]", "x = [[1]], y = [[1]], lr = [[1]]", "x = [[1]], y = [[1]], 'a b' = [[1]]", "x = [[1]], y = [[1]], a = [[1], [2]]",
        "x = [[1], [2]], y = [0, 1], classes = ['a']", "x = [[1], [2]], y = [0, 1], classes = ['a', 'a']", "x = [[1], [2]], y = [0, 5], classes = ['a', 'b']",
        "x = [[[1], [2]]], y = [[1]]", "x = [[1979-05-27]], y = [[1]]", "x = [[true]], y = [[1]]", "x = { a = 1 }, y = [[1]]",
    ),
    "optim": (
        "use = 'qqq'", "use = ''", "use = 3", "use = 'adam', beta1 = 1", "use = 'adam', beta1 = -1", "use = 'adam', beta2 = 'x'", "use = 'adam', eps = -1", "use = 'adam', eps = nan",
        "use = 'sgd', nesterov = true", "use = 'sgd', nesterov = 1", "use = 'sgd', qqq = 1", "lr = -1", "lr = 'x'", "lr = 1e999",
    ),
    "schedule": (
        "use = 'qqq'", "use = 'cosine'", "use = 'cosine', steps = 0", "use = 'cosine', steps = -5", "use = 'cosine', steps = 'x'", "use = 'step', every = 0", "use = 'step'",
        "use = 'one-cycle', steps = 5, first = 0", "use = 'exponential', gamma = -1", "use = 'warm-up'", "steps = 5",
    ),
    "clip": ("norm = -1", "norm = 'x'", "value = nan", "qqq = 1"),
    "labels": (
        "x = 3", "x = [1]", "x = ['a']", "x = ['a', 'a']", "x = ['a b', 'c']", "x = ['W1', 'b1']", "x = ['class', 'def']", "x = ['\\u001b[2J', 'c']".replace("'", '"'), "y = [['a']]",
        "loss = ['E']", "loss = 'x'", "loss = 'W1'", "qqq = 1", "x = [[]]", "x = ['', '']", "x = ['[/]', '[bold]']",
    ),
    "narration": ("qqq = 'x'", "start = 1", "start = ['x']", "start = { a = { b = 1 } }", "W9 = 'x'", "z1.grad.grad = 'x'"),
    "loss": ("use = 'qqq'", "use = 'huber', delta = 0", "use = 'huber', delta = -1", "use = 'huber', delta = nan", "use = 'mse', delta = 1", "use = 'bce', reduction = 'qqq'", "use = 3"),
}  # fmt: skip


def tables() -> Iterator[Case]:
    """Tables of options with one that is wrong."""
    for key, rows in TABLES.items():
        rest = WITHOUT.get(key, BASE)
        for row in rows:
            yield case(f"{key}: {row[:60]}", f"{key} = {{ {row} }}\n{rest}")


WEIGHTS = (
    "W = [[1, 2, 3]]", "W = [[1], [2]]", "W = [[1, 2], [3]]", "W = [1, 2]", "W = []", "W = [[]]", "W = 3", "W = 'none.npz'", "W = { file = 'none.npz' }", "W = { key = 'a' }",
    "W = [['a', 1]]", "W = [[nan, 1]]", "W = [[1e400, 1]]", "W = [[1, 2]]\nb = [1, 2]", "W = [[1, 2]]\nb = 'x'", "W = [[1, 2]]\nb = nan", "bias = false\nb = 1", "bias = 1", "act = 'qqq'", "act = 3",
    "init = 'qqq'", "init = 3", "freeze = ['q']", "freeze = 3", "layout = 'qqq'", "name = '1'", "name = 'W1'", "name = 3", "qqq = 1", "kind = 'qqq'", "kind = 3",
    "labels = 3", "labels = { W = [['a']] }", "labels = { W = [['a', 'a']] }", "labels = { out = ['a', 'b'] }", "labels = { out = 'a' }", "labels = { b = ['x'] }", "labels = { q = ['x'] }",
    "labels = { out = ['loss'] }", "labels = { W = [['lambda', 'b']] }", "from = 'x'", "shares = '9'", "units = 3", "dense = 2",
)  # fmt: skip


def layers() -> Iterator[Case]:
    """A `[[layer]]` with one key that is wrong."""
    for row in WEIGHTS:
        yield case(row[:40], f'data = "xor"\nloss = "mse"\n[[layer]]\ndense = 1\n{row}\n')


JSON = {
    "a list": "[1, 2]", "a text": '"xor"', "a number": "3", "null": "null", "an empty object": "{}", "two documents": "{}{}", "a comment": '{"seed": 1} // x',
    "a comma too many": '{"seed": 1,}', "single quotes": "{'seed': 1}", "no quotes": "{seed: 1}", "a key twice": '{"seed": 1, "seed": 2}', "NaN": '{"lr": NaN}', "Infinity": '{"lr": -Infinity}',
    "a huge number": '{"seed": ' + "9" * 400 + "}", "a number of 5000 digits": '{"seed": ' + "9" * 5000 + "}", "an exponent": '{"lr": 1e99999}', "a raw line end": '{"title": "a\nb"}',
    "a raw control": '{"title": "a\x01"}', "half a surrogate": '{"title": "\\ud800"}', "an open text": '{"title": "a', "an open object": '{"seed": 1', "an open list": '{"x": [1, 2', "no value": '{"seed": }',
    "no colon": '{"seed" 1}', "a key that is a number": "{1: 2}", "an empty key": '{"": 1}', "a tab in a text": '{"title": "a\tb"}', "hexadecimal": '{"seed": 0x10}', "a plus": '{"seed": +1}',
    "a class": '{"__class__": "os.system", "args": ["touch hostile"]}', "python": '{"py/object": "os.system"}', "an escape": '{"\\u001b]52;c;aGk=\\u0007": 1}', "a mark inside": '{"seed": \ufeff1}',
}  # fmt: skip


def json_texts() -> Iterator[Case]:
    for name, content in JSON.items():
        yield case(name, content, "net.json")
        if content.startswith("{") and content.endswith("}") and len(content) > 2:
            yield case(
                f"{name}, in a spec",
                content[:-1] + ', "data": "xor", "loss": "mse", "layers": ["dense 1"]}',
                "net.json",
            )


TOML = {
    "values of the wrong kind": wrong_values, "missing": missing, "no TOML": syntax, "no text": no_text, "no file": no_file, "lines": lines,
    "graphs": graphs, "tables": tables, "layers": layers,
}  # fmt: skip
OBJECTS = {"no JSON": json_texts}
