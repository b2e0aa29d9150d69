"""Keys as Textual names them, and the characters that they stand for."""

from __future__ import annotations

import unicodedata

from textual.keys import _character_to_key

# Names of keys that are not quite those of their signs.
_NAMES = {
    "PLUS": "PLUS SIGN", "MINUS": "HYPHEN-MINUS", "SLASH": "SOLIDUS", "LESS THAN SIGN": "LESS-THAN SIGN",
    "GREATER THAN SIGN": "GREATER-THAN SIGN",
}  # fmt: skip


def keys_of(text: str) -> list[str]:
    """The keys of a text, character by character."""
    return [c if c.isalnum() else _character_to_key(c) for c in text]


def sent_with(key: str) -> str | None:
    """What a terminal sends with a key."""
    if len(key) == 1:
        return key
    name = key.replace("_", " ").upper()
    try:
        return unicodedata.lookup(_NAMES.get(name, name))
    except KeyError:
        return None
