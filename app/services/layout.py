"""Automatic layout: positions for nodes of real sizes, in ranks along the flow, the same each time.

A drawing that would be too long goes on in a next row, as text does, where the fewest wires have to follow it.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import attrs

from app.document.records import Id, Point
from app.services.layered.coordinates import across
from app.services.layered.order import ordered_rows
from app.services.layered.ranks import Lattice, make_lattice
from app.services.layered.stacks import Stack, draw_near, find_stacks, with_stacks

Size = tuple[float, float]
Direction = Literal["down", "right", "up", "left"]

LANE = 16.0
"""How broad a lane is that keeps room for a long wire."""


@attrs.frozen
class LayoutOptions:
    """How a layout is to look; lengths are those of the board.

    `rank_gap` lies between ranks, `node_gap` between neighbours in a rank. `wrap` is the longest run along the flow
    before a next row begins, 0 for never. Positions are rounded to `grid`.
    """

    direction: Direction = "down"
    rank_gap: float = 56.0
    node_gap: float = 40.0
    wrap: float = 0.0
    grid: float = 8.0


def layered(
    sizes: Mapping[Id, Size], edges: Sequence[tuple[Id, Id]], options: LayoutOptions | None = None
) -> dict[Id, Point]:
    """Return the centre of every node so that none overlap and edges follow the flow.

    Edges are given in the order of the inputs they lead to, since a node's first input goes first. Edges of a cycle
    cannot all follow the flow; whatever is not connected is placed side by side.
    """
    options = options or LayoutOptions()
    return Layered(sizes, edges, options).places(options.wrap)


class Layered:
    """A drawing whose ranks and lines are found, to be cut into rows of any length."""

    def __init__(
        self, sizes: Mapping[Id, Size], edges: Sequence[tuple[Id, Id]], options: LayoutOptions
    ) -> None:
        """Find ranks, order and lines; see `layered`."""
        flat = options.direction in ("left", "right")
        boxes = {key: (height, width) if flat else (width, height) for key, (width, height) in sizes.items()}
        self._options = options
        self._keys = list(boxes)
        self._parts = [_lay_out(part, boxes, options) for part in _parts(self._keys, edges)]

    def places(self, wrap: float) -> dict[Id, Point]:
        """Return the centre of every node where a row may be so long."""
        options = attrs.evolve(self._options, wrap=wrap)
        placed = _side_by_side([_cut(lines, options) for lines in self._parts], options)
        return {key: _turned(placed[key], options) for key in self._keys}


@attrs.frozen
class _Lines:
    """A connected part in ranks: for every vertex its place across the flow and the nodes that stand there."""

    lattice: Lattice
    x: list[float]
    standing: list["_Standing"]


@attrs.frozen
class _Standing:
    """What stands at a vertex: nodes side by side and their distances from its middle; none in a lane."""

    width: float
    height: float
    nodes: tuple[tuple[Id, Size, float], ...] = ()


@attrs.frozen
class _Piece:
    """A connected part, laid out downwards from (0, 0): centres, and the size of it all."""

    centres: dict[Id, Point]
    width: float
    height: float


Part = tuple[list[Id], list[tuple[int, int]]]


def _parts(keys: list[Id], edges: Sequence[tuple[Id, Id]]) -> list[Part]:
    """Split into connected parts, in the order of their first nodes; edges become numbers within the part."""
    leader = {key: key for key in keys}

    def find(key: Id) -> Id:
        while leader[key] != key:
            leader[key] = leader[leader[key]]
            key = leader[key]
        return key

    known = [(source, target) for source, target in edges if source in leader and target in leader]
    for source, target in known:
        leader[find(source)] = find(target)
    parts: dict[Id, Part] = {}
    number: dict[Id, int] = {}
    for key in keys:
        members, _ = parts.setdefault(find(key), ([], []))
        number[key] = len(members)
        members.append(key)
    for source, target in known:
        parts[find(source)][1].append((number[source], number[target]))
    return list(parts.values())


def _lay_out(part: Part, boxes: Mapping[Id, Size], options: LayoutOptions) -> _Lines:
    keys, edges = part
    stacks, lattice, nodes = _without_stacks(len(keys), edges)
    rows = ordered_rows(lattice)
    standing = [_stand([keys[node]], boxes, options) for node in nodes]
    standing += [_Standing(LANE, 0.0)] * (len(lattice.rank) - lattice.real)
    first = len(standing)
    standing += [_stand([keys[node] for node in stack.members], boxes, options) for stack in stacks]
    number = {node: vertex for vertex, node in enumerate(nodes)}
    stacks = [attrs.evolve(stack, reader=number[stack.reader]) for stack in stacks]
    lattice, rows = with_stacks(lattice, rows, stacks)
    widths, gap = [one.width for one in standing], options.node_gap + options.grid
    x = across(lattice, rows, widths, gap)
    draw_near(x, rows, widths, gap, lambda v: x[stacks[v - first].reader] if v >= first else None)
    return _Lines(lattice, x, standing)


def _without_stacks(count: int, edges: Sequence[tuple[int, int]]) -> tuple[list[Stack], Lattice, list[int]]:
    """Return the stacks, the lattice of everything else, and which nodes its vertices are.

    A node that has an input only where a cycle is turned round keeps its arguments as nodes of their own.
    """
    stacks = find_stacks(count, edges)
    while True:
        stacked = {node for stack in stacks for node in stack.members}
        nodes = [node for node in range(count) if node not in stacked]
        number = {node: vertex for vertex, node in enumerate(nodes)}
        kept = [(number[source], number[target]) for source, target in edges if source in number]
        lattice = make_lattice(len(nodes), kept)
        beside = [stack for stack in stacks if lattice.above[number[stack.reader]]]
        if len(beside) == len(stacks):
            return stacks, lattice, nodes
        stacks = beside


def _stand(keys: Sequence[Id], boxes: Mapping[Id, Size], options: LayoutOptions) -> _Standing:
    """Put nodes side by side."""
    gap = options.grid * 2
    width = sum(boxes[key][0] for key in keys) + gap * (len(keys) - 1)
    nodes, here = [], -width / 2
    for key in keys:
        nodes.append((key, boxes[key], here + boxes[key][0] / 2))
        here += boxes[key][0] + gap
    return _Standing(width, max(boxes[key][1] for key in keys), tuple(nodes))


def _cut(lines: _Lines, options: LayoutOptions) -> _Piece:
    lattice, x, standing = lines.lattice, lines.x, lines.standing
    heights = [0.0] * lattice.rank_count
    for vertex, one in enumerate(standing):
        heights[lattice.rank[vertex]] = max(heights[lattice.rank[vertex]], one.height)
    rank_row, y = _wrapped(lattice, heights, options)
    left = _row_lefts(lines, rank_row, options)
    centres, width, height = {}, 0.0, 0.0
    for vertex, one in enumerate(standing):
        rank = lattice.rank[vertex]
        for key, box, aside in one.nodes:
            centre = centres[key] = (x[vertex] + aside - left[rank_row[rank]], y[rank])
            width, height = max(width, centre[0] + box[0] / 2), max(height, centre[1] + box[1] / 2)
    return _Piece(centres, width, height)


def _wrapped(lattice: Lattice, heights: list[float], options: LayoutOptions) -> tuple[list[int], list[float]]:
    """Return for every rank its row and its centre along the flow."""
    step = options.rank_gap + options.grid
    length = sum(heights) + step * (len(heights) - 1)
    starts = {0}
    if options.wrap and length > options.wrap:
        starts |= set(_cuts(lattice, heights, options))
    rank_row: list[int] = []
    y: list[float] = []
    here = 0.0
    for rank, height in enumerate(heights):
        here = 0.0 if rank in starts else here
        rank_row.append(rank_row[-1] + (rank in starts) if rank_row else 0)
        y.append(here + height / 2)
        here += height + step
    return rank_row, y


def _cuts(lattice: Lattice, heights: list[float], options: LayoutOptions) -> list[int]:
    """Choose the ranks that begin a row: rows about alike and not too long, few wires leading from row to row."""
    step = options.rank_gap + options.grid
    ends = [0.0]
    for height in heights:
        ends.append(ends[-1] + height + step)
    wires = [0] * (len(heights) + 1)
    for vertex, rank in enumerate(lattice.rank):
        is_stack = not lattice.below[vertex] and not lattice.above[vertex]
        wires[rank + 1] += bool(lattice.below[vertex]) or is_stack
    even = ends[-1] / math.ceil((ends[-1] - step) / options.wrap)
    best: list[tuple[float, int]] = [(0.0, 0)]
    for stop in range(1, len(heights) + 1):
        choices = []
        for start in range(stop - 1, -1, -1):
            run = ends[stop] - ends[start]
            if run - step > options.wrap and start < stop - 1:
                break
            uneven = 0.0 if stop == len(heights) and run < even else ((run - even) / even) ** 2
            following = 0.1 + max(0, wires[stop] - 1) if stop < len(heights) else 0.0
            choices.append((best[start][0] + uneven + following, start))
        best.append(min(choices, key=lambda choice: choice[0]))
    cuts, stop = [], len(heights)
    while stop:
        stop = best[stop][1]
        cuts.append(stop)
    return cuts


def _row_lefts(lines: _Lines, rank_row: list[int], options: LayoutOptions) -> list[float]:
    """Return what to take from the coordinates of each row, so that rows lie one after the other."""
    count = rank_row[-1] + 1 if rank_row else 1
    low, high = [math.inf] * count, [-math.inf] * count
    for vertex, one in enumerate(lines.standing):
        if one.nodes:
            row = rank_row[lines.lattice.rank[vertex]]
            low[row] = min(low[row], lines.x[vertex] - one.width / 2)
            high[row] = max(high[row], lines.x[vertex] + one.width / 2)
    lefts, here = [], 0.0
    for least, most in zip(low, high, strict=True):
        lefts.append(least - here)
        here += most - least + max(options.node_gap, options.rank_gap) + options.grid
    return lefts


def _side_by_side(pieces: list[_Piece], options: LayoutOptions) -> dict[Id, Point]:
    """Put the parts next to each other, in shelves about as broad as the whole is high."""
    gap = options.node_gap + options.grid
    area = sum((piece.width + gap) * (piece.height + gap) for piece in pieces)
    limit = max(max((piece.width for piece in pieces), default=0.0), math.sqrt(area) * 1.4)
    placed, x, y, shelf = {}, 0.0, 0.0, 0.0
    for piece in pieces:
        if x and x + piece.width > limit:
            x, y, shelf = 0.0, y + shelf + options.rank_gap + options.grid, 0.0
        for key, (one, two) in piece.centres.items():
            placed[key] = (x + one, y + two)
        x += piece.width + gap
        shelf = max(shelf, piece.height)
    return placed


def _turned(point: Point, options: LayoutOptions) -> Point:
    """Turn a place of the drawing that flows down into the direction asked for, on the grid."""
    x, y = (math.floor(value / options.grid + 0.5) * options.grid for value in point)
    return {"down": (x, y), "up": (x, -y), "right": (y, x), "left": (-y, x)}[options.direction]
