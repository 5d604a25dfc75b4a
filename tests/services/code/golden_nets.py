"""Documents of whole networks, from the symbol files and arrays that a real MXNet left in the golden cases."""

import io
import json
from pathlib import Path
from zipfile import ZipFile

import attrs
import numpy as np

from app.document.constants import spell
from app.document.records import Binding, Document, Head, Settings
from app.engine.symbol import Symbol
from app.services.import_symbol import document_from_symbol
from app.services.symbol_json import read_symbol

_ARCHIVE = ZipFile(Path(__file__).parents[2] / "golden" / "cases.zip")
_CASES = {
    case["id"]: case
    for case in json.loads(_ARCHIVE.read("run/index.json"))["cases"]
    if case["family"].startswith("net:")
}
NETS = tuple(_CASES)


def net_symbol(case_id: str) -> Symbol:
    """Return the symbol of a case."""
    return read_symbol(_ARCHIVE.read(f"run/{_CASES[case_id]['model']}").decode())


def net_document(case_id: str) -> Document:
    """Return a case as a document: its symbol imported, its arrays as constants."""
    case, symbol = _CASES[case_id], net_symbol(case_id)
    with np.load(io.BytesIO(_ARCHIVE.read(f"run/{case['inputs']}"))) as file:
        arrays = dict(file)
    words = case["grad_req"]
    bindings = {}
    for key, array in arrays.items():
        kind, _, name = key.partition(":")
        if kind in ("arg", "aux"):
            word = words if isinstance(words, str) else words.get(name, words.get("*", "write"))
            request = "null" if kind == "aux" or "label" in name else word
            bindings[name] = Binding(name, "constant", spell(array), dtype=array.dtype.name, request=request)
    names = symbol.list_outputs()
    heads = {
        name: Head(name, spell(arrays[f"head:{number}"]))
        for number, name in enumerate(names)
        if f"head:{number}" in arrays
    }
    document = document_from_symbol(symbol, title=case_id)
    settings = attrs.evolve(document.options, train=case["train"])
    return attrs.evolve(document, bindings=bindings, heads=heads, settings={Settings().id: settings})
