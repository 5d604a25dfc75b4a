"""Runs two rows of calls, each in a thread of its own, where some wait until the other row has come far enough."""

import time
from collections.abc import Sequence

from app.engine.kernels.crew import side_by_side
from app.engine.refusals import FAULTS
from app.engine.stepping import Call, Misstep

BEHIND_ALL = 1 << 30


def in_step(first: Sequence[Call], second: Sequence[Call], needs: Sequence[int]) -> Call:
    """Return the call that runs both rows; before each place the other row must have done the place that it needs.

    What goes wrong is a Misstep, with the place in the row.
    """
    done = [-1, -1]
    """The last place that each row has done."""
    rows = _row(first, needs, done, 0), _row(second, needs, done, 1)

    def alone() -> None:
        for number, calls in enumerate(zip(first, second, strict=True)):
            with _Placed(number):
                for call in calls:
                    call()

    def give_up() -> None:
        done[0] = BEHIND_ALL

    both = side_by_side(rows[0], rows[1], alone, give_up)

    def run() -> None:
        done[:] = -1, -1
        both()

    return run


def _row(calls: Sequence[Call], needs: Sequence[int], done: list[int], own: int) -> Call:
    other = 1 - own

    def run() -> None:
        number = 0
        try:
            for number, call in enumerate(calls):
                while done[other] < needs[number]:
                    time.sleep(0)  # lets the other row go on; it is rarely behind
                call()
                done[own] = number
        except FAULTS as error:
            raise Misstep(number) from error
        finally:
            done[own] = BEHIND_ALL  # nobody waits for what will not come

    return run


class _Placed:
    """Says of what goes wrong at which place of the row it was."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, FAULTS):
            raise Misstep(self._number) from error
