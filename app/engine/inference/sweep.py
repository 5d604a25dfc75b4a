"""Infers the usual graph, in which all knowledge flows from inputs to outputs, in one sweep over its nodes.

There every array is found by the first rule that touches it, so each rule runs once, and an edit can be followed from
the node that it changed. Whatever doesn't flow so, or doesn't fit, is left to the solver.
"""

import heapq
from collections.abc import Collection, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import attrs

from app.engine.errors import EngineError
from app.engine.graph import Graph
from app.engine.inference.solver import told_shape
from app.engine.shapes import UNKNOWN, Shape, merge
from app.engine.wiring import Block, Touch

if TYPE_CHECKING:
    from app.engine.inference.infer import Inference

Told = Mapping[int, Shape]
"""What the user and the file say of a graph's variables, by place in the list of all arrays."""

MOST_ANSWERS = 256
"""So many answers one operator remembers; a window that is dragged over a size asks for many."""
MOST_SIZE, MOST_AXES = 2**40, 32
"""What is beyond this is for the solver to judge."""


@attrs.frozen(eq=False)
class Swept:
    """The shapes of all arrays, node by node, and those that were told."""

    shapes: Sequence[Shape]
    told: Told


def sweep(graph: Graph, given: Mapping[str, Shape]) -> Swept | None:
    """Infer a whole graph; None where one sweep cannot do it."""
    told = _told(graph, given)
    if told is None or not _is_borne(graph, told):
        return None
    shapes: list[Shape] = [UNKNOWN] * graph.wiring.offsets[-1]
    for place, shape in told.items():
        shapes[place] = shape
    for read, answers, start, stop, index in graph.rules:
        ins = read(shapes)
        block = answers.get(ins)
        if block is None:
            block = _ask(graph, index, ins)
            if block is None:
                return None
        if start >= 0:
            shapes[start:stop] = block
        else:
            _put(graph.wiring.touches[index], shapes, block)
    return Swept(shapes, told)


def follow(previous: "Inference", graph: Graph, given: Mapping[str, Shape]) -> Swept | None:
    """Bring an inference up to date with an edit of one node's settings or of what is given.

    None where something else was edited, or where the graph must be gone over whole.
    """
    before, edited = previous.swept, graph.edited
    if before is None:
        return None
    if edited is not None and edited.before() is previous.graph:
        start = [edited.index]
    elif graph is previous.graph:
        start = []
    else:
        return None
    shapes = list(before.shapes)
    told = before.told if given == previous.given else _told(graph, given)
    if told is None or not _is_borne(graph, told):
        return None
    if told is not before.told:
        start += _readers_of_news(graph, before.told, told, shapes)
    return Swept(shapes, told) if _run(graph, start, shapes, told) else None


def _run(graph: Graph, start: Sequence[int], shapes: list[Shape], told: Told) -> bool:
    """Run the rules of `start`, and of all that read what came out otherwise; tell whether that was all."""
    wiring = graph.wiring
    touches, owners, consumers = wiring.touches, wiring.owners, wiring.consumers
    waiting = sorted(set(start))
    queued = set(waiting)
    while waiting:
        index = heapq.heappop(waiting)
        touch = touches[index]
        assert touch is not None
        before = [shapes[place] for place in touch.places]
        for number in touch.fresh:  # what this rule had found is to be found again
            place = touch.inputs[number]
            shapes[place] = told.get(place, UNKNOWN)
        ins = touch.read(shapes)
        block = graph.answers(index).get(ins) or _ask(graph, index, ins)
        if block is None:
            return False
        for place, old, new in zip(touch.places, before, block, strict=True):
            shapes[place] = new
            if old == new:
                continue
            for consumer, _ in consumers[owners[place]]:
                if consumer > index and consumer not in queued:
                    queued.add(consumer)
                    heapq.heappush(waiting, consumer)
    return True


def _ask(graph: Graph, index: int, key: Any) -> Block | None:
    """Ask a node's rule for the shapes of its fresh inputs and outputs, and remember what it says.

    None where the rule refuses, or knows something of an array that was there before.
    """
    operator, touch = graph.nodes[index].operator, graph.wiring.touches[index]
    assert operator is not None and touch is not None
    ins = [key] if len(touch.inputs) == 1 else list(key)
    outputs = len(touch.places) - len(touch.fresh)
    try:
        new_ins, new_outs = operator.infer(ins, (UNKNOWN,) * outputs)
        for number, old in enumerate(ins):
            if new_ins[number] == old:
                continue
            ins[number] = merge(old, new_ins[number])
            if ins[number] != old and number not in touch.fresh:
                return None
    except EngineError:
        return None
    block = (*[ins[number] for number in touch.fresh], *new_outs)
    if not _are_sensible(block):
        return None
    answers = graph.answers(index)
    if len(answers) >= MOST_ANSWERS:
        answers.clear()
    answers[key] = block
    return block


def _put(touch: Touch | None, shapes: list[Shape], block: Block) -> None:
    assert touch is not None
    for place, shape in zip(touch.places, block, strict=True):
        shapes[place] = shape


def _told(graph: Graph, given: Mapping[str, Shape]) -> Told | None:
    """Return what is said of variables; None where that contradicts itself."""
    wiring = graph.wiring
    told: dict[int, Shape] = {}
    try:
        for index in wiring.declaring:
            node = graph.nodes[index]
            told[wiring.offsets[index]] = told_shape(node.attributes, given.get(node.name, UNKNOWN))
        for name, shape in given.items():
            for index in wiring.variables.get(name, ()):
                told.setdefault(wiring.offsets[index], shape)
    except EngineError:
        return None
    return told if _are_sensible(told.values()) else None


def _is_borne(graph: Graph, told: Told) -> bool:
    """Tell whether no node refuses the open sizes of what is told."""
    wiring = graph.wiring
    try:
        for place, shape in told.items():
            for index, _ in wiring.consumers[wiring.owners[place]] if 0 in shape else ():
                operator, touch = graph.nodes[index].operator, wiring.touches[index]
                assert operator is not None and touch is not None
                operator.check_known([told.get(source, UNKNOWN) for source in touch.inputs])
    except EngineError:
        return False
    return True


def _readers_of_news(graph: Graph, before: Told, told: Told, shapes: list[Shape]) -> list[int]:
    """List the first reader of every variable of which something else is told now."""
    wiring = graph.wiring
    found = []
    for place in before.keys() | told.keys():
        shape = told.get(place, UNKNOWN)
        if before.get(place, UNKNOWN) == shape:
            continue
        readers = wiring.consumers[wiring.owners[place]]
        if readers:
            found.append(readers[0][0])
        else:
            shapes[place] = shape
    return found


def _are_sensible(shapes: Collection[Shape]) -> bool:
    sizes = [*chain.from_iterable(shapes)]
    if not sizes:
        return True
    return min(sizes) >= 0 and max(sizes) <= MOST_SIZE and max(map(len, shapes)) <= MOST_AXES
