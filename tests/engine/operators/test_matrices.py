"""Tests of linear algebra where examples of independent numbers do not reach: factors, singular matrices, symmetry."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from app.engine import Variable, sym
from app.engine.errors import RunError
from app.engine.symbol import Symbol

RNG = np.random.default_rng(3)


def positive(*batch: int, size: int = 4) -> Any:
    square = RNG.uniform(-1, 1, (*batch, size, size))
    return square @ square.swapaxes(-1, -2) + np.eye(size)


def gradient(net: Symbol, data: Any, heads: Any) -> Any:
    executor = net.bind([data], [np.zeros_like(data)])
    executor.forward(is_train=True)
    executor.backward(heads)
    return executor.grad_arrays[0]


@pytest.mark.parametrize("lower", [True, False])
def test_factors_multiply_to_what_was_factored_and_invert(lower: bool) -> None:
    data = positive(2, 3)
    factor = sym.linalg.potrf(Variable("A"), lower=lower)
    found = factor.bind([data]).forward()[0]
    np.testing.assert_array_equal(found, np.tril(found) if lower else np.triu(found))
    turned = found.swapaxes(-1, -2)
    np.testing.assert_allclose(found @ turned if lower else turned @ found, data, rtol=1e-12)
    inverse = sym.linalg.potri(factor, lower=lower).bind([data]).forward()[0]
    np.testing.assert_allclose(inverse @ data, np.broadcast_to(np.eye(4), data.shape), atol=1e-10)


SYMMETRIC: dict[str, Callable[[Any], Symbol]] = {
    "potrf": sym.linalg.potrf,
    "upper potrf": lambda x: sym.linalg.potrf(x, lower=False),
    "vectors": lambda x: sym._linalg_syevd(x)[0],
    "values": lambda x: sym._linalg_syevd(x)[1],
}


@pytest.mark.parametrize("kind", SYMMETRIC)
def test_gradients_are_right_along_symmetric_matrices(kind: str) -> None:
    """One triangle is read, and both get the gradient; along symmetric directions that is the finite difference."""
    net, data = SYMMETRIC[kind](Variable("A")), positive(2)
    heads = RNG.uniform(-1, 1, net.bind([data]).forward()[0].shape)
    found = gradient(net, data, heads)
    np.testing.assert_allclose(found, found.swapaxes(-1, -2), rtol=1e-9, atol=1e-12)
    direction = RNG.uniform(-1, 1, data.shape)
    direction += direction.swapaxes(-1, -2)

    def value(step: float) -> float:
        return float((net.bind([data + step * direction]).forward()[0] * heads).sum())

    slope = (value(1e-5) - value(-1e-5)) / 2e-5
    np.testing.assert_allclose((found * direction).sum(), slope, rtol=1e-6)


@pytest.mark.parametrize(
    ("net", "data", "words"),
    [
        (sym.linalg.potrf(Variable("A"), name="n"), -np.eye(2), "not positive definite"),
        (sym.linalg.potri(Variable("A"), name="n"), np.diag([1.0, 0.0]), "zero on its diagonal"),
        (sym.linalg.inverse(Variable("A"), name="n"), np.ones((2, 2)), "singular"),
    ],
    ids=["potrf", "potri", "inverse"],
)
def test_what_has_no_factor_or_inverse_is_refused_in_a_sentence(net: Symbol, data: Any, words: str) -> None:
    with pytest.raises(RunError, match=words) as refusal:
        net.bind([np.stack([np.eye(2), data])]).forward()
    assert refusal.value.node == "n"


def test_singular_matrices_have_determinants_but_no_gradient() -> None:
    data = np.stack([np.ones((2, 2)), np.diag([2.0, 3.0])])
    det, log = sym.linalg.det(Variable("A")), sym.linalg.slogdet(Variable("A"))
    assert det.bind([data]).forward()[0].tolist() == [0, pytest.approx(6)]
    signs, sizes = log.bind([data]).forward()
    assert signs.tolist() == [0, 1]
    assert sizes.tolist() == [-np.inf, pytest.approx(np.log(6))]
    for net, heads, wanted in ((det, np.ones(2), [3, 2]), (log, [np.ones(2), np.ones(2)], [1 / 2, 1 / 3])):
        found = gradient(net, data, heads)
        np.testing.assert_allclose(found, [np.zeros((2, 2)), np.diag(wanted)], atol=1e-12)


def test_a_zero_on_the_diagonal_of_a_triangle_gives_infinities() -> None:
    solution = sym.linalg.trsm(Variable("A"), Variable("B"))
    with np.errstate(divide="ignore"):
        found = solution.bind([np.diag([2.0, 0.0]), np.ones((2, 1))]).forward()[0]
    assert found.tolist() == [[0.5], [np.inf]]


@pytest.mark.parametrize("net", [sym.linalg.inverse(Variable("A")), sym._linalg_syevd(Variable("A"))[1]])
def test_a_buffer_to_be_added_to_stays_as_mxnet_leaves_it(net: Symbol) -> None:
    data, buffer = positive(), np.full((4, 4), 7.0)
    executor = net.bind([data], [buffer], "add")
    executor.forward(is_train=True)
    executor.backward(np.ones_like(executor.outputs[0]))
    assert (buffer == 7).all()
    assert gradient(net, data, np.ones_like(executor.outputs[0])).any()


def test_the_number_furthest_from_0_in_an_eigenvector_is_above_0() -> None:
    rows = sym._linalg_syevd(Variable("A"))[0].bind([positive(5)]).forward()[0]
    leading = np.take_along_axis(rows, np.abs(rows).argmax(-1, keepdims=True), -1)
    assert (leading > 0).all()
