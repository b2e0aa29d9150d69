"""A journal keeps what was acknowledged, and is never written over: torn lines, damage, full disks, other processes."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import stat
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bptui.files import journal, sealing
from bptui.files.journal import BusyError, ReadOnlyError
from bptui.files.sealing import DamagedError, JournalError

TEXTS = st.text(st.characters(exclude_characters="\n"), max_size=40)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def names() -> list[str]:
    return sorted(path.name for path in Path().iterdir())


def written(*lines: str, path: str = "j") -> Path:
    """A journal that was opened, written and closed."""
    kept = journal.create(Path(path), lines[:1])
    for line in lines[1:]:
        kept.append(line)
    kept.close()
    return Path(path)


def refused(call, *arguments) -> str:
    with pytest.raises(JournalError) as caught:
        call(*arguments)
    assert str(caught.value).isprintable()
    return str(caught.value)


class TestLines:
    def test_a_line_is_its_crc32_and_its_text(self):
        data = written("a", "zwei Δ").read_bytes()
        assert data == b"bptui session 1\n" + b"".join(
            f"{zlib.crc32(text.encode()):08x} {text}\n".encode() for text in ("a", "zwei Δ")
        )

    @given(st.lists(TEXTS, min_size=1))
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
    def test_what_was_written_is_read(self, texts):
        Path("j").unlink(missing_ok=True)
        assert journal.look(written(*texts)).lines == texts

    def test_names_of_files_that_are_no_utf8_come_through(self):
        name = os.fsdecode(b"caf\xe9")
        assert journal.look(written(name)).lines == [name]

    @given(st.lists(TEXTS, min_size=1, max_size=6), st.data())
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    def test_any_prefix_gives_the_lines_before_it_and_the_torn_rest(self, texts, data):
        Path("j").unlink(missing_ok=True)
        whole = written(*texts).read_bytes()
        cut = data.draw(st.integers(len(sealing.FIRST), len(whole)))
        held = sealing.content(whole[:cut], "j")
        assert held.lines == texts[: whole[:cut].count(b"\n") - 1]
        assert whole[: held.length] + held.torn == whole[:cut]
        assert b"\n" not in held.torn

    @given(st.lists(TEXTS, min_size=2, max_size=6), st.data())
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    def test_a_changed_byte_is_noticed_wherever_it_is(self, texts, data):
        Path("j").unlink(missing_ok=True)
        whole = written(*texts).read_bytes()
        place = data.draw(st.integers(0, len(whole) - 1))
        changed = (
            whole[:place]
            + bytes([data.draw(st.integers(0, 255).filter(lambda b: b != whole[place]))])
            + whole[place + 1 :]
        )
        line = whole.count(b"\n", 0, place) + 1
        if line == 1:
            assert refused(sealing.content, changed, "j").startswith("j: ")
        elif line == len(texts) + 1 or (line == len(texts) and whole[place] == 10):
            held = sealing.content(changed, "j")
            assert held.lines == texts[: line - 2]
            assert held.torn
        else:
            assert refused(sealing.content, changed, "j").startswith(f"j:{line}: this line is damaged")

    def test_the_end_filled_with_zeros_by_a_power_cut_is_torn(self):
        data = written("a", "b").read_bytes()
        held = sealing.content(data + bytes(4096), "j")
        assert (held.lines, held.torn) == (["a", "b"], bytes(4096))

    def test_what_is_no_journal(self):
        assert refused(sealing.content, b"", "j") == "j: this is no session of bptui"
        assert refused(sealing.content, b"loss = 1\n", "j") == "j: this is no session of bptui"
        assert (
            refused(sealing.content, b"bptui session x\n", "j")
            == "j: this is no session of bptui: its first line is damaged"
        )
        assert (
            refused(sealing.content, b"bptui session 1", "j")
            == "j: this is no session of bptui: its first line is damaged"
        )
        assert refused(sealing.content, b"bptui session 27\nff", "j") == (
            "j: a session of format 27, made by another version of bptui; this one reads format 1"
        )

    def test_is_journal(self):
        written("a")
        Path("spec.toml").write_text("lr = 1", encoding="utf-8")
        Path("newer").write_text("bptui session 9\n", encoding="utf-8")
        os.mkfifo("pipe")
        found = [journal.is_journal(name) for name in ("j", "newer", "spec.toml", "none", ".", "pipe", "a\0b")]
        assert found == [True, True, False, False, False, False, False]

    def test_bytes_that_are_no_text_are_damage_though_their_checksum_fits(self):
        bad = b"%08x \xff\n" % zlib.crc32(b"\xff")
        with pytest.raises(DamagedError):
            sealing.content(sealing.FIRST + bad + sealing.seal("a"), "j")


class TestOpening:
    def test_it_goes_on_where_it_ended(self):
        written("a", "b")
        kept = journal.reopen(Path("j"))
        assert (kept.held.lines, kept.put_aside()) == (["a", "b"], "")
        kept.append("c")
        kept.close()
        assert journal.look(Path("j")).lines == ["a", "b", "c"]
        assert names() == ["j"]

    def test_a_file_that_is_there_is_left_alone(self):
        for content in ("", "precious"):
            Path("j").write_text(content, encoding="utf-8")
            assert refused(journal.create, Path("j"), ["a"]) == "j: it exists already, so it is left alone"
            assert Path("j").read_text(encoding="utf-8") == content
        Path("link").symlink_to("nowhere")
        assert refused(journal.create, Path("link"), ["a"]) == "link: it exists already, so it is left alone"
        assert names() == ["j", "link"]

    def test_so_it_is_where_files_can_have_no_second_name(self, monkeypatch):
        def link(*_: object) -> None:
            raise PermissionError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(os, "link", link)
        Path("precious").write_text("x", encoding="utf-8")
        assert refused(journal.create, Path("precious"), ["a"]).endswith("it exists already, so it is left alone")
        assert journal.look(written("a", "b")).lines == ["a", "b"]
        assert names() == ["j", "precious"]

    def test_where_it_cannot_be(self):
        Path("file").touch()
        assert refused(journal.create, Path("none/j"), []) == "none/j: can't be written: No such file or directory"
        assert refused(journal.create, Path("file/j"), []) == "file/j: can't be written: Not a directory"
        assert refused(journal.reopen, Path("none")) == "none: can't be opened: No such file or directory"
        assert refused(journal.reopen, Path()) == ".: can't be opened: Is a directory"
        assert refused(journal.look, Path("none")) == "none: can't be read: No such file or directory"

    def test_a_torn_line_is_kept_aside_and_never_over_another_file(self):
        data = written("a", "b").read_bytes()
        Path("j.torn").write_bytes(b"an older one")
        for torn, aside in ((b"5f0", "j.torn2"), (b"\0\0\n\0", "j.torn3")):
            Path("j").write_bytes(data + torn)
            kept = journal.reopen(Path("j"))
            assert Path("j").read_bytes() == data + torn
            assert Path(kept.put_aside()).name == aside
            assert Path(aside).read_bytes() == torn
            assert Path("j").read_bytes() == data
            kept.append("c")
            kept.close()
            assert journal.look(Path("j")).lines == ["a", "b", "c"]
        assert Path("j.torn").read_bytes() == b"an older one"

    def test_a_torn_line_that_cannot_be_kept_aside_stays(self, monkeypatch):
        data = written("a").read_bytes() + b"torn"
        Path("j").write_bytes(data)
        kept = journal.reopen(Path("j"))
        monkeypatch.setattr(journal, "_kept_aside", raiser(OSError(errno.EROFS, "Read-only file system")))
        with pytest.raises(ReadOnlyError, match="its torn last line can't be put aside: Read-only file system"):
            kept.put_aside()
        kept.close()
        assert Path("j").read_bytes() == data

    def test_a_damaged_line_in_the_middle_opens_nothing(self):
        data = written("one", "two", "three").read_bytes()
        Path("j").write_bytes(damage := data.replace(b"two", b"twq"))
        with pytest.raises(DamagedError) as caught:
            journal.reopen(Path("j"))
        assert str(caught.value) == "j:3: this line is damaged (its checksum does not fit), so nothing is opened"
        assert (caught.value.before, caught.value.last) == (["one"], 2)
        assert Path("j").read_bytes() == damage
        assert names() == ["j"]
        journal.reopen(written("x", path="other")).close()  # and nothing was left locked

    def test_a_file_that_may_only_be_read(self, monkeypatch):
        written("a")
        usual = os.open

        def guarded(path, flags, *mode):
            if flags & (os.O_RDWR | os.O_WRONLY) and Path(path).name == "j":
                raise PermissionError(errno.EACCES, "Permission denied")
            return usual(path, flags, *mode)

        monkeypatch.setattr(os, "open", guarded)  # root may write anywhere
        with pytest.raises(ReadOnlyError, match="j: can't be opened: Permission denied"):
            journal.reopen(Path("j"))
        assert journal.look(Path("j")).lines == ["a"]

    def test_too_large_is_refused_unread(self):
        written("a")
        os.truncate("j", sealing.MAX_BYTES + 1)
        assert "too large for a session: the limit is 8 MiB" in refused(journal.reopen, Path("j"))
        assert "too large for a session: the limit is 8 MiB" in refused(journal.look, Path("j"))

    def test_what_a_killed_process_left_beside_it_is_removed(self):
        written("a")
        Path(".j.0123abcd.new").touch()
        Path(".jj.0123abcd.new").touch()
        journal.reopen(Path("j")).close()
        assert names() == [".jj.0123abcd.new", "j"]


class TestAppending:
    def test_it_is_on_the_disk_before_it_is_said(self, monkeypatch):
        kept = journal.create(Path("j"), [])
        seen = []
        monkeypatch.setattr(os, "fsync", lambda _: seen.append(journal.look(Path("j")).lines))
        kept.append("a")
        kept.append("b")
        kept.close()
        assert seen == [["a"], ["a", "b"]]

    def test_a_full_disk_leaves_the_file_as_it_was_and_the_next_line_fits(self, monkeypatch):
        kept = journal.create(Path("j"), ["a"])
        usual = os.write
        room = [5, 0]

        def write(descriptor, data):
            if not room:
                return usual(descriptor, data)
            free = room.pop(0)
            if not free:
                raise OSError(errno.ENOSPC, "No space left on device")
            return usual(descriptor, bytes(data)[:free])

        monkeypatch.setattr(os, "write", write)
        assert refused(kept.append, "b") == f"{Path('j').absolute()}: can't be written: No space left on device"
        assert Path("j").read_bytes() == sealing.FIRST + sealing.seal("a")
        kept.append("c")
        kept.close()
        assert journal.look(Path("j")).lines == ["a", "c"]

    def test_a_disk_that_fails_at_fsync_has_not_kept_it(self, monkeypatch):
        kept = journal.create(Path("j"), ["a"])
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", raiser(OSError(errno.EIO, "Input/output error")))
            patch.setattr(os, "ftruncate", raiser(OSError(errno.EIO, "Input/output error")))
            assert "Input/output error" in refused(kept.append, "b, a long line")
            assert "Input/output error" in refused(kept.append, "b, once more")
        kept.append("c")
        kept.close()
        assert journal.look(Path("j")) == sealing.Content(["a", "c"], Path("j").stat().st_size)

    def test_an_interrupt_leaves_no_half_line(self, monkeypatch):
        kept = journal.create(Path("j"), ["a"])
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(os, "fsync", raiser(KeyboardInterrupt()))
            kept.append("b")
        assert journal.look(Path("j")).lines == ["a"]
        kept.close()

    def test_a_limit_of_the_system_is_said(self):
        """RLIMIT_FSIZE is a full disk that needs no disk: the write is cut short, then fails with EFBIG."""
        code = """
import resource, sys
from pathlib import Path
from bptui.files import journal
kept = journal.create(Path("j"), ["a"])
resource.setrlimit(resource.RLIMIT_FSIZE, (kept.length + 20, resource.RLIM_INFINITY))
try:
    kept.append("b" * 100)
except journal.JournalError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
kept.append("c")
"""
        done = python(code)
        assert done.stdout.strip().endswith("j: can't be written: File too large"), done.stderr
        assert journal.look(Path("j")).lines == ["a", "c"]

    def test_a_line_too_long_is_refused(self):
        kept = journal.create(Path("j"), ["a"])
        assert "too large" in refused(kept.append, "b" * sealing.MAX_LINE)
        kept.append("c")
        kept.close()
        assert journal.look(Path("j")).lines == ["a", "c"]

    def test_nothing_is_written_over_what_somebody_else_did(self):
        kept = journal.create(Path("j"), ["a"])
        with Path("j").open("a", encoding="utf-8") as file:
            file.write("by hand\n")
        before = Path("j").read_bytes()
        for call in (lambda: kept.append("b"), lambda: kept.replace(["c"])):
            assert "another program has changed it, so nothing is written over that" in refused(call)
        assert Path("j").read_bytes() == before
        Path("j").rename("moved")
        assert "somebody has moved or removed it" in refused(kept.append, "b")
        Path("j").write_text("another", encoding="utf-8")
        assert "another program has changed it" in refused(kept.append, "b")
        assert Path("j").read_text(encoding="utf-8") == "another"
        kept.close()


class TestReplacing:
    def test_other_lines_in_place_of_all(self):
        kept = journal.create(Path("j"), ["a"])
        Path("j").chmod(0o640)
        kept.append("b")
        kept.replace(["all"])
        kept.append("new")
        kept.close()
        assert journal.look(Path("j")).lines == ["all", "new"]
        assert stat.S_IMODE(Path("j").stat().st_mode) == 0o640
        assert names() == ["j"]

    @pytest.mark.parametrize("call", ["write", "fsync", "replace"])
    def test_where_it_fails_the_old_lines_are_there_and_it_goes_on(self, call, monkeypatch):
        kept = journal.create(Path("j"), ["a"])
        with monkeypatch.context() as patch:
            patch.setattr(
                *((Path, call) if call == "replace" else (os, call)), raiser(OSError(errno.ENOSPC, "No space left"))
            )
            assert "No space left" in refused(kept.replace, ["b"])
        kept.append("c")
        kept.close()
        assert journal.look(Path("j")).lines == ["a", "c"]
        assert names() == ["j"]

    def test_it_stays_locked(self):
        kept = journal.create(Path("j"), ["a"])
        kept.replace(["b"])
        with pytest.raises(BusyError):
            journal.reopen(Path("j"))
        kept.close()
        journal.reopen(Path("j")).close()


class TestTwoProcesses:
    def test_the_second_is_told_and_changes_nothing(self):
        kept = journal.create(Path("j"), ["a"])
        code = "from pathlib import Path\nfrom bptui.files import journal\njournal.reopen(Path('j'))"
        done = python(code)
        assert "BusyError: j: another process has this session open" in done.stderr
        kept.append("b")
        kept.close()
        assert python(code).returncode == 0
        assert journal.look(Path("j")).lines == ["a", "b"]

    @pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
    def test_the_lock_ends_with_its_process_and_not_before(self, number):
        code = "from pathlib import Path\nfrom bptui.files import journal\nk = journal.create(Path('j'), ['a'])\nprint('open', flush=True)\ninput()"
        with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
            assert other.stdout.readline() == b"open\n"
            other.send_signal(number)
            if number == signal.SIGSTOP:
                with pytest.raises(BusyError):
                    journal.reopen(Path("j"))
                other.send_signal(signal.SIGKILL)
            other.wait()
        journal.reopen(Path("j")).close()

    def test_a_file_replaced_while_it_was_being_opened_is_opened_anew(self, monkeypatch):
        written("old")
        usual = journal.lock

        def late(descriptor):
            monkeypatch.setattr(journal, "lock", usual)
            Path("j").unlink()
            written("new")
            return usual(descriptor)

        monkeypatch.setattr(journal, "lock", late)
        kept = journal.reopen(Path("j"))
        assert kept.held.lines == ["new"]
        kept.close()


def raiser(error: BaseException):
    def call(*_: object, **__: object) -> None:
        raise error

    return call


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)


def test_a_real_full_disk(tmp_path):
    """A file system of 64 KiB, where the system lets us make one."""
    place = tmp_path / "small"
    place.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "none", place], capture_output=True, check=False
    ).returncode:
        pytest.skip("a file system can't be mounted here")
    try:
        kept = journal.create(place / "j", ["a"])
        (place / "ballast").write_bytes(b"")
        with contextlib.suppress(OSError), (place / "ballast").open("wb", buffering=0) as ballast:
            while True:
                ballast.write(bytes(4096))
        lines = ["a"]
        with pytest.raises(JournalError, match="No space left"):
            for k in range(10000):
                kept.append(f"{k} {'x' * 1000}")
                lines.append(f"{k} {'x' * 1000}")
        assert journal.look(place / "j").lines == lines
        (place / "ballast").unlink()
        kept.append("there is room again")
        kept.close()
        assert journal.look(place / "j").lines == [*lines, "there is room again"]
    finally:
        subprocess.run(["umount", place], check=True)
