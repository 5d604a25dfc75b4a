"""Finds stretches: steps in a row whose halves need little of each other, so that two threads part once for all.

A step falls into halves along some axis of its arrays (`Operator.splits`). The next one joins the stretch if it falls
into halves so that neither thread touches what the other one writes in the step just before. That is looked at as bytes
of memory, not as names of arrays, since the plan lays arrays that live at different times over each other: computing
from what the other half wrote, and overwriting memory that the other half still reads, are the same to it. Where the
other thread touched those bytes some steps ago, a step waits until that thread is past them, which it mostly is.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import attrs

from app.engine.operator import Array, OptionalArrays
from app.engine.passes.tasks import Given, Task
from app.engine.passes.territory import Bytes, Run, bytes_of
from app.engine.split import Split

BOTH: Final = (0, 1)
NOTHING: Final = -1
Accesses = tuple[tuple[list[Run], list[Run]], tuple[list[Run], list[Run]]]
"""The bytes that the first thread reads and those that it writes, and the same for the second."""


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


def find_stretches(tasks: Sequence[Task], *, longest: int | None = None) -> Iterator[Stretch]:
    """Yield the stretches of a pass in order; `longest` bounds how many steps each may have."""
    first = 0
    while first < len(tasks):
        splits: list[Split] = []
        needs: list[int] = []
        territory = _Territory()
        for task in tasks[first : None if longest is None else first + longest]:
            taken = None if splits and task.after else territory.take(task)
            if taken is None:
                break
            splits.append(taken[0])
            needs.append(taken[1])
            if task.after:
                break
        if splits:
            yield Stretch(first, tuple(splits), tuple(needs))
        first += max(1, len(splits))


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


class _Accesses:
    """The bytes that two threads read and write."""

    def __init__(self) -> None:
        self.read = Bytes(), Bytes()
        self.written = Bytes(), Bytes()

    def add(self, accesses: Accesses) -> None:
        """Take in what both threads do."""
        for number, (reads, writes) in zip(BOTH, accesses, strict=True):
            self.read[number].add(reads)
            self.written[number].add(writes)

    def are_apart_from(self, accesses: Accesses) -> bool:
        """Tell whether neither thread touches there what the other one writes here, nor the other way round."""
        for number, (reads, writes) in zip(BOTH, accesses, strict=True):
            read, written = self.read[1 - number], self.written[1 - number]
            if written.meets(reads) or written.meets(writes) or read.meets(writes):
                return False
        return True


class _Step(_Accesses):
    """What two threads do in one step, which is sorted only when somebody asks what meets it."""

    def __init__(self, accesses: Accesses) -> None:
        super().__init__()
        self.accesses = accesses
        self._is_sorted = False

    def are_apart_from(self, accesses: Accesses) -> bool:
        """Tell whether these threads and those keep out of each other's way."""
        if not self._is_sorted:
            self.add(self.accesses)
            self._is_sorted = True
        return super().are_apart_from(accesses)


class _Territory:
    """What each of two threads reads and writes in a stretch, step by step."""

    def __init__(self) -> None:
        self._all = _Accesses()
        self._steps: list[_Step] = []
        self._unfinished = Bytes()
        """Shared gradients, which are nobody else's until both halves are added up."""

    def take(self, task: Task) -> tuple[Split, int] | None:
        """Take a step in by the split that waits for the least, and return the step to wait for; None if there is none.

        The step is -1 where there is nothing to wait for. Waiting for the step just before is no better than parting.
        """
        found: tuple[int, Split, _Step] | None = None
        for split in task.splits:
            if is_cut(split, task.given):
                step = _Step((_accesses(split, task.given, 0), _accesses(split, task.given, 1)))
                need = self._need(step)
                if need is not None and (found is None or need < found[0]):
                    found = need, split, step
                if need == NOTHING:
                    break
        if found is None:
            return None
        need, split, step = found
        self._all.add(step.accesses)
        self._steps.append(step)
        for grad in shared_gradients(split, task.given).values():
            self._unfinished.add(bytes_of(grad))
        return split, need

    def _need(self, step: _Step) -> int | None:
        """Return the last step that the other thread must have done before, None where that is too near."""
        if self._steps and not self._steps[-1].are_apart_from(step.accesses):
            return None  # the usual reason, so it is looked at first
        touched = [run for reads, writes in step.accesses for run in (*reads, *writes)]
        if self._unfinished.meets(touched) or not step.are_apart_from(step.accesses):
            return None
        if self._all.are_apart_from(step.accesses):
            return NOTHING
        places = reversed(range(len(self._steps) - 1))
        return next(place for place in places if not self._steps[place].are_apart_from(step.accesses))


def is_cut(split: Split, given: Given) -> bool:
    """Tell whether every array has two halves along its axis."""
    pairs = [*zip(split.ins, given.ins, strict=False), *zip(split.ins, given.grads, strict=False)]
    pairs += [*zip(split.outs, given.outs, strict=False), *zip(split.outs, given.heads, strict=False)]
    return all(array.shape[axis] > 1 for axis, array in pairs if array is not None and axis is not None)


def _accesses(split: Split, given: Given, number: int) -> tuple[list[Run], list[Run]]:
    """Return the bytes that one thread reads, and those that it writes.

    A shared gradient is written by the first thread; the second one writes to room of its own.
    """
    mine = half(split, given, number)
    shared = shared_gradients(split, given)
    reads, writes = list[Run](), list[Run]()
    forward = not given.grads
    for array in (*mine.ins, *mine.heads, *(() if forward else mine.outs)):
        if array is not None:
            reads += bytes_of(array)
    for array in (*(mine.outs if forward else ()), *(mine.ins[index] for index in split.updates)):
        if array is not None:
            writes += bytes_of(array)
    for index, grad in enumerate(mine.grads):
        if grad is not None and not (number == 1 and index in shared):
            writes += bytes_of(grad)
    return reads, writes
