"""A step of the plan as the passes see it: its arrays, how it is made a call, how long it takes, how it falls apart."""

from collections.abc import Callable
from typing import Final

import attrs

from app.engine.inference.infer import Inference
from app.engine.operator import Arrays, Operator, OptionalArrays
from app.engine.shapes import Shape, Shapes, element_count
from app.engine.split import Split, alike
from app.engine.stepping import Call

NANOSECONDS_PER_PRODUCT: Final = 0.02


@attrs.frozen(eq=False)
class Given:
    """The arrays of one step, as `Operator.prepare_backward` takes them; a forward has no heads and gradients."""

    ins: OptionalArrays = ()
    outs: OptionalArrays = ()
    heads: OptionalArrays = ()
    grads: OptionalArrays = ()

    @property
    def all_ins(self) -> Arrays:
        """The inputs of a forward, which are all there."""
        return [array for array in self.ins if array is not None]

    @property
    def all_outs(self) -> Arrays:
        """The outputs of a forward, which are all there."""
        return [array for array in self.outs if array is not None]


@attrs.frozen
class How:
    """What a call is prepared for: predicting or training, and the second of two threads or the only or first one."""

    train: bool
    is_second: bool = False


Prepare = Callable[[Given, How], Call]


@attrs.frozen(eq=False)
class Task:
    """One step. `prepare` makes a call that works on these arrays, or on halves of them.

    `time` is how many nanoseconds one thread takes, `products` how many of them go into plain matrix products, which
    the BLAS itself runs in several threads. `after` is done when the whole step is.
    """

    given: Given
    prepare: Prepare
    splits: tuple[Split, ...] = ()
    time: float = 0.0
    products: float = 0.0
    after: tuple[Call, ...] = ()


def whole(call: Call) -> Task:
    """Return the task of a call that stays in one piece."""
    return Task(Given(), lambda _given, _how: call)


def for_both(prepare: Prepare) -> Prepare:
    """Return what prepares one call for prediction and training alike; a task runs whole or in halves, never both."""
    made: dict[bool, Call] = {}

    def once(given: Given, how: How) -> Call:
        if how.is_second not in made:
            made[how.is_second] = prepare(given, how)
        return made[how.is_second]

    return once


@attrs.frozen(eq=False)
class Outline:
    """What follows of a step from its shapes alone: how it falls apart, and how many nanoseconds it takes."""

    splits: tuple[Split, ...]
    time: float
    products: float

    def task(self, given: Given, prepare: Prepare, after: tuple[Call, ...] = (), gradients: int = 0) -> Task:
        """Return the task of an operator's forward, or of its backward to so many gradients with several axes."""
        passes = max(1, gradients)
        splits = tuple(split for split in self.splits if not (given.grads and split.needs_place))
        return Task(given, prepare, splits, self.time * passes, self.products * passes, after)


class Outlines:
    """The outlines of an operator's nodes; deep nets repeat their layers, so each is drawn once."""

    def __init__(self, inference: Inference) -> None:
        self._inference = inference
        self._known: dict[tuple[int, Shapes, Shapes], Outline] = {}

    def of(self, node: int) -> Outline:
        """Return the outline of a node's step."""
        operator = self._inference.graph.nodes[node].operator
        assert operator is not None
        ins, outs = tuple(self._inference.in_shapes(node)), self._inference.outputs[node]
        key = id(operator), ins, outs  # equal settings are one object
        if key not in self._known:
            self._known[key] = _outline(operator, ins, outs)
        return self._known[key]


def _outline(operator: Operator, ins: Shapes, outs: Shapes) -> Outline:
    splits = tuple(operator.splits(ins, outs))
    if not splits:
        return Outline((), 0.0, 0.0)
    products = operator.multiply_adds(ins, outs) * NANOSECONDS_PER_PRODUCT
    numbers = sum(element_count(shape) for shape in (*ins, *outs))
    time = products + numbers * splits[0].pace
    return Outline(splits, time, products if splits[0].is_product else 0.0)


def addition(terms: int, shape: Shape) -> Outline:
    """Return the outline of a step that adds up so many arrays, or copies one."""
    splits = alike(len(shape), terms, 1)
    return Outline(splits, (terms + 1) * element_count(shape) * splits[0].pace if splits else 0.0, 0.0)
