"""A session's file: what it says, that it says it again after anything, and what it refuses."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bptui.files import journal, origins, sealing, sessions, shelf
from bptui.files.journal import BusyError
from bptui.files.report import SpecError
from bptui.files.sealing import JournalError

SPEC = {
    "path": "article", "example": True, "json": False, "name": "article", "sha256": "ab", "files": {}, "text": "a = 1\n\nb = 2\n",
}  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
KEYS = st.dictionaries(st.from_regex(r"[a-z]{1,6}(/[0-9]{1,3})?", fullmatch=True), JSON, max_size=6)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


def made(path: str = "s", **keys: object) -> sessions.SessionFile:
    return sessions.create(Path(path), {"spec": SPEC, "position": "0:0", **keys})


def held(path: str = "s") -> sessions.Folded:
    return sessions.fold(journal.look(Path(path)), path)


def refused(call, *arguments) -> str:
    with pytest.raises(JournalError) as caught:
        call(*arguments)
    assert str(caught.value).isprintable()
    return str(caught.value)


def sealed(*lines: str) -> None:
    Path("s").write_bytes(sealing.FIRST + b"".join(map(sealing.seal, lines)))


class TestTheFile:
    def test_it_can_be_read_by_a_person(self):
        file = made(**{"machine/numpy": "2.4.6", "edit/10": {"value": 0.1}, "edit/2": [1]})
        file.append("next", {"position": "0:1"})
        file.close()
        lines = Path("s").read_text(encoding="utf-8").splitlines()
        assert [lines[0], *(line[9:] for line in lines[1:])] == [
            "bptui session 1",
            'machine/numpy "2.4.6"',
            'spec {"path": "article", "example": true, "json": false, "name": "article", "sha256": "ab", "files": {}}',
            "| a = 1",
            "| ",
            "| b = 2",
            "| ",
            "edit/2 [1]",
            'edit/10 {"value": 0.1}',
            'position "0:1"',
            'saved {"lines": 9, "commands": 1}',
        ]

    def test_a_command_is_a_line_with_what_it_changed(self):
        file = made()
        before = Path("s").read_bytes()
        file.append("set w5 = 0.2 → Δ", {"position": "0:2", "gone": None})
        text = '1 "set w5 = 0.2 → Δ" {"position": "0:2", "gone": null}'
        assert Path("s").read_bytes() == before + sealing.seal(text)
        file.close()

    @given(KEYS, st.lists(st.tuples(st.text(), KEYS), max_size=5))
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
    def test_folding_gives_what_was_put_in_before_and_after_it_was_closed(self, first, commands):
        Path("s").unlink(missing_ok=True)
        first = {k: v for k, v in first.items() if v is not None and k not in ("spec", "opened", "saved")}
        file = sessions.create(Path("s"), {**first, "spec": SPEC})
        model = {**first, "spec": SPEC}
        for text, changes in commands:
            changes.pop("spec", None)
            file.append(text, changes)
            model = {key: value for key, value in {**model, **changes}.items() if value is not None}
        found = held()
        assert {**found.keys, "opened": 0} == {**model, "opened": 0}
        file.close()
        model.pop("opened", None)
        assert (held().keys, held().commands) == (model, len(commands))

    @given(KEYS, KEYS, st.data())
    def test_changed_keys_lead_from_one_to_the_other(self, before, other, data):
        before, other = ({k: v for k, v in keys.items() if v is not None} for keys in (before, other))
        kept = data.draw(st.sets(st.sampled_from(sorted(before)))) if before else set()
        after = {key: before[key] for key in kept} | other
        changes = sessions.changed(before, after)
        folded = sessions.Folded(dict(before))
        folded.take(changes)
        assert folded.keys == after
        assert not changes.keys() & (kept - other.keys())

    def test_values_that_are_equal_and_not_the_same_have_changed(self):
        for old, new in ((0.0, -0.0), (1, 1.0), (1, True), ([0.0], [-0.0])):
            assert repr(sessions.changed({"a": old}, {"a": new})) == repr({"a": new})
        assert sessions.changed({"a": [0.5]}, {"a": [0.5]}) == {}

    def test_the_same_session_gives_the_same_bytes(self):
        made().close()
        made("t").close()
        assert Path("s").read_bytes() == Path("t").read_bytes()

    def test_a_journal_that_has_grown_is_written_anew_and_goes_on(self):
        file = made()
        for k in range(3000):
            file.append(f"print {'x' * 1000}", {"position": f"{k}:0"})
        assert Path("s").stat().st_size < 2 * sessions._GROWN
        file.append("next", {"position": "5:0"})
        assert held().commands == 3001
        assert held().keys["position"] == "5:0"
        file.close()

    def test_a_copy_of_an_open_one_is_a_session_too(self):
        file = made()
        file.append("next", {"position": "0:1"})
        shutil.copy("s", "t")
        other = sessions.reopen(Path("t"))
        assert other.folded.keys["position"] == "0:1"
        assert other.notes == ["it was not closed in order; every command that was answered is here"]
        other.close()
        file.close()


class TestReopening:
    def test_in_order(self):
        file = made()
        file.append("next", {"position": "0:1"})
        file.close()
        again = sessions.reopen(Path("s"))
        assert (again.folded.debugger, again.folded.commands, again.notes) == ({"position": "0:1"}, 1, [])
        again.append("next", {"position": "0:2"})
        again.close()
        assert held().keys["position"] == "0:2"

    def test_after_a_crash_all_is_there_and_it_is_said(self):
        code = f"""
import os
from pathlib import Path
from bptui.files import sessions
file = sessions.create(Path("s"), {{"spec": {SPEC!r}, "position": "0:0"}})
file.append("next", {{"position": "0:1"}})
os._exit(1)
"""
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 1
        again = sessions.reopen(Path("s"))
        assert again.folded.debugger == {"position": "0:1"}
        assert again.notes == ["it was not closed in order; every command that was answered is here"]
        again.close()
        again = sessions.reopen(Path("s"))
        assert again.notes == []
        again.close()

    def test_torn(self):
        file = made()
        file.append("next", {"position": "0:1"})
        shutil.copy("s", "t")
        file.close()
        with Path("t").open("ab") as other:
            other.write(b'01234567 2 "ne')
        again = sessions.reopen(Path("t"))
        assert again.folded.debugger == {"position": "0:1"}
        assert (
            again.notes[0]
            == f"its last line was torn, and is kept in {Path('t.torn').absolute()}; everything before it is here"
        )
        assert Path("t.torn").read_bytes() == b'01234567 2 "ne'
        again.close()

    def test_damage_is_refused_with_what_can_still_be_opened(self):
        file = made()
        for k in range(3):
            file.append("next", {"position": f"0:{k}"})
        data = Path("s").read_bytes()
        file.close()
        Path("s").write_bytes(data.replace(b'2 "next"', b'2 "back"'))
        said = refused(sessions.reopen, Path("s"))
        number = data.splitlines().index(next(line for line in data.splitlines() if b' 2 "next"' in line)) + 1
        assert said == (
            f"s:{number}: this line is damaged (its checksum does not fit), so nothing is opened; "
            f"what came before can be opened: head -n {number - 1} s > mended"
        )
        subprocess.run(f"head -n {number - 1} s > mended", shell=True, check=True)
        assert sessions.reopen(Path("mended")).folded.keys["position"] == "0:0"
        # where the damage is in what it is a session of, there is nothing to open
        Path("s").write_bytes(data.replace(b"| a = 1", b"| a = 2"))
        assert refused(sessions.reopen, Path("s")).endswith("so nothing is opened")

    def test_a_line_that_is_missing_is_noticed(self):
        file = made(**{"edit/1": 1, "edit/2": 2})
        for k in range(3):
            file.append("next", {"position": f"0:{k}"})
        lines = Path("s").read_bytes().splitlines(keepends=True)
        file.close()
        for k in range(1, len(lines) - 1):
            Path("t").write_bytes(b"".join(lines[:k] + lines[k + 1 :]))
            assert "t:" in refused(sessions.reopen, Path("t")), lines[k]

    @pytest.mark.parametrize(
        ("lines", "said"),
        [
            ([], "s: this session ends before it has begun: its first lines are missing"),
            (["x 1"], "s: this session ends before it has begun: its first lines are missing"),
            (["saved 1"], "s:2: this is no line of a session"),
            (["saved {"], "s:2: this is no line of a session"),
            (['saved {"lines": 0, "commands": -1}'], "s:2: this is no line of a session"),
            (['saved {"lines": 0, "commands": true}'], "s:2: this is no line of a session"),
            (['saved {"lines": 0, "commands": 0}'], "s: this session does not say what it is a session of"),
            (["spec 1", 'saved {"lines": 1, "commands": 0}'], "s: this session does not say what it is a session of"),
            (["x 1", "x 2"], "s:3: this is no line of a session"),
            (["x"], "s:2: this is no line of a session"),
            ([""], "s:2: this is no line of a session"),
            (["x " + "[" * 100000], "s:2: this is no line of a session"),
            (["x " + "9" * 5000], "s:2: this is no line of a session"),
            (['1 "next" {}'], "s:2: this is no line of a session"),
            (["spec {}", 'saved {"lines": 1, "commands": 4}', '4 "next" {}'], "s:4: command 5 is missing here"),
            (["spec {}", 'saved {"lines": 1, "commands": 4}', "5 next {}"], "s:4: this is no line of a session"),
            (["spec {}", 'saved {"lines": 1, "commands": 4}', '5 "next" []'], "s:4: this is no line of a session"),
            (["spec {}", 'saved {"lines": 1, "commands": 4}', "5 3 {}"], "s:4: this is no line of a session"),
            (["spec {}", 'saved {"lines": 1, "commands": 4}', '5 "x" {} {}'], "s:4: this is no line of a session"),
            (["spec {}", 'saved {"lines": 1, "commands": 4}', '5 "x" {"a b": 1}'], "s:4: this is no line of a session"),
            (["spec {}", 'saved {"lines": 1, "commands": 4}', '5 "x" {"saved": 1}'], "s:4: this is no line of a session"),
            (["spec {}", 'saved {"lines": 1, "commands": 4}', '5 "x" {"7": 1}'], "s:4: this is no line of a session"),
            (["/ 1"], "s:2: this is no line of a session"),
        ],
    )  # fmt: skip
    def test_whole_lines_that_are_no_session(self, lines, said):
        sealed(*lines)
        before = Path("s").read_bytes()
        assert refused(sessions.reopen, Path("s")) == said
        assert Path("s").read_bytes() == before

    @given(st.lists(st.text(st.characters(exclude_characters="\n")), max_size=6))
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    def test_whatever_the_lines_say_it_is_an_error_of_one_line_or_a_session(self, lines):
        sealed(*lines)
        try:
            sessions.reopen(Path("s")).close()
        except JournalError as error:
            assert str(error).isprintable()

    def test_read_only_opens_and_says_so(self, monkeypatch):
        made().close()
        before = Path("s").read_bytes()

        def read_only(path: Path) -> None:
            raise journal.ReadOnlyError(f"{path}: can't be opened: Permission denied")

        monkeypatch.setattr(journal, "reopen", read_only)
        file = sessions.reopen(Path("s"))
        assert file.notes == ["this session can only be read: what you do here is not saved"]
        assert (file.writable, file.path) == (False, None)
        assert file.folded.debugger == {"position": "0:0"}
        file.close()
        assert Path("s").read_bytes() == before

    def test_two_of_them(self):
        file = made()
        with pytest.raises(
            BusyError, match=f"s: another process has this session open: process {os.getpid()} on .*, since 20"
        ):
            sessions.reopen(Path("s"))
        file.close()


class TestOrigins:
    def test_an_example(self):
        origin = origins.load("article")
        told = origins.described(origin, Path("/x"))
        assert told["path"] == "article"
        again, notes = origins.restored(json.loads(json.dumps(told)), Path("/x"), "s")
        assert again.source == origin.source
        assert notes == []

    def test_an_example_that_has_changed_since(self):
        told = origins.described(origins.load("article"), Path("/x"))
        told["sha256"], told["text"] = "other", told["text"].replace("lr = 0.05", "lr = 0.5")
        origin, notes = origins.restored(told, Path("/x"), "s")
        assert origin.network.lr == 0.5
        assert notes == [
            "article has changed since: this is the session's own copy of the spec; bptui article opens the new one"
        ]

    def spec(self, text: str = 'data = "d.csv"\nlayers = ["dense 1"]\nloss = "mse"\n') -> dict[str, object]:
        Path("nets").mkdir()
        Path("nets/my.toml").write_text(text, encoding="utf-8")
        Path("nets/d.csv").write_text("a,b\n1,2\n3,4\n", encoding="utf-8")
        return origins.described(origins.load("nets/my.toml"), Path())

    def test_files_below_the_sessions_folder_are_told_from_there(self, folder):
        told = self.spec()
        assert told["path"] == "nets/my.toml"
        assert list(told["files"]) == ["nets/d.csv"]
        shutil.move(str(folder / "nets"), str(folder / "moved"))
        Path("elsewhere").mkdir()
        shutil.move(str(folder / "moved"), "elsewhere/nets")
        again, notes = origins.restored(told, Path("elsewhere"), "s")
        assert again.network.x.tolist() == [[1.0], [3.0]]
        assert notes == []
        assert origins.described(origins.load("elsewhere/nets/my.toml"), Path("/other"))["path"] == str(
            folder / "elsewhere/nets/my.toml"
        )

    def test_data_beside_the_session_are_found_where_the_specs_folder_is_gone(self):
        told = self.spec()
        shutil.move("nets/d.csv", "d.csv")
        shutil.rmtree("nets")
        again, notes = origins.restored(told, Path(), "s")
        assert again.network.x.tolist() == [[1.0], [3.0]]
        assert notes == ["nets/my.toml is not there any more: this is the session's own copy of the spec"]

    def test_a_changed_spec_is_said_and_the_own_copy_used(self):
        told = self.spec()
        Path("nets/my.toml").write_text("lr = broken", encoding="utf-8")
        again, notes = origins.restored(told, Path(), "s")
        assert again.source.text == told["text"]
        assert notes == [
            "nets/my.toml has changed since: this is the session's own copy of the spec; bptui nets/my.toml opens the new one"
        ]
        Path("nets/my.toml").unlink()
        assert origins.restored(told, Path(), "s")[1] == [
            "nets/my.toml is not there any more: this is the session's own copy of the spec"
        ]

    def test_changed_data_are_said_and_missing_ones_name_the_file(self):
        told = self.spec()
        Path("nets/d.csv").write_text("a,b\n1,2\n3,5\n", encoding="utf-8")
        assert origins.restored(told, Path(), "s")[1] == ["nets/d.csv has changed since: the numbers may differ"]
        Path("nets/d.csv").unlink()
        with pytest.raises(SpecError, match=r"d\.csv: no such file"):
            origins.restored(told, Path(), "s")

    def test_a_spec_too_long_to_keep_is_taken_from_where_it_is(self, monkeypatch):
        monkeypatch.setattr(origins, "MAX_TEXT", 10)
        told = self.spec()
        assert "text" not in told
        assert origins.restored(told, Path(), "s")[1] == []
        with Path("nets/my.toml").open("a", encoding="utf-8") as file:
            file.write("lr = 3\n")
        assert "what follows may not fit" in origins.restored(told, Path(), "s")[1][0]
        Path("nets/my.toml").unlink()
        assert (
            refused(origins.restored, told, Path(), "s")
            == "s: its spec is too long to be kept in it, and nets/my.toml can't be read"
        )

    @pytest.mark.parametrize("key", ["path", "example", "json", "name", "sha256", "files", "text"])
    def test_what_does_not_say_it_in_this_way(self, key):
        told = {**SPEC, key: 3}
        assert (
            refused(origins.restored, told, Path(), "s")
            == f"s: this session does not say what it is a session of: {key}"
        )


class TestShelf:
    def test_where(self, folder):
        assert shelf.folder() == folder / "state" / "bptui" / "sessions"
        path = shelf.fresh("my net/../x")
        assert path.parent == shelf.folder()
        assert path.name.endswith(".session")
        assert "-my-net-x-" in path.name

    def test_the_last_one_first_named_or_not(self):
        for k, path in enumerate([shelf.fresh("a"), shelf.fresh("b"), Path("c").absolute()]):
            made(str(path)).close()
            os.utime(path, (k, k))
        shelf.remember(Path("c"))
        shelf.remember(Path("nowhere"))
        (shelf.folder() / "stray.session").write_text("no session", encoding="utf-8")
        assert [path.name.split("-")[-2] if path.suffix else path.name for path in shelf.latest()] == ["c", "b", "a"]

    def test_only_so_many_are_kept_and_no_open_one_is_removed(self, monkeypatch):
        monkeypatch.setattr(shelf, "MOST", 3)
        first = shelf.fresh("open")
        file = made(str(first))
        os.utime(first, (0, 0))
        for k in range(6):
            path = shelf.fresh(f"n{k}")
            made(str(path)).close()
            os.utime(path, (k + 1, k + 1))
        kept = {path.name.split("-")[-2] for path in shelf.folder().iterdir()}
        assert kept == {"open", "n3", "n4", "n5"}
        file.close()

    def test_no_folder(self, folder):
        (folder / "state").write_text("a file", encoding="utf-8")
        assert "can't be written" in refused(shelf.fresh, "a")
        shelf.remember(Path("x"))
        assert list(shelf.latest()) == []
