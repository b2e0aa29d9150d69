"""Texts of ill will: what a terminal would obey, markup, what hides or turns text round, and what takes too much room."""

from __future__ import annotations

import unicodedata

# What a terminal obeys: each would do something to the reader's screen, clipboard or window.
OBEYED = {
    "colour": "\x1b[31mred\x1b[0m",
    "clear": "\x1b[2J\x1b[H",
    "clipboard": "\x1b]52;c;aGFja2Vk\x07",
    "clipboard by C1": "\x9d52;c;aGFja2Vk\x9c",
    "window title": "\x1b]0;owned\x1b\\",
    "link": "\x1b]8;;http://example.org\x1b\\here\x1b]8;;\x1b\\",
    "device control": '\x1bP$q"p\x1b\\',
    "main screen": "\x1b[?1049l",
    "mouse": "\x1b[?1003h",
    "reset": "\x1bc",
    "answer": "\x1b[6n\x1b[c\x05",
    "private message": "\x1b^secret\x1b\\\x1b_application\x1b\\",
    "C1": "\x9b31m\x8d\x84\x90",
    "bell and backspace": "\x07abc\b\b\bxyz\x7f",
    "carriage return": "good\rbad",
    "lines and tabs": "one\ntwo\r\nthree\tfour\vfive\fsix",
    "other line ends": "one\x85two\u2028three\u2029four",
    "other controls": "\x00\x01\x0e\x0f\x11\x13\x1a",
    "paste": "\x1b[200~q\x1b[201~q",
}
# What changes how the rest is read, and shows nothing itself.
HIDDEN = {
    "override": "abc\u202edef\u202c",
    "isolates": "\u2066abc\u2069\u2067def\u2069",
    "marks": "\u200eabc\u200f\u061c",
    "nothing wide": "a\u200bb\u2060c\ufeffd\u00ade",
    "tags": "\U000e0041\U000e007f",
    "annotations": "\ufff9a\ufffab\ufffb",
}
MARKUP = {
    "tags": "[bold red]x[/] [/] [/bold]",
    "actions": "[@click=app.quit]q[/]",
    "links": "[link=http://example.org]x[/link]",
    "brackets": "[[[]]] \\[ [ ]",
    "emoji codes": ":smile: :warning:",
    "variables": "$text {0} {x!r} %s %(x)s ${HOME} `id`",
    "rich": "[#ff0000 on white]x[/#ff0000 on white]",
}
ROOM = {
    "wide": "漢字かな한글ｆｕｌｌ" * 8,
    "emoji": "👨\u200d👩\u200d👧 🇩🇪 👍🏽 ☃\ufe0f" * 4,
    "combining": "e" + "\u0301\u0302\u0303\u0489" * 40,
    "combining first": "\u0301\u20dd abc",
    "right to left": "שלום עולם مرحبا",
    "tall": "Z̸̡̛̗͎̅ä̴̪l̷̥͊g̵̮͂o̶͚͐" * 5,
    "no characters": "\ufffe\uffff\U0010ffff\ue000",
}
LONG = {"letters": "x" * 100_000, "wide letters": "漢" * 100_000, "words": "word " * 20_000}
GROUPS = {"obeyed": OBEYED, "hidden": HIDDEN, "markup": MARKUP, "room": ROOM, "long": LONG}

# Names that a label may legally have, and that are no pleasure to draw.
LABELS = ("漢字", "\u1160", "שלום", "ab\ufe0f", "x" * 97, "字" * 97)

_OBEYED_OR_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def faults(text: str, allowed: str = "") -> str:
    """The characters that should not have come through, as Python writes them."""
    bad = {c for c in text if unicodedata.category(c) in _OBEYED_OR_HIDDEN and c not in allowed}
    return "".join(sorted(bad)).encode("unicode_escape").decode()
