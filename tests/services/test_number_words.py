"""Numbers in words, and formulas with numbers in them."""

import pytest

from app.services.number_words import number_text, put_in, worked_out


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (10, "10"),
        (-0.0, "0"),
        (1 / 3, "0.3333"),
        (1e10, "1e10"),
        (1e-7, "1e−7"),
        (-2.5, "−2.5"),
        (float("nan"), "NaN"),
    ],
)
def test_numbers_are_written_for_people(value: float, text: str) -> None:
    assert number_text(value) == text


@pytest.mark.parametrize(
    ("formula", "numbers", "filled"),
    [
        ("D ⊙ d(E)", {"D": "2", "d(E)": "3"}, "2 × 3"),
        ("d(E) · D", {"D": "-2", "d(E)": "3"}, "3 · (-2)"),
        ("d(d) + d", {"d": "1", "d(d)": "5"}, "5 + 1"),
        ("2 · A", {"A": "4"}, "2 · 4"),
    ],
)
def test_numbers_are_put_into_formulas(formula: str, numbers: dict[str, str], filled: str) -> None:
    assert put_in(formula, numbers) == filled


def test_a_formula_is_followed_by_its_numbers_where_it_names_nothing_else() -> None:
    assert worked_out("A · B", {"A": "10", "B": "1"}, "10") == "10 · 1 = 10"
    assert worked_out("d(E)", {"d(E)": "4"}, "4") == "4", "no number twice"
    assert worked_out("", {"A": "10"}, "10") == "10"
