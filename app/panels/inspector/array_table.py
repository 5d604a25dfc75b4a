"""The numbers of a plane as a table; only what is seen is ever turned into text."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from app.panels.inspector.statistics import number_text
from app.qt import fonts
from app.qt.theme import Theme

Index = QModelIndex | QPersistentModelIndex
CELL_WIDTH, CELL_HEIGHT = 72, 22
COPIED_AT_MOST = 1_000_000


class PlaneModel(QAbstractTableModel):
    """The rows and columns of an array of two axes, counted from 0."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.plane: NDArray[Any] = np.zeros((0, 0))

    def show_plane(self, plane: NDArray[Any]) -> None:
        """Show another plane; the place that is seen stays when its size does."""
        if plane.shape == self.plane.shape and plane.size:
            self.plane = plane
            last = self.index(plane.shape[0] - 1, plane.shape[1] - 1)
            self.dataChanged.emit(self.index(0, 0), last)
            return
        self.beginResetModel()
        self.plane = plane
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's default)
        """Return the length of the axis that runs down."""
        return 0 if parent.isValid() else self.plane.shape[0]

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's default)
        """Return the length of the axis that runs across."""
        return 0 if parent.isValid() else self.plane.shape[1]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return one number as text, loud when it is none."""
        if not index.isValid():
            return None
        number = self.plane[index.row(), index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return number_text(float(number), 5)
        if role == Qt.ItemDataRole.ToolTipRole:
            return str(number)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if not np.isfinite(number):
            if role == Qt.ItemDataRole.ForegroundRole:
                return self.theme.error
            if role == Qt.ItemDataRole.BackgroundRole:
                return self.theme.error_soft
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Return the number of a row or column."""
        return str(section) if role == Qt.ItemDataRole.DisplayRole else None


class ArrayTable(QTableView):
    """A table to read numbers from; Ctrl+C copies the selected ones as a spreadsheet takes them."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.plane_model = PlaneModel(theme)
        self.setModel(self.plane_model)
        self.setFont(fonts.mono_font())
        self.setAccessibleName("Numbers")
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ContiguousSelection)
        self.setWordWrap(False)
        self.setCornerButtonEnabled(False)
        self.setTabKeyNavigation(False)
        for header, size in ((self.horizontalHeader(), CELL_WIDTH), (self.verticalHeader(), CELL_HEIGHT)):
            header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
            header.setDefaultSectionSize(size)
            header.setMinimumSectionSize(size)
            header.setHighlightSections(False)
            header.setFont(fonts.mono_font(fonts.CAPTION))

    def restyle(self, theme: Theme) -> None:
        """Wear another theme."""
        self.plane_model.theme = theme
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy on Ctrl+C."""
        if event.matches(QKeySequence.StandardKey.Copy):
            text = self.selected_text()
            if text:
                QGuiApplication.clipboard().setText(text)
        else:
            super().keyPressEvent(event)

    def selected_text(self) -> str:
        """Return the selected numbers in full, columns parted by tabs."""
        ranges = self.selectionModel().selection()
        if ranges.isEmpty():
            return ""
        area = ranges.first()
        block = self.plane_model.plane[area.top() : area.bottom() + 1, area.left() : area.right() + 1]
        if block.size > COPIED_AT_MOST:
            return ""
        return "\n".join("\t".join(map(str, row)) for row in block.tolist())
