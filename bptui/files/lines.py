"""On which line of a spec a key stands.

Neither tomllib nor json tells. A text that they accepted is well-formed, so a walk over its brackets, strings and
commas is enough to find every key and list item; on a text they would refuse it gives fewer lines, and never fails.
The walk is made only once a mistake has to be told.
"""

from __future__ import annotations

import contextlib
import json
import re
import tomllib
from typing import NamedTuple

from bptui.engine.network import Where

# Possessive: a text of many megabytes is matched without a way back for each of its characters being kept.
_STRINGS = (
    r'"""(?:[^"\\]++|\\.|"(?!""))*+"{3,5}|\'\'\'(?:[^\']++|\'(?!\'\'))*+\'{3,5}'
    r'|"(?:[^"\\\n]++|\\.)*+"|\'[^\'\n]*+\''
)
_TOML = re.compile(
    rf"(?P<skip>[ \t\r]+|#[^\n]*)|(?P<string>{_STRINGS})|(?P<bare>[^\s\[\]{{}}\"'#,=]+)|(?P<mark>.)", re.DOTALL
)
_JSON = re.compile(
    r'(?P<skip>[ \t\r]+)|(?P<string>"(?:[^"\\]++|\\.)*+")|(?P<bare>[^\s\[\]{}",:]+)|(?P<mark>.)', re.DOTALL
)

# A list of nothing but numbers on one line has no line to note inside, and a matrix has many of them.
_FLAT = re.compile(r"[-+0-9eE_., \t]*\]")


class _Token(NamedTuple):
    kind: str
    text: str
    line: int


class Lines:
    """Finds the line of a key or an item by its path; without a text, nothing."""

    def __init__(self, text: str = "", *, is_json: bool = False) -> None:
        """Keep the text for when a line is asked for."""
        self._text = text
        self._json = is_json
        self._places: dict[Where, int] | None = None

    def find(self, where: Where) -> int | None:
        """The line of that place, else of the nearest place around it; None where there is none."""
        if self._places is None:
            self._places = _walk(self._text, is_json=self._json)
        for length in range(len(where), 0, -1):
            line = self._places.get(where[:length])
            if line is not None:
                return line
        return None


def _walk(text: str, *, is_json: bool) -> dict[Where, int]:
    walker = _Walker(text, is_json=is_json)
    with contextlib.suppress(RecursionError):
        walker.value((), 0) if is_json else walker.statements()
    return walker.places


class _Walker:
    """One pass over the tokens; `now` is the token at hand, its text empty at the end."""

    def __init__(self, text: str, *, is_json: bool) -> None:
        self.places: dict[Where, int] = {}
        self._text, self._place = text, 0
        self._pattern = _JSON if is_json else _TOML
        self._equals = ":" if is_json else "="
        self._counts: dict[Where, int] = {}
        self.now = _Token("", "", 1)
        self.advance()

    def advance(self) -> None:
        """Go to the next token that is no space and no comment."""
        line = self.now.line + self.now.text.count("\n")
        while match := self._pattern.match(self._text, self._place):
            self._place = match.end()
            if match.lastgroup != "skip":
                self.now = _Token(match.lastgroup or "", match.group(), line)
                return
        self.now = _Token("end", "", line)

    def note(self, path: Where, line: int) -> None:
        self.places.setdefault(path, line)

    def statements(self) -> None:
        """A TOML document: headers, and keys with their values."""
        table: Where = ()
        while self.now.kind != "end":
            if self.now.text == "[":
                table = self.header()
            elif self.now.kind in ("bare", "string"):
                self.pair(table)
            else:
                self.advance()

    def header(self) -> Where:
        """`[a.b]` or `[[a.b]]`: the path it opens, with the number of the item at hand in each list of tables."""
        line = self.now.line
        self.advance()
        many = self.now.text == "["
        if many:
            self.advance()
        path: Where = ()
        keys = self.key()
        for depth, part in enumerate(keys, 1):
            path = (*path, part)
            if many and depth == len(keys):
                self.note(path, line)
                self._counts[path] = self._counts.get(path, -1) + 1
            if path in self._counts:
                path = (*path, self._counts[path])
        self.note(path, line)
        while self.now.text == "]":
            self.advance()
        return path

    def key(self) -> list[str]:
        """The parts of a dotted key."""
        parts: list[str] = []
        while self.now.kind in ("bare", "string"):
            bare = self.now.kind == "bare"
            parts += [p for p in self.now.text.split(".") if p] if bare and self._equals == "=" else [_plain(self.now)]
            self.advance()
        return parts

    def pair(self, table: Where) -> None:
        """A key and its value."""
        line = self.now.line
        path = table
        for part in self.key():
            path = (*path, part)
            self.note(path, line)
        if self.now.text == self._equals:
            self.advance()
            self.value(path, line)

    def value(self, path: Where, line: int) -> None:
        """A value; `line` is where it is known to stand, and only what stands on another line is noted."""
        if self.now.line != line and path:
            self.places[path] = self.now.line if isinstance(path[-1], int) else self.places.get(path, self.now.line)
        flat = _FLAT.match(self._text, self._place) if self.now.text == "[" else None
        if flat:
            self._place = flat.end()
            self.advance()
        elif self.now.text == "[":
            self.items(path)
        elif self.now.text == "{":
            self.pairs(path)
        else:
            while self.now.kind in ("bare", "string"):
                self.advance()

    def items(self, path: Where) -> None:
        """The items of a list."""
        line, index = self.now.line, 0
        self.advance()
        while self.now.kind != "end" and self.now.text != "]":
            if self.now.text == ",":
                index += 1
            elif self.now.kind != "mark" or self.now.text in "[{":
                self.value((*path, index), line)
                continue
            self.advance()
        self.advance()

    def pairs(self, path: Where) -> None:
        """The keys of an inline table, or of a JSON object."""
        self.advance()
        while self.now.kind != "end" and self.now.text != "}":
            if self.now.kind in ("bare", "string"):
                self.pair(path)
            else:
                self.advance()
        self.advance()


def _plain(token: _Token) -> str:
    """What a quoted key says."""
    if token.kind == "bare":
        return token.text
    try:
        return str(json.loads(token.text) if token.text[0] == '"' else tomllib.loads("k=" + token.text)["k"])
    except ValueError:
        return token.text[1:-1]
