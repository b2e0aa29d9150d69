"""THE registry: one row a command. Keys, palette, help, footer, plain mode and the README's table come from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from textwrap import wrap

from bptui.engine.network import nearest
from bptui.files import keys as keyboard


class CommandError(ValueError):
    """A command that can't be carried out; nothing was changed, and the message says why in one line."""


@dataclass(frozen=True)
class Command:
    """A row.

    verb    the word, in plain mode and after `:`; "" for what only a key does
    keys    as Textual names them; the first is the one that is shown
    shown   how several keys are written for a person
    usage   what may follow the word
    help    what it does, in a line
    called  what it is called in a person's settings, where it has no verb
    footer  the word beside its key on the last line of the screen, or "" to leave it out
    app     only in the app
    """

    verb: str
    keys: tuple[str, ...]
    help: str
    usage: str = ""
    shown: str = ""
    footer: str = ""
    app: bool = False
    called: str = ""

    @property
    def name(self) -> str:
        """What it is called in a person's settings; "" where its keys can't be others."""
        return self.verb or self.called

    @property
    def key(self) -> str:
        """Its key, as a person reads it."""
        return self.shown or next(iter(self.written), "")

    @property
    def written(self) -> tuple[str, ...]:
        """All its keys, as a person writes them."""
        return tuple(dict.fromkeys(map(keyboard.sign, self.keys)))

    @property
    def letter(self) -> str:
        """Its key, where that is one letter or sign."""
        return self.key if len(self.key) == 1 and ALIASES.get(self.key) == self.verb else ""

    @property
    def needs(self) -> bool:
        """Whether something has to follow the word."""
        return bool(self.usage) and not self.usage.startswith("[")

    @property
    def words(self) -> str:
        """The word and what may follow it."""
        return f"{self.verb} {self.usage}".rstrip()


COMMANDS: tuple[Command, ...] = (
    Command("next", ("n", "f10"), "one operation on", "[K]", footer="next"),
    Command("back", ("N",), "one operation back", "[K]", footer="back"),
    Command("step", ("s", "f11"), "one element on, inside the operation", "[K]", footer="into"),
    Command("step-back", ("S",), "one element back", "[K]"),
    Command("finish", ("f",), "to the end of this phase"),
    Command("start", ("F",), "to the start of this phase"),
    Command("iteration", ("i",), "one whole training iteration on, to the same operation", "[K]", footer="iteration"),
    Command("iteration-back", ("I",), "one whole training iteration back", "[K]"),
    Command("continue", ("c", "f5"), "run to the next breakpoint, or the last of the spec's iterations", footer="run"),
    Command("reverse-continue", ("C",), "run back to the previous breakpoint, or the very start"),
    Command("to", ("t",), "run to the operation under the cursor", "OPERATION"),
    Command("to-back", ("T",), "run back to the operation under the cursor", "OPERATION"),
    Command("play", ("space",), "run visibly, step after step; again to pause", app=True),
    Command("goto", ("g",), "any position, such as 3:4 or 3:4.1; 3 is the start of iteration 3", "POSITION"),
    Command("run", (), "N whole iterations on", "N"),
    Command("until", (), "on until an expression is true", "EXPR"),
    Command("set", ("e",), "edit a value; key: the cell under the cursor", "TARGET = VALUE [at POSITION]",
            footer="edit"),
    Command("", ("E",), "edit the whole array under the cursor, or the slice that is shown, as text; a paste of many "
            "numbers does it too", app=True, called="edit-whole"),
    Command("nudge", ("plus",), "a little more: prediction, loss and gradients follow", "TARGET [AMOUNT]",
            footer="more"),
    Command("", ("minus",), "a little less", app=True, called="less"),
    Command("undo", ("u",), "take back the last edit", footer="undo"),
    Command("redo", ("U",), "give it once more"),
    Command("break", ("b", "f9"), "stop if EXPR, such as loss < 0.01; on X (changed); at an operation (7), a phase, "
            "an op; nan; where training turns ill: dead, saturated, vanishing, exploding, ratio, rising, flat",
            "CONDITION [once]", footer="break"),
    Command("breakpoints", ("B",), "the breakpoints, and how often each was met"),
    Command("delete", (), "forget a breakpoint, all of them, or a branch", "K, all or a NAME"),
    Command("enable", (), "let a breakpoint stop again", "K"),
    Command("disable", (), "keep a breakpoint, but do not stop at it", "K"),
    Command("ignore", (), "do not stop at a breakpoint the next times it is met", "K TIMES"),
    Command("watch", ("w",), "show an expression wherever one stops, with its change", "EXPR"),
    Command("watches", (), "the expressions that are watched"),
    Command("unwatch", (), "watch an expression no longer", "K"),
    Command("when", (), "back to where something happened last: when sign(w5), when dead, when nan", "CONDITION"),
    Command("branches", ("d",), "the timelines, as a tree"),
    Command("branch", (), "go on with another timeline; a new name makes one from here", "NAME"),
    Command("diff", (), "this timeline beside another branch, or another network", "NAME"),
    Command("sweep", (), "many variants at once, from here on: sweep lr=0.01,0.03,0.1 seed=0..7",
            "TARGET=VALUES … [iterations N] [until EXPR]"),
    Command("explain", ("x",), "the formula that is shown, of the operation at hand or under the cursor, opened down "
            "to inputs and weights", "[X] [> K …]", footer="explain"),
    Command("origin", ("o",), "to the operation that wrote the number under the cursor; again: to where its old value "
            "is from", "X"),
    Command("uses", (), "the operations that read a number next", "X"),
    Command("why", (), "to the first operation that made a number that is not finite; why w5 explains it", "nan or X"),
    Command("predict", ("p",), "say what the next operation gives before it is shown, and hear how near that was",
            "[NUMBER or CELL = NUMBER]"),
    Command("formulas", ("m",), "every update formula: elements and matrices"),
    Command("find", ("slash",), "cells that show as a number, and where it was written; operations that hold a text; "
            "alone: the next one", "NUMBER or TEXT"),
    Command("fold", (), "fold or open a part of the program: a phase, a layer, a place; alone: as at the start",
            "[all, none or a NAME]"),
    Command("check", ("=", "equals_sign"), "check this iteration's gradients against a numeric derivative"),
    Command("print", (), "the value of an expression: w5, W1.grad, abs(W1).max(); min, max, mean, argmax …", "EXPR"),
    Command("list", (), "the program, with the values so far"),
    Command("info", (), "the network, the position and the edits"),
    Command("describe", (), "the network in sentences; of an array smallest, largest and mean, the most active "
            "unit, norm and histogram", "[X]"),
    Command("plot", (), "a plot in words: loss, histogram W1, weight w5 (with its tangent), surface w5 w6, norms, "
            "boundary, fit", "NAME [X] [Y]"),
    Command("curve", (), "how the loss, or an expression, went over the iterations, in words", "[EXPR]"),
    Command("copy", ("y",), "a value, an array, the formula (formula X), the screen or the session, for elsewhere: in "
            "the app to the terminal's clipboard", "[X, formula, screen or session] [as value, numpy, csv or latex] "
            "[to FILE]"),
    Command("save", (), "write the network as a spec, with the weights of this moment", "FILE"),
    Command("load", (), "open another spec", "SPEC"),
    Command("open", ("ctrl+o",), "another network: an example, a spec of this folder, or one opened lately", "[SPEC]"),
    Command("reload", (), "read the spec's file again, and stay where one is: edits, stops and watches are kept"),
    Command("restart", (), "the same network anew, with other settings: restart lr=0.1 seed=3 optim=adam batch=32; as "
            "the spec has it: restart spec", "[NAME=VALUE …]"),
    Command("view", ("v",), "another view of the focused pane, where it has several", "[NAME]", app=True),
    Command("", ("V",), "its view before that", app=True, called="view-back"),
    Command("mark", (), "the cell under the cursor, or X, as the second of the plot `surface`; again: no longer", "[X]",
            app=True),
    Command("theme", (), "other colours: dark, light, contrast, contrast-light, terminal", "NAME", app=True),
    Command("", ("z",), "this pane alone, and back", app=True, called="zoom"),
    Command("look", (), "the cursor to a cell by its name: look W1[700,400]", "CELL", app=True),
    Command("", ("left_square_bracket",), "the previous slice or tensor", app=True, called="previous-slice"),
    Command("", ("right_square_bracket",), "the next slice or tensor", app=True, called="next-slice"),
    Command("", ("left_curly_bracket",), "the previous tensor", app=True, called="previous-tensor"),
    Command("", ("right_curly_bracket",), "the next tensor", app=True, called="next-tensor"),
    Command("", ("1", "2", "3", "4", "5", "6"), "focus a pane", shown="1–6", footer="panes", app=True),
    Command("", ("tab",), "focus the next pane", app=True, called="next-pane"),
    Command("", ("ctrl+p",), "every command: found by some of its letters", footer="all", app=True, called="palette"),
    Command("", ("colon",), "type a command", footer="command", app=True, called="command"),
    Command("tour", (), "a minute's walk through the article; any key leaves it"),
    Command("help", ("question_mark", "f1"), "the keys and words that work here", "[WORD]", footer="help"),
    Command("quit", ("q",), "leave"),
)  # fmt: skip

# What rows that follow each other are about, and the name of the first of them.
_BEGINS = {
    "next": "Time", "set": "Editing", "break": "Stops", "branches": "Branches", "explain": "Looking",
    "save": "Networks", "view": "Screen",
}  # fmt: skip

# A word or letter that stands for another: `p` is print, every other single letter its key's verb.
ALIASES = {command.key: command.verb for command in COMMANDS if command.verb and len(command.key) == 1} | {
    "p": "print", "exit": "quit", "h": "help",
}  # fmt: skip

# Words that people try first, too far from ours to be found by likeness → the word that does it.
_TRIED = {
    **dict.fromkeys(("change", "edit", "assign", "let"), "set"), **dict.fromkeys(("breakpoint", "stop"), "break"),
    **dict.fromkeys(("previous", "prev"), "back"), **dict.fromkeys(("gradient", "grad"), "explain w5.grad"),
    **dict.fromkeys(("loss", "history"), "curve"), **dict.fromkeys(("example", "examples"), "open"),
    **dict.fromkeys(("show", "value"), "print"), "most": "describe", "largest": "describe", "go": "goto",
}  # fmt: skip


def keyed(commands: Sequence[Command] = COMMANDS) -> dict[str, tuple[str, ...]]:
    """Name → keys as a person writes them, of all whose keys a person may change."""
    return {command.name: command.written for command in commands if command.name}


def with_keys(keys: Mapping[str, tuple[str, ...]]) -> tuple[Command, ...]:
    """The commands, some of them with other keys, as a person reads them, or with none."""
    return tuple(
        replace(command, keys=tuple(map(keyboard.name, keys[command.name]))) if command.name in keys else command
        for command in COMMANDS
    )


def grouped(commands: Sequence[Command] = COMMANDS) -> dict[str, list[Command]]:
    """What commands are about → those, in their order."""
    groups: dict[str, list[Command]] = {}
    title = ""
    for command in commands:
        title = _BEGINS.get(command.name, title)
        groups.setdefault(title, []).append(command)
    return groups


def find(word: str) -> Command:
    """The command of a word or letter. Raises CommandError with the nearest."""
    verb = ALIASES.get(word, word)
    for command in words():
        if command.verb == verb:
            return command
    meant = f" (did you mean {_TRIED[word]}?)" if word in _TRIED else nearest(word, [c.verb for c in words()])
    raise CommandError(f"no command is called {word[:40]!r}{meant or ' (help lists them)'}")


def split(line: str) -> tuple[str, str]:
    """A line's word and what follows; `iteration back` is `iteration-back`. The word is "" where there is none."""
    word, rest = [*line.split(None, 1), "", ""][:2]
    second, further = [*rest.split(None, 1), "", ""][:2]
    whole = f"{word}-{second}"
    return (whole, further.strip()) if any(each.verb == whole for each in COMMANDS) else (word, rest.strip())


def words() -> Iterator[Command]:
    """The commands of plain mode and of the line after `:`."""
    return (command for command in COMMANDS if command.verb and not command.app)


def help_lines(word: str = "") -> list[str]:
    """What `help` prints: every word with its letter, or one."""
    asked = rows(word)
    width = max(len(row.words) for row in asked)
    return [f"{row.words:<{width}}  {row.letter:<2} {row.help}" for row in asked]


def help_wrapped(word: str, columns: int) -> list[str]:
    """The same for a terminal of so many columns: no word is torn apart."""
    lines = (f"{row.words}  {row.letter}{'  ' * bool(row.letter)}{row.help}" for row in rows(word))
    return [part for line in lines for part in wrap(line, max(20, columns - 1), subsequent_indent="    ")]


def rows(word: str = "") -> list[Command]:
    """The rows that `help` is about: a command's, or those whose help has a word. Raises CommandError."""
    if not word:
        return list(words())
    try:
        return [find(word)]
    except CommandError:
        if told := [row for row in words() if f" {word.lower()}" in f" {row.help.lower()}"]:
            return told
        raise
