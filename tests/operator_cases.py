"""Every operator's examples as cases: shapes, types, numbers, and a forward and backward of each."""

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from app.engine.examples import Domain, Example
from app.engine.operator import Operator, Run
from app.engine.registry import canonical_operators
from app.engine.shapes import Shape, merge
from app.engine.symbol import Symbol, Variable, make_node

OPERATORS = canonical_operators()
CASES = [
    pytest.param(operator, example, id=f"{operator.op_name}-{number}")
    for operator in OPERATORS
    for number, example in enumerate(operator.examples)
]
USUAL = {"one": Domain(0.5, 1.5)}
"""Numbers for a state that begins as ones, such as a variance."""
Arrays = list[Any]


class Case:
    """One example with its operator, shapes, types and numbers."""

    def __init__(self, operator: type[Operator], example: Example, dtype: Any = np.float32) -> None:
        self.example = example
        self.node: Operator = operator(**example.settings)
        self.node.check()
        self.ports = self.node.ports
        self.rng = np.random.default_rng(zlib.crc32(repr((operator.op_name, example)).encode()))
        self.in_shapes, self.out_shapes = self.infer(
            [example.shapes.get(port.name, ()) for port in self.ports]
        )
        self.in_types, self.out_types = self.infer_types(np.dtype(dtype))

    def symbol(self) -> Symbol:
        """Return the operator as a node called n, with a variable for each port, called as that."""
        variables = {port.name: Variable(port.name) for port in self.ports}
        inputs, named = (list(variables.values()), {}) if self.node.variadic else ([], variables)
        return make_node(self.node.op_name, *inputs, name="n", **self.example.settings, **named)

    def infer(self, ins: list[Shape], outs: list[Shape] | None = None) -> tuple[list[Shape], list[Shape]]:
        """Run the rule until nothing changes; every answer must agree with what was known."""
        outs = [()] * len(self.node.outputs + self.node.hidden) if outs is None else outs
        for _ in range(5):
            new_ins, new_outs = self.node.infer(ins, outs)
            assert len(new_ins) == len(ins)
            assert len(new_outs) == len(outs)
            joined_ins = [merge(old, new) for old, new in zip(ins, new_ins, strict=True)]
            joined_outs = [merge(old, new) for old, new in zip(outs, new_outs, strict=True)]
            if (joined_ins, joined_outs) == (ins, outs):
                return ins, outs
            ins, outs = joined_ins, joined_outs
        raise AssertionError("the rule does not settle")

    def infer_types(self, dtype: np.dtype[Any]) -> tuple[list[Any], list[Any]]:
        spread = dtype.itemsize < 8  # from the first input; float64 is given everywhere
        ins: list[Any] = [dtype if index == 0 or not spread else None for index in range(len(self.ports))]
        outs: list[Any] = [None] * len(self.out_shapes)
        for _ in range(2):
            found_ins, found_outs = self.node.infer_types(ins, outs)
            ins, outs = list(found_ins), list(found_outs)
        return [kind or dtype for kind in ins], [kind or dtype for kind in outs]

    def numbers(self) -> Arrays:
        """Make random inputs that suit the example."""
        return [
            suited(
                self.rng, self.example.domains.get(port.name, USUAL.get(port.init, Domain())), shape
            ).astype(kind)
            for port, shape, kind in zip(self.ports, self.in_shapes, self.in_types, strict=True)
        ]

    def buffers(self) -> Arrays:
        """Make output buffers in which a forgotten place shows."""
        return [filled(shape, kind) for shape, kind in zip(self.out_shapes, self.out_types, strict=True)]

    def run(self) -> Run:
        return Run(self.example.train, np.random.default_rng(5))

    def forward(self, ins: Arrays, run: Run | None = None) -> Arrays:
        outs = self.buffers()
        with np.errstate(all="ignore"):
            self.node.prepare_forward(run or self.run(), ins, outs)()
        return outs

    def head_gradients(self) -> Arrays:
        return [
            self.rng.uniform(-1, 1, shape).astype(kind)
            for shape, kind in zip(self.out_shapes[: len(self.node.outputs)], self.out_types, strict=False)
        ]

    def wanted(self) -> list[int]:
        inputs = range(len(self.node.inputs))
        return [index for index in inputs if self.node.gradient_kind(index) == "value"]

    def backward(self, wanted: Sequence[int], ins: Arrays, outs: Arrays, heads: Arrays, run: Run) -> Arrays:
        """Return the wanted gradients, shown only the arrays that they say they read."""
        reads = [self.node.gradient_reads(index) for index in wanted]
        seen_ins = {place for read in reads for place in read.inputs}
        seen_outs = {place for read in reads for place in read.outputs}
        seen_heads = any(read.heads for read in reads)
        grads = [
            filled(shape, kind) if index in wanted else None
            for index, (shape, kind) in enumerate(zip(self.in_shapes, self.in_types, strict=True))
        ]
        with np.errstate(all="ignore"):
            self.node.prepare_backward(
                run,
                [array if index in seen_ins else None for index, array in enumerate(ins)],
                [array if index in seen_outs else None for index, array in enumerate(outs)],
                heads if seen_heads else [None] * len(heads),
                grads,
            )()
        return grads


def suited(rng: np.random.Generator, domain: Domain, shape: Shape) -> Any:
    if domain.whole:
        return rng.integers(int(domain.low), int(domain.high) + 1, shape).astype(float)
    values = rng.uniform(domain.low, domain.high, shape)
    for kink in domain.avoid:
        near = np.abs(values - kink) < 0.05
        values = np.where(near, kink + np.where(values < kink, -0.06, 0.06), values)
    return values


def filled(shape: Shape, dtype: Any) -> Any:
    """Make a buffer full of a number that no operator computes."""
    return np.full(shape, 77777 if np.dtype(dtype).kind == "f" else 77, dtype)


def close(got: Any, wanted: Any, *, rtol: float = 1e-5, atol: float = 1e-6) -> None:
    """Compare as float64; nan equals nan."""
    np.testing.assert_allclose(
        np.asarray(got, np.float64), np.asarray(wanted, np.float64), rtol=rtol, atol=atol, equal_nan=True
    )
