"""Random networks that can be bound: what hypothesis draws for the tests of plans, gradients and explanations."""

from collections.abc import Callable
from typing import Any

import attrs
from hypothesis import strategies as st

from app.engine import Group, Symbol, Variable, sym

SHAPE = (2, 3, 4, 4)
NAMES = ("a", "b", "c")

UNARY: tuple[Callable[[Symbol], Symbol], ...] = (
    lambda x: sym.Activation(x, act_type="relu"),
    lambda x: sym.Activation(x, act_type="tanh"),
    lambda x: sym.BatchNorm(x, fix_gamma=False),
    lambda x: sym.Convolution(x, kernel=(3, 3), pad=(1, 1), num_filter=3),
    lambda x: sym.Pooling(x, kernel=(3, 3), pad=(1, 1), pool_type="avg"),
    lambda x: sym.Reshape(sym.softmax(sym.Reshape(x, shape=(6, 16))), shape=SHAPE),
    lambda x: sym.Reshape(sym.FullyConnected(x, num_hidden=48), shape=SHAPE),
    lambda x: sym.Concat(*sym.SliceChannel(x, num_outputs=3, axis=1), dim=1),
    lambda x: sym.transpose(x, axes=(0, 1, 3, 2)),
    sym.BlockGrad,
    lambda x: sym.Dropout(x, p=0.5),
    lambda x: x * 0.5 + 1,
)
BINARY: tuple[Callable[[Symbol, Symbol], Symbol], ...] = (
    lambda x, y: x + y,
    lambda x, y: x * y,
    lambda x, y: x - y,
    lambda x, y: sym.add_n(x, y, x),
    lambda x, y: sym.broadcast_mul(x, sym.mean(y, axis=1, keepdims=True)),
)


@attrs.frozen
class Network:
    """A symbol whose arguments are inferred from those of `shapes`, and gradient requests by name."""

    symbol: Symbol
    shapes: dict[str, tuple[int, ...]]
    requests: dict[str, Any]


@st.composite
def networks(draw: Callable[..., Any], requests: tuple[str, ...] = ("write", "add", "null")) -> Network:
    """Draw up to a dozen operators over three arguments, with one to three outputs."""
    symbols = [Variable(name) for name in NAMES]
    made = []
    for _ in range(draw(st.integers(1, 12))):
        recent = symbols[-4:] + symbols[:1]
        if draw(st.booleans()):
            made.append(draw(st.sampled_from(UNARY))(draw(st.sampled_from(recent))))
        else:
            pair = draw(st.sampled_from(recent)), draw(st.sampled_from(recent))
            made.append(draw(st.sampled_from(BINARY))(*pair))
        symbols.append(made[-1])
    heads = [made[-1], *draw(st.lists(st.sampled_from(made), max_size=2))]
    symbol = Group(heads) if len(heads) > 1 else heads[0]
    arguments = symbol.list_arguments()
    words = {name: draw(st.sampled_from(requests)) for name in arguments}
    return Network(symbol, {name: SHAPE for name in NAMES if name in arguments}, words)
