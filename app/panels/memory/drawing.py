"""Paints a plan of memory: bars of arrays over time and place, the bytes in use, and their peak."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import attrs
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFontMetricsF, QPainter, QPen, QPolygonF

from app.panels.amounts import bytes_text
from app.panels.memory.frame import Frame
from app.qt import fonts
from app.qt.colours import contrast, mix, readable_on
from app.qt.theme import HALF_STEP, STEP, Theme

if TYPE_CHECKING:
    from app.services.memory_map import ArrayKind, MappedArray, MemoryMap

LEFT, TOP, RIGHT, BOTTOM = 60, 18, 12, 18
"""What the words around the plot take."""
THINNEST = 1.0
WITH_OUTLINE = 4.0
"""Bars from this height and width on have an outline and a gap to their neighbours."""
WITH_NAME = 26.0
LEAST_CONTRAST = 1.15
MARK = 4.0
KINDS: "tuple[ArrayKind, ...]" = ("value", "output", "gradient", "head gradient")


@attrs.frozen
class BarInk:
    """What bars of one kind are painted with; some have a pattern, so that colour does not speak alone."""

    fill: QColor
    outline: QColor
    pattern: Qt.BrushStyle

    @classmethod
    def of(cls, kind: "ArrayKind", theme: Theme) -> "BarInk":
        """Return the ink of a kind: the colours that the executor graph has for it."""
        picture = theme.picture
        colour, pattern = {
            "value": (picture.internal, Qt.BrushStyle.NoBrush),
            "output": (picture.output, Qt.BrushStyle.NoBrush),
            "gradient": (picture.gradient, Qt.BrushStyle.BDiagPattern),
            "head gradient": (picture.head_gradient, Qt.BrushStyle.HorPattern),
        }[kind]
        fill = mix(theme.panel, colour, 0.7)
        if contrast(fill, theme.box) < LEAST_CONTRAST:  # white on white, in print
            fill = mix(theme.panel, picture.outline, 0.15)
        return cls(fill, mix(colour, theme.text, 0.35), pattern)

    def paint(self, painter: QPainter, bars: list[QRectF]) -> None:
        """Fill bars, and outline those that are large enough."""
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.fill)
        painter.drawRects(bars)
        large = [bar for bar in bars if min(bar.width(), bar.height()) >= WITH_OUTLINE]
        if not large:
            return
        if self.pattern != Qt.BrushStyle.NoBrush:
            line = QColor(self.outline)
            line.setAlpha(70)
            painter.setBrush(QBrush(line, self.pattern))
            painter.drawRects(large)
        painter.setPen(QPen(self.outline, 1.0))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRects([bar.adjusted(0.5, 0.5, -0.5, -0.5) for bar in large])


def bars_of(frame: Frame, arrays: "Sequence[MappedArray]") -> list[QRectF]:
    """Return where each array is drawn.

    One that is written over another begins in the middle of the step in which that one ends.
    """
    column, row = frame.column, frame.area.height() / frame.bytes.size
    left, bottom = frame.area.left() - frame.steps.low * column, frame.area.bottom() + frame.bytes.low * row
    last, bars = frame.steps.whole, []
    for array in arrays:
        is_over, is_under = array.before is not None, array.after is not None
        start = left + column * (array.birth + 0.5 if is_over else array.birth)
        wide = left + column * min(array.death + (0.5 if is_under else 1.0), last) - start
        floor, high = bottom - row * array.offset, row * array.room
        if wide < THINNEST:
            wide = THINNEST
        elif wide >= 2 * WITH_OUTLINE:  # a gap to what comes before and after
            start += 0.0 if is_over else 1.0
            wide -= (not is_over) + (not is_under)
        high = max(high, THINNEST)
        bars.append(QRectF(start, floor - high, wide, high - (high >= 2 * WITH_OUTLINE)))
    return bars


def short_name(array: "MappedArray") -> str:
    """Return an array's name as it stands on its bar: that of its node, where MXNet only adds a word."""
    return array.node_name if array.name == f"{array.node_name}_output" else array.name


def paint_plan(
    painter: QPainter, frame: Frame, plan: "MemoryMap", bars: Sequence[QRectF], theme: Theme
) -> None:
    """Draw the arrays, each where its bar is, and the axes."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    _paint_ground(painter, frame, plan, theme)
    painter.save()
    painter.setClipRect(frame.area.adjusted(-1, -1, 1, 1))
    _paint_bars(painter, frame.area, zip(plan.arrays, bars, strict=True), theme)
    painter.restore()
    _paint_steps(painter, frame, plan, theme)
    _paint_phases(painter, frame, plan, theme)


def paint_use(
    painter: QPainter, frame: Frame, plan: "MemoryMap", bars: Sequence[QRectF], theme: Theme
) -> None:
    """Draw what lies over the arrays, marked ones too: where backward begins, the bytes in use, names, and the peak."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.save()
    painter.setClipRect(frame.area.adjusted(-1, -1, 1, 1))
    _paint_divide(painter, frame, plan, theme)
    _paint_alive(painter, frame, plan, theme)
    _paint_names(painter, frame.area, zip(plan.arrays, bars, strict=True), theme)
    painter.restore()
    _paint_peak(painter, frame, plan, theme)


def paint_marked(painter: QPainter, bars: Iterable[QRectF], pen: QPen) -> None:
    """Draw an outline around bars, which are never so thin that it would not be seen, and tint them a little."""
    tint = QColor(pen.color())
    tint.setAlpha(24)
    painter.setPen(pen)
    painter.setBrush(tint)
    for bar in bars:
        wide, high = max(0.0, MARK - bar.width()) / 2, max(0.0, MARK - bar.height()) / 2
        painter.drawRect(bar.adjusted(-wide, -high, wide, high))


def _paint_ground(painter: QPainter, frame: Frame, plan: "MemoryMap", theme: Theme) -> None:
    """Draw the memory that is taken, and what its places are."""
    area, metrics = frame.area, QFontMetricsF(fonts.text_font(fonts.CAPTION))
    top = max(area.top(), frame.y(plan.total))
    taken = QRectF(area.left(), top, area.width(), area.bottom() - top)
    painter.fillRect(taken, theme.box)
    painter.setFont(fonts.text_font(fonts.CAPTION))
    half = metrics.height() / 2
    for place in frame.byte_marks(plan.total):
        y = frame.y(place)
        painter.setPen(theme.grid)
        painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
        painter.setPen(theme.muted)
        words = QRectF(0, y - half, area.left() - STEP, 2 * half)
        painter.drawText(
            words, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, bytes_text(place)
        )
    if frame.y(plan.total) >= area.top():
        painter.setPen(QPen(theme.faint, 1.0, Qt.PenStyle.DashLine))
        painter.drawLine(taken.topLeft(), taken.topRight())
    painter.setPen(theme.border)
    painter.drawLine(area.bottomLeft(), area.bottomRight())


def _paint_bars(
    painter: QPainter, seen: QRectF, placed: "Iterable[tuple[MappedArray, QRectF]]", theme: Theme
) -> None:
    bars: dict[ArrayKind, list[QRectF]] = {kind: [] for kind in KINDS}
    joints: list[QRectF] = []
    for array, bar in placed:
        if not bar.intersects(seen):
            continue
        bars[array.kind].append(bar)
        if array.before is not None and bar.height() >= 2 * MARK and bar.width() >= WITH_NAME:
            joints.append(bar)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    for kind, found in bars.items():
        if found:
            BarInk.of(kind, theme).paint(painter, found)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for bar in joints:
        _paint_joint(painter, bar, theme)


def _paint_names(
    painter: QPainter, seen: QRectF, placed: "Iterable[tuple[MappedArray, QRectF]]", theme: Theme
) -> None:
    line = QFontMetricsF(fonts.text_font(fonts.CAPTION)).height()
    fills = {kind: BarInk.of(kind, theme).fill for kind in KINDS}
    for array, bar in placed:
        if bar.height() >= line and bar.width() >= WITH_NAME and bar.intersects(seen):
            _paint_name(painter, bar.intersected(seen), array, fills[array.kind])


def _paint_joint(painter: QPainter, bar: QRectF, theme: Theme) -> None:
    """Draw the arrow at the beginning of a bar that is written over the one before."""
    size = min(bar.height() / 3, 5.0)
    middle = bar.center().y()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.text)
    tip = QPointF(bar.left() + size, middle)
    painter.drawPolygon(
        QPolygonF([QPointF(bar.left(), middle - size), tip, QPointF(bar.left(), middle + size)])
    )


def _paint_name(painter: QPainter, room: QRectF, array: "MappedArray", fill: QColor) -> None:
    """Write an array's name into its bar, and its bytes below where there is room."""
    font = fonts.text_font(fonts.CAPTION)
    metrics = QFontMetricsF(font)
    lead = 2 * HALF_STEP if array.before is not None else HALF_STEP
    inner = room.adjusted(lead, 0, -HALF_STEP, 0)
    name = metrics.elidedText(short_name(array), Qt.TextElideMode.ElideMiddle, inner.width())
    if len(name) < min(4, len(short_name(array))):
        return
    size = bytes_text(array.size)
    both = inner.height() >= 2 * metrics.height() + 2 and metrics.horizontalAdvance(size) <= inner.width()
    if not both and metrics.horizontalAdvance(f"{short_name(array)}  {size}") <= inner.width():
        name = f"{short_name(array)}  {size}"
    painter.setFont(font)
    words = f"{name}\n{size}" if both else name
    place = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
    ground = QColor(fill)
    ground.setAlpha(200)
    painter.fillRect(painter.boundingRect(inner, place, words), ground)  # the line goes behind the words
    painter.setPen(readable_on(fill))
    painter.drawText(inner, place, words)


def _paint_divide(painter: QPainter, frame: Frame, plan: "MemoryMap", theme: Theme) -> None:
    if plan.forward_count < len(plan.steps):
        x, area = round(frame.x(plan.forward_count)), frame.area
        painter.fillRect(QRectF(x - 1, area.top(), 2, area.height()), theme.text)


def _paint_alive(painter: QPainter, frame: Frame, plan: "MemoryMap", theme: Theme) -> None:
    """Draw the bytes in use as a line of stairs, of which no more are drawn than there are pixels."""
    halo = QColor(theme.panel)
    halo.setAlpha(150)
    stairs = list(_stairs(frame, plan))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setPen(Qt.PenStyle.NoPen)
    for colour, width in ((halo, 4), (theme.accent_strong, 2)):
        painter.setBrush(colour)
        half = width / 2
        painter.drawRects(
            [QRectF(left - half, top - half, wide + width, high + width) for left, top, wide, high in stairs]
        )
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)


def _stairs(frame: Frame, plan: "MemoryMap") -> Iterator[tuple[float, float, float, float]]:
    """Yield left, top, width and height of upright and level pieces of the line: two for a step, or for a pixel."""
    first, last = max(0, int(frame.steps.low) - 1), min(len(plan.steps), int(frame.steps.high) + 2)
    before: float | None = None
    number = first
    while number < last:
        left = frame.x(number)
        seen = [frame.y(plan.steps[number].alive)]
        while number + len(seen) < last and frame.x(number + len(seen)) < left + 1.0:
            seen.append(frame.y(plan.steps[number + len(seen)].alive))
        number += len(seen)
        reached = seen if before is None else [*seen, before]
        yield left, min(reached), 0.0, max(reached) - min(reached)
        yield left, seen[-1], frame.x(number) - left, 0.0
        before = seen[-1]


def _paint_steps(painter: QPainter, frame: Frame, plan: "MemoryMap", theme: Theme) -> None:
    """Number the steps, and name them where there is room."""
    font = fonts.text_font(fonts.CAPTION)
    metrics = QFontMetricsF(font)
    painter.setFont(font)
    painter.setPen(theme.muted)
    top = frame.area.bottom() + 2
    for number in frame.step_marks():
        middle = frame.x(number + 0.5)
        if not frame.area.left() <= middle <= frame.area.right() or number >= len(plan.steps):
            continue
        words = f"{number + 1} · {plan.steps[number].words}"
        if metrics.horizontalAdvance(words) > frame.column - STEP:
            words = str(number + 1)
        half = max(frame.column, metrics.horizontalAdvance(words)) / 2
        painter.drawText(
            QRectF(middle - half, top, 2 * half, BOTTOM - 2), Qt.AlignmentFlag.AlignCenter, words
        )


def _paint_phases(painter: QPainter, frame: Frame, plan: "MemoryMap", theme: Theme) -> None:
    """Write above the plot which pass is where."""
    font = fonts.text_font(fonts.CAPTION, strong=True)
    metrics = QFontMetricsF(font)
    painter.setFont(font)
    painter.setPen(theme.muted)
    ends = (0, plan.forward_count, len(plan.steps))
    for words, first, last in zip(("forward", "backward"), ends, ends[1:], strict=False):
        left = max(frame.x(first), frame.area.left())
        right = min(frame.x(last), frame.area.right())
        if right - left >= metrics.horizontalAdvance(words) + HALF_STEP:
            room = QRectF(left + HALF_STEP, 0, right - left, frame.area.top())
            painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, words)


def _paint_peak(painter: QPainter, frame: Frame, plan: "MemoryMap", theme: Theme) -> None:
    """Mark the step in which most is in use, and say how much."""
    if not plan.steps:
        return
    place = QPointF(frame.x(plan.peak_step + 0.5), frame.y(plan.peak))
    if not frame.area.adjusted(-1, -1, 1, 1).contains(place):
        return
    painter.setPen(QPen(theme.panel, 1.5))
    painter.setBrush(theme.accent_strong)
    painter.drawEllipse(place, MARK, MARK)
    words = f"peak {bytes_text(plan.peak)}"
    font = fonts.text_font(fonts.CAPTION, strong=True)
    metrics = QFontMetricsF(font)
    size = metrics.horizontalAdvance(words) + 2 * HALF_STEP
    room = QRectF(place.x() + STEP, 0, size, metrics.height() + 2)
    if room.right() > frame.area.right():
        room.moveRight(place.x() - STEP)
    room.moveTop(max(frame.area.top(), place.y() - room.height() - 2))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.accent)
    painter.drawRoundedRect(room, HALF_STEP, HALF_STEP)
    painter.setFont(font)
    painter.setPen(theme.on_accent)
    painter.drawText(room, Qt.AlignmentFlag.AlignCenter, words)
