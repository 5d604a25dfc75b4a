"""Holds the document that is being edited; its `commit` is the only door through which it changes."""

import time
from collections.abc import Callable, Iterable
from typing import ClassVar, Literal

import attrs
from psygnal import Signal

from app.document.changes import Change, Transaction, in_order, records_of
from app.document.history import History, HistoryLabels, Selection, Step
from app.document.invariants import check_changes, check_document
from app.document.placed import CHOSEN
from app.document.records import Document, Id, empty_document

Origin = Literal["commit", "undo", "redo", "load"]


@attrs.frozen(eq=False)
class Update:
    """What listeners are told: the document before and after, the changes between (none for a load), and why."""

    before: Document
    after: Document
    changes: tuple[Change, ...]
    origin: Origin


class Store:
    """The one mutable thing of the document layer: the current document, its history and the selection."""

    changed: ClassVar[Signal] = Signal(Update)
    """Emitted once for each commit, undo, redo and load, when everything is in place."""
    selection_changed: ClassVar[Signal] = Signal(frozenset)
    """Emitted with the ids of what is selected, after `changed` if both are due."""

    def __init__(
        self, document: Document | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._telling = False
        self._selection: Selection = frozenset()
        self._document = in_order(document if document is not None else empty_document())
        check_document(self._document)
        self._history = History(clock)

    @property
    def document(self) -> Document:
        """The document as it is now."""
        return self._document

    @property
    def selection(self) -> Selection:
        """Ids of the selected nodes, wires, frames and notes."""
        return self._selection

    def commit(self, transaction: Transaction) -> None:
        """Do a transaction and note it in the history; InvariantError, with nothing done, if it breaks the document.

        An empty transaction only sets its selection.
        """
        if transaction.is_empty:
            if transaction.selection is not None:
                self.select(transaction.selection)
            return
        after = transaction.apply(self._document)
        check_changes(after, transaction.changes)
        before_selection = self._selection
        wanted = before_selection if transaction.selection is None else transaction.selection
        selection = _present(wanted, after)

        def remember() -> None:
            self._history.push(Step(transaction, before_selection, selection))

        self._replace(Update(self._document, after, transaction.changes, "commit"), selection, remember)

    def undo(self) -> None:
        """Take the last step back, selection included; nothing happens when there is none."""
        step = self._history.next_undo
        if step is not None:
            inverse = step.transaction.inverse()
            update = Update(self._document, inverse.apply(self._document), inverse.changes, "undo")
            self._replace(update, step.selection_before, self._history.undone)

    def redo(self) -> None:
        """Do the last undone step again, selection included; nothing happens when there is none."""
        step = self._history.next_redo
        if step is not None:
            changes = step.transaction.changes
            update = Update(self._document, step.transaction.apply(self._document), changes, "redo")
            self._replace(update, step.selection_after, self._history.redone)

    def load(self, document: Document) -> None:
        """Put another document in place and begin a new history; InvariantError, with nothing done, if it is broken."""
        document = in_order(document)
        check_document(document)

        def begin() -> None:
            self._history = History(self._clock)

        self._replace(Update(self._document, document, (), "load"), frozenset(), begin)

    def _replace(self, update: Update, selection: Selection, note: Callable[[], None]) -> None:
        if self._telling:
            raise RuntimeError(
                "a listener of the store must not change the document while it is told of a change"
            )
        self._document = update.after
        note()
        old_selection, self._selection = self._selection, _present(selection, update.after)
        self._telling = True
        try:
            self.changed.emit(update)
        finally:
            self._telling = False
        if self._selection != old_selection:
            self.selection_changed.emit(self._selection)

    # History -----------------------------------------------------------------------------------------------------

    @property
    def can_undo(self) -> bool:
        """Tell whether there is a step to take back."""
        return self._history.next_undo is not None

    @property
    def can_redo(self) -> bool:
        """Tell whether there is a step to do again."""
        return self._history.next_redo is not None

    @property
    def undo_label(self) -> str:
        """The label of the step that undo would take back, or nothing."""
        step = self._history.next_undo
        return step.transaction.label if step is not None else ""

    @property
    def redo_label(self) -> str:
        """The label of the step that redo would do again, or nothing."""
        step = self._history.next_redo
        return step.transaction.label if step is not None else ""

    def history_labels(self) -> HistoryLabels:
        """Return the labels of all steps, done and undone."""
        return self._history.labels()

    def go_to(self, done: int) -> None:
        """Undo or redo until `done` steps are in force."""
        while len(self._history.labels().done) > max(done, 0):
            self.undo()
        while len(self._history.labels().done) < done and self.can_redo:
            self.redo()

    def mark_saved(self) -> None:
        """Remember that the document as it is now is the one on disk."""
        self._history.mark_saved()

    @property
    def is_modified(self) -> bool:
        """Tell whether the document differs from the one last loaded or saved."""
        return not self._history.is_saved

    # Selection ---------------------------------------------------------------------------------------------------

    def select(self, ids: Iterable[Id]) -> None:
        """Select these things and no others; ids that aren't there are passed over."""
        selection = _present(ids, self._document)
        if selection != self._selection:
            self._selection = selection
            self.selection_changed.emit(selection)


def _present(ids: Iterable[Id], document: Document) -> Selection:
    tables = [records_of(document, name) for name in CHOSEN]
    return frozenset(key for key in ids if any(key in table for table in tables))
