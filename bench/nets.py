"""The nets that are measured, built with the engine's own `sym`; what the peers run is written from these."""

from typing import Any, Final

import attrs

from app.engine import Variable, sym
from app.engine.symbol import Symbol

Shape = tuple[int, ...]
CLASSES: Final = 10
STEPS: Final = 20


@attrs.frozen
class Net:
    """A symbol, and the shapes of what goes in; these inputs get no gradient."""

    symbol: Symbol
    shapes: dict[str, Shape]
    learned_inputs: bool = False
    """Whether even the named inputs get a gradient."""

    def requests(self) -> dict[str, str]:
        """Return what bind is to do with the gradient of every argument."""
        left_out = () if self.learned_inputs else (*self.shapes, "softmax_label")
        return {name: "null" if name in left_out else "write" for name in self.symbol.list_arguments()}


def toy() -> Net:
    """E = A·B + D on single numbers: what is left is the engine's own work."""
    result = sym.elemwise_add(
        sym.elemwise_mul(Variable("A"), Variable("B"), name="C"), Variable("D"), name="E"
    )
    return Net(result, {"A": (1,), "B": (1,), "D": (1,)}, learned_inputs=True)


def mlp() -> Net:
    """Three fully connected layers on 64 images of 784 pixels."""
    x = _dense(Variable("data"), 128, "fc1", "relu")
    return Net(_head(_dense(x, 64, "fc2", "relu")), {"data": (64, 784)})


def lenet() -> Net:
    """Two convolutions and two fully connected layers on 64 images of 28 by 28."""
    x = Variable("data")
    for number, filters in enumerate((20, 50), 1):
        x = sym.Convolution(x, kernel=(5, 5), num_filter=filters, name=f"conv{number}")
        x = sym.Activation(x, act_type="tanh", name=f"tanh{number}")
        x = sym.Pooling(x, pool_type="max", kernel=(2, 2), stride=(2, 2), name=f"pool{number}")
    return Net(_head(_dense(sym.Flatten(x, name="flat"), 500, "fc1", "tanh")), {"data": (64, 1, 28, 28)})


def resnet20() -> Net:
    """He's residual net for small images, on 32 of 32 by 32."""
    x = _normalized(Variable("data"), 16, 3, 1, "first")
    for stage, (filters, stride) in enumerate(((16, 1), (32, 2), (64, 2)), 1):
        for block in range(1, 4):
            name, step = f"s{stage}b{block}", stride if block == 1 else 1
            y = _normalized(x, filters, 3, step, f"{name}_one")
            y = _normalized(y, filters, 3, 1, f"{name}_two", rectified=False)
            if step != 1:
                x = _normalized(x, filters, 1, step, f"{name}_way", rectified=False)
            x = sym.Activation(sym.elemwise_add(y, x, name=f"{name}_sum"), act_type="relu", name=name)
    x = sym.Pooling(x, global_pool=True, pool_type="avg", kernel=(8, 8), name="pool")
    return Net(_head(sym.Flatten(x, name="flat")), {"data": (32, 3, 32, 32)})


def lstm() -> Net:
    """An LSTM cell of 128, unrolled over 20 steps, on 32 sequences."""
    names = ("i2h_weight", "i2h_bias", "h2h_weight", "h2h_bias")
    weights = {name: Variable(name) for name in names}
    steps = sym.SliceChannel(Variable("data"), axis=1, num_outputs=STEPS, squeeze_axis=True, name="steps")
    hidden, cell = Variable("h0"), Variable("c0")
    for step in range(STEPS):
        seen = sym.FullyConnected(
            steps[step], weights["i2h_weight"], weights["i2h_bias"], num_hidden=512, name=f"t{step}_i2h"
        )
        kept = sym.FullyConnected(
            hidden, weights["h2h_weight"], weights["h2h_bias"], num_hidden=512, name=f"t{step}_h2h"
        )
        gates = sym.SliceChannel(seen + kept, num_outputs=4, name=f"t{step}_gates")
        keep, take, new, show = (
            sym.Activation(gates[number], act_type=kind, name=f"t{step}_{name}")
            for number, kind, name in (
                (1, "sigmoid", "keep"),
                (0, "sigmoid", "take"),
                (2, "tanh", "new"),
                (3, "sigmoid", "show"),
            )
        )
        cell = keep * cell + take * new
        hidden = show * sym.Activation(cell, act_type="tanh", name=f"t{step}_out")
    return Net(_head(hidden), {"data": (32, STEPS, 128), "h0": (32, 128), "c0": (32, 128)})


def transformer() -> Net:
    """One block of a transformer: 8 sequences of 64 places, 128 wide, four heads of attention."""
    batch, length, width, heads = 8, 64, 128, 4
    each = width // heads
    x = Variable("data")
    qkv = _rows(sym.LayerNorm(x, name="norm1"), 3 * width, "qkv")
    qkv = sym.transpose(sym.reshape(qkv, shape=(batch, length, 3, heads, each)), axes=(2, 0, 3, 1, 4))
    parts = sym.SliceChannel(qkv, num_outputs=3, axis=0, squeeze_axis=True, name="parts")
    q, k, v = (sym.reshape(parts[number], shape=(batch * heads, length, each)) for number in range(3))
    weights = sym.softmax(sym.batch_dot(q, k, transpose_b=True) * each**-0.5, axis=-1)
    mixed = sym.reshape(sym.batch_dot(weights, v), shape=(batch, heads, length, each))
    mixed = sym.reshape(sym.transpose(mixed, axes=(0, 2, 1, 3)), shape=(batch, length, width))
    x = x + _rows(mixed, width, "out")
    h = sym.Activation(_rows(sym.LayerNorm(x, name="norm2"), 512, "up"), act_type="relu", name="relu")
    x = x + _rows(h, width, "down")
    return Net(_head(sym.mean(x, axis=1, name="mean")), {"data": (batch, length, width)})


def resnet152() -> Net:
    """The large residual net of ImageNet, normalised before each convolution; only its shapes are asked for."""
    x = sym.BatchNorm(Variable("data"), eps=2e-5, fix_gamma=True, name="bn_data")
    x = sym.Convolution(
        x, num_filter=64, kernel=(7, 7), stride=(2, 2), pad=(3, 3), no_bias=True, name="conv0"
    )
    x = _rectified(x, "0")
    x = sym.Pooling(x, kernel=(3, 3), stride=(2, 2), pad=(1, 1), pool_type="max", name="pool0")
    for stage, (units, filters) in enumerate(((3, 256), (8, 512), (36, 1024), (3, 2048)), 1):
        for unit in range(1, units + 1):
            x = _bottleneck(
                x, filters, 2 if unit == 1 and stage > 1 else 1, f"stage{stage}_unit{unit}", unit == 1
            )
    x = sym.Pooling(_rectified(x, "1"), global_pool=True, kernel=(7, 7), pool_type="avg", name="pool1")
    x = sym.FullyConnected(sym.Flatten(x, name="flat"), num_hidden=1000, name="fc1")
    return Net(sym.SoftmaxOutput(x, name="softmax"), {"data": (1, 3, 224, 224)})


# Parts -----------------------------------------------------------------------------------------------------------


def _head(x: Symbol) -> Symbol:
    return sym.SoftmaxOutput(sym.FullyConnected(x, num_hidden=CLASSES, name="last"), name="softmax")


def _dense(x: Symbol, width: int, name: str, kind: str) -> Symbol:
    return sym.Activation(
        sym.FullyConnected(x, num_hidden=width, name=name), act_type=kind, name=f"{name}_{kind}"
    )


def _rows(x: Symbol, width: int, name: str) -> Symbol:
    return sym.FullyConnected(x, num_hidden=width, flatten=False, name=name)


def _normalized(
    x: Symbol, filters: int, size: int, stride: int, name: str, *, rectified: bool = True
) -> Symbol:
    around: dict[str, Any] = {"kernel": (size,) * 2, "stride": (stride,) * 2, "pad": (size // 2,) * 2}
    x = sym.Convolution(x, num_filter=filters, no_bias=True, name=f"{name}_conv", **around)
    x = sym.BatchNorm(x, fix_gamma=False, eps=1e-5, momentum=0.9, name=f"{name}_bn")
    return sym.Activation(x, act_type="relu", name=f"{name}_relu") if rectified else x


def _rectified(x: Symbol, name: str) -> Symbol:
    x = sym.BatchNorm(x, eps=2e-5, fix_gamma=False, name=f"bn{name}")
    return sym.Activation(x, act_type="relu", name=f"relu{name}")


def _bottleneck(x: Symbol, filters: int, stride: int, name: str, first: bool) -> Symbol:
    start = y = _rectified(x, f"_{name}_1")
    for number, (size, step, count) in enumerate(((1, 1, 4), (3, stride, 4), (1, 1, 1)), 1):
        if number > 1:
            y = _rectified(y, f"_{name}_{number}")
        around: dict[str, Any] = {"kernel": (size,) * 2, "stride": (step,) * 2, "pad": (size // 2,) * 2}
        y = sym.Convolution(
            y, num_filter=filters // count, no_bias=True, name=f"{name}_conv{number}", **around
        )
    if first:
        x = sym.Convolution(
            start, num_filter=filters, kernel=(1, 1), stride=(stride,) * 2, no_bias=True, name=f"{name}_way"
        )
    return sym.elemwise_add(y, x, name=f"{name}_sum")


NETS: Final = {
    "toy": toy,
    "mlp": mlp,
    "lenet": lenet,
    "resnet20": resnet20,
    "lstm": lstm,
    "transformer": transformer,
}
