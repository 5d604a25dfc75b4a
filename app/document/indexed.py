"""Where the nodes of a board are in the graph that is bound; edits that leave the wires alone share it."""

from collections.abc import Mapping
from functools import cached_property

import attrs

from app.document.drawing import Drawing
from app.document.records import Id
from app.engine.compose import SymbolNode
from app.engine.graph import Entry, Graph
from app.engine.operator import Role


@attrs.frozen
class AutoArgument:
    """An argument or auxiliary state that a node makes for an input nobody wired.

    `entry` is its array in the analysis' graph; None where it isn't part of it.
    """

    owner: Id
    input: int
    name: str
    role: Role
    entry: Entry | None


@attrs.frozen(eq=False)
class Indexed:
    """Names and places, which follow from a drawing's wires and names whatever its settings are."""

    drawing: Drawing
    graph: Graph | None
    places: Mapping[SymbolNode, int]
    board_places: Mapping[SymbolNode, int]
    """Where nodes are in the graph of what is on the board but not bound."""

    @cached_property
    def argument_names(self) -> tuple[str, ...]:
        """Names of the graph's arguments, in MXNet's order."""
        return tuple(self.graph.names(self.graph.arguments)) if self.graph is not None else ()

    @cached_property
    def auxiliary_names(self) -> tuple[str, ...]:
        """Names of the graph's auxiliary states, in MXNet's order."""
        return tuple(self.graph.names(self.graph.auxiliary)) if self.graph is not None else ()

    @cached_property
    def node_index(self) -> Mapping[Id, int]:
        """Where in the graph each node of the board is."""
        return {key: self.places[node] for key, node in self.drawing.nodes.items() if node in self.places}

    @cached_property
    def node_ids(self) -> Mapping[int, Id]:
        """The node of the board for each place in the graph; a self-made argument is its owner's."""
        return self._ids(self.places)

    @cached_property
    def board_ids(self) -> Mapping[int, Id]:
        """The same for the graph of what is not bound."""
        return self._ids(self.board_places)

    @cached_property
    def auto_arguments(self) -> Mapping[Id, tuple[AutoArgument, ...]]:
        """The arguments that nodes make for themselves, by node; nodes without any aren't in it."""
        return {
            owner: tuple(
                AutoArgument(owner, one.input, one.name, one.port.role, self._entry(one.node)) for one in made
            )
            for owner, made in self.drawing.self_made.items()
            if made
        }

    @cached_property
    def output_tags(self) -> Mapping[Id, tuple[int, ...]]:
        """Which outputs of the bind each node is, by node."""
        ids = {index: key for key, index in self.node_index.items()}
        found: dict[Id, tuple[int, ...]] = {}
        for number, (index, _) in enumerate(self.graph.heads if self.graph is not None else ()):
            key = ids[index]
            found[key] = (*found.get(key, ()), number)
        return found

    def _ids(self, places: Mapping[SymbolNode, int]) -> dict[int, Id]:
        found = {places[node]: key for key, node in self.drawing.nodes.items() if node in places}
        for owner, arguments in self.drawing.self_made.items():
            for one in arguments:
                if one.node is not None and one.node in places:
                    found[places[one.node]] = owner
        return found

    def _entry(self, node: SymbolNode | None) -> Entry | None:
        return (self.places[node], 0) if node is not None and node in self.places else None
