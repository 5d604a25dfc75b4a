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
    flat = options.direction in ("left", "right")
    boxes = {key: (height, width) if flat else (width, height) for key, (width, height) in sizes.items()}
    pieces = [_lay_out(part, boxes, options) for part in _parts(list(boxes), edges)]
    placed = _side_by_side(pieces, options)
    return {key: _turned(placed[key], options) for key in sizes}


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


def _lay_out(part: Part, boxes: Mapping[Id, Size], options: LayoutOptions) -> _Piece:
    keys, edges = part
    lattice = make_lattice(len(keys), edges)
    rows = ordered_rows(lattice)
    lanes = len(lattice.rank) - lattice.real
    widths = [boxes[key][0] for key in keys] + [LANE] * lanes
    x = across(lattice, rows, widths, options.node_gap + options.grid)
    heights = [
        max((boxes[keys[vertex]][1] for vertex in row if vertex < lattice.real), default=0.0) for row in rows
    ]
    rank_row, y = _wrapped(lattice, heights, options)
    left = _row_lefts(lattice, rank_row, x, widths, options)
    centres = {}
    for vertex, key in enumerate(keys):
        rank = lattice.rank[vertex]
        centres[key] = (x[vertex] - left[rank_row[rank]], y[rank])
    width = max(centres[key][0] + boxes[key][0] / 2 for key in keys)
    height = max(centres[key][1] + boxes[key][1] / 2 for key in keys)
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
    for vertex, below in enumerate(lattice.below):
        wires[lattice.rank[vertex] + 1] += bool(below)
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


def _row_lefts(
    lattice: Lattice, rank_row: list[int], x: list[float], widths: list[float], options: LayoutOptions
) -> list[float]:
    """Return what to take from the coordinates of each row, so that rows lie one after the other."""
    count = rank_row[-1] + 1 if rank_row else 1
    low, high = [math.inf] * count, [-math.inf] * count
    for vertex in range(lattice.real):
        row = rank_row[lattice.rank[vertex]]
        low[row] = min(low[row], x[vertex] - widths[vertex] / 2)
        high[row] = max(high[row], x[vertex] + widths[vertex] / 2)
    lefts, here = [], 0.0
    for one, two in zip(low, high, strict=True):
        lefts.append(one - here)
        here += two - one + max(options.node_gap, options.rank_gap) + options.grid
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
