"""Tests that a type which an operator does not compute is refused in a bind, and no other is refused when run."""

import numpy as np
import pytest

from app.engine import Variable, sym
from app.engine.errors import BindError, EngineError
from tests.operator_cases import CASES, Case

KINDS = ("float16", "uint8", "int64", "bool")


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_bind_takes_is_computed(kind: str) -> None:
    taken = 0
    for operator, example in (parameters.values for parameters in CASES):
        case = Case(operator, example)
        if not case.ports:
            continue
        symbol, states = case.symbol(), len(case.node.auxiliary)
        arrays = [array.astype(kind) for array in case.numbers()]
        arguments = arrays[: len(arrays) - states]
        try:
            gradients = [np.zeros_like(array) for array in arguments]
            executor = symbol.bind(arguments, gradients, "write", arrays[len(arguments) :])
        except EngineError as error:
            assert error.node == "n", operator.op_name
            continue
        with np.errstate(all="ignore"):
            outputs = executor.forward(is_train=True)
            executor.backward([np.ones_like(output) for output in outputs])
        taken += 1
    assert taken > 100


def test_the_refusal_names_node_and_port_and_a_mend() -> None:
    pooled = sym.Pooling(Variable("x"), kernel=(2, 2), name="p")
    with pytest.raises(BindError, match="data int32 from x") as caught:
        pooled.bind([np.ones((1, 1, 2, 2), np.int32)])
    assert (caught.value.node, caught.value.port) == ("p", "data")
    assert "Cast to float32" in str(caught.value)


def test_only_the_gradient_is_refused_where_only_that_is_not_computed() -> None:
    power = Variable("x") ** 2
    truths = np.array([True, False])
    assert power.bind([truths]).forward()[0].tolist() == [1, 0]
    with pytest.raises(BindError, match="The gradient of _powerscalar"):
        power.bind([truths], [np.zeros_like(truths)])


def test_statistics_beside_half_precision_data_must_be_float32() -> None:
    normal = sym.BatchNorm(Variable("x"), name="b")
    half, single = np.float16, np.float32
    assert normal.infer_type(x=half) == ([half, single, single], [half], [single] * 2)
    with pytest.raises(EngineError, match="int64 meets float32|float32 meets int64") as caught:
        normal.infer_type(x=half, b_gamma="int64")
    assert (caught.value.node, caught.value.port) == ("b", "gamma")


def test_the_value_behind_the_end_is_cut_to_the_type() -> None:
    masked = sym.SequenceMask(Variable("x"), Variable("l"), use_sequence_length=True, value=-1.5)
    for kind, value in (("int32", -1), ("uint8", 255), ("float32", -1.5)):
        executor = masked.bind([np.ones((2, 1), kind), np.ones(1, np.float32)])
        assert executor.forward()[0].tolist() == [[1], [value]]
