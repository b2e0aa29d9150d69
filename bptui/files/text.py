"""Text from a user's file, made safe to show."""

from __future__ import annotations

import re
import unicodedata

# Control, format (bidi overrides, zero-width), surrogate, and the two Unicode line breaks.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_PLAIN = re.compile(r"[ -~]*")


def safe(text: str) -> str:
    """The text with every character that a terminal would obey, hide or break on written as an escape."""
    if _PLAIN.fullmatch(text):
        return text
    return "".join(_escape(c) if unicodedata.category(c) in _HIDDEN else c for c in text)


def quoted(value: object, limit: int = 40) -> str:
    """A value as a message shows it: in quotes if it is a text, on one line, and never long."""
    text = _shown(value)
    return safe(text if len(text) <= limit else text[: limit - 1] + "…")


def _shown(value: object) -> str:
    """As the file has it: true and not True. Big values are named, not written: they may be millions long."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f"'{value[:100]}'"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, int) and value.bit_length() > 200:
        return "a number of more than 60 digits"
    return "null" if value is None else str(value)


def _escape(character: str) -> str:
    code = ord(character)
    known = {9: "\\t", 10: "\\n", 13: "\\r"}.get(code)
    return known or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")
