"""Loads a symbol from a file: MXNet's symbol JSON of any age, or the program's own document."""

import json
from pathlib import Path

from app.document.checks import analyse
from app.engine.errors import FormatError, GraphError
from app.engine.symbol import Symbol
from app.services.document_json import FORMAT
from app.services.project_file import read_project
from app.services.reading import read_text
from app.services.symbol_json import read_symbol


def load_symbol(path: Path, *, repair: bool = False) -> Symbol:
    """Return the symbol in a file; FormatError, GraphError or ParameterError tells what is wrong with it.

    With `repair`, what older builds of MXNet wrote otherwise is mended (`engine/repairs`).
    """
    text = read_text(path)
    if _is_document(text):
        return _symbol_of_document(path)
    try:
        return read_symbol(text, repair=repair)
    except FormatError as error:
        raise FormatError(f"{path.name}: {error.sentence}", node=error.node) from error


def nodes_to_repair(path: Path) -> frozenset[str]:
    """Name the nodes of a symbol file that a repair would change."""
    as_written, repaired = (load_symbol(path, repair=repair).graph.nodes for repair in (False, True))
    return frozenset(
        one.name
        for one, other in zip(as_written, repaired, strict=True)
        if (one.op_name, one.operator) != (other.op_name, other.operator)
    )


def _is_document(text: str) -> bool:
    if f'"{FORMAT}"' not in text:
        return False
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(plain, dict) and plain.get("format") == FORMAT


def _symbol_of_document(path: Path) -> Symbol:
    analysis = analyse(read_project(path))
    for problem in analysis.told_problems:
        if problem.severity == "error" and not problem.only_running:
            raise GraphError(problem.sentence, node=problem.name or None, port=problem.port)
    if analysis.symbol is None:
        raise GraphError(f"{path.name} has nothing to compute on its board.")
    return analysis.symbol
