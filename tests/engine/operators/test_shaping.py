"""Shapes changed and arrays moved: codes of Reshape, open sizes, refusals, and gradients that land in place."""

from typing import Any

import numpy as np
import pytest

from app.engine.errors import ParameterError, ShapeError
from app.engine.operator import Operator, Run
from app.engine.registry import find_operator
from app.engine.symbol import Variable, make_node

Shape = tuple[int, ...]


def make(name: str, **settings: Any) -> Operator:
    node = find_operator(name)(**settings)
    node.check()
    return node


def out_shape(node: Operator, *ins: Shape, out: Shape = ()) -> Shape:
    return tuple(node.infer(list(ins), [out])[1][0])


def in_shape(node: Operator, data: Shape, out: Shape) -> Shape:
    return tuple(node.infer([data], [out])[0][0])


def run() -> Run:
    return Run(True, np.random.default_rng(0))


def compute(node: Operator, *ins: Any) -> list[Any]:
    arrays = [np.asarray(array, np.float32) for array in ins]
    outs: list[Shape] = [()] * len(node.outputs + node.hidden)
    _, shapes = node.infer([array.shape for array in arrays], outs)
    results = [np.empty(shape, np.float32) for shape in shapes]
    node.forward(run(), arrays, results)
    return results


@pytest.mark.parametrize(
    ("data", "codes", "reverse", "wanted"),
    [
        ((2, 3, 4), (3, -1, 8), False, (3, 1, 8)),
        ((2, 3, 4), (2, 0, 0), False, (2, 3, 4)),
        ((2, 3, 4), (-3, -2), False, (6, 4)),
        ((2, 3, 4), (2, -4, -1, 3, -2), False, (2, 1, 3, 4)),
        ((8, 3), (-4, -1, 2, -4, 3, 1), False, (4, 2, 3, 1)),
        ((2, 3, 4, 5), (-3, -3), False, (6, 20)),
        ((2, 3, 4), (-2, 1, 1), False, (2, 3, 4, 1, 1)),
        ((2, 3, 4), (-1, 0), False, (8, 3)),
        ((2, 3, 4), (-1, 0), True, (6, 4)),
        ((2, 3, 4, 5), (0, -1, 0, 0), True, (2, 3, 4, 5)),
        ((0, 3, 4), (0, -1), False, (0, 12)),
        ((0, 3, 4), (-1, 4), False, (0, 4)),
        ((0, 3, 4), (-3, 0), False, (0, 4)),
        ((0, 6), (0, -4, 2, -1), False, (0, 2, 3)),
    ],
)
def test_codes_of_reshape(data: Shape, codes: Shape, reverse: bool, wanted: Shape) -> None:
    assert out_shape(make("Reshape", shape=codes, reverse=reverse), data) == wanted


@pytest.mark.parametrize(
    ("codes", "says"),
    [
        ((-1, -1), "two sizes open"),
        ((0, 0, 0), "finds no more axis"),
        ((-4, -1, -1, 3), "two open sizes behind it"),
        ((-4, 5, 2, 3), "cannot split"),
        ((0, -4, 3), "needs two sizes"),
    ],
)
def test_codes_that_do_not_fit(codes: Shape, says: str) -> None:
    with pytest.raises(ShapeError, match=says):
        out_shape(make("Reshape", shape=codes), (2, 3))


def test_unknown_code_is_refused_at_once() -> None:
    with pytest.raises(ParameterError, match="codes 0 to -4"):
        make("Reshape", shape=(-5, 1))


def test_reshape_without_a_shape_says_what_is_missing() -> None:
    with pytest.raises(ShapeError, match="shape is not set"):
        out_shape(make("Reshape"), (2, 3))


def test_reshape_to_another_size_passes_inference_and_is_refused_when_run() -> None:
    node = make("Reshape", shape=(4, 4))
    assert out_shape(node, (2, 3)) == (4, 4)
    with pytest.raises(ShapeError, match="has 6 elements, but .4, 4. takes 16"):
        compute(node, np.zeros((2, 3)))


def test_old_reshape() -> None:
    assert out_shape(make("Reshape", target_shape=(0, 6)), (2, 2, 3)) == (2, 6)
    assert out_shape(make("Reshape", target_shape=(9, 0), keep_highest=True), (2, 2, 3)) == (2, 6)


def test_one_open_size_of_the_data_follows_from_the_value() -> None:
    assert in_shape(make("Reshape", shape=(-1, 4)), (0, 3, 4), (6, 4)) == (2, 3, 4)
    assert in_shape(make("Flatten"), (0, 0, 4), (2, 12)) == (2, 3, 4)
    assert in_shape(make("transpose", axes=(1, 0, 2)), (), (3, 2, 0)) == (2, 3, 0)
    assert in_shape(make("expand_dims", axis=1), (), (2, 1, 3)) == (2, 3)
    assert in_shape(make("SliceChannel", num_outputs=1), (), (2, 3)) == (2, 3)


def test_flatten_of_a_vector_makes_a_column() -> None:
    assert out_shape(make("Flatten"), (5,)) == (5, 1)


def test_squeeze_of_everything_leaves_one_axis() -> None:
    assert out_shape(make("squeeze"), (1, 1)) == (1,)
    assert out_shape(make("squeeze"), (0, 1)) == ()
    assert out_shape(make("squeeze", axis=(1,)), (0, 1)) == ()  # nothing before all sizes are known


def test_sizes_that_are_cut_or_repeated_must_be_known_and_others_stay_open() -> None:
    assert out_shape(make("broadcast_to", shape=(0, 3)), (0, 1)) == (0, 3)
    assert out_shape(make("broadcast_to", shape=(2, 3)), ()) == ()
    assert out_shape(make("slice_like"), (4, 0), (2, 0)) == (2, 0)
    assert out_shape(make("slice_like", axes=(1,)), (0, 5), (2, 3)) == (0, 3)
    assert out_shape(make("broadcast_like"), (1, 3), (0, 3)) == (0, 3)


@pytest.mark.parametrize(
    ("name", "settings", "shapes"),
    [
        ("slice_like", {}, {"data": (0, 3), "shape_like": (2, 3)}),
        ("broadcast_to", {"shape": (4, 3)}, {"data": (0, 3)}),
        ("broadcast_like", {}, {"lhs": (0, 3), "rhs": (2, 3)}),
        ("broadcast_like", {}, {"lhs": (2, 3), "rhs": (0, 3)}),
        ("broadcast_like", {"lhs_axes": (0,), "rhs_axes": (0,)}, {"lhs": (0, 3), "rhs": (0, 3)}),
        ("FullyConnected", {"num_hidden": 2}, {"data": (3, 0)}),
        ("FullyConnected", {"num_hidden": 2}, {"data": (3, 0), "weight": (2, 4)}),
    ],
)
def test_open_sizes_that_mxnet_cannot_bear_are_refused_even_in_partial_inference(
    name: str, settings: dict[str, Any], shapes: dict[str, Shape]
) -> None:
    node = make_node(name, name="n", **settings, **{port: Variable(port) for port in shapes})
    with pytest.raises(ShapeError, match="open") as caught:
        node.infer_shape_partial(**shapes)
    assert caught.value.node == "n"
    assert caught.value.port in shapes


@pytest.mark.parametrize(
    ("name", "settings", "ins"),
    [
        ("transpose", {"axes": (1, 0)}, [(2, 3, 4)]),
        ("SwapAxis", {"dim1": 0, "dim2": 5}, [(2, 3)]),
        ("squeeze", {"axis": (1,)}, [(2, 3)]),
        ("slice_axis", {"axis": 0, "begin": 3, "end": 1}, [(5, 2)]),
        ("slice", {"begin": (3,), "end": (1,)}, [(5, 2)]),
        ("slice_like", {}, [(2, 3), (2, 4)]),
        ("broadcast_to", {"shape": (4, 3)}, [(2, 3)]),
        ("broadcast_to", {"shape": (2, 3, 4)}, [(3, 4)]),
        ("broadcast_axis", {"axis": (1,), "size": (4,)}, [(2, 3)]),
        ("broadcast_like", {}, [(2, 3), (4, 3)]),
        ("broadcast_like", {"lhs_axes": (0,), "rhs_axes": (0,)}, [(2, 3), (2, 3)]),
        ("Pad", {"mode": "constant", "pad_width": (0, 0, 0, 0, 1, 1)}, [(1, 2, 3, 3)]),
        ("Pad", {"mode": "reflect", "pad_width": (0, 0, 0, 0, 3, 0, 0, 0)}, [(1, 2, 3, 3)]),
        ("Crop", {"num_args": 1, "h_w": (9, 9)}, [(1, 2, 5, 5)]),
        ("Concat", {"num_args": 2, "dim": 2}, [(2, 3), (2, 3)]),
        ("Concat", {"num_args": 2, "dim": 0}, [(2, 3), (2, 4)]),
        ("stack", {"num_args": 2}, [(2, 3), (2, 4)]),
        ("SliceChannel", {"num_outputs": 3}, [(2, 4)]),
        ("SliceChannel", {"num_outputs": 2, "squeeze_axis": True}, [(2, 4)]),
        ("depth_to_space", {"block_size": 2}, [(1, 6, 2, 2)]),
        ("space_to_depth", {"block_size": 2}, [(1, 1, 3, 4)]),
        ("reshape_like", {}, [(2, 3), (4, 2)]),
        ("where", {}, [(2, 3), (2, 3), (2, 4)]),
        ("diag", {"k": 5}, [(3, 4)]),
        ("diag", {"axis1": 1, "axis2": -1}, [(3, 4)]),
        ("slice_axis", {"axis": 0, "begin": 0, "end": 6}, [(5, 2)]),
        ("slice_axis", {"axis": 0, "begin": -6, "end": None}, [(5, 2)]),
        ("transpose", {"axes": (-1, 0)}, [(2, 3)]),
        ("broadcast_axis", {"axis": (-1,), "size": (4,)}, [(2, 1)]),
        ("reshape_like", {"rhs_end": 3}, [(2, 3), (3, 2)]),
        ("pick", {"axis": None}, [(2, 3), (2,)]),
        ("gather_nd", {}, [(2, 3), (2,)]),
        ("Pad", {"mode": "edge", "pad_width": (0, 0, 0, 0, 1, 1)}, [(1, 2, 3)]),
        ("Pad", {"mode": "edge", "pad_width": (1, 0, 0, 0, 1, 1, 0, 0)}, [(1, 2, 3, 3)]),
        ("expand_dims", {"axis": 4}, [(2, 3)]),
    ],
)
def test_refusals_are_sentences(name: str, settings: dict[str, Any], ins: list[Shape]) -> None:
    node = make(name, **settings)
    with pytest.raises(ShapeError) as caught:
        node.infer(ins, [()] * len(node.outputs))
    assert caught.value.sentence.endswith(".")
    assert caught.value.port in (None, *(port.name for port in node.ports))


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("slice", {"begin": (1, 2), "end": (3,)}),
        ("slice", {"begin": (1,), "end": (3,), "step": (0,)}),
        ("broadcast_axis", {"axis": (1, 2), "size": (4,)}),
        ("broadcast_like", {"lhs_axes": (0,), "rhs_axes": (0, 1)}),
        ("Pad", {"mode": "edge", "pad_width": (0, 0, 1)}),
        ("Crop", {"num_args": 1, "h_w": (2,)}),
    ],
)
def test_settings_that_contradict_each_other(name: str, settings: dict[str, Any]) -> None:
    with pytest.raises(ParameterError) as caught:
        make(name, **settings)
    assert caught.value.port in {parameter.name for parameter in find_operator(name).parameters}


def test_concat_shares_all_sizes_but_the_joined_one() -> None:
    node = make("Concat", num_args=2)
    ins, outs = node.infer([(2, 3, 4), (0, 2, 0)], [()])
    assert list(ins) == [(2, 3, 4), (2, 2, 4)]
    assert list(outs) == [(2, 5, 4)]


def test_an_open_part_of_a_concat_follows_from_the_whole() -> None:
    node = make("Concat", num_args=2)
    assert list(node.infer([(2, 3), (2, 0)], [(2, 8)])[0]) == [(2, 3), (2, 5)]
    with pytest.raises(ShapeError, match="add up"):
        node.infer([(2, 3), (2, 0)], [(2, 3)])
    assert node.because("out", 0, 1, [(2, 3), (2, 5)], [(2, 8)]) == "3 + 5"


def test_data_of_a_split_follows_from_its_parts() -> None:
    node = make("SliceChannel", num_outputs=3)
    assert node.infer([()], [(2, 4), (), ()])[0] == ((2, 12),)
    squeezed = make("SliceChannel", num_outputs=3, squeeze_axis=True)
    assert squeezed.infer([()], [(2,), (), ()])[0] == ((2, 3),)
    assert node.because("out", 0, 1, [(2, 12)], [(2, 4)] * 3) == "12 in 3 parts"


def test_concat_gradient_of_one_part_alone() -> None:
    node, shared = make("Concat", num_args=3), run()
    parts = [np.full((1, size), size, np.float32) for size in (1, 2, 3)]
    out, grad = np.empty((1, 6), np.float32), np.empty((1, 2), np.float32)
    node.prepare_forward(shared, parts, [out])()
    head = np.arange(6, dtype=np.float32).reshape(1, 6)
    node.prepare_backward(shared, [None] * 3, [None], [head], [None, grad, None])()
    assert out.tolist() == [[1, 2, 2, 3, 3, 3]]
    assert grad.tolist() == [[1, 2]]


def test_slices_like_python() -> None:
    data = np.arange(20, dtype=np.float32).reshape(4, 5)
    assert (compute(make("slice", begin=(None, 1), end=(None, -1)), data)[0] == data[:, 1:-1]).all()
    assert (compute(make("slice", begin=(3,), end=(None,), step=(-2,)), data)[0] == data[3::-2]).all()
    assert (compute(make("reverse", axis=(0, 1)), data)[0] == data[::-1, ::-1]).all()


def test_margins() -> None:
    data = np.arange(3, dtype=np.float32).reshape(1, 1, 1, 3)
    sides = {"pad_width": (0, 0, 0, 0, 0, 0, 2, 2)}
    assert compute(make("Pad", mode="reflect", **sides), data)[0].ravel().tolist() == [2, 1, 0, 1, 2, 1, 0]
    assert compute(make("Pad", mode="edge", **sides), data)[0].ravel().tolist() == [0, 0, 0, 1, 2, 2, 2]
    constant = make("Pad", mode="constant", constant_value=9.0, **sides)
    assert compute(constant, data)[0].ravel().tolist() == [9, 9, 0, 1, 2, 9, 9]


def test_repetitions() -> None:
    data = np.float32([[1, 2]])
    assert compute(make("tile", reps=(2,)), data)[0].tolist() == [[1, 2, 1, 2]]
    assert compute(make("repeat", repeats=2, axis=1), data)[0].tolist() == [[1, 1, 2, 2]]
    assert compute(make("repeat", repeats=2), data)[0].tolist() == [1, 1, 2, 2]


def test_blocks_go_there_and_back() -> None:
    data = np.arange(2 * 8 * 2 * 3, dtype=np.float32).reshape(2, 8, 2, 3)
    (wide,) = compute(make("depth_to_space", block_size=2), data)
    (back,) = compute(make("space_to_depth", block_size=2), wide)
    assert (back == data).all()


def test_where_with_one_condition_a_row() -> None:
    x, y = np.ones((2, 2)), np.zeros((2, 2))
    assert compute(make("where"), [1, 0], x, y)[0].tolist() == [[1, 1], [0, 0]]
    assert list(make("where").infer([(4,), (4, 5), ()], [()])[0]) == [(4,), (4, 5), (4, 5)]


@pytest.mark.parametrize(
    ("op", "settings", "shapes", "expected"),
    [  # what MXNet 1.9.1 says in partial inference
        ("where", {}, [(0,), (4, 5), ()], ([(0,), (4, 5), ()], ())),
        ("where", {}, [(0, 3), (0, 1), (2, 1)], ([(0, 3), (0, 1), (2, 1)], ())),
        ("where", {}, [(2,), (0,), (0,)], ([(2,), (0,), (0,)], (0,))),
        ("where", {}, [(2, 2), (2, 0), (3, 2)], ([(2, 2), (2, 0), (3, 2)], ())),
        ("squeeze", {"axis": (1,)}, [(0, 3)], ([(0, 3)], ())),
        ("squeeze", {"axis": (3,)}, [(0, 3)], ([(0, 3)], ())),
        ("squeeze", {"axis": (0, -2)}, [(0, 3)], ([(0, 3)], ())),
        ("broadcast_axis", {"axis": (1,), "size": (2,)}, [(0, 2, 1)], ([(0, 2, 1)], ())),
        ("broadcast_axis", {"axis": (2,), "size": (2,)}, [(0, 1)], ([(0, 1)], ())),
    ],
)
def test_what_is_partly_known_stays_open(
    op: str, settings: dict[str, Any], shapes: list[Any], expected: Any
) -> None:
    ins, outs = make(op, **settings).infer(shapes, [()])
    assert (list(ins), outs[0]) == expected


@pytest.mark.parametrize("shapes", [[(2, 2), (2, 1), (2, 2)], [(3,), (2, 2), (2, 2)], [(1,), (3, 0), (3, 0)]])
def test_where_refuses_what_cannot_fit_any_more(shapes: list[Any]) -> None:
    with pytest.raises(ShapeError):
        make("where").infer(shapes, [()])


def test_no_axes_at_all_cut_nothing() -> None:
    data, like = np.ones((3, 4)), np.ones((2, 2, 5))
    assert compute(make("slice_like", axes=None), data, like)[0].shape == (3, 4)


def test_shape_of_another_array_has_no_gradient() -> None:
    for name in ("slice_like", "broadcast_like", "reshape_like"):
        assert make(name).gradient_kind(1) == "zero"


def test_memory_is_kept_when_only_the_shape_changes() -> None:
    data = np.arange(6, dtype=np.float32)
    make("Reshape", shape=(2, 3)).forward(run(), [data], [data.reshape(2, 3)])
    assert data.tolist() == list(range(6))
    assert make("Flatten").inplace == ((0, 0),)


def test_the_rest_stands_where_mxnet_counts_it() -> None:
    # MXNet finds the place of -1 among the codes, so behind -2 and -4 it lies elsewhere
    assert out_shape(make("Reshape", shape=(-2, -1)), (2, 3, 4)) == (2, 1, 4, 1)
    assert out_shape(make("Reshape", shape=(-4, 2, 3, -1, 5)), (6, 4, 5)) == (2, 3, 1, 4)
    assert out_shape(make("Reshape", shape=(-4, 2, 3, -1)), (6, 4)) == (2, 3, 1)
    assert out_shape(make("Reshape", shape=(-3, -1, 0)), (2, 3, 4, 5)) == (6, 4, 5)


def test_broadcast_like_looks_at_axes_only_where_both_are_named() -> None:
    for names in ({"lhs_axes": (0,)}, {"rhs_axes": (5, 6)}):
        assert make("broadcast_like", **names).infer([(1, 3), (2, 3)], [()])[1] == ((2, 3),)
    with pytest.raises(ParameterError, match="as many axes"):
        make("broadcast_like", lhs_axes=(0,), rhs_axes=())


def test_an_axis_that_is_cut_and_dropped_has_as_many_places_as_there_are_parts() -> None:
    node = make("SliceChannel", num_outputs=3, axis=1, squeeze_axis=True)
    assert node.infer([(4, 0, 2)], [()] * 3) == (((4, 3, 2),), ((4, 2),) * 3)
