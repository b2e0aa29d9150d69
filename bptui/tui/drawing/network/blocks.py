"""A network too large for neurons: each node a row with its shape, its parameters and a strip of its values.

At the left is the graph. A node opens to the slots that its line of the spec stands for, an unrolled one to its places
first; the one at hand is always open. Whatever the room, the row of what the operation at hand writes is in sight.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from bptui.engine.program import Program
from bptui.explain.notation import Names
from bptui.files.text import safe
from bptui.tui.drawing.layers import cells, described
from bptui.tui.drawing.lines import Line, Run, cut, line
from bptui.tui.drawing.network.rails import Edge, rails, spelled
from bptui.tui.drawing.network.sight import Sight
from bptui.tui.drawing.network.strips import span, strip

# The widest strip, and what is left for strips before parameters are counted in a column of their own.
_WIDEST, _ROOM = 40, 24
_OPEN, _CLOSED = "▾ ", "▹ "
# Groups that are open by the reader's choice.
Opened = frozenset[str]


@dataclass(frozen=True)
class Part:
    """A row: a node with the slot that holds its result, a place of it, or one of its other slots.

    key     what stands in the graph beside it: an input, a node, the loss, or "" for the target
    title   what it is, or "" for a slot
    group   what opens and closes it, or "" where there is nothing to open
    level   how far it is moved in
    """

    slot: str
    key: str
    title: str = ""
    group: str = ""
    level: int = 0
    open: bool = False


def blocks(sight: Sight, columns: int, rows: int, opened: Opened = frozenset()) -> list[Line]:
    """The whole network where there is room; else what is around the row at hand."""
    made, here = parts(sight, rows, opened)
    first, last = _window(len(made), here, rows)
    shown: list[Line] = []
    if first:
        first += 1
        shown.append(line((f"   ↑ {first} more", "dim")))
    below = len(made) - last
    last -= below > 0
    lit = _flowing(sight)
    widths = _widths(sight.scene.view.program, columns)
    shown += [_row(sight, part, columns, widths, lit) for part in made[first:last]]
    return [*shown, *([line((f"   ↓ {below + 1} more", "dim"))] if below else [])]


def _window(count: int, here: int, rows: int) -> tuple[int, int]:
    """Which rows are in sight, with the one at hand away from the edges, where the signs of more stand."""
    first = max(0, min(here - rows // 2, count - rows))
    if 0 < first == here:
        first -= 1
    last = min(count, first + rows)
    if last < count and here == last - 1:
        first, last = first + 1, last + 1
    return first, last


# Which rows there are


@lru_cache(maxsize=4)
def _slots_of(program: Program) -> Mapping[str, Sequence[str]]:
    """Node → its slots in the order of the program: parameters where they are first read, then what is computed."""
    found: dict[str, dict[str, None]] = {node.key: {} for node in program.network.nodes}
    for instruction in program.instructions:
        if instruction.phase == "forward":
            for slot in (*instruction.reads, instruction.writes):
                owner = program.owners.get(slot)
                if owner in found and owner == program.owners.get(instruction.writes):
                    found[owner].setdefault(slot)
    return {key: tuple(slots) for key, slots in found.items()}


@lru_cache(maxsize=4)
def _places_of(program: Program) -> Mapping[str, str]:
    """Slot of an unrolled node → the group of its place: `1:3`."""
    made: dict[str, str] = {}
    for key, slots in _slots_of(program).items():
        found = {slot: re.fullmatch(r".+_(\d+)", slot) for slot in slots}
        numbers = {match[1] for slot, match in found.items() if match and f"{slot[: -len(match[1])]}0" in slots}
        if len(numbers) > 1:
            made |= {slot: f"{key}:{match[1]}" for slot, match in found.items() if match and match[1] in numbers}
    return made


def parts(sight: Sight, rows: int, opened: Opened = frozenset()) -> tuple[list[Part], int]:
    """The rows, and which of them is at hand."""
    program = sight.scene.view.program
    slot = _at_hand(sight)
    slots, places = _slots_of(program), _places_of(program)
    open_groups = {*opened, program.owners.get(slot, ""), places.get(slot, "")}
    if sight.reading:
        open_groups |= _around(program, Names(program).base(sight.scene.cursor[0]))
    if len(slots) + sum(map(len, slots.values())) + 3 <= rows:
        open_groups |= {*slots, *places.values()}
    open_groups.discard("")
    made = [Part(name, name) for name in ("x", *program.network.more)]
    for node in program.network.nodes:
        inner = [name for name in slots[node.key] if name != node.output]
        group = node.key if inner else ""
        made.append(Part(node.output, node.key, described(node), group, open=group in open_groups))
        if group in open_groups:
            made += _inside(program, node.key, inner, open_groups)
    made += [Part("y", ""), Part("loss", "loss")]
    wanted = Names(program).base(sight.scene.cursor[0]) if sight.reading else slot
    if not any(part.slot == slot for part in made):
        made.append(Part(slot, ""))
    numbers = {part.slot: k for k, part in reversed(list(enumerate(made)))}
    return made, numbers.get(wanted, numbers[slot])


def _around(program: Program, slot: str) -> set[str]:
    """The groups that are open for a slot to be there: not that of which it is the row."""
    key, places = program.owners.get(slot, ""), _places_of(program)
    outputs = {node.output for node in program.network.nodes}
    group = places.get(slot, "")
    last = next((one for one in reversed(_slots_of(program).get(key, ())) if places.get(one) == group), "")
    return {key if slot not in outputs else "", group if slot != last else ""}


def _inside(program: Program, key: str, slots: Sequence[str], open_groups: set[str]) -> Iterator[Part]:
    """The rows of an open node: its slots, or the places that it was unrolled to with theirs."""
    places = _places_of(program)
    last = {places[slot]: slot for slot in slots if slot in places}
    seen = set()
    for slot in sorted(slots, key=lambda slot: slot in places):
        group = places.get(slot, "")
        if group and group not in seen:
            seen.add(group)
            yield Part(last[group], key, f"place {group.partition(':')[2]}", group, 1, group in open_groups)
        if not group or (group in open_groups and slot != last[group]):
            yield Part(slot, key, level=1 + bool(group))


def _at_hand(sight: Sight) -> str:
    """The slot of the operation at hand: what it writes, or what that is the gradient of."""
    scene = sight.scene
    program, (written, _) = scene.view.program, scene.written
    if not written:
        return "x"
    slot = Names(program).base(written)
    if not program.owners.get(slot) and scene.view.phase not in ("loss", "data", "start"):
        read = next((name for name in scene.read if program.owners.get(Names(program).base(name))), "")
        slot = Names(program).base(read) if read else slot
    return slot


def _flowing(sight: Sight) -> frozenset[Edge]:
    """Along which ways of the graph the operation at hand takes something; and where it happens."""
    scene = sight.scene
    program = scene.view.program
    if scene.view.done is None:
        return frozenset()
    instruction = program.instructions[scene.view.done]
    forward = instruction if instruction.differentiates is None else program.instructions[instruction.differentiates]
    makers = {"x": "x"} | {name: name for name in program.network.more}
    makers |= {node.output: node.key for node in program.network.nodes}
    base = Names(program).base
    owner = program.owners.get(base(forward.writes), "")
    reader = "loss" if scene.view.phase == "loss" or (not owner and forward is not instruction) else owner
    if scene.view.phase == "backward":
        ways = {(makers[base(instruction.writes)], reader)} if base(instruction.writes) in makers else set()
    else:
        ways = {(makers[slot], reader) for slot in instruction.reads if slot in makers}
    return frozenset({(reader, reader), *ways})


# What a row shows


@dataclass(frozen=True)
class Widths:
    """The columns of all rows: the words, the shape, the parameters, and what is left for strips."""

    words: int
    shape: int
    parameters: int
    room: int


@lru_cache(maxsize=16)
def _widths(program: Program, columns: int) -> Widths:
    rail = rails(program).width
    slots = [slot for slot in program.slots.values() if not slot.name.endswith(".grad")]
    shown = {name for names in _slots_of(program).values() for name in names} | {"x", "y", *program.network.more}
    shape = max(len(cells(slot.shape)) for slot in slots if slot.name in shown)
    longest = max(len(f"{Names(program).slot(node.output)}  {described(node)}") for node in program.network.nodes)
    words = max(10, min(longest + 2, columns // 3))
    counts = [_count(program, node.key) for node in program.network.nodes]
    parameters = max(len(_figure(count)) for count in counts)
    room = columns - 3 - rail - words - shape - 4
    if room - parameters - 2 < _ROOM:
        return Widths(words, shape, 0, max(0, room))
    return Widths(words, shape, parameters, room - parameters - 2)


def _count(program: Program, key: str) -> int:
    """How many parameters a node has."""
    return sum(program.slots[name].size for name in program.parameters if program.owners.get(name) == key)


def _figure(count: int) -> str:
    return f"{count:,}".replace(",", "\u2009") if count else ""


def _row(sight: Sight, part: Part, columns: int, widths: Widths, lit: frozenset[Edge]) -> Line:
    scene, names = sight.scene, Names(sight.scene.view.program)
    program = scene.view.program
    written = bool(scene.written[0]) and names.base(scene.written[0]) == part.slot
    read = part.slot in scene.read or f"{part.slot}.grad" in scene.read
    ink = "now+bold" if written else "now" if read else "plain" if part.title else "dim"
    graph = rails(program)
    signs = (graph.rows if _heads(part) else graph.below).get(part.key, ())
    mark = ("+cursor" if sight.focused else "+under") if names.base(scene.cursor[0]) == part.slot else ""
    runs: list[Run] = [(f"{'▸' if written else '·' if read else ' '} ", ink), *spelled(signs, graph.width, lit)]
    text = _words(part, names)
    runs += [(" ", "plain"), (_cut(text, widths.words).ljust(widths.words), ink + mark)]
    runs.append((f" {cells(program.slots[part.slot].shape):>{widths.shape}}  ", "dim"))
    if widths.parameters:
        runs.append((f"{_parameters(program, part):>{widths.parameters}}  ", "dim"))
    return cut(line(*runs, *_values(sight, part.slot, widths.room)), columns)


def _heads(part: Part) -> bool:
    """Whether it is the row that stands for all of its node."""
    return part.level == 0


def _words(part: Part, names: Names) -> str:
    """What a row says: a sign that it opens, its name, what it is."""
    sign = (_OPEN if part.open else _CLOSED) if part.group else "  "
    name = safe(names.slot(part.slot))
    if part.level and part.title:
        return f"{'  ' * part.level}{sign}{part.title}  {name}"
    return f"{'  ' * part.level}{sign}{name}" + (f"  {part.title}" if part.title else "")


def _parameters(program: Program, part: Part) -> str:
    """How many it has: a node all of its own, a slot its cells."""
    if part.title and not part.level:
        return _figure(_count(program, part.key))
    return _figure(program.slots[part.slot].size) if program.slots[part.slot].kind == "parameter" else ""


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: room - 1] + "…"


def _values(sight: Sight, slot: str, room: int) -> list[Run]:
    """The strip of a slot's values, and its gradient's beside it."""
    wide = max(1, min(_WIDEST, (room - 2) // 2 if room > _ROOM // 2 else room))
    runs = strip(sight, slot, wide)
    if f"{slot}.grad" not in sight.scene.view.program.slots or room <= _ROOM // 2:
        return runs
    length = sum(len(text) for text, _ in runs)
    return [*runs, (" " * (wide - length) + " ∂", "dim+italic"), *strip(sight, f"{slot}.grad", wide)]


# What is chosen in it


def beside(sight: Sight, rows: int, opened: Opened, across: int, down: int) -> tuple[str, int]:
    """The cell that an arrow leads to: of another row, or another of the same slot."""
    slot, cell = sight.scene.cursor
    if across:
        return slot, max(0, min(sight.scene.view.program.slots[slot].size - 1, cell + across))
    made, here = parts(sight, rows, opened)
    base = Names(sight.scene.view.program).base(slot)
    here = next((k for k, part in enumerate(made) if part.slot == base), here)
    return made[max(0, min(len(made) - 1, here + down))].slot, 0


def group_of(sight: Sight, rows: int, opened: Opened) -> str:
    """The group that the row under the cursor opens or closes, or ""."""
    base = Names(sight.scene.view.program).base(sight.scene.cursor[0])
    return next((part.group for part in parts(sight, rows, opened)[0] if part.slot == base), "")


def block_at(sight: Sight, columns: int, rows: int, opened: Opened, x: int, y: int) -> tuple[Part, int] | None:
    """The row at a place, and its cell there: that of the strip, else the first."""
    made, here = parts(sight, rows, opened)
    first, last = _window(len(made), here, rows)
    if not first + bool(first) <= first + y < last - (last < len(made)):
        return None
    program = sight.scene.view.program
    part, widths = made[first + y], _widths(program, columns)
    start = 6 + rails(program).width + widths.words + widths.shape
    start += widths.parameters + 2 if widths.parameters else 0
    cells = span(sight, part.slot)
    wide = max(1, min(_WIDEST, (widths.room - 2) // 2 if widths.room > _ROOM // 2 else widths.room, len(cells)))
    place = x - start
    return part, cells[place * len(cells) // wide] if 0 <= place < wide else cells.start
