"""The first three lines, and the tour: driven by keys, and by its clock where that is the point."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager

import pytest
from conftest import Reader

from bptui.commands.session import Session
from bptui.commands.touring import STOPS
from bptui.files import specs
from bptui.tui.app import BptuiApp
from bptui.tui.screens import touring
from bptui.tui.widgets.formula import FormulaPane

LAST = len(STOPS)
NUMBER = re.compile(r"[−+-]?\d+(?:\.\d+)?(?:e-\d+)?")


def caption(reader):
    """The lines under the screen."""
    return " ".join(" ".join(reader.lines()[-3:]).split())


def stop(reader):
    return int(re.search(rf"(\d+) of {LAST}\b", caption(reader))[1])


def status(reader):
    return reader.lines()[-2].strip()


@pytest.fixture
def tour():
    @asynccontextmanager
    async def opened(size=(120, 40)):
        app = BptuiApp(Session(specs.load("article")), tour=True)
        async with app.run_test(size=size) as pilot:
            reader = Reader(app, pilot)
            await reader.settled()
            yield reader

    return opened


def numbers(text):
    """Every number in a text, those of a product or a sum each alone."""
    return [float(found.replace("−", "-").replace("+", "")) for found in NUMBER.findall(text.replace("·", " · "))]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_every_number_that_is_told_is_on_the_screen(tour, size):
    """To as many digits as it is told with; the numbers of the screen are the oracle, those of the caption ours."""
    async with tour(size) as reader:
        for number, one in enumerate(STOPS, 1):
            assert stop(reader) == number
            assert one.words in caption(reader)
            shown = numbers(" ".join(reader.lines()[:-3]))
            for told in NUMBER.findall(re.sub(r"[hwi]\d", "", one.words).replace("·", " ")):
                value, places = numbers(told)[0], len(told.partition(".")[2])
                assert any(abs(value - found) <= 0.5 * 10**-places * 1.01 for found in shown), (number, told)
            await reader.press("right" if number < LAST else "escape")
        assert reader.position == "0:0"


async def test_it_goes_on_by_its_clock(tour, monkeypatch):
    monkeypatch.setattr(touring, "SECONDS", 0.05)
    async with tour((80, 24)) as reader:
        await reader.until(f" {LAST} of {LAST}")
        assert reader.position == "0:0"
        assert "any key leaves the tour" in caption(reader)
        assert reader.app.screen._clock is None
        await reader.press("escape", "n")
        assert reader.position == "0:1"


async def test_space_pauses_and_arrows_go_on_and_back(tour, monkeypatch):
    async with tour() as reader:
        assert "space pauses" in caption(reader)
        await reader.press("space")
        assert reader.app.screen._clock is None
        assert "space goes on" in caption(reader)
        await reader.press("space")
        assert reader.app.screen._clock is not None
        seen = []
        for _ in range(LAST):
            seen.append((stop(reader), reader.position, reader.bits()))
            await reader.press("right" if stop(reader) < LAST else "a")
        assert not reader.app.screen.touring
        assert [number for number, *_ in seen] == list(range(1, LAST + 1))
        await reader.command("tour")
        await reader.press(*["right"] * (LAST - 1))
        for before in reversed(seen[:-1]):
            await reader.press("left")
            assert (stop(reader), reader.position, reader.bits()) == before


async def test_the_key_of_the_next_stop_leads_there(tour):
    """Who does what the caption says goes on with the tour."""
    async with tour() as reader:
        for key in ["n", "n", "n", "n", "n", "n", "x", "n", "N", "i", "plus", "u", "c", "C"]:
            before = stop(reader)
            await reader.press(key)
            assert stop(reader) == before + 1, key


PLACES = (0, 3, 7, 11)
LEAVING = ("escape", "q", "ctrl+c", "e", "colon", "y", "2", "f1")


@pytest.mark.parametrize(("stops", "key"), [(PLACES[k % 4], key) for k, key in enumerate(LEAVING)])
async def test_any_other_key_leaves_it_right_there(tour, key, stops):
    """The app is where the tour was, with a word how to go on; the key does nothing else, and the next one counts."""
    async with tour((80, 24)) as reader:
        await reader.press(*["right"] * stops)
        before = reader.position, reader.bits()
        await reader.press(key)
        assert len(reader.app.screen_stack) == 2
        assert (reader.position, reader.bits()) == before
        assert status(reader).startswith(f"the tour is left at {reader.position}: n goes on from here")
        assert "n next" in reader.lines()[-1]
        await reader.press("n")
        assert reader.position != before[0]
    assert reader.app._exception is None


async def test_a_click_leaves_it_too(tour):
    async with tour() as reader:
        await reader.press("right")
        await reader.pilot.click("#program", offset=(5, 5))
        await reader.settled()
        assert "the tour is left at 0:1" in status(reader)


async def test_the_word_begins_it_anywhere_on_the_article_as_it_comes(app):
    async with app("article", (80, 24)) as reader:
        await reader.press("i", "i", "2", "down")
        await reader.command("tour")
        assert (stop(reader), reader.position) == (1, "0:0")
        await reader.press("escape")
        await reader.press("n", "plus")
        await reader.command("tour")
        assert status(reader) == "the tour goes through the article as it comes: load article opens it, then tour"
        await reader.command("load article")
        await reader.command("tour")
        assert stop(reader) == 1
    async with app("mazur", (80, 24)) as reader:
        await reader.press("n")
        await reader.command("tour")
        assert "load article" in status(reader)
        assert reader.position == "0:1"


@pytest.mark.parametrize("size", [(1, 1), (20, 5), (40, 14), (300, 100)])
async def test_at_any_size_and_while_it_changes(tour, size):
    async with tour(size) as reader:
        for k in range(LAST - 1):
            await reader.press("right")
            if k % 4 == 3:
                await reader.pilot.resize_terminal(*((80, 24), size)[k % 8 == 7])
        await reader.press("escape")
        assert reader.app._exception is None
        assert not reader.app.screen.touring


class TestWelcome:
    @pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
    async def test_three_lines_at_the_start_which_the_first_key_takes_away(self, app, size):
        async with app("article", size) as reader:
            for said in (
                "A neural network, stopped before the first operation of its training.",
                "n does it, N takes it back, + turns the marked weight, x says why.",
                ":tour shows it all in a minute, ? every key, q leaves.",
            ):
                assert said in reader.text()
            await reader.press("n")
            assert reader.position == "0:1"
            assert ":tour" not in reader.text()
            await reader.press("N")
            assert ":tour" in reader.text()

    async def test_any_network(self, app):
        async with app("moons", (80, 24)) as reader:
            assert ":tour shows it all in a minute" in reader.text()

    @pytest.mark.parametrize("size", [(60, 18), (80, 24), (100, 33), (110, 33), (120, 40), (160, 40), (200, 60)])
    async def test_none_of_it_is_cut_off(self, app, size):
        async with app("article", size) as reader:
            pane = reader.app.screen.query_one(FormulaPane)
            said = " ".join("".join(text for text, _ in each) for each in pane.drawn(*pane.size)[1:])
            assert "… " not in said
            for end in ("of its training.", "x says why.", "q leaves."):
                assert end in " ".join(said.split())

    async def test_the_keys_are_those_that_a_person_wants(self):
        app = BptuiApp(Session(specs.load("article")), keys={"next": ("j",)})
        async with app.run_test(size=(120, 40)) as pilot:
            reader = Reader(app, pilot)
            await reader.settled()
            assert "j does it, N takes it back" in reader.text()

    async def test_a_key_that_was_taken_away_does_nothing_and_its_word_is_named(self, app):
        async with app("article", (120, 40), keys={"quit": (), "zoom": ()}) as reader:
            assert ":quit leaves" in reader.text()
            await reader.press("q")
            assert "q does nothing here" in reader.text()
            await reader.press("z")
            assert "z does nothing here" in reader.text()
