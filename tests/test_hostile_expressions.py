"""Expressions typed with ill will: each is refused in one line, at once, and nothing of it is run.

`test_expressions.py` says what the language is; here is what somebody tries who wants to run code, fill the memory, hang
the program or make the terminal obey. Every text goes where a person can type one: `print`, `until`, `set`, a target.
"""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import networks
import numpy as np
import pytest
from watching import watched

from bptui.commands.session import Session
from bptui.debugger.expressions import ExpressionError, parse
from bptui.engine.build import build
from bptui.engine.network import Network, Node
from bptui.engine.player import state_at
from bptui.engine.timeline import Position, Timeline

PROGRAM = build(networks.article())
STATE = state_at(Timeline(PROGRAM), Position(0, 9))
SECONDS, MEGABYTES = 1.0, 50.0


def nested(text: str, before: str, after: str, times: int) -> str:
    return before * times + text + after * times


HOSTILE = {
    # To Python's insides
    "class": "().__class__",
    "bases": "().__class__.__bases__[0].__subclasses__()",
    "mro": "(1.0).__class__.__mro__[-1]",
    "slot's class": "W1.__class__.__init__.__globals__",
    "reduce": "W1.__reduce_ex__(2)",
    "array interface": "W1.__array_interface__['data']",
    "array function": "W1.__array_function__",
    "dunder call": "abs.__call__(w5)",
    "dunder of a function": "abs.__self__",
    "dunder of a gradient": "W1.grad.__class__",
    "dunder index": "W1[__import__('os')]",
    "mangled": "w5._Expression__evaluate",
    "import": "__import__('os').system('touch hostile')",
    "import by builtins": "__builtins__['__import__']('os')",
    "eval": "eval('1')",
    "exec": "exec('import os')",
    "compile": "compile('1', '', 'eval')",
    "open": "open('/etc/passwd').read()",
    "getattr": "getattr(W1, 'tofile')('hostile')",
    "setattr": "setattr(W1, 'shape', 1)",
    "globals": "globals()['np']",
    "breakpoint": "breakpoint()",
    "exit": "exit()",
    "input": "input()",
    "module": "np.load('x.npy', allow_pickle=True)",
    "state": "state.arrays",
    "self": "self.program",
    "tofile": "W1.tofile('hostile')",
    "dump": "W1.dump('hostile')",
    "setflags": "W1.setflags(write=True)",
    "data": "W1.data",
    "base": "W1.base",
    "ctypes": "W1.ctypes.data",
    "T of a function": "abs.T",
    "method not called": "W1.max",
    "method of a method": "W1.max.sum()",
    "attribute of an index": "W1[0].real",
    "call of a value": "W1(0)",
    "call of a call": "abs(w5)(1)",
    "call of an index": "W1[0]()",
    # Other parts of Python
    "f-string": "f'{W1}'",
    "f-string with a call": "f'{__import__(\"os\").getcwd()}'",
    "f-string of a long number": "f'{w5:>{10**9}}'",
    "f-string in an index": "W1[f'\\n\"\\'']",
    "f-string called": "(f'\\n\"\\'')()",
    "f-string as argument": "abs(f'\\n', 1)",
    "lambda": "lambda: 1",
    "lambda called": "(lambda x: x)(w5)",
    "recursion": "(lambda f: f(f))(lambda f: f(f))",
    "list comprehension": "[w5 for _ in W1]",
    "generator": "sum(k for k in W1)",
    "set comprehension": "{k for k in W1}",
    "dict comprehension": "{k: k for k in W1}",
    "walrus": "(w5 := 1)",
    "starred": "abs(*W1)",
    "double starred": "abs(**{'x': W1})",
    "starred index": "W1[*x]",
    "keyword": "W1.max(axis=0)",
    "out": "abs(W1, W1)",
    "await": "await w5",
    "yield": "(yield w5)",
    "yield from": "(yield from W1)",
    "conditional": "w5 if w5 else w6",
    "ellipsis": "...",
    "ellipsis index": "W1[...]",
    "none index": "W1[None]",
    "complex": "3j",
    "complex power": "(-8) ** 1j",
    "string": "'text'",
    "string times": "'a' * 10**9",
    "string with escapes": "'\\x1b]52;c;aGk=\\x07'",
    "bytes": "b'bytes'",
    "list": "[1, 2]",
    "tuple": "(w5, w6)",
    "dict": "{1: 2}",
    "set display": "{1, 2}",
    "none": "None",
    "true": "True",
    "is": "w5 is w6",
    "in": "w5 in W1",
    "shift": "1 << 10**9",
    "invert": "~w5",
    "bit or": "w5 | 1",
    "assignment": "w5 = 1",
    "statement": "import os",
    "two statements": "w5; w6",
    "del": "del w5",
    "decorator": "@w5",
    "type": "type(W1)",
    "matmul of a function": "abs @ abs",
    # Long, deep, huge
    "long name": "x" * 1990,
    "long text": "w5 + " * 100_000 + "w5",
    "long blank": "w5" + " " * 10_000 + "w6",
    "long sum": "1" + "+1" * 990,
    "long product": "x" + "@x" * 900,
    "long attribute": "W1" + ".T" * 900,
    "long dunder": "W1" + ".__class__" * 190,
    "long grad": "w5" + ".grad" * 390,
    "long call": "abs" + "()" * 900,
    "deep brackets": nested("1", "(", ")", 999),
    "deep calls": nested("w5", "abs(", ")", 390),
    "deep lists": "[" * 1999,
    "deep index": nested("0", "W1[", "]", 390),
    "deep minus": "-" * 1990 + "1",
    "deep not": "not " * 490 + "1",
    "deep lambda": "lambda:" * 280 + "1",
    "deep power": "2" + "**2" * 600,
    "deep nested tuple index": "W1[" + nested("0", "(", ",)", 40) + "]",
    "huge number": "9" * 1990,
    "huge number, split": "9" * 5000,
    "huge hex": "0x" + "f" * 1900,
    "huge index": "W1[10 ** 9]",
    "huge index, written": "W1[" + "9" * 300 + "]",
    "huge slice": "W1[::" + "9" * 40 + "]",
    "slice of 0": "W1[::0]",
    "slice of slices": "W1[0:1:2:3]",
    "slice by a slot": "W1[:w5]",
    "too many indices": "W1[" + "0," * 900 + "]",
    "rows again and again": "W1[(" + "0," * 900 + "),]",
    "nothing, again and again": "W1[" + "()," * 600 + "]",
    "mask index": "W1[W1 > 0]",
    "float index": "W1[0.0]",
    "boolean index": "W1[True]",
    # What can't be computed
    "shapes": "W1[0] + W1[0, 0:0]",
    "product of shapes": "W1 @ x",
    "truth of an array": "W1 and W1",
    "chain of arrays": "0 < W1 < 1",
    "nothing's largest": "max(W1[5:])",
    "nothing's mean": "W1[5:].mean()",
    "minus a truth": "-(w5 > 0)",
    "gradient of a gradient": "W1.grad.grad",
    # Letters that look like others
    "null": "w5\0",
    "escape": "w5\x1b[2J",
    "half a character": "w5\ud800",
    "zero width": "w\u200b5",
    "bidi override": "w5\u202e",
    "greek omicron": "l\u03bfss",
    "cyrillic a": "\u0430bs(w5)",
    "full-width dunder": "\uff3f\uff3fimport\uff3f\uff3f('os')",
    "mathematical dunder": "W1.__\U0001d4ec\U0001d4f5\U0001d4ea\U0001d4fc\U0001d4fc__",
    "mathematical open": "\U0001d428\U0001d429\U0001d41e\U0001d427('x')",
    "superscript": "w5\u00b2",
    "soft hyphen": "w\u00ad5",
    "line separator": "w5\u2028+\u20281)",
    "form feeds": "\f\f\f)",
    "only blanks": " \t\n\x0b\x0c\x1c\x85\xa0\u3000",
    "comment": "# w5",
    "backslash": "w5 \\\n + ",
    "quote": '"""',
    "percent": "%run x",
    "bang": "!ls",
}  # fmt: skip

GOOD = {
    "full-width letters are the same name": ("\uff57\uff15", 0.17438250000000002),
    "mathematical letters too": ("\U0001d41a\U0001d41b\U0001d42c(w5)", 0.17438250000000002),
    "9 ** 9 ** 9 ** 9": ("9 ** 9 ** 9 ** 9", math.inf),
    "1e308 * 10": ("1e308 * 10", math.inf),
    "inf - inf": ("1e999 - 1e999", math.nan),
    "0 / 0": ("0 / 0", math.nan),
    "root of -8": ("(-8) ** (1 / 3)", math.nan),
    "a giant step": (f"x[0, ::{2**61}]", [2.0]),
    "a giant step back": (f"x[0, ::-{2**61}]", [3.0]),
    "a giant stretch": (f"x[0, -{2**61}:{2**61}]", [2.0, 3.0]),
    "nested comparisons": (nested("1", "(0 < ", " < 2)", 25), True),
    "comparisons in a row": ("0" + " < 1" + " <= 1" * 300, True),
    "many alternatives": ("w5 > 1" + " or w5 > 1" * 150 + " or w5", True),
    "deep but plain": (nested("1", "(", ")", 150), 1.0),
    "size to the size": ("size(W1) ** size(W1) ** size(W1) ** size(W1)", math.inf),
    "whole tensors to the power": ("(W1 ** W1 ** W1 ** 99).max()", None),
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def warm():
    """All that is imported late is imported, so that an import under watch is one that a text has caused."""
    for text in ("w9", "f'{w5}' + 1", "W1[9]", "W1 @ x", "w5"):
        for line in (f"print {text}", f"set w5 = {text}", f"until {text}"):
            _refusal(line)
    for line in ("load nothing", "save", "help nothing", "next nothing"):
        _refusal(line)


def _session() -> Session:
    session = Session(networks.article())
    session.execute("next 9")
    return session


def _refusal(line: str, session: Session | None = None) -> str:
    """What a line is refused with; empty where it is carried out."""
    try:
        (session or _session()).execute(line)
    except ValueError as error:
        return str(error) or type(error).__name__
    return ""


def _harmless(seen, what: str) -> None:
    assert seen.deeds == [], what
    assert seen.seconds < SECONDS, what
    assert seen.megabytes < MEGABYTES, what


def test_there_are_at_least_sixty():
    assert len(HOSTILE) >= 60
    assert len(set(HOSTILE.values())) == len(HOSTILE)


@pytest.mark.parametrize("name", HOSTILE)
def test_it_is_refused_in_one_line_and_nothing_is_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with watched() as seen, pytest.raises(ExpressionError) as refusal:
        parse(PROGRAM, HOSTILE[name])(STATE)
    message = str(refusal.value)
    assert message.strip()
    assert len(message.splitlines()) == 1
    assert message.isprintable()
    assert len(message) < 300
    _harmless(seen, name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", HOSTILE)
def test_wherever_it_is_typed_it_is_refused_and_nothing_changes(name, tmp_path, monkeypatch):
    """`print`, `set`, a target and an index: the position and every number stay as they were."""
    monkeypatch.chdir(tmp_path)
    text = HOSTILE[name]
    session = _session()
    for line in (
        "print no_such",
        "set no_such = 1",
        "set w5 = no_such",
        "nudge no_such 1",
        "explain no_such",
        "print class",
    ):
        _refusal(line, session)  # what a word needs is loaded before anybody watches
    before = session.debugger.look(session.debugger.position)
    lines = [f"print {text}", f"set {text} = 1", f"nudge {text} 1"]
    # With nothing after it `explain` is of the operation at hand.
    lines += [f"explain {text}"] if text.strip() else []
    # `set` takes a list of numbers, and everything after = is its value.
    lines += [f"set w5 = {text}"] if name not in ("list", "assignment") else []
    with watched() as seen:
        for line in lines:
            refusal = _refusal(line, session)
            assert refusal, line
            assert len(refusal.splitlines()) == 1, line
    _harmless(seen, name)
    assert session.debugger.look(session.debugger.position).same_bits(before)
    assert session.debugger.timeline.edits == ()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", GOOD)
def test_what_only_looks_hostile_has_its_value(name):
    text, expected = GOOD[name]
    with watched() as seen:
        value = parse(PROGRAM, text)(STATE)
    if expected is not None:
        assert np.array_equal(value, expected, equal_nan=not isinstance(expected, bool))
    _harmless(seen, name)


def _tall() -> tuple:
    """20,000 rows, every product of which with itself would have 400 million numbers."""
    rows = np.zeros((20_000, 1))
    program = build(Network((networks.dense("1", "x", 1),), rows, rows))
    return program, state_at(Timeline(program), Position())


def _stacked() -> tuple:
    """300 pictures of 1 × 20 × 20, a stack of matrices for `@`: with itself on another axis 90,000 matrices."""
    x = np.zeros((300, 1, 20, 20))
    nodes = (Node("1", ("x",), 0, op="flatten"), networks.dense("2", "1", 1))
    program = build(Network(nodes, x, np.zeros((300, 1))))
    return program, state_at(Timeline(program), Position())


@pytest.mark.parametrize(
    ("made", "text"),
    [(_tall, t) for t in ("x @ x.T", "x * x.T", "x + x.T", "x > x.T", "0 * x == x.T", "(x @ x.T).sum()", "x ** x.T")]
    + [(_tall, "x[:1000] @ x.T"), (_tall, "x * x[:51].T")]
    + [(_stacked, t) for t in ("x @ x[:, 0]", "(x @ x[:, 0]).max()", "x * x[:, 0]", "x[:, 0] @ x")],
)
def test_a_result_that_would_fill_the_memory_is_refused_before_it_is_made(made, text):
    program, state = made()
    with watched() as seen, pytest.raises(ExpressionError, match="too many"):
        parse(program, text)(state)
    _harmless(seen, text)


def test_many_large_results_at_once_stay_within_bounds():
    """Each part of a sum nested to the right waits for the others."""
    program, state = _tall()
    text = nested("x[:50] @ x.T", "x[:50] @ x.T + (", ")", 25)
    with watched() as seen:
        assert parse(program, text)(state).shape == (50, 20_000)
    assert seen.megabytes < 40 * 8


LISTS = {
    "far too many": "[" + "1, " * 100_000 + "]",
    "deep": nested("1", "[", "]", 150),
    "deeper": nested("1", "[", "]", 100_000),
    "ragged": "[[1, 2], [3]]",
    "a text in it": "[['a', 1], [1, 1]]",
    "a call in it": "[[__import__('os'), 1], [1, 1]]",
    "a truth in it": "[[w5 > 0, 1], [1, 1]]",
    "a bomb in it": "[['a' * 10**9, 1], [1, 1]]",
    "infinite": "[[1e999, 1], [1, 1]]",
    "starred": "[[*x], [1, 1]]",
    "unpacked": "[*W1]",
    "a comprehension": "[w5 for k in W1]",
    "open": "[[1, 2], [3, 4]",
    "sum of lists": "[[1, 2]] + [[3, 4]]",
    "list times": "[[1, 2]] * 10 ** 9",
    "index of a list": "[W1][0]",
    "method of a list": "[].append(1)",
}  # fmt: skip


@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_ill_will_is_refused(name):
    session = _session()
    with watched() as seen:
        refusal = _refusal(f"set W1 = {LISTS[name]}", session)
    assert refusal
    assert len(refusal.splitlines()) == 1
    assert len(refusal) < 300
    assert session.debugger.timeline.edits == ()
    _harmless(seen, name)


def test_lists_of_expressions_are_taken():
    session = _session()
    session.execute("set W1 = [[1, w5], [W1[0, 0], -2.5e-1], ]")
    assert session.execute("print W1").lines == ("W1 = [[1.0, 0.17438250000000002], [0.121326, -0.25]]",)


@pytest.mark.parametrize(
    "line",
    [
        "next 000000000001" + "9" * 40, "next 0000000000000000000002", "back " + "9" * 5000, "run " + "0" * 20 + "9" * 30,
        "to 00000000000019", "to-back " + "1" * 4000, "step ²", "iteration -1", "goto 0:" + "9" * 9000, "goto 0:0.0.0",
        "set w5 = 1" + " " * 100_000 + "x", "set w5 = 1" + " at" * 30_000 + " q", "set" + " " * 100_000 + "w5",
        "nudge " + "[" * 50_000, "nudge w5" + "[" * 1000 + " 1", "nudge w5" + " " * 50_000 + ")", "find " + "9" * 5000 + "x",
        "until " + "w5 < " * 390 + "0", "help " + "x" * 100_000, "x" * 100_000, "\0", "\ud800", "list \0", "load \0", "save \0",
    ],
    ids=range(25),
)  # fmt: skip
def test_a_line_of_ill_will_is_refused_at_once(line):
    session = _session()
    here = session.debugger.position
    with watched() as seen:
        refusal = _refusal(line, session)
    assert len(refusal.splitlines()) == 1
    assert session.debugger.position == here
    _harmless(seen, line[:40])


def test_what_it_would_run_would_have_been_seen(tmp_path, monkeypatch):
    """The watch itself: it sees code that is run, a file that is written and memory that is taken."""
    monkeypatch.chdir(tmp_path)
    with watched() as seen:
        exec(compile("made = bytearray(80_000_000); made[::4096] = made[::4096]", "typed", "exec"), {})
        Path("hostile").write_text("here")
        subprocess.run([sys.executable, "-c", ""], check=True)
    assert any(deed.startswith("exec typed") for deed in seen.deeds)
    assert any("hostile" in deed for deed in seen.deeds)
    assert any(deed.startswith("subprocess") for deed in seen.deeds)
    assert seen.megabytes > 70
