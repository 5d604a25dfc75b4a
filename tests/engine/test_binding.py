"""What a bind takes in every way of handing it in, and how it says what it does not take."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from app.engine import Symbol, Variable, binding
from app.engine.errors import BindError


def pair() -> Symbol:
    return Variable("a") * Variable("b")


def namesakes() -> Symbol:
    return Variable("a") + Variable("a")


def ones(*shape: int) -> np.ndarray:
    return np.ones(shape or (1,), np.float32)


def read_only() -> np.ndarray:
    array = ones()
    array.flags.writeable = False
    return array


def whole_numbers() -> np.ndarray:
    return np.zeros(1, np.int32)


BOTH = {"a": ones(), "b": ones()}
REFUSALS: dict[str, tuple[Callable[[], Any], str]] = {
    "two of one name in a dict": (
        lambda: namesakes().bind({"a": ones()}),
        "Two arguments have one name, so they must be given as a list: a, a.",
    ),
    "two of one name and of unlike shapes": (
        lambda: namesakes().bind([ones(), ones(2)]),
        "Two variables are named a and have different shapes; rename one.",
    ),
    "two of one name and of unlike requests": (
        lambda: namesakes().bind([ones(), ones()], [ones(), ones()], ["write", "null"]),
        "Two arguments are named a, and not the same is asked of their gradients; rename one.",
    ),
    "two of one name in a dict of buffers": (
        lambda: namesakes().bind([ones(), ones()], {"a": ones()}),
        "Two arguments have one name, so they must be given as a list: a, a.",
    ),
    "two of one name and one buffer": (
        lambda: namesakes().bind([ones(), ones()], [ones(), None]),
        "Two arguments are named a, and not the same is asked of their gradients; rename one.",
    ),
    "two of one name by shapes": (
        lambda: namesakes().simple_bind({"a": (1,)}),
        "Two variables are named a; rename one.",
    ),
    "a misspelt request": (
        lambda: (Variable("weight") * 2).bind([ones()], grad_req={"wieght": "write"}),
        "grad_req: There is no argument named 'wieght'. Did you mean weight?",
    ),
    "a misspelt buffer": (
        lambda: (Variable("weight") * 2).bind([ones()], {"wieght": ones()}),
        "args_grad: There is no argument named 'wieght'. Did you mean weight?",
    ),
    "too few requests": (
        lambda: pair().bind(BOTH, grad_req=["write"]),
        "grad_req has 1 words for 2 arguments (a, b). Give one for each, or a dict by name.",
    ),
    "too few buffers": (
        lambda: pair().bind(BOTH, [ones()]),
        (
            "args_grad has 1 arrays for 2 arguments (a, b). Give one for each, None where there is no gradient,"
            " or a dict by name."
        ),
    ),
    "a number without axes": (
        lambda: pair().bind([np.array(1.0), ones()]),
        "a has no axes; a single number is an array of shape (1).",
    ),
    "a buffer of another shape": (
        lambda: pair().bind(BOTH, {"a": ones(2)}),
        "The gradient buffer of a is (2), but the argument is (1). Make it with np.zeros_like.",
    ),
    "a buffer that may only be read": (
        lambda: pair().bind(BOTH, {"a": read_only()}),
        "The gradient buffer of a may only be read. Make it with np.zeros_like.",
    ),
    "a buffer of whole numbers": (
        lambda: pair().bind(BOTH, {"a": whole_numbers()}),
        "The gradient buffer of a is int32, but its gradient is float32. Make it with np.zeros_like.",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_cannot_be_bound_is_told_with_what_to_do(case: str) -> None:
    do, sentence = REFUSALS[case]
    with pytest.raises(BindError) as refusal:
        do()
    assert re.sub(r"\s+", " ", str(refusal.value)) == sentence


@pytest.mark.parametrize("requests", [["null", "write"], {"b": "write"}, {"b": "write", "other": "add"}])
def test_requests_come_in_order_or_by_name(requests: Any) -> None:
    executor = pair().simple_bind({"a": (1,), "b": (1,)}, grad_req=requests)
    assert dict(executor.requests) == {"a": "null", "b": "write"}
    executor.forward(is_train=True, a=3 * ones(), b=2 * ones())
    executor.backward(ones())
    assert executor.grad_dict["a"] is None
    assert executor.grad_dict["b"] == 3


def test_two_of_one_name_have_a_buffer_each() -> None:
    buffers = [ones(), ones()]
    executor = (Variable("a") * 2 + Variable("a") * 3).bind([ones(), ones()], buffers)
    executor.forward(is_train=True)
    executor.backward(ones())
    assert [buffer.tolist() for buffer in buffers] == [[2], [3]]


def test_buffers_in_order_leave_one_out_with_none() -> None:
    buffer = ones()
    executor = pair().bind([2 * ones(), 3 * ones()], [None, buffer])
    executor.forward(is_train=True)
    executor.backward(ones())
    assert buffer == 2


def test_what_the_system_refuses_after_all_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(binding, "Executor", refuse)
    with pytest.raises(BindError, match="not enough memory for this bind. Use a smaller batch"):
        pair().simple_bind({"a": (1,), "b": (1,)})
