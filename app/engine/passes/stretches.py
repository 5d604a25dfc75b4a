"""Finds stretches: steps in a row whose halves need little of each other, so that two threads part once for all.

A step falls into halves along some axis of its arrays (`Operator.splits`). The next one joins the stretch if it falls
into halves so that neither thread touches what the other one writes in the step just before. That is looked at as bytes
of memory, not as names of arrays, since the plan lays arrays that live at different times over each other: computing
from what the other half wrote, and overwriting memory that the other half still reads, are the same to it. Where the
other thread touched those bytes some steps ago, a step waits until that thread is past them, which it mostly is.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any, Final

import attrs

from app.engine.operator import Array, OptionalArrays
from app.engine.passes.tasks import Given, Task
from app.engine.passes.territory import Access, Extent, clash, extent_of, overlaps, shares
from app.engine.split import Split

NOTHING: Final = -1


@attrs.frozen(eq=False)
class Stretch:
    """Steps that run in two halves, from the first on.

    It says how each of them falls apart, and up to which step of the stretch the other thread must have come before it.
    """

    first: int
    splits: tuple[Split, ...]
    needs: tuple[int, ...]

    def of(self, tasks: Sequence[Task]) -> Sequence[Task]:
        """Return its own of all tasks of the pass."""
        return tasks[self.first : self.first + len(self.splits)]


def find_stretches(
    tasks: Sequence[Task],
    *,
    longest: int | None = None,
    may_hold: Callable[[Sequence[Task]], bool] = lambda _run: True,
) -> Iterator[Stretch]:
    """Yield the stretches of a pass in order; `longest` bounds how many steps each may have.

    They are looked for only in runs of steps that fall into halves at all, and that `may_hold` a stretch worth finding.
    """
    first = 0
    for falls_apart, group in groupby(tasks, lambda task: bool(task.splits)):
        run = list(group)
        if falls_apart and may_hold(run):
            for stretch in _stretches_of(run, longest):
                yield attrs.evolve(stretch, first=first + stretch.first)
        first += len(run)


def _stretches_of(tasks: Sequence[Task], longest: int | None) -> Iterator[Stretch]:
    first, territory = 0, _Territory(tasks)
    while first < len(tasks):
        territory.clear()
        taken: list[tuple[Split, int]] = []
        for task in tasks[first : None if longest is None else first + longest]:
            found = None if taken and task.after else territory.take(task)
            if found is None:
                break
            taken.append(found)
            if task.after:
                break
        if taken:
            splits, needs = zip(*taken, strict=True)
            yield Stretch(first, splits, needs)
        first += max(1, len(taken))


def half(split: Split, given: Given, number: int) -> Given:
    """Return the arrays that the first or second thread works on; what has no axis is whole in both."""
    return Given(
        _parts(split.ins, given.ins, number),
        _parts(split.outs, given.outs, number),
        _parts(split.outs, given.heads, number),
        _parts(split.ins, given.grads, number),
    )


def shared_gradients(split: Split, given: Given) -> dict[int, Array]:
    """Return the gradients, by input, that are the sum of what both halves find."""
    return {
        index: grad for index, grad in enumerate(given.grads) if grad is not None and split.ins[index] is None
    }


def _parts(axes: Sequence[int | None], arrays: OptionalArrays, number: int) -> list[Array | None]:
    return [
        None if array is None else _part(array, axis, number)
        for axis, array in zip(axes, arrays, strict=False)
    ]


def _part(array: Array, axis: int | None, number: int) -> Array:
    if axis is None:
        return array
    middle = array.shape[axis] // 2
    part: Any = [slice(None)] * array.ndim
    part[axis] = slice(middle, None) if number else slice(0, middle)
    view: Array = array[tuple(part)]
    return view


class _Territory:
    """What each of two threads touches in a stretch, and in which step last."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        """Look where the arrays lie that these steps might touch."""
        arrays = {id(array): array for task in tasks for array in _arrays(task.given)}
        self._extents = {number: extent_of(array) for number, array in arrays.items()}
        self._near = overlaps(self._extents.values())
        self.clear()

    def clear(self) -> None:
        """Begin another stretch."""
        self._steps = 0
        self._last: dict[Extent, dict[Access, int]] = {}
        self._unfinished: set[Extent] = set()
        """Shared gradients, which are nobody else's until both halves are added up."""

    def take(self, task: Task) -> tuple[Split, int] | None:
        """Take a step in by the split that waits for the least, and return the step to wait for; None if there is none.

        The step is -1 where there is nothing to wait for. Waiting for the step just before is no better than parting.
        """
        found: tuple[int, Split, list[Access]] | None = None
        for split in task.splits:
            if is_cut(split, task.given):
                accesses = self._accesses(split, task.given)
                need = self._need(accesses)
                if need is not None and (found is None or need < found[0]):
                    found = need, split, accesses
                if need == NOTHING:
                    break
        if found is None:
            return None
        need, split, accesses = found
        for access in accesses:
            self._last.setdefault(access.extent, {})[access] = self._steps
        self._unfinished.update(
            self._extents[id(grad)] for grad in shared_gradients(split, task.given).values()
        )
        self._steps += 1
        return split, need

    def _need(self, accesses: Sequence[Access]) -> int | None:
        """Return the last step that the other thread must have done before, None where that is too near."""
        need = NOTHING
        for number, access in enumerate(accesses):
            near = self._near[access.extent]
            if not self._unfinished.isdisjoint(near) or any(clash(access, own) for own in accesses[number:]):
                return None
            for extent in near:
                for other, step in self._last.get(extent, _NONE).items():
                    if step > need and clash(access, other):
                        need = step
        return need

    def _accesses(self, split: Split, given: Given) -> list[Access]:
        """Return how both threads touch the arrays of one step.

        A shared gradient is written by the first thread; the second one writes to room of its own.
        """
        forward = not given.grads
        found = [*self._touched(split.ins, given.ins, writes=False)]
        found += self._touched(split.outs, given.heads, writes=False)
        found += self._touched(split.outs, given.outs, writes=forward)
        found += self._touched(split.ins, given.grads, writes=True, alone=True)
        updated = [array if index in split.updates else None for index, array in enumerate(given.ins)]
        return [*found, *self._touched(split.ins, updated, writes=True)]

    def _touched(
        self, axes: Sequence[int | None], arrays: OptionalArrays, *, writes: bool, alone: bool = False
    ) -> Iterator[Access]:
        """Yield how both threads touch some arrays; `alone` leaves those without an axis to the first."""
        for axis, array in zip(axes, arrays, strict=False):
            if array is not None and array.size:
                extent = self._extents[id(array)]
                first, second = shares(array, extent, axis)
                yield Access(extent, first, None if alone and axis is None else second, writes)


_NONE: Final[dict[Access, int]] = {}


def _arrays(given: Given) -> Iterator[Array]:
    """Yield all arrays of a step that are there."""
    for arrays in (given.ins, given.outs, given.heads, given.grads):
        yield from (array for array in arrays if array is not None)


def is_cut(split: Split, given: Given) -> bool:
    """Tell whether every array has two halves along its axis."""
    for axes, arrays in (
        (split.ins, given.ins),
        (split.outs, given.outs),
        (split.outs, given.heads),
        (split.ins, given.grads),
    ):
        for axis, array in zip(axes, arrays, strict=False):
            if array is not None and axis is not None and array.shape[axis] < 2:
                return False
    return True
