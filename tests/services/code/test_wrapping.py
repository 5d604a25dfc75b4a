"""Lines of generated code: spelled and broken as a formatter would, checked against the formatter itself."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.code.names import Identifiers, identifier, literal
from app.services.code.tidying import tidy
from app.services.code.wrapping import WIDTH, wrap

LONG = [f"a_rather_long_name_{number}" for number in range(8)]

STATEMENTS = [
    "y = self.a ** (-0.5)",
    "x = f(a, b)",
    f"y = np.concatenate({LONG[0]}, {LONG[1]}, {LONG[2]}, {LONG[3]})",
    f"y = np.concatenate({', '.join(LONG)})",
    f"keys = [{', '.join(LONG[:5])}]",
    f"pairs = {{{', '.join(f'{name!r}: {name}' for name in LONG)}}}".replace("'", '"'),
    f"y = {' + '.join(LONG[:5])}",
    f"y = {' * '.join(LONG)}",
    f"y = np.array([{', '.join(f'[{number}.25, {number}.5, {number}.75, {number}.125]' for number in range(9))}])",
    f"y = {LONG[0]} * {LONG[1]}.reshape(1, -1, 1, 1) + {LONG[2]}.reshape(1, -1, 1, 1)[{LONG[3]}, {LONG[4]}]",
    'text = "a, b" + "' + "c" * 100 + '"',
]


def test_everything_is_as_the_formatter_would_have_it(tmp_path: Path) -> None:
    lines = ["def f():", "    pass", "", ""]
    for statement in STATEMENTS:
        lines += wrap(statement)
    lines += ["", "", *wrap(f"def g({', '.join(LONG)}):"), "    if True:"]
    for statement in STATEMENTS:
        lines += wrap(statement, 8)
    path = tmp_path / "lines.py"
    path.write_text("\n".join(lines) + "\n")
    command = [sys.executable, "-m", "ruff", "format", "--diff", "--isolated", "--line-length", str(WIDTH)]
    done = subprocess.run([*command, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def meaning(lines: list[str]) -> str:
    return ast.dump(ast.parse("\n".join(lines)))


@pytest.mark.parametrize("statement", STATEMENTS)
def test_breaking_keeps_the_meaning(statement: str) -> None:
    assert meaning(wrap(statement)) == meaning([statement])
    assert all(len(line) <= WIDTH or line.endswith("# fmt: skip") for line in wrap(statement))


TEXTS = st.text(alphabet="a, +([{}])'\"\\", max_size=40)


@given(
    st.lists(TEXTS, min_size=1), st.sampled_from(["y = f({})", "y = [{}]", "f(x, [{}])", "y = ({}) + f(x)"])
)
def test_texts_with_any_signs_in_them_stay_whole(texts: list[str], form: str) -> None:
    statement = form.format(", ".join(map(repr, texts)))
    assert meaning(wrap(statement)) == meaning([statement])
    total = f"y = {' + '.join(map(repr, texts))}"
    assert meaning(wrap(total)) == meaning([total])


@pytest.mark.parametrize(
    ("line", "tidied"),
    [
        ("y = ((x != 0) & (z != 0))", "y = (x != 0) & (z != 0)"),
        ("y = x ** 2", "y = x**2"),
        ("y = self.a ** -0.5", "y = self.a ** (-0.5)"),
        ("y = np.abs(x)**2", "y = np.abs(x) ** 2"),
        ("y = pool(x, kind='max')", 'y = pool(x, kind="max")'),
        ("y = say('\"')", "y = say('\"')"),
        ("y, = f(x)", "(y,) = f(x)"),
        ("g[...] = 1  # fix_gamma", "g[...] = 1  # fix_gamma"),
    ],
)
def test_lines_are_spelled_one_way(line: str, tidied: str) -> None:
    assert tidy(line) == tidied
    assert tidy(tidied) == tidied


def test_identifiers_stay_close_to_the_names() -> None:
    assert [identifier(name) for name in ("fc1", "conv 1", "1st", "class", "", "a-b.c")] == [
        "fc1",
        "conv_1",
        "_1st",
        "class_",
        "node",
        "a_b_c",
    ]
    names = Identifiers({"np"})
    assert [names.take(name) for name in ("np", "a-b", "a_b", "a b", "print")] == [
        "np_2",
        "a_b",
        "a_b_2",
        "a_b_3",
        "print_2",
    ]


@pytest.mark.parametrize("value", [3, -2.5, 2.0, 1e300, (1,), (1, 2.5), True, None, "max", float("-inf")])
def test_literals_are_read_back_as_they_were(value: object) -> None:
    assert eval(literal(value)) == value


def test_a_number_that_is_none_can_be_spelled() -> None:
    assert eval(literal(float("nan"))) != eval(literal(float("nan")))
