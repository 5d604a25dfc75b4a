"""Why a dimension is what it is: the chain of reasons, as data and as a sentence."""

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import attrs

from app.engine.errors import EngineError
from app.engine.graph import Entry, GraphNode
from app.engine.operator import Operator
from app.engine.params import as_text
from app.engine.shapes import Shape, text

if TYPE_CHECKING:
    from app.engine.inference.infer import Inference

NONSENSE = (EngineError, ValueError, IndexError, ArithmeticError)
"""What a rule may raise for settings that nobody chose and that do not go together."""

Place = tuple[Entry, int]  # one dimension: an array and an axis
_MOST_TRIED = 40
"""Of a very wide node only so many arrays are tried as reasons."""
Known = dict[Entry, Shape]


@attrs.frozen
class Reason:
    """Why one dimension of an array has its size, and the dimensions that this follows from."""

    entry: Entry
    axis: int
    size: int
    sentence: str
    follows_from: tuple[Place, ...] = ()


def explain_entry(inference: "Inference", entry: Entry) -> tuple[Reason, ...]:
    """Return one reason for each dimension of an array; nothing while even its rank is unknown."""
    return tuple(_explain(inference, entry, axis) for axis in range(len(inference.shape(entry))))


def chain(inference: "Inference", entry: Entry, axis: int) -> list[Reason]:
    """Return a dimension's reason, then the reasons of what it follows from, nearest first, each once."""
    found: list[Reason] = []
    waiting: list[Place] = [(entry, axis)]
    seen = set(waiting)
    while waiting:
        place = waiting.pop(0)
        reason = _explain(inference, *place)
        found.append(reason)
        for source in reason.follows_from:
            if source not in seen:
                seen.add(source)
                waiting.append(source)
    return found


def _explain(inference: "Inference", entry: Entry, axis: int) -> Reason:
    size = inference.shape(entry)[axis]
    step = inference.finding(entry, axis)
    if step is None or not size:
        return Reason(entry, axis, 0, "Nothing has fixed this dimension yet.")
    name = inference.graph.entry_name(entry)
    if step.by < 0:
        return Reason(entry, axis, size, f"{size} because {name} was given as {text(inference.shape(entry))}")
    rule = _Rule(inference, step.by, step.when)
    sources = rule.sources(entry, axis)
    cause = rule.own_words(entry, axis)
    if not cause:
        cause = rule.words(size, sources) if sources else rule.settings_words(entry, axis)
    return Reason(entry, axis, size, f"{size} because {cause}", sources)


class _Rule:
    """The rule of one node as it was run at one time, tried with less than it knew then to see what matters."""

    def __init__(self, inference: "Inference", index: int, when: int) -> None:
        self.inference = inference
        self.index = index
        self.node: GraphNode = inference.graph.nodes[index]
        assert self.node.operator is not None
        self.operator: Operator = self.node.operator
        self.outputs = tuple((index, number) for number in range(self.node.output_count))
        self.known: dict[Entry, Shape] = {
            entry: inference.shape_before(entry, when) for entry in (*self.node.inputs, *self.outputs)
        }
        """What was known when the rule was run: nothing that it, or a rule after it, found."""

    def own_words(self, entry: Entry, axis: int) -> str:
        """Ask the operator for a sentence of its own."""
        outs = list(self.inference.outputs[self.index])
        ins = self.inference.in_shapes(self.index)
        if entry in self.outputs:
            return self.operator.because("out", entry[1], axis, ins, outs)
        return self.operator.because("in", self.node.inputs.index(entry), axis, ins, outs)

    def sources(self, entry: Entry, axis: int) -> tuple[Place, ...]:
        """List the dimensions without which the rule would not have found this one.

        Where several say the same, so that none alone is needed, those are kept that come first and are enough.
        """
        places = [
            (source, place)
            for source, shape in islice(self.known.items(), _MOST_TRIED)
            for place, size in enumerate(shape)
            if size
        ]
        needed = [place for place in places if not self._find(entry, axis, _opened(self.known, place))]
        if needed:
            return tuple(needed)
        known, enough = self.known, []
        for place in reversed(places):
            fewer = _opened(known, place)
            if self._find(entry, axis, fewer):
                known = fewer
            else:
                enough.append(place)
        return tuple(reversed(enough))

    def _find(self, entry: Entry, axis: int, known: Known, operator: Operator | None = None) -> int | None:
        """Return what the rule finds of a dimension: 0 where nothing, None where the array has no such axis."""
        ins = [known[source] for source in self.node.inputs]
        outs = [known[output] for output in self.outputs]
        try:
            new_ins, new_outs = (operator or self.operator).infer(ins, outs)
        except EngineError:
            return 0
        places = zip((*self.node.inputs, *self.outputs), (*new_ins, *new_outs), strict=True)
        shapes = [shape for source, shape in places if source == entry]
        return max((shape[axis] for shape in shapes if axis < len(shape)), default=None)

    def settings_words(self, entry: Entry, axis: int) -> str:
        """Name the settings without which a dimension would be another: those that change it when they are changed."""
        known = {source: (0,) * len(shape) for source, shape in self.known.items()}
        deciding = [
            parameter
            for parameter in self.operator.parameters
            if self._decides(parameter.name, entry, axis, known)
        ]
        values = {parameter.name: getattr(self.operator, parameter.name) for parameter in deciding}
        chosen = [each.name for each in deciding if each.required or values[each.name] != each.default]
        named = chosen or [name for name, value in values.items() if not isinstance(value, bool)]
        words = " and ".join(f"{name} = {as_text(values[name])}" for name in named)
        return words or f"{self.node.name} ({self.node.op_name}) always makes it so"

    def _decides(self, name: str, entry: Entry, axis: int, known: Known) -> bool:
        size = self._find(entry, axis, known)
        for other in _varied(self.operator, name):
            try:
                other.check()
                if self._find(entry, axis, known, other) not in (size, 0):
                    return True
            except NONSENSE:
                continue
        return False

    def words(self, size: int, sources: tuple[Place, ...]) -> str:
        """Say what the dimension follows from: "data is (64, 8, 4, 4): 8·4·4"."""
        parts = [
            f"{self.inference.graph.entry_name(entry)} is {text(self.inference.shape(entry))}"
            for entry in dict.fromkeys(entry for entry, _ in sources)
        ]
        sizes = [self.inference.shape(entry)[axis] for entry, axis in sources]
        product = 1
        for factor in sizes:
            product *= factor
        sum_up = f": {'·'.join(map(str, sizes))}" if len(sizes) > 1 and product == size else ""
        return " and ".join(parts) + sum_up


def _opened(known: Known, place: Place) -> Known:
    """Take one dimension of an array away."""
    entry, axis = place
    shape = known[entry]
    return {**known, entry: (*shape[:axis], 0, *shape[axis + 1 :])}


def _varied(operator: Operator, name: str) -> Iterator[Operator]:
    """Make the operator with one setting a little changed: a switch turned over, a number moved on."""
    value = getattr(operator, name)
    others: list[Any] = []
    if isinstance(value, bool):
        others = [not value]
    elif isinstance(value, int | float):
        others = [other for other in (value + 1, value - 1, value * 2) if other]
    elif isinstance(value, tuple):
        others = [
            (*value[:place], number + 1, *value[place + 1 :])
            for place, number in enumerate(value)
            if isinstance(number, int)
        ]
    for other in others:
        changed: dict[str, Any] = {name: other}
        yield attrs.evolve(operator, **changed)
