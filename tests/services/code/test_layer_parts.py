"""The lines and parts that layers export compute what the layers themselves compute, in numpy and in PyTorch."""

import zlib
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from app.engine.operator import CodeNames, Domain, Example, Operator, Run
from app.engine.registry import find_operator
from app.services.code import numpy_parts_layers

EXPORTED = (
    "Activation",
    "BatchNorm",
    "BatchNorm_v1",
    "BlockGrad",
    "Convolution",
    "Convolution_v1",
    "Deconvolution",
    "Dropout",
    "LeakyReLU",
    "LinearRegressionOutput",
    "LogisticRegressionOutput",
    "MAERegressionOutput",
    "MakeLoss",
    "Pooling",
    "SoftmaxOutput",
    "log_softmax",
    "make_loss",
    "softmax",
    "softmin",
)
RANDOM = {"Dropout", "LeakyReLU"}


def _cases() -> list[Any]:
    cases = []
    for name in EXPORTED:
        for number, example in enumerate(find_operator(name).examples):
            cases.append(pytest.param(name, example, id=f"{name}-{number}"))
    return cases


class Case:
    """One example with its arrays, run by the operator itself."""

    def __init__(self, name: str, example: Example) -> None:
        self.operator: Operator = find_operator(name)(**example.settings)
        self.operator.check()
        self.train = example.train
        rng = np.random.default_rng(zlib.crc32(f"{name} {example}".encode()))
        count = len(self.operator.outputs + self.operator.hidden)
        given = [example.shapes.get(port.name, ()) for port in self.operator.ports]
        in_shapes, out_shapes = self.operator.infer(given, [()] * count)
        self.in_shapes, self.out_shapes = tuple(in_shapes), tuple(out_shapes)
        single = np.dtype(np.float32)
        _, types = self.operator.infer_types([single] * len(given), [None] * count)
        self.ins = [
            _draw(
                rng,
                shape,
                example.domains.get(port.name, Domain(0.5, 2) if port.role == "auxiliary" else Domain()),
            )
            for port, shape in zip(self.operator.ports, in_shapes, strict=True)
        ]
        self.outs = [np.zeros(shape, kind) for shape, kind in zip(out_shapes, types, strict=True)]
        self.heads = [
            rng.uniform(-1, 1, shape).astype(np.float32) for shape in out_shapes[: len(self.operator.outputs)]
        ]
        self.before = [array.copy() for array in self.ins]
        self.run = Run(self.train, np.random.default_rng(3))
        self.operator.forward(self.run, self.ins, self.outs)
        self.wanted = [
            index
            for index in range(len(self.operator.inputs))
            if self.operator.gradient_kind(index) == "value"
        ]
        self.grads = [
            np.zeros_like(array) if index in self.wanted else None for index, array in enumerate(self.ins)
        ]
        self.operator.backward(self.run, self.ins, self.outs, self.heads, self.grads)

    def names(self) -> CodeNames:
        """Name everything plainly; the gradients that are wanted have names."""
        inputs = range(len(self.ins))
        return CodeNames(
            node="node",
            ins=tuple(f"x{index}" for index in inputs),
            outs=tuple(f"y{index}" for index in range(len(self.outs))),
            in_shapes=self.in_shapes,
            out_shapes=self.out_shapes,
            heads=tuple(f"h{index}" for index in range(len(self.heads))),
            grads=tuple(f"g{index}" if index in self.wanted else None for index in inputs),
            train=self.train,
        )

    @property
    def draws(self) -> bool:
        """Whether this example draws random numbers, which no other program can repeat."""
        return self.operator.is_random and not np.array_equal(*self._twice())

    def _twice(self) -> tuple[Any, Any]:
        results = []
        for seed in (1, 2):
            outs = [np.zeros_like(out) for out in self.outs]
            self.operator.forward(Run(self.train, np.random.default_rng(seed)), self.before, outs)
            results.append(outs[0])
        return results[0], results[1]


def _draw(rng: np.random.Generator, shape: tuple[int, ...], domain: Domain) -> Any:
    values = rng.uniform(domain.low, domain.high, shape)
    if domain.whole:
        values = rng.integers(int(domain.low), int(domain.high) + 1, shape).astype(float)
    return values.astype(np.float32)


def _run(lines: list[str], space: dict[str, Any]) -> dict[str, Any]:
    exec("\n".join(lines), space)
    return space


@pytest.mark.parametrize(("name", "example"), _cases())
def test_numpy_lines_compute_what_the_operator_computes(name: str, example: Example) -> None:
    case = Case(name, example)
    n = case.names()
    space = {**vars(numpy_parts_layers)}
    space.update({f"x{index}": array.copy() for index, array in enumerate(case.before)})
    _run(case.operator.numpy_code(n), space)
    if case.draws:
        assert space["y0"].shape == case.outs[0].shape
        space.update({f"y{index}": out for index, out in enumerate(case.outs)})
    for index in range(len(case.operator.outputs)):
        assert space[f"y{index}"].dtype == case.outs[index].dtype
        np.testing.assert_allclose(space[f"y{index}"], case.outs[index], rtol=1e-4, atol=1e-5)
    space.update({f"h{index}": head for index, head in enumerate(case.heads)})
    _run(case.operator.numpy_gradient_code(n), space)
    for index in case.wanted:
        assert space[f"g{index}"].dtype == np.float32
        np.testing.assert_allclose(space[f"g{index}"], case.grads[index], rtol=1e-3, atol=1e-5)
    for index in range(len(case.operator.inputs), len(case.ins)):
        np.testing.assert_allclose(space[f"x{index}"], case.ins[index], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("name", "example"), _cases())
def test_torch_lines_compute_what_the_operator_computes(name: str, example: Example) -> None:
    torch = pytest.importorskip("torch")
    case = Case(name, example)
    space = _torch_parts(torch)
    arguments = len(case.operator.inputs)
    for index, array in enumerate(case.before):
        space[f"x{index}"] = torch.tensor(array, requires_grad=index in case.wanted)
    _run(case.operator.torch_code(case.names()), space)
    results = [space[f"y{index}"] for index in range(len(case.operator.outputs))]
    if case.draws:
        assert tuple(results[0].shape) == case.outs[0].shape
        return
    for index, result in enumerate(results):
        np.testing.assert_allclose(result.detach().numpy(), case.outs[index], rtol=1e-4, atol=1e-5)
    if not results[0].requires_grad:
        assert not any(np.any(case.grads[index]) for index in case.wanted)
        return
    results[0].backward(torch.tensor(case.heads[0]))
    for index in case.wanted:
        found = space[f"x{index}"].grad
        np.testing.assert_allclose(found.numpy(), case.grads[index], rtol=1e-3, atol=1e-5)
    for index in range(arguments, len(case.ins)):
        np.testing.assert_allclose(space[f"x{index}"].numpy(), case.ins[index], rtol=1e-4, atol=1e-5)


def _torch_parts(torch: ModuleType) -> dict[str, Any]:
    text = (Path(numpy_parts_layers.__file__).parent / "torch_parts_layers.py").read_text(encoding="utf-8")
    space: dict[str, Any] = {"torch": torch}
    exec(compile(text, "torch_parts_layers", "exec"), space)
    return space


def test_gradient_code_without_a_head_gradient_is_zero() -> None:
    for name, example in (("Convolution", 0), ("Pooling", 0), ("BatchNorm", 0), ("Activation", 1)):
        case = Case(name, find_operator(name).examples[example])
        n = case.names()
        silent: Mapping[str, Any] = {"heads": (None,) * len(n.heads)}
        lines = case.operator.numpy_gradient_code(_evolve(n, **silent))
        space = _run(
            lines, {"np": np, **{f"x{i}": array for i, array in enumerate(case.before)}, "y1": 1, "y2": 1}
        )
        for index in case.wanted:
            assert not space[f"g{index}"].any()


def _evolve(names: CodeNames, **changes: Any) -> CodeNames:
    import attrs

    return attrs.evolve(names, **changes)
