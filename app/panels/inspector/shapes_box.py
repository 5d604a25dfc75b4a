"""The table of a node's arrays: name, shape, origin; a click on a row tells why the shape is so."""

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QFrame, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.document.analysis import Analysis
from app.document.records import Id
from app.panels.inspector.facts import ArrayFact, array_facts, reason_lines
from app.panels.panel import box, empty, label, widgets_in
from app.qt import fonts
from app.qt.theme import HALF_STEP, RADIUS, STEP, Theme
from app.qt.workspace import Workspace

NOTHING_GIVEN = "Nothing is known yet: no input says how large it is. Give a shape to a Variable before it."
CLASHING = "Some shapes clash, and what depends on them stays open. Mend what Problems lists first."
LINES_AT_MOST = 14


class ShapeRow(QAbstractButton):
    """One array: its name, its shape (slanted when inferred), and where it comes from."""

    def __init__(self, fact: ArrayFact, theme: Theme) -> None:
        super().__init__()
        self.fact = fact
        self.columns = (0.0, 0.0)
        self._theme = theme
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        known = "inferred as" if fact.shape.inferred else "of shape"
        self.setAccessibleName(f"{fact.name} {known} {fact.shape}, {fact.origin}")
        self.setToolTip(f"{fact.name}  {fact.shape}  {fact.origin}\nClick: why this shape?")

    def sizeHint(self) -> QSize:
        """Ask for one line."""
        return QSize(240, 24)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the three parts; the shape is never cut before the others are."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect())
        if self.isChecked() or self.underMouse() or self.hasFocus():
            painter.setPen(self._theme.accent if self.hasFocus() else Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.accent_soft if self.isChecked() else self._theme.hover)
            painter.drawRoundedRect(area.adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)
        inner = area.adjusted(STEP, 0, -STEP, 0)
        shape_width, origin_width = self.columns
        origin_width = min(origin_width, inner.width() * 0.3)
        shape_width = min(shape_width, inner.width() * 0.55)
        ink = self._theme.text if self.fact.shape.is_known else self._theme.warning
        origin = QRectF(inner.right() - origin_width, 0, origin_width, area.height())
        place = QRectF(origin.left() - STEP - shape_width, 0, shape_width, area.height())
        name = QRectF(inner.left(), 0, place.left() - STEP - inner.left(), area.height())
        right = Qt.AlignmentFlag.AlignRight
        self._write(painter, name, self.fact.name, fonts.mono_font(), self._theme.text)
        self._write(painter, place, str(self.fact.shape), self.shape_font, ink, right)
        self._write(painter, origin, self.fact.origin, _origin_font(), self._theme.muted)

    @property
    def shape_font(self) -> QFont:
        """Upright for a given shape, slanted for an inferred one."""
        return fonts.mono_font(italic=self.fact.shape.inferred)

    @staticmethod
    def _write(
        painter: QPainter,
        area: QRectF,
        text: str,
        font: QFont,
        ink: QColor,
        side: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
    ) -> None:
        painter.setFont(font)
        painter.setPen(ink)
        cut = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideMiddle, area.width())
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | side, cut)

    def restyle(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        self.update()


class ShapesBox(QWidget):
    """All arrays of one node, and the reasons of the one that was clicked.

    `row_chosen` carries the ArrayFact whose reasons are shown, or None.
    """

    row_chosen = Signal(object)

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._analysis: Analysis | None = None
        self._node: Id = ""
        self._asked: tuple[str, int] | None = None
        self.rows: list[ShapeRow] = []
        self._list = QVBoxLayout()
        self._list.setSpacing(0)
        self._list.setContentsMargins(0, 0, 0, 0)
        self.question = label("", "heading", wrap=True)
        self._answers = QVBoxLayout()
        self._answers.setSpacing(HALF_STEP)
        inner = QVBoxLayout()
        inner.setSpacing(HALF_STEP)
        inner.addWidget(self.question)
        inner.addLayout(self._answers)
        self.why: QFrame = box(inner)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(STEP)
        layout.addLayout(self._list)
        layout.addWidget(self.why)
        self.why.hide()
        workspace.view_option_changed.connect(self._restyle)

    def show_node(self, analysis: Analysis, node_id: Id) -> None:
        """Show the arrays of a node; the open question stays open while it is the same node."""
        if node_id != self._node:
            self._asked = None
        self._analysis, self._node = analysis, node_id
        facts = array_facts(analysis, node_id)
        if facts != [row.fact for row in self.rows]:
            self._fill(facts)
        self._answer()

    def explain(self, side: str, number: int) -> None:
        """Give the reasons of one input or output, as a click on its row does."""
        self._asked = (side, number)
        self._answer()

    @property
    def answers(self) -> list[str]:
        """The sentences that are shown as reasons."""
        return [one.text() for one in widgets_in(self._answers) if isinstance(one, QLabel)]

    def _fill(self, facts: Sequence[ArrayFact]) -> None:
        focused = next((number for number, row in enumerate(self.rows) if row.hasFocus()), None)
        empty(self._list)
        self.rows = [ShapeRow(fact, self._workspace.theme) for fact in facts]
        columns = (
            max((_width(row.shape_font, str(row.fact.shape)) for row in self.rows), default=0.0),
            max((_width(_origin_font(), row.fact.origin) for row in self.rows), default=0.0),
        )
        for row in self.rows:
            row.columns = columns
            row.clicked.connect(lambda _=False, row=row: self._ask(row.fact))
            self._list.addWidget(row)
        if focused is not None and focused < len(self.rows):
            self.rows[focused].setFocus()

    def _ask(self, fact: ArrayFact) -> None:
        key = (fact.side, fact.number)
        self._asked = None if self._asked == key else key
        self._answer()
        self.row_chosen.emit(fact if self._asked else None)

    def _answer(self) -> None:
        """Show the reasons for the row that was clicked."""
        asked = next((row for row in self.rows if (row.fact.side, row.fact.number) == self._asked), None)
        for row in self.rows:
            row.setChecked(row is asked)
        self.why.setVisible(asked is not None)
        empty(self._answers)
        if asked is None or self._analysis is None:
            return
        fact = asked.fact
        self.question.setText(
            f"Why is {fact.name} {fact.shape}?" if fact.shape.shape else f"Why is {fact.name} still open?"
        )
        lines = reason_lines(self._analysis, self._node, fact)
        for line in lines[:LINES_AT_MOST]:
            sentence = label(line.sentence, "muted" if line.depth else "text", wrap=True)
            sentence.setContentsMargins(min(line.depth, 4) * STEP * 2, 0, 0, 0)
            self._answers.addWidget(sentence)
        if len(lines) > LINES_AT_MOST:
            self._answers.addWidget(label(f"… and {len(lines) - LINES_AT_MOST} more steps", "muted"))
        if not lines:
            words = CLASHING if self._analysis.shape_problems else NOTHING_GIVEN
            self._answers.addWidget(label(words, "muted", wrap=True))

    def _restyle(self) -> None:
        for row in self.rows:
            row.restyle(self._workspace.theme)


def _origin_font() -> QFont:
    return fonts.text_font(fonts.CAPTION)


def _width(font: QFont, text: str) -> float:
    return QFontMetricsF(font).horizontalAdvance(text) + 2
