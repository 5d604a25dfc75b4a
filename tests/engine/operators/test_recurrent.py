"""RNN: cells by their formulas, the vector's order, lengths, dropout, and refusals."""

from typing import Any

import numpy as np
import pytest

from app.engine import Symbol, Variable, sym
from app.engine.errors import ParameterError, RunError, ShapeError
from app.engine.kernels import recurrent as kernels
from app.engine.operators.recurrent import RNN
from tests.layer_runs import ran

RNG = np.random.default_rng(0)


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def node(mode: str, **settings: Any) -> Symbol:
    return sym.RNN(Variable("data"), mode=mode, name="op", **settings)


def arrays(mode: str, data: Any, **settings: Any) -> dict[str, Any]:
    """Draw what an RNN over the data needs."""
    shapes = dict(zip(*_named_shapes(mode, data.shape, **settings), strict=True))
    given = {name: RNG.uniform(-0.7, 0.7, shape) for name, shape in shapes.items()}
    return {**given, "data": data}


def _named_shapes(mode: str, data: Any, **settings: Any) -> tuple[list[str], Any]:
    symbol = node(mode, **settings)
    return symbol.list_arguments(), symbol.infer_shape(data=data)[0]


def test_an_lstm_step_by_its_formulas() -> None:
    data = RNG.normal(size=(1, 2, 3))
    given = arrays("lstm", data, state_size=4, num_layers=1, state_outputs=True)
    (weights,) = kernels.unpack(given["op_parameters"], kernels.Sizes("lstm", 3, 4, 1, 1))
    result = ran(node("lstm", state_size=4, num_layers=1, state_outputs=True), given)
    total = data[0] @ weights.given.T + weights.given_bias
    total = total + given["op_state"][0] @ weights.hidden.T + weights.hidden_bias
    i, f, g, o = np.split(total, 4, axis=1)
    cell = sigmoid(f) * given["op_state_cell"][0] + sigmoid(i) * np.tanh(g)
    state = sigmoid(o) * np.tanh(cell)
    np.testing.assert_allclose(result.out[0], state)
    np.testing.assert_allclose(result.outputs[1][0], state)
    np.testing.assert_allclose(result.outputs[2][0], cell)


def test_a_gru_step_by_its_formulas() -> None:
    data = RNG.normal(size=(1, 2, 3))
    given = arrays("gru", data, state_size=4, num_layers=1)
    (weights,) = kernels.unpack(given["op_parameters"], kernels.Sizes("gru", 3, 4, 1, 1))
    last = given["op_state"][0]
    a = np.split(data[0] @ weights.given.T + weights.given_bias, 3, axis=1)
    b = np.split(last @ weights.hidden.T + weights.hidden_bias, 3, axis=1)
    r, z = sigmoid(a[0] + b[0]), sigmoid(a[1] + b[1])
    n = np.tanh(a[2] + r * b[2])
    out = ran(node("gru", state_size=4, num_layers=1), given).out
    np.testing.assert_allclose(out[0], (1 - z) * n + z * last)


@pytest.mark.parametrize(("mode", "gates"), [("rnn_relu", 1), ("rnn_tanh", 1), ("lstm", 4), ("gru", 3)])
def test_length_of_the_vector(mode: str, gates: int) -> None:
    ins, _ = RNN(mode=mode, state_size=5, num_layers=3, bidirectional=True).infer(
        [(7, 2, 4), (), (), ()][: 4 if mode == "lstm" else 3], [()]
    )
    rows = 2 * gates * 5
    assert ins[1] == (rows * ((4 + 5 + 2) + 2 * (10 + 5 + 2)),)
    assert ins[2] == (6, 2, 5)


def test_two_directions_are_two_passes_side_by_side() -> None:
    data = RNG.normal(size=(4, 2, 3))
    given = arrays("rnn_tanh", data, state_size=2, num_layers=1, bidirectional=True)
    both = ran(node("rnn_tanh", state_size=2, num_layers=1, bidirectional=True), given).out
    ahead, back = kernels.unpack(given["op_parameters"], kernels.Sizes("rnn_tanh", 3, 2, 1, 2))
    for number, weights in enumerate((ahead, back)):
        vector = np.concatenate(
            [weights.given.ravel(), weights.hidden.ravel(), weights.given_bias, weights.hidden_bias]
        )
        one_way = {
            "data": data[::-1].copy() if number else data,
            "op_parameters": vector,
            "op_state": given["op_state"][number : number + 1],
        }
        out = ran(node("rnn_tanh", state_size=2, num_layers=1), one_way).out
        np.testing.assert_allclose(both[:, :, 2 * number : 2 * number + 2], out[::-1] if number else out)


def test_a_short_sample_is_as_if_alone() -> None:
    """With lengths, a sample's result, last state and gradients are those of its own steps."""
    settings: Any = {"state_size": 3, "num_layers": 2, "bidirectional": True, "state_outputs": True}
    data = RNG.normal(size=(5, 2, 4))
    given = arrays("lstm", data, **settings)
    symbol = sym.RNN(
        Variable("data"),
        sequence_length=Variable("length"),
        use_sequence_length=True,
        mode="lstm",
        name="op",
        **settings,
    )
    heads = [RNG.normal(size=shape) for shape in ((5, 2, 6), (4, 2, 3), (4, 2, 3))]
    whole = ran(symbol, {**given, "length": np.array([5.0, 3.0])}, heads=heads)
    alone_given = {
        **given,
        "data": data[:3, 1:],
        "op_state": given["op_state"][:, 1:],
        "op_state_cell": given["op_state_cell"][:, 1:],
    }
    alone = ran(
        node("lstm", **settings), alone_given, heads=[heads[0][:3, 1:], heads[1][:, 1:], heads[2][:, 1:]]
    )
    assert not whole.out[3:, 1].any()
    np.testing.assert_allclose(whole.out[:3, 1:], alone.out)
    np.testing.assert_allclose(whole.outputs[1][:, 1:], alone.outputs[1])
    np.testing.assert_allclose(whole.grads["data"][:3, 1:], alone.grads["data"])
    assert not whole.grads["data"][3:, 1].any()
    np.testing.assert_allclose(whole.grads["op_state_cell"][:, 1:], alone.grads["op_state_cell"])


def test_dropout_is_between_layers_in_training_only() -> None:
    data = np.ones((3, 40, 2))
    settings: Any = {"state_size": 6, "num_layers": 2, "p": 0.5}
    given = arrays("rnn_tanh", data, **settings)
    one = {**given, "op_state": np.zeros((2, 40, 6))}
    trained = ran(node("rnn_tanh", **settings), one).out
    assert np.ptp(trained[0], axis=0).max() > 0.01  # equal samples, different masks
    assert np.ptp(ran(node("rnn_tanh", **settings), one, train=False).out[0], axis=0).max() < 1e-12
    single = {**settings, "num_layers": 1}
    plain = arrays("rnn_tanh", data, **single) | {"op_state": np.zeros((1, 40, 6))}
    assert np.ptp(ran(node("rnn_tanh", **single), plain).out[0], axis=0).max() < 1e-12


def test_what_only_graphics_cards_do_is_refused() -> None:
    projected = RNN(mode="lstm", state_size=4, num_layers=1, projection_size=2)
    ins, outs = projected.infer([(3, 2, 5), (), (), ()], [()])
    assert (ins[2], ins[3], outs[0]) == ((1, 2, 2), (1, 2, 4), (3, 2, 2))
    with pytest.raises(RunError, match="projection_size"):
        node("lstm", state_size=4, num_layers=1, projection_size=2).simple_bind({"data": (3, 2, 5)}).forward()
    with pytest.raises(ParameterError):
        RNN(mode="gru", state_size=4, num_layers=1, projection_size=2).check()


def test_misfits_are_refused() -> None:
    rnn = RNN(mode="gru", state_size=4, num_layers=1)
    with pytest.raises(ShapeError) as caught:
        rnn.infer([(3, 2, 5), (7,), ()], [()])
    assert caught.value.port == "parameters"
    with pytest.raises(ShapeError) as caught:
        rnn.infer([(3, 2, 5), (), (1, 9, 4)], [()])
    assert caught.value.port == "state"


def test_a_way_back_without_a_way_there_makes_one_first() -> None:
    data = RNG.normal(size=(3, 2, 4))
    found = []
    for forward in (True, False):
        given = arrays("gru", data, state_size=2, num_layers=1)
        given["op_parameters"] = np.full_like(given["op_parameters"], 0.1)
        given["op_state"] = np.zeros_like(given["op_state"])
        grads = {name: np.zeros_like(array) for name, array in given.items()}
        executor = node("gru", state_size=2, num_layers=1).bind(given, grads)
        if forward:
            executor.forward(is_train=True)
        executor.backward([np.ones((3, 2, 2))])
        found.append(grads["op_parameters"])
    np.testing.assert_allclose(found[1], found[0])
    assert found[0].any()
