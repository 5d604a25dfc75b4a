"""Symbol files with what the board doesn't draw: graphs inside nodes, and nodes that wait without reading."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "golden" / "control_flow"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))


def control_flow(name: str) -> str:
    """Return the text of a file that MXNet wrote."""
    return (FOLDER / f"{name}.json").read_text(encoding="utf-8")


def waiting_nodes() -> list[dict[str, Any]]:
    """A known operator that waits for a variable and for a node that nobody reads, and a variable that waits too."""
    return [
        {"op": "null", "name": "a", "inputs": [], "control_deps": [5]},
        {"op": "null", "name": "b", "inputs": []},
        {"op": "null", "name": "c", "inputs": []},
        {"op": "relu", "name": "r", "inputs": [[0, 0, 0]], "control_deps": [6, 1]},
        {"op": "exp", "name": "e", "inputs": [[3, 0, 0]]},
        {"op": "null", "name": "d", "inputs": []},
        {"op": "tanh", "name": "side", "inputs": [[2, 0, 0]]},
    ]


def waiting_file(nodes: list[dict[str, Any]] | None = None) -> str:
    """Return the text of a file with that graph."""
    found = nodes or waiting_nodes()
    arguments = [number for number, node in enumerate(found) if node["op"] == "null"]
    top = {"mxnet_version": ["int", 10901]}
    return json.dumps({"nodes": found, "arg_nodes": arguments, "heads": [[4, 0, 0]], "attrs": top})
