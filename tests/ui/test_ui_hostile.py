"""Hostile text in every name and value that can be shown: no control byte reaches a terminal, no markup is obeyed.

The whole form, each text alone in each place:

    python -m pytest -n 0 -s -m soak tests/ui/test_ui_hostile.py
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pexpect
import pytest
from hostile import GROUPS, LABELS, faults
from rich.cells import cell_len
from test_ui_terminal import Terminal
from textual import events

from bptui.cli import main

STAGES = ("start", "forward", "loss", "backward", "update", "end", "z1", "W1.grad", "W1")
# Looked at after each stretch, or after each key in the whole form: a look waits for the screen.
WALK = (
    ("n", "n"),
    ("n", "n", "n"),
    ("i", "2", "down", "right", "plus"),
    ("3", "right", "down"),
    ("4", "down", "5", "left", "1", "down", "t", "N"),
)
# Every view of every pane, plots and surfaces among them, and what is typed into lists to choose from.
VIEWS = tuple("2vvv3vvv4vvv5vvvvvvv61")
LISTS = (("ctrl+p",), ("ctrl+o",), ("question_mark", "slash"), ("slash",), ("E",), ("p",))
PAGES = (("x",), ("escape", "m"), ("escape", "question_mark"), ("escape", "e"), ("escape",))
# All the short texts one after the other, and the long ones.
SMALL = {
    "short": " ".join(text for group in GROUPS if group != "long" for text in GROUPS[group].values()),
    "long": " ".join(GROUPS["long"].values()),
}
# A whole file name may have 255 bytes, and no / or NUL.
MOST_BYTES = 200


def spec(text: str, labels: tuple[str, str] = ("i1", "i2")) -> dict[str, Any]:
    """A network with the text wherever one is free."""
    return {
        "name": text, "title": text, "data": {"x": [[2, 3]], "y": [[1]]}, "loss": "half-mse", "iterations": 3,
        "labels": {"x": list(labels)},
        "layer": [{"dense": 2, "name": f"{labels[0]}_", "labels": {"out": [f"{labels[1]}1", f"{labels[1]}2"]}}, {"dense": 1}],
        "narration": dict.fromkeys(STAGES, text),
    }  # fmt: skip


def file_name(text: str, ending: str) -> str:
    """The text as the name of a file, as far as a file may be called so."""
    return text.replace("/", "").replace("\0", "").encode()[:MOST_BYTES].decode(errors="ignore") + ending


def together(texts: Mapping[str, str]) -> str:
    return " ".join(texts.values())


def put(name: str, content: str) -> str:
    Path(name).write_text(content, encoding="utf-8")
    return name


def write(name: str, values: object) -> str:
    return put(name, json.dumps(values))


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """An empty folder, so that what is saved harms nobody."""
    monkeypatch.chdir(tmp_path)


def each(stretches: tuple[tuple[str, ...], ...]) -> Iterator[str]:
    """Key by key."""
    return (key for keys in stretches for key in keys)


def look(reader, what: str) -> None:
    """Every line of the screen: as wide as the screen, and nothing in it but what is to be seen."""
    for number, line in enumerate(reader.lines()):
        assert not faults(line), f"after {what}, line {number}: {faults(line)}"
        assert cell_len(line) == reader.app.size.width, f"after {what}, line {number}: {line!r}"


async def press(reader, *stretches: str | tuple[str, ...]) -> None:
    for keys in stretches:
        await reader.press(*([keys] if isinstance(keys, str) else keys))
        look(reader, str(keys))


async def paste(reader, text: str) -> None:
    """What a terminal hands over as pasted."""
    reader.app.screen.focused.post_message(events.Paste(text))
    await reader.pilot.pause()
    look(reader, f"pasting {text[:20]!r}")


async def command(reader, line: str) -> None:
    """A line pasted after `:`, and whatever opens closed again."""
    await reader.press("colon")
    await paste(reader, line)
    await press(reader, "enter")
    await reader.press("escape")


def commands(text: str) -> Iterator[str]:
    """The text wherever a command takes one."""
    for verb in ("print", "set", "find", "goto", "help", "next", "load", "nudge", ""):
        yield f"{verb} {text}"
    yield f"set w = {text}"
    yield f"set lr = 0.1 # {text}"
    yield "set W1[0,\x850] = 0.5"
    yield f"set lr = 0.1 at {text}"
    yield f"save {file_name(text, '.toml')}"
    yield f"load {file_name(text, '.toml')}"


class TestInTheApp:
    @pytest.mark.parametrize("group", SMALL)
    async def test_in_what_a_spec_says(self, app, group):
        name = write(file_name(SMALL[group], ".json"), spec(SMALL[group]))
        async with app(name, (120, 40)) as reader:
            look(reader, "opening")
            await press(reader, *WALK, *PAGES)
            await press(reader, *VIEWS)
            for keys in LISTS:
                await reader.press(*keys)
                await paste(reader, SMALL[group])
                await press(reader, "escape", "escape")
            await command(reader, f"branch {SMALL[group][:40]}")
            await command(reader, f"watch {SMALL[group][:40]}")
            await reader.command("tour")
            await press(reader, *(("right",) for _ in range(4)), "escape")

    @pytest.mark.parametrize("label", LABELS[1::2], ids=ascii)
    async def test_in_labels(self, app, label):
        """As neurons with their numbers, and where they have no room."""
        async with app(write("net.json", spec("labelled", (label, label[:-1] + "k"))), (160, 50)) as reader:
            await press(reader, *WALK[:3], *PAGES[:2])
            await reader.pilot.resize_terminal(60, 20)
            await press(reader, "N", ("x",), ("escape", "2", "down"))

    @pytest.mark.soak
    @pytest.mark.parametrize("label", LABELS, ids=ascii)
    async def test_in_labels_at_every_size(self, app, label):
        async with app(write("net.json", spec("labelled", (label, label[:-1] + "k"))), (200, 60)) as reader:
            for size in ((160, 50), (120, 40), (100, 30), (80, 24), (60, 20), (40, 14), (20, 5)):
                await press(reader, *each(WALK), *each(PAGES), "2", "left_square_bracket", "e", "escape", "I", "C")
                await reader.pilot.resize_terminal(*size)

    @pytest.mark.parametrize("group", SMALL)
    async def test_in_what_is_typed(self, app, group):
        async with app("article", (80, 24)) as reader:
            for line in commands(SMALL[group]):
                await command(reader, line)
            await reader.press("e")
            await paste(reader, SMALL[group])
            await press(reader, "enter", ("escape", "1", "n"), ("x",))

    async def test_in_files_that_are_refused(self, app):
        text = SMALL["short"]
        table = f"a,{json.dumps(text)}\n1,{json.dumps(text)}\n2,3\n".replace('\\"', '""')
        put("points.csv", table)
        for name, values in refused(text).items():
            write(name, values)
        async with app("article", (80, 24)) as reader:
            for name in refused(text):
                await command(reader, f"load {name}")
                assert reader.session.debugger.program.network.name == "article", name

    async def test_in_classes_and_characters(self, app):
        """Names of classes, and a text whose characters would drive a terminal."""
        text = together(GROUPS["obeyed"]).replace("\0", "") + together(GROUPS["hidden"])
        put("t.txt", text * 2)
        classes = [*GROUPS["obeyed"].values()][:3]
        pictures = [[k + j for j in range(16)] for k in range(3)]  # of 4×4
        data = {"x": pictures, "y": [0, 1, 2], "classes": classes}
        write("classes.json", {"data": data, "loss": "softmax-ce", "layers": ["dense 3"]})
        characters = len(set(text))
        write("text.json", {"data": {"text": "t.txt", "length": 4}, "loss": "softmax-ce", "layers": [f"embedding {characters} 3", f"dense {characters}"]})  # fmt: skip
        for name in ("classes.json", "text.json"):
            async with app(name, (100, 30)) as reader:
                await press(reader, *WALK[:3], ("x",), "escape")
                await command(reader, "info")
                await press(reader, "2", "home", *"vvvv")
                await command(reader, "look x[1, 0]")
                await command(reader, "view picture")

    @pytest.mark.soak
    @pytest.mark.parametrize(("group", "name"), [(group, name) for group in GROUPS for name in GROUPS[group]])
    async def test_each_alone(self, app, group, name):
        text = GROUPS[group][name]
        async with app(write(file_name(text, ".json"), spec(text)), (100, 30)) as reader:
            await press(reader, *each(WALK), *each(PAGES))
            for line in commands(text):
                await command(reader, line)
        print(f"\n{group}, {name}: nothing came through")


def refused(text: str) -> dict[str, object]:
    """Specs that are wrong where the text stands."""
    good = spec("good")
    return {
        "key.json": {**good, text: 1},
        "value.json": {**good, "loss": text, "optim": text, "dtype": text, "layout": text},
        "label.json": {**good, "labels": {"x": [text, text]}},
        "layer.json": {**good, "layer": [{"dense": 1, "act": text, "name": text, text: 1}]},
        "line.json": {"data": text, "loss": "mse", "layers": [text]},
        "node.json": {"data": "xor", "loss": "mse", "net": {text: f"dense 1 ({text})"}},
        "story.json": {**good, "narration": {text: text}},
        "file.json": {"data": {"file": text}, "loss": "mse", "layers": ["dense 1"]},
        "table.json": {"data": "points.csv", "loss": "mse", "layers": ["dense 1"]},
        "column.json": {"data": {"file": "points.csv", "label": text}, "loss": "mse", "layers": ["dense 1"]},
        "weights.json": {**good, "weights": text},
    }


class TestInATerminal:
    """Real bytes: those of the hostile network are of no other kind than those of a harmless one."""

    TEXT = together({**GROUPS["obeyed"], **GROUPS["hidden"], **GROUPS["markup"]})
    SEQUENCE = re.compile(
        rb"\x1b(?:\[([<=>?]?)[0-9;:]*[ -/]*([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_][^\x1b]*\x1b\\|[ -/]*[0-~])"
    )

    def test_it_sends_no_other_kinds_of_bytes(self):
        harmless, hostile = (self.sent(text) for text in ("harmless words", self.TEXT))
        assert self.kinds(hostile) <= self.kinds(harmless)
        text = self.SEQUENCE.sub(b"", hostile).decode()
        assert not faults(text, allowed="\r\n\b")
        assert text.count("\b") <= self.SEQUENCE.sub(b"", harmless).count(b"\b") + 1

    def sent(self, text: str) -> bytes:
        """All that the app sends in a short life, texts pasted into it too."""
        name = write(file_name(text, ".json"), spec(text))
        with Terminal(name, columns=100, rows=30) as terminal:
            terminal.until("op 0 of 13")
            for key in ("n", "i"):
                terminal.send(key)
            terminal.until("op 1 of 13")
            terminal.until("iteration 1")
            pasted = text.replace("\x1b[201~", "").splitlines()[0]
            for verb in ("print ", "load ", "help "):
                terminal.send(f":{verb}\x1b[200~{pasted}\x1b[201~\r".encode())
                terminal.until("error: ")
                terminal.send("\x03")  # it stays to be mended
                terminal.until(lambda shown: "error: " not in shown)
            terminal.send(":goto 0:3\r")
            terminal.until("op 3 of 13")
            terminal.send("q")
            assert terminal.ended() == 0
            return terminal.written

    def kinds(self, sent: bytes) -> set[bytes]:
        """What each escape sequence is for: modes and strings in full, of the others the last byte."""
        found = set()
        for match in self.SEQUENCE.finditer(sent):
            mark, last = match.group(1, 2)
            found.add(match.group() if last in (b"h", b"l", None) else mark + last)
        return found

    def test_plain_mode_greets_without_obeying(self):
        """On a terminal it says the name and the title, which a pipe never sees."""
        name = write(file_name(self.TEXT, ".json"), spec(self.TEXT))
        child = pexpect.spawn(
            sys.executable, ["-m", "bptui", name, "--plain"], timeout=20, encoding="utf-8", echo=False
        )
        child.expect("quit leaves")
        greeting = child.before
        child.sendline("quit")
        child.expect(pexpect.EOF)
        assert not faults(greeting + child.before, allowed="\r\n")


class TestWithoutAScreen:
    LINES = "info\nnext 3\nlist\nexplain loss\nformulas\ncheck\n"

    @pytest.mark.parametrize("group", SMALL)
    def test_what_is_printed(self, bptui, group):
        text = SMALL[group]
        name = write(file_name(text, ".json"), spec(text))
        typed = "".join(f"{line}\n" for line in commands(" ".join(text.split()))).replace("\0", "")
        run = bptui(name, "--plain", stdin=self.LINES + typed)
        assert not faults(run.stdout + run.stderr, allowed="\n")
        assert "Traceback" not in run.stderr

    @pytest.mark.parametrize("group", SMALL)
    def test_what_reports_say(self, capsys, group):
        text = SMALL[group]
        name, short = write(file_name(text, ".json"), spec(text)), text[:1000]
        for report in ("trace", "run", "check"):
            for style in ("text", "json"):
                assert main([report, name, "--format", style]) == 0
        for wrong in (["run", name, "--until", short], ["trace", name, "--iterations", short], ["trace", name, short], [short], [short, short], [f"--{short}"]):  # fmt: skip
            assert main(wrong) == 2, wrong
        said = capsys.readouterr()
        assert not faults(said.out + said.err, allowed="\n")

    def test_what_is_refused(self, capsys):
        text = together({**GROUPS["obeyed"], **GROUPS["hidden"]})
        Path("points.csv").write_text(f"a,{json.dumps(text)}\n1,2\n", encoding="utf-8")
        for name, values in refused(text).items():
            assert main(["trace", write(name, values)]) == 2, name
        said = capsys.readouterr()
        assert not faults(said.out + said.err, allowed="\n")
        assert said.out == ""


def test_the_look_sees_what_comes_through():
    """A check that can't fail shows nothing."""
    for group in ("obeyed", "hidden"):
        for name, text in GROUPS[group].items():
            assert faults(text), name
    assert not faults(together(GROUPS["markup"]))
