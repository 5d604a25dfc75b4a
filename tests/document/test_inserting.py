"""A node between the two ends of a wire, and the room that is made for it."""

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from app.document import edits
from app.document.edits import EditError
from app.document.invariants import broken_invariants
from app.document.records import GROUP, VARIABLE, Document, Id, Point
from app.document.room import NEWCOMER, make_room
from app.document.topology import topology
from tests.boards import Board, mlp, product
from tests.strategies import drawings, ops


def wire_between(board: Board, source: str, target: str) -> Id:
    return next(
        key
        for key, edge in board.document.edges.items()
        if (board.name(edge.source), board.name(edge.target)) == (source, target)
    )


def fed_by(board: Board, name: str) -> dict[int, str]:
    wires = topology(board.document).inputs(board.find(name))
    return {number: board.name(edge.source) for number, edge in wires.items()}


def test_a_node_without_wires_goes_between_with_its_best_input() -> None:
    board = mlp()
    before = board.document
    drop = board.add("Dropout", "drop")
    start = board.document
    wire = wire_between(board, "relu1", "fc2")
    board.do(edits.insert_node(board.document, wire, drop, {drop: (8.0, 16.0)}))
    assert (fed_by(board, "drop"), fed_by(board, "fc2")) == ({0: "relu1"}, {0: "drop"})
    assert board.document.nodes[drop].position == (8.0, 16.0)
    assert board.store.undo_label == "Put drop before fc2"
    board.store.undo()
    assert board.document == start
    board.store.undo()
    assert board.document == before


def test_a_place_among_many_inputs_stays() -> None:
    board = Board()
    a, b = board.add(VARIABLE, "a"), board.add(VARIABLE, "b")
    concat, exp = board.add("Concat", "all", {"num_args": "2"}), board.add("exp", "e")
    board.wire(a, concat, 0)
    board.wire(b, concat, 1)
    board.do(edits.insert_node(board.document, wire_between(board, "a", "all"), exp))
    assert fed_by(board, "all") == {0: "e", 1: "b"}
    assert board.document.nodes[concat].params["num_args"] == "2"


@pytest.mark.parametrize(
    ("op", "said"),
    [(VARIABLE, "is a Variable and takes no inputs"), (GROUP, "is a Group: it lists outputs")],
)
def test_what_cannot_stand_in_a_wire_says_why(op: str, said: str) -> None:
    board = product()
    node = board.add(op, "it")
    with pytest.raises(EditError, match=said):
        edits.insert_node(board.document, wire_between(board, "A", "C"), node)


def test_a_node_with_wires_is_not_torn_out_of_them() -> None:
    board = product()
    with pytest.raises(EditError, match="C has wires already"):
        edits.insert_node(board.document, wire_between(board, "D", "E"), board.find("C"))


def test_nothing_but_a_variable_feeds_an_auxiliary_state() -> None:
    board = Board()
    norm, state, exp = board.add("BatchNorm", "bn"), board.add(VARIABLE, "s"), board.add("exp", "e")
    wire = board.wire(state, norm, 3)
    with pytest.raises(EditError, match="auxiliary state"):
        edits.insert_node(board.document, wire, exp)


def test_a_new_node_goes_between_where_it_was_dropped() -> None:
    board = mlp()
    wire = wire_between(board, "fc1", "relu1")
    aside = {board.find("relu1"): (400.0, 0.0)}
    opening = edits.OnWire(wire, aside)
    board.do(edits.put(board.document, "BatchNorm", (80.0, 8.0), opening, name="bn").transaction)
    assert board.document.nodes[board.find("bn")].position == (80.0, 8.0)
    assert board.document.nodes[board.find("relu1")].position == (400.0, 0.0)
    assert fed_by(board, "relu1") == {0: "bn"}
    board.store.undo()
    assert fed_by(board, "relu1") == {0: "fc1"}


@settings(max_examples=150, deadline=None)
@given(document=drawings(), op=ops, data=st.data())
def test_an_insertion_keeps_every_other_wire(document: Document, op: str, data: st.DataObject) -> None:
    if not document.edges:
        return
    wire = data.draw(st.sampled_from(list(document.edges)))
    try:
        added = edits.insert_on_wire(document, wire, op)
    except EditError as error:
        assert error.sentence.endswith(".")
        return
    after = added.transaction.apply(document)
    assert broken_invariants(after) == [] and added.transaction.inverse().apply(after) == document
    assert {**after.edges, wire: document.edges[wire]}.items() >= document.edges.items()
    (through,) = topology(after).outputs(added.node_id)
    assert (through.target, through.input) == (document.edges[wire].target, document.edges[wire].input)
    (fed,) = topology(after).inputs(added.node_id).values()
    assert (fed.source, fed.output) == (document.edges[wire].source, document.edges[wire].output)
    assert not topology(after).has_circle


# Room ------------------------------------------------------------------------------------------------------------


def placed(board: Board, **places: Point) -> None:
    board.do(edits.move(board.document, {board.find(name): place for name, place in places.items()}))


def room(board: Board, wire: Id, place: Point, size: tuple[float, float] = (100.0, 60.0)) -> dict[str, Point]:
    document = board.document
    sizes = dict.fromkeys(document.nodes, (100.0, 60.0)) | {NEWCOMER: size}
    there = make_room(document, document.edges[wire], NEWCOMER, place, sizes, 8.0)
    return {board.name(key) if key else "new": point for key, point in there.items()}


def test_the_reader_and_what_follows_goes_on_along_the_flow_and_nobody_else() -> None:
    board = mlp()
    far = board.add("exp", "far")
    placed(board, data=(0, 0), fc1=(160, 0), relu1=(320, 0), fc2=(480, 8), softmax=(640, 0), far=(480, 300))
    wire = wire_between(board, "fc1", "relu1")
    there = room(board, wire, (240.0, 0.0))
    assert there == {
        "new": (304.0, 0.0),  # 140 after fc1, in whole steps of 8
        "relu1": (448.0, 0.0),
        "fc2": (608.0, 8.0),
        "softmax": (768.0, 0.0),
    }
    assert far


def test_nobody_moves_where_there_is_room_or_the_newcomer_stands_beside() -> None:
    board = mlp()
    placed(board, data=(0, 0), fc1=(0, 200), relu1=(0, 600), fc2=(0, 800), softmax=(0, 900))
    wire = wire_between(board, "fc1", "relu1")
    assert room(board, wire, (0.0, 400.0)) == {"new": (0.0, 400.0)}
    assert room(board, wire, (300.0, 220.0)) == {"new": (300.0, 220.0)}
    assert room(board, wire, (300.0, 590.0)) == {"new": (300.0, 590.0)}


def test_room_is_made_upwards_where_the_drawing_goes_up() -> None:
    board = mlp()
    placed(board, data=(0, 0), fc1=(0, -80), relu1=(0, -160), fc2=(0, -240), softmax=(0, -320))
    there = room(board, wire_between(board, "data", "fc1"), (0.0, -40.0))
    assert there["new"] == (0.0, -104.0)
    assert there["fc1"] == (0.0, -208.0) and there["softmax"] == (0.0, -448.0)


@settings(max_examples=100, deadline=None)
@given(
    document=drawings(),
    place=st.tuples(st.integers(-400, 400), st.integers(-400, 400)),
    size=st.tuples(st.integers(20, 300), st.integers(20, 300)),
    data=st.data(),
)
def test_the_newcomer_meets_neither_end(
    document: Document, place: Point, size: tuple[float, float], data: st.DataObject
) -> None:
    if not document.edges:
        return
    wire = document.edges[data.draw(st.sampled_from(list(document.edges)))]
    sizes = dict.fromkeys(document.nodes, (100.0, 60.0)) | {NEWCOMER: size}
    there = make_room(document, wire, NEWCOMER, place, sizes, 8.0)
    at = {key: node.position for key, node in document.nodes.items()} | there
    for end in (wire.source, wire.target):
        apart = [
            abs(at[end][axis] - at[NEWCOMER][axis]) - (sizes[end][axis] + size[axis]) / 2 for axis in (0, 1)
        ]
        assert max(apart) >= 0
    ends = document.nodes[wire.source].position, document.nodes[wire.target].position
    if ends[0] != ends[1]:
        assert wire.source not in there
