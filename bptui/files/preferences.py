"""A person's settings: colours, signs, digits, keys; a file in the platform's place."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

from bptui.files import keys
from bptui.files.document import from_toml, read_text
from bptui.files.lines import Lines
from bptui.files.report import FileError, Report
from bptui.files.text import quoted, safe
from bptui.files.values import Table, as_list, flawless, suggest

LARGEST = 2**20
_MOST_DIGITS = 17
_KEYS = ("theme", "ascii", "spoken", "digits", "memory", "keys")

TEMPLATE = """\
# Settings of bptui. What stands behind a # is how it is without them.

# theme = "dark"        # light, contrast, contrast-light, terminal (its own sixteen colours)
# ascii = false         # true: no signs but ASCII
# spoken = false        # true: at a terminal as with --spoken, for a screen reader or braille
# digits = 4            # significant digits that are shown
# memory = 256          # MiB for checkpoints

[keys]                  # a command's name = its keys, "" for none; `bptui settings --keys` lists them
# next = "n, f10"
# view = "v"
"""


@dataclass(frozen=True)
class Preferences:
    """What a person wants; what is not said is None, or empty.

    keys  a command's name → the keys that it shall have, as a person reads them; none takes away those that it has
    """

    theme: str = ""
    ascii: bool | None = None
    spoken: bool = False
    digits: int | None = None
    memory: int | None = None
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def place() -> Path:
    """Where the file is, as the system has it: $XDG_CONFIG_HOME, ~/.config and the like."""
    return platformdirs.user_config_path("bptui", appauthor=False) / "settings.toml"


def load(path: Path, themes: Collection[str], commands: Mapping[str, tuple[str, ...]]) -> Preferences:
    """What a file says; nothing where there is none. `commands` are names with the keys that they have without it.

    Raises SpecError with every mistake.
    """
    if not path.exists():
        return Preferences()
    shown = str(path)
    text = read_text(shown, LARGEST)
    report = Report()
    table = Table(from_toml(shown, text), (), report)
    table.check_keys(_KEYS, "the settings")
    found = Preferences(
        theme=_theme(table, themes),
        ascii=table.flag("ascii", default=False) if table.has("ascii") else None,
        spoken=table.flag("spoken", default=False),
        digits=_count(table, "digits", _MOST_DIGITS),
        memory=_count(table, "memory", LARGEST),
        keys=_keys(table.table("keys", '[keys] with next = "n"'), commands),
    )
    if report:
        raise report.error(shown, Lines(text))
    return found


def new(path: Path) -> None:
    """Write a commented file to start from. Raises FileError, also where there is a file already."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(TEMPLATE)
    except FileExistsError:
        raise FileError(f"{safe(str(path))}: it exists already, so it is left alone") from None
    except OSError as error:
        raise FileError(f"{safe(str(path))}: can't be written: {error.strerror}") from None


def _theme(table: Table, themes: Collection[str]) -> str:
    name = table.word("theme")
    if name and name not in themes:
        table.fault("theme", f"unknown theme {quoted(name)}{suggest(name, themes) or ': ' + ', '.join(themes)}")
        return ""
    return name


def _count(table: Table, key: str, most: int) -> int | None:
    if not table.has(key):
        return None
    value = table.whole(key, 1, 1)
    if value > most:
        table.fault(key, f"{key} is at most {most}")
    return value


def _keys(table: Table, commands: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
    """The keys of each command that is named; each belongs to one command alone."""
    made: dict[str, tuple[str, ...]] = {}
    for name in table.values:
        if name in commands:
            made[name] = _wanted(table, name)
        else:
            table.fault(name, f"no command is called {quoted(name)}{suggest(name, commands)}")
    taken = {keys.sign(key): name for name, usual in commands.items() if name not in made for key in usual}
    for name, wanted in made.items():
        for key in wanted:
            if taken.setdefault(key, name) != name:
                table.fault(name, f"the key {quoted(key)} belongs to {taken[key]}: give that another first")
    return made


def _wanted(table: Table, name: str) -> tuple[str, ...]:
    """The keys that a command is to have; what is none is noted."""
    value = table.values[name]
    texts = [value] if isinstance(value, str) else as_list(value)
    if texts is None or any(map(flawless, texts)):
        table.fault(name, f'the keys of {name} are a text, such as "n" or "n, f10", not {quoted(value)}')
        return ()
    wanted = [keys.read(key) for text in texts for key in _split(str(text)) if key.strip()]
    for key in wanted:
        if fault := keys.fault(key):
            table.fault(name, fault)
    return tuple(dict.fromkeys(wanted))


def _split(text: str) -> list[str]:
    """`"n, f10"`; a comma alone is the key."""
    return [text] if text.strip() == "," else text.split(",")
