"""What every operator promises, tried on every example that it declares."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from app.engine.examples import Example
from app.engine.operator import Operator, Run
from app.engine.shapes import is_known, merge
from tests.operator_cases import CASES, OPERATORS, Arrays, Case, close

DIFFERENTIABLE = [case for case in CASES if case.values[1].gradient]
WITH_GRADIENT = [case for case in CASES if Case(*case.values).wanted()]
SEVERAL_HEADS = [
    case
    for case in CASES
    if not case.values[0].is_loss and len(case.values[0](**case.values[1].settings).outputs) > 1
]
TWO_FORMS = {("SoftmaxOutput", "label"), ("LeakyReLU", "gamma")}
"""Inputs that may come in two shapes; what is known of the data alone decides for the usual one."""
OWN_TYPES = {"shape_array": "int64", "size_array": "int64", "_contrib_index_array": "int64"}
"""What some operators give whatever the type of what they take."""
ONE_FORM = [
    case
    for case in CASES
    if not any((case.values[0].op_name, port) in TWO_FORMS for port in case.values[1].shapes)
]


def untouched(array: Any) -> Any:
    return array == (77777 if array.dtype.kind == "f" else 77)


def strided(array: Any) -> Any:
    """Copy an array into memory with gaps."""
    wide = np.zeros((*array.shape[:-1], array.shape[-1] * 2), array.dtype)
    wide[..., ::2] = array
    return wide[..., ::2]


def test_every_operator_has_an_example() -> None:
    assert [operator.op_name for operator in OPERATORS if not operator.examples] == []


@pytest.mark.parametrize("operator", [pytest.param(operator, id=operator.op_name) for operator in OPERATORS])
def test_says_what_it_is(operator: type[Operator]) -> None:
    first_line = (operator.__doc__ or "").splitlines()[0]
    assert first_line.endswith(".")
    assert operator.category
    for parameter in operator.parameters:
        assert parameter.doc.endswith("."), parameter.name


@pytest.mark.parametrize(("operator", "example"), CASES)
def test_inferred_shapes_are_whole_and_computed(operator: type[Operator], example: Example) -> None:
    case = Case(operator, example)
    assert all(is_known(shape) for shape in (*case.in_shapes, *case.out_shapes))
    for out in case.forward(case.numbers()):
        assert not untouched(out).any(), "a place of an output was not written"


@pytest.mark.parametrize(("operator", "example"), ONE_FORM)
def test_rule_never_contradicts_what_it_knows_whole(operator: type[Operator], example: Example) -> None:
    """With any one dimension, or any one array, taken away the rule finds the same or leaves it open."""
    case = Case(operator, example)
    case.infer(case.in_shapes, case.out_shapes)
    for index, shape in enumerate(case.in_shapes):
        openings = [(*shape[:axis], 0, *shape[axis + 1 :]) for axis in range(len(shape))]
        for opened in ((), *openings):
            ins = [*case.in_shapes[:index], opened, *case.in_shapes[index + 1 :]]
            for outs in (None, case.out_shapes):
                found_ins, found_outs = case.infer(ins, outs)
                assert [
                    merge(*pair) for pair in zip(found_ins, case.in_shapes, strict=True)
                ] == case.in_shapes
                assert [
                    merge(*pair) for pair in zip(found_outs, case.out_shapes, strict=True)
                ] == case.out_shapes


@pytest.mark.parametrize(("operator", "example"), CASES)
def test_rule_says_nothing_from_nothing(operator: type[Operator], example: Example) -> None:
    """Without any shape the rule stays calm, and what it says anyway is right."""
    case = Case(operator, example)
    found_ins, found_outs = case.infer([()] * len(case.ports))
    assert [merge(*pair) for pair in zip(found_ins, case.in_shapes, strict=True)] == case.in_shapes
    assert [merge(*pair) for pair in zip(found_outs, case.out_shapes, strict=True)] == case.out_shapes


@pytest.mark.parametrize(("operator", "example"), CASES)
def test_type_is_kept(operator: type[Operator], example: Example) -> None:
    """What takes float32 gives float32, unless a setting says otherwise, or it counts."""
    case = Case(operator, example, np.float32)
    names = {"dtype", "out_dtype"}
    if operator.op_name != "_histogram" and not names & {parameter.name for parameter in operator.parameters}:
        own = OWN_TYPES.get(operator.op_name, "float32")
        assert {kind.name for kind in case.out_types[: len(case.node.outputs)]} <= {own}


@pytest.mark.parametrize(("operator", "example"), CASES)
def test_forward_leaves_its_inputs_alone(operator: type[Operator], example: Example) -> None:
    case = Case(operator, example)
    ins = case.numbers()
    before = [array.copy() for array in ins]
    case.forward(ins)
    for port, array, copy in zip(case.ports, ins, before, strict=True):
        changes = port.role == "auxiliary" and case.node.updates_auxiliary == "forward"
        fixed = port.name == "gamma" and getattr(case.node, "fix_gamma", False)
        if not changes and not fixed:
            np.testing.assert_array_equal(array, copy, err_msg=port.name)


@pytest.mark.parametrize(("operator", "example"), CASES)
def test_forward_twice_is_the_same(operator: type[Operator], example: Example) -> None:
    case = Case(operator, example)
    ins = case.numbers()
    first, again = case.forward([array.copy() for array in ins]), case.forward(ins)
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(("operator", "example"), [case for case in CASES if not case.values[0].is_random])
def test_prepared_forward_sees_new_numbers(operator: type[Operator], example: Example) -> None:
    """A call made once reads the arrays anew each time, whatever their memory order."""
    case = Case(operator, example)
    ins, later, outs = case.numbers(), case.numbers(), case.buffers()
    bound = [strided(array) for array in ins]
    with np.errstate(all="ignore"):
        call = case.node.prepare_forward(case.run(), bound, outs)
        call()
        for array, numbers in zip(bound, later, strict=True):
            array[...] = numbers
        call()
    for got, wanted in zip(outs, case.forward(later), strict=True):
        close(got, wanted)


@pytest.mark.parametrize(("operator", "example"), CASES)
def test_forward_in_place(operator: type[Operator], example: Example) -> None:
    """Where an output may be an input's memory, it comes out the same."""
    case = Case(operator, example)
    for index, number in case.node.inplace:
        ins = case.numbers()
        wanted = case.forward([array.copy() for array in ins])
        outs = case.buffers()
        if ins[index].nbytes != outs[number].nbytes or ins[index].dtype != outs[number].dtype:
            continue
        outs[number] = ins[index].reshape(outs[number].shape)
        with np.errstate(all="ignore"):
            case.node.prepare_forward(case.run(), ins, outs)()
        close(outs[number], wanted[number])


class Unasked(Run):
    """A context that counts how often an operator asks whether it trains."""

    asked = 0

    def __getattribute__(self, name: str) -> Any:
        if name == "train":
            self.asked += 1
        return super().__getattribute__(name)


def test_only_what_trains_otherwise_asks_whether_it_trains() -> None:
    """What no other operator asks makes no difference to it, so one prepared call serves both."""
    asking = set()
    for operator, example in (case.values for case in CASES):
        case, run = Case(operator, example), Unasked(True, np.random.default_rng(5))
        ins = case.numbers()
        outs = case.forward([array.copy() for array in ins], run)
        if run.asked:
            asking.add(operator)
        if case.wanted():
            case.backward(case.wanted(), ins, outs, case.head_gradients(), run)
        assert operator.trains_otherwise or not run.asked, operator.op_name
    assert asking == {operator for operator in OPERATORS if operator.trains_otherwise}


def directional(function: Callable[[Any], float], at: Any, direction: Any) -> float:
    """Differentiate along a direction by central differences of two widths, extrapolated."""

    def slope(width: float) -> float:
        return (function(at + width * direction) - function(at - width * direction)) / (2 * width)

    return (4 * slope(5e-5) - slope(1e-4)) / 3


@pytest.mark.parametrize(("operator", "example"), DIFFERENTIABLE)
def test_gradient_is_the_finite_difference(operator: type[Operator], example: Example) -> None:
    case = Case(operator, example, np.float64)
    ins, heads = case.numbers(), case.head_gradients()
    for index in case.wanted():
        run = case.run()
        outs = case.forward([array.copy() for array in ins], run)
        (gradient,) = [
            g for g in case.backward([index], [a.copy() for a in ins], outs, heads, run) if g is not None
        ]
        for _ in range(2):
            direction = case.rng.uniform(-1, 1, gradient.shape)

            def value(moved: Any, index: int = index) -> float:
                there = [array.copy() for array in ins]
                there[index] = moved
                outputs = case.forward(there)
                return float(sum((h * o).sum() for h, o in zip(heads, outputs, strict=False)))

            wanted = directional(value, ins[index], direction)
            np.testing.assert_allclose((gradient * direction).sum(), wanted, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(("operator", "example"), WITH_GRADIENT)
def test_gradients_together_and_in_place(operator: type[Operator], example: Example) -> None:
    """All gradients at once, or in the memory of a head gradient, are the gradients one by one."""
    case = Case(operator, example)
    ins, heads = case.numbers(), case.head_gradients()
    wanted = case.wanted()
    run = case.run()
    outs = case.forward([array.copy() for array in ins], run)

    def gradients(places: Sequence[int], head_arrays: Arrays) -> Arrays:
        return case.backward(places, [a.copy() for a in ins], [a.copy() for a in outs], head_arrays, run)

    alone = {index: gradients([index], [h.copy() for h in heads])[index] for index in wanted}
    together = gradients(wanted, [h.copy() for h in heads])
    for index in wanted:
        assert not untouched(alone[index]).any(), "a place of a gradient was not written"
        close(together[index], alone[index])
    for output, index in case.node.inplace_backward:
        if index not in wanted or heads[output].nbytes != alone[index].nbytes:
            continue
        shared = [h.copy() for h in heads]
        grads: Arrays = [np.empty_like(ins[i]) if i in wanted else None for i in range(len(ins))]
        grads[index] = shared[output].reshape(ins[index].shape)
        with np.errstate(all="ignore"):
            case.node.prepare_backward(
                run, [a.copy() for a in ins], [a.copy() for a in outs], shared, grads
            )()
        for place in wanted:
            close(grads[place], alone[place])


@pytest.mark.parametrize(("operator", "example"), SEVERAL_HEADS)
def test_missing_head_gradient_is_zero(operator: type[Operator], example: Example) -> None:
    case = Case(operator, example)
    ins, heads = case.numbers(), case.head_gradients()
    run = case.run()
    outs = case.forward(ins, run)
    for missing in range(len(heads)):
        zeroed = [np.zeros_like(h) if number == missing else h for number, h in enumerate(heads)]
        left_out = [None if number == missing else h for number, h in enumerate(heads)]
        wanted = case.backward(case.wanted(), ins, outs, zeroed, run)
        for got, right in zip(case.backward(case.wanted(), ins, outs, left_out, run), wanted, strict=True):
            if right is not None:
                close(got, right)


@pytest.mark.parametrize(("operator", "example"), CASES)
def test_settings_come_back_from_text(operator: type[Operator], example: Example) -> None:
    node = operator(**example.settings)
    assert operator.from_attributes(node.to_attributes()) == node


@pytest.mark.parametrize(("operator", "example"), WITH_GRADIENT)
def test_every_gradient_is_explained(operator: type[Operator], example: Example) -> None:
    case = Case(operator, example)
    names = [f"in_{port.name}" for port in case.ports]
    outs = [f"out_{name}" for name in case.node.outputs + case.node.hidden]
    heads = [f"d(out_{name})" for name in case.node.outputs]
    for index in case.wanted():
        said = case.node.explain(index, names, outs, heads)
        assert said
        assert "{" not in said
        assert "np." not in said
        if not operator.is_loss and case.node.gradient_reads(index).heads:
            assert any(head in said for head in heads)


@pytest.mark.parametrize(("operator", "example"), CASES)
def test_the_value_has_a_formula_that_names_every_input(operator: type[Operator], example: Example) -> None:
    node = operator(**example.settings)
    names = [f"input{number}" for number in range(len(node.inputs))]
    formula = node.value_formula(names)
    assert formula and all(name in formula for name in names)
    assert not set("{}") & set(formula) and "np." not in formula


@pytest.mark.parametrize(("operator", "example"), CASES)
def test_cost_and_card_are_there(operator: type[Operator], example: Example) -> None:
    case = Case(operator, example)
    adds = case.node.multiply_adds(case.in_shapes, case.out_shapes)
    assert adds == 0 if operator.only_moves else adds >= 0
    assert "\n" not in case.node.summary()
    for side, shapes in (("in", case.in_shapes), ("out", case.out_shapes)):
        for index, shape in enumerate(shapes):
            for axis in range(len(shape)):
                assert isinstance(case.node.because(side, index, axis, case.in_shapes, case.out_shapes), str)
