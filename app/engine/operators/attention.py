"""Attention of several heads over projections that lie side by side: the products called interleaved_matmul.

Projections are (length, batch, heads · parts · size): each head's queries, keys and values stand together. Products are
over (batch · heads, length, length). A view with the axes batch, head, length, size makes each a product of matrices.
"""

from collections.abc import Sequence
from math import sqrt
from typing import ClassVar

import attrs
import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Example
from app.engine.kernels.matrices import products
from app.engine.kernels.steps import Step, fill, in_order, ufunc
from app.engine.operator import Array, Arrays, CodeNames, Port, Reads, operator
from app.engine.operators.formulas import number
from app.engine.operators.lines import assign_zeros
from app.engine.operators.prepared import Flow, Prepared
from app.engine.params import param
from app.engine.shapes import Inferred, Shape, Shapes, element_count, merge
from app.engine.work_space import Work


@attrs.frozen
class Projection:
    """One of the projections that stand side by side in an input: which input, of how many, and its place."""

    port: int
    count: int = 1
    place: int = 0

    def apart(self, shape: Shape, heads: int) -> Shape:
        """Return the shape of the input with an axis for heads and one for projections."""
        length, batch, width = shape
        return (length, batch, heads, self.count, width // (heads * self.count))

    def view(self, array: Array, heads: int) -> Array:
        """Return it as (batch, head, length, size)."""
        return array.reshape(self.apart(array.shape, heads))[:, :, :, self.place].transpose(1, 2, 0, 3)

    def code(self, name: str, shape: Shape, heads: int, turn: str = "transpose") -> str:
        """Write that view."""
        return f"{name}.reshape({self.apart(shape, heads)})[:, :, :, {self.place}].{turn}(1, 2, 0, 3)"

    def of_all(self, one: Shape) -> Shape:
        """Return the shape of the input for that of one projection of all heads."""
        return (*one[:2], one[2] * self.count)


_RESULT = Projection(0)


@attrs.frozen
class Attention(Prepared):
    """What products over projections have in common."""

    kinds = "f"

    work = Work(takes=1)

    heads: int = param(low=1, doc="How many heads stand side by side.")

    names: ClassVar[tuple[str, ...]]
    """Of the inputs: each says what stands side by side in it."""

    @property
    def inputs(self) -> tuple[Port, ...]:
        """One for each name."""
        return tuple(map(Port, self.names))

    def one(self, shape: Shape, projection: Projection, expected: Shape) -> Shape:
        """Return (length, batch, width) of one projection of all heads; ShapeError where the input cannot hold it."""
        port = self.inputs[projection.port].name
        shape = merge(projection.of_all(expected), shape, port)
        least = self.heads * projection.count
        if shape[2] % least:
            raise ShapeError(
                f"the last axis is {shape[2]}, but {self.heads} heads with {projection.count} projections each"
                f" need a multiple of {least}.",
                port=port,
            )
        return (*shape[:2], shape[2] // projection.count)

    def batch(self, products: Shape, port: str | None) -> int:
        """Return how many samples stand in an array of products, 0 while that is open."""
        if products[0] % self.heads:
            raise ShapeError(
                f"the first axis is {products[0]}, but {self.heads} heads need a multiple of that.", port=port
            )
        return products[0] // self.heads

    def by_head(self, products: Array) -> Array:
        """Return an array of products as (batch, head, length, length)."""
        return products.reshape(-1, self.heads, *products.shape[1:])

    def code(self, n: CodeNames, turn: str) -> list[str]:
        """Return the lines of both languages, in which turning axes has another name."""
        raise NotImplementedError(self.op_name)

    def numpy_code(self, n: CodeNames) -> list[str]:
        """The lines in numpy's words."""
        return self.code(n, "transpose")

    def torch_code(self, n: CodeNames) -> list[str]:
        """The lines in PyTorch's words."""
        return self.code(n, "permute")

    def summary(self) -> str:
        """How many heads."""
        return f"{self.heads} heads"


class Scores(Attention):
    """How well each query suits each key: their products, over the square root of their size."""

    queries: ClassVar[Projection]
    keys: ClassVar[Projection]

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Queries and keys share batch and width; their lengths are the sizes of the products."""
        out = merge((0, 0, 0), outs[0])
        batch, both = self.batch(out, None), self.queries.port == self.keys.port
        queries = self.one(ins[self.queries.port], self.queries, (out[1], batch, 0))
        keys = self.one(ins[self.keys.port], self.keys, (out[2], *queries[1:]))
        queries = keys if both else (queries[0], *keys[1:])
        found = {
            self.queries.port: self.queries.of_all(queries),
            self.keys.port: self.keys.of_all(keys),
        }
        out = merge((keys[1] * self.heads, queries[0], keys[0]), out)
        return [found[port] for port in range(len(ins))], (out,)

    @staticmethod
    def _product(left: Array, right: Array, out: Array, size: int) -> list[Step]:
        scale = np.array(1 / sqrt(size), out.dtype)
        return [products(left, right, out), ufunc(np.multiply, out, scale, out=out)]

    def _size(self, shape: Shape) -> int:
        return self.queries.apart(shape, self.heads)[-1]

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the products of every head."""
        queries, keys = (one.view(ins[one.port], self.heads) for one in (self.queries, self.keys))
        out, size = self.by_head(outs[0]), queries.shape[-1]
        return in_order(self._product(queries, keys.swapaxes(-1, -2), out, size))

    def gradient_reads(self, index: int) -> Reads:
        """That of queries reads the keys, and the other way round."""
        return Reads(inputs=self._others(index))

    def _others(self, index: int) -> tuple[int, ...]:
        pairs = ((self.queries, self.keys), (self.keys, self.queries))
        return tuple(dict.fromkeys(other.port for one, other in pairs if one.port == index))

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients; projections that are not read get zeros."""
        head, steps = self.by_head(flow.head), [fill(grad, 0) for _, grad in flow.wanted]
        for one, other, turned in (
            (self.queries, self.keys, head),
            (self.keys, self.queries, head.swapaxes(-1, -2)),
        ):
            grad = flow.grads[one.port]
            if grad is not None:
                factor, out = other.view(flow.read(other.port), self.heads), one.view(grad, self.heads)
                steps += self._product(turned, factor, out, factor.shape[-1])
        return steps

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        queries, keys = ins[self.queries.port], ins[self.keys.port]
        to_queries = f"{heads[0]} · keys of {keys} / √size"
        to_keys = f"{heads[0]}ᵀ · queries of {queries} / √size"
        if self.queries.port != self.keys.port:
            return to_queries if index == self.queries.port else to_keys
        return f"{to_queries} at the queries, {to_keys} at the keys, 0 elsewhere"

    def multiply_adds(self, ins: Shapes, outs: Shapes) -> int:
        """Count each summed product."""
        shape = ins[self.queries.port]
        return element_count(outs[0]) * (self._size(shape) if shape else 0)

    def code(self, n: CodeNames, turn: str) -> list[str]:
        """A line for each projection, and one for the products."""
        queries, keys = (
            one.code(n.ins[one.port], n.in_shapes[one.port], self.heads, turn)
            for one in (self.queries, self.keys)
        )
        scale = number(1 / sqrt(self._size(n.in_shapes[self.queries.port])))
        products = f"{n.node}_queries @ {n.node}_keys.swapaxes(-1, -2) * {scale}"
        return [
            f"{n.node}_queries = {queries}",
            f"{n.node}_keys = {keys}",
            f"{n.outs[0]} = ({products}).reshape({n.out_shapes[0]})",
        ]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Zeros, and a line for each projection that is read."""
        lines = assign_zeros(n)
        if n.heads[0] is None:
            return lines
        apart = (-1, self.heads, *n.out_shapes[0][1:])
        head = f"{n.heads[0]}.reshape({apart})"
        scale = number(1 / sqrt(self._size(n.in_shapes[self.queries.port])))
        for one, factor in (
            (self.queries, f"{head} @ {n.node}_keys"),
            (self.keys, f"{head}.swapaxes(-1, -2) @ {n.node}_queries"),
        ):
            grad = n.grads[one.port]
            if grad is not None:
                place = one.code(grad, n.in_shapes[one.port], self.heads)
                lines.append(f"{place}[...] = {factor} * {scale}")
        return lines


@operator(name="_contrib_interleaved_matmul_selfatt_qk", category="Sequences")
class SelfAttentionScores(Scores):
    """Multiply queries with keys of one sequence, head by head, over the square root of their size.

    y = Q · Kᵀ / √size
    """

    names = ("queries_keys_values",)
    queries = Projection(0, 3, 0)
    keys = Projection(0, 3, 1)

    examples = (
        Example({"queries_keys_values": (3, 2, 12)}, heads=2),
        Example({"queries_keys_values": (2, 1, 9)}, heads=1),
    )


@operator(name="_contrib_interleaved_matmul_encdec_qk", category="Sequences")
class EncoderDecoderScores(Scores):
    """Multiply queries of one sequence with keys of another, head by head, over the square root of their size.

    y = Q · Kᵀ / √size
    """

    names = ("queries", "keys_values")
    queries = Projection(0)
    keys = Projection(1, 2, 0)

    examples = (Example({"queries": (3, 2, 4), "keys_values": (5, 2, 8)}, heads=2),)


class Weighted(Attention):
    """The values of a sequence, each place's added up with its weights."""

    values: ClassVar[Projection]
    is_square: ClassVar[bool]
    """Whether there are as many sums as values."""

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Batch, lengths and width go through from values and weights to the sums, and back."""
        weights, out = merge((0, 0, 0), ins[1], "attention"), merge((0, 0, 0), outs[0])
        batch = self.batch(weights, "attention") or out[1]
        values = self.one(ins[0], self.values, (weights[2], batch, out[2]))
        length = values[0] if self.is_square else out[0]
        weights = merge((values[1] * self.heads, length, values[0]), ins[1], "attention")
        out = merge((weights[1], *values[1:]), out)
        return (self.values.of_all(values), weights), (out,)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the sums of every head side by side."""
        values, result = self.values.view(ins[0], self.heads), _RESULT.view(outs[0], self.heads)
        return products(self.by_head(ins[1]), values, result)

    def gradient_reads(self, index: int) -> Reads:
        """That of values reads the weights, and the other way round."""
        return Reads(inputs=(1 - index,))

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients; projections that are not read get zeros."""
        head, steps = _RESULT.view(flow.head, self.heads), list[Step]()
        for index, grad in flow.wanted:
            if index == 0:
                weights = self.by_head(flow.read(1)).swapaxes(-1, -2)
                steps += [fill(grad, 0), products(weights, head, self.values.view(grad, self.heads))]
            else:
                values = self.values.view(flow.read(0), self.heads).swapaxes(-1, -2)
                steps.append(products(head, values, self.by_head(grad)))
        return steps

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        if index == 1:
            return f"{heads[0]} · (values of {ins[0]})ᵀ"
        return f"{ins[1]}ᵀ · {heads[0]} at the values, 0 elsewhere"

    def multiply_adds(self, ins: Shapes, outs: Shapes) -> int:
        """Count each summed product."""
        return element_count(outs[0]) * (ins[1][2] if ins[1] else 0)

    def code(self, n: CodeNames, turn: str) -> list[str]:
        """A line for weights, one for values, and one for the sums."""
        weights = f"{n.ins[1]}.reshape({(-1, self.heads, *n.in_shapes[1][1:])})"
        values = self.values.code(n.ins[0], n.in_shapes[0], self.heads, turn)
        return [
            f"{n.node}_weights = {weights}",
            f"{n.node}_values = {values}",
            f"{n.outs[0]} = ({n.node}_weights @ {n.node}_values).{turn}(2, 0, 1, 3).reshape({n.out_shapes[0]})",
        ]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Zeros, and a line for what is wanted."""
        lines = assign_zeros(n)
        if n.heads[0] is None:
            return lines
        head = _RESULT.code(n.heads[0], n.out_shapes[0], self.heads)
        if n.grads[0] is not None:
            place = self.values.code(n.grads[0], n.in_shapes[0], self.heads)
            lines.append(f"{place}[...] = {n.node}_weights.swapaxes(-1, -2) @ {head}")
        if n.grads[1] is not None:
            product = f"{head} @ {n.node}_values.swapaxes(-1, -2)"
            lines.append(f"{n.grads[1]} = ({product}).reshape({n.in_shapes[1]})")
        return lines


@operator(name="_contrib_interleaved_matmul_selfatt_valatt", category="Sequences")
class SelfAttentionValues(Weighted):
    """Add up the values of one sequence with the weights of every place, head by head.

    y = attention · V
    """

    names = ("queries_keys_values", "attention")
    values = Projection(0, 3, 2)
    is_square = True

    examples = (
        Example({"queries_keys_values": (3, 2, 12), "attention": (4, 3, 3)}, heads=2),
        Example({"queries_keys_values": (2, 1, 9), "attention": (1, 2, 2)}, heads=1),
    )


@operator(name="_contrib_interleaved_matmul_encdec_valatt", category="Sequences")
class EncoderDecoderValues(Weighted):
    """Add up the values of one sequence with the weights of every place of another, head by head.

    y = attention · V
    """

    names = ("keys_values", "attention")
    values = Projection(0, 2, 1)
    is_square = False

    examples = (Example({"keys_values": (5, 2, 8), "attention": (4, 3, 5)}, heads=2),)
