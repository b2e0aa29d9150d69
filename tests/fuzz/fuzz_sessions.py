"""Malformed sessions: lines that are torn, damaged or missing, and whole ones that say what can't be."""

from __future__ import annotations

import itertools
import json
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock

from fuzz_cases import FOLDER, LOOP, PIPE, Case, text
from fuzz_mutations import changed, scribbled

from bptui.commands import opening
from bptui.engine import timeline
from bptui.files import origins
from bptui.files.sealing import FIRST, MAX_BYTES, seal

OPENED = "net.session"
COMMANDS = (
    "next 3", "set w5 = 0.2", "break if loss < 0.1", "break nan once", "watch abs(W1).max()", "next", "branch other", "nudge w1",
    "undo", "redo", "iteration 2", "back 2", "ignore 1 3", "disable 2", "goto 1:4.1", "set lr = 0.1 at 0:0", "set W1 = [[1, 2], [3, 4]]", "undo",
)  # fmt: skip
MOONS = ("next 2", "set W1[0,0] = 0.5 at 0:0", "break on loss", "iteration", "watch loss", "nudge lr")


@cache
def sessions() -> dict[str, bytes]:
    """Sessions as they are written: closed in order, in the midst of it, and of a spec of one's own.

    Edits are numbered from 1, whatever else this process has edited.
    """
    found = {}
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(timeline, "_serial", itertools.count(1)):
        for name, spec, commands in (
            ("article", "article", COMMANDS),
            ("moons", "moons", MOONS),
            ("untouched", "xor", ()),
        ):
            path = Path(folder) / f"{name}.session"
            session = opening.begin(origins.load(spec), path)
            for command in commands:
                session.execute(command)
            found[f"{name}, open"] = path.read_bytes()
            session.close()
            found[name] = path.read_bytes()
    return found


def good() -> list[Case]:
    return [Case(name, OPENED, {OPENED: content}, good=True, session=True) for name, content in sessions().items()]


def case(name: str, content: bytes | str) -> Case:
    return Case(name, OPENED, {OPENED: content}, session=True)


def lines() -> list[str]:
    """The lines of a whole session, without their checksums."""
    return [line[9:] for line in sessions()["article"].decode().splitlines()[1:]]


def sealed(parts: list[str]) -> bytes:
    return FIRST + b"".join(map(seal, parts))


def counted(parts: list[str]) -> list[str]:
    """The lines with a last one that has counted them."""
    commands = json.loads(lines()[-1].partition(" ")[2])["commands"]
    return [*parts, f"saved {json.dumps({'lines': len(parts), 'commands': commands})}"]


def with_line(key: str, value: str | None) -> bytes:
    """The session with another value of a key, or without it."""
    rest = [line for line in lines()[:-1] if line.partition(" ")[0] != key]
    return sealed(counted(rest if value is None else [*rest, f"{key} {value}"]))


def envelopes() -> Iterator[Case]:
    """What is no session from its first line on, or is torn so that nothing is left."""
    whole = sessions()["article"]
    contents = {
        "a title alone": b"bptui session ", "a title and nothing": FIRST, "another version": whole.replace(b"session 1\n", b"session 2\n"), "no version": whole.replace(b"session 1\n", b"session \n"), "a version of 5000 digits": whole.replace(b"session 1\n", b"session " + b"9" * 5000 + b"\n"),
        "a version of hostile text": whole.replace(b"session 1\n", b"session \x1b[31m\n"), "Windows line ends": whole.replace(b"\n", b"\r\n"), "half of the first line": whole[: len(FIRST) + 20], "zeros behind the title": FIRST + bytes(5000), "no line of it whole": FIRST + b"x\n" * 500,
        "a saved line alone": sealed(['saved {"lines": 0, "commands": 0}']), "two megabytes of one line": FIRST + seal("x" * 2**21), "many empty lines": FIRST + seal("") * 100_000, "more than the limit": FIRST + b"x" * MAX_BYTES, "a line of brackets": sealed(["spec " + "[" * 500_000]),
        "checksums of another": FIRST + b"".join(b"00000000 " + line.encode() + b"\n" for line in lines()),
    }  # fmt: skip
    for name, content in contents.items():
        yield case(name, content)
    for name in (FOLDER, PIPE, LOOP):
        yield case(name, name)


def damages() -> Iterator[Case]:
    """One byte changed in each line but the last, and each line taken out or doubled."""
    whole = sessions()["article"].splitlines(keepends=True)
    for k in range(1, len(whole) - 1):
        at = len(whole[k]) // 2
        broken = whole[k][:at] + bytes([whole[k][at] ^ 1]) + whole[k][at + 1 :]
        yield case(f"line {k + 1} damaged", b"".join([*whole[:k], broken, *whole[k + 1 :]]))
        yield case(f"line {k + 1} missing", b"".join([*whole[:k], *whole[k + 1 :]]))
    for k in range(1, len(whole)):
        yield case(f"cut before line {k + 1}", b"".join(whole[:k]))


WHOLE_LINES = {
    "no key": "", "a key alone": "x", "a key of blanks": '  "a"', "a number as key": "1 2", "no JSON": "x y", "half a list": "x [1", "nan": "x nan", "deep": "x " + "[" * 5000, "a key twice": 'position "0:0"', "hostile": 'x\x1b[2J "y', "a huge number": "x " + "9" * 5000,
    "a command before its time": '18 "next" {}', "saved too early": 'saved {"lines": 0, "commands": 0}', "saved without counts": "saved {}", "saved a list": "saved []", "saved below nothing": 'saved {"lines": 1, "commands": -1}', "saved true": 'saved {"lines": true, "commands": true}',
}  # fmt: skip
COMMAND_LINES = {
    "another number": '99 "next" {}', "no number": 'x "next" {}', "no text": "15 next {}", "a text alone": '15 "next"', "changes that are none": '15 "next" []', "changes of blanks": '15 "next" {"": 1}', "a changed saved": '15 "next" {"saved": 1}', "more behind": '15 "next" {} {}', "deep": '15 "next" ' + "[" * 5000,
    "a huge number": '15 "next" {"x": ' + "9" * 5000 + "}", "changes of numbers": '15 "next" {"1": 1}', "half": '15 "next" {"position": "0',
}  # fmt: skip


def odd_lines() -> Iterator[Case]:
    """Lines with a checksum that fits, which are no lines of a session."""
    own = lines()
    for name, line in WHOLE_LINES.items():
        yield case(f"{name}, first", sealed([line, *own]))
        yield case(f"{name}, before the end", sealed([*own[:-1], line, own[-1]]))
    for name, line in COMMAND_LINES.items():
        yield case(f"a command: {name}", sealed([*own, line]))


ODD_KEYS = {
    "position": ('"9:99"', '"x"', '"0:0.99"', '"-1:0"', "3", "[]", "null", '"1:2:3"', '"9999999999999:0"', '"\\u001b[2J"', '"' + "9" * 5000 + ':0"'),
    "branch": ('"nobody"', '"no\\nbody\\n\\n"', "3", "null", "[]", '"\\u001b[2J"'),
    "branch/main": ("{}", "[]", "3", '{"edits": "9", "parent": "", "at": "0:0"}', '{"edits": "1-999999999999", "parent": "", "at": "0:0"}', '{"edits": "", "parent": "main", "at": "0:0"}', '{"edits": "", "parent": "nobody", "at": "0:0"}', '{"edits": "x", "parent": "", "at": "0:0"}', '{"edits": "", "parent": "", "at": "9:99"}', '{"edits": [], "parent": "", "at": "0:0"}'),
    "reached/main": ('"x"', "3", "[]", '"0:99"'),
    "edit/1": ("{}", "[]", "null", *(json.dumps({"at": "0:3", "slot": "W2", "cells": 1, "values": 0.2, "text": "x", "nudge": False} | change) for change in ({"slot": "nobody"}, {"slot": "no\nbody"}, {"slot": 3}, {"at": "9:99"}, {"at": "x"}, {"cells": 0}, {"cells": -1}, {"cells": 10**12}, {"cells": [9]}, {"cells": [-1]}, {"cells": ["a"]}, {"cells": [True]}, {"cells": []}, {"cells": {}}, {"values": "x"}, {"values": [1, 2, 3]}, {"values": None}, {"values": [[1]]}, {"values": 10**400}, {"values": float("nan")}, {"values": float("inf")}, {"values": "1e999"}))),
    "edit/x": ("{}",),
    "edit/-1": ("{}",),
    "undo/0": ("{}", "[]", "3", '{"edit": 99, "before": {}, "after": {}, "left": "main", "entered": "main"}', '{"edit": 1, "before": [], "after": {}, "left": "main", "entered": "main"}', '{"edit": 1, "before": {"main": 3}, "after": {}, "left": "main", "entered": "main"}'),
    "breakpoint/1": ("{}", "[]", "3", *(json.dumps({"stop": "nan", "enabled": True, "hits": 0, "ignore": 0, "once": False} | change) for change in ({"stop": "if __import__('os').system('touch hostile')"}, {"stop": "if w9"}, {"stop": ""}, {"stop": "if " + "(" * 500}, {"stop": "\x1b[2J"}, {"hits": "x"}, {"hits": []}, {"ignore": None}))),
    "breakpoint/x": ("{}",),
    "watch/1": ('""', "[]", '"__import__(\'os\').system(\'touch hostile\')"', '"w9"', '"' + "(" * 500 + '"', '"\\u001b[2J"'),
    "numbers": ("{}", "[]", "3", '{"breakpoint": "x", "watch": 1}', '{"breakpoint": null, "watch": 1}', '{"breakpoint": 1}'),
}  # fmt: skip
_TOLD = {"path": "article", "example": True, "json": False, "name": "article", "sha256": "0", "files": {}}
SPECS = {
    "nothing": {}, "a list": [], "a number": 3, "no path": {**_TOLD, "path": None}, "a path of a zero": {**_TOLD, "path": "a\0b"}, "an example that is none": {**_TOLD, "path": "nobody"}, "no name": {**_TOLD, "name": 3}, "example by number": {**_TOLD, "example": 1}, "files by list": {**_TOLD, "files": []},
    "a file that is not there": {**_TOLD, "path": "none.toml", "example": False}, "a folder": {**_TOLD, "path": ".", "example": False}, "a device": {**_TOLD, "path": "/dev/zero", "example": False}, "hostile": {**_TOLD, "path": "\x1b[2J", "example": False},
}  # fmt: skip


def odd_keys() -> Iterator[Case]:
    """Keys of the debugger with a value that does not fit the network, and such as are missing."""
    for key, values in ODD_KEYS.items():
        for k, value in enumerate(values):
            yield case(f"{key} {k}: {value[:40]}", with_line(key, value))
    for key in (
        "position",
        "branch",
        "branch/main",
        "branch/other",
        "reached/main",
        "numbers",
        "spec",
        "edit/1",
        "edit/2",
    ):
        yield case(f"without {key}", with_line(key, None))


def odd_specs() -> Iterator[Case]:
    """Sessions of nothing, or of a spec that is none."""
    rest = [line for line in lines()[:-1] if line.partition(" ")[0] not in ("spec", "|")]
    for name, told in SPECS.items():
        yield case(f"the spec is {name}", sealed(counted([*rest, f"spec {json.dumps(told)}"])))
    for name, words in {
        "no TOML": "x",
        "empty": "",
        "another network": 'data = "xor"\nloss = "mse"\nlayers = ["dense 1"]',
        "gigantic": 'data = "xor"\nloss = "mse"\nlayers = ["dense 60000000"]',
        "hostile": 'title = "\\u001b[2J',
    }.items():
        own = [f"| {line}" for line in words.split("\n")]
        yield case(f"its text is {name}", sealed(counted([*rest, f"spec {json.dumps(_TOLD)}", *own])))


GENERATORS = {
    "envelopes": envelopes,
    "damages": damages,
    "odd lines": odd_lines,
    "odd keys": odd_keys,
    "odd specs": odd_specs,
}


def mutate(rng: Random, case: Case) -> Case:
    """The bytes changed; or a line, its checksum made anew; or the value of a key, all counts made anew."""
    content = case.files[OPENED]
    assert isinstance(content, bytes)
    way = rng.choice((scribbled, _other_lines, _other_values, _other_values))
    return Case(case.name, OPENED, {OPENED: way(rng, content)}, good=True, session=True)


def _parts(content: bytes) -> list[str]:
    return [line[9:] for line in content.decode("utf-8", "surrogatepass").splitlines()[1:]]


def _other_lines(rng: Random, content: bytes) -> bytes:
    parts = [text(part) for part in _parts(content)]
    for _ in range(rng.choice((1, 1, 2))):
        at = rng.randrange(len(parts))
        parts[at] = scribbled(rng, parts[at]).replace(b"\n", b" ")
    return FIRST + b"".join(seal(part.decode("utf-8", "replace")) for part in parts)


def _other_values(rng: Random, content: bytes) -> bytes:
    """Positions are left alone: one very far on is right, and takes as long as it took to get there."""
    parts = _parts(content)
    saved = next(k for k, part in enumerate(parts) if part.startswith("saved "))
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = rng.randrange(saved)
        key, _, value = parts[at].partition(" ")
        if key not in ("|", "position"):
            parts[at] = f"{key} {_rejson(rng, value)}"
    if rng.random() < 0.2:
        del parts[rng.randrange(saved)]
        told = json.loads(parts[saved - 1].partition(" ")[2])
        parts[saved - 1] = f"saved {json.dumps({**told, 'lines': saved - 1})}"
    return sealed(parts)


def _rejson(rng: Random, value: str) -> str:
    made: Any = changed(rng, json.loads(value), 0.3)
    words = json.dumps(made)
    return words if len(words) < 100_000 else "null"
