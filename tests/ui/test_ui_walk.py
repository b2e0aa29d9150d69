"""Walking with keys only: what a reader does, and what the screen then shows."""

from __future__ import annotations

import pytest

SIZES = [(80, 24), (120, 40), (200, 60)]
ACCENT = "#7ee787"


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_200_on_and_200_back_is_the_first_screen_cell_for_cell_and_bit_for_bit(app, size):
    async with app("article", size) as reader:
        cells, bits = reader.cells(), reader.bits()
        for _ in range(10):
            await reader.press(*["n"] * 20)
        assert reader.position == "22:2"
        assert reader.cells() != cells
        for _ in range(10):
            await reader.press(*["N"] * 20)
        assert reader.position == "0:0"
        assert reader.cells() == cells
        assert reader.bits() == bits


@pytest.mark.parametrize("spec", ["article", "mazur", "xor"])
@pytest.mark.parametrize("size", SIZES)
async def test_every_screen_is_the_same_on_the_way_back(app, spec, size):
    async with app(spec, size) as reader:
        there = []
        for _ in range(14):
            there.append((reader.position, reader.cells(), reader.bits()))
            await reader.press("n")
        for position, cells, bits in reversed(there):
            await reader.press("N")
            assert reader.position == position
            assert reader.bits() == bits
            for y, (now, then) in enumerate(zip(reader.cells(), cells, strict=True)):
                assert now == then, (position, y)


@pytest.mark.parametrize("spec", ["article", "mazur", "xor"])
async def test_element_by_element_and_back_is_the_first_screen(app, spec):
    async with app(spec) as reader:
        cells, bits = reader.cells(), reader.bits()
        await reader.press(*["s"] * 30)
        assert reader.position != "0:0"
        await reader.press(*["S"] * 30)
        assert (reader.position, reader.bits()) == ("0:0", bits)
        assert reader.cells() == cells
