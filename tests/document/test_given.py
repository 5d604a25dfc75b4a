"""What bindings say about shapes and types."""

import pytest

from app.document import edits
from app.document.given import given_by
from app.document.records import Binding, Settings, empty_document
from app.engine.errors import BindError
from app.engine.shapes import Shape


def file_shapes(binding: Binding, options: Settings) -> Shape:
    """Stand in for the services: files are (3, 4), data sets have the batch's rows, and one file is missing."""
    if binding.value == "gone.npy":
        raise BindError("there is no file gone.npy.")
    return (3, 4) if binding.kind == "file" else (options.batch, 64)


def test_shapes_and_types_by_name() -> None:
    document = empty_document()
    for binding in (
        Binding("number", "constant", "3"),
        Binding("list", "constant", "[1, 2]", dtype="int32"),
        Binding("told", "initializer", "ones", (2, 0)),
        Binding("filled", "constant", "3", (2, 2)),
        Binding("file", "file", "x.npy", (0, 4)),
        Binding("rows", "dataset", "digits#image", dtype="float64"),
        Binding("unused", "constant", "[1]"),
    ):
        document = edits.set_binding(document, binding).apply(document)
    names = [name for name in document.bindings if name != "unused"]
    given = given_by(document, [*names, "not bound"], file_shapes)
    assert given.shapes == {"list": (2,), "told": (2, 0), "filled": (2, 2), "file": (3, 4), "rows": (64, 64)}
    assert given.numbers == {"number"}
    assert given.types == {"list": "int32", "rows": "float64"}
    assert given.faults == ()


@pytest.mark.parametrize(
    ("binding", "words"),
    [
        (Binding("A", "constant", "[[1], [2, 3]]"), "The list at [1] has length 2"),
        (Binding("A", "constant", "[1, 2]", (3,)), "it has shape (2), but (3) is asked for"),
        (Binding("A", "file", "x.npy", (4, 4)), "it has shape (3, 4), but (4, 4) is asked for"),
        (Binding("A", "file", "gone.npy"), "there is no file gone.npy"),
        (Binding("A", "constant", "1", dtype="float23"), "'float23' is no type; there are float16"),
    ],
)
def test_values_that_cannot_be_are_faults(binding: Binding, words: str) -> None:
    document = edits.set_binding(empty_document(), binding).apply(empty_document())
    given = given_by(document, ["A"], file_shapes)
    ((name, sentence),) = given.faults
    assert name == "A"
    assert sentence.startswith("The value of A: ")
    assert words in sentence
    assert given.shapes == {}


def test_without_anyone_to_ask_files_are_open() -> None:
    document = edits.set_binding(empty_document(), Binding("A", "file", "x.npy", (0, 4))).apply(
        empty_document()
    )
    assert given_by(document, ["A"], None).shapes == {"A": (0, 4)}
