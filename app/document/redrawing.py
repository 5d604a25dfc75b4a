"""Follows an edit of one node's settings in a drawing, which is drawn anew where more than that was edited."""

from collections.abc import Mapping

import attrs

from app.document.drawing import Drawing
from app.document.reading import Reading, read_node
from app.document.records import Document, Id, Node
from app.engine.compose import Head, SymbolNode, missing_input
from app.engine.wiring import output_count


@attrs.frozen(eq=False)
class Redrawn:
    """A drawing after other settings of one node, and which symbols stand in the place of which older ones.

    `made` are the variables that the node makes for itself, `node` is the node.
    """

    drawing: Drawing
    node: SymbolNode
    made: tuple[SymbolNode, ...]
    instead: Mapping[SymbolNode, SymbolNode]


def redraw(drawing: Drawing, before: Document, after: Document, edited: tuple[Id, ...]) -> Redrawn | None:
    """Bring a drawing up to date with other settings of one node; None where more changes than its own meaning.

    What is computed from the node gets new symbols too, since a symbol holds its inputs.
    """
    node = after.nodes[edited[0]]
    old, reading = drawing.nodes.get(node.id), read_node(node)
    if len(edited) > 1 or old is None or not _has_other_settings(before.nodes[node.id], node):
        return None
    if not _is_same_to_others(drawing.readings[node.id], reading):
        return None
    everything = {**node.params, **node.attributes}
    instead: dict[SymbolNode, SymbolNode] = {}
    own = []
    for made in drawing.self_made[node.id]:
        head, _ = missing_input(node.name, made.port, everything)
        own.append(attrs.evolve(made, node=head))
        if made.node is not None:
            instead[made.node] = head
    count = len(instead)
    inputs = _with_others(old.inputs, instead)
    instead[old] = SymbolNode(node.name, node.op, reading.operator, everything, inputs)
    nodes = {}
    for key, symbol in drawing.nodes.items():
        if symbol is not old and any(source in instead for source, _ in symbol.inputs):
            inputs = _with_others(symbol.inputs, instead)
            instead[symbol] = SymbolNode(
                symbol.name, symbol.op_name, symbol.operator, symbol.attributes, inputs
            )
        nodes[key] = instead.get(symbol, symbol)
    redrawn = attrs.evolve(
        drawing,
        readings={**drawing.readings, node.id: reading},
        nodes=nodes,
        self_made={**drawing.self_made, node.id: tuple(own)},
        heads=_with_others(drawing.heads, instead),
    )
    return Redrawn(redrawn, instead[old], tuple(instead.values())[:count], instead)


def _with_others(heads: tuple[Head, ...], instead: Mapping[SymbolNode, SymbolNode]) -> tuple[Head, ...]:
    return tuple([(instead.get(node, node), number) for node, number in heads])


def _is_same_to_others(before: Reading, after: Reading) -> bool:
    """Tell whether a node that was sound still is, with the same inputs and outputs."""
    old, new = before.operator, after.operator
    if old is None or new is None or before.faults or after.faults:
        return False
    if after.is_opaque or output_count(old) != output_count(new):
        return False
    return old.ports == new.ports and old.outputs == new.outputs and before.variadic == after.variadic


def nodes_with_other_meaning(before: Document, after: Document) -> tuple[Id, ...] | None:
    """Return the nodes that are something else now, though not elsewhere; None where wires or the heads differ."""
    if before.edges is not after.edges or before.options.heads != after.options.heads:
        return None
    if before.nodes.keys() != after.nodes.keys():
        return None
    if before.nodes is after.nodes:
        return ()
    return tuple(
        key
        for key, node in after.nodes.items()
        if before.nodes[key] is not node and attrs.evolve(before.nodes[key], position=node.position) != node
    )


def _has_other_settings(before: Node, after: Node) -> bool:
    """Tell whether nothing but a node's settings and position differs."""
    if attrs.evolve(before, position=after.position, params=after.params) != after:
        return False
    # What stands between underscores is told to variables, and may say their shape.
    return not any(name.startswith("__") for name, _ in before.params.items() ^ after.params.items())
