"""Names of arrays in a graph."""

from app.engine.graph import GraphNode
from app.engine.registry import find_operator


def output_names(name: str, op: str, **settings: object) -> tuple[str, ...]:
    return GraphNode(name, op, find_operator(op)(**settings), {}).output_names


def test_outputs_are_named_after_their_node() -> None:
    assert output_names("fc", "elemwise_add") == ("fc_output",)
    assert output_names("s", "SliceChannel", num_outputs=2) == ("s_output0", "s_output1")


def test_outputs_of_a_node_without_a_name_are_plain() -> None:
    assert output_names("", "elemwise_add") == ("output",)
