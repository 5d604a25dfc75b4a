"""Symbol files with an operator that nobody knows, for the tests of every layer that meets one."""

import json
from typing import Any

SENTENCE = "q can't run: there is no operator called 'QConvolution' here. Did you mean Convolution"


def opaque_nodes() -> list[dict[str, Any]]:
    """A convolution of bits between known nodes; two of its three outputs are read."""
    return [
        {"op": "null", "name": "data", "attrs": {"__shape__": "(2, 3)"}, "inputs": []},
        {"op": "null", "name": "q_weight", "inputs": []},
        {
            "op": "QConvolution",
            "name": "q",
            "attrs": {"kernel": "(3,3)", "act_bit": "1", "in": "x", "__lr_mult__": "2", "lr_mult": "3"},
            "inputs": [[0, 0, 0], [1, 0, 0]],
        },
        {"op": "relu", "name": "r", "inputs": [[2, 0, 0]]},
        {"op": "elemwise_add", "name": "s", "inputs": [[3, 0, 0], [2, 1, 0]]},
        {"op": "elemwise_add", "name": "t", "inputs": [[4, 0, 0], [0, 0, 0]]},
    ]


def opaque_file(version: int | None = 10901, starts: list[int] | None = None) -> str:
    """Return the text of a file with that graph."""
    data: dict[str, Any] = {
        "nodes": opaque_nodes(),
        "arg_nodes": [0, 1],
        "node_row_ptr": starts or [0, 1, 2, 5, 6, 7, 8],
        "heads": [[5, 0, 0]],
    }
    if version is not None:
        data["attrs"] = {"mxnet_version": ["int", version]}
    return json.dumps(data)
