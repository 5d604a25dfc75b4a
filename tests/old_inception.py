"""Inception-BN for images of 224 × 224 as an MXNet from before 0.8 wrote it: pooling says nothing of its rounding."""

import json
from typing import Any

# output channels: 1×1; 3×3 reduced, 3×3; double 3×3 reduced, twice; behind the pool; the kind of pool
MIXED = {
    "3a": (64, 64, 64, 64, 96, 32, "avg"),
    "3b": (64, 64, 96, 64, 96, 64, "avg"),
    "4a": (224, 64, 96, 96, 128, 128, "avg"),
    "4b": (192, 96, 128, 96, 128, 128, "avg"),
    "4c": (160, 128, 160, 128, 160, 128, "avg"),
    "4d": (96, 128, 192, 160, 192, 128, "avg"),
    "5a": (352, 192, 320, 160, 224, 128, "avg"),
    "5b": (352, 192, 320, 192, 224, 128, "max"),
}
SMALLER = {"3c": (128, 160, 64, 96), "4e": (128, 192, 192, 256)}


class _Writer:
    """Collects the nodes of a file."""

    def __init__(self) -> None:
        self.nodes: list[dict[str, Any]] = []

    def add(self, op: str, name: str, inputs: list[int] = [], **param: str) -> int:  # noqa: B006 - only read
        self.nodes.append(
            {
                "op": op,
                "param": param,
                "name": name,
                "inputs": [[source, 0] for source in inputs],
                "backward_source_id": -1,
            }
        )
        return len(self.nodes) - 1

    def conv(self, name: str, data: int, filters: int, kernel: int, stride: int = 1) -> int:
        inputs = [data, *(self.add("null", f"conv_{name}_{port}") for port in ("weight", "bias"))]
        pad = kernel // 2
        sizes = {
            "kernel": f"({kernel}, {kernel})",
            "stride": f"({stride}, {stride})",
            "pad": f"({pad}, {pad})",
        }
        out = self.add("Convolution", f"conv_{name}", inputs, num_filter=str(filters), **sizes)
        inputs = [out, *(self.add("null", f"bn_{name}_{port}") for port in ("gamma", "beta"))]
        return self.add(
            "Activation", f"relu_{name}", [self.add("BatchNorm", f"bn_{name}", inputs)], act_type="relu"
        )

    def pool(self, name: str, data: int, kind: str, kernel: int, stride: int, pad: int = 0) -> int:
        sizes = {
            "kernel": f"({kernel}, {kernel})",
            "stride": f"({stride}, {stride})",
            "pad": f"({pad}, {pad})",
        }
        return self.add("Pooling", name, [data], pool_type=kind, **sizes)

    def mixed(self, at: str, data: int) -> int:
        one, reduce, three, reduce2, double, proj, kind = MIXED[at]
        parts = [self.conv(f"{at}_1x1", data, one, 1)]
        parts += [self.conv(f"{at}_3x3", self.conv(f"{at}_3x3_reduce", data, reduce, 1), three, 3)]
        inner = self.conv(f"{at}_double_0", self.conv(f"{at}_double_reduce", data, reduce2, 1), double, 3)
        parts += [self.conv(f"{at}_double_1", inner, double, 3)]
        parts += [self.conv(f"{at}_proj", self.pool(f"pool_{at}", data, kind, 3, 1, 1), proj, 1)]
        return self.add("Concat", f"concat_{at}", parts, num_args="4")

    def smaller(self, at: str, data: int) -> int:
        reduce, three, reduce2, double = SMALLER[at]
        parts = [self.conv(f"{at}_3x3", self.conv(f"{at}_3x3_reduce", data, reduce, 1), three, 3, 2)]
        inner = self.conv(f"{at}_double_0", self.conv(f"{at}_double_reduce", data, reduce2, 1), double, 3)
        parts += [
            self.conv(f"{at}_double_1", inner, double, 3, 2),
            self.pool(f"pool_{at}", data, "max", 3, 2),
        ]
        return self.add("Concat", f"concat_{at}", parts, num_args="3")


def old_inception() -> str:
    """Return the text of the file."""
    net = _Writer()
    out = net.pool("pool_1", net.conv("1", net.add("null", "data"), 64, 7, 2), "max", 3, 2)
    out = net.pool("pool_2", net.conv("2", net.conv("2_reduce", out, 64, 1), 192, 3), "max", 3, 2)
    for at in ("3a", "3b", "3c", "4a", "4b", "4c", "4d", "4e", "5a", "5b"):
        out = net.smaller(at, out) if at in SMALLER else net.mixed(at, out)
    out = net.add("Flatten", "flatten", [net.pool("global_pool", out, "avg", 7, 1)])
    inputs = [out, net.add("null", "fc1_weight"), net.add("null", "fc1_bias")]
    out = net.add("FullyConnected", "fc1", inputs, num_hidden="1000")
    out = net.add("SoftmaxOutput", "softmax", [out, net.add("null", "softmax_label")])
    arguments = [number for number, node in enumerate(net.nodes) if node["op"] == "null"]
    return json.dumps({"nodes": net.nodes, "arg_nodes": arguments, "heads": [[out, 0]]})
