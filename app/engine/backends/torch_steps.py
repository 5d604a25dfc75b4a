"""One call per step of a plan, on the cells that hold a program's tensors."""

from collections.abc import Sequence
from typing import Any

import attrs
import torch

from app.engine.adding import Addition
from app.engine.backends.backend import Call
from app.engine.backends.torch_nodes import Kernel, Tensor
from app.engine.backends.torch_outside import Outside, tensor_like
from app.engine.operator import Array

Cells = list[Any]
"""Tensors by place; None where none is held."""


@attrs.frozen(eq=False)
class Ending:
    """What a step does once its tensors are there: kept ones go to the user's arrays, dead ones are let go."""

    keep: Sequence[Call] = ()
    dying: Sequence[int] = ()

    def finish(self, cells: Cells) -> None:
        """Keep and let go."""
        for call in self.keep:
            call()
        for place in self.dying:
            cells[place] = None


@attrs.frozen(eq=False)
class Forward:
    """Computes the outputs of one node."""

    kernel: Kernel
    cells: Cells
    ins: Sequence[int]
    outs: Sequence[int]
    train: bool
    ending: Ending

    def __call__(self) -> None:
        """Compute, keep, let go."""
        cells = self.cells
        found = self.kernel.forward([cells[place] for place in self.ins], self.train)
        for place, out in zip(self.outs, found, strict=False):  # hidden outputs are not computed
            cells[place] = out
        self.ending.finish(cells)


@attrs.frozen(eq=False)
class Backward:
    """Computes the wanted gradients of one node; a head without a place is one that nobody feeds."""

    kernel: Kernel
    cells: Cells
    heads: Sequence[int | None]
    grads: Sequence[int]
    ending: Ending

    def __call__(self) -> None:
        """Compute, keep, let go."""
        cells = self.cells
        found = self.kernel.backward([None if place is None else cells[place] for place in self.heads])
        for place, gradient in zip(self.grads, found, strict=True):
            cells[place] = gradient
        self.ending.finish(cells)


@attrs.frozen(eq=False)
class Sum:
    """Adds the parts of a gradient, or hands a lone part on."""

    cells: Cells
    parts: Sequence[int]
    total: int
    ending: Ending

    def __call__(self) -> None:
        """Add, keep, let go."""
        cells = self.cells
        first, *rest = (cells[place] for place in self.parts)
        cells[self.total] = first + rest[0] if rest else first
        self.ending.finish(cells)


@attrs.frozen(eq=False)
class Zero:
    """Sets a gradient that nothing flows into."""

    cells: Cells
    place: int
    zeros: Tensor
    ending: Ending

    def __call__(self) -> None:
        """Set, keep, let go."""
        self.cells[self.place] = self.zeros
        self.ending.finish(self.cells)


@attrs.frozen(eq=False)
class Take:
    """Copies a tensor into an array of the user's: an output, or a gradient that is written."""

    cells: Cells
    place: int
    outside: Outside

    def __call__(self) -> None:
        """Copy."""
        self.outside.take(self.cells[self.place])


class Add:
    """Adds a fresh gradient to its holder, in numpy: how is the operator's to say (docs/decisions/0004)."""

    def __init__(self, cells: Cells, place: int, addition: Addition) -> None:
        assert addition.holder is not None
        self._cells, self._place = cells, place
        fresh, self._staged = tensor_like(addition.holder.shape, addition.holder.dtype)
        self._add = addition.add(addition.input, fresh, addition.holder)

    def __call__(self) -> None:
        """Add."""
        self._staged.copy_(self._cells[self._place])
        self._add()


@attrs.frozen(eq=False)
class Echo:
    """Takes a gradient back from the holder of another one, as MXNet does where an operator echoes."""

    cells: Cells
    place: int
    holder: Array
    device: torch.device

    def __call__(self) -> None:
        """Copy the holder."""
        self.cells[self.place] = torch.from_numpy(self.holder.copy()).to(self.device)


@attrs.frozen(eq=False)
class InOrder:
    """Makes several calls one."""

    calls: Sequence[Call]

    def __call__(self) -> None:
        """Make them."""
        for call in self.calls:
            call()
