"""Binding and running are those of MXNet's executor."""

import threading
from typing import Any

import numpy as np
import pytest

from app.engine import EngineError, Group, Variable, sym
from app.engine.errors import BindError, RunError


def number(value: float) -> np.ndarray:
    return np.full((1,), value, np.float32)


def square_plus_itself():
    x = Variable("x")
    return x * x + x


@pytest.mark.parametrize(("request_word", "first", "second"), [("write", 7, 7), ("add", 107, 114)])
def test_write_overwrites_and_add_adds(request_word: str, first: float, second: float) -> None:
    buffer = number(100)
    executor = square_plus_itself().bind([number(3)], [buffer], request_word)
    for wanted in (first, second):
        executor.forward(is_train=True)
        executor.backward(number(1))
        assert buffer[0] == wanted


def test_null_has_no_buffer() -> None:
    executor = square_plus_itself().simple_bind({"x": (1,)}, grad_req="null")
    assert executor.grad_dict == {"x": None}
    executor.forward()
    executor.backward(number(1))


def test_arrays_are_used_not_copied_and_keywords_overwrite_them() -> None:
    array = number(2)
    executor = square_plus_itself().bind({"x": array})
    assert executor.forward()[0][0] == 6
    array[:] = 3
    assert executor.forward()[0][0] == 12
    executor.forward(x=number(1))
    assert array[0] == 1
    with pytest.raises(RunError, match="nope"):
        executor.forward(nope=array)
    with pytest.raises(RunError, match="shape"):
        executor.forward(x=np.zeros((2,), np.float32))


def test_numbers_of_another_type_are_cut_to_that_of_the_buffer() -> None:
    whole = np.zeros(2, np.int32)
    executor = (Variable("x") * 2).bind([whole], grad_req="null")
    assert executor.forward(x=np.array([1.7, -1.7]))[0].tolist() == [2, -2]
    assert whole.tolist() == [1, -1]


def test_a_head_gradient_for_some_of_the_outputs_only_is_refused_with_their_names() -> None:
    parts = sym.SliceChannel(Variable("x"), num_outputs=2, name="parts")
    executor = parts.simple_bind({"x": (1, 2)})
    executor.forward(is_train=True)
    with pytest.raises(RunError) as refusal:
        executor.backward(np.ones((1, 1), np.float32))
    assert str(refusal.value) == (
        "Backward takes one head gradient for each of 2 outputs (parts_output0, parts_output1) but was given 1."
        " Hand in a list in this order, or a dict by name."
    )


def test_group_outputs_come_in_its_order() -> None:
    a, b, d = (Variable(name) for name in "ABD")
    c = a * b
    executor = Group([c + d, c]).bind({"A": number(10), "B": number(1), "D": number(1)})
    assert [output[0] for output in executor.forward()] == [11, 10]


def test_missing_and_surplus_arrays() -> None:
    net = Variable("a") + Variable("b")
    with pytest.raises(BindError, match="b"):
        net.bind({"a": number(1)})
    net.bind({"a": number(1), "b": number(1), "extra": number(1)})
    with pytest.raises(BindError, match="2 arguments"):
        net.bind([number(1)])


def test_a_wrong_shape_names_the_node() -> None:
    net = sym.elemwise_add(Variable("a"), Variable("b"), name="sum1")
    with pytest.raises(EngineError) as refusal:
        net.bind({"a": np.zeros((2, 3), np.float32), "b": np.zeros((3,), np.float32)})
    assert refusal.value.node == "sum1"


def test_backward_asks_for_the_head_gradient_of_what_is_no_loss() -> None:
    executor = square_plus_itself().simple_bind({"x": (1,)})
    executor.forward(is_train=True)
    with pytest.raises(RunError, match="head gradient"):
        executor.backward()
    with pytest.raises(RunError, match="shape"):
        executor.backward(np.ones((2,), np.float32))
    executor.backward({executor.graph.output_names[0]: number(1)})


def test_a_group_of_a_loss_and_another_output_wants_gradients_for_both() -> None:
    data = Variable("data")
    net = Group([sym.MakeLoss(sym.square(data)), sym.exp(data)])
    executor = net.simple_bind({"data": (2,)})
    executor.forward(is_train=True)
    with pytest.raises(RunError):
        executor.backward()
    with pytest.raises(RunError, match="2 outputs"):
        executor.backward(np.ones((2,), np.float32))
    executor.backward([np.ones((2,), np.float32)] * 2)
    assert executor.grad_dict["data"].tolist() == [1, 1]  # 2·0 from the loss, exp(0) from the other


def test_simple_bind_fills_with_zero_and_gives_gradients_to_all() -> None:
    net = sym.SoftmaxOutput(sym.FullyConnected(Variable("data"), num_hidden=3, name="fc"), name="softmax")
    executor = net.simple_bind({"data": (4, 5)})
    assert executor.arg_dict["fc_weight"].shape == (3, 5)
    assert all(array is not None for array in executor.grad_dict.values())
    np.testing.assert_allclose(executor.forward()[0], 1 / 3, rtol=1e-6)
    with pytest.raises(EngineError, match="data"):
        net.simple_bind({})
    with pytest.raises(EngineError, match="dato"):
        net.simple_bind({"dato": (4, 5)})


def test_types_are_those_of_the_arrays() -> None:
    executor = square_plus_itself().bind([np.array([3.0])], [np.zeros(1)])
    assert executor.forward()[0].dtype == np.float64


def test_shared_memory_gives_the_same_numbers_as_memory_of_its_own() -> None:
    data = Variable("data")
    net = data
    for index in range(6):
        net = sym.Activation(sym.FullyConnected(net, num_hidden=5, name=f"fc{index}"), act_type="tanh")
        net = net + sym.FullyConnected(net, num_hidden=5, name=f"side{index}")
    net = sym.SoftmaxOutput(net, name="softmax")
    rng = np.random.default_rng(1)
    shapes, _, _ = net.infer_shape(data=(4, 5))
    args = [rng.normal(size=shape).astype(np.float32) for shape in shapes]
    results = []
    for keep_all in (False, True):
        grads = [np.zeros_like(array) for array in args]
        executor = net.bind([array.copy() for array in args], grads, keep_all=keep_all)
        executor.forward(is_train=True)
        executor.backward()
        results.append([executor.outputs[0].copy(), *grads])
        if not keep_all:
            assert executor.plan.bytes_shared < executor.plan.bytes_unshared
    for shared, own in zip(*results, strict=True):
        np.testing.assert_array_equal(shared, own)


def test_steps_can_be_followed_and_stopped() -> None:
    executor = square_plus_itself().bind([number(3)], [number(0)], keep_all=True)
    assert [event.phase for event in executor.run_forward(True)] == ["forward"] * 2
    stop = threading.Event()
    events = executor.run_backward(number(1), stop)
    next(events)
    stop.set()
    assert list(events) == []


def test_a_seed_repeats_a_run_and_streams_belong_to_nodes() -> None:
    def dropped(net, name: str) -> np.ndarray:
        executor = net.simple_bind({"x": (50,)}, seed=3)
        executor.arg_dict["x"][:] = 1
        outputs = executor.forward(is_train=True)
        return outputs[executor.graph.output_names.index(f"{name}_output")].copy()

    x = Variable("x")
    one, two = sym.Dropout(x, name="one"), sym.Dropout(x, name="two")
    alone = dropped(one, "one")
    together = dropped(Group([two, one]), "one")
    np.testing.assert_array_equal(alone, together)
    assert (alone != dropped(two, "two")).any()


def test_a_bind_that_cannot_fit_says_how_much_it_needs() -> None:
    with pytest.raises(BindError, match="needs .* GiB"):
        square_plus_itself().simple_bind({"x": (2**40,)})


def test_what_only_running_can_refuse_names_the_node() -> None:
    net = sym.Reshape(Variable("x"), shape=(4, 5), name="odd")
    with pytest.raises(EngineError) as refusal:
        net.simple_bind({"x": (2, 3)}).forward()
    assert refusal.value.node == "odd"


@pytest.mark.parametrize("step_by_step", [False, True])
@pytest.mark.parametrize("node", ["bent", "product"])
def test_what_fails_while_running_names_its_node_forward_and_backward(node: str, step_by_step: bool) -> None:
    bent = sym.tanh(Variable("x"), name="bent")
    net = Group([bent, sym.elemwise_mul(bent, Variable("z"), name="product")])
    arrays = {"x": number(1), "z": number(2)}
    executor = net.bind(arrays, {name: number(0) for name in arrays})
    executor.forward(is_train=True)
    heads = [number(1), number(1)]
    executor.outputs[node == "product"].setflags(write=False)
    with pytest.raises(RunError, match="only be read") as refusal:
        list(executor.run_forward()) if step_by_step else executor.forward()
    assert refusal.value.node == node
    executor.grad_dict["z" if node == "product" else "x"].setflags(write=False)
    with pytest.raises(RunError, match="only be read") as refusal:
        list(executor.run_backward(heads)) if step_by_step else executor.backward(heads)
    assert refusal.value.node == node


@pytest.mark.parametrize(
    "lay",
    [np.asfortranarray, lambda array: np.repeat(array, 2, 0)[::2], lambda array: array[::-1].copy()[::-1]],
)
def test_arrays_that_lie_otherwise_in_memory_give_the_same_numbers_in_place(lay: Any) -> None:
    symbol = sym.BatchNorm(
        sym.Reshape(sym.sort(Variable("data"), axis=None), shape=(4, 6)), fix_gamma=False, name="bn"
    )
    rng = np.random.default_rng(3)
    arrays = {"data": rng.normal(size=(4, 6)), "bn_gamma": np.ones(6), "bn_beta": np.zeros(6)}
    states = {"bn_moving_mean": np.zeros(6), "bn_moving_var": np.ones(6)}
    found = []
    for way in (np.ascontiguousarray, lay):
        args = {name: way(array) for name, array in arrays.items()}
        grads = {name: way(np.full(array.shape, 5.0)) for name, array in arrays.items()}
        aux = {name: way(array.copy()) for name, array in states.items()}
        executor = symbol.bind(args, grads, {"data": "write", "bn_gamma": "add", "bn_beta": "write"}, aux)
        outputs = executor.forward(is_train=True)
        executor.backward(np.arange(24.0).reshape(4, 6))
        assert executor.grad_dict["data"] is grads["data"]
        found.append([outputs[0].copy(), *grads.values(), *aux.values()])
    for wanted, got in zip(*found, strict=True):
        np.testing.assert_array_equal(got, wanted)


def test_words_that_a_bind_cannot_take_are_refused_in_a_sentence() -> None:
    symbol = Variable("a") * 2
    shapes = {"a": (2,)}
    with pytest.raises(BindError, match="seed"):
        symbol.simple_bind(shapes, seed=-1)
    with pytest.raises(BindError, match="'nonsense' is no element type for a"):
        symbol.simple_bind(shapes, dtypes={"a": "nonsense"})
    with pytest.raises(BindError, match="gradient request of a is 5"):
        symbol.simple_bind(shapes, grad_req={"a": 5})
    with pytest.raises(BindError, match="int32"):
        symbol.bind({"a": np.ones(2, np.float32)}, {"a": np.ones(2, np.int32)})


def test_arrays_that_may_only_be_read_are_refused_where_they_would_be_written() -> None:
    fixed = number(3)
    fixed.setflags(write=False)
    with pytest.raises(BindError, match="gradient buffer of x may only be read"):
        square_plus_itself().bind([number(3)], [fixed])
    executor = square_plus_itself().bind([fixed])
    assert executor.forward()[0][0] == 12
    with pytest.raises(RunError, match="The argument x may only be read"):
        executor.forward(x=number(2))
    layer = sym.BatchNorm(Variable("x"), name="bn")
    ones = [np.ones(shape, np.float32) for shape in ((2, 1), 1, 1)]
    with pytest.raises(RunError, match="bn .* writes into an array that may only be read"):
        layer.bind([ones[0], fixed, ones[2]], aux_states=ones[1:]).forward()


def test_an_array_without_elements_is_told_as_one() -> None:
    with pytest.raises(BindError, match=r"x has the shape \(0, 3\)"):
        square_plus_itself().bind([np.ones((0, 3), np.float32)])


def test_names_of_states_and_head_gradients_that_were_misspelt_are_told() -> None:
    layer = sym.BatchNorm(Variable("x"), name="bn")
    ones = [np.ones(shape, np.float32) for shape in ((2, 1), 1, 1)]
    with pytest.raises(BindError, match="for the auxiliary states bn_moving_mean, bn_moving_var"):
        layer.bind(ones)
    with pytest.raises(RunError, match="One is given for bn_outptu, which is none"):
        layer.simple_bind({"x": (2, 1)}).backward({"bn_outptu": ones[0]})


def test_what_only_running_refuses_says_what_would_do() -> None:
    net = sym.Reshape(Variable("x"), shape=(4, 4), name="rows")
    with pytest.raises(EngineError, match=r"24 elements, but .* 16\. Set shape to \(4, -1\)"):
        net.simple_bind({"x": (2, 3, 4)})
    with pytest.raises(EngineError, match="name an axis twice") as refusal:
        sym.transpose(Variable("x"), axes=(0, 1, 1), name="turned").simple_bind({"x": (2, 3, 4)})
    assert refusal.value.node == "turned"


def test_arrays_of_one_name_have_no_dict() -> None:
    both = Variable("a") + Variable("a")
    executor = both.bind([number(1), number(2)], [number(0), number(0)])
    assert executor.forward()[0][0] == 3
    for found in (
        lambda: executor.arg_dict,
        lambda: executor.grad_dict,
        lambda: executor.forward(a=number(1)),
    ):
        with pytest.raises(RunError, match="Two arguments are named a"):
            found()
    assert executor.aux_dict == {} and [array[0] for array in executor.arg_arrays] == [1, 2]
    heads = Group([sym.relu(Variable("x"), name="r"), sym.tanh(Variable("x"), name="r")])
    executor = heads.bind([number(1), number(2)])
    assert len(executor.forward()) == 2
    with pytest.raises(RunError, match="Two outputs are named r_output"):
        _ = executor.output_dict
