"""Every sign in ASCII, for terminals, fonts and readers that have no others."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

# One letter for one sign, so that what stood under each other still does: signs, and below them their letters.
_ROWS = (
    ("…→←↓↑·−–×∂∗′°⁽⁾√π∞≥≤≠∇½²³ᵀ␛", ".><v^.--xd*''()vpo><#D%23T?"),
    ("ΣΔσμβεηθλαγδ", "SDsubenolagd"),
    ("▸▹▾▴▶◀▲▼●○◐◇◆◉✓✗›‹■□◧▪▫", "*+-^><^v*o%<#@vx><#.+#."),
    ("─━│┃╌╎═║┬┴├┤└┘┌┐╰╯╮╭┼╳╱╲", "-=||-|=|v'||`'..`'..+X/\\"),
    ("⎡⎢⎣⎤⎥⎦⌊⌋⌈⌉⟨⟩⎧⎨⎩⎫⎬⎭⎛⎜⎝⎞⎟⎠", "[[[]]][][]<>{{{}}}((()))"),
    ("░▒▓█▀▄▌▐▁▂▃▅▆▇", ".+%#^_|#__.-=%"),
    ("≡▤", "EB"),
)
_ONE = {sign: letter for signs, letters in _ROWS for sign, letter in zip(signs, letters, strict=True)}
# What one letter can't say, where there is a gap to take the room from.
_LONGER = {
    "½": "1/2 ", "²": "^2", "³": "^3", "√": "sqrt ", "Σ": "sum ", "ᵀ": "^T", "∞": "inf", "≥": ">=", "≤": "<=",
    "≠": "!=", "σ": "sigma", "μ": "mu", "β": "beta", "π": "pi", "Φ": "Phi", "ε": "eps", "∇": "grad ",
}  # fmt: skip
# Between what is multiplied a point would be read as that of a decimal: 2·0.11. At a line's end it goes on below.
_TIMES = re.compile(r"(?<=[^\s·])·(?=[^\s·])|(?<=[\w)\]²ᵀ′″])·(?=\s|$)")
# In a formula it may have blanks around it; elsewhere such a point parts words, or is a number not computed yet.
_SPACED = re.compile(r"(?<=[\w)\]²ᵀ′″⎤⎥⎦])(\s{1,9})·(?=\s{1,9}[\w(√∂−+σ[⎡⎢⎣])")
# In the line of a title is such a rule too, but it is not beside the point.
_BETWEEN_FRACTIONS = re.compile(r"(?<=─)(\s{1,9})·|(\s)·(?=\s{1,9}─)")
_FORMULA = re.compile(r"[=←−+√∂(⎡⎢⎣\[]")
# Before what is written anew an arrow would be read as "less than"; that of a key stands elsewhere.
_ASSIGNED = re.compile(r"(?<=[\w)\]′⎤⎥⎦] )←(?= )")
# What goes on has two points, one of them from a gap beside it, else from the word that is cut.
_MORE = re.compile(r"(?<=\s)\s…|\s…(?!\s\S)|…\s|(?<=\w\w)\w…")
_RULES = ("──", "━━")
_RAISED = re.compile(r"⁽[⁰¹²³⁴-⁹]+⁾")
# How a picture in braille dots looks from afar: by how many dots there are in its upper and in its lower half.
_DOTS = ((" ", ".", "_"), ("'", ":", ";"), ('"', "!", "#"))
_BRAILLE = range(0x2800, 0x2900)
_UPPER, _FULL = 0x1B, 3  # dots 1, 2, 4 and 5

Run = tuple[str, str]


def ascii_letter(sign: str) -> str:
    """One letter for a sign."""
    if sign in _ONE:
        return _ONE[sign]
    if ord(sign) in _BRAILLE:
        return _dots(ord(sign) - _BRAILLE.start)
    plain = unicodedata.normalize("NFKD", sign).encode("ascii", "ignore").decode()
    return plain[0] if plain else "?"


def _dots(bits: int) -> str:
    upper, lower = (bits & _UPPER).bit_count(), (bits & ~_UPPER).bit_count()
    return _DOTS[min(2, (upper + 1) // 2)][min(2, (lower + 1) // 2)]


class Signs:
    """Lines in ASCII. What has been looked up once is kept."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def text(self, text: str) -> str:
        """Letter for letter, exactly as long."""
        if text.isascii():
            return text
        return "".join(c if c.isascii() else self._letter(c) for c in _told(text))

    def line(self, runs: Iterable[Run]) -> tuple[Run, ...]:
        """A line of (text, style): signs that take more than a letter take it from the next gap."""
        made: list[Run] = []
        owed = 0
        for text, style in _in_place(list(runs)):
            longer = text if text.isascii() else "".join(_LONGER.get(c, c) for c in text)
            owed += len(longer) - len(text)
            shown, owed = _shortened(longer, owed) if owed else (longer, 0)
            made.append((self.text(shown), style))
        return tuple(made)

    def _letter(self, sign: str) -> str:
        if sign not in self._known:
            self._known[sign] = ascii_letter(sign)
        return self._known[sign]


def _in_place(runs: list[Run]) -> Iterator[Run]:
    """The same line, where what stands beside a sign says which letter it is."""
    whole = "".join(text for text, _ in runs)
    whole = _told(whole)
    start = 0
    for text, style in runs:
        yield whole[start : start + len(text)], style
        start += len(text)


def _told(whole: str) -> str:
    """A line with stars between what is multiplied, numbers above it on the line, and what one letter can't say."""
    if "·" in whole:
        whole = _TIMES.sub("*", whole)
        if any(sign in whole for sign in _RULES):
            whole = _BETWEEN_FRACTIONS.sub(r"\1\2*", whole)
        elif _FORMULA.search(whole):
            whole = _SPACED.sub(r"\1*", whole)
    if "←" in whole:
        whole = _ASSIGNED.sub("=", whole)
    if "…" in whole:
        whole = _MORE.sub("..", whole)
    if "⁽" in whole:
        whole = _RAISED.sub(lambda found: unicodedata.normalize("NFKC", found.group()), whole)
    return whole


def _shortened(text: str, owed: int) -> tuple[str, int]:
    """A text with so many spaces taken out of its gaps; and how many are owed still. A gap stays a gap."""
    kept = []
    for k, c in enumerate(text):
        if owed and c == " " and text[k + 1 : k + 2] == " ":
            owed -= 1
        else:
            kept.append(c)
    return "".join(kept), owed
