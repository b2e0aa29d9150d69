"""The formula pane: followed from name to name by keys and mouse, and set as its view says."""

from __future__ import annotations


def place(reader, text: str, column: int = 0) -> tuple[int, int]:
    """Where a text stands within the pane."""
    region = reader.app.screen.query_one("#formula").region
    for y, line in enumerate(reader.lines()[region.y : region.bottom]):
        x = line.find(text, region.x + column)
        if x >= 0:
            return x - region.x, y
    raise AssertionError(text)


async def test_arrows_go_from_name_to_name_and_the_formula_stays(app):
    async with app("article", (120, 40)) as reader:
        await reader.press("n", "n", "n", "n", "n", "n", "n", "4", "end", "left")
        walked = []
        for _ in range(4):
            await reader.press("right")
            walked.append(reader.lines()[-2].split("=")[0].strip())
        assert sorted(walked) == ["i1", "prediction.grad", "w1.grad", "w5"]
        assert "−0.809 · 0.14 · 2" in reader.inside("#formula")
        while not reader.lines()[-2].startswith(" w5"):
            await reader.press("right")
        await reader.press("plus")
        # The same formula, with the number that it has now.
        assert "−0.809" not in reader.inside("#formula")
        assert "that is (prediction − target) · w5 · i1" in reader.inside("#formula")
        await reader.press("x")
        assert "Where w5 comes from" in reader.text()
        await reader.press("escape", "n")
        assert "w1 ← w1 − lr" in reader.inside("#formula").replace("  ", " ")


async def test_a_click_at_a_number_goes_to_its_cell(app):
    async with app("article", (120, 40)) as reader:
        await reader.press("n", "n", "n", "n", "n", "n", "n")
        x, y = place(reader, "0.14")
        await reader.pilot.click("#formula", offset=(x + 1, y))
        assert "w5 = 0.14" in reader.lines()[-2]
        await reader.pilot.hover("#formula", offset=(x + 1, y - 1))
        assert "∂prediction/∂h1 = 0.14" in reader.lines()[-2]
        x, y = place(reader, "∂h1")
        await reader.pilot.click("#formula", offset=(x, y))
        assert "i1 = 2" in reader.lines()[-2]
        assert "−0.809 · 0.14 · 2" in reader.inside("#formula")


async def test_its_views(app):
    async with app("article", (120, 40)) as reader:
        await reader.press("n", "n", "n", "n", "n", "n", "n", "4")
        line = "∂E/∂w1 = ∂E/∂prediction · ∂prediction/∂h1 · ∂h1/∂w1"
        assert line not in reader.inside("#formula")
        await reader.press("v")
        assert line in reader.inside("#formula")
        await reader.press("v")
        assert line not in reader.inside("#formula")
        await reader.command("view line")
        assert line in reader.inside("#formula")


async def test_in_little_room_it_takes_lines(app):
    """At 80×24 five lines are left: the formula, the numbers under their names, and what the stage is for."""
    async with app("article", (80, 24)) as reader:
        await reader.press("n", "n", "n", "n", "n", "n", "n")
        assert "∂E/∂w1 = ∂E/∂prediction · ∂prediction/∂h1 · ∂h1/∂w1" in reader.inside("#formula")
        names, numbers = reader.line_with("∂E/∂w1 = "), reader.line_with("−0.809     ·")
        assert names.index("∂prediction/∂h1") < numbers.index("0.14") < names.index("∂h1/∂w1")
        assert "The same rule one layer down" in reader.text()
