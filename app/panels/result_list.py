"""The list under a search line: rows with a picture, a name, a sentence and a note, painted one by one."""

from collections.abc import Sequence

import attrs
from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from app.panels.swatch import SwatchKind, paint_swatch
from app.qt import fonts
from app.qt.theme import RADIUS, STEP, Theme

Index = QModelIndex | QPersistentModelIndex
ROW_ROLE = Qt.ItemDataRole.UserRole
TALL, LOW = 44, 32


@attrs.frozen
class Row:
    """One line of a result list.

    `span` are the letters of the title that matched. `line` is the sentence under the title; where no row has one, rows
    are low. `note` stands at the right in the monospace font (a shape, a key), `category` in small letters before it.
    """

    key: str
    title: str
    span: tuple[int, int] | None = None
    sign: str = ""
    line: str = ""
    category: str = ""
    note: str = ""
    swatch: SwatchKind | None = None
    enabled: bool = True

    @property
    def spoken(self) -> str:
        """The row as a sentence."""
        return ", ".join(part for part in (self.title, self.note, self.category, self.line) if part)


class ResultModel(QAbstractListModel):
    """The rows of a result list."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: tuple[Row, ...] = ()

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Replace all rows."""
        self.beginResetModel()
        self.rows = tuple(rows)
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's name and default)
        """Return how many rows there are."""
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return a row's title, its sentence for hover and screen reader, or the row itself."""
        if not index.isValid():
            return None
        found = self.rows[index.row()]
        answers = {
            int(Qt.ItemDataRole.DisplayRole): found.title,
            int(Qt.ItemDataRole.ToolTipRole): found.line,
            int(Qt.ItemDataRole.AccessibleTextRole): found.spoken,
            int(ROW_ROLE): found,
        }
        return answers.get(int(role))

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Let only rows that can be had be chosen."""
        flags = super().flags(index)
        if index.isValid() and not self.rows[index.row()].enabled:
            flags &= ~Qt.ItemFlag.ItemIsEnabled
        return flags


class RowPainter(QStyledItemDelegate):
    """Paints the rows in the theme's colours."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme
        self.tall = True

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Return the height of all rows alike."""
        return QSize(240, TALL if self.tall else LOW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw one row."""
        found: Row = index.data(ROW_ROLE)
        area = QRectF(option.rect).adjusted(STEP / 2, 1, -STEP / 2, -1)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(self.theme.accent)
            painter.setBrush(self.theme.accent_soft)
            painter.drawRoundedRect(area.adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.theme.hover)
            painter.drawRoundedRect(area, RADIUS, RADIUS)
        inner = area.adjusted(STEP, 0, -STEP, 0)
        if found.swatch:
            paint_swatch(
                painter, QRectF(inner.left(), area.top(), 20, area.height()), found.swatch, self.theme
            )
            inner.setLeft(inner.left() + 28)
        top = inner.adjusted(0, 4, 0, -inner.height() / 2 + 2) if self.tall and found.line else inner
        room = self._paint_right(painter, top, found)
        self._paint_title(painter, QRectF(top.left(), top.top(), room, top.height()), found)
        if self.tall and found.line:
            below = inner.adjusted(0, inner.height() / 2 - 1, 0, -4)
            self._text(painter, below, found.line, fonts.text_font(fonts.SMALL), self.theme.muted)
        painter.restore()

    def _paint_right(self, painter: QPainter, area: QRectF, found: Row) -> float:
        """Draw note and category from the right; return the width that is left."""
        right = area.right()
        parts = ((found.note, fonts.mono_font()), (found.category, fonts.text_font(fonts.CAPTION)))
        for text, font in parts:
            if not text:
                continue
            width = min(QFontMetricsF(font).horizontalAdvance(text) + 2, area.width() * 0.45)
            place = QRectF(right - width, area.top(), width, area.height())
            self._text(painter, place, text, font, self.theme.muted)
            right -= width + STEP
        return max(0.0, right - area.left())

    def _paint_title(self, painter: QPainter, area: QRectF, found: Row) -> None:
        ink = self.theme.text if found.enabled else self.theme.faint
        begin, end = found.span or (0, 0)
        left = area.left()
        pieces = ((found.title[:begin], False), (found.title[begin:end], True), (found.title[end:], False))
        for text, strong in pieces:
            if text and area.right() > left:
                font = fonts.text_font(strong=strong)
                place = QRectF(left, area.top(), area.right() - left, area.height())
                self._text(painter, place, text, font, ink)
                left += QFontMetricsF(font).horizontalAdvance(text)
        if found.sign and area.right() > left + STEP:
            place = QRectF(left + STEP, area.top(), area.right() - left - STEP, area.height())
            self._text(painter, place, found.sign, fonts.text_font(strong=True), self.theme.muted)

    @staticmethod
    def _text(painter: QPainter, area: QRectF, text: str, font: QFont, ink: QColor) -> None:
        painter.setFont(font)
        painter.setPen(ink)
        cut = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, cut)


class ResultList(QListView):
    """Shows rows; the keyboard stays in the search line, which moves the current row with `step`."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        self.rows_model = ResultModel()
        self.painter_ = RowPainter(theme, self)
        self.setModel(self.rows_model)
        self.setItemDelegate(self.painter_)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setAccessibleName(name)

    def show_rows(self, rows: Sequence[Row], *, keep: bool = False) -> None:
        """Replace the rows and select the first that can be had; `keep` stays at the same key where it can."""
        current = self.current
        self.painter_.tall = any(found.line for found in rows)
        self.rows_model.show_rows(rows)
        places = [number for number, found in enumerate(rows) if found.enabled]
        if keep and current is not None:
            places = [number for number in places if rows[number].key == current.key] or places
        if places:
            self._go(places[0])

    @property
    def current(self) -> Row | None:
        """The row that Enter would take."""
        index = self.currentIndex()
        return self.rows_model.rows[index.row()] if index.isValid() else None

    def step(self, count: int) -> None:
        """Move the current row down or up, past rows that cannot be had, and round at the ends."""
        places = [number for number, found in enumerate(self.rows_model.rows) if found.enabled]
        if not places:
            return
        current = self.currentIndex().row()
        at = places.index(current) if current in places else -1 if count > 0 else 0
        if abs(count) > 1:
            self._go(places[min(max(at + count, 0), len(places) - 1)])
        else:
            self._go(places[(at + count) % len(places)])

    def restyle(self, theme: Theme) -> None:
        """Paint in another theme."""
        self.painter_.theme = theme
        self.viewport().update()

    def _go(self, number: int) -> None:
        index = self.rows_model.index(number)
        self.setCurrentIndex(index)
        self.scrollTo(index)
