"""Edits that put things in line: edges or middles at one place, or gaps of one size."""

from collections.abc import Mapping
from typing import Literal

import attrs

from app.document.changes import Transaction
from app.document.edits.nodes import move
from app.document.placed import placed, told
from app.document.records import Document, Id, Point
from app.document.refusal import EditError

Side = Literal["left", "right", "top", "bottom", "centre", "middle"]
"""`centre` is the middle from left to right, `middle` that from top to bottom."""
Axis = Literal["across", "down"]

_ACROSS: frozenset[Side] = frozenset(("left", "right", "centre"))
_WORDS: Mapping[Side, str] = {
    "left": "at their left edges",
    "right": "at their right edges",
    "top": "at their upper edges",
    "bottom": "at their lower edges",
    "centre": "on one upright line",
    "middle": "on one level line",
}


@attrs.frozen
class Box:
    """How far something reaches on the board: x from left to right, y from top to bottom."""

    left: float
    top: float
    right: float
    bottom: float

    def span(self, axis: Axis) -> tuple[float, float]:
        """Return where it begins and ends along an axis."""
        return (self.left, self.right) if axis == "across" else (self.top, self.bottom)


def align(document: Document, boxes: Mapping[Id, Box], side: Side) -> Transaction:
    """Put one edge or the middles of things at one place; `boxes` says where each of them reaches.

    Edges go to the outermost one, middles to the middle of all.
    """
    if len(boxes) < 2:
        raise EditError("Select two nodes or more to align them.")
    axis: Axis = "across" if side in _ACROSS else "down"
    spans = {key: box.span(axis) for key, box in boxes.items()}
    low, high = min(start for start, _ in spans.values()), max(end for _, end in spans.values())

    def shift(start: float, end: float) -> float:
        if side in ("left", "top"):
            return low - start
        if side in ("right", "bottom"):
            return high - end
        return (low + high - start - end) / 2

    shifts = {key: shift(*span) for key, span in spans.items()}
    return _shifted(document, shifts, axis, f"Align {told(document, boxes)} {_WORDS[side]}")


def distribute(document: Document, boxes: Mapping[Id, Box], axis: Axis) -> Transaction:
    """Make the gaps between things alike; the first and the last along the axis stay."""
    if len(boxes) < 3:
        raise EditError("Select three nodes or more to distribute them.")
    spans = {key: box.span(axis) for key, box in boxes.items()}
    order = sorted(spans, key=lambda key: (sum(spans[key]), key))
    start, end = spans[order[0]][0], spans[order[-1]][1]
    gap = (end - start - sum(high - low for low, high in spans.values())) / (len(order) - 1)
    shifts, at = {}, start
    for key in order:
        low, high = spans[key]
        shifts[key] = at - low
        at += high - low + gap
    return _shifted(document, shifts, axis, f"Distribute {told(document, boxes)} {axis}")


NOTHING = 1e-6
"""Shifts below this are what rounding left."""


def _shifted(document: Document, shifts: Mapping[Id, float], axis: Axis, label: str) -> Transaction:
    there: dict[Id, Point] = {}
    for key, shift in shifts.items():
        x, y = placed(document, key).position
        if abs(shift) > NOTHING:
            there[key] = (x + shift, y) if axis == "across" else (x, y + shift)
    if not there:
        raise EditError("They are in line already.")
    return attrs.evolve(move(document, there), label=label)
