"""The tree as a reader sees it: which nodes are opened, where the cursor is, which rows there are. It knows no screen.

A long list shows a page of its children and says what the rest comes to; that row opens the next page.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bptui.explain.notation import MOST_TERMS
from bptui.explain.tree.nodes import Node

PAGE = 10
# The numbers of children from the root on, from 1; a last 0 is the row that tells of the rest.
Path = tuple[int, ...]
_REST = 0


@dataclass(frozen=True)
class Row:
    """A row: of a node, or of the children that are not shown."""

    path: Path
    text: str
    share: float | None = None
    openable: bool = False
    opened: bool = False

    @property
    def depth(self) -> int:
        """How far it is indented."""
        return len(self.path)


@dataclass(frozen=True, eq=False)
class Tree:
    """A root, which nodes are opened, how many of their children are shown where more than a page, and the cursor."""

    root: Node
    opened: frozenset[Path] = frozenset({()})
    shown: Mapping[Path, int] = field(default_factory=dict)
    cursor: Path = ()

    def rows(self) -> list[Row]:
        """Every row there is at present; only the children of opened nodes are made."""
        return list(self._rows(self.root, ()))

    def window(self, height: int) -> tuple[list[Row], int, tuple[int, int]]:
        """At most so many rows, the cursor's among them; which of them that is, and how many lie above and below."""
        rows = self.rows()
        at = self._at(rows)
        top = min(max(0, at - height // 2), max(0, len(rows) - height))
        return rows[top : top + height], at - top, (top, max(0, len(rows) - top - height))

    @property
    def node(self) -> Node:
        """The node under the cursor; for the rest of a list the one that it is of."""
        return node_at(self.root, self.cursor[:-1] if self._on_rest else self.cursor)

    def moved(self, by: int) -> Tree:
        """The cursor up or down."""
        rows = self.rows()
        return replace(self, cursor=rows[min(max(0, self._at(rows) + by), len(rows) - 1)].path)

    def deeper(self) -> Tree:
        """The node under the cursor opened; into an opened one; of the rest of a list one more page."""
        if self._on_rest:
            above = self.cursor[:-1]
            before = self.shown.get(above) or first_page(self.node)
            return replace(self, shown={**self.shown, above: before + PAGE}, cursor=(*above, before + 1))
        if not self.node.openable:
            return self
        if self.cursor in self.opened:
            return self.moved(1)
        return replace(self, opened=self.opened | {self.cursor})

    def back(self) -> Tree:
        """The node under the cursor closed; from a closed one up to what it belongs to."""
        if self.cursor in self.opened and self.cursor:
            return replace(self, opened=self.opened - {self.cursor})
        return replace(self, cursor=self.cursor[:-1])

    @property
    def _on_rest(self) -> bool:
        return self.cursor[-1:] == (_REST,)

    def _at(self, rows: Sequence[Row]) -> int:
        return next((k for k, row in enumerate(rows) if row.path == self.cursor), 0)

    def _rows(self, node: Node, path: Path) -> Iterator[Row]:
        opened = path in self.opened
        yield Row(path, node.label + node.text, node.share, node.openable, opened)
        if not opened:
            return
        most = self.shown.get(path) or first_page(node)
        for k, child in enumerate(node.children[:most], 1):
            yield from self._rows(child, (*path, k))
        if rest := node.children[most:]:
            yield Row((*path, _REST), rest_text(rest), openable=True)


def first_page(node: Node) -> int:
    """How many children are shown at first: a page, but of a sum no terms that are 0 at its end."""
    shown = node.children[:PAGE]
    last = next((k for k in range(len(shown), 1, -1) if shown[k - 1].share is None or shown[k - 1].value), 1)
    return last if len(node.children) > MOST_TERMS else len(shown)


class PathError(ValueError):
    """A path that leads to no node."""


def node_at(root: Node, path: Path) -> Node:
    """The node that a path leads to. Raises PathError."""
    node = root
    for k in path:
        if not node.openable or not node.children:
            raise PathError(f"there is nothing to open below {node.text}")
        if not 1 <= k <= len(node.children):
            raise PathError(f"there is no number {k}: {node.text.partition('  ')[0]} opens into {len(node.children)}")
        node = node.children[k - 1]
    return node


def rest_text(rest: Sequence[Node]) -> str:
    """What is said of children that are not shown."""
    shares = [node.share for node in rest if node.share is not None]
    if len(shares) < len(rest):
        return f"… {len(rest)} more"
    return f"… {len(rest)} more, {f'together {percent(math.fsum(shares))}' if any(shares) else 'all 0'}"


def percent(share: float) -> str:
    """A share as a person reads it."""
    return f"{100 * share:.1f} %"


def page(node: Node, start: int = 1) -> list[str]:
    """A node as lines: its formula, and a page of what it is made of, numbered, from number `start` on."""
    lines = list(node.heading) or [node.text]
    if not node.openable:
        return lines
    end = start - 1 + (first_page(node) if start == 1 else PAGE)
    shown = node.children[start - 1 : end]
    if terms := sum(child.share is not None for child in node.children):
        lines.append(f"  the sum of {terms}{_order(node)}; % of the sum of their sizes:")
    for k, child in enumerate(shown, start):
        share = "" if child.share is None else percent(child.share)
        lines.append(f"{k:>4} {share:>8}  {child.label}{child.text}")
    if rest := node.children[end:]:
        lines.append(f"{'':>4} {'':>8}  {rest_text(rest)}: {end + 1}+")
    return lines


def _order(node: Node) -> str:
    sizes = [abs(child.value) for child in node.children if child.share is not None]
    return ", the largest first" if len(sizes) > 2 and sizes == sorted(sizes, reverse=True) else ""
