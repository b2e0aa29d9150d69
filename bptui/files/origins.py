"""What a session was made of: its spec's text, so that it stands alone, and by their hashes the files of its data."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from bptui.engine.build import build
from bptui.engine.network import Network
from bptui.engine.program import Program
from bptui.files import specs, writing
from bptui.files.data.opening import noting
from bptui.files.document import Source, Stamp, open_source, stamp
from bptui.files.examples import example_names
from bptui.files.report import SpecError
from bptui.files.sealing import JournalError
from bptui.files.settings import Settings, SettingsError, with_settings
from bptui.files.text import safe

# A spec longer than this, its data written out in it, is kept by its hash alone.
MAX_TEXT, MAX_LINES = 2**20, 50_000


@dataclass(frozen=True, eq=False)
class Origin:
    """A network, and what it was made of.

    read      the network as its spec has it
    source    the spec; None for a network made in Python that no spec can say
    files     the files that the spec names, with their SHA-256
    settings  what holds in place of what the spec says. Raises SettingsError from `network` where that can't be
    stamps    all these files as they were no later than they were read, to see whether they have changed since
    """

    read: Network
    source: Source | None = None
    files: Mapping[Path, str] = field(default_factory=dict)
    settings: Settings = field(default_factory=dict)
    stamps: Mapping[Path, Stamp] = field(default_factory=dict)

    @cached_property
    def network(self) -> Network:
        """The network that is debugged."""
        return with_settings(self.read, self.settings) if self.settings else self.read

    @property
    def path(self) -> str:
        """The spec's file, as it was named; "" where it has none."""
        return "" if self.source is None or self.source.example else self.source.shown

    def same_spec(self, other: Origin) -> bool:
        """Whether both say the same, whatever was set since."""
        return self.source == other.source and self.files == other.files


def read(source: Source) -> Origin:
    """The network of a spec. Raises SpecError with every mistake."""
    with noting() as files:
        network = specs.read(source)
    return Origin(network, source, dict(files))


def load(named: str) -> Origin:
    """The network of an example's name or a spec file. Raises SpecError with every mistake."""
    before = stamp(Path(named))
    return _stamped(read(open_source(named)), before)


def _stamped(origin: Origin, before: Stamp) -> Origin:
    """The origin with what its files were like; its spec's file before that was read."""
    files = {path: stamp(path) for path in origin.files}
    return replace(origin, stamps={Path(origin.path): before, **files} if origin.path else files)


def written(network: Network) -> Origin | None:
    """A network made in Python as the spec it would be saved as; None where that is another, or too long to be kept."""
    if network.x.size + network.y.size > MAX_TEXT // 4:
        return None
    with contextlib.suppress(ValueError):  # an op of one's own, or what no reader would take
        source = Source("", network.name, writing.to_toml(network, {}))
        again = specs.read(source)
        if _same(build(network), build(again)) and not _is_long(source):
            return Origin(network, source, {})
    return None


def _same(one: Program, other: Program) -> bool:
    """Whether two programs do the same, from the same bits on."""
    return str(one) == str(other) and all(
        array.tobytes() == other.initial[name].tobytes() for name, array in one.initial.items()
    )


def described(origin: Origin, home: Path) -> dict[str, Any]:
    """What a session in folder `home` keeps of it; files below that folder are told as they are from there."""
    source = origin.source
    assert source is not None
    told: dict[str, Any] = {
        "path": source.shown if source.example or not source.shown else _from(home, Path(source.shown)),
        "example": source.example,
        "json": source.is_json,
        "name": source.name,
        "sha256": _hash(source.text),
        "files": {_from(home, path): digest for path, digest in origin.files.items()},
    }
    if origin.settings:
        told["settings"] = dict(origin.settings)
    return told if _is_long(source) else told | {"text": source.text}


def _is_long(source: Source) -> bool:
    return len(source.text) > MAX_TEXT or source.text.count("\n") > MAX_LINES


def is_of(told: Mapping[str, Any], named: str, home: Path) -> bool:
    """Whether a session in folder `home` is one of that example or spec file, be its text the same or not."""
    example = named in example_names()
    return told.get("example") is example and told.get("path") == (named if example else _from(home, Path(named)))


def restored(told: Mapping[str, Any], home: Path, shown: str) -> tuple[Origin, list[str]]:
    """(the network of a session, what of its files has changed since). Raises JournalError, SpecError."""
    _check(told, shown)
    path = told["path"] if told["example"] or not told["path"] else str(home / told["path"])
    before = stamp(Path(path))
    now = _present(path) if path else None
    text = told.get("text", now)
    if text is None:
        raise JournalError(f"{shown}: its spec is too long to be kept in it, and {safe(path)} can't be read")
    folder = Path() if told["example"] else Path(path).parent
    source = Source(path, told["name"], text, folder if folder.is_dir() else home, told["json"], told["example"])
    # A network made in Python has no file that a mistake could be told of: its session stands for it.
    origin = read(source if path else replace(source, shown=shown))
    origin = _stamped(replace(origin, source=source, settings=told.get("settings", {})), before)
    try:
        origin.network  # noqa: B018 - made here, where it can be refused
    except SettingsError as error:
        raise JournalError(f"{shown}: its settings do not fit its network: {safe(str(error))}") from None
    return origin, [*_spec_note(path, now, told), *_file_notes(origin, told, home)]


def _check(told: Mapping[str, Any], shown: str) -> None:
    """That a session says all this in the way it is written here. Raises JournalError."""
    wanted = {"path": str, "example": bool, "json": bool, "name": str, "sha256": str, "files": dict}
    wrong = [key for key, kind in wanted.items() if not isinstance(told.get(key), kind)]
    optional = {"text": str, "settings": dict}
    wrong += [key for key, kind in optional.items() if not isinstance(told.get(key, kind()), kind)]
    if wrong or "\0" in told["path"]:
        raise JournalError(f"{shown}: this session does not say what it is a session of: {(wrong or ['path'])[0]}")


def _present(path: str) -> str | None:
    """The spec's text as it is now, or None where there is none."""
    with contextlib.suppress(SpecError):
        return open_source(path).text
    return None


def _spec_note(path: str, now: str | None, told: Mapping[str, Any]) -> list[str]:
    if not path:
        return []
    if now is None:
        return [f"{safe(path)} is not there any more: this is the session's own copy of the spec"]
    if _hash(now) != told["sha256"]:
        own = "this is the session's own copy of the spec" if "text" in told else "what follows may not fit"
        return [f"{safe(path)} has changed since: {own}; bptui {safe(path)} opens the new one"]
    return []


def _file_notes(origin: Origin, told: Mapping[str, Any], home: Path) -> list[str]:
    now = {_from(home, path): digest for path, digest in origin.files.items()}
    return [
        f"{safe(path)} has changed since: the numbers may differ"
        for path, digest in told["files"].items()
        if now.get(path, digest) != digest
    ]


def _from(home: Path, path: Path) -> str:
    """A file as it is from a folder if it lies in or below it, else from the root."""
    whole, home = path.absolute(), home.absolute()
    return whole.relative_to(home).as_posix() if whole.is_relative_to(home) else str(whole)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
