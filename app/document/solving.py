"""Infers what a drawing computes, and puts every misfit back where it belongs on the board."""

from collections.abc import Iterable, Mapping, Sequence

import attrs

from app.document.analysis import Analysis, Solved
from app.document.drawing import DocumentProblem, Drawing
from app.document.given import Given, ValueShape, given_by
from app.document.indexed import Indexed
from app.document.records import Document, Id
from app.document.redrawing import Redrawn
from app.document.topology import topology
from app.engine.compose import Head, SymbolNode, depth_first
from app.engine.inference.infer import Problem as Misfit
from app.engine.inference.infer import infer
from app.engine.symbol import Symbol

_ONE = (1,)


@attrs.frozen
class _Place:
    """Where on the board a symbol node is: a node, or the input of a node that made it."""

    node: Id
    input: int | None = None
    port: str | None = None


def solve(
    document: Document,
    drawing: Drawing,
    value_shape: ValueShape | None,
    previous: Analysis | None,
    redrawn: Redrawn | None = None,
) -> Analysis:
    """Infer a drawing with the shapes and types that its values give.

    An older analysis saves work, most of all where this drawing is that one's, or is `redrawn` from it.
    """
    places = _places(drawing)
    by_name = {node.name: place for node, place in places.items() if node.operator is None}
    given = given_by(document, by_name, value_shape)
    same_drawing = previous is not None and previous.drawing is drawing
    if previous is not None and same_drawing and previous.given == given:
        return attrs.evolve(previous, document=document, value_shape=value_shape)
    old_bound, old_board = (previous.bound, previous.board) if previous is not None else (None, None)
    if redrawn is not None:
        known_bound, known_board = _followed(old_bound, redrawn), _followed(old_board, redrawn)
    elif same_drawing:
        known_bound, known_board = _known(old_bound), _known(old_board)
    else:
        symbol = _symbol(drawing.heads if drawing.is_whole else _sinks(drawing.nodes.values()))
        known_bound, known_board = _numbered(symbol), _numbered(_rest(drawing, symbol))
    bound = _solve(known_bound, given, old_bound)
    board = _solve(known_board, given, old_board)
    keeps_wires = previous is not None and (same_drawing or redrawn is not None)
    indexed = previous.indexed if previous is not None and keeps_wires else _indexed(drawing, bound, board)
    misfits = [_problem(document, places, *found) for found in _misfits(bound, board)]
    values = [_value_problem(document, by_name[name], sentence) for name, sentence in given.faults]
    names = _doubled_arguments(document, places, bound)
    nothing = _nothing_to_bind(document, drawing, bound)
    problems = (*drawing.problems, *names, *values, *misfits, *nothing)
    return Analysis(document, drawing, given, value_shape, bound, board, indexed, problems, tuple(misfits))


# What is inferred ------------------------------------------------------------------------------------------------


def _symbol(heads: Sequence[Head]) -> Symbol | None:
    return Symbol(heads) if heads else None


def _sinks(nodes: Iterable[SymbolNode]) -> list[Head]:
    """Return every output of the operators that nothing sound reads."""
    nodes = list(nodes)
    read = {source for node in nodes for source, _ in node.inputs}
    ends = [node for node in nodes if node.operator is not None and node not in read]
    return [(node, number) for node in ends for number in range(node.visible_outputs)]


def _rest(drawing: Drawing, symbol: Symbol | None) -> Symbol | None:
    """Return a symbol that shows what is on the board besides `symbol`, with `symbol` where it builds on that."""
    heads = symbol.heads if symbol is not None else ()
    bound = set(depth_first(heads))
    others = [node for node in drawing.nodes.values() if node not in bound]
    read = {source for node in others for source, _ in node.inputs}
    ends = [(node, 0) for node in others if node not in read]
    builds_on_it = any(node in bound for node in depth_first(ends))
    return _symbol([*heads, *ends] if builds_on_it else ends)


@attrs.frozen(eq=False)
class _Known:
    """A symbol and where in its graph each node is."""

    symbol: Symbol
    places: Mapping[SymbolNode, int]


def _numbered(symbol: Symbol | None) -> _Known | None:
    if symbol is None:
        return None
    return _Known(symbol, {node: index for index, node in enumerate(depth_first(symbol.heads))})


def _known(solved: Solved | None) -> _Known | None:
    return _Known(solved.symbol, solved.places) if solved is not None else None


def _followed(solved: Solved | None, redrawn: Redrawn) -> _Known | None:
    """Put the new symbols in the place of the old ones; the graph becomes an edit of the graph before."""
    if solved is None:
        return None
    instead = redrawn.instead
    places = {instead.get(node, node): index for node, index in solved.places.items()}
    heads = [(instead.get(node, node), number) for node, number in solved.symbol.heads]
    index = places.get(redrawn.node)
    if index is None:
        return _Known(Symbol(heads, solved.graph), places)
    operator = redrawn.node.operator
    assert operator is not None
    made = {places[node]: node.attributes for node in redrawn.made}
    graph = solved.graph.with_settings(index, operator, redrawn.node.attributes, made)
    return _Known(Symbol(heads, graph), places)


def _indexed(drawing: Drawing, bound: Solved | None, board: Solved | None) -> Indexed:
    graph = bound.graph if bound is not None else None
    places, others = ({} if solved is None else solved.places for solved in (bound, board))
    return Indexed(drawing, graph, places, others)


def _solve(known: _Known | None, given: Given, previous: Solved | None) -> Solved | None:
    """Infer one symbol: first without the single numbers, then as arrays of one where nothing else decides."""
    if known is None:
        return None
    symbol, places = known.symbol, known.places
    graph = symbol.graph
    index = graph.index_by_name
    shapes = {name: shape for name, shape in given.shapes.items() if name in index}
    types = {name: kind for name, kind in given.types.items() if name in index}
    first = infer(graph, shapes, types, previous.first if previous is not None else None)
    numbers = [name for name in given.numbers if name in index and not first.shape((index[name], 0))]
    if not numbers:
        return Solved(symbol, places, first, first)
    inference = infer(graph, shapes | dict.fromkeys(sorted(numbers), _ONE), types, first)
    return Solved(symbol, places, inference, first)


# What is wrong ---------------------------------------------------------------------------------------------------


def _places(drawing: Drawing) -> dict[SymbolNode, _Place]:
    found = {node: _Place(key) for key, node in drawing.nodes.items()}
    for arguments in drawing.self_made.values():
        for made in arguments:
            if made.node is not None:
                found[made.node] = _Place(made.owner, made.input, made.port.name)
    return found


def _misfits(bound: Solved | None, board: Solved | None) -> Iterable[tuple[SymbolNode, Misfit]]:
    """Go through what doesn't fit, first in the bound graph, then elsewhere on the board."""
    for solved in (bound, board):
        if solved is None:
            continue
        nodes = list(solved.places) if solved.inference.problems else []
        for misfit in solved.inference.problems:
            node = nodes[misfit.index]
            if solved is bound or bound is None or node not in bound.places:
                yield node, misfit


def _problem(
    document: Document, places: Mapping[SymbolNode, _Place], node: SymbolNode, misfit: Misfit
) -> DocumentProblem:
    place = places[node]
    port = misfit.port or place.port
    edge = None
    if misfit.input is not None:
        wire = topology(document).inputs(place.node).get(misfit.input)
        edge = wire.id if wire is not None else None
    return DocumentProblem(place.node, misfit.sentence, edge, port, document.nodes[place.node].name)


def _value_problem(document: Document, place: _Place, sentence: str) -> DocumentProblem:
    return DocumentProblem(place.node, sentence, None, place.port, document.nodes[place.node].name)


def _doubled_arguments(
    document: Document, places: Mapping[SymbolNode, _Place], bound: Solved | None
) -> Iterable[DocumentProblem]:
    """Blame self-made arguments that share a name: values are bound by name, so one of them would get none."""
    first: dict[str, _Place] = {}
    blamed = set()
    for node in bound.places if bound is not None else ():
        if node.operator is not None:
            continue
        place = places[node]
        other = first.setdefault(node.name, place)
        if other is place or other.input is place.input is None:
            continue  # two Variables of one name are blamed as nodes already
        maker, drawn = (place, other) if other.input is None else (other, place)
        owner = document.nodes[maker.node].name
        if drawn.input is None:
            sentence = (
                f"{node.name} is the name of a Variable and of the argument that {owner} makes for itself. "
                f"Wire the Variable to {owner}, or rename it."
            )
        else:
            both = f"{owner} and {document.nodes[drawn.node].name}"
            sentence = f"{both} both make an argument called {node.name}. Rename one of these nodes."
        if drawn.node not in blamed:
            blamed.add(drawn.node)
            yield DocumentProblem(drawn.node, sentence, None, drawn.port, document.nodes[drawn.node].name)


def _nothing_to_bind(document: Document, drawing: Drawing, bound: Solved | None) -> Iterable[DocumentProblem]:
    if document.nodes and bound is None and not drawing.problems:
        sentence = "There is nothing to compute yet. Add an operator and wire something to it."
        yield DocumentProblem(None, sentence, severity="warning")
