"""What is offered to mend a misfit was tried, and helps."""

from collections.abc import Callable

import pytest

from app.engine import Variable, sym
from app.engine.errors import BindError, ShapeError
from app.engine.inference.infer import infer
from app.engine.symbol import Symbol


def refusal(symbol: Symbol, **shapes: tuple[int, ...]) -> str:
    with pytest.raises(ShapeError) as caught:
        symbol.infer_shape(**shapes)
    return str(caught.value)


def two_layers(first: int = 128) -> Symbol:
    hidden = sym.FullyConnected(Variable("data"), num_hidden=first, name="fc1")
    bent = sym.Activation(hidden, act_type="relu", name="relu1")
    return sym.FullyConnected(bent, Variable("w2", shape=(10, 64)), num_hidden=10, name="fc2")


def test_a_misfit_names_both_shapes_where_they_come_from_and_the_setting_upstream() -> None:
    line = refusal(two_layers(), data=(32, 784))
    assert line.startswith("fc2 (FullyConnected), input weight: expected (10, 128) but got (10, 64).")
    assert "It gets data (32, 128) from relu1, weight (10, 64) from w2." in line
    assert line.endswith("Set num_hidden of fc1 to 64, or give w2 the shape (10, 128).")
    two_layers(64).infer_shape(data=(32, 784))


def test_one_of_two_layers_that_meet_can_be_set() -> None:
    one, two = (sym.FullyConnected(Variable("x"), num_hidden=n, name=f"fc{n}") for n in (8, 9))
    assert refusal(one + two, x=(2, 3)).endswith("Set num_hidden of fc8 to 9, or set num_hidden of fc9 to 8.")


def test_shapes_that_broadcast_get_the_operator_that_does() -> None:
    line = refusal(Variable("x") + Variable("y"), x=(4, 3), y=(4, 1))
    assert "use broadcast_add in place of elemwise_add" in line


@pytest.mark.parametrize(
    ("shapes", "offers"),
    [
        ({"a": (1,), "b": (3, 4)}, "Give a the shape (3, 4), or use broadcast_mul in place of elemwise_mul."),
        ({"a": (3, 4), "b": (1,)}, "Give b the shape (3, 4), or use broadcast_mul in place of elemwise_mul."),
        (
            {"a": (3, 1), "b": (3, 4)},
            "Give a the shape (3, 4), or use broadcast_mul in place of elemwise_mul.",
        ),
        ({"a": (4,), "b": (3, 4)}, "Give a the shape (3, 4), or use broadcast_mul in place of elemwise_mul."),
        ({"a": (3, 4), "b": (3, 5)}, "Give b the shape (3, 4), or give a the shape (3, 5)."),
    ],
)
def test_a_small_array_is_made_to_fit_a_large_one_before_the_operator_is_another(
    shapes: dict[str, tuple[int, ...]], offers: str
) -> None:
    product = sym.elemwise_mul(Variable("a"), Variable("b"), name="product")
    assert refusal(product, **shapes).endswith(offers)


def test_a_variable_that_nobody_else_reads_is_given_another_shape_first() -> None:
    a, b, c = Variable("a"), Variable("b"), Variable("c")
    both = sym.Group([sym.elemwise_mul(c, a, name="one"), sym.elemwise_mul(b, c, name="two")])
    assert refusal(both, a=(2, 3), b=(2, 4), c=(2, 3)).endswith("Give b the shape (2, 3).")
    only = sym.Group([sym.negative(b), sym.elemwise_add(a, b, name="sum")])
    line = refusal(only, a=(2, 3), b=(2, 4))
    assert line.endswith("Give a the shape (2, 4), or give b the shape (2, 3).")


def test_one_size_of_a_shape_that_was_given_is_mended() -> None:
    a, b = Variable("a"), Variable("b")
    line = refusal(sym.dot(a, b, name="dot"), a=(3, 4), b=(5, 6))
    assert line.endswith("Give b the shape (4, 6), or give a the shape (3, 5).")
    line = refusal(sym.broadcast_add(a, b, name="sum"), a=(2, 3), b=(2, 4))
    assert line.endswith("Give b the shape (2, 3), or give a the shape (2, 4).")


def test_own_settings_are_offered() -> None:
    x = Variable("x")
    parts = sym.SliceChannel(x, num_outputs=3, name="split")
    assert "Set num_outputs of split to 2" in refusal(parts[0], x=(2, 4))
    large = sym.Convolution(x, kernel=(7, 7), num_filter=2, name="conv")
    assert "Set kernel of conv to (5, 5)" in refusal(large, x=(1, 3, 5, 5))
    parts = sym.SliceChannel(x, num_outputs=4, axis=1, name="split")
    assert "Set num_outputs of split to 5" in refusal(parts[0], x=(1, 35))  # a part of a size
    turned = sym.dot(Variable("a"), Variable("b"), name="dot")
    assert "Set transpose_a of dot to True" in refusal(turned, a=(4, 3), b=(4, 2))


@pytest.mark.parametrize(
    ("make", "other", "offer"),
    [
        (lambda x: sym.sum(x, axis=1, name="n"), (2, 1, 8), "Set keepdims of n to True, or "),
        (lambda x: sym.Concat(x, x, dim=1, name="n"), (4, 3, 8), "Set dim of n to 0, or "),
        (
            lambda x: sym.Pooling(x, kernel=(2,), stride=(2,), name="n"),
            (2, 3, 7),
            "Set stride of n to (1,), or ",
        ),
        (lambda x: sym.expand_dims(x, axis=0, name="n"), (2, 3, 8, 1), "Set axis of n to -1, or "),
    ],
)
def test_the_operator_before_is_set_to_make_what_fits(
    make: Callable[[Symbol], Symbol], other: tuple[int, ...], offer: str
) -> None:
    total = sym.elemwise_add(make(Variable("x")), Variable("y"), name="total")
    assert offer in refusal(total, x=(2, 3, 8), y=other)


def test_what_would_only_move_the_misfit_is_not_offered() -> None:
    """With two parts nobody would make the third, which is read."""
    parts = sym.SliceChannel(Variable("x"), num_outputs=3, name="split")
    assert "num_outputs" not in refusal(parts[2], x=(2, 4)).split("It gets")[1]


def test_a_huge_size_is_no_number_of_outputs() -> None:
    parts = sym.SliceChannel(Variable("x"), num_outputs=3, axis=9, name="split")
    assert "out of range" in refusal(parts[0], x=(2, 6, 2**31))


def test_a_wide_node_is_told_with_few_of_its_inputs() -> None:
    many = [Variable(f"x{number}") for number in range(300)]
    line = refusal(
        sym.add_n(*many, name="sum"), **{f"x{number}": (2, 3 + number // 299) for number in range(300)}
    )
    assert "arg299 (2, 4) from x299 and 295 more" in line and len(line) < 600


def test_a_setting_without_the_output_that_is_read_is_no_mend() -> None:
    split = sym.SliceChannel(Variable("x"), num_outputs=2, name="split")
    with pytest.raises(ShapeError, match="y"):
        (split[1] + Variable("y")).infer_shape(x=(2, 4), y=(2, 3))


def told(symbol: Symbol, **types: str) -> str:
    inference = infer(symbol.graph, {}, types)
    (problem,) = inference.problems
    return inference.told(problem)


def test_a_misfit_of_types_names_both_where_they_come_from_and_what_mends_it() -> None:
    line = told(sym.elemwise_add(Variable("a"), Variable("b"), name="add"), a="float64", b="float32")
    assert line == (
        "add (elemwise_add), input rhs: all arrays must have one type, but float64 meets float32. It gets lhs float64"
        " from a (given), rhs float32 from b (given). Give b the type float64, or put a Cast to float64 before input"
        " rhs of add."
    )


def test_the_source_of_a_type_is_followed_through_what_lies_between() -> None:
    hidden = sym.tanh(sym.FullyConnected(Variable("a"), num_hidden=3, name="fc"), name="bent")
    line = told(
        sym.elemwise_add(hidden, sym.Cast(Variable("b"), dtype="int32", name="cast"), name="add"), a="float16"
    )
    assert "lhs float16 from bent (a given), rhs int32 from cast (dtype = int32 of cast)" in line
    assert line.endswith("Set dtype of cast to float16, or put a Cast to float16 before input rhs of add.")


def test_a_declared_type_is_a_source_too() -> None:
    line = told(Variable("w", dtype="float64") + sym.tanh(Variable("a"), name="bent"), a="float16")
    assert "lhs float64 from w (by its __dtype__), rhs float16 from bent (a given)" in line
    assert "Give a the type float64" in line


def test_the_source_of_a_type_is_followed_against_the_wires() -> None:
    total = sym.elemwise_add(Variable("x"), Variable("y"), name="total")
    line = told(
        sym.Group([total, sym.elemwise_mul(total.get_children()[0], Variable("z"))]), y="int32", z="float64"
    )
    assert "lhs int32 from x (y given), rhs float64 from z (given)" in line


def test_a_cast_that_is_offered_makes_the_types_fit() -> None:
    a, b = Variable("a"), Variable("b")
    inference = infer((a + b).graph, {}, {"a": "float64", "b": "int32"})
    given, cast = inference.mends(inference.problems[0])
    assert (given.kind, given.value, inference.graph.nodes[given.node].name) == ("type", "float64", "b")
    assert (cast.kind, cast.value, cast.input) == ("cast", "float64", 1)
    mended = a + sym.Cast(b, dtype=cast.value)
    assert not infer(mended.graph, {}, {"a": "float64", "b": "int32"}).problems


def test_whole_numbers_where_an_operator_cannot_compute_with_them() -> None:
    soft = sym.softmax(Variable("x"), name="soft")
    with pytest.raises(BindError) as caught:
        soft.simple_bind({"x": (2, 3)}, dtypes={"x": "int32"})
    assert str(caught.value) == (
        "soft (softmax) cannot be computed with these types. It gets data int32 from x (given). Give x the type"
        " float32, or put a Cast to float32 before input data of soft."
    )


def test_two_whole_inputs_are_mended_together() -> None:
    power = sym.elemwise_sub(Variable("a"), Variable("b"), name="minus")
    with pytest.raises(BindError, match="Put a Cast to float32 before each of the inputs lhs, rhs of minus"):
        power.simple_bind({"a": (2,), "b": (2,)}, dtypes={"a": "bool", "b": "bool"})


def test_a_type_of_double_precision_is_as_wrong_as_any_other() -> None:
    """Numpy holds its float64 for equal to None."""
    layer = sym.FullyConnected(Variable("data"), num_hidden=3, name="fc")
    types = {"data": "float64", "fc_weight": "float32", "fc_bias": "float32"}
    assert told(layer, **types).endswith(
        "Give data the type float32, or put a Cast to float32 before input data of fc."
    )


@pytest.mark.parametrize(("make", "own"), [(sym.Convolution, {"num_filter": 64}), (sym.Pooling, {})])
def test_padding_is_not_made_wider_than_the_image(make: Callable[..., Symbol], own: dict[str, int]) -> None:
    layer = make(Variable("x"), kernel=(64, 64), pad=(1, 1), name="layer", **own)
    line = refusal(layer, x=(1, 64, 8, 8))
    assert "Set kernel of layer to (8, 8)" in line and "set pad" not in line


def test_numbers_that_only_lie_another_way_come_before_settings() -> None:
    """A label of one column is a row of labels, and an image with its channels last has them in front."""
    head = sym.SoftmaxOutput(sym.FullyConnected(Variable("x"), num_hidden=3, name="fc"), name="softmax")
    line = refusal(head, x=(2, 5), softmax_label=(2, 1))
    assert "Give softmax_label the shape (2), or " in line and "num_hidden" not in line
    layer = sym.Convolution(Variable("x"), kernel=(5, 5), num_filter=2, name="conv")
    assert "Give x the shape (1, 3, 32, 32), or " in refusal(layer, x=(1, 32, 32, 3))
    layer = sym.Convolution(Variable("x"), kernel=(5,), num_filter=2, name="conv")
    assert "Give x the shape (1, 3, 32), or " in refusal(layer, x=(1, 32, 3))


@pytest.mark.parametrize(
    ("codes", "offer"),
    [
        ((-1, -1), "(0, -1)"),
        ((0, 0, 0, 0), "(0, 0, 0, -1)"),
        ((-4, 2, 2), "(-1, 2, 2)"),
    ],
)
def test_a_shape_that_is_offered_holds_as_many_elements(codes: tuple[int, ...], offer: str) -> None:
    line = refusal(sym.Reshape(Variable("x"), shape=codes, name="rows"), x=(2, 3, 4))
    assert line.endswith(f"Set shape of rows to {offer}.")


@pytest.mark.parametrize("axes", [(0, 2), (0, 2, 3)])
def test_axes_that_are_offered_stand_once_each(axes: tuple[int, ...]) -> None:
    line = refusal(sym.transpose(Variable("x"), axes=axes, name="turned"), x=(2, 3, 4))
    assert line.endswith("Set axes of turned to (0, 2, 1).")


def test_a_kernel_of_another_rank_is_mended() -> None:
    layer = sym.Convolution(Variable("x"), kernel=3, num_filter=2, name="conv")
    assert refusal(layer, x=(1, 3, 8, 8)).endswith("Set kernel of conv to (3, 3).")
    layer = sym.Pooling(Variable("x"), kernel=(2, 2), name="pool")
    assert "Set kernel of pool to (2,), or " in refusal(layer, x=(1, 3, 8))


def test_a_block_of_one_is_no_mend() -> None:
    assert "block_size" not in refusal(sym.depth_to_space(Variable("x"), block_size=2), x=(1, 3, 4, 4))
