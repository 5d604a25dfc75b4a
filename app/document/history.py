"""The steps that can be taken back and done again, with the selections around them and the mark of the last save."""

import time
from collections.abc import Callable

import attrs

from app.document.changes import Transaction
from app.document.records import Id

MERGE_SECONDS = 0.7

Selection = frozenset[Id]


@attrs.frozen(eq=False)
class Step:
    """One transaction that was done, and what was selected before and after it."""

    transaction: Transaction
    selection_before: Selection
    selection_after: Selection


@attrs.frozen
class HistoryLabels:
    """The labels of all steps in the order of their doing: those in force, then those taken back."""

    done: tuple[str, ...]
    undone: tuple[str, ...]


class History:
    """Two stacks of steps; a new step forgets what was taken back.

    A step joins the one before it when both have the same merge key, no more than 0.7 seconds lie between them, nothing
    was undone or redone meanwhile, and the step before is not the saved one.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._done: list[Step] = []
        self._undone: list[Step] = []
        self._saved: Step | None = None
        self._open_since: float | None = None

    def push(self, step: Step) -> None:
        """Note a step that was just done."""
        now = self._clock()
        if self._joins(step.transaction, now):
            top = self._done.pop()
            joined = top.transaction.merged(step.transaction)
            step = Step(joined, top.selection_before, step.selection_after)
        self._undone.clear()
        if not step.transaction.is_empty:
            self._done.append(step)
        self._open_since = now if step.transaction.merge and not step.transaction.is_empty else None

    def _joins(self, transaction: Transaction, now: float) -> bool:
        if self._open_since is None or not self._done or not transaction.merge:
            return False
        top = self._done[-1]
        return (
            top is not self._saved
            and top.transaction.merge == transaction.merge
            and now - self._open_since <= MERGE_SECONDS
        )

    @property
    def next_undo(self) -> Step | None:
        """The step that undo would take back."""
        return self._done[-1] if self._done else None

    @property
    def next_redo(self) -> Step | None:
        """The step that redo would do again."""
        return self._undone[-1] if self._undone else None

    def undone(self) -> None:
        """Note that the last step was taken back."""
        self._undone.append(self._done.pop())
        self._open_since = None

    def redone(self) -> None:
        """Note that the last step taken back was done again."""
        self._done.append(self._undone.pop())
        self._open_since = None

    def mark_saved(self) -> None:
        """Remember that the document as it is now is the one on disk."""
        self._saved = self.next_undo
        self._open_since = None

    @property
    def is_saved(self) -> bool:
        """Tell whether the document is as it was at the mark."""
        return self.next_undo is self._saved

    def labels(self) -> HistoryLabels:
        """Return the labels of all steps, oldest first."""
        done = tuple(step.transaction.label for step in self._done)
        return HistoryLabels(done, tuple(step.transaction.label for step in reversed(self._undone)))
