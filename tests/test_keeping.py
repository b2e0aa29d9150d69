"""Sessions on the command line: kept, opened again, found again, and what is said when something is in the way."""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pexpect
import pytest
from conftest import run_bptui
from forking import Spawned
from watching import watched

import bptui as bp
from bptui.commands import opening
from bptui.engine import fingerprint
from bptui.files import origins, sealing, sessions, shelf, writing
from bptui.files.sealing import JournalError


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


def plain(*arguments: str, stdin: str = "") -> tuple[list[str], list[str], int]:
    done = run_bptui(*arguments, "--plain", stdin=stdin)
    assert "Traceback" not in done.stderr
    return done.stdout.splitlines(), done.stderr.splitlines(), done.returncode


def resealed(path: str, old: str, new: str) -> None:
    """A session with other words, and checksums that fit."""
    first, *lines = Path(path).read_bytes().splitlines(keepends=True)
    texts = [line[9:-1].replace(old.encode(), new.encode()) for line in lines]
    assert b"".join(texts) != b"".join(line[9:-1] for line in lines)
    Path(path).write_bytes(first + b"".join(b"%08x %s\n" % (zlib.crc32(text), text) for text in texts))


class TestAgain:
    def test_at_the_same_position_with_all_that_was_done(self):
        work = "goto 3:2\nset w5 = 0.2 at 1:0\nset w6 = 0.3\nundo\nbreak if loss < 0.1\nwatch loss * 2\nbranch other\n"
        look = "info\nbreakpoints\nbranches\nlist\nprint W2\nredo\nprint W2\ncontinue\nprint loss\n"
        whole = plain(stdin=work + look)
        assert plain("article", "--session", "s", stdin=work)[1:] == ([], 0)
        assert plain("s", stdin=look)[1:] == ([], 0)
        again = plain("article", "--session", "t", stdin=work)
        assert again[0] + plain("t", stdin=look)[0] == whole[0]

    def test_the_same_file_again_goes_on_and_another_spec_does_not(self):
        plain("--session", "s", stdin="next\n")
        assert plain("--session", "s", stdin="next\n")[0][0].startswith("0:2 ")
        assert plain("article", "--session", "s", stdin="next\n")[0][0].startswith("0:3 ")
        before = Path("s").read_bytes()
        said = "bptui: s: it is a session of article, so it is left alone; bptui s opens it"
        assert plain("xor", "--session", "s", stdin="next\n") == ([], [said], 2)
        assert Path("s").read_bytes() == before

    def test_a_file_that_is_no_session_is_left_alone(self):
        for content in ("", "precious\n"):
            Path("s").write_text(content, encoding="utf-8")
            assert plain("--session", "s") == ([], ["bptui: s: it exists already, so it is left alone"], 2)
            assert Path("s").read_text(encoding="utf-8") == content

    def test_without_a_name_for_it_nothing_is_left_behind(self):
        plain(stdin="next\n")
        Path("x").write_text("next\n", encoding="utf-8")
        plain("-x", "x")
        assert sorted(path.name for path in Path().iterdir()) == ["x"]

    def test_a_spec_loaded_on_the_way_is_the_sessions(self):
        plain("--session", "s", stdin="set w5 = 1\nload mazur\nnext\nset w5 = 0.7\n")
        lines, notes, status = plain("s", stdin="info\n")
        assert lines[0].startswith("mazur: ")
        assert lines[-1] == "edit at 0:1: set w5 = 0.7"
        assert (notes, status) == ([], 0)
        plain("--session", "t", stdin="next\nback\nload mazur\n")  # at the same position, with other bits
        assert plain("t")[1:] == ([], 0)

    def test_a_large_network_is_compared_too(self, monkeypatch):
        """Its digest is taken now and then, and at the end."""
        plain("digits", "--session", "s", stdin="iteration 2\n")
        plain("s", stdin="next 2\nset b1[3] = 0.5\nback\n")
        assert sessions.look(Path("s")).keys["digest"]["at"] == "2:1"
        resealed("s", "machine/numpy", "machine/was")
        resealed("s", 'kernel "', 'kernel "Old')
        assert plain("s")[1][-1] == "note: the replay gave the same bits"

    def test_options_that_say_two_things(self):
        for arguments, said in (
            (["--resume", "xor"], "--resume opens the last session: say nothing else"),
            (["--resume", "--session", "s"], "--resume opens the last session: say nothing else"),
            (["--no-session", "--session", "s"], "--no-session keeps none: say nothing else"),
        ):
            assert plain(*arguments)[1] == [f"bptui: {said}"]
            assert not Path("s").exists()

    def test_a_session_is_no_spec(self):
        plain("--session", "s")
        assert run_bptui("trace", "s").stderr == "bptui: s: this is a session and no spec: bptui s opens it\n"
        assert plain(stdin="load s\n")[1] == ["error: s: this is a session and no spec: bptui s opens it"]

    def test_a_broken_spec_makes_no_session(self):
        Path("b.toml").write_text("lr = x", encoding="utf-8")
        assert plain("b.toml", "--session", "s")[2] == 2
        assert not Path("s").exists()


class TestPython:
    """Networks made in Python are kept as the spec that they would be saved as."""

    def kept(self, net: bp.Net, **settings: object) -> tuple[opening.Session, opening.Session]:
        """(the session, the same again)"""
        rng = np.random.default_rng(0)
        x, y = rng.normal(size=(20, 4)), rng.integers(0, 3, 20)
        session = opening.of_network(net.network(x, y, loss="softmax-ce", **settings))
        for line in ("iteration 3", "set b1[0] = 0.5", "next 5"):
            session.execute(line)
        session.close()
        return session, opening.resume()

    @pytest.mark.parametrize(
        ("net", "settings"),
        [
            (lambda: bp.Net(bp.Dense(5, "relu"), bp.Dense(3), seed=3), {}),
            (lambda: bp.Net(bp.Dense(2, W=np.full((4, 2), 1 / 3)), bp.Dense(3)), {"batch": 5, "optim": "adam"}),
            (lambda: bp.Net(bp.Dense(3, "tanh"), bp.Dropout(0.5), bp.Dense(3), dtype="float32"), {"clip_norm": 1.0}),
        ],
        ids=["seed", "weights", "float32"],
    )
    def test_it_is_there_again_to_the_bit(self, net, settings):
        session, again = self.kept(net(), **settings)
        assert len(again.notes) == 1
        assert again.debugger.memento() == session.debugger.memento()
        here = session.debugger.position
        assert again.debugger.look(here).same_bits(session.debugger.look(here))
        again.close()

    def test_one_whose_spec_would_be_another_is_not_kept(self, monkeypatch):
        usual = writing.to_toml
        monkeypatch.setattr(writing, "to_toml", lambda network, values: usual(replace(network, seed=9), values))
        session = opening.of_network(bp.Net(bp.Dense(3), seed=1).network(np.ones((2, 4)), np.ones((2, 3)), loss="mse"))
        assert session.recorder is None

    def test_one_that_no_spec_can_say_is_not_kept(self):
        class Same(bp.Op):
            def forward(self, x):
                return x * 1.0

            def vjp(self, g, out, x):
                return (g,)

        for net in (bp.Net(bp.Dense(3), Same()), bp.Net(bp.Dense(3))):
            data = np.zeros((10, 4)) if len(net.layers) > 1 else np.zeros((10**5, 4))
            session = opening.of_network(net.network(data, np.zeros((len(data), 3)), loss="mse"))
            assert session.notes == ["not saved: no spec that is short enough says what this network is"]
            assert session.recorder is None
        assert list(shelf.latest()) == []


class TestElsewhere:
    """A session from another machine or version opens with a word about what may differ, checked by its digest."""

    def made(self, stdin: str = "next 4\nset w5 = 0.2\n") -> None:
        plain("--session", "s", stdin=stdin)

    def test_another_machine_with_the_same_bits(self):
        self.made()
        resealed("s", f'numpy "{fingerprint.fingerprint()["numpy"]}"', 'numpy "1.26.0"')
        assert plain("s", stdin="next\n")[1:] == (
            [
                f"note: NumPy was 1.26.0, here it is {fingerprint.fingerprint()['numpy']}",
                "note: the replay gave the same bits",
            ],
            0,
        )
        assert plain("s")[1] == []  # from now on it is this machine's

    def test_other_bits_are_said_loudly(self):
        self.made()
        bits = sessions.look(Path("s")).keys["digest"]["bits"]
        resealed("s", bits, "0" * 32)
        assert plain("s")[1] == ["note: THE NUMBERS ARE NOT THOSE OF BEFORE: the replay gave other bits"]
        assert plain("s")[1] == []

    def test_one_bit_of_one_number(self):
        self.made()
        resealed("s", "0.14, 0.15", "0.14, 0.15000000000000002")
        assert "note: THE NUMBERS ARE NOT THOSE OF BEFORE: the replay gave other bits" in plain("s")[1]

    def test_another_version_that_makes_other_operations(self):
        self.made()
        program = sessions.look(Path("s")).keys["program"]
        resealed("s", program, "0" * 16)
        resealed("s", 'position "0:4"', 'position "0:40"')
        said = plain("s")[1]
        assert len(said) == 1
        assert said[0].startswith("bptui: s: it can't be restored: ")
        assert "there is no position 0:40" in said[0]
        assert said[0].endswith("(this version of bptui makes other operations of its network)")
        resealed("s", 'position "0:40"', 'position "0:4"')
        assert plain("s")[1][0] == "note: this version of bptui makes other operations of its network"

    def test_a_newer_format(self):
        self.made()
        data = Path("s").read_bytes()
        Path("s").write_bytes(data.replace(b"session 1", b"session 2", 1))
        said = "bptui: s: a session of format 2, made by another version of bptui; this one reads format 1"
        assert plain("s") == ([], [said], 2)

    def test_a_changed_spec(self):
        run_bptui("new", "my.toml")
        plain("my.toml", "--session", "s", stdin="next\n")
        with Path("my.toml").open("a", encoding="utf-8") as file:
            file.write("# changed\n")
        said = "note: my.toml has changed since: this is the session's own copy of the spec; bptui my.toml opens the new one"
        # its path is told from the session's folder, and shown as it is from here
        assert [note.replace(f"{Path().absolute()}/", "") for note in plain("s")[1]] == [said]
        Path("moved").mkdir()
        shutil.move("s", "moved/s")
        assert plain("moved/s", stdin="next\n")[2] == 0


class TestTrouble:
    def test_a_session_that_another_process_has(self):
        command = [sys.executable, "-m", "bptui", "--plain", "--session", "s"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
            other.stdin.write(b"next\n")
            other.stdin.flush()
            assert other.stdout.readline().startswith(b"0:1 ")
            before = Path("s").read_bytes()
            lines, said, status = plain("s", stdin="next\n")
            assert (lines, status) == ([], 2)
            assert said[0].startswith(f"bptui: s: another process has this session open: process {other.pid} on ")
            assert Path("s").read_bytes() == before
            other.stdin.close()
            other.wait()
        assert plain("s", stdin="next\n")[0][0].startswith("0:2 ")

    def test_a_full_disk_is_said_and_the_work_goes_on(self):
        """A limit on a file's size is a disk that is full, and then has room again."""
        code = """
import resource, sys
from pathlib import Path
import bptui as bp
from bptui.commands import opening
from bptui.files import origins
session = opening.begin(origins.load("article"), Path("s"))
session.execute("next")
size = Path("s").stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, resource.RLIM_INFINITY))
print(session.execute("set w5 = 0.2 at 0:0").lines, session.unsaved.rpartition(": ")[::2])
print(session.execute("next").lines, bool(session.unsaved))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(session.execute("print w5").lines, bool(session.unsaved))
import os; os._exit(0)
"""
        lines = subprocess.check_output([sys.executable, "-c", code], text=True).splitlines()
        assert lines[0].startswith("('set w5: 0.14 -> 0.2 at 0:0',) ")
        assert "not saved: " in lines[0]
        assert "File too large" in lines[0]
        assert lines[1].endswith("True")
        assert lines[2] == "('w5 = 0.2',) False"
        assert plain("s", stdin="print w5\nprint z2\n")[0] == ["w5 = 0.2", "z2 = [[0.24200000000000002]]"]

    def test_plain_mode_ends_with_2_where_something_was_not_saved(self):
        plain("--session", "s", stdin="next\n")
        size = Path("s").stat().st_size

        def limit() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (size + 250, resource.RLIM_INFINITY))

        done = subprocess.run(
            [sys.executable, "-m", "bptui", "s", "--plain"], input=b"next\nnext\nnext\nprint w5\n", capture_output=True,
            check=False, preexec_fn=limit,
        )  # fmt: skip
        assert done.returncode == 2
        assert done.stdout.decode().splitlines()[-1] == "w5 = 0.14"
        assert b"error: not saved: " in done.stderr
        assert b"File too large" in done.stderr
        # Written anew it had room.
        assert plain("s", stdin="next\n") == ([plain(stdin="next 5\n")[0][0]], [], 0)

    def test_a_folder_that_can_only_be_read(self, monkeypatch, folder):
        if os.geteuid() == 0 and subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode:
            pytest.skip("root may write anywhere, and no file system can be mounted read-only here")
        Path("shut").mkdir()
        plain("--session", "shut/s", stdin="next 3\n")
        script = (
            f"mount --bind shut shut && mount -o remount,ro,bind shut && printf 'next\\n' | {sys.executable} -m bptui shut/s "
            f"--plain; echo $?; {sys.executable} -m bptui --session shut/t --plain; echo $?; "
            f"XDG_STATE_HOME=$PWD/shut {sys.executable} -c 'from bptui.commands import opening as o; "
            f"print(o.opened(o.Request(keep=True)).notes)'"
        )
        before = Path("shut/s").read_bytes()
        done = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, check=False)
        lines = done.stdout.splitlines()
        assert lines[0].startswith("0:4 ")
        assert lines[1:3] == ["0", "2"]
        assert "can't be written: Read-only file system" in lines[3]
        assert done.stderr.splitlines() == [
            "note: this session can only be read: what you do here is not saved",
            "bptui: shut/t: can't be written: Read-only file system",
        ]
        assert Path("shut/s").read_bytes() == before

    def test_a_torn_line(self):
        plain("--session", "s", stdin="next 2\n")
        with Path("s").open("ab") as file:
            file.write(b'0badcafe 9 "ne')
        lines, notes, status = plain("s", stdin="next\n")
        assert lines[0].startswith("0:3 ")
        assert (len(notes), status) == (1, 0)
        assert notes[0].startswith("note: its last line was torn, and is kept in ")
        assert Path("s.torn").read_bytes() == b'0badcafe 9 "ne'

    @pytest.mark.parametrize(
        "content",
        [
            b"bptui session 1\n",
            b"bptui session 1\n" + b"\0" * 1000,
            b"bptui session 1\n" + b"x" * 10**7,
            b"bptui session 1\n" + b"\n" * 10**7,
            sealing.FIRST + sealing.seal("x " + "[" * 10**6),
            sealing.FIRST + sealing.seal("x " + "[0," * 10**6 + "0" + "]" * 10**6),
            sealing.FIRST + sealing.seal('spec {"path": 3}') + sealing.seal('saved {"lines": 1, "commands": 0}'),
            sealing.FIRST + sealing.seal("x [" + "0," * 2 * 10**6 + "0]") * 2,
            sealing.FIRST + sealing.seal("x [" + "{}," * 10**6 + "0]"),
            sealing.FIRST + b"".join(sealing.seal(f"x{k} 1") for k in range(150_000)),
        ],
        ids=["empty", "zeros", "line", "lines", "deep", "deeper", "no spec", "long lists", "many tables", "many keys"],
    )
    def test_what_is_no_session_is_told_in_one_line_at_once_and_with_little(self, content):
        Path("s").write_bytes(content)
        opening.check(opening.Request("s"))  # what is imported late is here
        with watched() as seen, pytest.raises(JournalError) as caught:
            opening.opened(opening.Request("s"))
        assert str(caught.value).isprintable()
        assert str(caught.value).startswith("s:")
        assert (seen.deeds, Path("s").read_bytes()) == ([], content)
        assert seen.seconds < 1
        assert seen.megabytes < 150

    @pytest.mark.parametrize(
        "key",
        [
            'position "0:x"', "position 7", "position null", 'position "99:99"', "branch 4", 'branch "nowhere"',
            'edit/1 {"at": "0:0"}', "edit/x {}", "edit/1 7", 'watch/1 "__import__(1)"', 'watch/1 "exit()"', "watch/1 [1]",
            'breakpoint/1 {"stop": "if x.__class__", "enabled": true, "hits": 0, "ignore": 0, "once": false}',
            'branch/b {"edits": "1-999999999999", "parent": "main", "at": "0:0"}', "undo/0 {}", "reached/main 3",
            'edit/1 {"at": "0:0", "slot": "W1", "cells": [99], "values": 1, "text": "", "nudge": false}',
            'edit/1 {"at": "0:0", "slot": "W1", "cells": 999999999999, "values": 1, "text": "", "nudge": false}',
            'edit/1 {"at": "0:0", "slot": "W1", "cells": 1, "values": "x", "text": "", "nudge": false}',
            'edit/1 {"at": "0:0", "slot": "W1", "cells": 1, "values": NaN, "text": "", "nudge": false}',
        ],
    )  # fmt: skip
    def test_a_debuggers_key_that_makes_no_sense(self, key):
        opening.begin(origins.load("article"), Path("s")).close()
        name = key.split()[0]
        lines = [line[9:] for line in Path("s").read_text(encoding="utf-8").splitlines()[1:-1]]
        texts = [*(line for line in lines if line.split()[0] != name), key]
        texts.append(f'saved {{"lines": {len(texts)}, "commands": 0}}')
        Path("s").write_bytes(sealing.FIRST + b"".join(map(sealing.seal, texts)))
        before = Path("s").read_bytes()
        with pytest.raises(JournalError, match=r"^s: it can't be restored: ") as caught:
            opening.opened(opening.Request("s"))
        assert str(caught.value).isprintable()
        assert Path("s").read_bytes() == before


def worked(pid: int) -> int:
    """For how long a process has had the processor, in hundredths of a second."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11])


class TestEndings:
    def started(self, *arguments: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "bptui", "--plain", "--session", "s", *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        process.stdin.write(b"next 2\n")
        process.stdin.flush()
        assert process.stdout.readline().startswith(b"0:2 ")
        return process

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
    @pytest.mark.parametrize("busy", [False, True])
    def test_a_signal_saves_and_ends_it_with_128_and_its_number(self, number, busy):
        with self.started() as process:
            if busy:
                process.stdin.write(b"run 10000000\n")
                process.stdin.flush()
            process.send_signal(number)
            out, said = process.communicate(timeout=60)
        assert (out, process.returncode) == (b"", 128 + number)
        assert said.decode() == f"bptui: the session is saved; bptui {Path('s').absolute()} opens it again\n"
        assert plain("s", stdin="next\n")[:2] == ([plain(stdin="next 3\n")[0][0]], [])

    def test_ctrl_c_at_a_terminal_breaks_off_what_runs_and_leaves_at_the_prompt(self):
        Path("long.toml").write_text(
            'data = "xor"\nlayers = ["dense 1"]\nloss = "mse"\nlr = 0.01\niterations = 100000000\n'
        )
        command = ["-m", "bptui", "--plain", "long.toml", "--session", "s"]
        with pexpect.spawn(sys.executable, command, encoding="utf-8", timeout=60) as terminal:
            for line, said in (
                ("continue", "interrupted\r\n"), ("until loss < 0", "interrupted\r\n"), ("goto 9000000:1", "interrupted\r\n"),
                ("sweep lr=0.1,0.2", "error: interrupted; nothing was changed\r\n"),
                # What asks for a product of arrays is not stacked: processes do it.
                ("sweep lr=log:0.1..0.2:8 until (x.T @ x).max() < 0", "error: interrupted; nothing was changed\r\n"),
            ):  # fmt: skip
                terminal.expect_exact("bptui> ")
                begun = worked(terminal.pid)
                terminal.sendline(line)
                terminal.expect_exact(f"{line}\r\n")
                while worked(terminal.pid) < begun + 5:  # it is not at the prompt any more, where ctrl+c leaves
                    time.sleep(0.005)
                terminal.sendintr()
                terminal.expect_exact(said)
            terminal.expect_exact("bptui> ")
            terminal.sendline("print 1 + 1")
            terminal.expect_exact("1 + 1 = 2.0\r\n")
            terminal.expect_exact("bptui> ")
            terminal.send("\x1b[A\r")  # the line before once more
            terminal.expect_exact("1 + 1 = 2.0\r\n")
            terminal.expect_exact("bptui> ")
            terminal.sendintr()
            terminal.expect_exact("opens it again")
            terminal.expect(pexpect.EOF)
        assert (terminal.exitstatus, terminal.signalstatus) == (130, None)

    def test_a_session_is_kept_where_it_is(self):
        plain("--session", "s", stdin="next\n")
        said = plain("s", "--session", "t", stdin="next\n")
        assert said == ([], ["bptui: s: it is a session already, and is kept where it is: leave --session out"], 2)
        assert not Path("t").exists()

    def test_what_nohup_ignores_is_ignored(self):
        code = "import signal, sys\nsignal.signal(signal.SIGHUP, signal.SIG_IGN)\nimport bptui.cli\nsys.exit(bptui.cli.main(sys.argv[1:]))"
        process = subprocess.Popen(
            [sys.executable, "-c", code, "--plain", "--session", "s"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        process.stdin.write(b"next\n")
        process.stdin.flush()
        process.stdout.readline()
        process.send_signal(signal.SIGHUP)
        out, _ = process.communicate(b"next\n", timeout=60)
        assert (out[:4], process.returncode) == (b"0:2 ", 0)

    def test_a_reader_that_has_gone(self):
        with self.started() as process:
            process.stdout.close()
            process.stdin.write(b"next\nnext\n")
            process.stdin.close()
            assert process.wait() == 1
        assert plain("s", stdin="next\n")[0][0].startswith("0:4 ")

    def test_a_crash(self):
        code = (
            "import sys, bptui.cli\nfrom bptui.debugger.debugger import Debugger\n"
            "def boom(self): raise RuntimeError('boom')\nDebugger.finish = boom\nsys.exit(bptui.cli.main(sys.argv[1:]))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, "--plain", "--session", "s"], input="next\nfinish\n", capture_output=True,
            text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 1
        assert "RuntimeError: boom" in done.stderr
        assert plain("s", stdin="next\n")[:2] == ([plain(stdin="next 2\n")[0][1 - 1]], [])


class TestResume:
    def test_nothing_to_resume(self):
        assert plain("--resume") == ([], ["bptui: there is no session to resume"], 2)

    def test_what_a_killed_terminal_left_is_found(self):
        child = Spawned(["article", "--plain"], timeout=60)
        child.expect("bptui> ")
        child.sendline("set w5 = 0.2 at 0:0")
        child.expect("0.14 -> 0.2 at 0:0")
        child.kill(signal.SIGKILL)
        child.wait()
        lines, notes, status = plain("--resume", stdin="print w5\n")
        assert (lines, status) == (["w5 = 0.2"], 0)
        assert re.match(rf"note: resumed article at 0:0, left \d\d:\d\d: {re.escape(str(shelf.folder()))}/20", notes[0])
        assert notes[1] == "note: it was not closed in order; every command that was answered is here"

    def test_a_session_with_nothing_in_it_leaves_no_file(self):
        for typed in ("quit", "print w5", "next\r\nback"):
            child = Spawned(["article", "--plain"], timeout=60)
            child.expect("bptui> ")
            child.sendline(typed)
            if typed != "quit":
                child.expect_exact(f"{typed.splitlines()[-1]}\r\n")
                child.expect("bptui> ")
                child.send("\x04")
            child.expect(pexpect.EOF)
            child.wait()
            assert list(shelf.folder().iterdir()) == []

    def test_named_ones_opened_on_a_terminal_are_found_too_and_those_in_use_are_not(self):
        for name in ("a", "b"):
            child = Spawned(["--plain", "--session", name], timeout=60)
            child.expect("bptui> ")
            child.sendline("next")
            child.expect("0:1 forward")
            if name == "a":
                child.sendline("quit")
                child.expect(pexpect.EOF)
        said = plain("--resume")[1][0]
        assert re.fullmatch(
            rf"note: resumed article at 0:1, left \d\d:\d\d: {re.escape(str(Path('a').absolute()))}", said
        )
        child.sendline("quit")
        child.expect(pexpect.EOF)
        child.wait()
        said = plain("--resume")[1][0]
        assert re.fullmatch(
            rf"note: resumed article at 0:1, left \d\d:\d\d: {re.escape(str(Path('b').absolute()))}", said
        )

    def test_one_that_is_damaged_is_passed_over_and_said(self):
        for k, name in enumerate(("good", "bad")):
            session = opening.begin(origins.load("article"), path := shelf.fresh(name))
            session.execute("next")
            session.execute("next")
            session.close()
            os.utime(path, (k, k))
        path.write_bytes(path.read_bytes().replace(b"article", b"artikel", 1))
        notes = plain("--resume")[1]
        assert "-good-" in notes[0]
        assert notes[1].startswith(f"note: passed over: {path}:")


def test_it_refuses_to_open_what_it_could_not_keep(monkeypatch):
    """A session that can't be restored is left as it was, unlocked."""
    session = opening.begin(origins.load("article"), Path("s"))
    session.execute("next")
    session.close()
    before = Path("s").read_bytes()
    with monkeypatch.context() as patch, pytest.raises(JournalError):
        patch.setattr("bptui.debugger.memento.restore", lambda *_: (_ for _ in ()).throw(ValueError("no")))
        opening.reopen(Path("s"))
    assert Path("s").read_bytes() == before
    opening.reopen(Path("s")).close()
