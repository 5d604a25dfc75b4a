"""Tests of what a symbol says of element types; shapes are in `inference/`."""

import numpy as np
import pytest

from app.engine import sym
from app.engine.errors import ShapeError
from app.engine.symbol import Group, Variable


def test_types_flow_both_ways_and_come_in_list_order() -> None:
    layer = sym.BatchNorm(sym.FullyConnected(Variable("x"), num_hidden=2, no_bias=True, name="f"), name="b")
    assert layer.infer_type(x="float64") == ([np.float64] * 4, [np.float64], [np.float64] * 2)
    assert layer.infer_type(f_weight=np.float64) == layer.infer_type(x="float64")
    assert layer.infer_type("float64") == layer.infer_type(None, np.dtype("f8"))


def test_a_type_that_nobody_decides_is_open() -> None:
    both = Group([Variable("x") + Variable("y"), sym.Cast(Variable("z"), dtype="int32")])
    assert both.infer_type() == (None, None, None)
    assert both.infer_type_partial() == ([None, None, None], [None, np.int32], [])
    assert both.infer_type_partial(y="float16") == (
        [np.float16, np.float16, None],
        [np.float16, np.int32],
        [],
    )


def test_types_that_meet_are_refused_with_the_node() -> None:
    total = sym.elemwise_add(Variable("x"), Variable("y"), name="total")
    with pytest.raises(ShapeError) as caught:
        total.infer_type(x="float32", y="float64")
    assert caught.value.node == "total"
    with pytest.raises(ShapeError, match="no argument named 'q'"):
        total.infer_type(q="float32")
    with pytest.raises(ShapeError, match="3 types are given for 2 arguments"):
        total.infer_type("float32", None, None)


@pytest.mark.parametrize(
    ("given", "found"),
    [((5, 3), (5, 3)), ((4,), (4,)), ((2, 0), (2, 3)), ((5, 0), (2, 3)), ((0, 0, 0), (2, 3)), (None, (2, 3))],
)
def test_a_whole_shape_counts_alone_and_one_with_open_sizes_beside_the_variables_own(
    given: tuple[int, ...] | None, found: tuple[int, ...]
) -> None:
    x = Variable("x", shape=(2, 3))
    for symbol in (sym.relu(x), sym.relu(x) + Variable("y")):  # the second is left to the solver
        shapes = {} if given is None else {"x": given}
        assert symbol.infer_shape_partial(**shapes)[0][0] == found
    wrong = sym.relu(Variable("x", __shape__="two"))
    assert wrong.infer_shape(x=(2, 3)) == ([(2, 3)], [(2, 3)], [])
    with pytest.raises(ShapeError, match="__shape__"):
        wrong.infer_shape(x=(2, 0))
