"""Symbol files, documents and parameter files changed at random are read or refused, and never crash."""

import json
import struct
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.document.checks import analyse_after
from app.document.invariants import broken_invariants
from app.document.records import Document, Frame, Node, Note
from app.engine import Variable, sym
from app.engine.errors import EngineError, FormatError
from app.engine.inference.infer import infer
from app.resources import resource
from app.services.document_json import document_from_plain, document_text
from app.services.gallery import entries
from app.services.import_symbol import document_from_symbol
from app.services.params_file import parse_params, write_params
from app.services.project_file import read_any
from app.services.symbol_json import read_symbol, write_symbol


def small_network() -> str:
    x = sym.Convolution(Variable("data"), num_filter=4, kernel=(3, 3), name="conv")
    x = sym.BatchNorm(x, name="bn")
    parts = sym.SliceChannel(sym.Activation(x, act_type="relu", name="bent"), num_outputs=2, name="split")
    return write_symbol(sym.SoftmaxOutput(sym.Flatten(sym.Concat(*parts, name="joined")), name="softmax"))


SYMBOL = small_network()
ANNOTATED = Document(
    nodes={"n1": Node("n1", "Variable", "A")},
    frames={"f1": Frame("f1", "Encoder", colour="blue"), "f2": Frame("f2", size=(8.0, 8.0))},
    notes={"t1": Note("t1", "# Why\n\n* **so**"), "t2": Note("t2", width=80.0)},
)
DOCUMENTS = [resource("gallery", f"{entry.id}.chalk").read_text("utf-8") for entry in entries()]
DOCUMENTS += [document_text(ANNOTATED)] * 3
VALUES = st.sampled_from(
    [
        *(None, True, 0, -1, 1, 7, 2**31, 2**63, 10**30, 1.5, 1e308, "", "x" * 5000, "😀", "\ud800", "\0"),
        *(
            "(1000000000,)",
            "1000000000",
            "10000",
            "(-1, -1)",
            "nan",
            "null",
            "Concat",
            [],
            {},
            [[]],
            {"a": 1},
        ),
    ]
)


def places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to everything inside plain data."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inside:
        yield (*way, key)
        yield from places(item, (*way, key))


def changed(data: st.DataObject, text: str) -> Any:
    """Change, drop or double a few things in a file."""
    plain = json.loads(text)
    for _ in range(data.draw(st.integers(1, 3))):
        ways = list(places(plain))
        if not ways:
            return plain
        *way, key = ways[data.draw(st.integers(0, len(ways) - 1))]
        parent = plain
        for step in way:
            parent = parent[step]
        kind = data.draw(st.sampled_from(["value", "value", "number", "drop", "double"]))
        if kind == "drop":
            del parent[key]
        elif kind == "double" and isinstance(parent, list):
            parent.insert(key, json.loads(json.dumps(parent[key])))
        elif kind == "number" and type(parent[key]) is int:
            parent[key] += data.draw(st.sampled_from([-1, 1, 1000, -1000]))
        else:
            parent[key] = deepcopy(data.draw(VALUES))  # what is drawn is changed later, too
    return plain


def check_symbol(data: st.DataObject) -> None:
    try:
        symbol = read_symbol(json.dumps(changed(data, SYMBOL)))
    except EngineError as error:
        assert "\n" not in str(error) and len(str(error)) < 1300
        return
    document = document_from_symbol(symbol)
    analyse_after(None, document, None)
    assert broken_invariants(document) == []
    for problem in infer(symbol.graph, {"data": (2, 3, 8, 8)}).problems:
        assert len(problem.sentence) <= 600
    read_symbol(write_symbol(symbol))


@settings(max_examples=500)
@given(data=st.data())
def test_a_changed_symbol_file_is_opened_or_refused(data: st.DataObject) -> None:
    check_symbol(data)


@pytest.mark.slow
@settings(max_examples=4000)
@given(data=st.data())
def test_many_changed_symbol_files_are_opened_or_refused(data: st.DataObject) -> None:
    check_symbol(data)


@settings(max_examples=300)
@given(data=st.data())
def test_a_changed_document_is_opened_or_refused(data: st.DataObject) -> None:
    plain = changed(data, data.draw(st.sampled_from(DOCUMENTS)))
    try:
        document = document_from_plain(plain, None)
    except FormatError:
        return
    assert broken_invariants(document) == []
    analyse_after(None, document, None)


@settings(max_examples=400)
@given(data=st.data())
def test_changed_parameter_files_are_read_or_refused(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "whole.params"
    if not path.exists():
        write_params({"arg:w": np.ones((2, 3), np.float32), "aux:m": np.zeros(4, np.float64)}, path)
    broken = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(broken) - 8))
        width, layout = data.draw(st.sampled_from([(1, "<B"), (4, "<I"), (8, "<Q")]))
        most = 2 ** (8 * width) - 1
        number = data.draw(
            st.sampled_from([0, 1, 2, 33, most // 2, most, 0xF993FACA & most, 0x40000000 & most])
        )
        broken[place : place + width] = struct.pack(layout, number)
    if data.draw(st.booleans()):
        del broken[data.draw(st.integers(0, len(broken) - 1)) :]
    try:
        found = parse_params(bytes(broken))
    except FormatError:
        return
    assert sum(array.nbytes for array in found.values()) <= len(broken)


def test_nothing_is_too_deep(tmp_path: Path) -> None:
    path = tmp_path / "deep.json"
    for text in ("[" * 100_000, '{"nodes":' * 100_000, "[" * 100_000 + "]" * 100_000):
        path.write_text(text)
        with pytest.raises(FormatError):
            read_any(path)
        with pytest.raises(FormatError):
            read_symbol(text)


def test_a_negative_output_number_is_refused() -> None:
    nodes = [{"id": "n1", "op": "Variable", "name": "x"}, {"id": "n2", "op": "relu", "name": "y"}]
    edge = {"id": "e1", "source": "n1", "output": -1, "target": "n2", "input": 0}
    with pytest.raises(FormatError, match="negative output"):
        document_from_plain({"format": "chalkgraph", "version": 1, "nodes": nodes, "edges": [edge]})


def test_sizes_beside_a_zero_that_no_array_can_have_are_refused() -> None:
    head = struct.pack("<QQQIiI3qiii", 0x112, 0, 1, 0xF993FAC9, 0, 3, 0, 2**62, 2**62, 1, 0, 0)
    with pytest.raises(FormatError, match="no array has the shape"):
        parse_params(head + struct.pack("<Q", 0))
