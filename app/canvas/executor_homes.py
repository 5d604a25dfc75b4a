"""Where the arrays of a symbol stand on the board: at their nodes, or beside the nodes that made them."""

from typing import TYPE_CHECKING

import attrs
from PySide6.QtCore import QPointF

from app.canvas.appearance import Appearance

if TYPE_CHECKING:
    from app.document.analysis import Analysis

FANNED = 1.15
"""Automatic arguments stand a little farther out than on the board, since their arrays have more to say."""


@attrs.frozen
class Home:
    """The place of an array: at a node of the board, or `offset` away from the node `owner` that made it."""

    anchor: QPointF
    offset: QPointF = attrs.Factory(QPointF)
    owner: int | None = None

    @property
    def place(self) -> QPointF:
        """The place itself."""
        return self.anchor + self.offset


def homes_of(analysis: "Analysis") -> dict[int, Home]:
    """Return the home of every variable and operator, by its number in the symbol."""
    document = analysis.document
    homes = {}
    for key, index in analysis.node_index.items():
        homes[index] = Home(QPointF(*document.nodes[key].position))
    appearance = Appearance(document, analysis)
    for owner, arguments in analysis.auto_arguments.items():
        known = [argument.entry for argument in arguments if argument.entry is not None]
        anchor = QPointF(*document.nodes[owner].position)
        right = appearance.side_up.get(owner, True)
        for place, entry in enumerate(known):
            homes[entry[0]] = Home(
                anchor, _beside(place, len(known), right=right), analysis.node_index.get(owner)
            )
    return homes


def _beside(place: int, count: int, *, right: bool) -> QPointF:
    """Fan arguments out at one side, as the tutorial draws them."""
    down = -56.0 + 44.0 * place if count > 1 else -40.0
    aside = 92.0 + 24.0 * max(0.0, 1.0 - abs(down) / 80.0)
    return QPointF(aside if right else -aside, down) * FANNED
