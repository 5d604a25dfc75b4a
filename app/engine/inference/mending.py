"""What would mend a misfit: settings, shapes and operators that were tried and make the graph fit."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import attrs

from app.engine.errors import EngineError
from app.engine.graph import Entry, Graph, GraphNode
from app.engine.inference.mends import FEW_NODES, MOST_OFFERS, Mend
from app.engine.inference.reasons import chain
from app.engine.inference.solver import GIVEN, Problem, solve_all
from app.engine.inference.type_mending import mend_types
from app.engine.operator import MOST_PORTS, Operator
from app.engine.params import Parameter, as_text
from app.engine.registry import find_operator
from app.engine.settings import PORT_COUNTS
from app.engine.shapes import UNKNOWN, Inferred, Shape, element_count, is_known, text

if TYPE_CHECKING:
    from app.engine.inference.infer import Inference

_MOST_TRIALS = 12
_FEW_INPUTS = 20
_SMALL = (-1, 0, 1, 2, 3)
_MOST_AXES = 5
_BROADCAST = {
    "elemwise_add": "broadcast_add",
    "elemwise_sub": "broadcast_sub",
    "elemwise_mul": "broadcast_mul",
    "elemwise_div": "broadcast_div",
    "_maximum": "broadcast_maximum",
    "_minimum": "broadcast_minimum",
    "_power": "broadcast_power",
}


def find_mends(inference: "Inference", problem: Problem) -> tuple[Mend, ...]:
    """Return changes that mend a misfit, at most two; none where nothing that was tried does."""
    graph = inference.graph
    node = graph.nodes[problem.index]
    if node.operator is None or len(node.inputs) > _FEW_INPUTS or len(graph.nodes) > FEW_NODES:
        return ()
    if problem not in inference.shape_problems:
        return mend_types(graph, inference.given_types, inference.typing, problem)
    trials = _Trials(inference, problem)
    candidates = islice(_once_each(trials.candidates()), _MOST_TRIALS)
    return tuple(islice(filter(trials.mends, candidates), MOST_OFFERS))


def _once_each(mends: Iterable[Mend]) -> Iterator[Mend]:
    seen: set[str] = set()
    for mend in mends:
        if mend.words not in seen:
            seen.add(mend.words)
            yield mend


class _Trials:
    """Thinks of changes near one misfit, and tries them on the whole graph."""

    def __init__(self, inference: "Inference", problem: Problem) -> None:
        self.inference = inference
        self.graph = inference.graph
        self.index = problem.index
        self.node: GraphNode = self.graph.nodes[problem.index]
        self.ins = inference.in_shapes(problem.index)

    def candidates(self) -> Iterator[Mend]:
        """Go through all changes that help the node by itself, the likeliest to be wanted first.

        A setting is more likely wrong than a shape that was given, and that is more likely than the operator; but
        numbers that only lie another way come before settings, and what would lose an axis, or keep one number of it,
        comes last.
        """
        fitting = [*self._wanted(), *self._turned(), *self._likely()]
        keeping = [each for each in fitting if not self._loses(*each)]
        losing = [each for each in fitting if self._loses(*each)]
        yield from self._at_sources(keeping)
        shapes = self._shapes(keeping)
        yield from filter(self._only_moves, shapes)
        yield from self._own_settings()
        yield from shapes
        yield from self._broadcasting()
        yield from self._at_sources(losing)
        yield from self._shapes(losing)

    def _at_sources(self, fitting: Sequence[tuple[int, Shape]]) -> Iterator[Mend]:
        """Change what makes inputs so that it makes what fits."""
        for number, shape in fitting:
            yield from self._at_the_source(self.node.inputs[number], shape)
            yield from self._of_the_source(self.node.inputs[number], shape)

    def _shapes(self, fitting: Sequence[tuple[int, Shape]]) -> list[Mend]:
        """Give variables other shapes, those that fewest nodes read and that come last first."""
        mends: dict[str, Mend] = {}
        for number, shape in reversed(fitting):
            source = self.node.inputs[number][0]
            variable = self.graph.nodes[source]
            told = self.inference.given.get(variable.name) or "__shape__" in variable.attributes
            if variable.is_variable and is_known(shape) and told:
                words = f"give {variable.name} the shape {text(shape)}"
                mends.setdefault(words, Mend("shape", words, source, shape=shape))
        return sorted(mends.values(), key=lambda mend: len(self.graph.consumers[mend.node]))

    def _loses(self, number: int, shape: Shape) -> bool:
        """Tell whether an input would lose an axis, or all but one number along it."""
        before = self.ins[number]
        if len(shape) < len(before):
            return element_count(shape) != element_count(before)
        return len(shape) == len(before) and any(
            size == 1 != old for size, old in zip(shape, before, strict=True)
        )

    def _only_moves(self, mend: Mend) -> bool:
        """Tell whether a variable would keep as many numbers."""
        return element_count(mend.shape) == element_count(self.inference.shape((mend.node, 0)))

    def mends(self, candidate: Mend) -> bool:
        """Tell whether the graph has fewer misfits with a change, and none at this node."""
        nodes = list(self.graph.nodes)
        given = dict(self.inference.given)
        if candidate.changed is not None:
            if self._read_outputs(candidate.node) > len(candidate.changed.outputs):
                return False
            nodes[candidate.node] = attrs.evolve(nodes[candidate.node], operator=candidate.changed)
        else:
            old = nodes[candidate.node]
            others = {key: value for key, value in old.attributes.items() if key != "__shape__"}
            nodes[candidate.node] = attrs.evolve(old, attributes=others)
            given[old.name] = candidate.shape
        after = solve_all(Graph(tuple(nodes), self.graph.heads), given).problems
        return self.index not in after and len(after) < len(self.inference.shape_problems)

    def _read_outputs(self, index: int) -> int:
        """Count the outputs of a node up to the last one that somebody reads."""
        entries = [*self.graph.heads, *(entry for node in self.graph.nodes for entry in node.inputs)]
        return max((number + 1 for source, number in entries if source == index), default=0)

    def _infers(self, operator: Operator, ins: list[Shape]) -> Inferred | None:
        try:
            return operator.infer(ins, (UNKNOWN,) * (len(operator.outputs) + len(operator.hidden)))
        except EngineError:
            return None

    def _wanted(self) -> Iterator[tuple[int, Shape]]:
        """Yield the inputs without which the rest fits, and the shapes that the rest asks of them."""
        assert self.node.operator is not None
        for number, shape in enumerate(self.ins):
            found = self._infers(self.node.operator, self._with(number, UNKNOWN))
            filled = found[0][number] if found is not None else UNKNOWN
            if len(filled) == len(shape):
                filled = tuple(want or have for want, have in zip(filled, shape, strict=True))
            if shape and filled and filled != shape:
                yield number, filled

    def _turned(self) -> Iterator[tuple[int, Shape]]:
        """Yield inputs with a short last axis as the second: images that have their channels in front."""
        assert self.node.operator is not None
        for number, shape in enumerate(self.ins):
            if len(shape) > 2 and shape[-1] < min(shape[1:-1]):
                tried = (shape[0], shape[-1], *shape[1:-1])
                if self._infers(self.node.operator, self._with(number, tried)) is not None:
                    yield number, tried

    def _with(self, number: int, shape: Shape) -> list[Shape]:
        """Return the shapes that come in, with another at one input."""
        return [*self.ins[:number], shape, *self.ins[number + 1 :]]

    def _likely(self) -> Iterator[tuple[int, Shape]]:
        """Yield inputs with one size replaced by one of another input, where the node takes that."""
        assert self.node.operator is not None
        for number, shape in enumerate(self.ins):
            others = {size for at, each in enumerate(self.ins) if at != number for size in each}
            for axis in range(len(shape)):
                for size in sorted(others - {0, shape[axis]}):
                    tried = (*shape[:axis], size, *shape[axis + 1 :])
                    if self._infers(self.node.operator, self._with(number, tried)) is not None:
                        yield number, tried

    def _of_the_source(self, entry: Entry, wanted: Shape) -> Iterator[Mend]:
        """Change one setting of the operator that an input comes from, so that it makes the wanted shape."""
        node, ins = self.graph.nodes[entry[0]], self.inference.in_shapes(entry[0])
        if node.operator is None or len(node.inputs) > _FEW_INPUTS:
            return
        fresh = [
            shape if port.role == "data" else UNKNOWN
            for port, shape in zip(node.operator.ports, ins, strict=True)
        ]
        for each in self._settings(entry[0], {None: (*_SMALL, *wanted)}, fresh):
            assert each.changed is not None
            count = len(each.changed.outputs) + len(each.changed.hidden)
            if entry[1] >= count:
                continue  # with this setting there is no such output
            if each.changed.infer(fresh, (UNKNOWN,) * count)[1][entry[1]] == wanted:
                yield each

    def _at_the_source(self, entry: Entry, wanted: Shape) -> Iterator[Mend]:
        """Change the setting upstream that fixed a dimension which should be another."""
        shape = self.inference.shape(entry)
        if len(shape) != len(wanted):
            return
        for axis, (have, want) in enumerate(zip(shape, wanted, strict=True)):
            if have == want or not have or not want:
                continue
            for reason in islice(chain(self.inference, entry, axis), 8):
                by = self.inference.found_by(reason.entry, reason.axis)
                if by is None or by in (GIVEN, self.index) or reason.size != have:
                    continue
                yield from self._settings(by, {have: (want,)})

    def _own_settings(self) -> Iterator[Mend]:
        """Change one setting of the node itself to a size or an axis that its inputs have."""
        sizes = {size for shape in self.ins for size in shape if size}
        halves = {size // part for size in sizes for part in range(2, 9) if size % part == 0}
        numbers = sorted({*sizes, *halves, *_SMALL})
        yield from self._settings(self.index, {None: numbers})

    def _settings(
        self, index: int, changes: Mapping[int | None, Any], ins: list[Shape] | None = None
    ) -> Iterator[Mend]:
        """Yield changes of one setting, nearest value first, with which the node by itself takes its inputs.

        With `ins`, all such values of every setting are told, else only the nearest.
        """
        operator, name = self.graph.nodes[index].operator, self.graph.nodes[index].name
        assert operator is not None
        for parameter in operator.parameters:
            old = getattr(operator, parameter.name)
            if parameter.declaration.advanced or parameter.name == operator.variadic:
                continue
            for new in _alternatives(parameter.kind, old, changes):
                changed = _changed(operator, parameter, new)
                if changed is None or len(changed.ports) != len(operator.ports):
                    continue
                tried = ins or (self.ins if index == self.index else None)
                if tried is None or self._takes(changed, tried):
                    value = as_text(new)
                    words = f"set {parameter.name} of {name} to {value}"
                    yield Mend("setting", words, index, parameter.name, value, changed=changed)
                    if ins is None:
                        break

    def _takes(self, operator: Operator, ins: list[Shape]) -> bool:
        """Tell whether an operator fits these inputs in a way that somebody may mean."""
        found = self._infers(operator, ins)
        return found is not None and operator.makes_sense(*found)

    def _broadcasting(self) -> Iterator[Mend]:
        other = _BROADCAST.get(self.node.operator.op_name if self.node.operator is not None else "")
        if other is not None:
            operator = find_operator(other).from_attributes({})
            if self._infers(operator, self.ins) is not None:
                words = f"use {other} in place of {self.node.op_name}"
                yield Mend("operator", words, self.index, other, changed=operator)


def _alternatives(kind: str, old: Any, changes: Mapping[int | None, Any]) -> list[Any]:
    """List other values of one setting: the flip of a truth value, other numbers, a tuple with its numbers replaced."""
    if kind == "bool" and None in changes:
        return [not old]
    if kind == "int" and isinstance(old, int):
        numbers = changes.get(old, changes.get(None, ()))
        return sorted((number for number in numbers if number != old), key=lambda number: abs(number - old))
    if kind == "ints" and old and all(isinstance(number, int) for number in old):
        return _other_lists(old, changes)
    return []


def _other_lists(old: tuple[int, ...], changes: Mapping[int | None, Any]) -> list[tuple[int, ...]]:
    """List other values of a list of numbers: another number throughout or in one place, or another length."""
    found = []
    if len(set(old)) == 1:
        numbers = changes.get(old[0], changes.get(None, ()))
        others = sorted({*numbers} - {old[0]}, key=lambda size: abs(size - old[0]))
        found = [(number,) * len(old) for number in others]
    if None in changes:
        single = [(*old[:at], number, *old[at + 1 :]) for at in range(len(old)) for number in _SMALL]
        found += sorted(single, key=lambda new: sum(abs(a - b) for a, b in zip(new, old, strict=True)))
        found += [(*old, *old[-1:] * more) for more in range(1, _MOST_AXES)]
        found += [old[:-1], *((*old, number) for number in _SMALL)]
    return [new for new in dict.fromkeys(found) if new and new != old]


def _changed(operator: Operator, parameter: Parameter, value: Any) -> Operator | None:
    if parameter.name in PORT_COUNTS and value > MOST_PORTS:
        return None
    try:
        parameter.parse(as_text(value))
        changed = attrs.evolve(operator, **{parameter.name: value})
        changed.check()
    except EngineError:
        return None
    return changed
