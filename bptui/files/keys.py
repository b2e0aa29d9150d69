"""What keys are called: by a person, who writes `+` or `F10`, and by the app, which says `plus` and `f10`."""

from __future__ import annotations

import string
import unicodedata

from bptui.files.text import quoted
from bptui.files.values import suggest

# Signs that the toolkit calls otherwise than Unicode does.
_SIGNS = {
    "solidus": "slash", "reverse_solidus": "backslash", "commercial_at": "at", "hyphen_minus": "minus",
    "plus_sign": "plus", "low_line": "underscore",
}  # fmt: skip
# Keys that have a name, beside letters and signs.
_NAMED = (
    "up", "down", "left", "right", "home", "end", "pageup", "pagedown", "insert", "delete", "backspace", "tab", "enter",
    "space", "escape", *(f"f{n}" for n in range(1, 25)),
)  # fmt: skip
# What people call some of them, and what a terminal can't tell from them.
_CALLED = {
    "esc": "escape", "return": "enter", "del": "delete", "ins": "insert", "pgup": "pageup", "pgdn": "pagedown",
    "ctrl+i": "tab", "ctrl+m": "enter", "ctrl+j": "enter",
}  # fmt: skip
_HELD = frozenset({"ctrl", "shift", "alt", "super", "hyper", "meta"})
# Keys that no command can have, and what they do whatever a person wants.
_FIXED = {
    **dict.fromkeys("123456", "focuses a pane"), "enter": "edits, opens or answers", "escape": "closes",
    "ctrl+c": "stops", "ctrl+q": "leaves", "ctrl+z": "goes to the shell",
}  # fmt: skip


def name(key: str) -> str:
    """A key as the app calls it: `+` is `plus`; what is no sign is called so already."""
    if len(key) != 1 or key.isalnum():
        return key
    called = unicodedata.name(key, "unknown").lower().replace("-", "_").replace(" ", "_")
    return _SIGNS.get(called, called)


_PRINTED = {name(key): key for key in string.punctuation}


def sign(key: str) -> str:
    """A key as a person reads it: `plus` is `+`."""
    return _PRINTED.get(key, key)


def read(text: str) -> str:
    """A key that a person wrote, as one reads it: `F10` is f10, `plus` is `+`."""
    key = text.strip()
    key = key if len(key) == 1 else key.lower()
    return sign(_CALLED.get(key, key))


def fault(key: str) -> str:
    """Why no command can have a key: '' or the reason."""
    if key in _FIXED:
        return f"the key {quoted(key)} always {_FIXED[key]}: take another"
    if len(key) == 1 and key.isprintable():
        return ""
    *held, last = name(key).split("+")
    if held == ["shift"] and len(last) == 1:
        return f"the key {quoted(key)} is written {quoted(last.upper())}"
    if _HELD.issuperset(held) and (last in _NAMED or (len(sign(last)) == 1 and sign(last).isprintable())):
        return ""
    hint = "" if held else suggest(last, _NAMED)
    return f"no key is called {quoted(key)}{hint or ' (it is a letter, a sign, or such as f10, pageup, ctrl+t)'}"
