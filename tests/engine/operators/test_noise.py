"""Dropout and random sources: shares, masks, seeds, and their exported lines."""

from typing import Any

import numpy as np
import pytest

from app.engine import Variable, sym
from app.engine.errors import ParameterError
from app.engine.operator import CodeNames
from app.engine.operators.noise import Dropout
from app.services.code import numpy_parts_layers
from tests.layer_runs import layer, ran

ONES = np.ones((60, 50), np.float32)


def test_training_drops_its_share_and_scales_the_rest() -> None:
    result = ran(layer("Dropout", p=0.2), {"data": ONES}, heads=[3 * ONES])
    assert set(np.unique(result.out)) == {0.0, np.float32(1.25)}
    assert abs((result.out == 0).mean() - 0.2) < 0.03
    np.testing.assert_allclose(result.grads["data"], 3 * result.out, rtol=1e-6)


@pytest.mark.parametrize(("settings", "train", "drops"), [
    ({}, False, False), ({"mode": "always"}, False, True), ({"p": 0.0}, True, False),
])  # fmt: skip
def test_when_it_drops(settings: Any, train: bool, drops: bool) -> None:
    result = ran(layer("Dropout", **settings), {"data": ONES}, train=train, heads=[ONES])
    assert bool((result.out == 0).any()) is drops
    assert bool((result.grads["data"] == 0).any()) is drops


def test_one_decision_along_shared_axes() -> None:
    out = ran(layer("Dropout", axes=(1,)), {"data": ONES}).out
    assert (out == out[:, :1]).all()
    assert 0 < (out[:, 0] == 0).mean() < 1
    assert Dropout(axes=(0, 2)).infer([(4, 5, 6)], [(), ()])[1][1] == (1, 5, 1)


def test_dropping_everything_leaves_zeros() -> None:
    result = ran(layer("Dropout", p=1.0), {"data": ONES}, heads=[ONES])
    assert not result.out.any()
    assert not result.grads["data"].any()


def test_a_share_is_between_zero_and_one() -> None:
    with pytest.raises(ParameterError, match="between 0 and 1"):
        Dropout.from_attributes({"p": "1.5"})


def test_every_forward_draws_anew_and_a_seed_repeats_it() -> None:
    def masks(seed: int) -> list[Any]:
        executor = layer("Dropout").simple_bind({"data": ONES.shape}, seed=seed)
        executor.arg_dict["data"][...] = 1
        return [executor.forward(is_train=True)[0].copy() for _ in range(2)]

    first, again = masks(1), masks(1)
    assert np.array_equal(first, again)
    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first[0], masks(2)[0])


def test_two_layers_draw_different_masks() -> None:
    x = Variable("data")
    both = sym.Dropout(x, name="a") * 0 + sym.Dropout(x, name="b"), sym.Dropout(x, name="a")
    executor = sym.Concat(*both, dim=0).simple_bind({"data": ONES.shape}, seed=1)
    executor.arg_dict["data"][...] = 1
    out = executor.forward(is_train=True)[0]
    assert not np.array_equal(out[: len(ONES)], out[len(ONES) :])


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_types_are_kept(dtype: Any) -> None:
    result = ran(layer("Dropout"), {"data": ONES.astype(dtype)}, heads=[ONES.astype(dtype)])
    assert (result.out.dtype, result.grads["data"].dtype) == (dtype, dtype)


def names(**changes: Any) -> CodeNames:
    return CodeNames(
        node="drop",
        ins=("x",),
        outs=("y", "mask"),
        in_shapes=((60, 50),),
        out_shapes=((60, 50), (60, 50)),
        heads=("d_y",),
        grads=("d_x",),
        **changes,
    )


def test_exported_numpy_lines_share_one_mask() -> None:
    node, space = Dropout(p=0.25), {**vars(numpy_parts_layers), "x": ONES, "d_y": 2 * ONES}
    exec("\n".join(node.numpy_code(names()) + node.numpy_gradient_code(names())), space)
    assert space["y"].dtype == np.float32
    assert abs((space["y"] == 0).mean() - 0.25) < 0.04
    np.testing.assert_allclose(space["d_x"], 2 * space["y"])
    quiet = names(train=False)
    assert node.numpy_code(quiet) == ["y = x"]
    assert node.numpy_gradient_code(quiet) == ["d_x = d_y"]


def test_exported_torch_lines_drop_alike_along_shared_axes() -> None:
    torch = pytest.importorskip("torch")
    for node in (Dropout(p=0.25), Dropout(p=0.25, axes=(1,))):
        space = {"torch": torch, "F": torch.nn.functional, "x": torch.tensor(ONES)}
        exec("\n".join(node.torch_code(names())), space)
        out = space["y"].numpy()
        assert set(np.unique(out)) == {0.0, np.float32(4 / 3)}
        assert bool((out == out[:, :1]).all()) is bool(node.axes)
        assert node.torch_code(names(train=False)) == ["y = x"]


@pytest.mark.parametrize(
    ("name", "settings", "mean", "deviation"),
    [
        ("_random_uniform", {"low": -1.0, "high": 3.0}, 1, 4 / np.sqrt(12)),
        ("_random_normal", {"loc": 2.0, "scale": 0.5}, 2, 0.5),
        ("_random_gamma", {"alpha": 4.0, "beta": 0.5}, 2, 1),
        ("_random_exponential", {"lam": 2.0}, 0.5, 0.5),
        ("_random_poisson", {"lam": 4.0}, 4, 2),
    ],
)
def test_random_sources_have_their_moments(name: str, settings: Any, mean: float, deviation: float) -> None:
    out = ran(getattr(sym, name)(shape=(100, 80), name="op", **settings), {}).out
    assert out.dtype == np.float32
    assert abs(out.mean() - mean) < 6 * deviation / np.sqrt(out.size)
    assert abs(out.std() - deviation) < 0.1 * deviation


def test_a_source_takes_its_open_size_from_its_reader() -> None:
    node = Variable("x") + sym.random_normal(shape=(0, 4), name="noise")
    out = ran(node, {"x": np.zeros((3, 4), np.float32)}).out
    assert out.shape == (3, 4)
    assert ran(sym.uniform(shape=(5,), dtype="float64", name="u"), {}).out.dtype == np.float64


@pytest.mark.parametrize(
    ("name", "settings"), [("_random_exponential", {"lam": 0.0}), ("_random_gamma", {"alpha": 0.0})]
)
def test_distributions_without_width_are_refused(name: str, settings: Any) -> None:
    with pytest.raises(ParameterError):
        getattr(sym, name)(shape=(2,), **settings)
