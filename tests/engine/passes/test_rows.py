"""Two rows of calls keep step: nothing runs before what it needs of the other row, in two threads or in one."""

import time
from collections.abc import Callable

import pytest

from app.engine.kernels.crew import side_by_side
from app.engine.passes.rows import in_step
from app.engine.stepping import Call, Misstep

NEEDS = (-1, 0, 1)
"""Each place needs the one before it of the other row."""


def calls(done: list[str], row: str, slow: str) -> list[Call]:
    def call(name: str) -> Callable[[], None]:
        def run() -> None:
            time.sleep(0.01 if row == slow else 0)
            done.append(name)

        return run

    return [call(f"{row}{number}") for number in range(len(NEEDS))]


def in_the_helper(step: Call) -> Call:
    return step


def while_the_helper_is_busy(step: Call) -> Call:
    return side_by_side(step, lambda: None)


@pytest.mark.parametrize("slow", ["a", "b"])
@pytest.mark.parametrize("where", [in_the_helper, while_the_helper_is_busy])
def test_the_faster_row_waits_for_the_slower(slow: str, where: Callable[[Call], Call]) -> None:
    done: list[str] = []
    both = where(in_step(calls(done, "a", slow), calls(done, "b", slow), NEEDS))
    for _ in range(2):  # a step begins anew each time
        done.clear()
        both()
        assert sorted(done) == ["a0", "a1", "a2", "b0", "b1", "b2"]
        for number, need in enumerate(NEEDS):
            for own, other in ("ab", "ba"):
                assert need < 0 or done.index(f"{own}{number}") > done.index(f"{other}{need}")


@pytest.mark.parametrize("row", [0, 1])
@pytest.mark.parametrize("where", [in_the_helper, while_the_helper_is_busy])
def test_what_goes_wrong_is_told_with_its_place(row: int, where: Callable[[Call], Call]) -> None:
    def fail() -> None:
        raise ValueError("as numpy does")

    rows = calls([], "a", ""), calls([], "b", "")
    rows[row][1] = fail
    with pytest.raises(Misstep) as misstep:
        where(in_step(*rows, NEEDS))()
    assert misstep.value.number == 1
    assert isinstance(misstep.value.__cause__, ValueError)
