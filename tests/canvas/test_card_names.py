"""Names on cards stay apart from each other at small zooms."""

from collections.abc import Sequence

import pytest
from PySide6.QtCore import QRectF

from app.canvas.card_names import _on_two_lines
from app.canvas.card_style import CARD_STYLE
from app.canvas.geometry import CARD, NodeShape
from app.canvas.ink import words
from app.canvas.labels import Surroundings
from app.canvas.looks import NodeLook


@pytest.fixture(autouse=True)
def fonts(theming: object) -> None:
    """Let the bundled fonts be there."""


def broken(name: str, parts: Sequence[str]) -> list[str]:
    """Break a name where the widest of these parts just fits."""
    room = max(words(part, "name").width for part in parts) + 1
    return [line.text for line in _on_two_lines(name, room)]


def test_a_long_name_is_broken_between_its_parts() -> None:
    name = "stage3_unit18_conv2"
    assert broken(name, ["stage3_unit18_"]) == ["stage3_unit18_", "conv2"]
    assert broken(name, ["unit18_conv2"]) == ["stage3_", "unit18_conv2"]
    assert broken(name, [name]) == [name]


def test_what_does_not_fit_on_two_lines_loses_the_beginning_of_the_second() -> None:
    first, second = broken("stage3_unit18_conv2", ["stage3_"])
    assert first == "stage3_"
    assert second.startswith("…") and second.endswith("2")


def test_a_name_without_parts_is_shortened() -> None:
    (line,) = broken("convolution" * 4, ["convolution"])
    assert "…" in line


def drawn(name: str) -> dict[str, str]:
    look = NodeLook("n1", NodeShape("operator"), name, operator="BatchNorm")
    drawing = CARD_STYLE.draw(look, Surroundings([]))
    body = CARD.body(look.shape)
    assert all(QRectF(body).contains(label.box) for label in drawing.labels if label.words.text)
    return {label.role: label.words.text for label in drawing.labels}


def test_a_long_name_is_written_smaller_and_its_operator_in_the_foot() -> None:
    assert drawn("bn1") == {"name": "bn1", "operator": "BatchNorm"}
    long = "stage3_unit18_bn2_moving"
    assert words(long, "name", CARD.body(NodeShape("operator")).width() - 28).text != long
    said = drawn(long)
    assert said["name"] == long
    assert said["operator"] == ""
    assert said.get("summary", "") in ("BatchNorm", "")
