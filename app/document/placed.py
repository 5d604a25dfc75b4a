"""What has a place on the board: nodes, frames and notes; how they are told of together, and what stands in a frame."""

from collections.abc import Collection, Iterable, Iterator

from app.document.records import Document, Frame, Id, Node, Note, Point, TableName

Placed = Node | Frame | Note
CHOSEN: tuple[TableName, ...] = ("nodes", "edges", "frames", "notes")
"""The tables whose records can be selected."""


def placed(document: Document, key: Id) -> Placed:
    """Return the node, frame or note with an id; KeyError where there is none."""
    for table in (document.nodes, document.frames, document.notes):
        if key in table:
            return table[key]
    raise KeyError(key)


def all_placed(document: Document) -> Iterator[Id]:
    """Yield the ids of everything that has a place: nodes, then frames, then notes."""
    yield from document.nodes
    yield from document.frames
    yield from document.notes


def corners(one: Placed) -> tuple[Point, Point]:
    """Return the left upper and the right lower corner of what the document knows of its reach."""
    x, y = one.position
    if isinstance(one, Frame):
        return (x, y), (x + one.size[0], y + one.size[1])
    return (x, y), (x + one.width, y) if isinstance(one, Note) else (x, y)


def told(document: Document, keys: Iterable[Id]) -> str:
    """Say which things are meant: `fc1`, `3 nodes and 1 frame`."""
    keys = tuple(keys)
    return _name(placed(document, keys[0])) if len(keys) == 1 else counted(document, keys)


def counted(document: Document, keys: Iterable[Id], wires: int = 0) -> str:
    """Say how many things of each kind there are, and how many wires: `1 node and 2 wires`."""
    things = [placed(document, key) for key in keys]
    counts = [
        *(
            (sum(isinstance(one, kind) for one in things), word)
            for kind, word in ((Node, "node"), (Frame, "frame"), (Note, "note"))
        ),
        (wires, "wire"),
    ]
    said = [f"{count} {word}{'s' * (count > 1)}" for count, word in counts if count]
    return " and ".join([", ".join(said[:-1]), said[-1]]) if len(said) > 1 else "".join(said)


def _name(one: Placed) -> str:
    if isinstance(one, Node):
        return one.name
    if isinstance(one, Frame):
        return f"the frame {one.title}" if one.title else "a frame"
    return "a note"


def contents(document: Document, frame_id: Id) -> frozenset[Id]:
    """Return what stands in a frame: nodes by their middle, notes by their upper corner, frames as a whole."""
    frame = document.frames[frame_id]
    found = {key for key, node in document.nodes.items() if _holds(frame, node.position)}
    found |= {key for key, note in document.notes.items() if _holds(frame, note.position)}
    found |= {
        key
        for key, other in document.frames.items()
        if key != frame_id and all(_holds(frame, corner) for corner in corners(other))
    }
    return frozenset(found)


def with_contents(document: Document, keys: Iterable[Id]) -> frozenset[Id]:
    """Return these things, and with every frame among them what stands in it."""
    found = set(keys)
    for key in found & document.frames.keys():
        found |= contents(document, key)
    return frozenset(found)


def innermost_frame(document: Document, place: Point, but: Collection[Id] = ()) -> Id | None:
    """Return the smallest frame that holds a place, of those that are not left out."""
    holding = [
        (frame.size[0] * frame.size[1], key)
        for key, frame in document.frames.items()
        if key not in but and _holds(frame, place)
    ]
    return min(holding)[1] if holding else None


def _holds(frame: Frame, place: Point) -> bool:
    (left, top), (right, bottom) = corners(frame)
    return left <= place[0] <= right and top <= place[1] <= bottom
