"""The list of everything that is wrong with the document, each in one plain sentence."""

from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLabel,
    QListView,
    QStackedLayout,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.panels.needs import needs_of
from app.panels.panel import InTurn, Panel, empty, label
from app.panels.remedy_buttons import remedy_parts
from app.qt import fonts
from app.qt.theme import HALF_STEP, RADIUS, STEP, Theme
from app.qt.workspace import Workspace

if TYPE_CHECKING:
    from app.document.analysis import Analysis
    from app.document.drawing import DocumentProblem

Index = QModelIndex | QPersistentModelIndex
PROBLEM_ROLE = Qt.ItemDataRole.UserRole
ICON = 16
WRAP = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop


class ProblemModel(QAbstractListModel):
    """The problems, in the order of the analysis."""

    def __init__(self) -> None:
        super().__init__()
        self.problems: tuple[DocumentProblem, ...] = ()

    def show_problems(self, problems: "tuple[DocumentProblem, ...]") -> None:
        """Replace the list, unless it is the same."""
        if problems != self.problems:
            self.beginResetModel()
            self.problems = problems
            self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's default)
        """Return how many problems there are."""
        return 0 if parent.isValid() else len(self.problems)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return a problem's sentence, or the problem itself."""
        if not index.isValid():
            return None
        problem = self.problems[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return problem.sentence
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{problem.severity}: {_title(problem)}: {problem.sentence}"
        return problem if role == PROBLEM_ROLE else None


class ProblemPainter(QStyledItemDelegate):
    """Paints a problem: a mark, the node's name, and the whole sentence over as many lines as it takes."""

    def __init__(self, panel: Panel, view: QListView) -> None:
        super().__init__(view)
        self._panel = panel
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Return the height that the sentence needs at the list's width."""
        width = self._view.viewport().width()
        return QSize(width, self._text_area(index, width).height() + 2 * STEP)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw one problem."""
        theme = self._panel.theme
        problem: DocumentProblem = index.data(PROBLEM_ROLE)
        area = option.rect.adjusted(HALF_STEP, 1, -HALF_STEP, -1)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.accent_soft if selected else theme.hover)
            painter.drawRoundedRect(area, RADIUS, RADIUS)
        role = "error" if problem.severity == "error" else "warning"
        ratio = painter.device().devicePixelRatioF()
        mark = self._panel.icons.pixmap(role, ICON, role, ratio)
        painter.drawPixmap(area.topLeft() + QPoint(STEP, STEP - 1), mark)
        text = self._text_area(index, option.rect.width()).translated(option.rect.topLeft())
        painter.setFont(fonts.text_font(strong=True))
        painter.setPen(theme.text)
        name = _title(problem)
        lead = QFontMetrics(painter.font())
        painter.drawText(text, int(WRAP), lead.elidedText(name, Qt.TextElideMode.ElideMiddle, text.width()))
        painter.setFont(fonts.text_font())
        painter.setPen(theme.muted)
        painter.drawText(text.adjusted(0, lead.lineSpacing(), 0, 0), int(WRAP), _sentence(problem))
        painter.restore()

    @staticmethod
    def _text_area(index: Index, width: int) -> QRect:
        """Return where name and sentence stand in a row that begins at (0, 0)."""
        problem: DocumentProblem = index.data(PROBLEM_ROLE)
        left = HALF_STEP + STEP + ICON + STEP
        room = QRect(0, 0, max(40, width - left - 2 * STEP), 10_000)
        metrics = QFontMetrics(fonts.text_font())
        height = metrics.boundingRect(room, int(WRAP), _sentence(problem)).height() + metrics.lineSpacing()
        return QRect(left, STEP, room.width(), height)


WIDEST_HELP = 60 * STEP


class ProblemList(QListView):
    """The rows; a click or Enter goes to the problem."""

    chosen = Signal(object)

    def __init__(self, panel: Panel) -> None:
        super().__init__()
        self.problems_model = ProblemModel()
        self.setModel(self.problems_model)
        self.setItemDelegate(ProblemPainter(panel, self))
        self.setMouseTracking(True)
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Problems")
        self.clicked.connect(lambda index: self.chosen.emit(index.data(PROBLEM_ROLE)))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let Enter go to the current problem."""
        index = self.currentIndex()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and index.isValid():
            self.chosen.emit(index.data(PROBLEM_ROLE))
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Break the sentences anew for another width."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.scheduleDelayedItemsLayout()


class Problems(Panel):
    """Everything that is wrong and what is still needed, or a kind word when nothing is.

    `count_changed` carries how many there are; `go_to` the problem that the user wants to see, after its node or wire
    has been selected.
    """

    count_changed = Signal(int)
    go_to = Signal(object)

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(workspace, parent)
        self.setAccessibleName("Problems")
        self.needed = 0
        """How many shapes have to be given before the graph can be bound; they stand below the problems."""
        self.list = ProblemList(self)
        self.list.chosen.connect(self.visit)
        self._fine = QWidget()
        self._mark = QLabel()
        self.words = label("", "muted", wrap=True)
        self.words.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        inner = QVBoxLayout(self._fine)
        inner.addStretch()
        inner.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignHCenter)
        inner.addWidget(self.words)
        inner.addStretch()
        self.helps = QVBoxLayout()
        """What helps against the current problem, or the first one while none is current."""
        self._stack = QStackedLayout(self)
        self._stack.setContentsMargins(0, HALF_STEP, 0, HALF_STEP)
        self._stack.addWidget(self._fine)
        self._stack.addWidget(self._with_help())
        self._told = (-1, -1)
        self._help = InTurn(self, self._show_help)
        self.list.selectionModel().currentChanged.connect(self._help.ask)
        workspace.analysis_changed.connect(self._show)
        self.restyle(self.theme)
        self._show(workspace.analysis)

    @property
    def count(self) -> int:
        """How many problems there are."""
        return len(self.list.problems_model.problems) - self.needed

    @property
    def title(self) -> str:
        """The words for the panel's tab."""
        return f"Problems {self.count}" + (f" · {self.needed} needed" if self.needed else "")

    def visit(self, problem: "DocumentProblem") -> None:
        """Select what a problem is about and ask for it to be shown."""
        place = problem.edge or problem.node
        if place is not None:
            self.workspace.select({place})
        self.go_to.emit(problem)

    def visit_next(self, step: int = 1) -> None:
        """Go to the next problem, round at the end."""
        rows = len(self.list.problems_model.problems)
        if rows:
            at = self.list.currentIndex().row()
            at = (at + step) % rows if at >= 0 else 0
            self.list.setCurrentIndex(self.list.problems_model.index(at))
            self.visit(self.list.problems_model.problems[at])

    def showEvent(self, event: QShowEvent) -> None:
        """Find out what helps, which nobody needs to know while the list is hidden."""
        super().showEvent(event)
        self._help.ask()

    def _with_help(self) -> QWidget:
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(HALF_STEP)
        column.addWidget(self.list, 1)
        self.helps.setContentsMargins(2 * STEP, 0, 2 * STEP, STEP)
        self.helps.setSpacing(HALF_STEP)
        column.addLayout(self.helps)
        return whole

    def _show_help(self) -> None:
        empty(self.helps)
        problems, analysis = self.list.problems_model.problems, self.workspace.analysis
        if not problems or analysis is None or not self.isVisible():
            return
        current = max(0, self.list.currentIndex().row())
        for part in remedy_parts(self.workspace, analysis, problems[current : current + 1]):
            part.setMaximumWidth(WIDEST_HELP)
            self.helps.addWidget(part)

    def restyle(self, theme: Theme) -> None:
        """Draw the mark in another theme."""
        self._mark.setPixmap(self.icons.pixmap("ok", 24, "good", self.devicePixelRatioF()))

    def _show(self, analysis: "Analysis | None") -> None:
        problems = analysis.told_problems if analysis is not None else ()
        needs = needs_of(analysis) if analysis is not None else ()
        self.needed = len(needs)
        self.list.problems_model.show_problems((*problems, *needs))
        is_empty = not self.workspace.document.nodes
        self.words.setText(
            "Nothing is on the board yet. What is wrong with a graph will be told here."
            if is_empty
            else "No problems. The graph can be bound and run."
        )
        self._stack.setCurrentIndex(1 if problems or needs else 0)
        self._help.ask()
        if analysis is not None and (self.count, self.needed) != self._told:
            self._told = (self.count, self.needed)
            self.count_changed.emit(self.count)


def _title(problem: "DocumentProblem") -> str:
    return f"{problem.name} · {problem.port}" if problem.port else problem.name or "The graph"


def _sentence(problem: "DocumentProblem") -> str:
    """Leave the node's name out where the sentence begins with it; it stands above already."""
    return problem.sentence.removeprefix(f"{problem.name}: ") if problem.name else problem.sentence
