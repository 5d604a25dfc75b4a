"""A view that is panned and zoomed with mouse, touchpad, touch screen and keys, on a dotted ground."""

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSizeF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QInputDevice,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPixmap,
    QResizeEvent,
    QShowEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QGestureEvent, QGraphicsScene, QGraphicsView, QPinchGesture, QWidget

from app.canvas.geometry import visible_grid
from app.canvas.gestures.pan import PanGesture
from app.canvas.ink import Ink

LEAST_SCALE, MOST_SCALE = 0.01, 4.0
WHEEL_STEP = 1.2
KEY_STEP = 1.25
MARGIN = 28.0
HALF_WORLD = 200_000.0
REST_MS = 140
"""So long after the last movement everything is drawn in full quality again."""
MANY_ITEMS = 120
EDGE = 28
"""Width of the border in which a gesture scrolls the view."""


class PanZoomView(QGraphicsView):
    """Shows a scene of ours; `zoom_changed` carries the scale whenever it changes."""

    zoom_changed = Signal(float)

    def __init__(self, scene: QGraphicsScene, parent: QWidget | None = None) -> None:
        super().__init__(scene, parent)
        self._scene = scene
        self._scale = 1.0
        self._pan: PanGesture | None = None
        self._space_down = False
        self._dots: tuple[tuple[float, int, float, int], QPixmap] | None = None
        self._wants_fit = False
        self._keeps_fit = False
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setResizeAnchor(QGraphicsView.ViewportAnchor.AnchorViewCenter)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.SmartViewportUpdate)
        self.setOptimizationFlag(QGraphicsView.OptimizationFlag.DontAdjustForAntialiasing)
        self.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.setRenderHint(QPainter.RenderHint.TextAntialiasing)
        self.setSceneRect(-HALF_WORLD, -HALF_WORLD, 2 * HALF_WORLD, 2 * HALF_WORLD)
        self.setMouseTracking(True)
        # The ground covers every pixel, and knowing it lets Qt move what is there when the view scrolls.
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.viewport().grabGesture(Qt.GestureType.PinchGesture)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_AcceptTouchEvents)
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self._on_rest)

    # What a subclass says ----------------------------------------------------------------------------------------

    def ink(self) -> Ink:
        """Return the colours to paint with."""
        raise NotImplementedError

    def content_box(self) -> QRectF:
        """Return the box of everything there is to see."""
        raise NotImplementedError

    def covered_below(self) -> int:
        """Return how many pixels of the lower edge are covered by something else."""
        return 0

    def scale_changed(self, scale: float) -> None:
        """Take note of another zoom."""

    def set_moving(self, moving: bool) -> None:
        """Draw more plainly while the view moves, where that is needed to keep up."""
        many = moving and len(self._scene.items(self.seen_box())) > MANY_ITEMS
        self.setRenderHint(QPainter.RenderHint.Antialiasing, not many)

    def moved(self) -> None:
        """Take note that another part of the board is in sight."""

    # Zoom --------------------------------------------------------------------------------------------------------

    @property
    def zoom(self) -> float:
        """Pixels per unit of the board."""
        return self._scale

    def seen_box(self) -> QRectF:
        """Return the part of the board that is in sight."""
        return self.mapToScene(self.viewport().rect()).boundingRect()

    def zoom_to(self, scale: float, anchor: QPoint | None = None) -> None:
        """Zoom so that what is under `anchor` (the middle, unless given) stays there."""
        scale = min(max(scale, LEAST_SCALE), MOST_SCALE)
        anchor = anchor if anchor is not None else self.viewport().rect().center()
        if scale == self._scale:
            return
        held = self._exact(anchor)
        self._keeps_fit = False
        self._scale = scale
        self.setTransform(QTransform.fromScale(scale, scale))
        now = self.transform().map(held)
        self._scroll_to(now - QPointF(anchor))
        self._start_moving()
        self.scale_changed(scale)
        self.zoom_changed.emit(scale)
        self.moved()

    def _exact(self, place: QPoint) -> QPointF:
        """Return the point of the board under a pixel, from the scroll bars alone."""
        scrolled = QPointF(self.horizontalScrollBar().value(), self.verticalScrollBar().value())
        return (scrolled + QPointF(place)) / self._scale

    def _scroll_to(self, corner: QPointF) -> None:
        self.horizontalScrollBar().setValue(round(corner.x()))
        self.verticalScrollBar().setValue(round(corner.y()))

    def zoom_in(self) -> None:
        """Show things larger."""
        self.zoom_to(self._scale * KEY_STEP)

    def zoom_out(self) -> None:
        """Show things smaller."""
        self.zoom_to(self._scale / KEY_STEP)

    def zoom_reset(self) -> None:
        """Show things in their own size."""
        self.zoom_to(1.0)

    def fit(self) -> None:
        """Show everything, at most in its own size, and go on doing so in another size until the view is moved."""
        box = self.content_box()
        self.fit_box(box)
        self._keeps_fit = not box.isEmpty()

    def keep_fit(self) -> None:
        """Show everything again where it has grown out of sight, unless the view was moved since it was fitted."""
        if self._keeps_fit and not self.seen_box().contains(self.content_box()):
            self.fit()

    def fit_box(self, box: QRectF) -> None:
        """Show a part of the board, at most in its own size."""
        if not self.isVisible():
            self._wants_fit = True
            return
        self._wants_fit = False
        if box.isEmpty():
            self.zoom_to(1.0)
            self.centerOn(0.0, 0.0)
            self.moved()
            return
        room = self.viewport().size()
        wide = max(room.width() - 2 * MARGIN, 40.0) / box.width()
        high = max(room.height() - 2 * MARGIN - self.covered_below(), 40.0) / box.height()
        self.zoom_to(min(wide, high, 1.0))
        self.show_centre(box.center() + QPointF(0.0, self.covered_below() / 2 / self._scale))

    def show_centre(self, place: QPointF) -> None:
        """Bring a point of the board to the middle."""
        middle = QPointF(self.viewport().width() / 2, self.viewport().height() / 2)
        self._scroll_to(place * self._scale - middle)
        self.moved()

    def show_box(self, box: QRectF) -> None:
        """Scroll just so far that a box comes into sight."""
        seen = self.seen_box().adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
        if seen.contains(box):
            return
        left = min(box.left() - seen.left(), 0.0) or max(box.right() - seen.right(), 0.0)
        top = min(box.top() - seen.top(), 0.0) or max(box.bottom() - seen.bottom(), 0.0)
        self.scroll_by(QPoint(round(-left * self._scale), round(-top * self._scale)))

    def scroll_by(self, pixels: QPoint) -> None:
        """Move the board under the view."""
        if pixels.isNull():
            return
        self._keeps_fit = False
        self._start_moving()
        across, down = self.horizontalScrollBar(), self.verticalScrollBar()
        across.setValue(across.value() - pixels.x())
        down.setValue(down.value() - pixels.y())
        self.moved()

    def _start_moving(self) -> None:
        if not self._rest.isActive():
            self.set_moving(True)
        self._rest.start()

    def _on_rest(self) -> None:
        self.set_moving(False)
        self.viewport().update()

    def edge_pull(self, place: QPoint) -> QPoint:
        """Return how the board should move for a gesture near the view's border."""
        size = self.viewport().size()

        def pull(at: int, length: int) -> int:
            if at < EDGE:
                return min(24, (EDGE - at) // 2 + 2)
            return -min(24, (at - length + EDGE) // 2 + 2) if at > length - EDGE else 0

        return QPoint(pull(place.x(), size.width()), pull(place.y(), size.height()))

    # Events ------------------------------------------------------------------------------------------------------

    @property
    def is_panning(self) -> bool:
        """Whether the board is in the hand."""
        return self._pan is not None

    def start_pan(self, event: QMouseEvent) -> None:
        """Take the board in the hand."""
        self._pan = PanGesture(self.scroll_by, event.position().toPoint(), event.button())
        self.viewport().setCursor(PanGesture.cursor)

    def pan_step(self, event: QMouseEvent) -> bool:
        """Move the board along; False when it isn't in the hand."""
        if self._pan is None:
            return False
        self._pan.step(event.position().toPoint())
        return True

    def end_pan(self, event: QMouseEvent) -> bool:
        """Let go of the board when its button is released; tell whether that was so."""
        if self._pan is None or event.button() != self._pan.button:
            return False
        self._pan = None
        self.viewport().unsetCursor()
        return True

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom with a wheel; pan with two fingers, and zoom with them while Ctrl is held."""
        by_fingers = (
            event.device() is not None and event.device().type() == QInputDevice.DeviceType.TouchPad
        ) or event.phase() != Qt.ScrollPhase.NoScrollPhase
        ctrl = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        place = event.position().toPoint()
        if by_fingers and not ctrl:
            pixels = event.pixelDelta() if not event.pixelDelta().isNull() else event.angleDelta() / 4
            self.scroll_by(pixels)
        elif event.modifiers() & Qt.KeyboardModifier.ShiftModifier and not by_fingers:
            self.scroll_by(QPoint(event.angleDelta().y() or event.angleDelta().x(), 0))
        else:
            self.zoom_to(self._scale * WHEEL_STEP ** (event.angleDelta().y() / 120), place)
        event.accept()

    def viewportEvent(self, event: QEvent) -> bool:
        """Pinch to zoom, on touch screens and touchpads."""
        if isinstance(event, QGestureEvent):
            pinch = event.gesture(Qt.GestureType.PinchGesture)
            if isinstance(pinch, QPinchGesture):
                self._pinch(pinch)
                event.accept(pinch)
                return True
        zooms = Qt.NativeGestureType.ZoomNativeGesture
        if isinstance(event, QNativeGestureEvent) and event.gestureType() == zooms:
            self.zoom_to(self._scale * (1.0 + event.value()), event.position().toPoint())
            return True
        return super().viewportEvent(event)

    def _pinch(self, pinch: QPinchGesture) -> None:
        centre = self.viewport().mapFromGlobal(pinch.centerPoint().toPoint())
        before = self.viewport().mapFromGlobal(pinch.lastCenterPoint().toPoint())
        self.scroll_by(centre - before)
        self.zoom_to(self._scale * pinch.scaleFactor(), centre)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit late when that was asked for before there was any size, and keep in sight what was wholly in sight."""
        corner = QPointF(self.horizontalScrollBar().value(), self.verticalScrollBar().value())
        seen = QRectF(corner / self._scale, QSizeF(event.oldSize()) / self._scale)
        super().resizeEvent(event)
        box = self.content_box() if self.isVisible() else QRectF()
        loses = not box.isEmpty() and seen.contains(box) and not self.seen_box().contains(box)
        if (self._wants_fit or self._keeps_fit or loses) and self.isVisible():
            self.fit()
        self.moved()

    def showEvent(self, event: QShowEvent) -> None:
        """Fit late when that was asked for before the view was shown."""
        super().showEvent(event)
        if self._wants_fit:
            self.fit()

    # Ground ------------------------------------------------------------------------------------------------------

    def drawBackground(self, painter: QPainter, rect: QRectF | QRect) -> None:
        """Paint the ground with the dots of the grid that moving snaps to."""
        theme = self.ink().theme
        painter.fillRect(rect, theme.canvas)
        step = visible_grid(self._scale) * self._scale
        size = self.viewport().size()
        corner = self.mapFromScene(QPointF(0, 0))
        row = self._row_of_dots(step, size.width())
        painter.save()
        painter.resetTransform()
        left, top = corner.x() % step - step, corner.y() % step - step
        for place in range(int(size.height() / step) + 3):
            painter.drawPixmap(QPointF(round(left), round(top + place * step)), row)
        painter.restore()

    def _row_of_dots(self, step: float, width: int) -> QPixmap:
        """Return one row of the grid's dots; drawing rows is far quicker than drawing dots."""
        colour, ratio = self.ink().theme.grid, self.devicePixelRatioF()
        key = (step, width, ratio, colour.rgb())
        if self._dots is None or self._dots[0] != key:
            row = QPixmap(round((width + 3 * step) * ratio), round(2 * ratio))
            row.setDevicePixelRatio(ratio)
            row.fill(Qt.GlobalColor.transparent)
            painter = QPainter(row)
            for place in range(int(width / step) + 3):
                painter.fillRect(QRectF(place * step - 1 if place else 0, 0, 2, 2), colour)
            painter.end()
            self._dots = (key, row)
        return self._dots[1]
