"""The README says what is true: its key table is the registry's, its commands run, its specs load."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bptui.commands import registry
from bptui.commands.registry import COMMANDS
from bptui.files import preferences, specs
from bptui.tui.drawing.palette import THEMES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(sh|toml)\n(.*?)```", README, re.DOTALL)
SETUP = [text for kind, text in BLOCKS if kind == "sh"][:2]
COMMAND_LINES = [line for kind, text in BLOCKS if kind == "sh" and text not in SETUP for line in text.splitlines()]
TABLES = [text for kind, text in BLOCKS if kind == "toml"]
SPECS = [text for text in TABLES if "[keys]" not in text]


def key_table() -> str:
    """The table of keys and words, from the registry's rows."""
    rows = ["| key | word | does |", "| --- | --- | --- |"]
    for command in COMMANDS:
        names = [command.shown] if command.shown else command.written
        keys = " ".join(f"`{key}`" for key in names)
        word = f"`{command.words}`" + " in the app" * command.app if command.verb else ""
        rows.append(f"| {keys} | {word} | {command.help} |")
    return "\n".join(rows)


def test_the_key_table_is_the_registrys() -> None:
    table = README.split("<!-- keys: from bptui/commands/registry.py -->\n")[1].split("\n<!-- /keys -->")[0]
    assert table == key_table()


def test_ci_runs_the_two_set_up_commands() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "readme 'Test it'" in script
    assert "readme 'Run it'" in script
    assert SETUP[0].rstrip().endswith(".venv/bin/bptui")
    assert SETUP[1].rstrip().endswith(".venv/bin/python -m pytest")


@pytest.mark.parametrize("line", COMMAND_LINES)
def test_every_command_runs(line: str, tmp_path: Path) -> None:
    here = tmp_path / "bin"
    here.mkdir()
    program = here / "bptui"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m bptui "$@"\n')
    program.chmod(0o755)
    if "my.toml" in line and " new " not in line:
        (tmp_path / "my.toml").write_text(SPECS[0], encoding="utf-8")
    env = {**os.environ, "PATH": f"{here}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    shell = shutil.which("bash") or "sh"
    done = subprocess.run(
        [shell, "-c", line],
        check=False,
        cwd=tmp_path,
        env=env,
        input="",
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    # A plain session with nothing typed has nothing to say; everything else answers.
    assert done.stdout or line.endswith("--plain")


@pytest.mark.parametrize("text", SPECS)
def test_every_spec_loads(text: str, tmp_path: Path) -> None:
    path = tmp_path / "spec.toml"
    path.write_text(text, encoding="utf-8")
    assert specs.load(str(path)).nodes


def test_the_settings_are_settings(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("\n".join(text for text in TABLES if text not in SPECS), encoding="utf-8")
    assert preferences.load(path, THEMES, registry.keyed()).theme == "light"


def test_the_pictures_are_there() -> None:
    for name in re.findall(r"\]\((screenshots/[^)]+)\)", README):
        assert (ROOT / name).is_file(), name
