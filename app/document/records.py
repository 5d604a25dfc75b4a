"""The records a document is made of: frozen values in a few tables, joined by ids."""

from collections.abc import Mapping
from typing import Any, Literal, NewType

import attrs

from app.document.subgraphs import subgraph_sizes

Id = str
Point = tuple[float, float]
Request = Literal["write", "add", "null"]
JsonText = NewType("JsonText", str)
"""A value of JSON, or nothing, as a text that can't be changed in place."""
VARIABLE = "Variable"
GROUP = "Group"

_NO_GRAPHS = JsonText("")
_COUNT = attrs.validators.and_(attrs.validators.ge(0), attrs.validators.le(10_000))


def _check_graphs(_node: object, _field: object, text: str) -> None:
    subgraph_sizes(text)


@attrs.frozen
class Arity:
    """How many inputs, outputs that are listed, and hidden outputs an operator has that is not known here."""

    inputs: int = attrs.field(validator=_COUNT)
    outputs: int = attrs.field(default=1, validator=_COUNT)
    hidden: int = attrs.field(default=0, validator=_COUNT)


@attrs.frozen
class Node:
    """A Variable, a Group or an operator on the board.

    `op` is "Variable", "Group" or an operator's name in any spelling that MXNet knows. `params` are the texts that the
    user set, in MXNet's spelling, right or wrong; `attributes` are the node's own ones (`__lr_mult__`). `arity` is kept
    for an operator that is not known here, since nothing else tells it.

    The rest is what MXNet's files can say of a node and the board doesn't draw. `bare` names the inputs whose
    variables, where nobody wires them, get no copy of the settings; today's MXNet makes one. `control_deps` are the
    nodes that this one waits for without reading them. `subgraphs` are the graphs inside it, of control flow.
    """

    id: Id
    op: str
    name: str
    position: Point = (0.0, 0.0)
    params: Mapping[str, str] = attrs.field(factory=dict, hash=False)
    attributes: Mapping[str, str] = attrs.field(factory=dict, hash=False)
    arity: Arity | None = None
    bare: tuple[str, ...] = ()
    control_deps: tuple[Id, ...] = ()
    subgraphs: JsonText = attrs.field(default=_NO_GRAPHS, validator=_check_graphs)


@attrs.frozen
class Edge:
    """A wire from output number `output` of one node to input number `input` of another.

    Inputs are numbered in the operator's own order, auxiliary states after the inputs. Each input takes one wire.
    """

    id: Id
    source: Id
    output: int
    target: Id
    input: int


ValueKind = Literal["none", "constant", "initializer", "file", "dataset"]


@attrs.frozen
class Binding:
    """What one argument or auxiliary state is bound to; `id` is its name in the graph.

    `shape` is the given shape, unknown dimensions 0, or None when it is left to inference. `request` is None where the
    program's own proposal holds (write, but null for names with `data` or `label` in them).

    `value` by kind: constant, a JSON number or nested list as text; initializer, its spelling such as `normal(0.1)`;
    file, a path and after `#` the array's or column's name; dataset, `digits#image`.
    """

    id: Id
    kind: ValueKind = "none"
    value: str = ""
    shape: tuple[int, ...] | None = None
    dtype: str = "float32"
    request: Request | None = None


@attrs.frozen
class Head:
    """The gradient handed to backward for one output; `id` is the output's name (`E_output`)."""

    id: Id
    gradient: str = "1"


FrameColour = Literal["grey", "blue", "green", "amber", "violet"]
LARGEST = 1e6
"""No side of a frame and no line of a note is longer, on the board."""


def _check_lengths(_record: object, field: "attrs.Attribute[Any]", value: Point | float) -> None:
    lengths = value if isinstance(value, tuple) else (value,)
    if not all(0 < length <= LARGEST for length in lengths):
        raise ValueError(f"{field.name} is not above 0 and up to {LARGEST:.0f}")


@attrs.frozen
class Frame:
    """A rectangle with a title behind a part of the drawing; `position` is its left upper corner, the bar's too.

    It has no list of members: what stands in it belongs to it (docs/decisions/0038).
    """

    id: Id
    title: str = ""
    position: Point = (0.0, 0.0)
    size: Point = attrs.field(default=(240.0, 160.0), validator=_check_lengths)
    colour: FrameColour = "grey"


@attrs.frozen
class Note:
    """A text in Markdown on the board; `position` is its left upper corner, and its height follows from the text."""

    id: Id
    text: str = ""
    position: Point = (0.0, 0.0)
    width: float = attrs.field(default=240.0, validator=_check_lengths)


@attrs.frozen
class Settings:
    """The few settings of the document as a whole; there is one record, with id "settings".

    `heads` names the nodes whose outputs are bound, in order; empty means the Group on the board, else every operator
    whose outputs go nowhere. `batch` is how many rows of a data set one bind takes; `batch_start` is the first of them.
    """

    id: Id = "settings"
    title: str = ""
    heads: tuple[Id, ...] = ()
    seed: int = 7
    train: bool = True
    style: Literal["picture", "card"] = "picture"
    batch: int = 64
    batch_start: int = 0
    show_auto: bool = True


Annotation = Frame | Note
Record = Node | Edge | Binding | Head | Annotation | Settings
TableName = Literal["nodes", "edges", "bindings", "heads", "frames", "notes", "settings"]
Table = Mapping[Id, Record]


@attrs.frozen(eq=True)
class Document:
    """Everything that is saved: tables of records by id. Never changed in place."""

    nodes: Mapping[Id, Node] = attrs.Factory(dict)
    edges: Mapping[Id, Edge] = attrs.Factory(dict)
    bindings: Mapping[Id, Binding] = attrs.Factory(dict)
    heads: Mapping[Id, Head] = attrs.Factory(dict)
    settings: Mapping[Id, Settings] = attrs.Factory(lambda: {"settings": Settings()})
    frames: Mapping[Id, Frame] = attrs.Factory(dict)
    notes: Mapping[Id, Note] = attrs.Factory(dict)

    @property
    def options(self) -> Settings:
        """The document's one settings record."""
        return self.settings["settings"]


def empty_document() -> Document:
    """Return a document with nothing on the board."""
    return Document()
