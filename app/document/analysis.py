"""The answer to what follows from a document: everything the canvas and the panels ask about it."""

from collections.abc import Mapping
from functools import cached_property

import attrs

from app.document.drawing import DocumentProblem, Drawing, board_ports
from app.document.given import Given, ValueShape
from app.document.indexed import AutoArgument, Indexed
from app.document.records import Document, Id
from app.document.topology import needed_by, topology
from app.engine.compose import SymbolNode
from app.engine.graph import Entry, Graph
from app.engine.inference.infer import Inference
from app.engine.inference.solver import Problem
from app.engine.operator import DType, Port
from app.engine.shapes import UNKNOWN, Shape, is_known, text
from app.engine.symbol import Symbol

MOST_MENDED = 3
"""So many misfits are told with what would mend them."""


@attrs.frozen
class ShapeText:
    """A shape to show, and whether it was inferred rather than given by the user."""

    shape: Shape
    inferred: bool = False

    @property
    def is_known(self) -> bool:
        """Tell whether every dimension is known."""
        return is_known(self.shape)

    def __str__(self) -> str:
        """Write the shape for people: `(32, ?)`, and `?` when nothing is known."""
        return text(self.shape)


@attrs.frozen(eq=False)
class Solved:
    """A symbol with its graph, the place of every symbol node in it, and its inference.

    `first` is the inference before single numbers were taken for arrays of one; it helps to make the next.
    """

    symbol: Symbol
    places: Mapping[SymbolNode, int]
    inference: Inference
    first: Inference

    @property
    def graph(self) -> Graph:
        """The symbol's numbered graph."""
        return self.inference.graph


@attrs.frozen(eq=False)
class Analysis:
    """What follows from one document.

    `graph` is what a bind would bind. While the drawing is broken it is the sound part of it, to be looked at; then
    `can_bind` is False. It is None while nothing is there to compute. Nodes that are on the board but not bound have
    shapes too, but no place in the graph.
    """

    document: Document
    drawing: Drawing
    given: Given
    value_shape: ValueShape | None
    bound: Solved | None
    board: Solved | None
    indexed: Indexed
    problems: tuple[DocumentProblem, ...]
    shape_problems: tuple[DocumentProblem, ...]

    # The graph ---------------------------------------------------------------------------------------------------

    @property
    def symbol(self) -> Symbol | None:
        """The symbol to bind, or None."""
        return self.bound.symbol if self.bound is not None else None

    @property
    def graph(self) -> Graph | None:
        """The symbol's graph, or None."""
        return self.bound.graph if self.bound is not None else None

    @property
    def inference(self) -> Inference | None:
        """The shapes and types of the graph, or None."""
        return self.bound.inference if self.bound is not None else None

    @cached_property
    def told_problems(self) -> tuple[DocumentProblem, ...]:
        """The problems, the first misfits with what would mend them, which takes a moment to find."""
        mended: dict[str, str] = {}
        for inference in [solved.inference for solved in (self.bound, self.board) if solved is not None]:
            for misfit in inference.problems[:MOST_MENDED]:
                if misfit.sentence not in mended and len(mended) < MOST_MENDED:
                    mended[misfit.sentence] = inference.told(misfit)
        return tuple(
            attrs.evolve(problem, sentence=mended[problem.sentence])
            if problem.sentence in mended
            else problem
            for problem in self.problems
        )

    def misfit(self, problem: DocumentProblem) -> tuple[Solved, Problem] | None:
        """Return what inference says of a problem, and of which graph; None where the problem is another kind."""
        for solved in (self.bound, self.board):
            for found in solved.inference.problems if solved is not None else ():
                if solved is not None and problem.sentence.startswith(found.sentence):
                    return solved, found
        return None

    def owner(self, solved: Solved, index: int) -> Id | None:
        """Return the node of the board that a node of a graph is; a self-made argument is its owner's."""
        ids = self.indexed.node_ids if solved is self.bound else self.indexed.board_ids
        return ids.get(index)

    @property
    def argument_names(self) -> tuple[str, ...]:
        """Names of the graph's arguments, in MXNet's order."""
        return self.indexed.argument_names

    @property
    def auxiliary_names(self) -> tuple[str, ...]:
        """Names of the graph's auxiliary states, in MXNet's order."""
        return self.indexed.auxiliary_names

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the graph's outputs, in the order of the heads."""
        return self.graph.output_names if self.graph is not None else ()

    @property
    def node_index(self) -> Mapping[Id, int]:
        """Where in the graph each node of the board is."""
        return self.indexed.node_index

    @property
    def node_ids(self) -> Mapping[int, Id]:
        """The node of the board for each place in the graph; a self-made argument is its owner's."""
        return self.indexed.node_ids

    @property
    def auto_arguments(self) -> Mapping[Id, tuple[AutoArgument, ...]]:
        """The arguments that nodes make for themselves, by node; nodes without any aren't in it."""
        return self.indexed.auto_arguments

    @property
    def output_tags(self) -> Mapping[Id, tuple[int, ...]]:
        """Which outputs of the bind each node is, by node."""
        return self.indexed.output_tags

    # Problems ----------------------------------------------------------------------------------------------------

    @cached_property
    def errors(self) -> tuple[DocumentProblem, ...]:
        """The problems in what is to be bound: while there are any, it can't be."""
        if not self.problems:
            return ()
        wanted = _wanted(self.document, self.drawing)
        return tuple(
            problem
            for problem in self.problems
            if problem.severity == "error" and (problem.node is None or problem.node in wanted)
        )

    @property
    def faults(self) -> tuple[DocumentProblem, ...]:
        """The errors but those of nodes that merely can't run here: without any, the graph can be written to files."""
        return tuple(problem for problem in self.errors if not problem.only_running)

    @property
    def can_bind(self) -> bool:
        """Tell whether there is something to bind and nothing wrong with it; shapes may still be open."""
        return self.bound is not None and not self.errors

    @cached_property
    def open_arguments(self) -> tuple[str, ...]:
        """Names of the arguments whose shape is still open, so that a bind has to ask for them."""
        if self.bound is None:
            return ()
        graph, inference = self.bound.graph, self.bound.inference
        return tuple(
            graph.nodes[index].name
            for index in (*graph.arguments, *graph.auxiliary)
            if not is_known(inference.shape((index, 0)))
        )

    def problems_at(self, node_id: Id) -> tuple[DocumentProblem, ...]:
        """Return the problems of one node."""
        return tuple(problem for problem in self.problems if problem.node == node_id)

    # Shapes ------------------------------------------------------------------------------------------------------

    def ports(self, node_id: Id) -> tuple[Port, ...]:
        """Return the inputs of a node, auxiliary states last, as they are to be drawn."""
        return board_ports(self.document, self.document.nodes[node_id])

    def output_shapes(self, node_id: Id) -> tuple[ShapeText, ...]:
        """Return the shapes of a node's visible outputs."""
        count = self.drawing.readings[node_id].output_count
        return tuple(self._shape_text(self.drawing.nodes.get(node_id), number) for number in range(count))

    def wire_shape(self, edge_id: Id) -> ShapeText:
        """Return the shape of the array that a wire carries."""
        edge = self.document.edges[edge_id]
        return self._shape_text(self.drawing.nodes.get(edge.source), edge.output)

    def input_shape(self, node_id: Id, number: int) -> ShapeText:
        """Return the shape that one input of a node gets, wired or self-made."""
        edge = topology(self.document).inputs(node_id).get(number)
        if edge is not None:
            return self.wire_shape(edge.id)
        made = [one for one in self.drawing.self_made.get(node_id, ()) if one.input == number]
        return self._shape_text(made[0].node, 0) if made else ShapeText(UNKNOWN)

    def output_dtype(self, node_id: Id, number: int = 0) -> DType | None:
        """Return the element type of one output, None while it is open."""
        solved, entry = self._find(self.drawing.nodes.get(node_id), number)
        return solved.inference.dtype(entry) if solved is not None else None

    def _shape_text(self, node: SymbolNode | None, number: int) -> ShapeText:
        solved, entry = self._find(node, number)
        if solved is None or not 0 <= number < solved.graph.nodes[entry[0]].output_count:
            return ShapeText(UNKNOWN)
        shape = solved.inference.shape(entry)
        return ShapeText(shape, bool(shape) and not solved.inference.is_given(entry))

    def _find(self, node: SymbolNode | None, number: int) -> tuple[Solved | None, Entry]:
        for solved in (self.bound, self.board):
            if solved is not None and node is not None and node in solved.places:
                return solved, (solved.places[node], number)
        return None, (-1, number)


def _wanted(document: Document, drawing: Drawing) -> set[Id]:
    """Return the nodes that are to be bound: all that are wired or compute, unless somebody chose outputs."""
    wires = topology(document)
    kinds = drawing.readings
    if not document.options.heads and all(kinds[key].kind != "group" for key in drawing.chosen):
        return {key for key in document.nodes if kinds[key].kind != "variable" or wires.outputs(key)}
    waiting = list(drawing.chosen)
    seen = set(waiting)
    while waiting:
        for source in needed_by(document, waiting.pop()):
            if source not in seen:
                seen.add(source)
                waiting.append(source)
    return seen
