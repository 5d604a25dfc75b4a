"""Arithmetic's own rules: ties, zero divisors, whole numbers, broadcasting, and what may share memory."""

from functools import partial
from typing import Any

import numpy as np
import pytest

from app.engine.errors import ShapeError
from app.engine.operator import Operator, Run
from app.engine.registry import find_operator


def make(name: str, **settings: Any) -> Operator:
    return find_operator(name)(**settings)


def run() -> Run:
    return Run(True, np.random.default_rng(0))


def compute(node: Operator, *ins: Any, dtype: Any = np.float32) -> Any:
    arrays = [np.asarray(array, dtype) for array in ins]
    shapes = [array.shape for array in arrays]
    _, (shape,) = node.infer(shapes, [()])
    _, (kind,) = node.infer_types([array.dtype for array in arrays], [None])
    out = np.empty(shape, kind)
    with np.errstate(all="ignore"):
        node.forward(run(), arrays, [out])
    return out


def gradients(node: Operator, head: Any, *ins: Any) -> list[Any]:
    arrays = [np.asarray(array, np.float32) for array in ins]
    out = compute(node, *ins)
    grads = [np.empty_like(array) for array in arrays]
    with np.errstate(all="ignore"):
        node.backward(run(), arrays, [out], [np.asarray(head, np.float32)], grads)
    return grads


@pytest.mark.parametrize("name", ["_maximum", "_minimum", "broadcast_maximum", "broadcast_minimum"])
def test_ties_go_to_the_left(name: str) -> None:
    left, right = gradients(make(name), [5, 5], [1, 2], [1, 2])
    assert left.tolist() == [5, 5]
    assert right.tolist() == [0, 0]


def test_maximum_with_its_own_number_passes_the_gradient() -> None:
    (grad,) = gradients(make("_maximum_scalar", scalar=0.0), [5, 5, 5], [-1, 0, 1])
    assert grad.tolist() == [0, 5, 5]


def test_remainder_follows_the_divisor_and_is_zero_for_zero() -> None:
    assert compute(make("_mod"), [5, -5, 5, 5], [3, 3, -3, 0]).tolist() == [2, 1, -1, 0]
    assert compute(make("_rmod_scalar", scalar=5.0), [3, 0]).tolist() == [2, 0]
    assert compute(make("_mod_scalar", scalar=0.0), [3, 7]).tolist() == [0, 0]


def test_remainder_over_its_own_memory() -> None:
    left, right = np.float32([5, 5]), np.float32([0, 3])
    with np.errstate(invalid="ignore"):
        make("_mod").forward(run(), [left, right], [right])
    assert right.tolist() == [0, 2]


def test_reversed_forms() -> None:
    assert compute(make("_rminus_scalar", scalar=1.0), [3]).tolist() == [-2]
    assert compute(make("_rdiv_scalar", scalar=6.0), [3]).tolist() == [2]
    assert compute(make("_rpower_scalar", scalar=2.0), [3]).tolist() == [8]


@pytest.mark.parametrize(
    ("scalar", "wanted"), [(2.0, 9.0), (0.5, 3**0.5), (-1.0, 1 / 3), (1.0, 3.0), (3.0, 27.0), (0.0, 1.0)]
)
def test_powers_with_a_function_of_their_own(scalar: float, wanted: float) -> None:
    assert compute(make("_power_scalar", scalar=scalar), [3]) == pytest.approx(wanted)


def test_numbers_keep_single_precision() -> None:
    for name in ("_plus_scalar", "_mul_scalar", "_power_scalar", "_hypot_scalar", "_rdiv_scalar"):
        assert compute(make(name, scalar=2.7), [1, 2]).dtype == np.float32


def test_whole_numbers_stay_whole_beside_a_whole_number() -> None:
    assert compute(make("_plus_scalar", scalar=2.0), [1, 2], dtype=np.int32).dtype == np.int32
    assert compute(make("_mul_scalar", scalar=2.7), [1, 2], dtype=np.int32).tolist() == [2, 4]
    half = compute(make("_mul_scalar", scalar=2.5, is_int=False), [1, 2], dtype=np.int32)
    assert half.dtype == np.float64
    assert half.tolist() == [2.5, 5.0]


def test_comparisons_keep_the_type_of_their_operands() -> None:
    out = compute(make("_greater"), [1, 3], [2, 2])
    assert out.dtype == np.float32
    assert out.tolist() == [0, 1]


def test_comparisons_have_no_gradient() -> None:
    node = make("broadcast_equal")
    assert node.gradient_kind(0) == node.gradient_kind(1) == "zero"
    assert not node.gradient_reads(0).heads


def test_same_shapes_do_not_broadcast() -> None:
    with pytest.raises(ShapeError) as caught:
        make("elemwise_add").infer([(4, 3), (4, 1)], [()])
    assert caught.value.port == "rhs"


def test_halves_of_a_shape_join() -> None:
    ins, outs = make("elemwise_add").infer([(3, 0), (0, 5)], [()])
    assert list(ins) == [(3, 5), (3, 5)]
    assert list(outs) == [(3, 5)]


def test_broadcasting_aligns_on_the_right() -> None:
    assert compute(make("broadcast_add"), [[1], [2]], [10, 20, 30]).tolist() == [[11, 21, 31], [12, 22, 32]]
    left, right = gradients(make("broadcast_add"), np.ones((2, 3)), [[1], [2]], [10, 20, 30])
    assert left.tolist() == [[3], [3]]
    assert right.tolist() == [2, 2, 2]


def test_broadcasting_refuses_unlike_sizes() -> None:
    with pytest.raises(ShapeError, match="do not broadcast") as caught:
        make("broadcast_add").infer([(2, 3, 4), (3, 1, 4)], [()])
    assert caught.value.port == "rhs"


def test_broadcasting_with_open_sizes() -> None:
    assert make("broadcast_mul").infer([(0, 3), (1, 3)], [()])[1] == ((0, 3),)
    assert make("broadcast_mul").infer([(0, 3), (8, 1)], [()])[1] == ((8, 3),)


def test_gradients_read_no_more_than_their_formula() -> None:
    multiply, power = make("elemwise_mul"), make("_power")
    assert multiply.gradient_reads(0).inputs == (1,)
    assert multiply.gradient_reads(1).inputs == (0,)
    assert multiply.gradient_reads(0).outputs == ()
    assert power.gradient_reads(1).outputs == (0,)
    assert make("elemwise_add").gradient_reads(0).inputs == ()
    assert make("_mul_scalar").gradient_reads(0).inputs == ()


def test_formulas_in_words() -> None:
    names = (["A", "B"], ["E"], ["d(E)"])
    assert make("elemwise_mul").explain(0, *names) == "d(E) · B"
    assert make("elemwise_div").explain(1, *names) == "−d(E) · A / B²"
    assert make("_power").explain(1, *names) == "d(E) · E · ln(A)"
    assert make("_maximum").explain(0, *names) == "d(E) · (A ≥ B)"
    assert make("_mul_scalar", scalar=2.0).explain(0, ["A"], ["E"], ["d(E)"]) == "d(E) · 2"
    assert make("_minus_scalar", scalar=-2.0).explain(0, ["A"], ["E"], ["d(E)"]) == "d(E)"
    assert make("broadcast_add").explain(1, *names) == "d(E), summed to the shape of B"


def test_plain_arithmetic_is_one_call_of_numpy() -> None:
    """A small graph spends its time in numpy, not in Python."""
    arrays = [np.ones(3, np.float32) for _ in range(3)]
    for name in ("elemwise_add", "elemwise_sub", "elemwise_mul", "elemwise_div"):
        call = make(name).prepare_forward(run(), arrays[:2], arrays[2:])
        assert isinstance(call, partial)
        assert isinstance(call.func, np.ufunc)
        assert not call.keywords


def test_sum_of_many() -> None:
    node = make("add_n", num_args=3)
    assert compute(node, [1], [2], [3]).tolist() == [6]
    assert [port.name for port in node.inputs] == ["arg0", "arg1", "arg2"]
    with pytest.raises(ShapeError) as caught:
        node.infer([(2, 3), (2, 3), (2, 4)], [()])
    assert caught.value.port == "arg2"
