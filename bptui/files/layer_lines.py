"""One line of a network: `conv 6 5 relu pad=2 (x)`: a kind, its sizes, an activation, options, and what it reads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bptui.engine import initial
from bptui.engine.checking import MAX_PARAMETERS
from bptui.engine.kinds import KINDS, Kind, Option
from bptui.engine.network import Node, Where
from bptui.engine.ops import ACTIVATIONS
from bptui.files.report import Report
from bptui.files.text import quoted
from bptui.files.values import suggest

LINE = '"dense 4 tanh"'
_NODE_LINE = '"dense 4 tanh (x)" or "add (h1, h2)"'
# What every node may be told besides the options of its kind.
COMMON = ("bias", "init", "shares")
_FLAGS = {"true": True, "false": False}


def read_line(item: object, key: str, where: Where, report: Report, *, graph: bool = False) -> Node:
    """The node of a line; what it reads stands in brackets in a graph, and only there."""
    unknown = Node(key, (), units=0, where=where)
    example = _NODE_LINE if graph else LINE
    if not isinstance(item, str):
        report.add(where, f"a line such as {example} is expected, not {quoted(item)}")
        return unknown
    head, bracket, tail = item.strip().partition("(")
    line = _Line(unknown)
    line.read(head.split())
    inputs = tuple(word.strip() for word in tail.rstrip(")").split(","))
    wrong = line.fault or _wrong_inputs(line.node, inputs, bracket + tail, graph=graph)
    if wrong:
        report.add(where, f"{quoted(item)}: {wrong}")
    if wrong and _joins(line.node) and not graph:
        return unknown
    return line.node if wrong or not graph else reading(line.node, inputs)


def reading(node: Node, inputs: tuple[str, ...]) -> Node:
    """The node with what it reads."""
    return replace(node, inputs=inputs)


@dataclass
class _Line:
    """Reads the words of a line one after the other; `fault` is the first thing that is wrong."""

    node: Node
    fault: str = ""
    options: dict[str, Any] = field(default_factory=dict)

    def read(self, words: Sequence[str]) -> None:
        op = words[0] if words else ""
        kind = KINDS.get(op)
        if kind is None:
            self.fault = f"{quoted(op)} is no kind of layer{suggest(op, KINDS) or ' (such as dense, conv or add)'}"
            return
        plain = [word for word in words[1:] if "=" not in word]
        self.node = replace(self.node, op=op, units=1 if "units" not in kind.options else 0)
        named = {word.partition("=")[0] for word in words[1:] if "=" in word}
        rest = self._sizes(kind, [name for name in kind.sizes if name not in named], plain)
        self._activation(rest)
        for word in words[1:]:
            if "=" in word:
                self._option(kind, *word.split("=", 1))
        self.node = replace(self.node, options=self.options)

    def _sizes(self, kind: Kind, names: list[str], words: list[str]) -> list[str]:
        """Take the sizes that stand right behind the name; those given by name further on are not among `names`."""
        for name in names:
            option = kind.options[name]
            if name == "units":
                if not self._units(words):
                    return []
            elif words and (value := parse_option(option, words[0])) is not None and not isinstance(value, Fault):
                self.options[name] = value
            elif option.needed:
                said = f"{quoted(words[0])} is no {name}" if words else f"no {name}"
                self._wrong(f"{said}: write {quoted(kind.example)}")
                return []
            else:
                continue
            words = words[1:]
        return words

    def _units(self, words: list[str]) -> bool:
        if not words or not (words[0].isascii() and words[0].isdecimal()):
            said = f"{quoted(words[0])} is no number of neurons" if words else "no number of neurons"
            self._wrong(f"{said}: write {LINE}")
            return False
        units = int(words[0][:20])
        self.node = replace(self.node, units=bounded(units))
        if fault := too_large(units):
            self._wrong(fault)
        return True

    def _activation(self, words: list[str]) -> None:
        if not words:
            return
        self.node = replace(self.node, act=words[0])
        if len(words) > 1:
            self._wrong(f"{quoted(words[1])} is one word too many after the activation")

    def _option(self, kind: Kind, name: str, text: str) -> None:
        if name in COMMON and kind.parameters is None:
            self._wrong(f"{kind.name} has no weights, so no {name}")
        elif name == "bias" and text not in _FLAGS:
            self._wrong(f"bias={text}: true or false is expected")
        elif name == "bias":
            self.node = replace(self.node, bias=_FLAGS[text])
        elif name == "shares":
            self.node = replace(self.node, shares=text)
        elif name == "init":
            self.node = replace(self.node, init=text.replace(",", " "))
            if fault := initial.fault(self.node.init):
                self._wrong(fault)
        elif name not in kind.options or name == "units":
            known = [*kind.options, *COMMON]
            self._wrong(
                f"{kind.name} has no option {quoted(name)}{suggest(name, known) or ' (' + ', '.join(known) + ')'}"
            )
        else:
            value = parse_option(kind.options[name], text)
            if isinstance(value, Fault):
                self._wrong(f"{name}={text}: {value.why}")
            else:
                self.options[name] = value

    def _wrong(self, fault: str) -> None:
        self.fault = self.fault or fault


@dataclass(frozen=True)
class Fault:
    """Why a text is no value of an option."""

    why: str


def parse_option(option: Option, text: str) -> Any:
    """What a text says for an option, or a Fault."""
    if option.kind is bool:
        return _FLAGS[text] if text in _FLAGS else Fault("true or false is expected")
    if option.kind == "activation":
        return check_option(option, text)
    if option.kind == "pad" and text == "same":
        return text
    parts = text.split(",")
    try:
        numbers = [float(part) if _is_real(option) else int(part) for part in parts]
    except ValueError:
        return Fault("a number is expected" if len(parts) == 1 else "numbers with commas between are expected")
    several = option.kind in ("ints", "pad")
    if len(numbers) > 1 and not several:
        return Fault("one number is expected")
    return check_option(option, tuple(numbers) if len(numbers) > 1 or option.shape else numbers[0])


def _is_real(option: Option) -> bool:
    return option.kind in (float, "share")


def check_option(option: Option, value: Any) -> Any:
    """The value of an option if it is one, else a Fault. Lists are tuples here."""
    several = option.kind in ("ints", "pad")
    if isinstance(value, tuple) and (not several or not value):
        return Fault("numbers are expected" if several else "one value is expected")
    if option.shape and not isinstance(value, tuple):
        value = (value,)
    if option.kind == "activation":
        return (
            value
            if isinstance(value, str) and value in ACTIVATIONS
            else Fault(f"no activation{suggest(str(value), ACTIVATIONS)}")
        )
    if option.kind is bool:
        return value if isinstance(value, bool) else Fault("true or false is expected")
    if option.kind == "pad" and value == "same":
        return value
    values = value if isinstance(value, tuple) else (value,)
    for number in values:
        if fault := _number_fault(option, number):
            return Fault(fault)
    return value


def _number_fault(option: Option, number: Any) -> str:
    whole = not _is_real(option)
    if isinstance(number, bool) or not isinstance(number, int if whole else int | float):
        return f"{quoted(number)} is no {'whole ' if whole else ''}number"
    # By its size first: a whole number may be larger than any float.
    if abs(number) > (10**9 if whole else 1e308) or not math.isfinite(number):
        return f"{quoted(number)} is too large"
    if option.kind == "share" and not 0 <= number < 1:
        return f"{number} is no share from 0 up to, but not, 1"
    if number < option.least:
        return f"{number} is less than {option.least}"
    return ""


def bounded(units: int) -> int:
    """A number of neurons, 0 where it is beyond all bounds."""
    return units if units <= MAX_PARAMETERS else 0


def too_large(units: int) -> str:
    """What is wrong with a number of neurons that no machine could hold: '' or a reason."""
    return "" if units <= MAX_PARAMETERS else f"{quoted(units)} neurons are too many: the limit is {MAX_PARAMETERS:,}"


def _joins(node: Node) -> bool:
    """Whether it reads several nodes, which a layer in a list can't."""
    return node.op in KINDS and KINDS[node.op].inputs != (1, 1)


def _wrong_inputs(node: Node, inputs: tuple[str, ...], brackets: str, *, graph: bool) -> str:
    """What is wrong with the brackets of a line: '' or a reason."""
    if not graph:
        what = f"{node.op} needs a [net]" if _joins(node) else "brackets are for a [net]"
        return f"{what}; a layer in a list reads the one before it" if brackets or _joins(node) else ""
    kind = KINDS[node.op]
    least, most = kind.inputs
    fits = least <= len(inputs) and (not most or len(inputs) <= most)
    plain = brackets.count("(") == brackets.count(")") == 1
    if brackets.startswith("(") and brackets.endswith(")") and plain and fits and all(inputs):
        return ""
    return f"say what it reads, in brackets: {kind.example}"
