"""The house rules that a machine can check: sizes, docstrings, no unfinished marks, no paths of one machine."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def files(folder: str, *kinds: str) -> list[Path]:
    """Return the files of these kinds below a folder of the project, without what a build has put there."""
    found = (path for kind in kinds for path in (ROOT / folder).rglob(kind))
    return sorted(path for path in found if "_resources" not in path.parts)


SOURCES = [*files("app", "*.py"), *files("bench", "*.py"), *files("tools", "*.py"), ROOT / "start.py"]
TESTS = files("tests", "*.py")
WRITINGS = ("*.md", "*.toml", "*.txt", "*.json", "*.svg")
TEXTS = [
    *SOURCES,
    *TESTS,
    *files("docs", *WRITINGS),
    *files("resources", *WRITINGS),
    *(path for kind in WRITINGS for path in ROOT.glob(kind)),
]
LONGEST_FILE = 400
LONGEST_FUNCTION = 50
LAYERS = {"engine", "document", "services", "qt", "canvas", "panels", "shell"}


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def is_table(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Tell whether a function does nothing but return one literal: data, whose length says nothing."""
    body = [part for part in function.body if not isinstance(part, ast.Expr)]
    return len(body) == 1 and isinstance(body[0], ast.Return)


def test_files_stay_short():
    sizes = {name(path): read(path).count("\n") for path in SOURCES}
    assert {file: size for file, size in sizes.items() if size > LONGEST_FILE} == {}


def test_functions_stay_short():
    sizes = {
        f"{name(path)}:{node.lineno} {node.name}": node.end_lineno - node.lineno + 1
        for path in SOURCES
        for node in ast.walk(ast.parse(read(path)))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not is_table(node)
    }
    assert {function: size for function, size in sizes.items() if size > LONGEST_FUNCTION} == {}


def test_every_module_says_what_it_is():
    docstrings = {name(path): ast.get_docstring(ast.parse(read(path))) or "" for path in SOURCES + TESTS}
    first_lines = {file: text.split("\n")[0] for file, text in docstrings.items()}
    assert {file: line for file, line in first_lines.items() if not line.endswith((".", ":", "?"))} == {}


def test_nothing_is_marked_as_unfinished():
    mark = re.compile("|".join((r"\bTO" + "DO", r"\bFIX" + "ME", r"\bXX" + r"X\b", r"\bHA" + r"CK\b")))
    assert [name(path) for path in SOURCES + TESTS if mark.search(read(path))] == []


def test_nothing_names_one_machine():
    place = re.compile(
        "|".join((r"/ho" + r"me/\w", "/ro" + "ot/", "/Use" + r"rs/\w", r"/wo" + r"rk/\w", "/op" + r"t/\w"))
    )
    found = {name(path): match.group() for path in TEXTS if (match := place.search(read(path)))}
    assert found == {}


def test_no_test_is_lost_to_a_second_of_its_name():
    for path in TESTS:
        module = ast.parse(read(path))
        for scope in (module, *(node for node in module.body if isinstance(node, ast.ClassDef))):
            tests = [node.name for node in scope.body if isinstance(node, ast.FunctionDef)]
            assert len(tests) == len(set(tests)), name(path)


def test_tests_mirror_the_program():
    """A folder of tests stands for a folder of the program, or is one of the few that cross all of it."""
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and path.name[0] not in "._"}
    assert folders <= LAYERS | {"journeys", "golden", "pictures"}


def test_constraints_pin_every_package_and_name_no_place():
    lines = [line for line in read(ROOT / "constraints.txt").splitlines() if not line.startswith("#")]
    pins = [re.fullmatch(r"([A-Za-z0-9_.-]+)==[0-9][0-9a-z.]*", line) for line in lines]
    assert all(pins)
    packages = [pin.group(1).lower() for pin in pins]
    assert packages == sorted(packages)
