"""Another network from inside the app, and a spec whose file changes while it is open: by keys and files alone."""

from __future__ import annotations

import json
import os
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from conftest import Reader

from bptui.commands import opening
from bptui.commands.opening import Request
from bptui.files import shelf
from bptui.files.examples import examples
from bptui.tui.app import BptuiApp

SPEC = """title = "my own"
data = { x = [[2, 3]], y = [[1]] }
layers = ["dense 3 tanh", "dense 1"]
loss = "half-mse"
lr = 0.1
"""
BAD = SPEC.replace("half-mse", "half").replace("lr = 0.1", "lr = true")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    write(SPEC)
    return tmp_path


def write(text: str, name: str = "my.toml", at: int = 1) -> None:
    """A file written so many seconds after the beginning of time."""
    Path(name).write_text(text, encoding="utf-8")
    os.utime(name, (at, at))


@asynccontextmanager
async def opened(named="my.toml", size=(120, 40), file=""):
    app = BptuiApp(opening.opened(Request(named, file, remember=bool(file))))
    async with app.run_test(size=size) as pilot:
        reader = Reader(app, pilot)
        await reader.settled()
        yield reader
    app.session.close()


async def looked(reader, times=2):
    """The app has looked at the spec's file, so often: the second look finds it at rest."""
    for _ in range(times):
        reader.app.screen_stack[1].look_at_the_spec()
    await reader.settled()


def status(reader):
    return reader.lines()[-2].strip()


class TestTheFile:
    async def test_a_change_is_seen_where_one_is(self):
        """Position, cursor, focus, breakpoint and edit stay; the numbers are the new ones."""
        async with opened() as reader:
            await reader.press("i", "i", "n", "n")
            await reader.command("break 3")
            await reader.command("set b2 = 0.25")
            await reader.press("2", "down", "down", "right")
            cursor, bits = status(reader).partition(" ")[0], reader.bits()
            write(SPEC.replace("lr = 0.1", "lr = 0.2"), at=2)
            await looked(reader, 1)
            assert reader.bits() == bits  # it may be half written still
            await looked(reader, 1)
            assert "reloaded my.toml" in status(reader)
            assert "lr 0.2" in reader.lines()[0]
            assert reader.position == "2:2"
            assert reader.app.screen.focused.number == 2
            assert list(reader.session.debugger.breakpoints.all) == [1]
            assert "set b2 = 0.25" in [edit.text for edit in reader.session.debugger.timeline.edits]
            await reader.press("left", "right")
            assert status(reader).startswith(f"{cursor} ")
            await looked(reader, 3)
            assert "reloaded" not in status(reader)

    @pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
    async def test_mistakes_leave_the_last_good_network(self, size):
        async with opened(size=size) as reader:
            await reader.press("n", "n")
            bits = reader.bits()
            write(BAD, at=2)
            await looked(reader)
            assert "spec has mistakes" in reader.lines()[0]
            assert status(reader).startswith("2 mistakes, :reload shows them all   my.toml:4: unknown loss 'half'")
            assert len(reader.app.screen_stack) == 2
            await reader.press("n", "N")
            assert (reader.position, reader.bits()) == ("0:2", bits)
            assert "spec has mistakes" in reader.lines()[0]
            await reader.command("reload")
            assert "my.toml:5: lr = a number is expected: true is no number" in reader.inside("#page")
            await reader.press("escape")
            write(SPEC, at=3)
            await looked(reader)
            assert "spec has mistakes" not in reader.text()
            assert (reader.position, reader.bits()) == ("0:2", bits)
            os.unlink("my.toml")  # noqa: PTH108 - of a test
            await looked(reader)
            assert "no such file" in status(reader)
            assert "spec has mistakes" in reader.lines()[0]

    async def test_another_network_in_the_file(self):
        """The cursor goes to a cell that there is, and all panes show the new network."""
        async with opened() as reader:
            await reader.press("i", "2", *["down"] * 30)
            write(SPEC.replace('"dense 3 tanh", ', ""), at=2)
            await looked(reader)
            assert "reloaded my.toml" in status(reader)
            assert reader.position == f"0:{reader.session.debugger.count}"
            await reader.press("3", "right", "plus", "u", "1", "C")
            assert reader.app._exception is None

    async def test_it_waits_for_what_goes_on(self):
        """While a line is typed or a page is open nothing changes under the reader."""
        async with opened() as reader:
            for k, key in enumerate(["colon", "question_mark", "e"]):
                before = reader.session.debugger.program.network.lr
                await reader.press(key)
                write(SPEC.replace("lr = 0.1", f"lr = 0.{k + 2}"), at=k + 2)
                await looked(reader, 3)
                assert reader.session.debugger.program.network.lr == before
                await reader.press("escape")
                await looked(reader)
                assert f"lr 0.{k + 2}" in reader.lines()[0]

    async def test_data_of_the_spec_count_as_the_spec(self):
        write("a,b,y\n1,2,0\n3,4,1\n", "d.csv")
        write(SPEC.replace("{ x = [[2, 3]], y = [[1]] }", '{ file = "d.csv", label = "y" }'))
        async with opened() as reader:
            write("a,b,y\n1,2,0\n3,5,1\n", "d.csv", at=2)
            await looked(reader)
            assert "reloaded my.toml" in status(reader)
            assert 5.0 in reader.session.debugger.program.network.x

    async def test_a_session_keeps_it(self):
        async with opened(file="s") as reader:
            await reader.press("n", "n")
            write(SPEC.replace("lr = 0.1", "lr = 0.2"), at=2)
            await looked(reader)
            bits = reader.bits()
        write(SPEC.replace("lr = 0.1", "lr = 0.3"), at=3)
        async with opened("s") as reader:
            await reader.press("escape")
            await looked(reader)
            assert (reader.position, reader.bits()) == ("0:2", bits)
            await reader.command("reload")
            assert "lr 0.3" in reader.lines()[0]

    async def test_the_clock_looks_at_it(self):
        async with opened() as reader:
            write(SPEC.replace("lr = 0.1", "lr = 0.2"), at=2)
            await reader.until("reloaded my.toml")


class TestOpening:
    @pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
    async def test_what_there_is_and_what_is_typed(self, size):
        write("[tool]\nx = 1\n", "pyproject.toml")
        write(json.dumps({"layers": ["dense 1"], "title": "in json"}), "j.json")
        write("data = [", "broken.toml")
        async with opened("article", size) as reader:
            await reader.press("ctrl+o")
            shown = reader.inside("#open-view")
            assert (
                "in this folder broken.toml has mistakes j.json in json my.toml my own examples article 2-2-1" in shown
            )
            assert "pyproject" not in shown
            await reader.type("moon")
            assert "article" not in reader.inside("#open-view")
            await reader.press("enter")
            assert reader.session.debugger.program.network.name == "moons"
            assert "moons" in reader.lines()[0]
            await reader.press("n")
            assert reader.position == "0:1"

    async def test_the_chosen_one_is_described_in_full(self):
        async with opened("article", (80, 24)) as reader:
            await reader.press("ctrl+o")
            await reader.type("article")
            await reader.press("down")
            title = dict(examples())["article"]
            assert f"article: {title}" in reader.inside("#open-view").replace("│", "")

    async def test_one_with_mistakes_says_all_of_them_and_changes_nothing(self):
        write(BAD, "bad.toml")
        async with opened() as reader:
            await reader.press("n", "n")
            before = reader.bits()
            await reader.press("ctrl+o")
            await reader.type("bad")
            await reader.press("enter")
            shown = reader.inside("#open-view")
            assert "bad.toml:4: unknown loss 'half' (did you mean half-mse?)" in shown
            assert "bad.toml:5: lr = a number is expected: true is no number" in shown
            assert "the network that was open stays" in shown
            await reader.press("down")
            assert "bad.toml" in reader.inside("#open-view")
            assert "unknown loss" not in reader.inside("#open-view")
            await reader.press(*["backspace"] * 3)
            await reader.type("nonsense")
            await reader.press("enter")
            assert "nonsense: no such file or example" in reader.inside("#open-view")
            await reader.press("escape")
            assert (reader.position, reader.bits()) == ("0:2", before)
            assert "my" in reader.lines()[0]
            await reader.press("n")
            assert reader.position == "0:3"

    async def test_a_file_by_its_name_and_one_opened_lately(self, folder):
        other = folder / "elsewhere"
        other.mkdir()
        write(SPEC.replace("my own", "another"), str(other / "far.toml"))
        async with opened(file="s") as reader:
            await reader.press("ctrl+o")
            await reader.type("elsewhere/far.toml")
            await reader.press("enter")
            assert "far" in reader.lines()[0]
            await reader.command("open")
            await reader.press("up", "up")
            assert "opened lately elsewhere/far.toml in this folder my.toml" in reader.inside("#open-view")
            await reader.press("down", "down", "enter")
            assert reader.session.debugger.program.network.name == "my"
        assert shelf.lately() == [folder / "my.toml", other / "far.toml"]

    async def test_this_one_anew_with_other_settings(self):
        """The form holds all settings as they are; unchanged it begins anew as the spec has it; mistakes stay, to be mended."""
        async with opened(size=(80, 24)) as reader:
            first = reader.bits()
            await reader.press("n", "n", "ctrl+o", "up", "enter")
            rows = reader.inside("#settings-rows")
            assert rows == "lr 0.1 seed 0 optim sgd batch all loss half-mse iterations 1000"
            await reader.press("enter")
            assert "restarted, as the spec has it" in status(reader)
            assert (reader.position, reader.bits()) == ("0:0", first)
            await reader.press("n", "ctrl+p")
            await reader.type("restart")
            await reader.press("enter")
            assert "the learning rate" in reader.inside("#settings")
            await reader.press("down", *"7", "down")
            await reader.type("adem")
            assert "one of sgd" in reader.inside("#settings")
            await reader.press("enter")
            assert "(did you mean adam?)" in reader.inside("#edit-error")
            assert reader.position == "0:1"
            await reader.press("backspace", "backspace")
            await reader.burst("a", "m", "up", "up", *"0.2", "enter")
            assert "restarted, lr=0.2 seed=7 optim=adam" in status(reader)
            assert reader.position == "0:0"
            await reader.command("restart")
            await reader.press("escape", "n")
            assert reader.position == "0:1"
            assert "lr 0.2" in reader.lines()[0]

    async def test_nothing_is_noted_where_nothing_is_kept(self):
        async with opened() as reader:
            await reader.command("open my.toml")
            await reader.command("load my.toml")
        assert shelf.lately() == []
        assert not shelf.folder().exists()

    async def test_a_hostile_title_and_name(self):
        write(SPEC.replace("my own", "\\u001b[31m[/]\\u202e"), "\x1b[7m[b].toml")
        async with opened() as reader:
            await reader.press("ctrl+o")
            assert "\\x1b[7m[b].toml" in reader.inside("#open-view")
            assert "\x1b" not in reader.text()
            assert reader.app._exception is None


async def test_restart_by_the_line_keeps_the_cursor(app):
    async with app("article") as reader:
        await reader.press("i", "i", "2", "up")
        cursor = status(reader).split()[0]
        await reader.command("restart lr=0.5 seed=3")
        assert "restarted, lr=0.5 seed=3" in status(reader)
        assert reader.position == "0:0"
        assert "lr 0.5" in reader.lines()[0]
        await reader.press("n", "N")
        assert status(reader).split()[0] == cursor
