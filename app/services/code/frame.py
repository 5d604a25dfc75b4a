"""What surrounds the computation in an exported program: its heading and its stored numbers."""

from app.document.analysis import Analysis
from app.document.constants import spell
from app.engine.errors import EngineError
from app.engine.shapes import element_count
from app.services.code.lines import CodeLines
from app.services.code.stored import MOST_INLINE, Array, Stored, stored_numbers
from app.services.code.wrapping import wrap

PREVIEW_NUMBERS = "graph_numbers.npz"


def heading(analysis: Analysis, language: str) -> str:
    """Return the docstring of a program: what it is, and how it is run."""
    title = " ".join(analysis.document.options.title.split()) or "A graph"
    title = title.replace("\\", "/").replace('"', "'")[:80]
    return (
        f'"""{title}, written for {language} by Chalkgraph.\n\n'
        "Run the file: it prints outputs and small gradients, and compares all numbers with those of Chalkgraph.\n"
        '"""'
    )


def add(lines: CodeLines, text: str, indent: int = 0, ids: tuple[str, ...] = ()) -> None:
    """Add one statement, broken where it is too long."""
    for line in wrap(text, indent):
        lines.add(line, ids)


def preview_numbers(analysis: Analysis) -> Stored | None:
    """Return the numbers of a small graph, None where they would go to a file or cannot be had right now."""
    graph, inference = analysis.graph, analysis.inference
    if graph is None or inference is None or not analysis.can_bind:
        return None
    variables = [*graph.arguments, *graph.auxiliary]
    entries = [*((index, 0) for index in variables), *graph.heads]
    if sum(element_count(inference.shape(entry)) for entry in entries) > MOST_INLINE:
        return None
    try:
        return stored_numbers(analysis, None)
    except EngineError:
        return None


def add_numbers_function(lines: CodeLines, stored: Stored | None, file_name: str, backend: str) -> None:
    """Write `numbers()`, which returns all stored arrays by key, from the program itself or from the file."""
    lines.add("\n\ndef numbers():")
    lines.add('    """Return the numbers to start from and those to come to, by key."""')
    if stored is None or not stored.is_small:
        add(lines, f'path = Path(__file__).with_name("{file_name}")', 4)
        lines.add("    with np.load(path) as file:")
        whole = "dict(file)" if backend == "numpy" else "{key: torch.from_numpy(file[key]) for key in file}"
        lines.add(f"        return {whole}")
        return
    items = ", ".join(f"{_text(key)}: {_array(array, backend)}" for key, array in stored.arrays.items())
    add(lines, f"return {{{items}}}", 4)


def quoted(keys: list[str]) -> str:
    """Write keys as a list of texts in double quotes."""
    return "[" + ", ".join(_text(key) for key in keys) + "]"


def _text(key: str) -> str:
    return '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _array(array: Array, backend: str) -> str:
    text = spell(array)
    if backend == "numpy":
        return (
            f"np.array({text.replace('NaN', 'np.nan').replace('Infinity', 'np.inf')}, np.{array.dtype.name})"
        )
    text = text.replace("NaN", 'float("nan")').replace("Infinity", 'float("inf")')
    return f"torch.tensor({text}, dtype=torch.{array.dtype.name})"


def small_gradients(size: str) -> str:
    """Return the lines that print gradients of a few numbers; `size` counts those of `gradient`."""
    return (
        "    for key, gradient in found.items():\n"
        f'        if key.startswith("grad:") and {size} <= 20:\n'
        "            print(f\"d({key.partition(':')[2]}) = {gradient}\")"
    )
