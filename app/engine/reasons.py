"""Why a dimension is what it is: the chain of reasons, as data and as a sentence."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

import attrs

from app.engine.errors import EngineError
from app.engine.graph import Entry, GraphNode
from app.engine.operator import Operator
from app.engine.shapes import UNKNOWN, Shape, text

if TYPE_CHECKING:
    from app.engine.infer import Inference

Place = tuple[Entry, int]  # one dimension: an array and an axis
_MOST_TRIED = 40
Slot = tuple[Literal["in", "out"], int]  # an input or output of a node


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
    by = inference.found_by(entry, axis)
    if by is None or not size:
        return Reason(entry, axis, 0, "Nothing has fixed this dimension yet.")
    name = inference.graph.entry_name(entry)
    if by < 0:
        return Reason(entry, axis, size, f"{size} because {name} was given as {text(inference.shape(entry))}")
    rule = _Rule(inference, by)
    sources = rule.sources(entry, axis)
    cause = rule.own_words(entry, axis) or rule.words(size, sources)
    return Reason(entry, axis, size, f"{size} because {cause}", sources)


class _Rule:
    """The rule of one node, tried with dimensions taken away to see what a finding follows from."""

    def __init__(self, inference: "Inference", index: int) -> None:
        self.inference = inference
        self.index = index
        self.node: GraphNode = inference.graph.nodes[index]
        assert self.node.operator is not None
        self.operator: Operator = self.node.operator
        self.ins = inference.in_shapes(index)
        self.outs = list(inference.outputs[index])

    def slot(self, entry: Entry) -> Slot:
        """Return where the node touches an array."""
        if entry[0] == self.index:
            return "out", entry[1]
        return "in", self.node.inputs.index(entry)

    def entry(self, side: str, number: int) -> Entry:
        """Return the array at an input or output."""
        return (self.index, number) if side == "out" else self.node.inputs[number]

    def own_words(self, entry: Entry, axis: int) -> str:
        """Ask the operator for a sentence of its own."""
        side, number = self.slot(entry)
        return self.operator.because(side, number, axis, self.ins, self.outs)

    def sources(self, entry: Entry, axis: int) -> tuple[Place, ...]:
        """List the dimensions without which the rule would not have found this one."""
        target = self.slot(entry)
        unfounded: dict[Slot, Shape] = {target: UNKNOWN, **self._unfounded(target)}
        if not self._finds(target, axis, unfounded):
            unfounded = {target: UNKNOWN}
        return self._needed(target, axis, unfounded) or self._one_witness(target, axis, unfounded)

    def _needed(self, target: Slot, axis: int, unfounded: dict[Slot, Shape]) -> tuple[Place, ...]:
        needed = []
        for slot, shape in self._touched():
            if slot in unfounded:
                continue
            for place, size in enumerate(shape):
                open_shape = (*shape[:place], 0, *shape[place + 1 :])
                if size and not self._finds(target, axis, {**unfounded, slot: open_shape}):
                    needed.append((self.entry(*slot), place))
        return tuple(dict.fromkeys(needed))

    def _one_witness(self, target: Slot, axis: int, unfounded: dict[Slot, Shape]) -> tuple[Place, ...]:
        """Where several arrays say the same, so that none alone is needed, call the first that would do alone."""
        slots = [slot for slot, _ in self._touched() if slot not in unfounded]
        for slot in slots:
            others = {other: UNKNOWN for other in slots if other != slot}
            if self._finds(target, axis, {**unfounded, **others}):
                return self._needed(target, axis, {**unfounded, **others})
        return ()

    def _unfounded(self, target: Slot) -> dict[Slot, Shape]:
        """Take away the other arrays that this same rule found: they are no reasons but findings alike."""
        found: dict[Slot, Shape] = {}
        for slot, shape in self._touched():
            entry = self.entry(*slot)
            mine = [self.inference.found_by(entry, axis) == self.index for axis in range(len(shape))]
            if slot != target and mine and all(mine):
                found[slot] = UNKNOWN
        return found

    def _touched(self) -> Iterator[tuple[Slot, Shape]]:
        """Go through the arrays of the node; of a very wide one only the first are tried."""
        for number, shape in enumerate(self.ins[:_MOST_TRIED]):
            yield ("in", number), shape
        for number, shape in enumerate(self.outs[:_MOST_TRIED]):
            yield ("out", number), shape

    def _finds(self, target: Slot, axis: int, changes: dict[Slot, Shape]) -> bool:
        ins = [changes.get(("in", number), shape) for number, shape in enumerate(self.ins)]
        outs = [changes.get(("out", number), shape) for number, shape in enumerate(self.outs)]
        try:
            new_ins, new_outs = self.operator.infer(ins, outs)
        except EngineError:
            return False
        shape = (new_ins if target[0] == "in" else new_outs)[target[1]]
        return axis < len(shape) and shape[axis] != 0

    def words(self, size: int, sources: tuple[Place, ...]) -> str:
        """Say what the dimension follows from: "data is (64, 8, 4, 4): 8·4·4"."""
        if not sources:
            return f"{self.node.name} ({self.node.op_name}) makes it so"
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
