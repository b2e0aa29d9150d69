"""Any line of text as words: every sign that a screen reader skips or mangles is said, whatever the line is about."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from bptui.explain.spoken.arrays import UNSET, powers

PUNCTUATION = frozenset(".,:;?!'\"()-")
_SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_PLAIN_DIGITS = str.maketrans(_SUPERSCRIPTS, "0123456789")
_COMPARED = {
    " >= ": "is at least", " ≥ ": "is at least", " <= ": "is at most", " ≤ ": "is at most", " == ": "equals",
    " != ": "is not", " ≠ ": "is not", " > ": "is greater than", " < ": "is less than",
}  # fmt: skip
_LEFT, _RIGHT = "open bracket", "close bracket"
# What needs brackets to stay together: a text with a sign between its parts.
_MIXED = re.compile(r" (?:plus|minus|times|divided by|to the power of) ")
_MATH = re.compile(r"[·/^√²½←*@+⌊⌋]| − | - ")
_NUMBERS = re.compile(r"(?:[\d\s.,eE+\-−·\[\]×…]|numbers|nan|inf|True|False)*")

# Square brackets after a word of their own: no index, which touches its name, and no list, which follows a sign.
_OPTIONAL = re.compile(r"(?<=[\w…\]]) \[[^\[\],]*\]")

Rule = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]


def sentence(text: str) -> str:
    """A line as one sentence, or nothing where it says nothing."""
    return ended(words(text))


def ended(said: str) -> str:
    """Words as a sentence, or nothing."""
    said = plain(said)
    if said.endswith(" at"):  # what is read there follows
        return f"{said}:"
    return said if not said or said.endswith((".", ":", "?", "!")) else f"{said}."


def words(text: str) -> str:
    """A text with letters, digits and plain punctuation alone."""
    return plain(_worded(text))


def spelled(text: str) -> str:
    """The same of what a person may want to type: sign by sign, whatever it means."""
    text = _OPTIONAL.sub(lambda m: optional(m[0]), text)
    for pattern, made in _SPELLED:
        text = pattern.sub(made, text)
    return plain(text)


def optional(usage: str) -> str:
    """What may be left out, which stands in square brackets."""
    return re.sub(r"\s*\[([^\[\]]*)\]", r", optionally \1", usage)


def plain(said: str) -> str:
    """Words without the spaces and commas that replacing signs has left; a sign that is still there is named."""
    said = "".join(c if _is_plain(c) else "" if c == "`" else f" {_name(c)} " for c in said)
    said = re.sub(r"\s+([,;:.?!)](?!\d))", r"\1", re.sub(r"\s+", " ", said))
    return re.sub(r"([,;:])(?:\s*,)+", r"\1", said).strip(" ,;")


def _is_plain(character: str) -> bool:
    if character.isascii():
        return character.isalnum() or character == " " or character in PUNCTUATION
    return unicodedata.category(character)[0] in "LM"


def _worded(text: str) -> str:
    for pattern, made in _EARLY:
        text = pattern.sub(made, text)
    first, *more = (_signs(part) for part in _bracketed(text).split(" = "))
    if not more:
        return first
    # `w1 ← w1 − …` has its verb already; what is equal to what was said is said as such.
    return "; that is ".join([first, *more] if "becomes" in first else [f"{first} is {more[0]}", *more[1:]])


def _signs(text: str) -> str:
    text = powers(text)
    for pattern, made in _LATE:
        text = pattern.sub(made, text)
    return text


def _name(character: str) -> str:
    return unicodedata.name(character, "a sign without a name").lower().replace("-", " ")


# Brackets: indices, matrices, conditions, arguments, and what belongs together


def _bracketed(text: str) -> str:
    """The outermost brackets said, and what is in them by the same rules."""
    made, at = "", 0
    while (start := _first(text, at)) is not None:
        end = _matching(text, start)
        if end is None:
            made, at = made + text[at:start] + " ", start + 1
            continue
        before = made + text[at:start]
        say = _square if text[start] == "[" else _round
        made, at = say(before, text[start + 1 : end]), end + 1
    return made + text[at:]


def _first(text: str, at: int) -> int | None:
    found = re.compile(r"[(\[]").search(text, at)
    return None if found is None else found.start()


def _matching(text: str, start: int) -> int | None:
    """Where a bracket is closed."""
    depth = 0
    for k in range(start, len(text)):
        depth += (text[k] in "([") - (text[k] in ")]")
        if not depth:
            return k
    return None


def _square(before: str, inner: str) -> str:
    if re.search(r"[\w)]$", before):
        return f"{before} at {_index(inner)}"
    if _NUMBERS.fullmatch(inner):
        return f"{before}{_listed(inner)}"
    if any(sign in inner for sign in _COMPARED):
        return f"{before}1 if {_worded(inner)} else 0"
    return f"{before}{_matrix(inner)}"


def _index(inner: str) -> str:
    parts = [part.strip() for part in inner.split(",")]
    if len(parts) == 2 and parts.count(":") == 1:
        axis = "rows" if parts[0] == ":" else "columns"
        return ", ".join(f"all {axis}" if part == ":" else _worded(part) for part in parts)
    return ", ".join("all" if part == ":" else _worded(re.sub(r"^(\S*):(\S*)$", r"\1 to \2", part)) for part in parts)


def _listed(inner: str) -> str:
    """The numbers of nested lists, row by row."""
    found = re.findall(r"\[([^\[\]]*)\]", f"[{inner}]")
    cells = [_worded(row.replace("·", UNSET)) for row in found]
    if len(cells) < 2:
        return cells[0] if cells else ""
    if all("," not in row for row in cells):
        return ", ".join(cells)
    return "; ".join(f"row {k}: {row}" for k, row in enumerate(cells, 1))


def _matrix(inner: str) -> str:
    """A matrix as a line has it: rows parted by `;`, cells by two spaces."""
    made = [[_worded(cell.replace("·", UNSET)) for cell in row.strip().split(", ")] for row in inner.split(";")]
    if len(made) == 1:
        return ("the row " if len(made[0]) > 1 else "") + ", ".join(made[0])
    if all(len(row) == 1 for row in made):
        return f"the column {', '.join(row[0] for row in made)}"
    return "the matrix of " + ", and ".join(f"row {k}: {', '.join(row)}" for k, row in enumerate(made, 1))


def _round(before: str, inner: str) -> str:
    said = plain(_worded(inner))
    if not said:
        return before
    called = re.search(r"[^\W\d½]\w*$", before)
    if called and called.group() not in ("times", "minus", "plus", "of", "by"):
        return f"{before} of {grouped(said)}"
    if _MATH.search(inner) or re.search(r"[·+−*/^√½²(\-]\s*$", before):
        return f"{before}{grouped(said)}"
    return f"{before.rstrip()}, {said}," if before.strip() else said


def grouped(said: str) -> str:
    """In brackets that are said, if it would fall apart without."""
    outside = _outside(said)
    return f"{_LEFT} {said} {_RIGHT}" if _MIXED.search(outside) or "," in outside else said


def _outside(said: str) -> str:
    """What stands in no brackets."""
    depth, kept = 0, []
    for part in re.split(f"({_LEFT}|{_RIGHT})", said):
        depth += (part == _LEFT) - (part == _RIGHT)
        kept.append(part if not depth else "")
    return " ".join(kept)


# Signs


def _position(match: re.Match[str]) -> str:
    element = f", element {match[3]}" if match[3] else ""
    return f"iteration {match[1]}, operation {match[2]}{element}"


def _path(match: re.Match[str]) -> str:
    return re.sub(r"(?<!^)[.](?=\w)", ".", match[0]).replace("/", " slash ")


def _rules(*pairs: tuple[str, str | Callable[[re.Match[str]], str]]) -> tuple[Rule, ...]:
    return tuple((re.compile(pattern), made) for pattern, made in pairs)


# Before brackets are looked at: what has signs within it that mean something else there.
_EARLY = _rules(
    (r"(?<!\S)(?:~|\.{1,2})?/[^\s:]+|(?<!\S)[\w.-]+(?:/[\w.-]+)+\.\w+", _path),
    (r"⁽([⁰¹²³⁴⁵⁶⁷⁸⁹]+)⁾", lambda m: f" in row {m[1].translate(_PLAIN_DIGITS)}"),
    (r"(?<=\S)\s{2,}", ", "),
    (r"(?<![\d:.\[\w])(\d+):(\d+)(?:\.(\d+))?(?!\d|:\d|\])", _position),
    (r"(\d)\.\.(?=\d)", r"\1 to "),
    (r"(explain \S+(?: > \d+)*) >(?=\s+(?!\d)|$)", lambda m: m[1].replace(" >", " greater than") + " greater than,"),
    (r"(?<=[\])])\.(\w+)", r", \1"),
    (r"(explain \S+(?: > \d+)+)", lambda m: m[1].replace(" >", " greater than")),
    (r"\bset (\S+) = ", r"set \1 to "),
    (r"^\s*▸\s*", "here: "),
    (r"^\s*›\s*", "next: "),
    (r"^\s*✓\s*", "done: "),
    (r"^\s*▾\s*|^\s*▹\s*", ""),
    (r"~ (?=computed)", "outdated, "),
    (r"/∂", " by d "),
    (r"∂", "d "),
    (r"Δ", "delta"),
    (r"\|([^|\s](?:[^|]*[^|\s])?)\|", lambda m: f"the absolute value of {grouped(words(m[1]))}"),
    (r"⌊([^⌋]*)⌋", lambda m: f"the whole part of {grouped(words(m[1]))}"),
)
# After: what is left stands between or beside names, numbers and words.
_LATE = _rules(
    (r"(?<=[\w).,'²ᵀ])\s*·\s*(?=[\w(√½−'])", " times "),
    (r"·", UNSET),
    (r"²", " squared"),
    (r"³", " cubed"),
    (r"[⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda m: f" to the {m[0].translate(_PLAIN_DIGITS)}"),
    (r"ᵀ|\.T\b", " transposed"),
    (r"½", " one half of "),
    (r"√", "the square root of "),
    (r"\s*←\s*", " becomes "),
    (r"\s*(?:->|→|⟶)\s*", " to "),
    *((re.escape(sign), f" {said} ") for sign, said in _COMPARED.items()),
    (r"\s*\*\*\s*|\^", " to the power of "),
    (r"\s*@\s*|\s*\*\s*", " times "),
    (r"^(?=.*times)(.*)$", lambda m: re.sub(r" (\+|−|-) ", r", \1 ", m[1])),
    (r" \+ |(?<=\w)\+(?=\w)|\+(?=[\d.])", " plus "),
    (r" − | - |−|(?<![\w)\-])-(?=[\w.])", " minus "),
    (r" / |(?<=[\d)])/|(?<=\w)/(?=\d)", " divided by "),
    (r"iterations/s\b", "iterations a second"),
    (r" \| ", " beside "),
    (r"×", " by "),
    (r"%", " percent"),
    (r"\s*…\s*$", ", and so on"),
    (r"…", ", and so on, "),
    (r"°", " of the old weights"),
    (r"=", " equals "),
    (r"_", " underscore "),
    (r"(?<= )\.\.(?= |$)", "dot dot"),
)
# Of what is to be typed the signs are named, and nothing else is changed.
_SPELLED = _rules(
    (r"…", " and more "),
    (r"\.\.(?=\d|\s|$)", " dot dot "),
    (r"==", " equals equals "),
    (r"<=", " less than or equal to "),
    (r">=", " greater than or equal to "),
    (r"=", " equals "),
    (r"<", " less than "),
    (r">", " greater than "),
    (r"(?<![\w)\-])[-−](?=[\d.])", " minus "),
    (r"\+", " plus "),
    (r"\*", " times "),
    (r"/∂", " by d "),
    (r"∂", "d "),
    (r"Δ", "delta"),
    (r"/", " slash "),
    (r"_", " underscore "),
    (r"\[", " left bracket "),
    (r"\]", " right bracket "),
)
