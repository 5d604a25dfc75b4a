"""Gradient checks of a model: what is asked for, what is skipped, the table and the JSON."""

import json
from typing import Any

import numpy as np
import pytest

from app.engine import Variable, sym
from app.engine.checking.checked import CheckOptions
from app.engine.errors import EngineError
from app.engine.operator import Array
from app.engine.operators.activation import Activation
from app.services.checking import as_json, as_table, check_model


def network() -> Any:
    net = sym.FullyConnected(Variable("data"), num_hidden=3, name="fc1")
    return sym.SoftmaxOutput(sym.Activation(net, act_type="tanh", name="bend"), name="softmax")


def arrays() -> dict[str, Array]:
    rng = np.random.default_rng(2)
    shapes = {"data": (4, 5), "fc1_weight": (3, 5), "fc1_bias": (3,)}
    drawn = {f"arg:{name}": rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    return drawn | {"arg:softmax_label": np.array([0, 1, 2, 0], np.float32)}


def test_all_arguments_are_checked_but_the_label() -> None:
    answer = check_model(network(), arrays(), (), CheckOptions(is_train=False))
    assert answer.agrees
    assert [check.name for check in answer.checks] == ["data", "fc1_weight", "fc1_bias"]
    assert list(answer.skipped) == ["softmax_label"]
    table = as_table(answer)
    assert "All 3 gradients agree" in table
    assert "not checked: No gradient flows back to softmax_label" in table


def test_what_was_asked_for_is_refused_where_it_cannot_be() -> None:
    with pytest.raises(EngineError, match="softmax_label"):
        check_model(network(), arrays(), ["softmax_label"], CheckOptions())
    answer = check_model(network(), arrays(), ["bend_output"], CheckOptions(samples=2))
    assert [check.name for check in answer.checks] == ["bend_output"]


def test_a_disagreement_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Activation.backward_steps

    def wrong(self: Activation, flow: Any) -> list[Any]:
        return [*right(self, flow), lambda: [np.multiply(grad, 2, out=grad) for _, grad in flow.wanted]]

    monkeypatch.setattr(Activation, "backward_steps", wrong)
    answer = check_model(network(), arrays(), ["fc1_bias"], CheckOptions())
    assert not answer.agrees
    assert "1 of 1 gradients disagree" in as_table(answer)
    plain = json.loads(json.dumps(as_json(answer), allow_nan=False))
    assert plain["agrees"] is False
    (check,) = plain["checks"]
    assert check["worst"]["analytic"] == pytest.approx(2 * check["worst"]["numeric"], rel=1e-6)
    assert len(check["elements"]) == 3


def test_head_gradients_of_the_file_are_used() -> None:
    given = {"arg:x": np.array([1.0, 2.0], np.float32), "head:0": np.array([10.0, 1.0], np.float32)}
    answer = check_model(Variable("x") * 3, given, (), CheckOptions())
    assert [element.analytic for element in answer.checks[0].elements] == [30.0, 3.0]
