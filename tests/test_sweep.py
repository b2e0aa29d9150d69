"""Forks in bulk: each ends as a run alone does, to the bit, however it is carried out."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, ClassVar

import networks
import numpy as np
import pytest
from conftest import run_bptui
from test_bits import NETWORKS as BITS
from test_cli import refused, write

from bptui.commands.session import Session
from bptui.commands.sweeping import sweep
from bptui.debugger import expressions
from bptui.debugger.debugger import Debugger
from bptui.debugger.sweeps import crowd
from bptui.debugger.sweeps.carrying import carry_out
from bptui.debugger.sweeps.crowd import Crowd, shared
from bptui.debugger.sweeps.sweep import Outcome, Plan, plan, refuse, singly, together
from bptui.debugger.sweeps.variants import SweepError, Variant, read_axes
from bptui.debugger.training import Result, pace, train
from bptui.engine.build import build
from bptui.engine.freerun import PATIENCE
from bptui.engine.machine import Machine
from bptui.engine.network import Network, Node, Training
from bptui.engine.player import Player
from bptui.engine.stacks import LanesError, lowering, products, proving
from bptui.engine.stacks.alone import Alone
from bptui.engine.stacks.stack import Stack, spread
from bptui.engine.timeline import START, Edit, Position, Timeline, parse

BOTH = ("float64", "float32")


def planned(network: Network, *sets: str, at: str = "", iterations: int = 0, until: str = "", **more: Any) -> Plan:
    """A plan, asked for as on the command line."""
    program = build(network)
    timeline = Timeline(program, more.pop("edits", ()))
    position = parse(program, at) if at else START
    made = plan(timeline, position, read_axes(sets), here=not at)
    made = replace(made, iterations=iterations or network.iterations, until=until, parameters=True, **more)
    refuse(made)
    return made


def same_numbers(a: np.ndarray, b: np.ndarray) -> bool:
    return proving.same(np.atleast_1d(a), np.atleast_1d(b))


def same_outcome(a: Outcome, b: Outcome | Result) -> bool:
    """Whether two ended alike, to the bit."""
    ends = [(one.iterations, one.reason, one.where, np.float64(one.loss).tobytes()) for one in (a, b)]
    if all(math.isnan(one.loss) for one in (a, b)):
        ends = [end[:3] for end in ends]
    return ends[0] == ends[1] and all(same_numbers(a.parameters[name], b.parameters[name]) for name in b.parameters)


def run_alone(network: Network, iterations: int, until: str = "") -> Result:
    """What `bptui run` does."""
    program = build(network)
    condition = expressions.parse(program, until) if until else None
    return train(program, iterations, condition, None, pace(iterations))


def check_all(made: Plan, alone: Callable[[dict[str, Any]], Outcome | Result]) -> list[Outcome]:
    """Stacked, each variant has to end as it does alone."""
    outcomes = together(made)
    assert [outcome.settings for outcome in outcomes] == [variant.settings for variant in made.variants]
    for outcome in outcomes:
        assert same_outcome(outcome, alone(outcome.settings)), outcome.settings
    return outcomes


# The contract: the bits of a run alone

CAN = [name for name in BITS if name not in ("pow-5", "shared")]
# Everything trained in every way is a soak; here a share of it, and every family of layers.
SOME = [name for k, name in enumerate(CAN) if (k % 17 == 0 if name.startswith("trained") else k % 9 == 0)]
RATES = (0.001, 0.03, 0.3, 1.0, 4.0)


def same_as_alone(name: str, dtype: str) -> None:
    network = BITS[name](dtype=dtype)
    made = planned(network, f"lr={','.join(map(str, RATES))}", f"seed={network.seed},1000003", iterations=6)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check_all(made, lambda given: run_alone(replace(network, lr=given["lr"], seed=given["seed"]), 6))


@pytest.mark.parametrize(("name", "dtype"), [(name, BOTH[k % 2]) for k, name in enumerate(SOME)])
def test_a_fork_ends_as_a_run_alone(name, dtype):
    same_as_alone(name, dtype)


@pytest.mark.soak
@pytest.mark.parametrize("dtype", BOTH)
@pytest.mark.parametrize("name", CAN)
def test_a_fork_ends_as_a_run_alone_soak(name, dtype):
    same_as_alone(name, dtype)


def moons(batch: int | None = None, **settings: Any) -> Network:
    """2-5-1, classes, with rows held out."""
    rng = np.random.default_rng(5)
    x = rng.normal(0, 1, (24, 2))
    y = (x[:, :1] * x[:, 1:] > 0) * 1.0
    nodes = (networks.dense("1", "x", 5, "tanh"), networks.dense("2", "1", 1, "sigmoid"))
    base = {"loss": "bce", "lr": 0.3, "seed": 2, "classes": ("0", "1"), "test": (x[:4], y[:4])}
    return Network(nodes, x[4:], y[4:], batch=batch, **{**base, **settings})


DROPOUT = (
    networks.dense("1", "x", 6, "tanh"),
    Node("2", ("1",), op="dropout", options={"rate": 0.4}),
    networks.dense("3", "2", 1, "sigmoid"),
)


@pytest.mark.parametrize("dtype", BOTH)
def test_rows_masks_and_weights_are_those_of_the_seed(dtype):
    network = replace(moons(batch=8, dtype=dtype), nodes=DROPOUT)
    made = planned(network, "seed=0..6", iterations=40)
    outcomes = check_all(made, lambda given: run_alone(replace(network, seed=given["seed"]), 40))
    assert len({outcome.loss for outcome in outcomes}) == 7
    assert all(set(outcome.metrics) == {"accuracy", "test_loss", "test_accuracy"} for outcome in outcomes)


@pytest.mark.parametrize("at", ["3:0", "3:5", "3:2.3"])
@pytest.mark.parametrize("dtype", BOTH)
def test_a_seed_is_that_from_the_start_wherever_forks_part(at, dtype):
    network = replace(moons(batch=8, dtype=dtype), nodes=DROPOUT)
    early = Edit(START, build(network).parameters[0], (0,), np.array([0.3]))
    late = Edit(Position(5, 2), "lr", (0,), np.array([0.02]))
    made = planned(network, "lr=0.1,lr*2", "seed=3..5", at=at, iterations=12, edits=(early, late))
    for outcomes in (together(made), singly(made)):
        for outcome, variant in zip(outcomes, made.variants, strict=True):
            timeline = Timeline(build(replace(network, seed=variant.seed)), (*made.edits, *variant.edits))
            player = Player(timeline)
            player.goto(timeline, Position(11, len(timeline.program)))
            assert all(same_numbers(array, player.machine.arrays[name]) for name, array in outcome.parameters.items())
            assert outcome.settings["seed"] == variant.seed
    assert len({outcome.loss for outcome in outcomes}) == 6


def test_a_value_is_computed_from_what_the_seed_has_there():
    network = moons(batch=8)
    made = planned(network, "seed=3..5", "W1[0,0]=W1[0,0]*2", at="4:0", iterations=9)
    for variant in made.variants:
        program = build(replace(network, seed=variant.seed))
        player = Player(Timeline(program))
        player.goto(player.timeline, parse(program, "4:0"))
        assert variant.edits[-1].values[0] == 2 * player.machine.arrays["W1"][0, 0]


def test_weights_that_are_given_are_those_of_no_seed():
    made = planned(networks.article(), "seed=0..4", iterations=5)
    assert len({outcome.loss for outcome in together(made)}) == 1


@pytest.mark.parametrize(
    ("name", "at", "sets"),
    [
        ("article", "3:2", ("z1[0,0]=0.5,1,2,-1,0.25",)),
        ("article", "2:6", ("lr=0.01,0.02,0.04", "W2=[[0.1],[0.2]],[[0.3],[-1]]")),
        ("sigmoid", "1:3.2", ("W1[0,1]=W1[0,1]*2,0.5", "b1=0,0.1,b1+W1[0,0]")),
        ("sigmoid", "4:14", ("x[0,0]=0.5,1,1.5", "W1=0.3,W1")),
        ("softmax", "2:0", ("lr=log:0.01..1:5",)),
        ("skip", "1:19", ("a_h1.grad=0,0.1,0.2,0.5",)),
        ("drawn", "5:1", ("x=1,2,3,4",)),
        ("mazur", "2:5", ("b1[0]=0.1,0.2,0.3,0.4",)),
    ],
)
@pytest.mark.parametrize("dtype", BOTH)
def test_forks_part_anywhere(name, at, sets, dtype):
    """A player that walks each timeline is the judge."""
    network = networks.ALL[name](dtype=dtype)
    program = build(network)
    before = Edit(Position(1, 1), "lr", (0,), np.array([0.07]))
    after = [
        Edit(Position(7, 2), program.parameters[0], (0,), np.array([0.2])),
        Edit(Position(7, 0, 1), "lr", (0,), np.array([0.05])),
        Edit(Position(9, len(program)), "lr", (0,), np.array([0.03])),
    ]
    made = planned(network, *sets, at=at, iterations=14, edits=(before, *after))
    for outcome, variant in zip(together(made), made.variants, strict=True):
        player = Player(Timeline(program, (*made.edits, *variant.edits)))
        player.goto(player.timeline, Position(13, len(program)))
        for slot in program.parameters:
            assert same_numbers(outcome.parameters[slot], player.machine.arrays[slot]), (variant.settings, slot)
        assert (outcome.iterations, outcome.reason) == (14, "iterations")


@pytest.mark.parametrize("until", ["loss < 0.02", "loss < 0.02 and loss > 0", "abs(W2).max() > 0.36", "z2[0,0] > 0.9"])
@pytest.mark.parametrize("dtype", BOTH)
def test_each_fork_stops_where_it_would_alone(until, dtype):
    network = networks.article(dtype=dtype)
    made = planned(network, "lr=log:1e-3..0.1:9", iterations=300, until=until)
    outcomes = check_all(made, lambda given: run_alone(replace(network, lr=given["lr"]), 300, until))
    assert {outcome.reason for outcome in outcomes} == {"until", "iterations"}
    assert len({outcome.iterations for outcome in outcomes}) > 4


def wandering(seed: int) -> None:
    """Any network, anywhere, any cells that are there, with edits further on: stacked as one by one."""
    random = np.random.default_rng(seed)
    name = CAN[int(random.integers(0, len(CAN)))]
    program = build(BITS[name](dtype=BOTH[seed % 2]))
    walker = Player(Timeline(program))
    here = Position(int(random.integers(0, 4)), int(random.integers(1, len(program) + 1)))
    walker.goto(walker.timeline, here)
    there = [slot for slot, cells in walker.computed().items() if cells and program.slots[slot].editable]
    # Batches that are drawn from data which differ are drawn for one after the other.
    drawn = {i.reads[0] for i in program.instructions if i.phase == "data"}
    lasting = [slot.name for slot in program.slots.values() if slot.persistent and slot.kind != "data"]
    variants = []
    for number in range(6):
        slots = random.choice(sorted(set(there) - drawn), 2)
        edits = [Edit(here, str(slot), (0,), random.normal(0, 1, 1)) for slot in slots]
        variants.append(Variant({"number": number}, tuple(edits)))
    later = [
        Edit(
            Position(int(random.integers(5, 9)), int(random.integers(1, len(program) + 1))),
            str(slot),
            (0,),
            np.array([0.1]),
        )
        for slot in random.choice(lasting, 2)
    ]
    made = Plan(program.network, tuple(later), here, tuple(variants), 12, parameters=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stacked, alone = together(made), singly(made)
    assert all(map(same_outcome, stacked, alone)), (name, here)


@pytest.mark.parametrize("seed", range(12))
def test_stacked_as_one_by_one_wherever_they_part(seed):
    wandering(seed)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(12, 600))
def test_stacked_as_one_by_one_wherever_they_part_soak(seed):
    wandering(seed)


def test_a_condition_that_holds_after_the_last_update_ends_it_there():
    network = networks.article(lr=0.01)
    last = run_alone(network, 30).loss
    made = planned(network, "lr=0.01,0.009,0.008,0.007,0.006", iterations=30, until=f"loss <= {last!r}")
    outcomes = check_all(made, lambda given: run_alone(replace(network, lr=given["lr"]), 30, f"loss <= {last!r}"))
    assert (outcomes[0].iterations, outcomes[0].reason) == (30, "until")


@pytest.mark.parametrize("dtype", BOTH)
def test_what_blows_up_ends_as_alone_and_the_others_go_on(dtype):
    network = networks.article(dtype=dtype)
    made = planned(network, "lr=log:1e-3..50:24", iterations=600)
    outcomes = check_all(made, lambda given: run_alone(replace(network, lr=given["lr"]), 600))
    assert {outcome.reason for outcome in outcomes} == {"iterations", "nan"}
    assert all(outcome.where for outcome in outcomes if outcome.reason == "nan")


def overflowing() -> Network:
    """exp overflows on the way to a right 0 in the sigmoid where the first weight is large: a false alarm."""
    nodes = (networks.dense("1", "x", 2, "sigmoid", W=np.array([[0.1, -0.2], [0.3, 0.1]])), networks.dense("2", "1", 1))
    return Network(nodes, np.array([[1.0, 2.0]]), np.array([[0.5]]), lr=0.1, seed=1)


@pytest.mark.parametrize("many", [False, True])
def test_false_alarms_are_laid_to_those_who_raise_them(monkeypatch, many):
    network = overflowing()
    weights = "-900,-901,-902,-903,0.1,0.2,0.3,0.4" if many else "-900,0.1,0.2,0.3,0.4"
    stretches: list[int] = []
    stretch = Alone.stretch
    monkeypatch.setattr(Alone, "stretch", lambda *given: (stretches.append(given[1]), stretch(*given))[1])
    iterations = 1200
    made = planned(network, f"W1[0,0]={weights}", iterations=iterations)

    def alone(given: dict[str, Any]) -> Result:
        first = np.array([[given["W1[0,0]"], -0.2], [0.3, 0.1]])
        return run_alone(replace(network, nodes=(replace(network.nodes[0], W=first), network.nodes[1])), iterations)

    check_all(made, alone)
    # Alone through stretches until nobody listens to them any more; the others never are.
    noisy = set(range(4 if many else 1))
    assert set(stretches) == noisy
    if many:
        assert all(stretches.count(fork) == PATIENCE for fork in noisy)


def test_what_was_alone_for_a_while_goes_on_with_its_own_seed():
    """Its first weight decays to where exp does not overflow."""
    network = replace(
        overflowing(),
        training=Training(options={"weight_decay": 0.1}),
        x=np.array([[1.0, 2.0], [1.1, 1.9], [0.9, 2.1], [1.2, 2.2]]),
        y=networks.numbers(4, 1),
        batch=2,
    )
    made = planned(network, "W1[0,0]=-900,0.1", "seed=1..4", iterations=300)

    def alone(given: dict[str, Any]) -> Result:
        nodes = (replace(network.nodes[0], W=np.array([[given["W1[0,0]"], -0.2], [0.3, 0.1]])), network.nodes[1])
        return run_alone(replace(network, nodes=nodes, seed=given["seed"]), 300)

    check_all(made, alone)


def test_a_gradient_that_overflows_in_silence_is_found_as_alone():
    """`dot` raises no flag, and the loss is finite still: it shows in the next iteration, within a stretch."""
    nodes = (
        Node("1", ("x",), 2, bias=False, W=np.full((2, 2), 1e-300)),
        Node("2", ("1",), 1, bias=False, W=np.full((2, 1), 1e170)),
    )
    network = Network(nodes, np.full((1, 2), 1e130), np.array([[-1e10]]), lr=0.05)
    made = planned(network, "y[0,0]=-1e10,0.5,1,2,-2e10", iterations=100)
    outcomes = check_all(made, lambda given: run_alone(replace(network, y=np.array([[given["y[0,0]"]]])), 100))
    assert outcomes[0].where == "operation 7 of iteration 0, W1.grad = x.T @ z1.grad"


def test_a_loss_that_is_lost_without_a_flag_ends_a_fork():
    network = networks.article(loss="mae", freeze=("W*",))
    made = planned(network, "W1[0,0]=1e308,0.1,0.2,0.3,0.4", iterations=40)

    def alone(given: dict[str, Any]) -> Result:
        first = np.array([[given["W1[0,0]"], 0.12], [0.21, 0.08]])
        return run_alone(replace(network, nodes=(replace(network.nodes[0], W=first), network.nodes[1])), 40)

    outcomes = check_all(made, alone)
    assert [outcome.reason for outcome in outcomes] == ["nan", *["iterations"] * 4]


def test_where_nothing_is_left_but_noise_all_are_run_alone():
    network = overflowing()
    made = planned(network, "W1[0,0]=-900,-901,-902,-903,-904", iterations=60)
    assert all(map(same_outcome, together(made), singly(made)))


def test_forks_that_differ_in_nothing():
    made = planned(networks.article(), "lr=0.05,0.05,0.05,0.05", iterations=20)
    alone = run_alone(networks.article(), 20)
    assert all(same_outcome(outcome, alone) for outcome in together(made))


def test_what_can_not_be_stacked_is_said(monkeypatch):
    network = BITS["pow-5"]()
    made = planned(network, "lr=0.1,0.2,0.3,0.4", iterations=3)
    with pytest.raises(LanesError, match="a power whose exponent is not one number for all"):
        together(made)
    monkeypatch.setattr(crowd, "processes", lambda: Crowd(lambda: ThreadPoolExecutor(1), 1, "a thread"))
    outcomes, how = carry_out(made)
    assert how.startswith("by a thread, not stacked: z_k = power(a_h1, a_h2): ")
    for outcome in outcomes:
        assert same_outcome(outcome, run_alone(replace(network, lr=outcome.settings["lr"]), 3))


def test_a_condition_for_one_fork_alone_is_not_stacked():
    made = planned(moons(), "lr=0.1,0.2,0.3,0.4", iterations=3, until="accuracy > 2")
    with pytest.raises(LanesError, match="accuracy > 2"):
        together(made)


# What is stacked is proved


def stack_for(network: Network, width: int = 24) -> tuple[Stack, Machine]:
    program = build(network)
    return Stack(program, width, spread(program, {"lr", *program.parameters})), Machine(program)


def first_with(stack: Stack, way: str) -> tuple[int, Callable[[], None]]:
    """An instruction that can be done in that way, and the code."""
    for index, instruction in enumerate(stack.program.instructions):
        if instruction.writes in stack.varying and "@" in instruction.text:
            try:
                return index, stack.candidate(index, way)
            except lowering.UnfitError:
                continue
    raise AssertionError(way)


WIDTHS = {"tiny": networks.article(), "wide": moons(), "single": moons(dtype="float32")}


@pytest.mark.parametrize("network", WIDTHS.values(), ids=WIDTHS.keys())
@pytest.mark.parametrize("kind", proving.KINDS)
def test_a_product_that_is_wrong_for_some_operands_alone_is_not_taken(monkeypatch, network, kind):
    """Off by the last bit, in the last lane, for one kind of operands."""
    stack, alone = stack_for(network)
    trials = proving._Trials(stack, alone)
    assert trials._right(*first_with(stack, "outer"))
    told: list[str] = []
    fill = proving._Trials._fill
    monkeypatch.setattr(proving._Trials, "_fill", lambda *given: (told.append(given[2]), fill(*given))[1])

    def outer(left: Any, right: Any, out: Any, zero: Any, lanewise: Any) -> None:
        products.outer(left, right, out, zero, lanewise)
        if told[-1:] == [kind]:
            out[-1] = np.where(
                np.isfinite(out[-1]), np.nextafter(out[-1], 0, dtype=out.dtype) + (out[-1] == 0), out[-1]
            )

    wrong, _ = stack_for(network)
    monkeypatch.setattr(lowering, "outer", outer)
    assert not proving._Trials(wrong, alone)._right(*first_with(wrong, "outer"))


def test_a_sum_in_another_order_is_found_out(monkeypatch):
    class Backwards(lowering.LaneLowering):
        def _reduced(self, function, value, axes, out, *, keep):
            super()._reduced(function, self._copy(value[:, ::-1]), axes, out, keep=keep)

    monkeypatch.setattr("bptui.engine.stacks.stack.LaneLowering", Backwards)
    stack, alone = stack_for(moons())
    with pytest.raises(LanesError, match="not the same bits as one fork alone"):
        proving.prove(stack, alone)


@pytest.mark.parametrize("dtype", BOTH)
def test_products_notice_where_they_would_be_off(dtype):
    """Zeros of both signs, what vanishes, what is not finite: a pair, and a column times a row."""
    stack, alone = stack_for(networks.article(dtype=dtype), 64)
    proving.prove(stack, alone)
    trials = proving._Trials(stack, alone)
    for index, instruction in enumerate(stack.program.instructions):
        if instruction.writes in stack.varying:
            code = stack.segment(index, index + 1)
            for kind in proving.KINDS * 20:
                with stack.quiet():
                    assert trials._same(index, code, kind), (instruction.source, kind)


# Executors


class Dying(ProcessPoolExecutor):
    """Processes of which one dies while there is work left, the first time that they are opened."""

    opened = 0

    def __init__(self) -> None:
        super().__init__(2, mp_context=get_context("spawn"))
        Dying.opened += 1
        self._given = 0

    def submit(self, *work: Any) -> Future[Any]:
        self._given += 1
        if Dying.opened == 1 and self._given == 3:
            super().submit(os._exit, 1)
        return super().submit(*work)


def drawn_sweep() -> Plan:
    network = networks.drawn_net(dtype="float32")
    return planned(network, "seed=0..7", "lr=0.05,0.1", iterations=30)


def agree(outcomes: Sequence[Outcome], others: Sequence[Outcome]) -> bool:
    return [one.settings for one in outcomes] == [one.settings for one in others] and all(
        map(same_outcome, outcomes, others)
    )


def test_no_fork_is_lost_with_a_process():
    Dying.opened = 0
    made = drawn_sweep()
    outcomes = shared(made, Crowd(Dying, 2, "two processes"))
    assert Dying.opened >= 2
    assert agree(outcomes, singly(made))


def test_workers_that_keep_dying_are_given_up():
    class Dead(Executor):
        def submit(self, *work: Any) -> Future[Any]:
            future: Future[Any] = Future()
            future.set_exception(crowd.BrokenExecutor("gone"))
            return future

    with pytest.raises(SweepError, match="lost 3 times in a row"):
        shared(drawn_sweep(), Crowd(Dead, 2, "nobody"))


class EnoughError(Exception):
    """What breaks a sweep off."""


def enough(_: int) -> None:
    raise EnoughError


class Plain(Executor):
    """An executor that knows of shutting down no more than it has to, as Dask's."""

    handed: ClassVar[list[Future[Any]]] = []

    def submit(self, *work: Any) -> Future[Any]:
        self.handed.append(Future())
        return self.handed[-1]

    def shutdown(self, wait: bool = True) -> None:
        pass


def test_what_watches_breaks_it_off_whoever_does_the_work():
    made = drawn_sweep()
    for way in (together, singly):
        with pytest.raises(EnoughError):
            way(made, enough)
    with pytest.raises(EnoughError):
        shared(made, Crowd(Plain, 2, "nobody"), enough)
    assert len(Plain.handed) > 2
    assert all(future.cancelled() for future in Plain.handed)
    with pytest.raises(EnoughError):
        shared(replace(made, iterations=10**7), crowd.processes(2), enough)


class Late(ProcessPoolExecutor):
    """A process, which has ended before it is seen that nothing more is wanted."""

    def __init__(self) -> None:
        super().__init__(1, mp_context=get_context("spawn"))
        self.handed: list[Future[Any]] = []

    def submit(self, *work: Any) -> Future[Any]:
        self.handed.append(super().submit(*work))
        return self.handed[-1]

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        for process in list((self._processes or {}).values()):
            process.terminate()
            process.join()
        super().shutdown(cancel_futures=cancel_futures)


def test_processes_that_are_broken_off_end_in_silence(monkeypatch):
    failed: list[object] = []
    monkeypatch.setattr(threading, "excepthook", failed.append)
    opened: list[Late] = []

    def enough_once_some_wait(_: int) -> None:
        # One is worked at and one is on its way: the others can still be cancelled.
        if sum(future.running() for future in opened[0].handed) == 2:
            raise EnoughError

    def late() -> Late:
        opened.append(Late())
        return opened[0]

    with pytest.raises(EnoughError):
        shared(replace(drawn_sweep(), iterations=10**7), Crowd(late, 1, "a process"), enough_once_some_wait)
    assert failed == []


def test_what_watches_is_told_of_every_iteration():
    made = drawn_sweep()
    for way in (together, singly, lambda made, watch: shared(made, crowd.processes(1), watch)):
        told: list[int] = []
        way(made, told.append)
        assert sum(told) == made.work == 16 * 30


def test_a_person_s_own_op_goes_to_no_other_process():
    import bptui.api as bp

    class Cube(bp.Op):
        def forward(self, x):
            return x * x * x

        def vjp(self, g, out, x):
            return (g * 3 * x * x,)

    net = bp.Net(bp.layer("dense")(2, "tanh"), Cube(), bp.layer("dense")(1))
    network = net.network(networks.numbers(3, 2), networks.numbers(3, 1, seed=1), loss="mse")
    outcomes, how = carry_out(planned(network, "lr=0.1,0.2,0.3,0.4", iterations=5))
    assert how.startswith("one after the other, not stacked: ")
    for outcome in outcomes:
        assert same_outcome(outcome, run_alone(replace(network, lr=outcome.settings["lr"]), 5))


@contextmanager
def cluster(folder: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler and two workers, each a process of its own, on this machine's loopback."""
    file = folder / "scheduler.json"
    # What the workers work with is what is tested here, wherever they run.
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment}
    python, local = [sys.executable, "-m"], ["--host", "127.0.0.1", "--no-dashboard"]
    started = [
        subprocess.Popen(
            [*python, "distributed.cli.dask_scheduler", *local, "--port", "0", "--scheduler-file", str(file)], **quiet
        )
    ]
    worker = [
        *python,
        "distributed.cli.dask_worker",
        *local,
        "--no-nanny",
        "--nthreads",
        "1",
        "--scheduler-file",
        str(file),
    ]
    started += [subprocess.Popen(worker, cwd=folder, **quiet) for _ in range(2)]
    try:
        from distributed import Client

        with Client(scheduler_file=str(file), timeout="60s", set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
            yield client.scheduler.address, started[1:]
    finally:
        for process in started:
            process.kill()
        for process in started:
            process.wait()


def test_no_fork_is_lost_with_a_worker_of_a_cluster(tmp_path):
    pytest.importorskip("distributed", reason="distributed, the extra `dask`, is not installed")
    made = drawn_sweep()
    with cluster(tmp_path) as (address, workers):
        found = crowd.dask(address)
        assert found.workers == 2
        killed: list[int] = []

        def kill(_: Future[Any]) -> None:
            if not killed:
                killed.append(workers[0].pid)
                os.kill(workers[0].pid, signal.SIGKILL)

        @contextmanager
        def watched() -> Iterator[Executor]:
            # As soon as the first part is done one of the workers is killed; seven parts are left.
            with found.open() as executor:
                submit = executor.submit

                def submitted(*work: Any) -> Future[Any]:
                    future = submit(*work)
                    future.add_done_callback(kill)
                    return future

                executor.submit = submitted
                yield executor

        outcomes = shared(made, replace(found, open=watched))
        assert killed
        assert workers[0].wait(30) == -signal.SIGKILL
        assert agree(outcomes, singly(made))


def test_workers_that_lack_this_program_are_sent_nothing(tmp_path, monkeypatch):
    pytest.importorskip("distributed", reason="distributed, the extra `dask`, is not installed")
    monkeypatch.setattr(crowd, "__name__", "bptui.debugger.sweeps.another")
    with cluster(tmp_path) as (address, _), pytest.raises(SweepError, match="don't have the bptui that is here"):
        crowd.dask(address)


def test_where_nobody_is_left_it_ends(monkeypatch):
    class Asleep(Executor):
        def submit(self, *work: Any) -> Future[Any]:
            return Future()

    monkeypatch.setattr(crowd, "_LOOK", 0.001)
    with pytest.raises(SweepError, match="lost 3 times in a row"):
        shared(drawn_sweep(), Crowd(Asleep, 2, "nobody", there=lambda: 0))


def test_dask_that_is_missing_or_not_there(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SweepError, match=r"pip install 'bptui\[dask\]'"):
        crowd.dask("tcp://127.0.0.1:1")


def test_data_that_differ_under_drawn_batches_go_elsewhere():
    network = networks.drawn_net()
    made = planned(network, "Y[2,0]=0..4", at="3:0", iterations=9)
    with pytest.raises(LanesError, match="rows of what differs"):
        together(made)
    for outcome, variant in zip(singly(made), made.variants, strict=True):
        player = Player(Timeline(build(network), variant.edits))
        player.goto(player.timeline, Position(8, len(player.program)))
        assert same_numbers(outcome.parameters["W1"], player.machine.arrays["W1"])


# What is asked for


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("lr=0.01,0.03, 0.1", ["0.01", "0.03", "0.1"]),
        ("seed=0..3", ["0", "1", "2", "3"]),
        ("w5=-1..1,5", ["-1", "0", "1", "5"]),
        ("lr=log:0.001..10:5", ["0.001", "0.01", "0.1", "1.0", "10.0"]),
        ("W1=[[1,2],[3,4]],W1*2,0", ["[[1,2],[3,4]]", "W1*2", "0"]),
        ("w1=abs(W1[0,1]),W1[0,0]", ["abs(W1[0,1])", "W1[0,0]"]),
    ],
)
def test_values_are_lists_ranges_and_expressions(text, values):
    assert list(read_axes([text])[0].values) == values


def test_the_last_set_varies_fastest_and_sees_what_was_set_before():
    made = planned(networks.article(), "w5=1,2", "w6=w5*10,0.5", iterations=1)
    assert [variant.settings for variant in made.variants] == [
        {"w5": 1.0, "w6": 10.0},
        {"w5": 1.0, "w6": 0.5},
        {"w5": 2.0, "w6": 20.0},
        {"w5": 2.0, "w6": 0.5},
    ]


def test_a_seed_among_others_sets_them_again_on_its_weights():
    network = moons()
    made = planned(network, "W1[0,0]=0.5", "seed=3,4", "W1[0,1]=W1[1,1]*2,W1[0,0]", iterations=5)
    for outcome in singly(made):
        start = build(replace(network, seed=outcome.settings["seed"])).initial
        first = start["W1"].copy()
        first[0, 0] = 0.5
        first[0, 1] = outcome.settings["W1[0,1]"]
        assert outcome.settings["W1[0,1]"] in (start["W1"][1, 1] * 2, 0.5)
        nodes = (replace(network.nodes[0], W=first), network.nodes[1])
        assert same_outcome(outcome, run_alone(replace(network, nodes=nodes, seed=outcome.settings["seed"]), 5))


def test_edits_at_the_very_start_are_kept_with_another_seed():
    network = moons()
    before = Edit(START, "W1", (0,), np.array([0.7]))
    made = planned(network, "seed=3..6", iterations=5, edits=(before,))
    for outcome in together(made):
        seed = outcome.settings["seed"]
        first = build(replace(network, seed=seed)).initial["W1"].copy()
        first[0, 0] = 0.7
        nodes = (replace(network.nodes[0], W=first), network.nodes[1])
        assert same_outcome(outcome, run_alone(replace(network, nodes=nodes, seed=seed), 5))


def test_a_scheduled_rate_is_set_by_what_it_is_computed_from():
    network = networks.article(training=Training(schedule="exponential", schedule_options={"gamma": 0.9}))
    made = planned(network, "lr=0.1,0.2,0.3,0.4", iterations=8)
    check_all(made, lambda given: run_alone(replace(network, lr=given["lr"]), 8))


# The command line


def test_a_table_with_the_best_first(tmp_path):
    spec = write(
        tmp_path,
        "moons.toml",
        'seed = 1\ndata = "moons"\nlayers = ["dense 3 tanh", "dense 1 sigmoid"]\nloss = "bce"\niterations = 40\n',
    )
    done = run_bptui("sweep", spec, "--set", "lr=0.1,1,3", "--set", "seed=0..2", "--digits", "4")
    assert (done.returncode, done.stderr) == (0, "")
    head, *rows, last = done.stdout.splitlines()
    assert head.split() == ["lr", "seed", "loss", "accuracy", "updates", "ended"]
    losses = [float(row.split()[2]) for row in rows]
    assert len(rows) == 9
    assert losses == sorted(losses)
    assert last == "9 forks from 0:0: stacked in one process"


def test_json_is_an_object_a_fork_in_the_order_of_the_product():
    arguments = (
        "sweep",
        "article",
        "--set",
        "lr=0.05,90",
        "--set",
        "w5=0..1",
        "--format",
        "json",
        "--iterations",
        "400",
    )
    done = run_bptui(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["set"] for one in found] == [{"lr": a, "w5": b} for a in (0.05, 90.0) for b in (0.0, 1.0)]
    assert [one["reason"] for one in found] == ["iterations", "iterations", "nan", "nan"]
    assert all(one["where"].startswith("operation ") for one in found[2:])
    assert all("parameters" not in one for one in found)
    found = [json.loads(line) for line in run_bptui(*arguments, "--parameters").stdout.splitlines()]
    alone = json.loads(run_bptui("run", "article", "--iterations", "400", "--format", "json").stdout)
    assert found[0]["parameters"].keys() == alone["parameters"].keys()


def test_by_processes_on_the_command_line():
    arguments = ("sweep", "xor", "--set", "lr=0.1,0.5", "--set", "seed=0..2", "--iterations", "20")
    done = run_bptui(*arguments, "--workers", "2")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[-1] == "6 forks from 0:0: by 2 processes"
    assert lines[:-1] == run_bptui(*arguments).stdout.splitlines()[:-1]


BAD = [
    (("--set", "lr"), "write TARGET=VALUES"),
    (("--set", "lr=1,,2"), "a value is missing between commas"),
    (("--set", "nope=1"), "no slot or label is called nope"),
    (("--set", "lr=1", "--at", "99:99"), "there is no position 99:99"),
    (("--set", "seed=1.5"), "a seed is a whole number"),
    (("--set", "lr=5..3"), "5..3 ends before it begins"),
    (("--set", "lr=log:0..1:3"), "both ends are above 0"),
    (("--set", "lr=log:x..1:3"), "write log:FIRST..LAST:COUNT"),
    (("--set", "lr=1e400"), "not a finite number"),
    (("--set", "lr=1", "--set", "lr=2"), "lr is set twice"),
    (("--set", "seed=0..999", "--set", "lr=0..999"), "more than 100000 forks"),
    (("--set", "z1=1"), "z1 is not computed at 0:0"),
    (("--set", "lr=1", "--at", "5:2", "--iterations", "3"), "5:2 is past the end, 3 iterations"),
    (("--set", "lr=1", "--until", "bogus < 1"), "no slot or label is called bogus"),
    (("--set", "lr=1", "--until", "W1 > 0"), "a condition needs one value"),
    (("--set", "lr=1", "--until", "W1.grad.sum() > 0"), "W1.grad is not computed yet"),
    (("--set", "lr=1", "--workers", "0"), "not a whole number from 1"),
    (("--set", "lr=1", "--workers", "2", "--dask", "tcp://127.0.0.1:1"), "one of both"),
    ((), "--set"),
]


@pytest.mark.parametrize(("arguments", "why"), BAD)
def test_bad_input_is_one_line(arguments, why):
    assert why in refused("sweep", "article", *arguments)[0]


# The word


def test_the_word_forks_from_here_with_every_edit():
    debugger = Debugger(networks.article())
    debugger.set("w5", "0.3", "0:0")
    debugger.goto(Position(2, 3))
    before = debugger.position, debugger.timeline
    lines = sweep(
        debugger.timeline, debugger.position, "lr=0.01,0.05 W2[1, 0] = log:0.1..1:2 iterations 30 until loss < 1e-3", 4
    )
    assert (debugger.position, debugger.timeline) == before
    assert lines[0].split() == ["lr", "W2[1,", "0]", "loss", "updates", "ended"]
    assert lines[-1] == "4 forks from 2:3: stacked in one process"
    made = planned(
        networks.article(),
        "lr=0.05",
        "W2[1, 0]=0.1",
        at="2:3",
        iterations=30,
        until="loss < 1e-3",
        edits=debugger.timeline.edits,
    )
    [alone] = singly(made)
    assert any(f"{alone.loss:.4g}" in line for line in lines)


def test_many_forks_are_cut_short():
    lines = Session(networks.article()).execute("sweep lr=log:0.001..0.1:50 iterations 3").lines
    assert len(lines) == 32
    assert lines[-2] == "… 21 more"


@pytest.mark.parametrize("text", ["", "lr", "iterations 3", "0.1", "lr=0.1 iterations x", "lr == 3"])
def test_the_word_says_how_it_is_written(text):
    debugger = Debugger(networks.article())
    with pytest.raises(ValueError, match=r"sweep TARGET=VALUES|is no number of iterations|write TARGET"):
        sweep(debugger.timeline, debugger.position, text)
