"""What is still needed before a graph without problems can be bound: shapes that nothing decides yet."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.document.analysis import Analysis
    from app.document.drawing import DocumentProblem

NAMED_AT_MOST = 3
DECIDING = ("data", "label", "state")
"""Roles of the inputs whose shapes the user gives; those of weights follow from them."""


def needs_of(analysis: "Analysis") -> "tuple[DocumentProblem, ...]":
    """Return one entry for each array whose shape the user has to give; none while something is wrong anyhow."""
    from app.engine.shapes import is_known

    graph, inference = analysis.graph, analysis.inference
    if graph is None or inference is None or not analysis.can_bind:
        return ()
    variables = (*graph.arguments, *graph.auxiliary)
    open_ones = [index for index in variables if not is_known(inference.shape((index, 0)))]
    if not open_ones:
        return _open_results(analysis)
    drawn = set(analysis.node_index.values())
    asked = [index for index in open_ones if index in drawn]
    asked = asked or [index for index in open_ones if _role(analysis, index) in DECIDING] or open_ones[:1]
    others = [graph.nodes[index].name for index in open_ones if index not in asked]
    return tuple(_need(analysis, index, others if number == 0 else []) for number, index in enumerate(asked))


def _need(analysis: "Analysis", index: int, others: list[str]) -> "DocumentProblem":
    """Say of one argument that it needs a shape, and how to give it."""
    from app.document.drawing import DocumentProblem
    from app.engine.shapes import text

    graph, inference = analysis.graph, analysis.inference
    assert graph is not None and inference is not None
    name, shape = graph.nodes[index].name, inference.shape((index, 0))
    owner = analysis.node_ids.get(index)
    node = analysis.document.nodes.get(owner or "")
    so_far = f"{name} is {text(shape)} so far. " if shape else ""
    sentence = f"{so_far}Give {name} a shape, or values that have one: select it and fill in Shape or Value."
    port = next(
        (made.port.name for made in analysis.drawing.self_made.get(owner or "", ()) if made.name == name),
        None,
    )
    if node is not None and port is not None:
        sentence = (
            f"{so_far}Wire something to {port} of {node.name}, or give {name} a shape in the inspector."
        )
    if others:
        more = f" and {len(others) - NAMED_AT_MOST} more" if len(others) > NAMED_AT_MOST else ""
        sentence += f" Until then {', '.join(others[:NAMED_AT_MOST])}{more} stay open, too."
        if len(others) == 1:
            sentence = sentence.replace(" stay open, too.", " stays open, too.")
    return DocumentProblem(owner, sentence, None, port, node.name if node is not None else name, "warning")


def _open_results(analysis: "Analysis") -> "tuple[DocumentProblem, ...]":
    """Say which results have no shape though all arguments have."""
    from app.document.drawing import DocumentProblem
    from app.engine.shapes import is_known

    if analysis.inference is None or all(map(is_known, analysis.inference.shapes)):
        return ()
    found = []
    for key in analysis.node_index:
        if any(not is_known(one.shape) for one in analysis.output_shapes(key)):
            name = analysis.document.nodes[key].name
            sentence = f"The shape of what {name} gives is still open. Look at its settings."
            found.append(DocumentProblem(key, sentence, None, None, name, "warning"))
    return tuple(found[:1])


def _role(analysis: "Analysis", index: int) -> str:
    name = analysis.graph.nodes[index].name if analysis.graph is not None else ""
    for made in analysis.drawing.self_made.get(analysis.node_ids.get(index, ""), ()):
        if made.name == name:
            return made.port.role
    return ""
