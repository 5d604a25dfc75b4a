"""The pass `overwriting`: where MXNet overwrites the gradient that comes into prelu, as a real one showed.

The golden cases called parity_prelu hold numbers of some of these nets.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from app.engine import Group, Symbol, Variable, sym

Net = Callable[[Symbol], Symbol]
Z = Variable("z", shape=(3, 4))


def layer(x: Symbol, name: str) -> Symbol:
    return sym.FullyConnected(x, num_hidden=4, name=name)


def prelu(x: Symbol, name: str = "p") -> Symbol:
    return sym.LeakyReLU(x, act_type="prelu", name=name)


def two(x: Symbol) -> tuple[Symbol, Symbol]:
    return prelu(layer(x, "f")), prelu(layer(x, "g"), "q")


def spoilt(net: Symbol, requests: Any = "write") -> set[str]:
    """Name the slopes whose gradient is another than the true one, which is told by counting alike in forward."""
    rng = np.random.default_rng(4)
    executor = net.simple_bind({"x": (3, 4)}, requests)
    for array in executor.arg_arrays:
        array[...] = rng.uniform(0.2, 1.5, array.shape) * rng.choice([-1, 1], array.shape)
    for gradient in executor.grad_arrays:
        if gradient is not None:
            gradient[...] = 0
    heads = [rng.uniform(0.5, 1, output.shape).astype(np.float32) for output in executor.outputs]
    executor.forward(is_train=True)
    executor.backward(heads)
    found = set()
    for name in executor.arg_dict:
        gradient = executor.grad_dict[name]
        if not name.endswith("_gamma") or gradient is None:
            continue
        true = slope_gradient(executor, name, heads)
        if not np.allclose(gradient, true, 1e-3, 1e-4):
            np.testing.assert_allclose(gradient, true * executor.arg_dict[name], 1e-3, 1e-4)
            found.add(name.removesuffix("_gamma"))
    return found


def slope_gradient(executor: Any, name: str, heads: list[Any]) -> Any:
    """Return the true gradient of a slope by central differences."""
    slope, width = executor.arg_dict[name], 1e-2
    result = np.zeros_like(slope)
    for place in range(len(slope)):
        kept, sums = slope[place], []
        for step in (width, -width):
            slope[place] = kept + step
            outputs = executor.forward(is_train=True)
            sums.append(sum(float((out * head).sum()) for out, head in zip(outputs, heads, strict=True)))
        slope[place] = kept
        result[place] = (sums[0] - sums[1]) / (2 * width)
    return result


@pytest.mark.parametrize(
    ("net", "wanted"),
    [
        pytest.param(lambda x: layer(prelu(layer(x, "f")), "g"), {"p"}, id="between layers"),
        pytest.param(lambda x: prelu(layer(x, "f")), {"p"}, id="as an output"),
        pytest.param(lambda x: layer(prelu(x), "g"), set(), id="its gradient is the user's"),
        pytest.param(lambda x: prelu(x) * sym.tanh(x), {"p"}, id="its gradient is summed"),
        pytest.param(lambda x: sym.Reshape(prelu(layer(x, "f")), shape=(-1,)), {"p"}, id="reshaped"),
        pytest.param(lambda x: prelu(layer(x, "f")) + x, set(), id="a sum's other side waits"),
        pytest.param(lambda x: prelu(layer(x, "f")) + Z, set(), id="a sum's other side is the user's"),
        pytest.param(lambda x: sym.add_n(prelu(layer(x, "f")), Z), {"p"}, id="add_n has copies"),
        pytest.param(lambda x: sym.broadcast_add(prelu(layer(x, "f")), Z), {"p"}, id="so has broadcast_add"),
        pytest.param(lambda x: two(x)[0] + two(x)[1], {"p"}, id="the second of two"),
        pytest.param(lambda x: sym.add_n(*two(x)), {"p"}, id="the second of two in add_n"),
        pytest.param(lambda x: sym.tanh(prelu(sym.sign(x) * 2)), {"p"}, id="on to what sends zeros on"),
        pytest.param(lambda x: sym.tanh(prelu(sym.floor(x) * 2)), set(), id="on to what MXNet leaves out"),
        pytest.param(lambda x: sym.tanh(prelu(sym.MakeLoss(x) * 2)), set(), id="on to a loss"),
        pytest.param(lambda x: Group([sym.tanh(y := prelu(layer(x, "f"))), sym.sin(y)]), {"p"}, id="summed before"),
    ],
)  # fmt: skip
def test_a_slope_of_prelu_gets_a_spoilt_gradient_where_the_incoming_one_is_free(
    net: Net, wanted: set[str]
) -> None:
    assert spoilt(net(Variable("x"))) == wanted


def test_the_order_of_the_arguments_decides_which_of_two_comes_last() -> None:
    symbol = two(Variable("x"))
    requests = {name: "write" for name in (symbol[0] + symbol[1]).list_arguments() if name != "x"}
    assert spoilt(symbol[0] + symbol[1], requests) == {"q"}


def test_nothing_is_spoilt_where_nobody_wants_the_gradient_of_the_data() -> None:
    assert spoilt(prelu(Variable("x")), {"p_gamma": "write"}) == set()


def test_a_spoilt_gradient_is_added_like_any_other() -> None:
    assert spoilt(layer(prelu(layer(Variable("x"), "f")), "g"), "add") == {"p"}
