"""A window whose size changes all the time, in the midst of steps, runs, dialogs and typing: never a crash, and in the end
the screen is that of an app that has had this size from the beginning."""

from __future__ import annotations

from random import Random

import pytest
from keyboard import keys_of

# What comes to the same at any size; each ends where it began, but for the place in time.
DEEDS = (
    ["n"], ["n", "n", "N"], ["s"], ["s", "S"], ["f"], ["F"], ["i"], ["plus"], ["plus", "u"], ["x", "escape"],
    ["question_mark", "escape"], ["e", *keys_of("0.3"), "enter"], ["e", *keys_of("7"), "escape"],
    ["colon", *keys_of("set w6 = 0.2"), "enter"], ["colon", *keys_of("goto 2:3"), "enter"], ["ctrl+p", *keys_of("ba"), "escape"],
    ["d", "escape"], ["m", "escape"], ["ctrl+o", "escape"], ["p", "escape"], ["b", "escape"], ["space", "space"],
)  # fmt: skip
LAST = ((80, 24), (120, 40), (200, 60))


def sizes(random: Random) -> tuple[int, int]:
    """Small ones more often than large ones."""
    return int(300 ** random.random()), int(100 ** random.random())


@pytest.mark.parametrize("seed", range(3))
async def test_after_a_storm_the_screen_is_that_of_a_quiet_app(app, seed):
    random = Random(seed)
    deeds = [random.choice(DEEDS) for _ in range(16)]
    async with app("article", sizes(random)) as reader:
        for deed in deeds:
            for key in deed:
                if random.random() < 0.4:
                    await reader.pilot.resize_terminal(*sizes(random))
                await reader.press(key)
                assert reader.app._exception is None, (key, deed)
                assert {len(line) for line in reader.lines()} == {reader.app.size.width}, (key, reader.app.size)
                assert len(reader.lines()) == reader.app.size.height, (key, reader.app.size)
        await reader.pilot.resize_terminal(*LAST[seed % 3])
        await reader.press("n", "N", "1")
        stormy = reader.position, reader.lines()
    async with app("article", LAST[seed % 3]) as quiet:
        for deed in deeds:
            await quiet.press(*deed)
        await quiet.press("n", "N", "1")
        assert (quiet.position, quiet.lines()) == stormy, deeds


@pytest.mark.parametrize("example", ["lenet", "moons"])
async def test_in_the_midst_of_a_run_and_of_another_network(app, example):
    random = Random(4)
    async with app(example, (120, 40)) as reader:
        for k in range(12):
            await reader.tap(("c", "space", "i", "5", "v", "2", "z", "c", "slash", "3", "v", "n")[k])
            for _ in range(2):
                await reader.pilot.resize_terminal(*sizes(random))
            await reader.tap("escape")
            assert reader.app._exception is None
        await reader.press("escape", "escape")
        await reader.command("load article")
        await reader.pilot.resize_terminal(80, 24)
        await reader.press("n", "N", "1")
        stormy = reader.lines()[:-2]
    async with app(example, (80, 24)) as quiet:
        await quiet.command("load article")
        await quiet.press("n", "N", "1")
        assert quiet.lines()[:-2] == stormy
