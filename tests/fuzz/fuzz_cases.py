"""What is tried: a case is a file to open and the files that lie beside it.

A kind of file has good cases, malformed ones from named generators, and a way to change a good one at random. Another
kind of file is another row in `fuzz_kinds.KINDS`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

# What lies there instead of a file.
FOLDER, PIPE, LOOP, NOTHING = "a folder", "a pipe", "a link to itself", "nothing"

# Generators whose cases take long to make.
LARGE = ("deep", "gigantic", "bombs")

Content = bytes | str


@dataclass(frozen=True)
class Case:
    """One thing to open.

    name   of the generator, and what is special about this one
    opened the file that is opened; all mistakes are told with its name
    files  name → its bytes, or one of the words above
    good   what it is made of was right: it may be read after all
    session  it is one: opening it writes to it, and it may have something to say about itself
    """

    name: str
    opened: str
    files: Mapping[str, Content]
    good: bool = False
    session: bool = False

    def put(self, folder: Path) -> None:
        """Lay the files down in an empty folder."""
        for name, content in self.files.items():
            path = folder / name
            if content == FOLDER:
                path.mkdir()
            elif content == PIPE:
                os.mkfifo(path)
            elif content == LOOP:
                path.symlink_to(path)
            elif isinstance(content, bytes):
                path.write_bytes(content)


Generator = Callable[[], Iterable[tuple[str, Case]]]
Mutation = Callable[[Random, Case], Case]


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    good       cases that are read without a word
    generators name → malformed cases, each with what is special about it
    mutate     a good case changed at random
    """

    name: str
    good: Callable[[], list[Case]]
    mutate: Mutation
    generators: Mapping[str, Callable[[], Iterator[Case]]] = field(default_factory=dict)

    def malformed(self, *, large: bool = True) -> Iterator[Case]:
        """Every malformed case of every generator, called by the generator's name; or of those that make small ones."""
        for name, generator in self.generators.items():
            if name in LARGE and not large:
                continue
            for case in generator():
                yield replace(case, name=f"{self.name}/{name}/{case.name}")


def text(content: str) -> bytes:
    return content.encode("utf-8", "surrogatepass")
