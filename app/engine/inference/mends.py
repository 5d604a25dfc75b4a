"""A mend as a value: one change of a graph, in words that a sentence can take in, and as something that can be done."""

from typing import Literal

import attrs

from app.engine.operator import Operator
from app.engine.shapes import UNKNOWN, Shape

MOST_OFFERS = 2
FEW_NODES = 2000
"""In a larger graph whole trials take too long to be made while somebody waits."""


@attrs.frozen(eq=False)
class Mend:
    """One change of node `node`.

    `setting` gives `name` the text `value`; `operator` puts the operator `name` in its place; `shape` and `type` are
    what a variable is given; `cast` puts a Cast to the type `value` before input `input`. `changed` is the operator
    after the change, where the node has one.
    """

    kind: Literal["setting", "operator", "shape", "type", "cast"]
    words: str
    node: int
    name: str = ""
    value: str = ""
    shape: Shape = UNKNOWN
    input: int = -1
    changed: Operator | None = None
