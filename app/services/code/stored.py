"""The numbers that go with an exported program: what it starts from, and what it has to come to."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from app.document.analysis import Analysis
from app.engine.errors import FormatError
from app.services.array_files import array_names
from app.services.running import Results, bind, results_of, run
from app.services.writing import write_whole

Array = NDArray[Any]

MOST_INLINE = 64
"""A program with at most so many numbers in all carries them itself."""

PREFIXES = ("arg:", "aux:", "head:", "output:", "grad:", "after:")
"""Keys of the numbers: arguments, auxiliary states before and after, head gradients, outputs, gradients."""


@attrs.frozen(eq=False)
class Stored:
    """Arrays by key, in order: those the program reads, and those it is checked against."""

    arrays: Mapping[str, Array]
    results: Results

    @property
    def is_small(self) -> bool:
        """Tell whether the numbers can stand in the program."""
        return sum(array.size for array in self.arrays.values()) <= MOST_INLINE


def stored_numbers(analysis: Analysis, folder: Path | None) -> Stored:
    """Run a document once and keep its numbers; the values before the run are what a program starts from."""
    bound = bind(analysis, folder)
    executor = bound.executor
    arrays = {f"arg:{name}": array.copy() for name, array in executor.arg_dict.items()}
    arrays |= {f"aux:{name}": array.copy() for name, array in executor.aux_dict.items()}
    results = results_of(run(bound, backward=True))
    graph = results.graph
    arrays |= {f"head:{number}": array for number, array in enumerate(bound.head_gradients)}
    for name, output in zip(output_keys(graph.output_names), results.outputs, strict=True):
        assert output is not None
        arrays[f"output:{name}"] = output
    for name in results.requests:
        gradient = results.argument_gradient(name)
        if gradient is not None:
            arrays[f"grad:{name}"] = gradient
    arrays |= {f"after:{name}": array for name, array in executor.aux_dict.items()}
    return Stored(arrays, results)


def output_keys(names: tuple[str, ...]) -> list[str]:
    """Return the names of outputs, a second one of a name with `#2`."""
    seen: dict[str, int] = {}
    keys = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        keys.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return keys


def write_numbers(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write the numbers beside a program; a file of that name that is not such a one is never written over."""
    if path.exists() and not _is_ours(path):
        raise FormatError(f"{path.name} is there already and is not from an export. Choose another name.")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for key, array in arrays.items():
            member = io.BytesIO()
            np.save(member, np.ascontiguousarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{key}.npy"), member.getvalue(), zipfile.ZIP_DEFLATED)
    write_whole(path, buffer.getvalue())


def _is_ours(path: Path) -> bool:
    try:
        return all(name.startswith(PREFIXES) for name in array_names(path))
    except (FormatError, ValueError):
        return False
