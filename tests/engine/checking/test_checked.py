"""What a gradient check says of its elements."""

from app.engine.checking.checked import CheckedElement, GradientCheck


def element(place: int, analytic: float, numeric: float, tolerance: float, **more: bool) -> CheckedElement:
    return CheckedElement((place,), 1.0, analytic, numeric, 1e-3, tolerance, **more)


def check(*elements: CheckedElement, size: int) -> GradientCheck:
    return GradientCheck("x", (size,), "float64", 5, elements, ())


RIGHT = element(0, 2.0, 2.001, 0.01)
KINK = element(1, 1.0, 0.5, 0.01, is_kink=True)
WRONG = element(2, 3.0, 2.0, 0.1)
FAR = element(3, 90.0, 100.0, 5.0)
"""Further off than the wrong one, though less so against what is allowed."""


def test_the_worst_is_the_one_that_is_furthest_from_what_is_allowed() -> None:
    assert check(RIGHT, WRONG, FAR, size=3).worst is WRONG
    assert check(FAR, RIGHT, size=2).worst is FAR
    assert check(size=0).worst is None


def test_the_sentences() -> None:
    assert check(RIGHT, size=1).sentence == (
        "The gradient of x agrees with finite differences at its one element; the largest difference is 0.001."
    )
    assert check(RIGHT, KINK, size=2).sentence == (
        "The gradient of x agrees with finite differences at all 2 elements, 1 of them at a kink;"
        " the largest difference is 0.001."
    )
    assert check(KINK, size=2000).sentence == (
        "The gradient of x agrees with finite differences at 1 of its 2,000 elements (chosen by seed 5),"
        " 1 of them at a kink; the largest difference is 0.5."
    )
    worst = "the worst is [2]: 3 by backward, 2 by differences."
    assert check(RIGHT, WRONG, size=2).sentence == (
        f"The gradient of x disagrees with finite differences at 1 of 2 elements; {worst}"
    )
    assert check(RIGHT, WRONG, FAR, size=2000).sentence == (
        f"The gradient of x disagrees with finite differences at 2 of the 3 elements tried; {worst}"
    )
    assert check(WRONG, size=1).sentence == (
        f"The gradient of x disagrees with finite differences at its one element; {worst}"
    )
    assert check(size=0).sentence == "x has no elements, so there is nothing to check."
