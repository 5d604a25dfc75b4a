"""Any sequence of edits: undo all is the start, redo all is the end, and whatever is derived stays sound."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any, get_args

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from app.document import edits, fragments
from app.document.analysis import Analysis
from app.document.changes import Transaction
from app.document.checks import analyse, analyse_after
from app.document.edits import EditError
from app.document.invariants import broken_invariants
from app.document.names import name_owners
from app.document.placed import all_placed, contents, placed, with_contents
from app.document.records import Document
from app.document.store import Store
from tests.strategies import (
    bindings,
    drawings,
    lengths,
    names,
    note_texts,
    ops,
    param_texts,
    positions,
    sizes,
    titles,
)

nth = st.integers(0, 60)
numbers = st.integers(0, 4)


class Clock:
    """A clock that goes only when told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Editing(RuleBasedStateMachine):
    """A user with a store: edits, undoes, redoes, selects, saves."""

    @initialize(document=drawings(4))
    def begin(self, document: Document) -> None:
        self.clock = Clock()
        self.store = Store(document, clock=self.clock)
        self.start = self.store.document
        self.order = _order(self.start)

    @property
    def document(self) -> Document:
        return self.store.document

    def node(self, number: int) -> str:
        ids = list(self.document.nodes)
        return ids[number % len(ids)]

    def has_nodes(self) -> bool:
        return bool(self.document.nodes)

    def commit(self, transaction: Transaction) -> None:
        before = self.document
        self.store.commit(transaction)
        assert transaction.inverse().apply(self.document) == before

    def attempt(self, edit: Callable[..., Any], *arguments: object, **settings: object) -> str:
        """Do an edit, or return the sentence with which it was refused."""
        refusal = ""
        try:
            made = edit(self.document, *arguments, **settings)
            self.commit(getattr(made, "transaction", made))
        except EditError as error:
            refusal = error.sentence
        assert refusal.endswith((".", "?")) or not refusal
        return refusal

    # Edits

    @rule(op=ops, at=positions)
    def add(self, op: str, at: tuple[float, float]) -> None:
        added = edits.add_node(self.document, op, at)
        self.commit(added.transaction)
        assert self.store.selection == {added.node_id}

    @precondition(has_nodes)
    @rule(chosen=st.sets(nth, min_size=1, max_size=3), wires=st.sets(nth, max_size=2))
    def delete(self, chosen: set[int], wires: set[int]) -> None:
        edge_ids = list(self.document.edges)
        which = {edge_ids[number % len(edge_ids)] for number in wires} if edge_ids else set()
        self.commit(edits.delete(self.document, {self.node(number) for number in chosen}, which))

    @precondition(has_nodes)
    @rule(chosen=st.sets(nth, min_size=1, max_size=3), stay=st.booleans())
    def take_out_of_the_flow(self, chosen: set[int], stay: bool) -> None:
        edit = edits.detach if stay else edits.delete_and_heal
        self.attempt(edit, {self.node(number) for number in chosen})

    @precondition(lambda self: self.document.edges)
    @rule(wire=nth, number=nth, op=ops, new=st.booleans())
    def put_on_a_wire(self, wire: int, number: int, op: str, new: bool) -> None:
        ids = list(self.document.edges)
        what = (edits.insert_on_wire, op) if new else (edits.insert_node, self.node(number))
        self.attempt(what[0], ids[wire % len(ids)], what[1])

    @precondition(has_nodes)
    @rule(number=nth, op=ops)
    def swap(self, number: int, op: str) -> None:
        self.attempt(edits.swap_operator, self.node(number), op)

    @precondition(has_nodes)
    @rule(source=nth, output=numbers, into=nth, number=numbers)
    def connect(self, source: int, output: int, into: int, number: int) -> None:
        ends = (self.node(source), output, self.node(into), number)
        verdict = edits.can_connect(self.document, *ends)
        assert self.attempt(edits.connect, *ends) == verdict.reason

    @precondition(has_nodes)
    @rule(source=nth, into=nth)
    def connect_to_the_body(self, source: int, into: int) -> None:
        one, other = self.node(source), self.node(into)
        number = edits.best_input(self.document, one, 0, other)
        if number is not None:
            self.commit(edits.connect(self.document, one, 0, other, number))
            assert self.document.nodes.keys() >= {one, other}

    @precondition(lambda self: self.document.edges)
    @rule(wire=nth)
    def disconnect(self, wire: int) -> None:
        ids = list(self.document.edges)
        self.commit(edits.disconnect(self.document, ids[wire % len(ids)]))

    @precondition(lambda self: self.document.edges)
    @rule(wire=nth, into=nth, number=numbers)
    def rewire(self, wire: int, into: int, number: int) -> None:
        ids = list(self.document.edges)
        self.attempt(edits.rewire, ids[wire % len(ids)], self.node(into), number)

    @precondition(has_nodes)
    @rule(number=nth, at=positions, merge=st.sampled_from(["", "nudge"]))
    def move(self, number: int, at: tuple[float, float], merge: str) -> None:
        self.commit(edits.move(self.document, {self.node(number): at}, merge=merge))

    @precondition(has_nodes)
    @rule(number=nth, name=names)
    def rename(self, number: int, name: str) -> None:
        refusal = self.attempt(edits.rename, self.node(number), name)
        assert (name in refusal) == bool(refusal)

    @precondition(has_nodes)
    @rule(number=nth, which=nth, text=st.none() | param_texts)
    def set_param(self, number: int, which: int, text: str | None) -> None:
        node = self.document.nodes[self.node(number)]
        known = [*node.params, "no_bias", "num_args", "__lr_mult__"]
        self.commit(edits.set_param(self.document, node.id, known[which % len(known)], text))

    @precondition(has_nodes)
    @rule(which=nth, data=st.data())
    def bind(self, which: int, data: st.DataObject) -> None:
        known = list(name_owners(self.document))
        self.commit(edits.set_binding(self.document, data.draw(bindings(st.just(known[which % len(known)])))))

    @precondition(has_nodes)
    @rule(number=nth, place=numbers)
    def extract(self, number: int, place: int) -> None:
        self.attempt(edits.extract_argument, self.node(number), place)

    @precondition(has_nodes)
    @rule(number=nth, op=ops, side=st.sampled_from(["input", "output"]), place=numbers)
    def grow(self, number: int, op: str, side: str, place: int) -> None:
        wire = edits.LooseEnd(self.node(number), place, side)
        self.attempt(edits.add_and_connect, op, (0.0, 0.0), wire=wire)

    @precondition(has_nodes)
    @rule(chosen=st.sets(nth, min_size=1, max_size=3), keep=st.booleans())
    def copy_and_paste(self, chosen: set[int], keep: bool) -> None:
        piece = fragments.copy(self.document, {self.node(number) for number in chosen})
        piece = fragments.from_text(fragments.to_text(piece))
        pasted = fragments.paste(self.document, piece, (0.0, 0.0), keep)
        self.commit(pasted.transaction)
        assert self.store.selection == set(pasted.node_ids)

    # Frames, notes and lining up

    def thing(self, number: int) -> str:
        ids = list(all_placed(self.document))
        return ids[number % len(ids)]

    def has_things(self) -> bool:
        return any(True for _ in all_placed(self.document))

    @rule(at=positions, size=sizes, title=titles)
    def frame(self, at: tuple[float, float], size: tuple[float, float], title: str) -> None:
        made = edits.add_frame(self.document, at, size)
        self.commit(made.transaction)
        assert self.store.selection == {made.annotation_id}
        self.commit(edits.set_title(self.document, made.annotation_id, title))
        assert "\n" not in self.document.frames[made.annotation_id].title

    @rule(at=positions, text=note_texts)
    def note(self, at: tuple[float, float], text: str) -> None:
        before = len(self.document.notes)
        refusal = self.attempt(edits.add_note, at, text)
        assert len(self.document.notes) == before + bool(text.strip())
        assert bool(refusal) == (not text.strip())

    @precondition(lambda self: self.document.notes)
    @rule(number=nth, text=note_texts, width=lengths)
    def write(self, number: int, text: str, width: float) -> None:
        key = [*self.document.notes][number % len(self.document.notes)]
        self.commit(edits.set_width(self.document, key, width))
        self.commit(edits.set_text(self.document, key, text))
        assert (key in self.document.notes) == bool(text.strip())

    @precondition(lambda self: self.document.frames)
    @rule(number=nth, at=positions, size=sizes)
    def reshape(self, number: int, at: tuple[float, float], size: tuple[float, float]) -> None:
        key = [*self.document.frames][number % len(self.document.frames)]
        nodes = self.document.nodes
        self.commit(edits.reshape_frame(self.document, key, at, size))
        assert self.document.nodes == nodes, "nothing in it moves"
        inside = contents(self.document, key)
        for node in nodes.values():
            x, y = node.position
            held = at[0] <= x <= at[0] + size[0] and at[1] <= y <= at[1] + size[1]
            assert (node.id in inside) == held

    @precondition(lambda self: self.document.frames)
    @rule(number=nth, by=positions)
    def carry(self, number: int, by: tuple[float, float]) -> None:
        key = [*self.document.frames][number % len(self.document.frames)]
        carried = with_contents(self.document, [key])
        places = {one: placed(self.document, one).position for one in carried}
        there = {one: (x + by[0], y + by[1]) for one, (x, y) in places.items()}
        self.commit(edits.move(self.document, there))
        assert carried <= with_contents(self.document, [key]), "what was in it still is"

    @precondition(has_things)
    @rule(chosen=st.sets(nth, min_size=1, max_size=3))
    def delete_things(self, chosen: set[int]) -> None:
        keys = {self.thing(number) for number in chosen}
        nodes = keys & self.document.nodes.keys()
        left = self.document.nodes.keys() - nodes
        self.commit(edits.delete(self.document, nodes, (), keys - nodes))
        assert self.document.nodes.keys() == left
        assert not keys & set(all_placed(self.document))

    @precondition(has_things)
    @rule(chosen=st.sets(nth, max_size=4), side=st.sampled_from(get_args(edits.Side)), size=sizes)
    def align(self, chosen: set[int], side: edits.Side, size: tuple[float, float]) -> None:
        boxes = self.boxes(chosen, size)
        if not self.attempt(edits.align, boxes, side):
            lines = {edge_of(box, side) for box in self.boxes(chosen, size).values()}
            assert max(lines) - min(lines) < 1e-6

    @precondition(has_things)
    @rule(chosen=st.sets(nth, max_size=5), axis=st.sampled_from(get_args(edits.Axis)), size=sizes)
    def distribute(self, chosen: set[int], axis: edits.Axis, size: tuple[float, float]) -> None:
        boxes = self.boxes(chosen, size)
        if not self.attempt(edits.distribute, boxes, axis):
            spans = sorted(box.span(axis) for box in self.boxes(chosen, size).values())
            gaps = [after[0] - before[1] for before, after in pairwise(spans)]
            assert max(gaps) - min(gaps) < 1e-6
            assert spans[0] == pytest.approx(min(box.span(axis) for box in boxes.values()))

    def boxes(self, chosen: set[int], size: tuple[float, float]) -> dict[str, edits.Box]:
        found = {}
        for key in {self.thing(number) for number in chosen}:
            x, y = placed(self.document, key).position
            found[key] = edits.Box(x, y, x + size[0], y + size[1])
        return found

    @precondition(has_nodes)
    @rule(chosen=st.sets(nth, max_size=2))
    def choose_outputs(self, chosen: set[int]) -> None:
        self.commit(edits.set_options(self.document, heads=tuple({self.node(number) for number in chosen})))

    # History and selection

    @rule()
    def undo(self) -> None:
        self.store.undo()

    @rule()
    def redo(self) -> None:
        self.store.redo()

    @rule()
    def save(self) -> None:
        self.store.mark_saved()
        assert not self.store.is_modified

    @rule(seconds=st.sampled_from([0.1, 1.0]))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @precondition(has_nodes)
    @rule(chosen=st.sets(nth, max_size=3))
    def select(self, chosen: set[int]) -> None:
        self.store.select({self.node(number) for number in chosen})

    # What must always hold

    @invariant()
    def is_sound(self) -> None:
        if hasattr(self, "store"):
            assert broken_invariants(self.document) == []
            assert self.store.selection <= {*all_placed(self.document), *self.document.edges}
            node_names = [node.name for node in self.document.nodes.values()]
            assert len(set(node_names)) == len(node_names)

    @invariant()
    def analysis_helped_by_the_last_one_is_the_same(self) -> None:
        if hasattr(self, "store"):
            helped, fresh = analyse(self.document), analyse_after(None, self.document, None)
            assert seen(helped) == seen(fresh)

    def teardown(self) -> None:
        if not hasattr(self, "store"):
            return
        end, end_order = self.document, _order(self.document)
        done = len(self.store.history_labels().done)
        while self.store.can_undo:
            self.store.undo()
        assert self.document == self.start
        assert _order(self.document) == self.order
        self.store.go_to(done)
        assert self.document == end
        assert _order(self.document) == end_order


def edge_of(box: edits.Box, side: edits.Side) -> float:
    """Return where on its axis the edge or middle of a box lies."""
    if side in ("centre", "middle"):
        return sum(box.span("across" if side == "centre" else "down")) / 2
    return float(getattr(box, side))


def _order(document: Document) -> tuple[list[str], list[str]]:
    return list(document.nodes), list(document.edges)


def seen(analysis: Analysis) -> object:
    """Return what the canvas and the panels can see of an analysis."""
    document = analysis.document
    return (
        analysis.problems,
        analysis.errors,
        analysis.can_bind,
        analysis.argument_names,
        analysis.auxiliary_names,
        analysis.output_names,
        analysis.output_tags,
        analysis.open_arguments,
        analysis.auto_arguments,
        [analysis.wire_shape(edge) for edge in document.edges],
        [analysis.output_shapes(node) for node in document.nodes],
        [analysis.ports(node) for node in document.nodes],
        [
            [solved.inference.why(entry) for entry in solved.graph.internals()]
            for solved in (analysis.bound, analysis.board)
            if solved is not None
        ],
        [analysis.output_dtype(node) for node in document.nodes],
    )


TestEditing = Editing.TestCase
TestEditing.settings = settings(
    max_examples=100, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
