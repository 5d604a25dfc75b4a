"""What only a card asks of the backend: waiting, memory of its own, full precision, words when it gives up.

The card is the stand-in of `card.py`; the other tests of this folder run on it too.
"""

import gc
import time
from typing import Any

import numpy as np
import pytest

from app.engine import Group, Symbol, Variable, sym
from app.engine.backends.choice import choose_backend
from app.engine.backends.computing import is_installed
from app.engine.errors import BindError, RunError
from app.engine.planning import room

if not is_installed("torch"):
    pytest.skip("PyTorch is not installed", allow_module_level=True)

import torch

from tests.engine.backends.card import card_there


def dense(width: int = 4) -> Symbol:
    """Return two layers and a loss."""
    x = sym.FullyConnected(Variable("data"), num_hidden=width, name="one")
    x = sym.FullyConnected(sym.Activation(x, act_type="tanh", name="bend"), num_hidden=3, name="two")
    return sym.SoftmaxOutput(x, name="softmax")


def test_a_card_is_bound_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    with card_there(monkeypatch) as card:
        executor = dense().simple_bind({"data": (2, 5)}, backend="torch", device="cuda")
        executor.forward(data=np.ones((2, 5)))
        backend = choose_backend("torch", "cuda:0")
        assert backend is not None and backend.device == "cuda:0"
        assert {"addmm", "tanh", "_softmax"} <= card.ran and not card.refusals


def test_a_followed_step_is_done_when_its_time_is_taken(card: Any) -> None:
    executor = dense().simple_bind({"data": (2, 5)}, backend="torch")
    for step in executor.run_forward(is_train=True):
        assert card.waiting == 0, step
    for step in executor.run_backward():
        assert card.waiting == 0, step


def test_precision_is_full_for_the_backend_and_given_back(card: Any) -> None:
    conv, products = torch.backends.cudnn.conv, torch.backends.cuda.matmul
    before = conv.fp32_precision, products.fp32_precision, torch.backends.cudnn.deterministic
    x = sym.Convolution(Variable("data"), kernel=(3, 3), num_filter=2, name="conv")
    executor = sym.FullyConnected(x, num_hidden=2, name="fc").simple_bind(
        {"data": (1, 1, 4, 4)}, backend="torch"
    )
    executor.forward(is_train=True)
    executor.backward(np.ones((1, 2)))
    assert {"convolution", "convolution_backward", "addmm", "mm"} <= card.ran and not card.rounded
    assert before == (conv.fp32_precision, products.fp32_precision, torch.backends.cudnn.deterministic)
    broken = sym.Reshape(Variable("data"), shape=(2, 2), name="wrong").simple_bind(
        {"data": (2, 3)}, backend="torch"
    )
    with pytest.raises(RunError):
        broken.forward()
    assert before == (conv.fp32_precision, products.fp32_precision, torch.backends.cudnn.deterministic)


def test_a_gradient_is_checked_on_the_card_s_own_numbers(card: Any) -> None:
    executor = dense().simple_bind({"data": (2, 5)}, backend="torch", seed=1)
    for name, array in executor.arg_dict.items():
        array[...] = 1 if "label" in name else np.random.default_rng(0).normal(size=array.shape)
    executor.forward(is_train=True)
    executor.backward()
    left = {name: array.copy() for name, array in executor.arg_dict.items()}
    assert executor.check_gradient("one_weight").agrees
    for name, array in left.items():
        np.testing.assert_array_equal(executor.arg_dict[name], array)
    assert card.used


def test_numpy_steps_between_get_and_give_copies(card: Any) -> None:
    given = Variable("data")
    x = sym.hard_sigmoid(sym.tanh(given, name="bend"), name="middle")
    symbol = Group([sym.exp(x, name="after"), sym.hard_sigmoid(given, name="first")])
    executor = symbol.simple_bind({"data": (3,)}, backend="torch", keep_all=True)
    assert [node.name for node in executor.host_nodes] == ["middle", "first"]
    data = executor.arg_dict["data"]
    for numbers in ([3, 1, 2], [-1, 0.5, 0]):
        data[...] = numbers
        after, first = executor.forward(is_train=True)
        middle = 0.2 * np.tanh(data) + 0.5
        np.testing.assert_allclose(after, np.exp(middle), rtol=1e-6)
        np.testing.assert_allclose(first, np.clip(0.2 * data + 0.5, 0, 1), rtol=1e-6)
        executor.backward([np.array([1, 2, 4.0]), np.zeros(3)])
        wanted = np.array([1, 2, 4.0]) * np.exp(middle) * 0.2 * (1 - np.tanh(data) ** 2)
        np.testing.assert_allclose(executor.grad_dict["data"], wanted, rtol=1e-5)
    assert "exp" in card.ran


def test_what_lines_make_themselves_lies_on_the_card(card: Any) -> None:
    given = Variable("data")
    made = sym._arange(start=0, stop=4, name="count") + sym._zeros(shape=(4,), name="zeros")
    made = made * sym._full(shape=(4,), value=2, name="two") + sym._ones(shape=(4,), name="ones")
    image = sym.Reshape(given * made, shape=(1, 1, 2, 2), name="image")
    padded = sym.Pad(image, mode="reflect", pad_width=(0, 0, 0, 0, 1, 1, 0, 0), name="padded")
    executor = padded.simple_bind({"data": (4,)}, backend="torch")
    out = executor.forward(data=np.ones(4), is_train=True)[0]
    assert out.ravel().tolist() == [5, 7, 1, 3, 5, 7, 1, 3]
    executor.backward(np.ones(out.shape))
    np.testing.assert_array_equal(executor.grad_dict["data"], [2, 6, 10, 14])
    assert executor.host_nodes == () and card.ran


def test_states_of_a_recurrent_layer_may_come_turned_round(card: Any) -> None:
    state = sym.SwapAxis(Variable("turned"), dim1=0, dim2=1, name="state")
    symbol = sym.RNN(
        Variable("data"), Variable("weights"), state, state_size=2, num_layers=2, mode="gru", name="rnn"
    )
    outs = []
    for backend in ("numpy", "torch"):
        executor = symbol.simple_bind({"data": (3, 4, 2)}, backend=backend)
        rng = np.random.default_rng(0)
        for array in executor.arg_dict.values():
            array[...] = rng.normal(size=array.shape)
        executor.forward(is_train=True)
        executor.backward(np.ones((3, 4, 2)))
        outs.append([executor.outputs[0].copy(), *map(np.array, executor.grad_dict.values())])
    for one, other in zip(*outs, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-4, atol=1e-5)
    assert "_thnn_fused_gru_cell" in card.ran


OUTSIDE: list[tuple[Symbol, dict[str, Any]]] = [
    (
        sym.SequenceLast(Variable("data"), Variable("at"), use_sequence_length=True, name="op"),
        {"data": np.ones((3, 2, 2)), "at": np.array([2.0, 4.0])},
    ),
    (
        sym.SequenceReverse(Variable("data"), Variable("at"), use_sequence_length=True, name="op"),
        {"data": np.ones((3, 2, 2)), "at": np.array([2.0, 5.0])},
    ),
    (
        sym.gather_nd(Variable("data"), Variable("at"), name="op"),
        {"data": np.ones((3, 2)), "at": np.array([[1.0, 7.0]])},
    ),
]


@pytest.mark.parametrize(("symbol", "arrays"), OUTSIDE)
def test_an_index_outside_is_refused_and_the_card_goes_on(
    symbol: Symbol, arrays: dict[str, Any], card: Any
) -> None:
    for backend in ("numpy", "torch"):
        given = {name: array.copy() for name, array in arrays.items()}
        executor = symbol.bind(given, backend=backend)
        assert executor.host_nodes == ()
        with pytest.raises(RunError, match=r"op .*index \d is out of bounds"):
            executor.forward()
        given["at"][...] = 1
        executor.forward()
    assert card.ran


def test_what_does_not_fit_on_the_card_is_refused_before_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with card_there(monkeypatch, capacity=2**25) as card:
        with pytest.raises(BindError, match=r"needs .* MiB .*, but only 32 MiB of memory are free on cuda:0"):
            dense(width=2000).simple_bind({"data": (2, 5000)}, backend="torch", device="cuda:0")
        arrays = {
            name: np.zeros(shape, np.float32)
            for name, shape in zip(
                dense(2000).list_arguments(), dense(2000).infer_shape(data=(2, 5000))[0], strict=True
            )
        }
        with pytest.raises(BindError, match="free on cuda:0"):
            dense(width=2000).bind(arrays, backend="torch", device="cuda:0")
        assert card.peak == 0
        arrays = dense(width=2000).simple_bind({"data": (2, 5000)}, backend="torch", device="cpu").arg_dict
        assert arrays["one_weight"].shape == (2000, 5000)


def test_the_host_need_not_hold_what_lies_on_the_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "free_memory", lambda: 2**25)
    wide = sym.broadcast_mul(Variable("a"), Variable("b"), name="wide")
    symbol = sym.sum(sym.tanh(wide, name="bend"), name="total")
    shapes = {"a": (4000, 1), "b": (1, 4000)}
    with pytest.raises(BindError, match=r"memory are free\."):
        symbol.simple_bind(shapes, backend="torch", device="cpu")
    with card_there(monkeypatch):
        symbol.simple_bind(shapes, backend="torch", device="cuda:0")


def test_memory_that_runs_out_is_said_with_the_node(monkeypatch: pytest.MonkeyPatch) -> None:
    with card_there(monkeypatch) as card:
        executor = dense().simple_bind({"data": (2, 5)}, backend="torch", device="cuda:0")
        card.capacity = card.used + 16
        with pytest.raises(
            RunError, match=r"not enough memory on cuda:0 to compute one\. Use a smaller batch"
        ):
            executor.forward(is_train=True)
        card.capacity = 2**30
        executor.forward(is_train=True)
        executor.backward()
        card.capacity = card.used
        with pytest.raises(BindError, match="not enough memory on cuda:0 for this bind"):
            dense().simple_bind({"data": (2, 5)}, backend="torch", device="cuda:0")


def test_memory_that_runs_out_on_the_processor_is_said_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> Any:
        raise RuntimeError(
            "[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: tried 9 bytes"
        )

    executor = dense().simple_bind({"data": (2, 5)}, backend="torch")
    monkeypatch.setattr(torch, "addmm", full)
    with pytest.raises(RunError, match=r"not enough memory to compute one\."):
        executor.forward()


def test_a_card_that_stops_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    with card_there(monkeypatch) as card:
        executor = dense().simple_bind({"data": (2, 5)}, backend="torch", device="cuda:0")
        executor.forward(is_train=True)
        card.stop("CUDA error: unspecified launch failure\nmore lines")
        with pytest.raises(
            RunError, match=r"cuda:0 stopped working while softmax was computed: CUDA error: unspec"
        ) as told:
            executor.backward()
        assert told.value.node == "softmax" and "more lines" not in str(told.value)
        with pytest.raises(BindError, match="cannot bind on cuda:0"):
            dense().simple_bind({"data": (2, 5)}, backend="torch", device="cuda:0")


def test_an_executor_gives_the_card_s_memory_back(card: Any) -> None:
    executor = dense().simple_bind({"data": (2, 5)}, backend="torch")
    for _ in range(10):
        executor.forward(is_train=True)
        executor.backward()
    assert 0 < card.used < 1200, "what earlier passes took is given back"
    del executor
    gc.collect()
    for _ in range(200):  # autograd's own thread lets go of the last numbers a bit later
        if card.used:
            time.sleep(0.01)
    assert card.used == 0
