"""Matrix products: shapes both ways, reasons, refusals, and products without copies."""

from typing import Any

import numpy as np
import pytest

from app.engine.errors import ShapeError
from app.engine.operator import Operator, Run
from app.engine.registry import find_operator


def make(name: str, **settings: Any) -> Operator:
    return find_operator(name)(**settings)


def dense(**settings: Any) -> Operator:
    return make("FullyConnected", num_hidden=32, **settings)


def test_weight_and_bias_follow_from_the_data() -> None:
    ins, outs = dense().infer([(64, 8, 4, 4), (), ()], [()])
    assert list(ins) == [(64, 8, 4, 4), (32, 128), (32,)]
    assert list(outs) == [(64, 32)]
    ins, outs = dense(flatten=False, no_bias=True).infer([(64, 8, 4), ()], [()])
    assert list(ins) == [(64, 8, 4), (32, 4)]
    assert list(outs) == [(64, 8, 32)]


def test_an_open_single_row_is_as_long_as_its_value_unless_the_weight_says_otherwise() -> None:
    layer = dense(flatten=False, no_bias=True)
    length = layer.num_hidden
    assert layer.infer([(0,), ()], [()]) == (((length,), (length, length)), ((length,),))
    assert layer.infer([(0,), (length, 7)], [()]) == (((0,), (length, 7)), ((length,),))


def test_an_open_batch_stays_open_and_fills_from_the_value() -> None:
    ins, outs = dense().infer([(0, 5), (), ()], [()])
    assert list(ins) == [(0, 5), (32, 5), (32,)]
    assert list(outs) == [(0, 32)]
    assert dense().infer([(0, 5), (), ()], [(7, 32)])[0][0] == (7, 5)


def test_width_of_rows_follows_from_the_weight() -> None:
    assert dense().infer([(7, 0), (32, 5), ()], [()])[0][0] == (7, 5)
    assert dense().infer([(), (32, 5), ()], [()])[0][0] == ()


def test_what_is_known_from_the_settings_alone() -> None:
    assert list(dense().infer([(), (), ()], [()])[0]) == [(), (32, 0), (32,)]


@pytest.mark.parametrize(
    ("ins", "port"),
    [([(4, 5), (32, 6), ()], "weight"), ([(4, 5), (3, 5), ()], "weight"), ([(4, 5), (), (5,)], "bias")],
)
def test_misfits_blame_the_port(ins: list[tuple[int, ...]], port: str) -> None:
    with pytest.raises(ShapeError) as caught:
        dense().infer(ins, [()])
    assert caught.value.port == port


def test_num_hidden_is_named_as_the_reason() -> None:
    ins, outs = [(4, 5), (32, 5), (32,)], [(4, 32)]
    said = [dense().because("out", 0, 1, ins, outs), dense().because("in", 1, 0, ins, outs)]
    assert said == ["num_hidden = 32"] * 2
    assert dense().because("in", 1, 1, ins, outs) == ""
    assert dense().because("out", 0, 0, ins, outs) == ""


def test_multiply_adds_of_products() -> None:
    assert dense().multiply_adds([(64, 784), (32, 784), (32,)], [(64, 32)]) == 64 * 32 * 784
    assert make("dot").multiply_adds([(2, 3), (3, 4)], [(2, 4)]) == 24
    assert make("batch_dot").multiply_adds([(5, 2, 3), (5, 3, 4)], [(5, 2, 4)]) == 120


@pytest.mark.parametrize(
    ("settings", "left", "right", "wanted"),
    [
        ({}, (2, 3), (3, 4), (2, 4)),
        ({}, (2, 3, 4), (4, 5, 6), (2, 3, 5, 6)),
        ({"transpose_a": True}, (4, 2, 3), (4, 2), (2, 3, 2)),
        ({"transpose_b": True}, (2, 3), (4, 3), (2, 4)),
        ({}, (5,), (5,), (1,)),
    ],
)
def test_shapes_of_dot(settings: dict[str, Any], left: Any, right: Any, wanted: Any) -> None:
    assert make("dot", **settings).infer([left, right], [()])[1] == (wanted,)


def test_open_inner_size_follows_from_the_other_side() -> None:
    assert list(make("dot").infer([(2, 0), (3, 4)], [()])[0]) == [(2, 3), (3, 4)]
    assert list(make("batch_dot", transpose_b=True).infer([(0, 2, 3), (5, 4, 0)], [()])[0]) == [
        (5, 2, 3),
        (5, 4, 3),
    ]


@pytest.mark.parametrize(
    ("name", "settings", "ins", "port"),
    [
        ("dot", {}, [(4, 3), (4, 2)], "rhs"),
        ("dot", {"transpose_b": True}, [(4, 3), (3, 5)], "rhs"),
        ("batch_dot", {}, [(2, 3, 4), (3, 4, 5)], "rhs"),
        ("batch_dot", {}, [(2, 3, 4), (2, 3, 5)], "rhs"),
        ("batch_dot", {}, [(2, 3), (3, 4)], "lhs"),
        ("_linalg_gemm2", {}, [(2, 3), (4, 5)], "B"),
        ("khatri_rao", {"num_args": 2}, [(2, 3), (4, 2)], "arg1"),
    ],
)
def test_products_that_do_not_fit(name: str, settings: dict[str, Any], ins: Any, port: str) -> None:
    with pytest.raises(ShapeError) as caught:
        make(name, **settings).infer(ins, [()])
    assert caught.value.port == port


def test_khatri_rao_columns_are_outer_products() -> None:
    left, right = np.float32([[1, 2], [3, 4]]), np.float32([[5, 6], [7, 8], [9, 1]])
    out = np.empty((6, 2), np.float32)
    make("khatri_rao", num_args=2).forward(Run(True, np.random.default_rng(0)), [left, right], [out])
    for column in range(2):
        assert out[:, column].tolist() == np.outer(left[:, column], right[:, column]).ravel().tolist()


def test_formulas_in_words() -> None:
    names = (["x", "w", "b"], ["y"], ["d(y)"])
    assert [dense().explain(index, *names) for index in range(3)] == [
        "d(y) · w",
        "d(y)ᵀ · x",
        "sum of the rows of d(y)",
    ]
    pair = (["A", "B"], ["y"], ["d(y)"])
    assert make("dot").explain(0, *pair) == "d(y) · Bᵀ"
    assert make("dot", transpose_a=True).explain(0, *pair) == "(d(y) · Bᵀ)ᵀ"
    assert make("_linalg_gemm2", alpha=0.5).explain(1, *pair) == "0.5 · Aᵀ · d(y)"
