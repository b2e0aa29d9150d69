"""A person's settings: what a file may say, and every mistake in one."""

from __future__ import annotations

import os
import sys

import pexpect
import pytest

from bptui.commands import registry
from bptui.files import keys, preferences
from bptui.files.report import FileError, SpecError
from bptui.tui.drawing.palette import THEMES


def load(path, text):
    path.write_text(text, encoding="utf-8")
    return preferences.load(path, THEMES, registry.keyed())


def test_nothing_is_set_where_there_is_no_file(tmp_path):
    assert preferences.load(tmp_path / "none.toml", THEMES, registry.keyed()) == preferences.Preferences()


def test_the_file_that_is_written_to_start_from_changes_nothing(tmp_path):
    path = tmp_path / "deep" / "settings.toml"
    preferences.new(path)
    assert preferences.load(path, THEMES, registry.keyed()) == preferences.Preferences()
    with pytest.raises(FileError, match="exists already"):
        preferences.new(path)


def test_what_stands_behind_the_signs_of_the_template_is_valid(tmp_path):
    bare = "\n".join(line.removeprefix("# ") if " = " in line else line for line in preferences.TEMPLATE.splitlines())
    found = load(tmp_path / "s.toml", bare)
    assert (found.theme, found.ascii, found.digits, found.memory) == ("dark", False, 4, 256)
    assert found.keys == {"next": ("n", "f10"), "view": ("v",)}


def test_keys_are_given_others_and_may_be_exchanged(tmp_path):
    found = load(tmp_path / "s.toml", 'theme = "light"\n[keys]\nnext = "j, +"\nnudge = "n"\nback = ["k", ","]\n')
    assert found.keys == {"next": ("j", "+"), "nudge": ("n",), "back": ("k", ",")}
    # Signs that have a key of their own on German and French keyboards.
    assert load(tmp_path / "s.toml", '[keys]\nview = "§, €"\n').keys == {"view": ("§", "€")}
    assert keys.name("+") == "plus" and keys.name(",") == "comma"
    commands = {command.name: command for command in registry.with_keys(found.keys)}
    assert commands["next"].key == "j" and commands["nudge"].key == "n" and commands["finish"].key == "f"


@pytest.mark.parametrize(
    "text, said",
    [
        ('theme = "drak"', ":1: unknown theme 'drak' (did you mean dark?)"),
        ("theme = 3", ":1: theme = a text is expected"),
        ("digits = 99", ":1: digits is at most 17"),
        ("digits = 0", ":1: digits = a whole number is expected"),
        ("ascii = 1", ":1: ascii = true or false is expected"),
        ("colour = 1", ":1: unknown key 'colour' in the settings"),
        ("[keys]\nnxt = 'j'", ":2: no command is called 'nxt' (did you mean next?)"),
        ("[keys]\nnext = 'i'", ":2: the key 'i' belongs to iteration: give that another first"),
        ("[keys]\nnext = 'j'\nback = 'j'", ":3: the key 'j' belongs to next: give that another first"),
        ("[keys]\nnext = 'f7'\nback = 'F7'", ":3: the key 'f7' belongs to next: give that another first"),
        ("[keys]\nnext = 7", ':2: the keys of next are a text, such as "n" or "n, f10", not 7'),
        ("[keys]\nnext = 'spcae'", ":2: no key is called 'spcae' (did you mean space?)"),
        ("[keys]\nnext = 'ctr+x'", ":2: no key is called 'ctr+x' (it is a letter, a sign, or such as f10, pageup"),
        ("[keys]\nnext = 'shift+j'", ":2: the key 'shift+j' is written 'J'"),
        ("[keys]\nnext = '3'", ":2: the key '3' always focuses a pane: take another"),
        ("[keys]\nnext = 'Esc'", ":2: the key 'escape' always closes: take another"),
        ("keys = 7", ":1: keys is a table"),
        ("theme = ", ":1: not TOML"),
    ],
)
def test_each_mistake_is_a_line_with_its_place(tmp_path, text, said):
    with pytest.raises(SpecError) as caught:
        load(tmp_path / "s.toml", text)
    assert len(caught.value.lines) == 1
    assert said in caught.value.lines[0]


def test_all_mistakes_are_told_at_once_and_nothing_opens(tmp_path, bptui):
    folder = tmp_path / "bptui"
    folder.mkdir()
    (folder / "settings.toml").write_text('theme = "drak"\ndigits = 99\n', encoding="utf-8")
    done = bptui("article", env={"XDG_CONFIG_HOME": str(tmp_path)})
    assert done.returncode == 2  # no terminal either
    shown = bptui("settings", env={"XDG_CONFIG_HOME": str(tmp_path)})
    assert shown.stdout.strip() == str(folder / "settings.toml")
    refused = bptui("settings", "--keys", env={"XDG_CONFIG_HOME": str(tmp_path)})
    assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 2)


def test_the_keys_that_are_listed_are_those_in_force(tmp_path, bptui):
    folder = tmp_path / "bptui"
    folder.mkdir()
    (folder / "settings.toml").write_text('[keys]\nnext = "F7, plus"\nnudge = "n"\nquit = ""\n', encoding="utf-8")
    told = bptui("settings", "--keys", env={"XDG_CONFIG_HOME": str(tmp_path)}).stdout.splitlines()
    found = {line.split()[0]: line.split(maxsplit=1)[1:] for line in told}
    assert (found["next"], found["nudge"], found["quit"], found["find"]) == (["f7, +"], ["n"], [], ["/"])


def test_a_terminal_without_a_screen_has_the_settings_and_a_pipe_has_none(tmp_path, bptui):
    folder = tmp_path / "bptui"
    folder.mkdir()
    (folder / "settings.toml").write_text("digits = 2\nascii = true\n", encoding="utf-8")
    env = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)}
    command = ["-m", "bptui", "article", "--plain"]
    with pexpect.spawn(sys.executable, command, encoding="utf-8", timeout=60, env=env) as terminal:
        terminal.expect_exact("bptui> ")
        terminal.sendline("step")
        terminal.expect_exact("[[0.85, .]]")
        terminal.sendline("iteration 3")
        terminal.expect(r"z1 = x @ W1  \[\[1\.\d, ")
    piped = bptui("article", "--plain", stdin="step\nnext 2\n", env=env)
    assert "[[0.85, ·]]" in piped.stdout and "[[0.191]]" in piped.stdout


def test_plain_mode_in_ascii_has_no_other_sign(bptui):
    lines = "next 4\nexplain\nformulas\nlist\nfind 0.85\nprint é\nhelp\n"
    for spoken in ([], ["--spoken"]):
        done = bptui("article", "--plain", "--ascii", *spoken, stdin=lines)
        assert done.stdout.isascii() and done.stderr.isascii() and done.stdout.strip()
