"""The pass `halves`: long stretches of steps run in two threads, each on half of the batch or of the channels.

It looks for steps in a row that fall into halves which need nothing of each other (`stretches`) and take long enough
together to be worth waking a thread. On two cores that saves two fifths of their time, and each core keeps its half in
its own cache. Where there is none, as in small networks of matrix products alone, it does nothing, since the BLAS has a
thread of its own, which is only kept off the caller's core. Where there is one, the BLAS is held to one thread for the
whole run: its second one would go on turning for 26 ms after a product and take the helper's core away.

Arrays are the same ones, so that whoever looks at them sees the same. What both halves write, the gradient of an input
that they share, is added up at the end of the stretch, so its last digits may differ from those of one whole step.
Nothing depends on which half is ready first.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any, Final

import attrs
import numpy as np

from app.engine.kernels.blas import for_one_thread, one_thread
from app.engine.kernels.crew import has_helper
from app.engine.kernels.places import blas_place
from app.engine.kernels.steps import in_order, nothing
from app.engine.kernels.windows import work
from app.engine.passes.rows import in_step
from app.engine.passes.stretches import Stretch, find_stretches, half, shared_gradients
from app.engine.passes.tasks import How, Task
from app.engine.stepping import Call

WORTHWHILE: Final = 150_000
"""Nanoseconds that a stretch must take for it to be halved."""
MEETING: Final = 4_000
"""Further nanoseconds for each of its steps, since two threads wait for Python's lock now and then."""
THREADED: Final = 20_000
"""Nanoseconds of a product for which the BLAS uses its second thread."""


class Halves:
    """The pass for one bound graph, whose passes forward and backward are lists of tasks."""

    def __init__(self, passes: Sequence[Sequence[Task]], *, step_by_step: bool) -> None:
        """Look whether any stretch is worth halving; `step_by_step` keeps every step a call of its own."""
        self._passes = passes
        self._stretches: list[list[Stretch]] = [[] for _ in passes]
        self._room: dict[str, Any] = {}
        """What the second thread finds of shared gradients."""
        if not has_helper() or not any(may_be_worthwhile(tasks, spare_products=True) for tasks in passes):
            return
        longest = 1 if step_by_step else None
        found = [list(find_stretches(tasks, longest=longest, may_hold=may_be_worthwhile)) for tasks in passes]
        pairs = [(tasks, stretch) for tasks, some in zip(passes, found, strict=True) for stretch in some]
        if any(_is_worthwhile(stretch.of(tasks), spare_products=True) for tasks, stretch in pairs):
            self._stretches = [
                [stretch for stretch in some if _is_worthwhile(stretch.of(tasks))]
                for tasks, some in zip(passes, found, strict=True)
            ]

    @property
    def is_on(self) -> bool:
        """Whether anything is halved."""
        return any(self._stretches)

    def calls(self, number: int, *, train: bool) -> list[Call]:
        """Prepare a pass: one call for each task, of which those that a stretch has swallowed do nothing."""
        with for_one_thread() if self.is_on else nullcontext():
            calls = self._calls(number, train)
        place = None if self.is_on else blas_place()
        if place is not None and any(task.products >= THREADED for task in self._passes[number]):
            calls[0] = in_order([place.avoid_callers_core, calls[0]])
        return calls

    def _calls(self, number: int, train: bool) -> list[Call]:
        tasks = self._passes[number]
        stretches = {stretch.first: stretch for stretch in self._stretches[number]}
        calls: list[Call] = []
        while len(calls) < len(tasks):
            stretch = stretches.get(len(calls))
            if stretch is None:
                calls.append(self._whole(tasks[len(calls)], train))
            else:
                own = stretch.of(tasks)
                calls.append(self._halved(own, stretch, train))
                calls += [nothing] * (len(own) - 1)
        return calls

    def _whole(self, task: Task, train: bool) -> Call:
        """Prepare a step that runs in one piece, beside others that may run in halves."""
        call = in_order([task.prepare(task.given, How(train)), *task.after])
        return one_thread(call) if self.is_on else call

    def _halved(self, tasks: Sequence[Task], stretch: Stretch, train: bool) -> Call:
        halves: tuple[list[Call], list[Call]] = [], []
        after: list[Call] = []
        for place, (task, split) in enumerate(zip(tasks, stretch.splits, strict=True)):
            first, second = (half(split, task.given, number) for number in (0, 1))
            grads = list(second.grads)
            for index, grad in shared_gradients(split, task.given).items():
                grads[index] = other = work(self._room, f"gradient {place} {index}", grad.shape, grad.dtype)
                after.append(partial(np.add, grad, other, grad))
            halves[0].append(task.prepare(first, How(train)))
            halves[1].append(task.prepare(attrs.evolve(second, grads=grads), How(train, is_second=True)))
            after += task.after
        return in_order([in_step(halves[0], halves[1], stretch.needs), *after])


def _is_worthwhile(tasks: Sequence[Task], *, spare_products: bool = False) -> bool:
    """Tell whether halving saves time; `spare_products` leaves out what the BLAS would do in two threads anyway."""
    return sum(_gained(task, spare_products) for task in tasks) >= WORTHWHILE


def may_be_worthwhile(tasks: Sequence[Task], *, spare_products: bool = False) -> bool:
    """Tell whether halving any of these steps in a row would save time, if they were a stretch."""
    most = 0.0
    for task in tasks:
        most = max(most, 0.0) + _gained(task, spare_products)
        if most >= WORTHWHILE:
            return True
    return False


def _gained(task: Task, spare_products: bool) -> float:
    """Return the nanoseconds that count for halving a step, less what meeting the other thread costs."""
    return task.time - MEETING - (task.products if spare_products else 0.0)
