"""What several rooms' tests need: running the real command line."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import forking
import pytest

Result = subprocess.CompletedProcess[str]


def run_bptui(
    *arguments: str, stdin: str | bytes = "", cwd: Path | None = None, env: dict[str, str] | None = None
) -> Result:
    """`bptui …` as a person's shell would start it, with no terminal."""
    given = stdin.encode() if isinstance(stdin, str) else stdin
    settings = {**os.environ, "PYTHONIOENCODING": "utf-8", **(env or {})}
    code, out, said = forking.run(arguments, given, cwd, settings)
    return subprocess.CompletedProcess(["bptui", *arguments], code, out.decode(), said.decode())


@pytest.fixture(autouse=True, scope="session")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Sessions without a name go where nobody keeps any; and the hundreds of processes compile bptui once, not each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        yield


@pytest.fixture
def bptui() -> Callable[..., Result]:
    """The command line."""
    return run_bptui
