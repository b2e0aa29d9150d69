"""What each word of the command language does: a debugger, and answers in lines."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from bptui.commands import finding, registry, wording
from bptui.commands.registry import CommandError
from bptui.debugger import expressions
from bptui.debugger.debugger import Debugger
from bptui.debugger.expressions import NotComputedError
from bptui.debugger.metrics import Metrics
from bptui.debugger.view import View
from bptui.engine import gradcheck
from bptui.engine.graph import sample_shapes
from bptui.engine.kinds import KINDS, written
from bptui.engine.network import Network
from bptui.engine.player import Moment
from bptui.engine.program import Program, Target
from bptui.engine.timeline import Edit, normal
from bptui.explain import solution
from bptui.files import specs, weights, writing
from bptui.files.report import blamed

_NUDGED = re.compile(r"([^\s\[]*(?:\s*\[[^\]]*\])?)\s*(.*)", re.DOTALL)


@dataclass(frozen=True)
class Answer:
    """What a command has to say, line by line; `quit` asks the front end to end, `loaded` that all is new."""

    lines: tuple[str, ...] = ()
    quit: bool = False
    loaded: bool = False


class Session:
    """A debugger that takes lines of the command language. Shared by the app and plain mode."""

    def __init__(self, network: Network, digits: int | None = None) -> None:
        self.debugger = Debugger(network)
        self.digits = digits

    def execute(self, line: str) -> Answer:
        """Carry out one line. Raises ValueError with one line of text; then nothing was changed."""
        word, rest = [*line.split(None, 1), "", ""][:2]
        if not word or word.startswith("#"):
            return Answer()
        command = registry.find(word)
        name = "_" + command.verb.replace("-", "_")
        verb: Callable[[str], Answer] = getattr(self, name)
        return verb(rest.strip())

    # Moving

    def _next(self, rest: str) -> Answer:
        return self._where(self.debugger.next(_count(rest)))

    def _back(self, rest: str) -> Answer:
        return self._where(self.debugger.back(_count(rest)))

    def _step(self, rest: str) -> Answer:
        return self._where(self.debugger.step(_count(rest)))

    def _step_back(self, rest: str) -> Answer:
        return self._where(self.debugger.step_back(_count(rest)))

    def _finish(self, rest: str) -> Answer:
        _nothing(rest)
        return self._where(self.debugger.finish())

    def _start(self, rest: str) -> Answer:
        _nothing(rest)
        return self._where(self.debugger.start())

    def _iteration(self, rest: str) -> Answer:
        return self._where(self.debugger.iteration(_count(rest)))

    def _iteration_back(self, rest: str) -> Answer:
        return self._where(self.debugger.iteration_back(_count(rest)))

    def _run(self, rest: str) -> Answer:
        if not rest:
            raise CommandError("how many iterations? run N")
        return self._where(self.debugger.iteration(_count(rest)))

    def _continue(self, rest: str) -> Answer:
        _nothing(rest)
        return self._where(self.debugger.run_on())

    def _reverse_continue(self, rest: str) -> Answer:
        _nothing(rest)
        return self._where(self.debugger.run_back())

    def _to(self, rest: str) -> Answer:
        return self._where(self.debugger.to(self._operation(rest)))

    def _to_back(self, rest: str) -> Answer:
        return self._where(self.debugger.to_back(self._operation(rest)))

    def _until(self, rest: str) -> Answer:
        return self._where(self.debugger.until(rest))

    def _goto(self, rest: str) -> Answer:
        return self._where(self.debugger.goto_text(rest))

    # Editing

    def _set(self, rest: str) -> Answer:
        target, equals, value = rest.partition("=")
        if not equals or not target.strip() or not value.strip():
            raise CommandError("write set TARGET = VALUE, such as set w5 = 0.2 or set w5 = 0.2 at 0:0")
        value, at, place = _placed(value)
        edit = self.debugger.set(target.strip(), value, place if at else None)
        return self._edited("set", target.strip(), edit)

    def _nudge(self, rest: str) -> Answer:
        name, amount = _NUDGED.fullmatch(rest).groups("")  # type: ignore[union-attr]  # it fits any line
        target = expressions.parse_target(self.debugger.program, name)
        by = self._amount(amount) if amount else None
        edit = self.debugger.nudge(target, 1, by)
        return self._edited("nudge", name, edit)

    def _amount(self, text: str) -> float:
        try:
            value = np.asarray(self.debugger.evaluate(text))
        except NotComputedError as missing:
            raise CommandError(f"{missing.slot} is not computed here") from None
        if value.size != 1:
            raise CommandError(f"{text[:40]} is not one number")
        return float(value.reshape(()))

    def _edited(self, verb: str, name: str, edit: Edit) -> Answer:
        target = expressions.parse_target(self.debugger.program, name)
        if target.slot != edit.slot:
            # lr, which a schedule computes, is set by what it is computed from.
            name = edit.slot
            target = expressions.parse_target(self.debugger.program, name)
        before = self.debugger.value_before(edit)
        after = self.debugger.look(edit.position)
        old, new = (wording.short_value(expressions.value_of(state, target), self.digits) for state in (before, after))
        return Answer((f"{verb} {name}: {old} -> {new} at {edit.position}",))

    def _undo(self, rest: str) -> Answer:
        _nothing(rest)
        return Answer((f"undone: {_described(self.debugger.undo())}",))

    def _redo(self, rest: str) -> Answer:
        _nothing(rest)
        return Answer((f"done again: {_described(self.debugger.redo())}",))

    # Looking

    def _print(self, rest: str) -> Answer:
        text = " ".join(rest.split())
        expression = expressions.parse(self.debugger.program, text)
        state = self.debugger.look(self.debugger.position)
        try:
            return Answer((f"{text} = {self._text(expression(state))}",))
        except NotComputedError as missing:
            whole = state.computed[missing.slot] and text in (missing.slot, self.debugger.program.name(missing.slot))
            value = wording.slot_text(state, missing.slot, self.digits) if whole else "not computed"
            return Answer((f"{text} = {value}",))

    def _list(self, rest: str) -> Answer:
        _nothing(rest)
        view = self.debugger.view()
        lines = []
        for k, instruction in enumerate(view.program.instructions):
            mark = "▸" if k == view.done else "›" if k == view.upcoming else " "
            there = view.state.computed[instruction.writes] and (
                instruction.phase != "update" or (view.done is not None and k <= view.done)
            )
            value = wording.short_text(view.state, instruction.writes, self.digits) if there else wording.UNSET
            lines.append(f"{mark} {k + 1:>2} {instruction.phase:<8}  {instruction.source}  {value}{_stale(view, k)}")
        lines += [f"  edit {edit.position}  {edit.text}" for edit in view.timeline.ordered]
        return Answer(tuple(lines))

    def _info(self, rest: str) -> Answer:
        _nothing(rest)
        view, network = self.debugger.view(), self.debugger.program.network
        sizes = "-".join(layer_sizes(network))
        cells = sum(self.debugger.program.slots[name].size for name in self.debugger.program.parameters)
        rate = self._text(view.state.arrays["lr0" if "lr0" in view.state.arrays else "lr"][()])
        optim = network.training.optim
        loss = self._text(view.losses[-1]) if view.state.computed["loss"] else "not computed"
        return Answer((
            f"{network.name}: {sizes}, {network.loss}, {optim}, lr {rate}, {cells} parameters, {network.dtype}",
            f"at {view.position}, {len(view.program)} operations an iteration, loss {loss}",
            *(f"{name} {value:.4f}" for name, value in self._metrics(view).items()),
            *(f"edit at {edit.position}: {edit.text}" for edit in view.timeline.edits),
        ))  # fmt: skip

    def _metrics(self, view: View) -> dict[str, float]:
        """Accuracy and held-out loss of the weights of this moment, where they make sense."""
        return Metrics(view.program).all(view.state.arrays)

    def _explain(self, rest: str) -> Answer:
        target = expressions.parse_target(self.debugger.program, rest)
        lines: list[str] = []
        for cell in target.cells[:4]:
            lines += [line for line in self.explain_cell(target.slot, cell) if line not in lines]
            if len(lines) > solution.MOST_LINES:
                break
        if len(target.cells) > 4:
            lines = lines[: solution.MOST_LINES]
            lines.append(
                f"… {len(target.cells) - 1} more cells: name one, such as {_first(self.debugger.program, target)}"
            )
        return Answer(tuple(lines))

    def explain_cell(self, slot: str, cell: int) -> list[str]:
        """The formula of what wrote a cell, opened down to inputs and weights."""
        program, state = self.debugger.program, self.debugger.look(self.debugger.position)
        if cell >= state.computed[slot]:
            return [f"{slot} is not computed here: {self.debugger.writing(slot)}"]
        value = wording.number_text(state.arrays[slot].reshape(-1)[cell], self.digits or 7)
        by_hand = self.debugger.set_by_hand(slot, cell)
        if by_hand is not None:
            return [f"{self.debugger.spell(Target(slot, (cell,)))} = {value}: set by hand, {_described(by_hand)}"]
        writer = self.debugger.writer(slot, cell)
        if writer is None:
            return [f"{solution.origin(program, slot, cell)}, {value}"]
        moments = cache(self.debugger.moments(writer[0]))

        def set_by_hand(read: str, part: int, reader: int) -> str:
            edit = self.debugger.set_before(read, part, reader, writer[0])
            if edit is None:
                return ""
            name = solution.origin(program, read, part).partition(":")[0]
            number = moments(reader).before.arrays[read].reshape(-1)[part]
            return f"{name} = {wording.number_text(number, self.digits or 7)}: set by hand, {_described(edit)}"

        return solution.explanation(program, writer[1], cell, moments, set_by_hand, self.digits)

    def _formulas(self, rest: str) -> Answer:
        _nothing(rest)
        debugger, program = self.debugger, self.debugger.program
        state = debugger.look(debugger.position)
        lines = ["every weight, its gradient written out:", *solution.update_formulas(program, state)]
        drawn = [line for matrix in solution.update_matrices(program, state) for line in matrix]
        lines += ["", "as matrices:", *drawn] if drawn else []
        numbers = [line for moment in self._updates() for line in solution.update_numbers(program, moment, self.digits)]
        return Answer(
            (*lines, "", f"in iteration {debugger.position.iteration}:", *numbers) if numbers else tuple(lines)
        )

    def _updates(self) -> list[Moment]:
        """The updates of this iteration that have been carried out."""
        done = range(self.debugger.position.op)
        return [self.debugger.moment(k) for k in done if self.debugger.program.instructions[k].phase == "update"]

    def _check(self, rest: str) -> Answer:
        _nothing(rest)
        program, here = self.debugger.program, self.debugger.position
        start = self.debugger.look(normal(program, here.iteration, 0, 0))
        values = {name: start.arrays[name] for name, slot in program.slots.items() if slot.persistent}
        result = gradcheck.check(program, here.iteration, values, each=True)
        return Answer(tuple(wording.gradcheck_lines(program, result, self.digits)))

    def _find(self, rest: str) -> Answer:
        return Answer(tuple(finding.find(self.debugger, rest)))

    # Files

    def _save(self, rest: str) -> Answer:
        if not rest:
            raise CommandError("save where? save FILE")
        state = self.debugger.look(self.debugger.position)
        slots = self.debugger.program.slots
        kept = {name: state.arrays[name] for name, slot in slots.items() if slot.persistent}
        if rest.endswith(".npz"):
            lasting = {name: kept[name] for name in kept if slots[name].kind in ("parameter", "statistic")}
            weights.save_npz(Path(rest), lasting)
            return Answer((f"saved {rest}",))
        writing.save(Path(rest), writing.to_toml(self.debugger.program.network, kept, Path(rest).parent))
        return Answer((f"saved {rest}",))

    def _load(self, rest: str) -> Answer:
        if not rest:
            raise CommandError("load what? load SPEC")
        network = specs.load(rest)
        with blamed(rest):
            view = self.debugger.load(network)
        return Answer((f"loaded {network.name}", wording.where_line(view, self.digits)), loaded=True)

    def _help(self, rest: str) -> Answer:
        return Answer(tuple(registry.help_lines(rest)))

    def _quit(self, rest: str) -> Answer:
        _nothing(rest)
        return Answer(quit=True)

    # Inside

    def _where(self, view: View) -> Answer:
        line = wording.where_line(view, self.digits)
        return Answer((line, view.message) if view.message else (line,))

    def _text(self, value: object) -> str:
        return wording.value_text(value, self.digits)

    def _operation(self, rest: str) -> int:
        count = self.debugger.count
        if not rest.isdecimal() or len(rest) > 8 or not 1 <= int(rest) <= count:
            raise CommandError(f"which operation? a number from 1 to {count}")
        return int(rest) - 1


def layer_sizes(network: Network) -> list[str]:
    """The shapes of what the layers with weights give, the input's first: 2, 3, 1 or 1×8×8, 6×8×8, 10."""
    shapes = sample_shapes(network, network.nodes)
    weighted = [node.key for node in network.nodes if node.op in KINDS and KINDS[node.op].parameters]
    return [written(shape) for key in ("x", *weighted) if (shape := shapes[key])]


def _stale(view: View, index: int) -> str:
    slot = view.program.instructions[index].writes
    if slot in view.stale.causes:
        return f"  ~ computed before {view.stale.causes[slot].text}"
    return "  (of the old weights)" if slot in view.stale.old else ""


def _first(program: Program, target: Target) -> str:
    """The first cell of several, as one writes it."""
    index = np.unravel_index(target.cells[0], program.slots[target.slot].shape)
    return f"{target.slot}[{', '.join(str(int(k)) for k in index)}]"


def _described(edit: Edit) -> str:
    return f"{edit.text} at {edit.position}"


def _placed(value: str) -> tuple[str, str, str]:
    """`0.2 at 0:0` as the value, "at" and the position; both are empty where no position is named."""
    words = value.split()
    if len(words) > 2 and words[-2] == "at":
        return " ".join(words[:-2]), "at", words[-1]
    return " ".join(words), "", ""


def _count(rest: str) -> int:
    """How often: a whole number from 1 on, 1 where nothing is said."""
    if not rest:
        return 1
    if not rest.isdecimal() or len(rest) > 8 or not 1 <= int(rest) <= 10**7:
        raise CommandError(f"{rest[:40]!r} is no count: a whole number from 1 to 10000000")
    return int(rest)


def _nothing(rest: str) -> None:
    if rest:
        raise CommandError(f"nothing may follow: {rest[:40]!r}")
