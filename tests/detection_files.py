"""Symbol files that name operators as they were called before MXNet took them in, for the tests of every layer."""

import json


def detection_file(version: int | None = None) -> str:
    """Return the text of a file with boxes of before MXNet 0.9, behind a pooling that has three windows or two."""
    pool = {"kernel": "(2, 2)", "stride": "(2, 2)", "pool_type": "max"}
    nodes = [
        {"op": "null", "param": {}, "name": "x", "inputs": []},
        {"op": "Pooling", "param": pool, "name": "pool", "inputs": [[0, 0]]},
        {
            "op": "MultiBoxPrior",
            "param": {"sizes": "(0.2,)"},
            "attr": {},
            "name": "boxes",
            "inputs": [[1, 0]],
        },
    ]
    data = {"nodes": nodes, "arg_nodes": [0], "heads": [[2, 0]]}
    if version is not None:
        data["attrs"] = {"mxnet_version": ["int", version]}
    return json.dumps(data)
