"""How a node is computed: by the lines of PyTorch that it exports, or by its numpy kernel on the host."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, Protocol, TypeAlias

import attrs
import numpy as np
import torch

from app.engine.backends import (
    torch_parts_boxes,
    torch_parts_gradients,
    torch_parts_heads,
    torch_parts_layers,
    torch_parts_regions,
    torch_parts_sequences,
)
from app.engine.backends.torch_outside import Outside, tensor_like, torch_dtype
from app.engine.operator import Array, CodeNames, DType, Operator, Run
from app.engine.shapes import Shape

Tensor: TypeAlias = torch.Tensor
Tensors = Sequence[Tensor]
Lines = Callable[..., tuple[Tensor, ...]]

_FACTORIES = (
    *("torch.full(", "torch.arange(", "torch.tensor(", "torch.ones(", "torch.zeros(", "torch.eye("),
    "torch.tril_indices(",
)
"""Calls in exported lines that make a tensor on the processor unless told otherwise."""


@attrs.frozen(eq=False)
class NodeFacts:
    """What a kernel has to know of its node: settings, shapes and types, the inputs whose gradients are wanted.

    `outside` are the variables among the inputs (auxiliary states too), by number. `overwritten` is that of `Run`.
    """

    name: str
    operator: Operator
    in_shapes: tuple[Shape, ...]
    in_types: tuple[DType, ...]
    out_shapes: tuple[Shape, ...]
    out_types: tuple[DType, ...]
    wanted: tuple[int, ...]
    outside: Mapping[int, Outside]
    device: torch.device
    overwritten: bool

    @property
    def visible(self) -> int:
        """How many outputs the node shows; only these are computed here."""
        return len(self.operator.outputs)


class Kernel(Protocol):
    """Computes one node. Tensors are never changed once made, but for the variables numbered in `changes`."""

    @property
    def changes(self) -> Sequence[int]:
        """Inputs that the kernel changes on the device, in either pass."""

    def forward(self, ins: Tensors, train: bool) -> Tensors:
        """Return the visible outputs, and remember what backward needs."""

    def backward(self, heads: Sequence[Tensor | None]) -> Tensors:
        """Return the wanted gradients in their order; a head gradient that nobody feeds is None and counts as zero."""

    def seed(self, sequence: np.random.SeedSequence) -> None:
        """Start the node's random stream anew."""


class Unseeded:
    """What kernels without random numbers have in common."""

    changes: Sequence[int] = ()

    def seed(self, sequence: np.random.SeedSequence) -> None:
        """Do nothing."""


class LinesKernel(Unseeded):
    """Runs the lines that the operator exports; autograd differentiates them, node by node."""

    def __init__(self, facts: NodeFacts) -> None:
        """Compile the lines; NotImplementedError when the operator has none."""
        self._training, self._predicting = (_compiled(facts, train=train) for train in (True, False))
        self._types = [torch_dtype(dtype) for dtype in facts.out_types[: facts.visible]]
        self._halves = [
            number
            for number, kind in enumerate(facts.in_types)
            if kind == np.float16
            and (facts.device.type == "cpu" or facts.operator.category == "Linear algebra")
        ]
        self._wanted = facts.wanted
        self._is_loss = facts.operator.is_loss
        self._leaves: list[Tensor] = []
        self._outs: list[Tensor] = []
        self._order: tuple[int, ...] | None = None

    def forward(self, ins: Tensors, train: bool) -> Tensors:
        """Compute the outputs; each wanted input is a leaf of this node's own little graph."""
        given = list(ins)
        for number in self._wanted:
            given[number] = ins[number].detach().requires_grad_()
        leaves = [given[number] for number in self._wanted]
        for number in self._halves:  # missing for many on the processor, for factors everywhere
            given[number] = given[number].float()
        results = self._training(*given) if train else self._predicting(*given)
        outs = [
            out if out.dtype is kind else out.to(kind) for out, kind in zip(results, self._types, strict=True)
        ]
        if not self._wanted:
            return outs
        self._leaves, self._outs = leaves, outs
        if self._order is None:
            self._order = _sole_function(outs, leaves)
        return [out.detach() for out in outs]

    def backward(self, heads: Sequence[Tensor | None]) -> Tensors:
        """Differentiate; a loss gets its own outputs as head gradients, which it ignores."""
        if self._order and all(head is not None for head in heads):
            with torch.no_grad():  # else its own steps would be recorded in turn
                found = self._outs[0].grad_fn(*heads)
            return _sorted(found if isinstance(found, tuple) else (found,), self._order, self._leaves)
        outs, given = [], []
        for out, head in zip(self._outs, heads, strict=True):
            if out.requires_grad and (self._is_loss or head is not None):
                outs.append(out)
                given.append(out.detach() if head is None else head)
        if not outs:
            return [torch.zeros_like(leaf) for leaf in self._leaves]
        found = torch.autograd.grad(outs, self._leaves, given, retain_graph=True, allow_unused=True)
        return [
            torch.zeros_like(leaf) if gradient is None else gradient
            for leaf, gradient in zip(self._leaves, found, strict=True)
        ]


def _sole_function(outs: Tensors, leaves: Tensors) -> tuple[int, ...]:
    """Return which leaf each result of a lone autograd function belongs to (-1: none); nothing where there are more.

    Such a function can be called by itself, which takes a fifth of the time of autograd's whole machinery.
    """
    function = outs[0].grad_fn
    shared = all(out.grad_fn is function and out.output_nr == number for number, out in enumerate(outs))
    if function is None or not shared or isinstance(function, torch.autograd.function.BackwardCFunction):
        return ()
    order = []
    for source, _ in function.next_functions:
        variable = getattr(source, "variable", None)
        order.append(next((number for number, leaf in enumerate(leaves) if leaf is variable), -1))
        if source is not None and order[-1] < 0:
            return ()
    alone = sorted(number for number in order if number >= 0) == list(range(len(leaves)))
    return tuple(order) if alone else ()


def _sorted(found: Sequence[Tensor | None], order: Sequence[int], leaves: Tensors) -> Tensors:
    """Put gradients into the leaves' order, summed where a leaf was repeated along an axis."""
    grads = list(leaves)
    for gradient, number in zip(found, order, strict=True):
        if number >= 0:
            leaf = leaves[number]
            if gradient is None:
                grads[number] = torch.zeros_like(leaf)
            else:
                grads[number] = gradient if gradient.shape == leaf.shape else gradient.sum_to_size(leaf.shape)
    return grads


def torch_lines(facts: NodeFacts, *, train: bool) -> tuple[str, ...]:
    """Return the lines that the operator exports, from `x0`, `x1` … to `y0` …; NotImplementedError if it has none."""
    names = CodeNames(
        node="node",
        ins=tuple(f"x{number}" for number in range(len(facts.in_shapes))),
        outs=tuple(f"y{number}" for number in range(len(facts.out_shapes))),
        in_shapes=facts.in_shapes,
        out_shapes=facts.out_shapes,
        dtype=facts.out_types[0].name,
        train=train,
        overwritten=facts.overwritten,
    )
    return tuple(facts.operator.torch_code(names))


def _compiled(facts: NodeFacts, *, train: bool) -> Lines:
    lines = torch_lines(facts, train=train)
    function = _function(lines, len(facts.in_shapes), facts.visible)
    if facts.device.type != "cpu" and any(word in line for line in lines for word in _FACTORIES):
        return partial(_on_device, facts.device, function)
    return function


def _on_device(device: torch.device, function: Lines, *ins: Tensor) -> tuple[Tensor, ...]:
    with device:
        return function(*ins)


@lru_cache(maxsize=4096)
def _function(lines: tuple[str, ...], ins: int, outs: int) -> Lines:
    """Make a function of a node's lines; equal nodes share one."""
    given = ", ".join(f"x{number}" for number in range(ins))
    body = "".join(f"    {line}\n" for line in lines)
    shown = "".join(f"y{number}, " for number in range(outs))
    source = f"def run({given}):\n{body}    return ({shown})\n"
    space: dict[str, Any] = {
        **vars(torch_parts_boxes),
        **vars(torch_parts_gradients),
        **vars(torch_parts_heads),
        **vars(torch_parts_layers),
        **vars(torch_parts_regions),
        **vars(torch_parts_sequences),
        "np": np,  # spells a setting that is infinite or no number
        "torch": torch,
        "F": torch.nn.functional,
    }
    exec(compile(source, "<lines of a node>", "exec"), space)
    run: Lines = space["run"]
    return run


class HostKernel:
    """Runs the operator's numpy kernel on arrays of the host; other inputs are copied there and results back."""

    changes: Sequence[int] = ()

    def __init__(self, facts: NodeFacts) -> None:
        self._device = facts.device
        self._outside = facts.outside
        operator = facts.operator
        self._rng = np.random.Generator(np.random.PCG64(0))
        scratch: dict[str, Any] = {}
        runs = {
            train: Run(train, self._rng, scratch, overwritten=facts.overwritten) for train in (False, True)
        }
        self._ins = [
            tensor_like(shape, dtype) for shape, dtype in zip(facts.in_shapes, facts.in_types, strict=True)
        ]
        arrays = [
            facts.outside[number].array if number in facts.outside else array
            for number, (array, _) in enumerate(self._ins)
        ]
        outs = [
            tensor_like(shape, dtype) for shape, dtype in zip(facts.out_shapes, facts.out_types, strict=True)
        ]
        self._outs = [tensor for _, tensor in outs[: facts.visible]]
        out_arrays = [array for array, _ in outs]
        self._forward = {
            train: operator.prepare_forward(run, arrays, out_arrays) for train, run in runs.items()
        }
        self._heads: list[tuple[Array, Tensor]] = [
            tensor_like(array.shape, array.dtype) for array in out_arrays[: facts.visible]
        ]
        self._grads = {
            number: tensor_like(arrays[number].shape, arrays[number].dtype) for number in facts.wanted
        }
        reads = [operator.gradient_reads(number) for number in facts.wanted]
        self._back_ins = _seen(arrays, {place for read in reads for place in read.inputs})
        self._back_outs = _seen(out_arrays, {place for read in reads for place in read.outputs})
        self._sees_heads = any(read.heads for read in reads)
        self._prepare = partial(operator.prepare_backward, runs[True])
        self._backward: dict[tuple[bool, ...], Callable[[], object]] = {}
        self._changes = bool(operator.auxiliary)

    def forward(self, ins: Tensors, train: bool) -> Tensors:
        """Copy the inputs that are not variables, run numpy, and hand the results to the device."""
        for number, (_, staged) in enumerate(self._ins):
            if number not in self._outside:
                staged.copy_(ins[number])
        self._forward[train]()
        self._give_back_variables()
        return [self._to_device(out) for out in self._outs]

    def backward(self, heads: Sequence[Tensor | None]) -> Tensors:
        """Run numpy's backward on what forward left."""
        present = tuple(head is not None for head in heads)
        for head, (_, staged) in zip(heads, self._heads, strict=True):
            if head is not None:
                staged.copy_(head)
        if present not in self._backward:
            self._backward[present] = self._prepare_backward(present)
        self._backward[present]()
        self._give_back_variables()
        return [self._to_device(tensor) for _, tensor in self._grads.values()]

    def seed(self, sequence: np.random.SeedSequence) -> None:
        """Start the stream that numpy's kernel draws from."""
        self._rng.bit_generator.state = np.random.PCG64(sequence).state

    def _prepare_backward(self, present: Sequence[bool]) -> Callable[[], object]:
        heads = [
            array if there and self._sees_heads else None
            for (array, _), there in zip(self._heads, present, strict=True)
        ]
        inputs = len(self._back_ins)
        grads = [self._grads[number][0] if number in self._grads else None for number in range(inputs)]
        return self._prepare(self._back_ins, self._back_outs, heads, grads)

    def _give_back_variables(self) -> None:
        """Bring in what numpy changed; only an operator with auxiliary states changes variables."""
        if self._changes:
            for outside in self._outside.values():
                outside.bring_in()

    def _to_device(self, staged: Tensor) -> Tensor:
        """Copy a result, since the staged one is written anew in the next pass."""
        return staged.to(self._device, copy=True)


def _seen(arrays: Sequence[Array], places: set[int]) -> list[Array | None]:
    return [array if place in places else None for place, array in enumerate(arrays)]
