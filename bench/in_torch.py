"""Runs the same nets in eager PyTorch, written for it by hand, with the numbers that `ours.py` wrote.

PYTHON_WITH_TORCH -m bench.in_torch FOLDER      answers as `timing.py` says

Eager PyTorch is what most people have beside them.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from bench.timing import Prepared, calls, serve

Numbers = dict[str, Tensor]
THREADS = 2


def main() -> None:
    """Answer for the works of one folder."""
    torch.set_num_threads(THREADS)
    folder = Path(sys.argv[1])
    serve(lambda work: prepare_net(work, folder) if work in NETS else None)


def prepare_net(name: str, folder: Path) -> Prepared:
    """Make forward ready, and forward with backward to every parameter."""
    n: Numbers = {key: torch.from_numpy(value) for key, value in np.load(folder / f"{name}.npz").items()}
    net = NETS[name]
    fixed = ("data", "h0", "c0", "softmax_label")
    learned = [key for key in n if key not in fixed and not key.endswith(("moving_mean", "moving_var"))]
    for key in learned:
        n[key].requires_grad_(True)
    label = n["softmax_label"].long() if "softmax_label" in n else None

    def forward() -> Tensor:
        if label is None:
            with torch.no_grad():
                return net(n)
        return functional.cross_entropy(net(n), label, reduction="sum")

    def step() -> None:
        for key in learned:
            n[key].grad = None
        if label is None:
            net(n).backward(head)
        else:
            forward().backward()

    head = torch.ones(1)
    result = net(n).detach()
    outputs = result if label is None else functional.softmax(result, 1)
    step()
    sums = {key: float(grad.abs().sum()) for key in learned if (grad := n[key].grad) is not None}
    measurements = {f"{name} forward": calls(forward), f"{name} step": calls(step)}
    return Prepared(measurements, outputs=outputs.ravel()[:8].tolist(), sums=sums)


# Nets ------------------------------------------------------------------------------------------------------------


def toy(n: Numbers) -> Tensor:
    """E = A·B + D."""
    return n["A"] * n["B"] + n["D"]


def mlp(n: Numbers) -> Tensor:
    """Three fully connected layers."""
    return _dense(torch.relu(_dense(torch.relu(_dense(n["data"], n, "fc1")), n, "fc2")), n, "last")


def lenet(n: Numbers) -> Tensor:
    """Two convolutions and two fully connected layers."""
    x = n["data"]
    for name in ("conv1", "conv2"):
        x = torch.tanh(functional.conv2d(x, n[f"{name}_weight"], n[f"{name}_bias"]))
        x = functional.max_pool2d(x, 2)
    return _dense(torch.tanh(_dense(x.flatten(1), n, "fc1")), n, "last")


def resnet20(n: Numbers) -> Tensor:
    """He's residual net for small images."""
    x = torch.relu(_normalized(n["data"], n, "first", 1))
    for stage in (1, 2, 3):
        for block in (1, 2, 3):
            name, stride = f"s{stage}b{block}", 2 if block == 1 and stage > 1 else 1
            y = torch.relu(_normalized(x, n, f"{name}_one", stride))
            y = _normalized(y, n, f"{name}_two", 1)
            x = torch.relu(y + (_normalized(x, n, f"{name}_way", stride) if stride > 1 else x))
    return _dense(x.mean((2, 3)), n, "last")


def lstm(n: Numbers) -> Tensor:
    """An LSTM cell unrolled over its steps."""
    x, hidden, cell = n["data"], n["h0"], n["c0"]
    for step in range(x.shape[1]):
        both = _dense(x[:, step], n, "i2h") + _dense(hidden, n, "h2h")
        take, keep, new, show = both.chunk(4, 1)
        cell = torch.sigmoid(keep) * cell + torch.sigmoid(take) * torch.tanh(new)
        hidden = torch.sigmoid(show) * torch.tanh(cell)
    return _dense(hidden, n, "last")


def transformer(n: Numbers) -> Tensor:
    """One block of a transformer with four heads."""
    x = n["data"]
    batch, length, width = x.shape
    qkv = _dense(_layer_norm(x, n, "norm1"), n, "qkv").view(batch, length, 3, 4, width // 4)
    q, k, v = qkv.permute(2, 0, 3, 1, 4)
    weights = torch.softmax(q @ k.transpose(-1, -2) * (width // 4) ** -0.5, -1)
    x = x + _dense((weights @ v).transpose(1, 2).reshape(batch, length, width), n, "out")
    x = x + _dense(torch.relu(_dense(_layer_norm(x, n, "norm2"), n, "up")), n, "down")
    return _dense(x.mean(1), n, "last")


def _dense(x: Tensor, n: Numbers, name: str) -> Tensor:
    return functional.linear(x, n[f"{name}_weight"], n[f"{name}_bias"])


def _layer_norm(x: Tensor, n: Numbers, name: str) -> Tensor:
    return functional.layer_norm(x, x.shape[-1:], n[f"{name}_gamma"], n[f"{name}_beta"])


def _normalized(x: Tensor, n: Numbers, name: str, stride: int) -> Tensor:
    weight, norm = n[f"{name}_conv_weight"], f"{name}_bn"
    x = functional.conv2d(x, weight, stride=stride, padding=weight.shape[-1] // 2)
    mean, variance = n[f"{norm}_moving_mean"], n[f"{norm}_moving_var"]
    return functional.batch_norm(x, mean, variance, n[f"{norm}_gamma"], n[f"{norm}_beta"], training=True)


NETS: dict[str, Callable[[Numbers], Tensor]] = {
    "toy": toy,
    "mlp": mlp,
    "lenet": lenet,
    "resnet20": resnet20,
    "lstm": lstm,
    "transformer": transformer,
}


if __name__ == "__main__":
    main()
