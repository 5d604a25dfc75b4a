"""An executor on PyTorch keeps the contract of the one on numpy: arrays, requests, states, streams, refusals."""

import threading
from typing import Any

import numpy as np
import pytest

from app.engine import Executor, Group, Symbol, Variable, sym
from app.engine.backends.computing import is_installed
from app.engine.errors import RunError

if not is_installed("torch"):
    pytest.skip("PyTorch is not installed", allow_module_level=True)

pytestmark = pytest.mark.usefixtures("memory")
SHAPES = {"data": (6, 3, 8, 8), "softmax_label": (6,)}


def net() -> Symbol:
    """Return a small network: layers of PyTorch's own, lines, a loss, and one that stays on the host."""
    x = sym.Convolution(Variable("data"), kernel=(3, 3), num_filter=4, name="conv")
    x = sym.Activation(sym.BatchNorm(x, name="bn"), act_type="relu", name="act")
    x = sym.Pooling(x, kernel=(2, 2), stride=(2, 2), pool_type="max", name="pool")
    x = sym.FullyConnected(sym.Flatten(x, name="flat"), num_hidden=5, name="fc")
    x = sym.khatri_rao(x, name="product")
    return sym.SoftmaxOutput(x + x, name="softmax")


def filled(symbol: Symbol, backend: str, request: Any = "write", **more: Any) -> Executor:
    executor = symbol.simple_bind(SHAPES, request, seed=3, backend=backend, **more)
    rng = np.random.default_rng(0)
    for name, array in executor.arg_dict.items():
        array[...] = rng.integers(0, 5, array.shape) if "label" in name else rng.normal(size=array.shape)
    executor.aux_dict["bn_moving_var"][...] = 1
    return executor


def left(executor: Executor) -> dict[str, Any]:
    found: dict[str, Any] = dict(zip(executor.graph.output_names, executor.outputs, strict=True))
    found |= {f"d({name})": grad for name, grad in executor.grad_dict.items() if grad is not None}
    return {name: array.copy() for name, array in (found | executor.aux_dict | executor.arg_dict).items()}


def agree(first: Executor, second: Executor) -> None:
    one, other = left(first), left(second)
    assert one.keys() == other.keys()
    for name, array in one.items():
        np.testing.assert_allclose(other[name], array, 1e-3, 1e-4, err_msg=name)


@pytest.fixture
def pair() -> tuple[Executor, Executor]:
    return filled(net(), "numpy"), filled(net(), "torch")


def test_several_passes_leave_what_numpy_leaves(pair: tuple[Executor, Executor]) -> None:
    for train in (True, True, False, True):
        for executor in pair:
            executor.forward(is_train=train)
            executor.backward()
        agree(*pair)


def test_outputs_and_gradients_are_the_same_arrays_every_time(pair: tuple[Executor, Executor]) -> None:
    executor = pair[1]
    output, gradient = executor.outputs[0], executor.grad_dict["fc_weight"]
    executor.forward(is_train=True)
    executor.backward()
    assert executor.forward()[0] is output is executor.outputs[0]
    assert executor.grad_dict["fc_weight"] is gradient and gradient is not None and gradient.any()


def test_what_is_written_into_arrays_counts_from_the_next_pass_on(pair: tuple[Executor, Executor]) -> None:
    for executor in pair:
        executor.forward(is_train=True)
        executor.arg_dict["fc_weight"][...] *= 0.5
        executor.aux_dict["bn_moving_mean"][...] = 2
        executor.forward()
    agree(*pair)
    for executor in pair:
        executor.forward(is_train=True)
        executor.arg_dict["conv_weight"][...] += 0.25  # backward reads arrays as they are then
        executor.arg_dict["softmax_label"][...] = 1
        executor.backward()
    agree(*pair)


def test_keywords_of_forward_stay(pair: tuple[Executor, Executor]) -> None:
    for executor in pair:
        executor.forward(data=np.ones(SHAPES["data"]))
        executor.forward()
    agree(*pair)
    with pytest.raises(RunError, match="no argument named 'nope'"):
        pair[1].forward(nope=1)
    with pytest.raises(RunError, match="the argument data"):
        pair[1].forward(data=np.ones(3))


@pytest.mark.parametrize("request_word", ["write", "add", {"fc_weight": "add", "conv_bias": "write"}])
def test_requests(request_word: Any) -> None:
    executors = [filled(net(), backend, request_word) for backend in ("numpy", "torch")]
    for executor in executors:
        for gradient in executor.grad_dict.values():
            if gradient is not None:
                gradient[...] = 7
        for _ in range(2):
            executor.forward(is_train=True)
            executor.backward()
    agree(*executors)


def test_a_sum_echoes_the_buffer_of_its_first_input() -> None:
    symbol = Variable("a") + Variable("b")
    executor = symbol.bind(
        {"a": np.ones(2), "b": np.ones(2)},
        {"a": np.full(2, 100.0), "b": np.full(2, 1000.0)},
        "add",
        backend="torch",
    )
    executor.forward(is_train=True)
    executor.backward(np.full(2, 5.0))
    assert executor.grad_dict["a"].tolist() == [105, 105]  # type: ignore[union-attr]
    assert executor.grad_dict["b"].tolist() == [1105, 1105]  # type: ignore[union-attr]


def test_what_nothing_flows_into_is_zero_and_a_label_is_left_alone() -> None:
    symbol = Group([sym.BlockGrad(Variable("a") * 2, name="stop"), Variable("b") * 3])
    executor = symbol.simple_bind({"a": (2,), "b": (2,)}, backend="torch")
    for gradient in executor.grad_dict.values():
        gradient[...] = 9  # type: ignore[index]
    executor.forward(is_train=True)
    executor.backward([np.ones(2), np.ones(2)])
    assert executor.grad_dict["a"].tolist() == [0, 0]  # type: ignore[union-attr]
    assert executor.grad_dict["b"].tolist() == [3, 3]  # type: ignore[union-attr]


def test_backward_without_a_forward_runs_one_first(pair: tuple[Executor, Executor]) -> None:
    pair[0].forward(is_train=True)
    pair[0].backward()
    pair[1].backward()
    agree(*pair)


def test_internals_are_kept_only_when_asked_for() -> None:
    symbol = net()
    kept, shared, plain = (
        filled(symbol, "torch", keep_all=True),
        filled(symbol, "torch"),
        filled(symbol, "numpy", keep_all=True),
    )
    for executor in (kept, shared, plain):
        executor.forward(is_train=True)
        executor.backward()
    at = kept.graph.index_by_name["act"]
    np.testing.assert_allclose(kept.value((at, 0)), plain.value((at, 0)), 1e-4, 1e-5)
    np.testing.assert_allclose(kept.gradient((at, 0)), plain.gradient((at, 0)), 1e-3, 1e-5)
    assert shared.value((at, 0)) is None
    for index, node in enumerate(plain.executor_graph.nodes):
        if node.kind in ("gradient", "gradient_sum"):
            np.testing.assert_allclose(kept.node_array(index), plain.node_array(index), 1e-3, 1e-5)


def test_what_runs_on_the_host_is_listed_with_the_reason() -> None:
    executor = filled(net(), "torch")
    assert [(node.name, node.op_name) for node in executor.host_nodes] == [("product", "khatri_rao")]
    assert "no kernel" in executor.host_nodes[0].reason
    assert filled(net(), "numpy").host_nodes == ()
    counted = (Variable("a", dtype="int32") * 2).simple_bind({"a": (2,)}, backend="torch")
    assert "whole numbers" in counted.host_nodes[0].reason
    counted.arg_dict["a"][...] = [3, -4]
    assert counted.forward()[0].tolist() == [6, -8]


def noise() -> Symbol:
    uniform = sym._random_uniform(shape=(40,), name="uniform")
    normal = sym._random_normal(shape=(40,), name="normal")
    return Group([sym.Dropout(Variable("data"), name="drop"), uniform, normal])


def drawn(symbol: Symbol, seed: int | None) -> list[Any]:
    executor = symbol.simple_bind({"data": (40,)}, seed=seed, backend="torch")
    executor.arg_dict["data"][...] = 1
    return [np.array(out) for _ in range(2) for out in executor.forward(is_train=True)]


def test_streams_follow_the_seed_and_belong_to_nodes() -> None:
    first, again, other = drawn(noise(), 5), drawn(noise(), 5), drawn(noise(), 6)
    for one, same, different in zip(first, again, other, strict=True):
        np.testing.assert_array_equal(one, same)
        assert (one != different).any()
    assert (first[1] != first[4]).any(), "the second forward draws on"
    lonely = drawn(sym.Dropout(Variable("data"), name="drop"), 5)
    np.testing.assert_array_equal(first[0], lonely[0])
    assert any(
        (one != two).any() for one, two in zip(drawn(noise(), None), drawn(noise(), None), strict=True)
    )


def test_a_slope_without_a_stream_on_the_device_is_drawn_on_the_host() -> None:
    symbol = sym.LeakyReLU(Variable("data"), act_type="rrelu", name="bend")
    executor = symbol.simple_bind({"data": (40,)}, seed=4, backend="torch")
    assert "stream" in executor.host_nodes[0].reason
    results = []
    for seed in (4, 4, 5):
        executor.seed(seed)
        executor.arg_dict["data"][...] = -1
        results.append(executor.forward(is_train=True)[0].copy())
    np.testing.assert_array_equal(results[0], results[1])
    assert (results[0] != results[2]).any()


def test_a_fixed_gamma_that_is_computed_counts_as_one() -> None:
    gamma = sym._copy(Variable("source"), name="gamma")
    symbol = sym.BatchNorm(Variable("data"), gamma, name="bn")
    executor = symbol.simple_bind({"data": (4, 3)}, backend="torch")
    executor.arg_dict["data"][...] = np.arange(12).reshape(4, 3)
    executor.arg_dict["source"][...] = 5
    out = executor.forward(is_train=True)[0]
    np.testing.assert_allclose(out.std(axis=0), 1, rtol=1e-3)
    assert executor.arg_dict["source"].tolist() == [5, 5, 5]


def test_a_mask_is_that_of_the_last_forward() -> None:
    executor = noise().simple_bind({"data": (40,)}, seed=1, backend="torch")
    executor.arg_dict["data"][...] = 1
    mask = executor.forward(is_train=True)[0].copy()
    assert set(mask.tolist()) == {0.0, 2.0}
    executor.backward([np.full(40, 3.0), np.ones(40), np.ones(40)])
    np.testing.assert_array_equal(executor.grad_dict["data"], 3 * mask)


def test_arrays_that_pytorch_cannot_share_are_copied() -> None:
    whole = np.arange(12, dtype=np.float32)
    arrays = {"a": whole[::-2], "b": whole[::2], "c": whole[6:].copy()}
    arrays["c"].setflags(write=False)
    symbol = Variable("a") * Variable("b") + Variable("c")
    executor = symbol.bind(arrays, backend="torch")
    np.testing.assert_allclose(executor.forward()[0], arrays["a"] * arrays["b"] + arrays["c"])
    whole[...] = 0
    np.testing.assert_allclose(executor.forward()[0], arrays["c"])


def test_a_refusal_of_pytorch_names_the_node() -> None:
    symbol = sym.Reshape(Variable("data"), shape=(2, 2), name="wrong")
    executor = symbol.simple_bind({"data": (2, 3)}, backend="torch")
    with pytest.raises(RunError, match="wrong") as refusal:
        executor.forward()
    assert refusal.value.node == "wrong"


def test_a_run_goes_step_by_step_and_can_be_stopped(pair: tuple[Executor, Executor]) -> None:
    executor = pair[1]
    cancel = threading.Event()
    steps = [*executor.run_forward(True, cancel), *executor.run_backward(None, cancel)]
    assert len(steps) == len(executor.plan.steps)
    pair[0].forward(is_train=True)
    pair[0].backward()
    agree(*pair)
    cancel.set()
    assert list(executor.run_forward(True, cancel)) == []
