"""Operators that models of GluonCV and GluonNLP use: what cases that MXNet computed cannot say."""

from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

from app.engine import Group, Variable, sym
from app.engine.errors import EngineError, ParameterError, ShapeError
from app.engine.operator import Run
from app.engine.registry import find_operator
from app.engine.symbol import Symbol

BACKENDS = ("numpy", *(("torch",) if find_spec("torch") else ()))
HALF, SINGLE = np.dtype(np.float16), np.dtype(np.float32)


def make(name: str, **settings: Any) -> Any:
    node = find_operator(name)(**settings)
    node.check()
    return node


def shapes(answer: Any) -> tuple[list[Any], list[Any]]:
    ins, outs = answer
    return list(ins), list(outs)


@pytest.mark.parametrize("backend", BACKENDS)
def test_sizes_stay_whole_numbers_of_64_bits_on_their_way(backend: str) -> None:
    sizes = sym.shape_array(Variable("x"))
    net = Group([sizes, sizes * 2, sym.slice(sizes, begin=(1,), end=(2,)), sym.Cast(sizes, dtype="float32")])
    outputs = net.bind({"x": np.zeros((3, 70_000), np.float32)}, backend=backend).forward()
    assert [out.dtype.name for out in outputs] == ["int64", "int64", "int64", "float32"]
    assert [out.tolist() for out in outputs] == [[3, 70_000], [6, 140_000], [70_000], [3, 70_000]]


def test_shapes_of_attention_follow_in_both_directions() -> None:
    scores = make("_contrib_interleaved_matmul_selfatt_qk", heads=2)
    assert shapes(scores.infer([(0, 0, 12)], [(4, 0, 3)])) == ([(3, 2, 12)], [(4, 3, 3)])
    between = make("_contrib_interleaved_matmul_encdec_qk", heads=2)
    assert shapes(between.infer([(3, 0, 0), (5, 2, 8)], [()])) == ([(3, 2, 4), (5, 2, 8)], [(4, 3, 5)])
    values = make("_contrib_interleaved_matmul_encdec_valatt", heads=2)
    assert shapes(values.infer([(0, 0, 8), (4, 3, 5)], [()])) == ([(5, 2, 8), (4, 3, 5)], [(3, 2, 4)])
    assert shapes(values.infer([(5, 0, 0), ()], [(3, 2, 4)])) == ([(5, 2, 8), (4, 3, 5)], [(3, 2, 4)])


def test_heads_must_divide_the_projections() -> None:
    with pytest.raises(ShapeError, match="2 heads with 3 projections each need a multiple of 6") as caught:
        make("_contrib_interleaved_matmul_selfatt_qk", heads=2).infer([(3, 2, 9)], [()])
    assert caught.value.port == "queries_keys_values"
    with pytest.raises(ShapeError, match="first axis is 3") as caught:
        make("_contrib_interleaved_matmul_selfatt_valatt", heads=2).infer([(), (3, 4, 4)], [()])
    assert caught.value.port == "attention"


def recurrent(**parts: tuple[int, ...]) -> Symbol:
    weights = sym._rnn_param_concat(*(Variable(name, shape=shape) for name, shape in parts.items()), dim=0)
    return sym.RNN(Variable("x"), parameters=weights, state_size=3, num_layers=1, mode="rnn_tanh", name="r")


def test_two_open_parts_of_a_recurrent_layers_weights_share_what_is_left() -> None:
    net = recurrent(a=(), b=(), c=(6,))  # 3 · 5 + 3 · 3 + 2 · 3 = 30 in all
    found = dict(zip(net.list_arguments(), net.infer_shape(x=(4, 2, 5))[0], strict=True))
    assert (found["a"], found["b"]) == ((12,), (12,))
    with pytest.raises(EngineError, match="two equal parts do not fill"):
        recurrent(a=(), b=(), c=(7,)).infer_shape(x=(4, 2, 5))


def test_there_are_as_many_anchors_as_a_sample_has_boxes() -> None:
    node = make("_contrib_box_decode")
    assert shapes(node.infer([(2, 0, 0), (1, 3, 4)], [()])) == ([(2, 3, 4), (1, 3, 4)], [(2, 3, 4)])
    with pytest.raises(ShapeError, match="holds 6 anchors, but a sample has 3") as caught:
        node.infer([(2, 3, 4), (2, 3, 4)], [()])
    assert caught.value.port == "anchors"


def test_mixed_precision_waits_for_the_types_of_all_arrays() -> None:
    node = make("amp_multicast", num_outputs=2)
    assert list(node.infer_types([HALF, None], [None, None])[1]) == [None, None]
    assert list(node.infer_types([HALF, SINGLE], [None, None])[1]) == [SINGLE, SINGLE]
    double = np.dtype(np.float64)
    assert list(node.infer_types([double, double], [None, None])[1]) == [double, double]


def test_data_of_a_split_at_places_follows_from_its_last_part() -> None:
    node = make("_split_v2", indices=(0, 1, 3))
    assert shapes(node.infer([()], [(), (), (2, 2)])) == ([(2, 5)], [(2, 1), (2, 2), (2, 2)])
    assert node.because("out", 1, 1, [(2, 5)], [(2, 1), (2, 2), (2, 2)]) == "indices = (0, 1, 3) of 5"
    halves = make("_split_v2", indices=(), sections=2)
    assert shapes(halves.infer([()], [(2, 3), (2, 2)])) == ([(2, 5)], [(2, 3), (2, 2)])
    with pytest.raises(ShapeError, match="too short for 2 parts"):
        halves.infer([(2, 1)], [(), ()])
    with pytest.raises(ParameterError, match="names no part"):
        make("_split_v2", indices=())


def test_new_slices_have_the_type_of_the_old_ones_and_a_place_among_them() -> None:
    old, places, new = Variable("old"), Variable("places"), Variable("new")
    net = sym._contrib_index_copy(old, places, new, name="put")
    for place, told in ((2, "index 2 is out of bounds"), (-1, "index -1 is below 0")):
        arrays = {"old": np.zeros((2, 3)), "places": np.array([place]), "new": np.ones((1, 3))}
        with pytest.raises(EngineError, match=f"put .*{told}"):
            net.bind(arrays).forward()
    with pytest.raises(EngineError, match="one type") as caught:
        net.infer_type(old="float32", new="float64")
    assert (caught.value.node, caught.value.port) == ("put", "new_tensor")


def test_a_storage_by_rows_of_more_than_two_axes_passes_inference_and_is_refused_when_run() -> None:
    node, data = make("cast_storage", stype="csr"), np.zeros((2, 3, 4))
    assert shapes(node.infer([data.shape], [()]))[1] == [data.shape]
    with pytest.raises(ShapeError, match="two axes"):
        node.forward(Run(True, np.random.default_rng(0)), [data], [np.empty_like(data)])


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_multiplied_gradient_leaves_what_is_not_finite_as_it_is(backend: str) -> None:
    net = sym._contrib_gradientmultiplier(Variable("x"), scalar=-2, name="turn")
    data, grad = np.array([np.inf, 1.0], np.float32), np.zeros(2, np.float32)
    executor = net.bind({"x": data}, {"x": grad}, backend=backend)
    assert executor.forward(is_train=True)[0].tolist() == [np.inf, 1.0]
    executor.backward([np.array([1.0, 3.0], np.float32)])
    assert grad.tolist() == [-2.0, -6.0]


def test_an_index_array_names_its_axes_within_the_data() -> None:
    with pytest.raises(ShapeError, match="out of range"):
        make("_contrib_index_array", axes=(2,)).infer([(2, 3)], [()])
    assert shapes(make("_contrib_index_array").infer([()], [(2, 3, 0)])) == ([(2, 3)], [(2, 3, 2)])
