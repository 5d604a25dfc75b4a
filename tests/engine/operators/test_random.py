"""Tests of operators that draw random numbers: their moments, what flows back, and what they refuse."""

from math import sqrt
from typing import Any

import numpy as np
import pytest

from app.engine import Group, Variable, sym
from app.engine.errors import EngineError, RunError
from app.engine.symbol import Symbol

COUNT = 20_000
DRAWN: dict[str, tuple[dict[str, Any], float, float]] = {
    "uniform": ({"low": -1, "high": 2}, 0.5, 3 / sqrt(12)),
    "normal": ({"loc": 2, "scale": 0.5}, 2, 0.5),
    "gamma": ({"alpha": 3, "beta": 2}, 6, sqrt(12)),
    "exponential": ({"lam": 4}, 0.25, 0.25),
    "poisson": ({"lam": 5}, 5, sqrt(5)),
    "negative_binomial": ({"k": 3, "p": 0.4}, 4.5, sqrt(11.25)),
    "generalized_negative_binomial": ({"mu": 3, "alpha": 0.4}, 3, sqrt(6.6)),
}
BY_ARRAYS = {"uniform": ("low", "high"), "normal": ("mu", "sigma")}


def check(drawn: Any, mean: float, deviation: float) -> None:
    assert abs(drawn.mean() - mean) < 6 * deviation / sqrt(drawn.size)
    assert abs(drawn.std() - deviation) < 0.1 * deviation


@pytest.mark.parametrize("name", DRAWN)
def test_moments_whatever_says_how_many_are_drawn(name: str) -> None:
    settings, mean, deviation = DRAWN[name]
    check(getattr(sym, f"_random_{name}")(shape=(COUNT,), **settings).bind([]).forward()[0], mean, deviation)
    data, buffer = np.zeros(COUNT), np.ones(COUNT)
    like = getattr(sym, f"_random_{name}_like")(Variable("x"), **settings).bind([data], [buffer])
    check(like.forward()[0], mean, deviation)
    like.backward(np.ones(COUNT))
    assert not buffer.any()


@pytest.mark.parametrize("name", DRAWN)
def test_each_place_of_arrays_of_settings_has_its_own_distribution(name: str) -> None:
    settings, mean, deviation = DRAWN[name]
    names = BY_ARRAYS.get(name, tuple(settings))
    variables = {port: Variable(port) for port in names}
    net = getattr(sym, f"_sample_{name}")(shape=(COUNT,), **variables)
    arrays = {port: np.array([1.0, value]) for port, value in zip(names, settings.values(), strict=True)}
    found = net.bind(arrays).forward()[0]
    assert found.shape == (2, COUNT)
    check(found[1], mean, deviation)
    assert abs(found[0].mean() - mean) > abs(found[1].mean() - mean)


def test_classes_are_drawn_as_often_as_their_chances_say_and_send_gradients_to_them() -> None:
    data, buffer = np.array([[0.1, 0.2, 0.7], [0.5, 0.5, 0]]), np.zeros((2, 3))
    net = sym.sample_multinomial(Variable("x"), shape=(COUNT,), get_prob=True)
    executor = net.bind([data], [buffer])
    drawn, logarithms = executor.forward(is_train=True)
    counts = np.stack([np.bincount(row, minlength=3) for row in drawn])
    np.testing.assert_allclose(counts / COUNT, data, atol=0.02)
    np.testing.assert_allclose(logarithms, np.log(np.take_along_axis(data, drawn, 1)))
    executor.backward([np.ones_like(drawn), np.ones_like(logarithms)])
    np.testing.assert_allclose(buffer, np.divide(counts, data, out=np.zeros((2, 3)), where=data > 0))


def test_shuffled_rows_get_their_own_gradients() -> None:
    data, buffer = np.arange(12.0).reshape(6, 2), np.zeros((6, 2))
    executor = sym.shuffle(Variable("x")).bind([data], [buffer])
    shuffled = executor.forward(is_train=True)[0]
    assert sorted(map(tuple, shuffled)) == list(map(tuple, data))
    assert (shuffled != data).any()
    executor.backward(shuffled)
    np.testing.assert_array_equal(buffer, data)


def test_whole_numbers_stay_below_their_bound() -> None:
    drawn = sym.random_randint(low=-2, high=3, shape=(1000,)).bind([]).forward()[0]
    assert drawn.dtype == np.int32
    assert set(drawn.tolist()) == {-2, -1, 0, 1, 2}


@pytest.mark.parametrize(
    "net", [sym.random_randint(low=3, high=3, shape=(2,)), sym.random_uniform(low=3, high=2, shape=(2,))]
)
def test_bounds_the_wrong_way_round_are_refused(net: Symbol) -> None:
    with pytest.raises(EngineError, match="must be at least low|must be above low"):
        net.bind([])


def test_of_settings_below_0_nothing_is_drawn() -> None:
    net = sym.sample_poisson(Variable("lam"), name="counts")
    with pytest.raises(RunError, match="lam holds a number below 0") as refusal:
        net.bind([np.array([-1.0])]).forward()
    assert refusal.value.node == "counts"


def test_draws_of_one_node_do_not_disturb_another() -> None:
    data = Variable("x")
    first, second = sym._random_normal_like(data, name="a"), sym._sample_normal(data, data, name="b")
    alone, together = first.bind([np.ones(3)]), Group([second, first]).bind([np.ones(3)])
    for executor in (alone, together):
        executor.seed(4)
    np.testing.assert_array_equal(alone.forward()[0], together.forward()[1])
    assert (together.outputs[0] != together.outputs[1]).all()
