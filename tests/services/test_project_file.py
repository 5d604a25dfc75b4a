"""Saving and opening documents: nothing is lost, equal documents give equal bytes, wrong files give a sentence."""

import json
import os
import time
from pathlib import Path

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.document.constants import spell
from app.document.records import (
    Arity,
    Binding,
    Document,
    Edge,
    Frame,
    Head,
    Node,
    Note,
    Settings,
    empty_document,
)
from app.engine.errors import FormatError
from app.services import project_file
from app.services.document_json import document_from_plain, document_text, plain_from_text
from app.services.project_file import array_path, read_any, read_project, write_project
from tests.strategies import frames

texts = st.text(max_size=12)
ids = st.text(min_size=1, max_size=6)
numbers = st.floats(allow_nan=False, allow_infinity=False)
shapes = st.none() | st.lists(st.integers(0, 9), max_size=4).map(tuple)


def _table(records):  # type: ignore[no-untyped-def]
    return st.lists(records, max_size=5, unique_by=lambda record: record.id).map(
        lambda found: {record.id: record for record in found}
    )


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Any document that can be on the board, sensible or not."""
    nodes = draw(
        _table(
            st.builds(
                Node,
                id=ids,
                op=texts,
                name=texts,
                position=st.tuples(numbers, numbers),
                params=st.dictionaries(texts, texts, max_size=3),
                attributes=st.dictionaries(texts, texts, max_size=3),
            )
        )
    )
    edges = {}
    if nodes:
        ends = st.sampled_from(sorted(nodes))
        wires = st.builds(
            Edge, id=ids, source=ends, output=st.integers(0, 3), target=ends, input=st.integers(0, 3)
        )
        found = draw(st.lists(wires, max_size=5, unique_by=lambda edge: (edge.target, edge.input)))
        edges = {edge.id: edge for edge in found if edge.id not in nodes}
    bindings = st.builds(
        Binding,
        id=ids,
        kind=st.sampled_from(["none", "constant", "initializer", "file", "dataset"]),
        value=texts,
        shape=shapes,
        dtype=texts,
        request=st.sampled_from([None, "write", "add", "null"]),
    )
    notes = st.builds(Note, st.sampled_from(["a note 1", "a note 2"]), texts, st.tuples(numbers, numbers))
    settings = st.builds(
        Settings,
        title=texts,
        heads=st.lists(ids, max_size=3).map(tuple),
        seed=st.integers(),
        train=st.booleans(),
        style=st.sampled_from(["picture", "card"]),
        batch=st.integers(),
    )
    return Document(
        nodes=nodes,
        edges=edges,
        bindings=draw(_table(bindings)),
        heads=draw(_table(st.builds(Head, id=ids, gradient=texts))),
        frames=draw(_table(frames(st.sampled_from(["frame 2", "frame 10"])))),
        notes=draw(_table(notes)),
        settings={"settings": draw(settings)},
    )


def _example() -> Document:
    return Document(
        nodes={
            "n10": Node("n10", "Variable", "A", (8.0, -16.5)),
            "n2": Node("n2", "FullyConnected", "fc1", (0.0, 64.0), {"num_hidden": "3"}, {"__lr_mult__": "2"}),
        },
        edges={"e1": Edge("e1", "n10", 0, "n2", 0)},
        bindings={"A": Binding("A", "constant", "[[1, 2]]", request="add")},
        heads={"fc1_output": Head("fc1_output", "2")},
        settings={"settings": Settings(title="Two nodes", heads=("n2",), batch=32)},
    )


def _with_constant(array: np.ndarray) -> Document:
    return attrs.evolve(_example(), bindings={"fc1_weight": Binding("fc1_weight", "constant", spell(array))})


@given(documents())
def test_text_and_back_is_the_same_document(document: Document) -> None:
    text = document_text(document)
    again = document_from_plain(plain_from_text(text))
    assert again == document
    assert document_text(again) == text


@given(documents())
def test_the_order_of_making_does_not_show(document: Document) -> None:
    backwards = attrs.evolve(
        document,
        nodes=dict(reversed(document.nodes.items())),
        edges=dict(reversed(document.edges.items())),
        bindings=dict(reversed(document.bindings.items())),
    )
    assert document_text(backwards) == document_text(document)


def test_a_record_is_one_line_and_defaults_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "two.chalk"
    write_project(_example(), path)
    assert path.read_text() == (
        "{\n"
        ' "format": "chalkgraph",\n'
        ' "version": 1,\n'
        ' "settings": {"title": "Two nodes", "heads": ["n2"], "batch": 32},\n'
        ' "nodes": [\n'
        '  {"id": "n2", "op": "FullyConnected", "name": "fc1", "position": [0, 64], "params": {"num_hidden": "3"},'
        ' "attributes": {"__lr_mult__": "2"}},\n'
        '  {"id": "n10", "op": "Variable", "name": "A", "position": [8, -16.5]}\n'
        " ],\n"
        ' "edges": [\n'
        '  {"id": "e1", "source": "n10", "output": 0, "target": "n2", "input": 0}\n'
        " ],\n"
        ' "bindings": [\n'
        '  {"id": "A", "kind": "constant", "value": "[[1, 2]]", "request": "add"}\n'
        " ],\n"
        ' "heads": [\n'
        '  {"id": "fc1_output", "gradient": "2"}\n'
        " ]\n"
        "}\n"
    )
    assert read_project(path) == _example()
    assert not array_path(path).exists()


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_large_constants_lie_beside_and_come_back_letter_by_letter(tmp_path: Path, dtype: str) -> None:
    path = tmp_path / "weights.chalk"
    array = (np.random.default_rng(3).normal(size=(30, 40)) * 100).astype(dtype)
    document = _with_constant(array)
    write_project(document, path)
    assert path.stat().st_size < 1000
    with np.load(array_path(path)) as archive:
        (stored,) = (archive[key] for key in archive)
    assert stored.dtype == dtype
    assert np.array_equal(stored, array)
    assert read_project(path) == document
    before = path.read_bytes(), array_path(path).read_bytes()
    write_project(read_project(path), path)
    assert (path.read_bytes(), array_path(path).read_bytes()) == before


def test_a_long_text_that_no_array_gives_back_stays_as_typed(tmp_path: Path) -> None:
    path = tmp_path / "odd.chalk"
    document = attrs.evolve(
        _example(), bindings={"A": Binding("A", "constant", "[" + "1.50,  " * 500 + "2]")}
    )
    write_project(document, path)
    assert read_project(path) == document
    assert not array_path(path).exists()


def test_arrays_no_longer_named_go_away(tmp_path: Path) -> None:
    path = tmp_path / "weights.chalk"
    first, second = np.arange(2000.0) / 7, np.arange(2000.0) / 3
    write_project(_with_constant(first), path)
    write_project(_with_constant(second), path)
    with np.load(array_path(path)) as archive:
        assert len(archive.files) == 1
    write_project(_example(), path)
    assert not array_path(path).exists()


def test_a_crash_between_the_two_files_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "weights.chalk"
    old, new = _with_constant(np.arange(2000.0) / 7), _with_constant(np.arange(2000.0) / 3)
    write_project(old, path)
    real = project_file.write_whole
    for survivors in range(3):
        done: list[Path] = []

        def crashing(target: Path, data: bytes, limit: int = survivors, done: list[Path] = done) -> None:
            if len(done) == limit:
                raise KeyboardInterrupt
            done.append(target)
            real(target, data)

        monkeypatch.setattr(project_file, "write_whole", crashing)
        with pytest.raises(KeyboardInterrupt):
            write_project(new, path)
        assert read_project(path) == (old if survivors < 2 else new)
        monkeypatch.setattr(project_file, "write_whole", real)
        write_project(old, path)


def test_a_file_that_was_renamed_finds_its_arrays(tmp_path: Path) -> None:
    path = tmp_path / "weights.chalk"
    document = _with_constant(np.arange(2000.0) / 7)
    write_project(document, path)
    path.rename(tmp_path / "renamed.chalk")
    assert read_project(tmp_path / "renamed.chalk") == document


def test_missing_and_damaged_arrays_are_named(tmp_path: Path) -> None:
    path = tmp_path / "weights.chalk"
    write_project(_with_constant(np.arange(2000.0) / 7), path)
    array_path(path).write_bytes(array_path(path).read_bytes()[:-200])
    with pytest.raises(FormatError, match=r"weights\.chalk\.npz is damaged"):
        read_project(path)
    array_path(path).unlink()
    with pytest.raises(
        FormatError, match=r"should be in weights\.chalk\.npz beside it; that file is missing"
    ):
        read_project(path)


def test_arrays_of_someone_else_are_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "weights.chalk"
    np.savez(array_path(path), mine=np.arange(3))
    before = array_path(path).read_bytes()
    with pytest.raises(FormatError, match="is there already and holds something else"):
        write_project(_with_constant(np.arange(2000.0) / 7), path)
    assert not path.exists()
    write_project(_example(), path)
    assert array_path(path).read_bytes() == before
    assert read_project(path) == _example()


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "two.chalk"
    write_project(_example(), path)
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FormatError, match=r"two\.chalk could not be written \(No space left on device\)"):
        write_project(empty_document(), path)
    assert path.read_bytes() == before
    assert [found.name for found in tmp_path.iterdir()] == ["two.chalk"]


def test_permissions_and_links_stay(tmp_path: Path) -> None:
    real, link = tmp_path / "real.chalk", tmp_path / "link.chalk"
    write_project(_example(), real)
    real.chmod(0o640)
    link.symlink_to(real)
    write_project(empty_document(), link)
    assert link.is_symlink()
    assert read_project(real) == empty_document()
    assert real.stat().st_mode & 0o777 == 0o640


BROKEN = {
    "cut short": (lambda text: text[:200], r"from line 6, column \d+ on it is not JSON \([^)]+\)\.\Z"),
    "newer": (lambda text: text.replace('"version": 1', '"version": 9'), "newer Chalkgraph saved it"),
    "no version": (lambda text: text.replace('"version": 1', '"version": "x"'), "no version number"),
    "another format": (lambda text: text.replace('"chalkgraph"', '"draw"'), "does not say"),
    "unknown part": (lambda text: text.replace('"heads": [', '"layers": [], "heads": [', 1), "record|layers"),
    "unknown key": (lambda text: text.replace('"op"', '"colour": "red", "op"'), r'nodes \("n2"\).*"colour"'),
    "missing key": (lambda text: text.replace('"target": "n2", ', ""), r'edges \("e1"\): target is missing'),
    "wrong kind": (lambda text: text.replace('"fc1"', "3"), r'nodes \("n2"\): name: 3 is not a text'),
    "wrong point": (
        lambda text: text.replace("[0, 64]", "[0]"),
        "position: .0. is not a list of two numbers",
    ),
    "wrong word": (
        lambda text: text.replace('"add"', '"plus"'),
        'request: "plus" is none of write, add, null',
    ),
    "wrong shape": (
        lambda text: text.replace('"request"', '"shape": ["a"], "request"'),
        '"a" is not a whole number',
    ),
    "a text for a list": (
        lambda text: text.replace('"request"', '"shape": "12", "request"'),
        "is not a list",
    ),
    "beyond all numbers": (lambda text: text.replace("-16.5", "1e999"), "position: inf is no number"),
    "not a number": (lambda text: text.replace("-16.5", "NaN"), "NaN is no JSON number"),
    "id twice": (lambda text: text.replace('"n10", "op"', '"n2", "op"'), "earlier record with this id"),
    "key twice": (lambda text: text.replace('"op"', '"id": "q", "op"', 1), 'key "id" stands twice'),
    "loose wire": (lambda text: text.replace('"source": "n10"', '"source": "n11"'), 'ends at "n11"'),
    "a number for a file": (
        lambda text: text.replace("{", '{"arrays": 5,', 1),
        "arrays is not the name of a file",
    ),
    "a list": (lambda _: "[1]", "not an object"),
    "empty": (lambda _: "", "it is empty. What opens are Chalkgraph's documents"),
    "very deep": (lambda _: "[" * 100_000, "not JSON that can be read"),
}


def test_only_a_document_with_an_opaque_node_needs_the_newer_version() -> None:
    assert '"version": 1' in document_text(_example())
    nodes = {"n1": Node("n1", "Mystery", "m", arity=Arity(2, hidden=1))}
    text = document_text(Document(nodes=nodes))
    assert '"version": 2' in text
    assert document_from_plain(plain_from_text(text)).nodes == nodes


def test_only_a_document_with_frames_or_notes_says_so_and_needs_the_newest_version() -> None:
    assert "frames" not in document_text(_example())
    framed = attrs.evolve(_example(), frames={"f1": Frame("f1", "Encoder")})
    noted = attrs.evolve(_example(), notes={"t1": Note("t1", "# Why")})
    for document, line in (
        (framed, '  {"id": "f1", "title": "Encoder", "position": [0, 0], "size": [240, 160]}'),
        (noted, '  {"id": "t1", "text": "# Why", "position": [0, 0], "width": 240}'),
    ):
        text = document_text(document)
        assert '"version": 4' in text and line in text.splitlines()
        assert document_from_plain(plain_from_text(text)) == document


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[240, 160]", "[240, 0]", r'frames \("f1"\): .*size is not above 0'),
        ("[240, 160]", "[240, 1e300]", "size is not above 0 and up to 1000000"),
        ("[240, 160]", "[240]", "size: .240. is not a list of two numbers"),
        ('"grey"', '"pink"', 'colour: "pink" is none of grey, blue'),
        ('"title": "Encoder"', '"title": 3', "title: 3 is not a text"),
        ('"f1"', '"n2"', "two things on the board share the id 'n2'"),
        ('"grey"', '"grey", "members": []', r'frames \("f1"\): "members" is a key'),
    ],
)
def test_a_damaged_frame_is_a_sentence(old: str, new: str, words: str) -> None:
    text = document_text(attrs.evolve(_example(), frames={"f1": Frame("f1", "Encoder")}))
    text = text.replace("[240, 160]", '[240, 160], "colour": "grey"')
    assert document_from_plain(plain_from_text(text)).frames
    with pytest.raises(FormatError, match=words):
        document_from_plain(plain_from_text(text.replace(old, new)))


def test_an_id_of_more_digits_than_a_number_may_have_is_written() -> None:
    keys = ("n10", "n2", f"n{'9' * 5000}", "n007", "m")
    text = document_text(Document(nodes={key: Node(key, "Variable", key) for key in keys}))
    assert list(document_from_plain(plain_from_text(text)).nodes) == ["m", "n2", "n007", "n10", keys[2]]


def test_the_first_of_many_wrong_items_is_enough() -> None:
    text = document_text(_example()).replace('"request"', '"shape": [{}], "request"')
    begin = time.perf_counter()
    with pytest.raises(FormatError, match="is not a whole number"):
        document_from_plain(plain_from_text(text.replace("[{}]", str(["a"] * 200_000).replace("'", '"'))))
    assert time.perf_counter() - begin < 1


@pytest.mark.parametrize("count", [-1, 1_000_000_000, '"2"', "true"])
def test_an_arity_that_no_operator_has_is_refused(count: object) -> None:
    text = document_text(Document(nodes={"n1": Node("n1", "Mystery", "m", arity=Arity(2))}))
    with pytest.raises(FormatError, match="arity"):
        document_from_plain(plain_from_text(text.replace('"inputs": 2', f'"inputs": {count}')))


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_a_sentence_with_its_place(tmp_path: Path, case: str) -> None:
    path = tmp_path / "broken.chalk"
    damage, words = BROKEN[case]
    text = damage(document_text(_example()))
    assert text != document_text(_example())
    path.write_text(text)
    with pytest.raises(FormatError, match=words) as caught:
        read_project(path)
    assert str(caught.value).startswith("broken.chalk could not be opened: ")
    assert path.read_text() == text


@given(st.data())
def test_any_damage_is_a_sentence_or_a_document(data: st.DataObject) -> None:
    plain = json.loads(document_text(_example()))
    junk = st.recursive(st.none() | st.booleans() | st.integers() | texts, st.lists, max_leaves=4)
    target = plain
    for _ in range(data.draw(st.integers(0, 2))):
        holders = target.items() if isinstance(target, dict) else enumerate(target)
        inner = [value for _, value in holders if isinstance(value, (dict, list)) and value]
        target = data.draw(st.sampled_from(inner)) if inner else target
    key = data.draw(st.sampled_from(sorted(target) if isinstance(target, dict) else range(len(target))))
    target[key] = data.draw(junk)
    try:
        document = document_from_plain(plain)
    except FormatError as error:
        assert "\n" not in str(error)
    else:
        assert document_from_plain(plain_from_text(document_text(document))) == document


def test_files_that_are_no_documents(tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    picture.write_bytes(b"\x89PNG\r\n")
    with pytest.raises(FormatError, match=r"picture\.png is not a text file"):
        read_any(picture)
    with pytest.raises(FormatError, match=r"There is no file gone\.chalk in "):
        read_project(tmp_path / "gone.chalk")
    other = tmp_path / "package.json"
    other.write_text('{"name": "x"}')
    with pytest.raises(FormatError, match="neither a Chalkgraph document nor an MXNet symbol file"):
        read_any(other)


def test_line_ends_and_marks_of_other_systems_are_read(tmp_path: Path) -> None:
    path = tmp_path / "two.chalk"
    path.write_bytes(b"\xef\xbb\xbf" + document_text(_example()).replace("\n", "\r\n").encode())
    assert read_any(path).document == _example()
