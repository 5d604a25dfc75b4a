"""Every operator on PyTorch gives the numbers of numpy's kernels: values, gradients, states, also at kinks and ties."""

from typing import Any

import numpy as np
import pytest

from app.engine import Executor, Symbol, Variable
from app.engine.backends.computing import is_installed
from app.engine.errors import EngineError
from app.engine.examples import Example
from app.engine.operator import Operator
from app.engine.operators.convolution import Convolution
from app.engine.symbol import make_node
from tests.operator_cases import CASES, Case

if not is_installed("torch"):
    pytest.skip("PyTorch is not installed", allow_module_level=True)

TOLERANCES = {"float16": (1e-2, 1e-2), "float32": (1e-4, 1e-5), "float64": (1e-7, 1e-8)}


def symbol_of(case: Case) -> Symbol:
    """Make a node of the example's operator over a variable for every port."""
    inputs = {port.name: Variable(port.name) for port in case.ports}
    attributes = case.node.to_attributes()
    if case.node.variadic:
        return make_node(case.node.op_name, *inputs.values(), name="op", **attributes)
    return make_node(case.node.op_name, name="op", **inputs, **attributes)


def bound(case: Case, numbers: list[Any], backend: str, request: str) -> Executor:
    given = {port.name: array.copy() for port, array in zip(case.ports, numbers, strict=True)}
    symbol = symbol_of(case)
    names = symbol.list_arguments()
    return symbol.bind(
        {name: given[name] for name in names},
        {name: np.full_like(given[name], 3) for name in names},
        request,
        {name: given[name] for name in symbol.list_auxiliary_states()},
        seed=1,
        backend=backend,
    )


def ran(case: Case, numbers: list[Any], backend: str, request: str) -> dict[str, Any]:
    """Run forward and backward, and return everything that is left."""
    executor = bound(case, numbers, backend, request)
    heads = np.random.default_rng(0)
    with np.errstate(all="ignore"):
        outputs = [out.copy() for out in executor.forward(is_train=case.example.train)]
        executor.backward([heads.uniform(-1, 1, out.shape).astype(out.dtype) for out in outputs])
    left = {f"output {number}": out for number, out in enumerate(outputs)}
    left |= {f"gradient of {name}": grad for name, grad in executor.grad_dict.items()}
    return left | {f"{name} after": array for name, array in executor.aux_dict.items()}


SUMS_OF_MANY = [Convolution.examples[8].shapes]
"""Terms that nearly cancel: rounding in another order shows as a share of the largest number, not of each."""


def compare(case: Case, numbers: list[Any], request: str = "write") -> None:
    wanted = ran(case, numbers, "numpy", request)
    got = ran(case, numbers, "torch", request)
    for name, array in wanted.items():
        rtol, atol = TOLERANCES.get(str(array.dtype), (0, 0))
        assert got[name].dtype == array.dtype
        if case.example.shapes in SUMS_OF_MANY:
            atol *= float(np.abs(array).max())
        np.testing.assert_allclose(got[name], array, rtol, atol, err_msg=name)


def draws(operator: type[Operator], example: Example) -> bool:
    """Tell whether an example draws random numbers, which are others in every library."""
    settings = example.settings
    if not operator.is_random or (operator.op_name == "LeakyReLU" and settings.get("act_type") != "rrelu"):
        return False
    never = settings.get("p", 0 if operator.op_name == "RNN" else 0.5) == 0
    return not never and (example.train or settings.get("mode") == "always")


SETTLED = [param for param in CASES if not draws(*param.values)]
FIRST = {param.values[0]: param for param in reversed(SETTLED)}
everywhere = pytest.mark.parametrize(
    "memory", ["shared", pytest.param("card", marks=pytest.mark.slow)], indirect=True
)
pytestmark = pytest.mark.usefixtures("memory")


@pytest.mark.parametrize("memory", ["card"], indirect=True)
@pytest.mark.parametrize(("operator", "example"), FIRST.values())
def test_one_example_of_each_on_a_card(operator: type[Operator], example: Example) -> None:
    case = Case(operator, example)
    compare(case, case.numbers(), "add")


@everywhere
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize(("operator", "example"), SETTLED)
def test_numbers(operator: type[Operator], example: Example, dtype: str) -> None:
    case = Case(operator, example, dtype)
    compare(case, case.numbers())


@pytest.mark.parametrize("memory", ["shared", "card"], indirect=True)
@pytest.mark.parametrize("name", ["_hypot", "broadcast_hypot", "_hypot_scalar"])
def test_a_hypotenuse_does_not_overflow_on_the_way(name: str) -> None:
    operator, example = next(param.values for param in CASES if param.values[0].op_name == name)
    case = Case(operator, example)
    compare(case, [array * np.float32(1e30) for array in case.numbers()])


@everywhere
@pytest.mark.parametrize(("operator", "example"), SETTLED)
def test_kinks_and_ties(operator: type[Operator], example: Example) -> None:
    case = Case(operator, example)
    compare(case, [np.round(array) for array in case.numbers()])


@everywhere
@pytest.mark.parametrize(("operator", "example"), SETTLED)
def test_added_gradients(operator: type[Operator], example: Example) -> None:
    case = Case(operator, example)
    compare(case, case.numbers(), "add")


@everywhere
@pytest.mark.parametrize(("operator", "example"), SETTLED)
def test_whole_numbers_are_computed_or_refused_as_by_numpy(
    operator: type[Operator], example: Example
) -> None:
    try:
        case = Case(operator, example, "int32")
    except EngineError:
        return  # its types cannot be whole numbers
    numbers = [np.round(array) for array in case.numbers()]
    try:
        ran(case, numbers, "numpy", "null")
    except EngineError:
        with pytest.raises(EngineError):
            ran(case, numbers, "torch", "null")
    else:
        compare(case, numbers, "null")
