"""A walk through the article, as a GIF: what the app shows after each key, and the key in the title."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

SIZE = (120, 40)
WIDTH = 960
# How much of a colour there is at the edge of a letter; as in itself.
SHARES = (1.0, 0.75, 0.5, 0.25)
NONE = Image.Dither.NONE


@dataclass(frozen=True)
class Frame:
    """Keys, and what is said of them; how long, in seconds, one looks at what they lead to."""

    keys: str
    said: str
    seconds: float = 1.6


def _each(keys: str, said: str, seconds: float, times: int) -> tuple[Frame, ...]:
    return (Frame(keys, said, seconds),) * times


FRAMES = (
    Frame("", "the network of the article", 2.5),
    Frame("n", "n   the hidden values", 2.4),
    Frame("n", "n   the prediction", 2.4),
    Frame("n", "n   how wrong it is", 2.0),
    Frame("n", "n   backward: from the error", 2.0),
    Frame("n", "n   backward: the last weights", 2.4),
    Frame("n", "n   backward: the hidden values", 2.0),
    Frame("n", "n   backward: the first weights", 2.8),
    Frame("n", "n   update: against the gradient", 2.4),
    Frame("n", "n   update: the last weights", 2.0),
    Frame("n n n", "n n n   the second iteration: less wrong", 2.4),
    *_each("i", "i   an iteration at a time", 0.8, 11),
    Frame("I I I I I I I I", "I   and back", 1.6),
    Frame("f f", "f   to the end of a phase", 1.6),
    Frame("5", "5   the loss is also a function of w5 …", 1.4),
    Frame("v v v v", "v   … with the gradient as its slope", 2.8),
    *_each("plus", "+   turned by hand", 0.8, 6),
    Frame("u", "u   undone", 1.4),
    Frame("v", "v   and of w5 and w6: the way goes down", 2.8),
)


def animation(pngs: Sequence[bytes], seconds: Sequence[float], colours: Sequence[str]) -> bytes:
    """Pictures one after the other, in colours (`#rrggbb`), the ground first, and what lies between."""
    palette = _palette(colours)
    small = [Image.open(io.BytesIO(png)).convert("RGB").quantize(palette=palette, dither=NONE) for png in pngs]
    written = io.BytesIO()
    times = [round(1000 * second) for second in seconds]
    small[0].save(written, "GIF", save_all=True, append_images=small[1:], duration=times, loop=0, optimize=False)
    return written.getvalue()


def _palette(colours: Sequence[str]) -> Image.Image:
    ground, *inks = (np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) for colour in colours)
    every = [ground, *(ground + (ink - ground) * share for share in SHARES for ink in inks)]
    made = Image.new("P", (1, 1))
    made.putpalette(np.rint(every[:256]).astype(np.uint8).reshape(-1).tolist())
    return made


def reduced(png: bytes) -> bytes:
    """A picture of a screen in the few colours that it needs: a third of its size."""
    written = io.BytesIO()
    small = Image.open(io.BytesIO(png)).convert("RGB").quantize(256, Image.Quantize.FASTOCTREE, dither=NONE)
    small.save(written, "PNG", optimize=True)
    return written.getvalue()
