"""The drawing of a plan of memory: the pointer and the keys find arrays in it, and zoom."""

from typing import TYPE_CHECKING, cast

import attrs
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QToolTip, QWidget

from app.panels.memory.drawing import (
    BOTTOM,
    LEFT,
    MARK,
    RIGHT,
    TOP,
    bars_of,
    paint_marked,
    paint_plan,
    paint_use,
)
from app.panels.memory.frame import Frame
from app.panels.memory.words import sentence_of, tip_of
from app.qt.theme import Theme

if TYPE_CHECKING:
    from app.document.records import Id
    from app.services.memory_map import MemoryMap

ZOOM = 1.25
DEGREES = 120.0
"""What a notch of a wheel turns it, in eighths of a degree."""
NEAR = 4.0
CLOSER = (Qt.Key.Key_Plus, Qt.Key.Key_Equal)
FARTHER = (Qt.Key.Key_Minus,)
HELP = (
    "The wheel zooms, with Shift only the steps; dragging moves, a double click or Home shows everything again.\n"
    "Left and right walk the arrays as they are born, up and down those beside each other in memory;"
    " Enter selects the node."
)


class MemoryChart(QWidget):
    """Draws one plan.

    `pointed` carries the number of the array under the pointer, or the one that the keys are at, or None. `chosen` is
    sent when an array was clicked or Enter was pressed at it.
    """

    pointed = Signal(object)
    chosen = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.plan: MemoryMap | None = None
        self.frame = Frame.of_all(QRectF(0, 0, 1, 1), 1, 1)
        self.current: int | None = None
        """The array that was clicked last, or that the keys are at."""
        self.hovered: int | None = None
        self.marked: frozenset[int] = frozenset()
        """The arrays of the nodes that are selected."""
        self._pictures: tuple[QPixmap, ...] = ()
        """What is behind the marks and what is before them, until something else is to be seen."""
        self._found_bars: list[QRectF] | None = None
        self._pressed: QPointF | None = None
        self._dragged = False
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Memory over the steps of the plan")
        self.setAccessibleDescription(HELP)

    def sizeHint(self) -> QSize:
        """Ask for the room of a wide, low drawing."""
        return QSize(480, 200)

    def minimumSizeHint(self) -> QSize:
        """Be content with the words around the plot and a little of it."""
        return QSize(LEFT + RIGHT + 80, TOP + BOTTOM + 20)

    # -- what is shown

    def show_plan(self, plan: "MemoryMap | None") -> None:
        """Draw another plan; the part that is seen stays where the plan has the same steps and bytes."""
        before, self.plan = self.plan, plan
        if plan is before:
            return
        self.hovered = None
        if plan is None or before is None or self.current is None:
            self.current = None
        else:
            name = before.arrays[self.current].name
            self.current = next((i for i, one in enumerate(plan.arrays) if one.name == name), None)
        self.marked = frozenset()
        if plan is None or before is None or _extent(plan) != _extent(before):
            self.show_all()
        self._repaint()

    def mark(self, nodes: "frozenset[Id]") -> None:
        """Mark the arrays of these nodes."""
        found = self.plan.by_node if self.plan is not None else {}
        marked = frozenset(number for node in nodes for number in found.get(node, ()))
        if marked != self.marked:
            self.marked = marked
            self.update()

    def restyle(self, theme: Theme) -> None:
        """Wear another theme."""
        self._theme = theme
        self._repaint()

    def show_all(self) -> None:
        """See everything."""
        steps, total = _extent(self.plan)
        self._look(Frame.of_all(self._plot(), steps, total))

    def array_at(self, place: QPointF) -> int | None:
        """Return the array at a place, or the nearest one to it of those that are too thin to be hit."""
        if self.plan is None or not self.frame.area.adjusted(-1, -1, 1, 1).contains(place):
            return None
        near = QRectF(place.x() - NEAR, place.y() - NEAR, 2 * NEAR, 2 * NEAR)
        nearest: tuple[float, int] | None = None
        for number, bar in enumerate(self.bars):
            if not bar.intersects(near):
                continue
            aside = max(bar.left() - place.x(), place.x() - bar.right(), 0.0)
            away = max(bar.top() - place.y(), place.y() - bar.bottom(), 0.0)
            if nearest is None or aside + away < nearest[0]:
                nearest = aside + away, number
        return nearest[1] if nearest is not None else None

    def go_to(self, number: int) -> None:
        """Make an array the current one and bring it into sight."""
        if self.plan is None:
            return
        array = self.plan.arrays[number]
        self.current, self.hovered = number, None
        self._look(
            attrs.evolve(
                self.frame,
                steps=self.frame.steps.showing(array.birth, array.death + 1),
                bytes=self.frame.bytes.showing(array.offset, array.top),
            )
        )
        self.setAccessibleDescription(sentence_of(self.plan, number))
        self.pointed.emit(number)
        self.update()

    def _plot(self) -> QRectF:
        return QRectF(LEFT, TOP, max(1, self.width() - LEFT - RIGHT), max(1, self.height() - TOP - BOTTOM))

    def _look(self, frame: Frame) -> None:
        if frame != self.frame:
            self.frame = frame
            self._repaint()

    @property
    def bars(self) -> list[QRectF]:
        """Where every array is drawn; found once for what is seen."""
        if self._found_bars is None:
            self._found_bars = bars_of(self.frame, self.plan.arrays if self.plan is not None else ())
        return self._found_bars

    def _repaint(self) -> None:
        self._found_bars = None
        self._pictures = ()
        self.update()

    # -- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the plan, which is kept as a picture, and over it what is marked."""
        if self.plan is None:
            return
        if not self._pictures or self._pictures[0].devicePixelRatio() != self.devicePixelRatioF():
            self._pictures = self._draw(self.plan)
        behind, before = self._pictures
        with QPainter(self) as painter:
            painter.drawPixmap(0, 0, behind)
            self._paint_marks(painter)
            painter.drawPixmap(0, 0, before)
            if self.hasFocus():
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                painter.setPen(QPen(self._theme.accent, 1.0))
                painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 0.5, -1, -0.5), MARK, MARK)

    def _draw(self, plan: "MemoryMap") -> tuple[QPixmap, QPixmap]:
        ratio = self.devicePixelRatioF()
        behind, before = QPixmap(self.size() * ratio), QPixmap(self.size() * ratio)
        for picture in (behind, before):
            picture.setDevicePixelRatio(ratio)
            picture.fill(Qt.GlobalColor.transparent)
        with QPainter(behind) as painter:
            paint_plan(painter, self.frame, plan, self.bars, self._theme)
        with QPainter(before) as painter:
            paint_use(painter, self.frame, plan, self.bars, self._theme)
        return behind, before

    def _paint_marks(self, painter: QPainter) -> None:
        assert self.plan is not None
        bars, theme = self.bars, self._theme
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRect(self.frame.area.adjusted(-MARK, -MARK, MARK, MARK))
        paint_marked(painter, (bars[number] for number in self.marked), QPen(theme.accent, 2.0))
        number = self.hovered if self.hovered is not None else self.current
        if number is not None:
            sharing = (bars[other] for other in self.plan.sharing(number))
            paint_marked(painter, sharing, QPen(theme.text, 1.0, Qt.PenStyle.DotLine))
            paint_marked(painter, [bars[number]], QPen(theme.text, 2.2))
        painter.restore()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """See the same in another size."""
        super().resizeEvent(event)
        self._look(attrs.evolve(self.frame, area=self._plot()))

    # -- the pointer

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a click or a drag."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed, self._dragged = event.position(), False
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move what is seen, or point at an array."""
        if self._pressed is None:
            self._hover(self.array_at(event.position()))
            return
        way = event.position() - self._pressed
        if self._dragged or way.manhattanLength() >= QApplication.startDragDistance():
            self._dragged = True
            self._pressed = event.position()
            self._look(self.frame.moved(way))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Choose the array that was clicked."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        was_click = self._pressed is not None and not self._dragged
        self._pressed = None
        if was_click:
            number = self.array_at(event.position())
            if number is not None:
                self.go_to(number)
                self.chosen.emit(number)
            else:
                self._let_go()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Show everything."""
        self.show_all()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom about the pointer."""
        turned = event.angleDelta().y() or event.angleDelta().x()  # with Alt the wheel turns sideways
        if turned and self.plan is not None:
            shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            factor = ZOOM ** (-turned / DEGREES)
            self._look(self.frame.zoomed(factor, event.position(), only_steps=shift))
            self._hover(self.array_at(event.position()))
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:
        """Point at nothing."""
        super().leaveEvent(event)
        self._hover(None)

    def _hover(self, number: int | None) -> None:
        if number != self.hovered:
            self.hovered = number
            self.pointed.emit(number if number is not None else self.current)
            self.update()

    def event(self, event: QEvent) -> bool:
        """Tell about the array under a resting pointer, and keep the keys of zooming from the board."""
        if event.type() == QEvent.Type.ShortcutOverride:
            pressed = cast(QKeyEvent, event)
            if _is_ctrl(pressed) and pressed.key() in (*CLOSER, *FARTHER, Qt.Key.Key_0):
                event.accept()
                return True
        if event.type() == QEvent.Type.ToolTip:
            place = cast(QHelpEvent, event)
            number = self.array_at(QPointF(place.pos()))
            text = tip_of(self.plan, number) if self.plan is not None and number is not None else HELP
            QToolTip.showText(place.globalPos(), text, self)
            return True
        return super().event(event)

    # -- the keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Walk from array to array, choose one, zoom."""
        ctrl, key = _is_ctrl(event), event.key()
        ways = {Qt.Key.Key_Right: 1, Qt.Key.Key_Left: -1}
        heights = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}
        if key in ways:
            self._walk(ways[Qt.Key(key)])
        elif key in heights:
            self._climb(heights[Qt.Key(key)])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.current is not None:
            self.chosen.emit(self.current)
        elif key == Qt.Key.Key_Home or (ctrl and key == Qt.Key.Key_0):
            self.show_all()
        elif ctrl and key in CLOSER:
            self._zoom_at_current(1 / ZOOM)
        elif ctrl and key in FARTHER:
            self._zoom_at_current(ZOOM)
        elif key == Qt.Key.Key_Escape and self.current is not None:
            self._let_go()
        else:
            super().keyPressEvent(event)

    def _let_go(self) -> None:
        self.current = None
        self.setAccessibleDescription(HELP)
        QToolTip.hideText()
        self.pointed.emit(self.hovered)
        self.update()

    def _walk(self, way: int) -> None:
        """Go to the array born next, or the one born before."""
        if self.plan is None or not self.plan.arrays:
            return
        if self.current is None:
            self._visit(min(self.marked, default=0))
        else:
            self._visit((self.current + way) % len(self.plan.arrays))

    def _climb(self, way: int) -> None:
        """Go to the next array up or down in memory of those that live at some time with the current one."""
        if self.plan is None or self.current is None:
            self._walk(1)
            return
        arrays, own = self.plan.arrays, self.plan.arrays[self.current]
        beside = [
            (way * (array.offset - own.offset), abs(array.birth - own.birth), number)
            for number, array in enumerate(arrays)
            if array.birth <= own.death and own.birth <= array.death and way * (array.offset - own.offset) > 0
        ]
        if beside:
            self._visit(min(beside)[-1])

    def _visit(self, number: int) -> None:
        """Go to an array by the keys, and say what the pointer's tip would say."""
        self.go_to(number)
        if self.plan is not None:
            bar = self.bars[number]
            place = QPoint(round(bar.left()), round(bar.bottom()))
            QToolTip.showText(self.mapToGlobal(place), tip_of(self.plan, number), self)

    def _zoom_at_current(self, factor: float) -> None:
        about = self.frame.area.center()
        if self.plan is not None and self.current is not None:
            bar = self.bars[self.current].intersected(self.frame.area)
            about = bar.center() if not bar.isEmpty() else about
        self._look(self.frame.zoomed(factor, about))


def _is_ctrl(event: QKeyEvent) -> bool:
    return bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)


def _extent(plan: "MemoryMap | None") -> tuple[int, int]:
    return (len(plan.steps), plan.total) if plan is not None else (1, 1)
