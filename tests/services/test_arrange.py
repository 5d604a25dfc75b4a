"""Arranging a document: the style's direction, the shape of a window, room for the small arguments."""

import attrs
import pytest

from app.document.records import Document, Edge, Node, Point, Settings
from app.services.arrange import arrange, arranged
from app.services.gallery import open_entry


def _chain(count: int, style: str = "card") -> Document:
    nodes = {
        f"n{k}": Node(f"n{k}", "Activation", f"relu{k}", params={"act_type": "relu"}) for k in range(count)
    }
    edges = {f"e{k}": Edge(f"e{k}", f"n{k}", 0, f"n{k + 1}", 0) for k in range(count - 1)}
    return Document(nodes, edges, settings={"settings": Settings(style=style)})


def _extent(places: dict[str, Point]) -> tuple[float, float]:
    xs, ys = zip(*places.values(), strict=True)
    return max(xs) - min(xs), max(ys) - min(ys)


def test_pictures_flow_down_and_cards_flow_right() -> None:
    down, right = arrange(_chain(3, "picture")), arrange(_chain(3))
    assert down["n0"][1] < down["n1"][1] < down["n2"][1]
    assert right["n0"][0] < right["n1"][0] < right["n2"][0]


@pytest.mark.parametrize("count", [12, 40, 300, 2500])
def test_a_long_model_takes_the_shape_of_a_window(count: int) -> None:
    breadth, height = _extent(arrange(_chain(count)))
    assert 0.8 < breadth / height < 3.2


def test_a_picture_of_the_tutorial_keeps_its_order() -> None:
    places = arrange(open_entry("executor-forward"))
    assert places["n1"][0] < places["n2"][0] < places["n4"][0]
    assert places["n3"][1] < places["n5"][1]


def test_real_sizes_are_kept_clear() -> None:
    document = _chain(3)
    places = arrange(document, {"n1": (600.0, 100.0), "elsewhere": (1.0, 1.0)})
    assert places["n2"][0] - places["n1"][0] >= 300 + 96
    assert set(places) == set(document.nodes)


def test_only_positions_change() -> None:
    document = open_entry("digits-mlp")
    moved = arranged(document)
    assert attrs.evolve(moved, nodes=document.nodes) == document
    for key, node in moved.nodes.items():
        assert attrs.evolve(node, position=document.nodes[key].position) == document.nodes[key]


def test_an_empty_board_stays_empty() -> None:
    assert arrange(Document()) == {}
