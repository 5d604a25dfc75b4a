"""Gradients that are added to what their buffers hold (the request `add`), with what MXNet does there.

A gradient that nothing reads but this addition need not be whole at any time. Where its operator can find it a few rows
at a time, the plan gives it room for those only, and each strip is added before the next one is computed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import attrs
import numpy as np

from app.engine.gradient import ExecutorGraph, in_turn
from app.engine.kernels.steps import in_order
from app.engine.operator import Array, Operator, OptionalArrays, Run
from app.engine.passes.tasks import Given
from app.engine.planning.plan import ArrayKey, Step

Call = Callable[[], object]
AddGradient = Callable[[int, Array, Array], Call]


@attrs.frozen(eq=False)
class Addition:
    """What happens to one gradient when its step is done.

    With `echoed` it is replaced by what that buffer of another gradient holds by then (docs/decisions/0004). Then it is
    added to `holder`, where there is one, by the call that `add` makes of input, gradient and holder.
    """

    key: ArrayKey
    input: int
    echoed: Array | None
    holder: Array | None
    add: AddGradient

    def in_numpy(self, fresh: Array) -> Call:
        """Return the call that does it with a gradient that lies in numpy's memory."""
        if self.holder is None:
            assert self.echoed is not None
            return partial(np.copyto, fresh, self.echoed)
        return self.add(self.input, fresh if self.echoed is None else self.echoed, self.holder)


def additions(executor_graph: ExecutorGraph, step: Step, holders: Mapping[int, Array]) -> Iterator[Addition]:
    """Yield what is to be done, in this order, with the gradients that a step finishes; nothing where none is added."""
    operator = executor_graph.graph.nodes[step.symbol_node].operator if step.kind == "backward" else None
    add = _add_plainly if operator is None else operator.add_gradient
    held: dict[int, Array] = {}
    for number, source in in_turn(
        executor_graph, step.nodes, operator
    ):  # a sum's first additions finish no node
        node = executor_graph.nodes[step.nodes[number]]
        echoed = None if source is None else held[source]
        holder = None
        if node.request == "add":
            holder = held[node.input] = holders[node.entry[0]]
        if holder is not None or echoed is not None:
            yield Addition(step.writes[number], node.input, echoed, holder, add)


def _add_plainly(index: int, fresh: Array, holder: Array) -> Call:
    return partial(np.add, holder, fresh, holder)


def take_strips(
    operator: Operator, run: Run, given: Given, found: Sequence[Addition]
) -> tuple[list[Call], list[Addition], Given]:
    """Return the calls that find and add what the plan gave room for a strip, and what is left to do for the others."""
    strips, left = list[Call](), list[Addition]()
    grads = list(given.grads)
    for addition in found:
        room, holder = given.grads[addition.input], addition.holder
        if room is None or holder is None or room.shape == holder.shape:
            left.append(addition)
            continue
        grads[addition.input] = None
        if addition.echoed is None:
            strips.append(_in_strips(operator, run, given, addition))
        else:
            left.append(addition)
    return strips, left, attrs.evolve(given, grads=grads)


def _in_strips(operator: Operator, run: Run, given: Given, addition: Addition) -> Call:
    """Prepare a gradient strip by strip in the room of one, each added to its holder before the next is computed."""
    room, holder, split = given.grads[addition.input], addition.holder, operator.strips
    assert room is not None and holder is not None and split is not None
    grads: list[Array | None] = [None] * len(given.grads)
    calls = list[Call]()
    for first in range(0, len(holder), len(room)):
        rows = slice(first, first + len(room))
        own = holder[rows]
        fresh = room[: len(own)]
        ins, outs = _rows(split.ins, given.ins, rows), _rows(split.outs, given.outs, rows)
        heads = _rows(split.outs, given.heads, rows)
        own_grads = [*grads[: addition.input], fresh, *grads[addition.input + 1 :]]
        calls.append(operator.prepare_backward(run, ins, outs, heads, own_grads))
        calls.append(addition.add(addition.input, fresh, own))
    return in_order(calls)


def _rows(axes: Sequence[int | None], arrays: OptionalArrays, rows: slice) -> list[Array | None]:
    return [
        array if array is None or axis is None else array[rows]
        for axis, array in zip(axes, arrays, strict=False)
    ]
