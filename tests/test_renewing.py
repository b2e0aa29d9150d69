"""The same network anew with other settings, and its spec read again: what is kept, to the bit, and what is not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bptui.commands import opening
from bptui.commands.opening import Request
from bptui.commands.session import Session
from bptui.engine.fingerprint import digest
from bptui.engine.optimizers import OPTIMIZERS
from bptui.files import origins, specs
from bptui.files import settings as values
from bptui.files.report import SpecError
from bptui.files.sealing import JournalError

SPEC = """data = { x = [[2, 3], [1, 0], [0.5, -1]], y = [[1], [0], [1]], batch = 2 }
layers = ["dense 3 tanh", "dense 1"]
loss = "half-mse"
lr = 0.1
"""
GRAPH = 'data = { x = [[2, 3]], y = [[1]] }\nloss = "mse"\n[net]\nout = "dense 1 (x)"\n'
MORE = SPEC.replace('"dense 3 tanh"', '"dense 3 tanh", "dense 2 relu"')


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("my.toml").write_text(SPEC, encoding="utf-8")
    return tmp_path


def session_of(named: str = "my.toml", file: str = "") -> Session:
    return opening.opened(Request(named, file))


def bits(session: Session) -> str:
    return digest(session.debugger.look(session.debugger.position))


def carry_out(session: Session, *lines: str) -> list[str]:
    return [line for text in lines for line in session.execute(text).lines]


def rewrite(text: str, name: str = "my.toml") -> None:
    Path(name).write_text(text, encoding="utf-8")


class TestRestart:
    @pytest.mark.parametrize("name", ["article", "mazur", "moons", "iris", "lstm", "digits"])
    def test_with_the_same_settings_all_is_as_at_the_first_start(self, name):
        session = session_of(name)
        first, there = bits(session), []
        for _ in range(2):
            session.execute("run 2")
            there.append(bits(session))
            session.execute(f"restart {values.written(values.current(session.debugger.program.network))}")
            assert (str(session.debugger.position), bits(session)) == ("0:0", first)
        assert there[0] == there[1]

    def test_what_a_spec_would_say(self):
        """Each setting, and the network of a spec in which it stands."""
        for given_, spec in {
            "lr=0.3": SPEC.replace("0.1", "0.3"),
            "optim=adam": SPEC.replace("lr = 0.1", 'optim = "adam"'),
            "optim=adam lr=0.1": SPEC + 'optim = "adam"\n',
            "optim=sgd momentum=0.9 nesterov=true": SPEC + "optim = { momentum = 0.9, nesterov = true }\n",
            "batch=3": SPEC.replace("batch = 2", "batch = 3"),
            "batch=all": SPEC.replace(", batch = 2", ""),
            "loss=mae": SPEC.replace("half-mse", "mae"),
            "iterations=7 seed=5": SPEC + "iterations = 7\nseed = 5\n",
        }.items():
            rewrite(spec, "other.toml")
            session, other = session_of(), session_of("other.toml")
            carry_out(session, "run 2", f"restart {given_}")
            assert str(session.debugger.program) == str(other.debugger.program)
            assert session.debugger.end == other.debugger.end
            assert bits(session) == bits(other)
            carry_out(session, "run 4")
            carry_out(other, "run 4")
            assert bits(session) == bits(other), given_

    def test_another_seed_is_that_of_a_sweep(self):
        """Other weights and another order, the same data, as `sweep seed=…` has them."""
        session = session_of("moons")
        x = session.debugger.program.network.x.copy()
        table = session.execute("sweep seed=0..4 iterations 3").lines
        carry_out(session, "restart seed=4", "run 3")
        assert np.array_equal(session.debugger.program.network.x, x)
        swept = next(line for line in table if line.split()[:1] == ["4"])
        # The table has the loss of the weights after the last update; here it is that of the last iteration.
        session.execute(f"goto 3:{session.debugger.program.writers['loss'] + 1}")
        assert session.execute("print loss").lines[0].removeprefix("loss = ")[:7] in swept

    def test_saved_it_is_the_network_that_it_is(self):
        session = session_of("moons")
        carry_out(session, "restart seed=4 batch=50 optim=adam", "save saved.toml")
        saved = session_of("saved.toml")
        assert np.array_equal(saved.debugger.program.network.x, session.debugger.program.network.x)
        carry_out(saved, "run 3")
        carry_out(session, "run 3")
        assert bits(saved) == bits(session)

    def test_stops_and_watches_stay_where_they_make_sense(self):
        session = session_of()
        carry_out(session, "break on W1", "break if loss < 0", "watch W1.sum()", "restart optim=adam", "break adam")
        carry_out(session, "watch W1.m.sum()", "continue", "disable 2")
        assert session.debugger.breakpoints.all[1].hits == 1
        (_, said, *_) = carry_out(session, "restart spec")
        assert said == "restarted, as the spec has it; dropped: breakpoint 3 (adam), watch 2 (W1.m.sum())"
        assert {n: (one.text, one.hits) for n, one in session.debugger.breakpoints.all.items()} == {
            1: ("on W1", 0), 2: ("if loss < 0", 0),
        }  # fmt: skip
        assert not session.debugger.breakpoints.all[2].enabled
        assert session.execute("break 1").lines[0].startswith("breakpoint 4")
        assert session.debugger.watches.all.keys() == {1}

    @pytest.mark.parametrize(
        "line, said",
        [
            ("restart lr=-1", "lr is -1.0: a negative learning rate would climb"),
            ("restart lr=nan", "lr=nan: nan is no finite number"),
            ("restart lr=fast", "lr=fast: 'fast' is no number"),
            ("restart learning_rate=1", "'learning_rate' can't be set (did you mean lr?)"),
            ("restart optim=adem", "no optimizer is called 'adem' (did you mean adam?)"),
            ("restart loss=msa", "no loss is called 'msa' (did you mean mse?)"),
            ("restart batch=7", "batch=7: the data have 3 rows"),
            ("restart seed=-3", "seed=-3.0: a whole number from 0 on is needed"),
            ("restart iterations=0", "iterations=0: a whole number from 1 on is needed"),
            ("restart lr", "'lr': write restart NAME=VALUE, such as restart lr=0.1 seed=3"),
            ("restart lr=1 lr=2", "lr stands twice"),
            ("restart beta1=1 optim=adam", "beta1 is 1: beta1 is a number from 0 up to, but not, 1"),
            ("restart nesterov=1", "nesterov=1: true or false is needed"),
            ("reload now", "nothing may follow: 'now'"),
        ],
    )
    def test_what_can_not_be_is_refused_and_nothing_changes(self, line, said):
        session = session_of()
        carry_out(session, "break 3", "run 2", "set W2 = 0.5")
        before = bits(session), session.debugger.memento(), session.origin
        with pytest.raises(ValueError) as caught:
            session.execute(line)
        assert str(caught.value) == said
        assert (bits(session), session.debugger.memento(), session.origin) == before

    def test_another_loss_gets_its_targets_in_its_own_way(self):
        rewrite('data = "moons"\nlayers = ["dense 4 tanh", "dense 1 sigmoid"]\nloss = "hinge"\n', "h.toml")
        session = session_of("h.toml")
        assert set(session.debugger.program.network.y.ravel()) == {-1.0, 1.0}
        carry_out(session, "restart loss=bce", "run 3")
        assert set(session.debugger.program.network.y.ravel()) == {0.0, 1.0}
        carry_out(session, "restart loss=hinge", "restart loss=mse", "restart loss=hinge")
        assert set(session.debugger.program.network.y.ravel()) == {-1.0, 1.0}
        session = session_of("iris")
        assert session.debugger.program.network.loss == "softmax-ce"
        carry_out(session, "restart loss=mse", "run 1", "restart loss=softmax-ce", "run 1")
        again = session_of("iris")
        again.execute("run 1")
        assert bits(session) == bits(again)

    def test_a_network_that_no_spec_says(self):
        session = Session(specs.load("article"))
        carry_out(session, "run 2", "restart lr=0.5")
        assert session.debugger.program.network.lr == 0.5
        with pytest.raises(ValueError, match="this network has no spec to be read again"):
            session.execute("reload")


OPTIONS = st.sampled_from(["momentum=0.5", "beta1=0.8", "weight_decay=0.01", "eps=1e-6"])
SETTING = st.one_of(
    st.sampled_from(sorted(OPTIMIZERS)).map("optim={}".format),
    st.sampled_from(
        ["lr=0.5", "lr=0.25", "seed=0", "seed=3", "batch=all", "batch=1", "batch=2", "loss=mse", "loss=mae"]
    ),
    OPTIONS,
)


class TestReload:
    def test_of_what_has_not_changed(self):
        session = session_of()
        carry_out(session, "run 2", "set W2 = 0.5")
        before = bits(session), session.debugger.memento()
        assert carry_out(session, "reload") == ["my.toml is as it was"]
        assert (bits(session), session.debugger.memento()) == before

    def test_of_the_same_network_in_other_words(self):
        """Everything is as it was: the bits, the edits, branches, what can be undone, stops and watches."""
        session = session_of()
        carry_out(
            session, "break 3", "watch W1.sum()", "run 3", "set W2 = 0.5 at 1:2", "branch b", "run 1", "set a1[0,1] = 0.2 at 1:4",
            "undo", "step 2", "branch main", "next 3", "step",
        )  # fmt: skip
        before = bits(session), session.debugger.memento()
        rewrite(SPEC.replace("lr = 0.1", "\n# the same\nlr = 1e-1"))
        assert carry_out(session, "reload")[-1] == "reloaded my.toml"
        after = session.debugger.memento()
        assert (bits(session), after) == before
        assert carry_out(session, "redo")[0] == "done again: set a1[0,1] = 0.2 at 1:4"

    def test_other_numbers_are_seen_where_one_is(self):
        session, other = session_of(), session_of()
        carry_out(session, "run 2", "next 3", "set b2 = 0.25")
        rewrite(SPEC.replace("lr = 0.1", "lr = 0.2"))
        assert carry_out(session, "reload")[-1] == "reloaded my.toml"
        other = session_of()
        carry_out(other, "run 2", "next 3", "set b2 = 0.25")
        assert (session.debugger.position, bits(session)) == (other.debugger.position, bits(other))
        assert session.debugger.program.network.lr == 0.2

    def test_a_layer_more(self):
        """The same position; edits stay where their slot has its shape, and come no sooner than what writes it."""
        session = session_of()
        carry_out(
            session, "break on W2", "break draw", "run 1", "set W2 = 0.5", "set b1[1] = 0.25 at 0:3", "branch main"
        )
        carry_out(session, "set W1[0,0] = 2 at 0:0", "goto 0:5", "set z2 = 0.125", "goto 0:5")
        rewrite(MORE)
        where, said = carry_out(session, "reload")
        assert where.startswith("0:5 forward  z2 =")
        assert said == "reloaded my.toml; dropped: set W2 = 0.5, set z2 = 0.125, branch main, edit-1, edit-2"
        edits = [(str(edit.position), edit.text) for edit in session.debugger.timeline.edits]
        assert edits == [("0:0", "set W1[0,0] = 2")]
        assert carry_out(session, "undo") == ["undone: set W1[0,0] = 2 at 0:0"]
        assert list(session.debugger.breakpoints.all) == [1, 2]

    def test_an_edit_of_what_is_computed_later_now(self):
        rewrite(GRAPH)
        session = session_of()
        carry_out(session, "goto 0:1", "set z_out = 0.125", "finish")
        rewrite(GRAPH.replace("(x)", "(h)").replace("[net]", '[net]\nh = "dense 2 (x)"'))
        assert carry_out(session, "reload")[1] == "reloaded my.toml"
        assert [str(edit.position) for edit in session.debugger.timeline.edits] == ["0:2"]
        assert carry_out(session, "print z_out") == ["z_out = [[0.125]]"]

    def test_the_end_of_an_iteration_stays_the_end(self):
        session = session_of()
        carry_out(session, "run 2")
        count = session.debugger.count
        rewrite(MORE)
        carry_out(session, "reload")
        assert session.debugger.count > count
        assert session.debugger.position == (1, session.debugger.count, 0)
        rewrite(SPEC)
        carry_out(session, f"goto 1:{count + 2}", "reload")
        assert session.debugger.position == (1, count, 0)

    def test_with_mistakes_the_last_good_network_stays(self):
        session = session_of()
        carry_out(session, "run 2", "break 3")
        before = bits(session), session.debugger.memento(), session.origin
        rewrite(SPEC.replace('"half-mse"', '"half"').replace("lr = 0.1", "lr = true"))
        with pytest.raises(SpecError) as caught:
            session.execute("reload")
        assert caught.value.lines == [
            "my.toml:3: unknown loss 'half' (did you mean half-mse?)",
            "my.toml:4: lr = a number is expected: true is no number",
        ]
        Path("my.toml").unlink()
        with pytest.raises(SpecError, match=r"my\.toml: no such file"):
            session.execute("reload")
        assert (bits(session), session.debugger.memento(), session.origin) == before

    def test_settings_outlive_it(self):
        session = session_of()
        carry_out(session, "restart lr=0.4")
        rewrite(MORE)
        assert carry_out(session, "reload")[-1] == "reloaded my.toml, still with lr=0.4"
        assert session.debugger.program.network.lr == 0.4

    def test_what_the_spec_says_itself_is_left_to_it(self):
        """A setting that is the spec's own holds nothing back when the spec changes."""
        session = session_of()
        carry_out(session, "restart lr=0.1 seed=4 batch=2 loss=half-mse optim=sgd iterations=1000")
        assert session.origin.settings == {"seed": 4}
        rewrite(SPEC.replace("lr = 0.1", "lr = 0.7"))
        assert carry_out(session, "reload")[-1] == "reloaded my.toml, still with seed=4"
        assert session.debugger.program.network.lr == 0.7

    def test_another_network_opened_stays_in_the_session(self):
        rewrite(MORE, "other.toml")
        session = session_of("my.toml", "s")
        carry_out(session, "run 1", "open other.toml", "restart lr=0.5", "next 3", "set W2 = 0.25")
        kept = bits(session), session.debugger.memento()
        session.close()
        again = session_of("s")
        assert (bits(again), again.debugger.memento()) == kept
        assert again.debugger.program.network.name == "other"
        again.close()

    @settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    @given(st.lists(st.lists(SETTING, max_size=3), max_size=4), st.sampled_from(["run 2", "set W2 = 0.5", "next 3"]))
    def test_a_session_opened_again_has_the_same_bits(self, restarts, after):
        """Whatever was restarted, reloaded and opened before, and in what order."""
        path = Path("s")
        path.unlink(missing_ok=True)
        rewrite(SPEC)
        session = session_of("my.toml", "s")
        carry_out(session, "break on W1", "watch W2.sum()", "run 1")
        for k, words in enumerate(restarts):
            try:
                session.execute(f"restart {' '.join(words)}")
            except ValueError:
                continue
            if k == 1:
                rewrite(SPEC + "# the same\n")
                session.execute("reload")
        carry_out(session, after, "next 2")
        kept = bits(session), session.debugger.memento(), dict(session.origin.settings), str(session.debugger.program)
        session.close()
        again = session_of("s")
        assert again.notes == []
        assert (
            bits(again), again.debugger.memento(), dict(again.origin.settings), str(again.debugger.program),
        ) == kept  # fmt: skip
        again.close()

    @pytest.mark.parametrize(
        "wrong", [{"lr": "fast"}, {"optim": 3}, {"batch": 99}, {"zz": 1}, {"lr": None}, {"seed": 1.5}]
    )
    def test_settings_in_a_session_that_can_not_be(self, wrong):
        told = origins.described(origins.load("my.toml"), Path()) | {"settings": wrong}
        with pytest.raises(JournalError, match="its settings do not fit its network"):
            origins.restored(json.loads(json.dumps(told)), Path(), "s")
