"""Themes, colour-blind eyes, no colours at all, and ASCII alone."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from colours import DEFICIENCIES, contrast, difference, seen
from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style

from bptui.explain.signs import Signs, ascii_letter
from bptui.tui.drawing.look import Look
from bptui.tui.drawing.palette import THEMES

OWN = [name for name, palette in THEMES.items() if not palette.ansi]
# CIEDE2000; 2.3 is just noticeable.
APART = 16
SIGNS_APART = 40
# WCAG 2.1 asks for 4.5 of text, 7 at its highest level; what is quiet on purpose may have less.
# It asks for 3 of what outlines a page, or says how far one has scrolled.
OUTLINED = 3
# Of a whole line in another ground; CIEDE2000 again.
MARKED = 11
READABLE = {"dark": 4.4, "light": 4.5, "contrast": 7, "contrast-light": 7}
PAGES = [[], ["question_mark"], ["e"], ["E"], ["x"], ["d"], ["2"], ["3"], ["4"], ["5"], ["6"], ["colon"]]


def test_the_formulas_give_the_published_differences():
    """Three pairs of table 1 of Sharma, Wu and Dalal 2005."""
    for one, other, published in [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
    ]:
        assert difference(np.array(one), np.array(other)) == pytest.approx(published, abs=5e-5)


@pytest.mark.parametrize("theme", OWN)
@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_eyes_of_every_kind_tell_the_colours_apart(theme, deficiency):
    palette = THEMES[theme]
    for one, other in itertools.combinations(("now", "pos", "neg", "text"), 2):
        apart = difference(seen(palette.colours[one], deficiency), seen(palette.colours[other], deficiency))
        assert apart >= (SIGNS_APART if {one, other} == {"pos", "neg"} else APART), (one, other)


@pytest.mark.parametrize("theme", OWN)
def test_text_can_be_read_on_every_ground(theme):
    palette = THEMES[theme]
    for colour in (palette.text, palette.now, palette.pos, palette.neg, palette.dim):
        assert contrast(colour, palette.ground) >= READABLE[theme]
    for colour, ground in itertools.product(
        (palette.text, palette.pos, palette.neg), (palette.cursor, palette.wash, palette.bar)
    ):
        assert contrast(colour, ground) >= 4.4
    for ground in (palette.ground, palette.bar):
        assert contrast(palette.edge, ground) >= OUTLINED


@pytest.mark.parametrize("theme", OWN)
@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_the_readers_own_place_stands_out(theme, deficiency):
    palette = THEMES[theme]
    for ground in (palette.ground, palette.bar):
        assert difference(seen(palette.cursor, deficiency), seen(ground, deficiency)) >= MARKED


def test_the_levels_of_a_heat_map_rise_from_the_ground():
    for theme in OWN:
        look = Look(theme)
        ground = seen(look.palette.ground, "none")
        for name in ("on-hot", "on-cold"):
            grounds = [look.style(f"{name}{level}").bgcolor.get_truecolor().hex for level in range(1, look.levels + 1)]
            steps = [difference(ground, seen(colour, "none")) for colour in grounds]
            assert steps == sorted(steps) and steps[0] > 1, theme


@pytest.mark.parametrize("theme", THEMES)
async def test_every_theme_opens_and_is_of_its_own_colours(app, theme):
    async with app("article", (120, 40), Look(theme)) as reader:
        await reader.press("n", "n", "2")
        looks = {style for row in reader.cells() for _, style in row}
        assert "op 2 of 9" in reader.text()
        if theme in OWN:
            assert any(f"fg:{THEMES[theme].now} " in look for look in looks)
        else:
            assert not any("bg:#0d1117" in look for look in looks)


@pytest.mark.parametrize("keys", PAGES)
async def test_without_colours_there_is_none(app, keys, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    async with app("article", (80, 24), Look(colours=False)) as reader:
        await reader.press("n", "n", "n", "n", *keys)
        for strip in filtered(reader):
            for segment in strip:
                assert segment.style.color is None or segment.style.color.is_default, segment
                assert segment.style.bgcolor is None or segment.style.bgcolor.is_default, segment


@pytest.mark.parametrize("keys", PAGES)
async def test_in_ascii_there_is_no_other_sign(app, keys):
    async with app("mazur", (80, 24), Look(ascii=True)) as reader:
        await reader.press("n", "n", "n", "n", *keys)
        for strip in filtered(reader):
            assert strip.text.isascii(), strip.text
            assert strip.cell_length == 80


def filtered(reader):
    """The lines as they go to the terminal."""
    app = reader.app
    for strip in app.screen._compositor.render_strips():
        yield (
            strip.apply_filter(app.get_line_filters()[-1], app.screen.background_colors[1])
            if app.get_line_filters()
            else strip
        )


async def test_looks_change_while_it_runs(app):
    async with app("article", (120, 40)) as reader:
        await reader.command("theme light")
        assert f"fg:{THEMES['light'].text} bg:{THEMES['light'].ground} " in {
            style for row in reader.cells() for _, style in row
        }
        await reader.command("theme lihgt")
        assert "no theme is called 'lihgt' (did you mean light?)" in reader.text()


def test_every_sign_that_is_drawn_has_a_letter_of_its_own():
    told_apart = ["▸›", "✓·", "●○", "+−", "■□◧", "▾▹", "↑↓", "~°*"]
    for signs in told_apart:
        letters = [ascii_letter(sign) if not sign.isascii() else sign for sign in signs]
        assert len(set(letters)) == len(letters), signs


@given(
    st.lists(st.tuples(st.text(st.sampled_from("ab ½²Σ√→∂─▸⣿θ日"), max_size=9), st.just("plain")), max_size=5),
    st.integers(1, 40),
)
def test_a_line_in_ascii_is_as_wide_as_any(runs, columns):
    strip = Look(ascii=True).strip(runs, columns, Style())
    assert strip.cell_length == columns


def test_what_takes_more_than_a_letter_takes_it_from_a_gap():
    runs = [("E = ½(p − y)²", "plain"), ("      +0.3272", "pos")]
    made = Signs().line(runs)
    assert made == (("E = 1/2 (p - y)^2", "plain"), ("  +0.3272", "pos"))
    assert sum(len(text) for text, _ in made) == sum(len(text) for text, _ in runs)


def test_a_product_is_no_decimal_point_and_a_raised_number_no_power():
    product = [("h1 = 2", "pos"), ("·", "plain"), ("0.11 + i2·w2  ", "pos"), ("·", "dim")]
    assert "".join(text for text, _ in Signs().line(product)) == "h1 = 2*0.11 + i2*w2  ."
    for shown, said in [
        (" W1 ← W1 − lr · ∂E/∂W1        ·", " W1 = W1 - lr * dE/dW1        ."),
        ("⎡w1⎤ ← ⎡w1⎤", "[w1] = [w1]"),
        ("→ open  ← close", "> open  < close"),
        ("being computed …", "being computed.."),
        (" W1   −0.4 … +0.5", " W1   -0.4 ..+0.5"),
        ("v  list  …  heat", "v  list ..  heat"),
        ("the output of the laye…", "the output of the lay.."),
        ("   =  2  ·  0.11  +  3  · 0.21", "   =  2  *  0.11  +  3  * 0.21"),
        ("───── = ─── · ───  lr · ──", "----- = --- * ---  lr * --"),
        (" 3 Network · 6 parameters ─────", " 3 Network . 6 parameters -----"),
        (" xor   2-3-1 · bce · sgd  lr 0.5", " xor   2-3-1 . bce . sgd  lr 0.5"),
        ("   E = 0.85·0.14 + 0.48·   ", "   E = 0.85*0.14 + 0.48*   "),
        (" h1   +0.8500      ·      · ", " h1   +0.8500      .      . "),
    ]:
        assert "".join(text for text, _ in Signs().line([(shown, "plain")])) == Signs().text(shown) == said
    assert Signs().line([("∂z⁽³⁾/∂v⁽¹²⁾  x³  ", "plain")]) == (("dz(3)/dv(12) x^3  ", "plain"),)


async def test_without_colours_the_place_to_type_at_and_what_typing_replaces_are_seen(app, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    async with app("article", (80, 24), Look(colours=False)) as reader:
        await reader.press("e")
        reader.app.screen.query_one("Input").cursor_blink = False
        await reader.press()
        row = next(strip for strip in filtered(reader) if strip.text.strip("│ ") == "0.14")
        assert [segment.text for segment in row if segment.style.reverse] == ["0.14", " "]
