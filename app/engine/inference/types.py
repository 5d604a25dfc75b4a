"""Type inference: one element type flows through element-wise operators in both directions, each step remembered."""

import heapq
from collections.abc import Mapping, Sequence

import attrs
import numpy as np

from app.engine.errors import EngineError
from app.engine.graph import Entry, Graph
from app.engine.inference.solver import Problem, blame, told_inputs
from app.engine.operator import DType, Operator

FLOAT32: DType = np.dtype(np.float32)
NUMBERS = ("float32", "float64", "float16", "uint8", "int32", "int8", "int64", "bool")
"""MXNet's type numbers are the places in this list."""
_BY_NUMBER: Mapping[str, DType] = {str(number): np.dtype(name) for number, name in enumerate(NUMBERS)}
GIVEN, DECLARED, USUAL = -1, -2, -3
"""Stand for who fixed a type where no node did: the user, the variable's own `__dtype__`, and nobody."""

_FIXED = {GIVEN: "given", DECLARED: "by its __dtype__", USUAL: "the usual type"}

NodeTypes = tuple[tuple[DType | None, ...], ...]


@attrs.frozen(eq=False)
class Typing:
    """The types of every node's outputs, which node (or GIVEN, DECLARED, USUAL) fixed each, and what does not fit."""

    found: NodeTypes
    fixed_by: Mapping[Entry, int]
    problems: tuple[Problem, ...]


def infer_types(graph: Graph, given: Mapping[str, DType], *, usual: bool = True) -> Typing:
    """Find the type of every array; variables that nothing decides become float32, in order, or stay open."""
    return _Types(graph, given).solve(usual=usual)


class _Types:
    """Applies every node's type rule until nothing changes.

    Nodes have their turn in the graph's order, round by round; after the first round only those beside something new
    have one, since a rule that is asked the same again answers the same.
    """

    def __init__(self, graph: Graph, given: Mapping[str, DType]) -> None:
        self.graph = graph
        self.found: list[list[DType | None]] = [[None] * node.output_count for node in graph.nodes]
        self.fixed_by: dict[Entry, int] = {}
        self.problems: dict[int, Problem] = {}
        self.round, self.at = 0, -1
        self.turns = [(0, index) for index, node in enumerate(graph.nodes) if node.operator is not None]
        self.due = set(self.turns)
        for index, node in enumerate(graph.nodes):
            if node.is_variable and node.name in given:
                self.fix((index, 0), given[node.name], GIVEN)
            elif node.is_variable:
                self.fix((index, 0), declared_type(node.attributes), DECLARED)

    def solve(self, *, usual: bool) -> Typing:
        """Return all types."""
        self.sweep()
        for index, node in enumerate(self.graph.nodes) if usual else ():
            # Give float32 to all that stand open before their readers speak: one sweep decides nearly every graph.
            if node.is_variable and self.fix((index, 0), FLOAT32, USUAL):
                self.sweep()
        problems = tuple(self.problems[index] for index in sorted(self.problems))
        return Typing(tuple(map(tuple, self.found)), self.fixed_by, problems)

    def fix(self, entry: Entry, kind: DType | None, by: int) -> bool:
        """Enter the type of an array that had none; tell whether that is news."""
        index, number = entry
        if kind is None or self.found[index][number] is not None:
            return False
        self.found[index][number] = kind
        self.fixed_by[entry] = by
        for near in (index, *self.graph.readers[index]):
            turn = (self.round + (near <= self.at), near)
            if turn not in self.due and not self.graph.nodes[near].is_variable:
                self.due.add(turn)
                heapq.heappush(self.turns, turn)
        return True

    def sweep(self) -> None:
        """Go over the nodes beside what is new until nothing changes."""
        while self.turns:
            turn = heapq.heappop(self.turns)
            self.due.remove(turn)
            self.round, self.at = turn
            node = self.graph.nodes[self.at]
            if node.operator is not None and self.at not in self.problems:
                self.apply(self.at, node.operator, node.inputs)
        self.at = -1

    def apply(self, index: int, operator: Operator, inputs: Sequence[Entry]) -> None:
        """Run one node's rule and enter what it finds."""
        ins = [self.found[source][number] for source, number in inputs]
        try:
            new_ins, new_outs = operator.infer_types(ins, self.found[index])
        except EngineError as error:
            self.problems[index] = self.describe(index, error)
            return
        outputs = [(index, number) for number in range(len(new_outs))]
        found = zip((*outputs, *inputs), (*new_outs, *new_ins), strict=True)
        for entry, kind in found:
            self.fix(entry, kind, index)

    def describe(self, index: int, error: EngineError) -> Problem:
        """Turn a rule's refusal into a problem with the types that came in, and where each comes from."""
        types = Typing(tuple(map(tuple, self.found)), self.fixed_by, ())
        return blame(self.graph, index, error, lambda blamed: told_types(self.graph, types, index, blamed))


def told_types(graph: Graph, types: Typing, index: int, blamed: int | None) -> str:
    """Say which types a node gets, from where and why."""
    told = {
        number: (str(kind), origin_words(graph, types, (source, output)))
        for number, (source, output) in enumerate(graph.nodes[index].inputs)
        if (kind := types.found[source][output]) is not None
    }
    return told_inputs(graph, index, told, blamed)


def origin(graph: Graph, types: Typing, entry: Entry) -> Entry:
    """Follow the type of an array back to the array that it comes from: a variable's, or one that its node decides."""
    seen = {entry}
    while (by := types.fixed_by.get(entry, USUAL)) >= 0:
        source = _source(graph, types, entry, by)
        if source is None or source in seen:
            return entry
        seen.add(source)
        entry = source
    return entry


def origin_words(graph: Graph, types: Typing, entry: Entry) -> str:
    """Say where the type of an array comes from: `given`, `x given`, `dtype = int32 of cast`."""
    first = origin(graph, types, entry)
    node, kind = graph.nodes[first[0]], types.found[first[0]][first[1]]
    by = types.fixed_by.get(first, USUAL)
    if by < 0:
        return _FIXED[by] if first == entry else f"{node.name} {_FIXED[by]}"
    maker = graph.nodes[by]
    setting = type_setting(maker.operator)
    return f"{setting} = {kind} of {maker.name}" if setting else f"{maker.name} ({maker.op_name}) makes it"


def type_setting(operator: Operator | None) -> str:
    """Return the name of the setting that decides an operator's type, or nothing."""
    names = [parameter.name for parameter in operator.parameters] if operator is not None else []
    return next((name for name in ("dtype", "out_dtype") if name in names), "")


def _source(graph: Graph, types: Typing, entry: Entry, by: int) -> Entry | None:
    """Return the array from which the rule of a node took the type of another; None where the node itself decides."""
    node = graph.nodes[by]
    assert node.operator is not None
    outputs = [(by, number) for number in range(node.output_count)]
    kind = types.found[entry[0]][entry[1]]
    candidates = [other for other in (*node.inputs, *outputs) if other != entry]
    for known in (None, *candidates):
        ins = [_only(types, each, known) for each in node.inputs]
        outs = [_only(types, each, known) for each in outputs]
        try:
            new_ins, new_outs = node.operator.infer_types(ins, outs)
        except EngineError:
            continue
        after = dict(zip((*node.inputs, *outputs), (*new_ins, *new_outs), strict=False))
        if after.get(entry) == kind and after.get(entry) is not None:
            return known
    return None


def _only(types: Typing, entry: Entry, known: Entry | None) -> DType | None:
    return types.found[entry[0]][entry[1]] if entry == known else None


def all_float32(graph: Graph, given: Mapping[str, DType]) -> Typing | None:
    """Return the types of a graph in which nobody asks for anything but float32; else None."""
    nodes = graph.nodes
    told = [*given.values(), *(declared_type(nodes[index].attributes) for index in graph.wiring.declaring)]
    if any(kind is not None and kind != FLOAT32 for kind in told):
        return None
    found = tuple((FLOAT32,) if node.operator is None else _among_float32(node.operator) for node in nodes)
    return Typing(found, {}, ()) if all(found) else None


def _among_float32(operator: Operator) -> tuple[DType | None, ...]:
    """Return the types of an operator's outputs where it wants and shows nothing but float32; else nothing."""
    found: tuple[DType | None, ...] | None = operator.memory.get(_among_float32)
    if found is None:
        found = operator.memory[_among_float32] = _types_among_float32(operator)
    return found


def _types_among_float32(operator: Operator) -> tuple[DType | None, ...]:
    ports, visible = len(operator.ports), len(operator.outputs)
    outs = [None] * (visible + len(operator.hidden))
    try:
        unasked, free = operator.infer_types([None] * ports, outs)
        wanted, made = operator.infer_types([FLOAT32] * ports, outs)
    except EngineError:
        return ()
    if any(kind is not None and kind != FLOAT32 for kind in (*unasked, *free[:visible])):
        return ()
    if any(kind is None or kind != FLOAT32 for kind in (*wanted, *made[:visible])):
        return ()
    return tuple(made)


def declared_type(attributes: Mapping[str, str]) -> DType | None:
    """Return the `__dtype__` of a variable, None where it has none."""
    return _BY_NUMBER.get(attributes.get("__dtype__", ""))
