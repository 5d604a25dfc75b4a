"""Ready-made functions that exported programs call: their source is copied, with everything they call in turn."""

import ast
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

import attrs

Backend = Literal["numpy", "torch"]
_HERE = Path(__file__).parent
_FOLDERS: Mapping[Backend, Path] = {"numpy": _HERE, "torch": _HERE.parents[1] / "engine" / "backends"}
"""Numpy's are only ever read as text; PyTorch's also run, in the engine's backend."""


@attrs.frozen
class Part:
    """One function or class: its source, and the other parts that it names."""

    name: str
    source: str
    names: frozenset[str]


@cache
def parts(backend: Backend) -> Mapping[str, Part]:
    """Return every part for numpy or PyTorch, in the order of the source files."""
    found: dict[str, Part] = {}
    for path in sorted(_FOLDERS[backend].glob(f"{backend}_parts*.py")):
        for part in _read(path.read_text(encoding="utf-8")):
            if part.name in found:
                raise RuntimeError(f"two parts are named {part.name}")
            found[part.name] = part
    return found


def needed_parts(backend: Backend, lines: Iterable[str]) -> list[Part]:
    """Return the parts that some lines call, directly or through other parts, in the order of the source files."""
    known = parts(backend)
    waiting = [name for line in lines for name in names_in(line) if name in known]
    needed: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += [other for other in known[name].names if other in known]
    return [part for name, part in known.items() if name in needed]


@lru_cache(maxsize=16384)
def names_in(line: str) -> frozenset[str]:
    """Return the names that a line of code reads."""
    return frozenset(_loaded(ast.parse(line)))


@lru_cache(maxsize=16384)
def names_set_by(line: str) -> tuple[str, ...]:
    """Return the names that a line of code gives a value, in order."""
    nodes = ast.walk(ast.parse(line))
    return tuple(node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))


def _read(text: str) -> list[Part]:
    found = []
    for node in ast.parse(text).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            source = ast.get_source_segment(text, node)
            assert source is not None
            found.append(Part(node.name, source, frozenset(_loaded(node)) - {node.name}))
    return found


def _loaded(tree: ast.AST) -> set[str]:
    return {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
