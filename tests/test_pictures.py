"""The pictures: one for each that is named, all of them listed, made by a script that gives the same bytes twice."""

from __future__ import annotations

import importlib
import io
import re
import sys
from pathlib import Path

import pytest

pytest.importorskip("resvg_py")
Image = pytest.importorskip("PIL.Image")

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "screenshots"
MOST = 1_500_000  # bytes of the walk


@pytest.fixture(scope="module")
def make():
    sys.path.insert(0, str(FOLDER))
    made = importlib.import_module("make")
    if not any(folder.glob("DejaVuSansMono.ttf") for folder in made.FONTS):
        pytest.skip("no font")
    return made


@pytest.fixture(scope="module")
def names(make):
    return [picture.name for picture in make.PICTURES]


def test_every_picture_is_there_and_no_other(names):
    kept = {path.name for path in FOLDER.iterdir() if path.suffix in (".png", ".svg", ".gif")}
    assert kept == {f"{name}.png" for name in names} | {"walk.gif"}
    assert len(set(names)) == len(names)


def test_the_list_is_the_scripts(make):
    assert (FOLDER / "README.md").read_text(encoding="utf-8") == make.table()


def test_the_readme_shows_what_is_made(names):
    shown = re.findall(r"\]\(screenshots/([\w.]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert "walk.gif" in shown
    assert "README.md" in shown
    assert {name.partition(".")[0] for name in shown} - {"walk", "README"} <= set(names)


def test_the_walk_is_short_and_unhurried(make):
    data = (FOLDER / "walk.gif").read_bytes()
    assert len(data) < MOST
    animation = Image.open(io.BytesIO(data))
    frames = make.walk.FRAMES
    assert animation.n_frames == len(frames)
    assert all(0.5 <= frame.seconds <= 3 for frame in frames)
    for k, frame in enumerate(frames):
        animation.seek(k)
        assert animation.info["duration"] == round(1000 * frame.seconds)


def test_the_script_gives_the_same_bytes_twice(make, tmp_path):
    made = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        make.make(["small", "ascii", "walk"], folder, make.walk.FRAMES[:3])
        made.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert set(made[0]) == {"small.png", "ascii.png", "walk.gif", "README.md"}
    assert made[0] == made[1]
    with Image.open(io.BytesIO(made[0]["walk.gif"])) as animation:
        assert animation.n_frames == 3


@pytest.mark.parametrize("sign", "─│╭╮╰╯├┼━░█▁▇⠁⣿")
def test_a_sign_fills_its_cell_and_no_more(make, sign):
    shapes = make.shapes
    svg = f'<text class="r1" x="24.4" y="20" textLength="36.6" clip-path="url(#c)">a{sign}b</text>'
    drawn = shapes.drawn(svg)
    assert sign not in drawn
    assert drawn.count("<text") == 2
    assert 'x="48.8"' in drawn  # the letter behind it stands where it stood
    picture = make.resvg_py.svg_to_bytes(
        svg_string=f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 50">{drawn}</svg>',
        width=1000,
        skip_system_fonts=True,
    )
    left, top, right, bottom = Image.open(io.BytesIO(bytes(picture))).getbbox()
    assert left >= 366 - 8
    assert right <= 488 + 9
    assert top >= 15 - 8
    assert bottom <= 15 + 244 + 9
    if sign in "─━░█▁▇":
        assert (left, right) == (366, 488)
