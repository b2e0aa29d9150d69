"""The command line: every form of section 7, and one line and exit code 2 for every kind of bad input."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import run_bptui

import bptui as package
from bptui.files.examples import example_names

XOR = 'seed = 1\ndata = "xor"\nlayers = ["dense 4 tanh", "dense 1 sigmoid"]\nloss = "bce"\nlr = 0.5\n'
TINY = 'loss = "half-mse"\nlr = {lr}\ndata = {{ x = [[2, 3]], y = [[1]] }}\nlayers = ["dense 1"]\nseed = 1\n'


def write(folder: Path, name: str, text: str | bytes) -> str:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return str(path)


def refused(*arguments: str, lines: int = 1, **settings: object) -> list[str]:
    """What standard error says where the command line refuses."""
    done = run_bptui(*arguments, **settings)
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    said = done.stderr.splitlines()
    assert len(said) == lines, done.stderr
    assert all(line.startswith("bptui: ") for line in said)
    return said


# What is always there


def test_version():
    done = run_bptui("--version")
    assert (done.stdout, done.stderr, done.returncode) == (f"bptui {package.__version__}\n", "", 0)


@pytest.mark.parametrize(
    "arguments", [["--help"], ["trace", "--help"], ["run", "--help"], ["new", "--help"], ["examples", "--help"]]
)
def test_help(arguments):
    done = run_bptui(*arguments)
    assert done.returncode == 0
    assert done.stdout.startswith("usage: bptui")
    assert done.stderr == ""


def test_examples_are_a_line_each():
    done = run_bptui("examples")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(example_names())
    assert [line.split()[0] for line in lines][:3] == ["article", "mazur", "xor"]
    assert all(len(line.split()) > 2 for line in lines)


@pytest.mark.parametrize("name", example_names())
def test_every_example_traces_and_learns(name):
    done = run_bptui("trace", name, "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(row["source"].startswith(f"{row['writes']} = ") for row in rows)
    first = json.loads(run_bptui("run", name, "--iterations", "0", "--format", "json").stdout)
    later = json.loads(run_bptui("run", name, "--iterations", "50", "--format", "json").stdout)
    # One example is there to be found out.
    assert (later["loss"] < first["loss"]) == (name != "diverging")


def test_new_writes_a_spec_that_works(tmp_path):
    done = run_bptui("new", "mine.toml", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "mine.toml" in done.stdout
    assert "#" in (tmp_path / "mine.toml").read_text()
    assert run_bptui("run", "mine.toml", "--iterations", "3", cwd=tmp_path).returncode == 0
    refused("new", "mine.toml", cwd=tmp_path)
    refused("new", "no/such/folder.toml", cwd=tmp_path)


# trace


def test_trace_as_text_is_the_lines_of_plain_mode():
    done = run_bptui("trace", "article", "--iterations", "2")
    plain = run_bptui("article", "--plain", stdin="next\n" * 18)
    assert done.stdout == plain.stdout
    assert len(done.stdout.splitlines()) == 18


def test_trace_is_one_iteration_unless_told():
    assert len(run_bptui("trace", "article", "--format", "json").stdout.splitlines()) == 9
    assert run_bptui("trace", "article", "--iterations", "0").stdout == ""


def test_trace_numbers_round_trip():
    for line in run_bptui("trace", "mazur", "--format", "json").stdout.splitlines():
        assert json.dumps(json.loads(line), separators=(",", ":"), ensure_ascii=False) == line


def test_trace_of_drawn_batches_is_two_rows(tmp_path):
    rows = ", ".join(f"[{k}]" for k in range(6))
    spec = f'loss = "mse"\nlayers = ["dense 1"]\ndata = {{ x = [{rows}], y = [{rows}], batch = 2 }}\n'
    done = run_bptui("trace", write(tmp_path, "drawn.toml", spec), "--format", "json")
    first = [json.loads(line) for line in done.stdout.splitlines()][:2]
    assert [(row["phase"], row["source"], row["writes"]) for row in first] == [
        ("data", "x = X[rows]", "x"),
        ("data", "y = Y[rows]", "y"),
    ]
    assert first[0]["value"] == first[1]["value"]
    assert first[0]["reads"] == ["X", "rows"]


def test_what_is_not_finite_is_a_word(tmp_path):
    done = run_bptui(
        "trace", write(tmp_path, "wild.toml", TINY.format(lr="1e200")), "--iterations", "4", "--format", "json"
    )
    assert (done.returncode, done.stderr) == (0, "")
    text = done.stdout
    assert '"inf"' in text or '"-inf"' in text
    assert '"nan"' in text
    assert "NaN" not in text
    assert "Infinity" not in text


# run


def result(*arguments: str, **settings: object) -> dict:
    done = run_bptui("run", *arguments, "--format", "json", **settings)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout.splitlines()[-1])


def test_run_makes_the_specs_iterations():
    assert result("article")["iterations"] == 30
    assert result("article")["reason"] == "iterations"


def test_run_counts_updates_and_looks_at_the_loss_after_them():
    none, one = result("article", "--iterations", "0"), result("article", "--iterations", "1")
    assert none["loss"] == pytest.approx(0.3272405, abs=1e-12)
    assert none["parameters"]["W1"] == [[0.11, 0.12], [0.21, 0.08]]
    assert one["loss"] == pytest.approx(0.276957171392918917676028125, abs=1e-12)
    assert [w for (w,) in one["parameters"]["W2"]] == pytest.approx([0.1743825, 0.169416], abs=1e-12)


def test_until_is_looked_at_after_the_last_update_too_and_wins():
    found = result("article", "--until", "loss < 0.28", "--iterations", "1")
    assert (found["iterations"], found["reason"]) == (1, "until")
    found = result("article", "--until", "loss < 0.28", "--iterations", "0")
    assert (found["iterations"], found["reason"]) == (0, "iterations")
    assert result("article", "--until", "loss < 1")["iterations"] == 0


def test_until_may_speak_of_weights_and_labels():
    found = result("article", "--until", "w5 > 0.2 and prediction > 0.3")
    assert found["reason"] == "until"
    assert found["parameters"]["W2"][0][0] > 0.2


def test_a_diverging_rate_ends_with_nan(tmp_path):
    found = result(write(tmp_path, "wild.toml", TINY.format(lr="1e200")), "--iterations", "100")
    assert found["reason"] == "nan"
    assert found["loss"] in ("nan", "inf")
    assert found["iterations"] < 100


def test_run_as_text():
    done = run_bptui("run", "article", "--until", "loss < 1e-6", "--digits", "4")
    lines = done.stdout.splitlines()
    assert "after 20 updates: loss 4.338e-07 (loss < 1e-6 came true)" in lines
    assert lines[0].startswith("iteration      0  loss 0.3272")
    assert lines[-2].startswith("  W1 = [[")


def test_json_ends_with_a_line_of_its_own():
    lines = run_bptui("run", "article", "--format", "json").stdout
    assert lines.endswith("}\n")
    assert list(json.loads(lines.splitlines()[-1])) == ["iterations", "loss", "reason", "parameters"]


# What is refused


@pytest.mark.parametrize(
    "arguments",
    [
        ["trace"], ["run"], ["new"], ["trace", "article", "more"], ["article", "mazur", "--plain"], ["--nonsense"], ["article", "--plan"],
        ["trace", "article", "--iterations", "x"], ["trace", "article", "--iterations", "-1"], ["trace", "article", "--iterations"],
        ["trace", "article", "--iterations", "1.5"], ["trace", "article", "--format", "xml"], ["run", "article", "--until"],
        ["run", "article", "--until", "loss <"], ["run", "article", "--until", "nonsense < 1"], ["run", "article", "--until", "W1"],
        ["run", "article", "--until", "w1.grad < 1"], ["run", "article", "--until", ""], ["examples", "more"],
        ["article", "--plain", "--digits", "0"], ["article", "--plain", "--digits", "x"], ["article", "--plain", "--digits", "99"],
        ["article", "-x", "script"], ["artcle", "--plain"], ["trace", "nowhere.toml"], ["run", ""], ["run", "\x1b[31m"],
        ["run", "article", "--iterations", "9" * 5000], ["trace", "article", "--digits", "٣٣"],
    ],
    ids=lambda arguments: " ".join(arguments)[:40] or "empty",
)  # fmt: skip
def test_bad_arguments_are_one_line(arguments):
    line = refused(*arguments)[0]
    assert "\x1b" not in line


def test_a_misspelt_example_is_told_the_nearest():
    assert "did you mean article?" in refused("artcle", "--plain")[0]


FIVE = """loss = "half-mze"
lr = "fast"
data = { x = [[2, 3]], y = [[1]] }
speed = 3
[[layer]]
dense = 2
act = "sigmoyd"
[[layer]]
dense = 1
W = [[0.1, 0.2, 0.3]]
"""


def test_five_mistakes_are_five_lines_with_their_line_numbers(tmp_path):
    write(tmp_path, "nonsense.toml", FIVE)
    said = refused("nonsense.toml", "--plain", lines=5, cwd=tmp_path)
    assert [line.split(":")[1:3] for line in said] == [[" nonsense.toml", str(n)] for n in (1, 2, 4, 7, 10)]
    assert "did you mean half-mse?" in said[0]
    assert "did you mean sigmoid?" in said[3]


HEAD = 'loss = "mse"\ndata = { x = [[1, 2]], y = [[1]] }\n'
BAD_SPECS = {
    "empty": "",
    "binary": bytes(range(256)) * 4,
    "no toml": "this is no spec\n",
    "wrong shape": HEAD + "[[layer]]\ndense = 1\nW = [[1, 2, 3]]\n",
    "nan": HEAD + "[[layer]]\ndense = 1\nW = [[nan, 2]]\n",
    "label twice": HEAD + '[[layer]]\ndense = 1\nlabels = { W = [["a", "a"]] }\n',
    "loop": HEAD + '[net]\na = "dense 2 (b)"\nb = "dense 2 (a)"\nout = "dense 1 (b)"\n',
}


@pytest.mark.parametrize("name", BAD_SPECS)
@pytest.mark.parametrize("command", [["trace"], ["run"], ["--plain"]], ids=lambda command: command[0])
def test_bad_specs_are_refused(name, command, tmp_path):
    done = run_bptui(*command, write(tmp_path, "bad.toml", BAD_SPECS[name]))
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()
    assert all(line.startswith("bptui: ") and "bad.toml" in line for line in done.stderr.splitlines())


def test_missing_files_and_directories_are_refused(tmp_path):
    assert "missing.toml" in refused("missing.toml", "--plain", cwd=tmp_path)[0]
    (tmp_path / "folder.toml").mkdir()
    assert "directory" in refused("folder.toml", "--plain", cwd=tmp_path)[0]


# Names that are also subcommands


def test_a_subcommand_wins_over_a_file_and_a_path_opens_it(tmp_path):
    write(tmp_path, "trace", XOR)
    assert "spec" in refused("trace", cwd=tmp_path)[0]
    done = run_bptui("./trace", "--plain", stdin="info\n", cwd=tmp_path)
    assert done.returncode == 0
    assert "2-4-1, bce" in done.stdout


def test_an_example_wins_over_a_file_and_a_path_opens_it(tmp_path):
    write(tmp_path, "article", XOR)
    assert "2-2-1" in run_bptui("article", "--plain", stdin="info\n", cwd=tmp_path).stdout
    assert "2-4-1" in run_bptui("./article", "--plain", stdin="info\n", cwd=tmp_path).stdout


def test_article_when_left_out():
    assert run_bptui("--plain", stdin="print w5\n").stdout == "w5 = 0.14\n"


# No terminal


@pytest.mark.parametrize("arguments", [[], ["article"], ["mazur", "--digits", "3"]])
def test_no_terminal_names_plain_mode(arguments):
    assert "--plain" in refused(*arguments)[0]


def in_terminal(*arguments: str, term: str) -> tuple[int, str]:
    """The exit code and all that a terminal shows."""
    leader, follower = pty.openpty()
    env = {**os.environ, "TERM": term}
    command = [sys.executable, "-m", "bptui", *arguments]
    child = subprocess.Popen(command, stdin=follower, stdout=follower, stderr=follower, env=env, close_fds=True)
    os.close(follower)
    shown = b""
    while True:
        try:
            part = os.read(leader, 4096)
        except OSError:
            break
        if not part:
            break
        shown += part
    os.close(leader)
    return child.wait(timeout=60), shown.decode()


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_dumb_terminal_names_plain_mode(term):
    code, shown = in_terminal("article", term=term)
    assert code == 2
    assert "--plain" in shown
    assert "\x1b" not in shown


def test_output_to_a_file_is_no_terminal():
    leader, follower = pty.openpty()
    done = subprocess.run([sys.executable, "-m", "bptui"], stdin=follower, capture_output=True, check=False, timeout=60)
    os.close(leader)
    os.close(follower)
    assert done.returncode == 2
    assert b"--plain" in done.stderr


def test_whoever_stops_reading_gets_no_traceback():
    command = f"{sys.executable} -m bptui trace article --iterations 3000 | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""
