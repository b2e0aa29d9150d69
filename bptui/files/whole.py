"""Files written whole or not at all: beside the place where they belong first, and on the disk before they go there."""

from __future__ import annotations

import contextlib
import glob
import os
import secrets
import shutil
from pathlib import Path

_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


def replace_file(target: Path, data: bytes) -> None:
    """Put a file with these bytes in its place in one go, so that a crash leaves the old one or the new one."""
    target = target.resolve()
    temporary, descriptor = write_aside(target, data)
    os.close(descriptor)
    try:
        if target.exists():
            shutil.copymode(target, temporary)
        temporary.replace(target)
        sync_folder(target)
    finally:
        temporary.unlink(missing_ok=True)


def write_aside(target: Path, data: bytes) -> tuple[Path, int]:
    """(a new file in the target's folder with these bytes, its descriptor). Raises OSError; then there is none."""
    temporary = target.with_name(f".{target.name[:50]}.{secrets.token_hex(4)}.new")
    descriptor = os.open(temporary, _NEW, 0o666)
    try:
        write_all(descriptor, data)
        os.fsync(descriptor)
    except BaseException:
        os.close(descriptor)
        temporary.unlink(missing_ok=True)
        raise
    return temporary, descriptor


def remove_left_aside(target: Path) -> None:
    """Remove what a process that was killed while writing aside has left. Only for who is alone with the target."""
    with contextlib.suppress(OSError):
        for left in target.parent.glob(f".{glob.escape(target.name[:50])}.????????.new"):
            left.unlink(missing_ok=True)


def write_all(descriptor: int, data: bytes) -> None:
    """Write all the bytes, however many go at once. Raises OSError."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def sync_folder(path: Path) -> None:
    """See to it that a file's entry in its folder is on the disk, where a folder can be opened at all."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
