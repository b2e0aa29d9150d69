"""A line as it was heard, back as a line of the command language: what is said can be typed so."""

from __future__ import annotations

import re
from collections.abc import Callable

# After these stand names and texts, in which a word is a word.
_NAMES = frozenset({"branch", "diff", "save", "load", "open", "delete", "copy", "help", "fold"})
# After these `equals` gives a value; elsewhere it compares.
_GIVING = ("set", "predict", "sweep", "restart")

Rule = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]


def typed(verb: str, rest: str) -> str:
    """What follows a word, with its signs; what has them already stays as it is."""
    if verb in _NAMES:
        return rest
    for pattern, made in _RULES:
        rest = pattern.sub(made, rest)
    if verb == "set" and "=" not in rest and " equals " not in rest:
        rest = rest.replace(" to ", " = ", 1)
    if verb in _GIVING:
        rest = rest.replace(" equals ", " = ")
        rest = rest.replace(" = ", "=") if verb in ("sweep", "restart") else rest
    if verb == "explain":
        rest = rest.replace(" +", "+")
    return rest.replace(" equals ", " == ")


def _index(match: re.Match[str]) -> str:
    places = re.sub(r"all(?: rows| columns)?", ":", match[2])
    return f"{match[1]}[{places}]"


def _power(match: re.Match[str]) -> str:
    return f"{match[1]}e{'-' * bool(match[2])}{match[3]}"


def _position(match: re.Match[str]) -> str:
    return f"{match[1]}:{match[2]}{f'.{match[3]}' if match[3] else ''}"


def _between(said: str, sign: str) -> Rule:
    """Words that stand alone, between spaces or at an end."""
    return re.compile(rf"(?<!\S)(?:{said})(?!\S)"), sign


def _joining(said: str, sign: str) -> Rule:
    """Words behind what they join to something: alone they may be somebody's names."""
    return re.compile(rf"(?<=\S )(?:{said})(?!\S)"), sign


_RULES: tuple[Rule, ...] = (
    (re.compile(r"(?<![\w.])([\d.]+) times 10 to the (minus )?(\d+)"), _power),
    (re.compile(r"iteration (\d+), operation (\d+)(?:, element (\d+))?"), _position),
    (re.compile(r"(?<!\S)d \S+ by d (\S+)"), r"\1.grad"),
    (
        re.compile(
            r"\b([A-Za-z][\w.]*) at ((?:\d+|all\b(?: rows| columns)?)(?:, (?:\d+|all\b(?: rows| columns)?))*)(?![\d:.])"
        ),
        _index,
    ),
    (re.compile(r"\s*\bunderscore\b\s*"), "_"),
    (re.compile(r"\s*\bdot dot\b\s*(?=\d)"), ".."),
    (re.compile(r"\s*\bleft bracket\b\s*"), "["),
    (re.compile(r"\s*\bright bracket\b"), "]"),
    (re.compile(r"\bopen bracket\b\s*"), "("),
    (re.compile(r"\s*\bclose bracket\b"), ")"),
    _between("dot dot", ".."),
    _between("equals equals|is equal to", "=="),
    _between("is at least|(?:is )?greater than or equal to", ">="),
    _between("is at most|(?:is )?less than or equal to", "<="),
    _between("is not(?: equal to)?", "!="),
    _between("(?:is )?greater than", ">"),
    _between("(?:is )?less than", "<"),
    (re.compile(r"(?<!\S)minus (?=[\d.])"), "-"),
    _joining("minus", "-"),
    _joining("plus", "+"),
    _joining("times", "*"),
    _joining("divided by|slash", "/"),
    _joining("to the power of", "**"),
)
