"""Everything about one array: a heatmap or a table, the plane that is cut out of it, and its statistics."""

from collections.abc import Iterator
from threading import Event
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QGridLayout,
    QLabel,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.panels.inspector.array_table import ArrayTable
from app.panels.inspector.heat_levels import colour_range
from app.panels.inspector.slice_bar import SliceBar
from app.panels.inspector.slicing import Slice, kept_slice, picture, plane
from app.panels.inspector.statistics import Statistics, count_blocks, number_text, statistics
from app.panels.panel import ElidedLabel, label, row
from app.qt import fonts
from app.qt.runner import Runner
from app.qt.theme import HALF_STEP, STEP, Theme

if TYPE_CHECKING:
    from app.panels.inspector.heatmap import Heatmap

Array = NDArray[Any]
AT_ONCE = 1 << 20
"""Arrays of up to so many numbers are counted at once, larger ones on a worker."""
TABLE_HEIGHT = 280
ROWS = ("min", "max", "mean", "std", "zeros", "size")


class ArrayView(QWidget):
    """Shows one array; nothing is computed while it cannot be seen."""

    counted = Signal(object)
    """The Statistics of the array that is shown."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._array: Array | None = None
        self._waiting = False
        self._diverging = False
        self._slice: Slice | None = None
        self._runner: Runner | None = None
        self.statistics: Statistics | None = None
        self.heatmap: Heatmap | None = None
        self.title: ElidedLabel = label("", "mono")  # type: ignore[assignment]
        self.detail: ElidedLabel = label("", "mono")  # type: ignore[assignment]
        self.detail.least = 400
        self._head = QWidget()
        head = row(self.title, self.detail, space=STEP + HALF_STEP)
        head.addStretch()
        self._head.setLayout(head)
        self.alarm = label("", "error", wrap=True)
        self.alarm.hide()
        self.number = QLabel()
        self.number.setFont(fonts.mono_font(28))
        self.number.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.number.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.number.setProperty("look", "box")
        self.number.setFixedHeight(96)
        self.slices = SliceBar()
        self.slices.changed.connect(self._cut)
        self.pointed: ElidedLabel = label("", "mono")  # type: ignore[assignment]
        self.note = label("", "muted", wrap=True)
        self.table = ArrayTable(theme)
        self.pages = QStackedWidget()
        self._picture_page = QWidget()
        QVBoxLayout(self._picture_page).setContentsMargins(0, 0, 0, 0)
        self.pages.addWidget(self._picture_page)
        self.pages.addWidget(self.table)
        self._facts: dict[str, QLabel] = {}
        self._lay_out()

    def _lay_out(self) -> None:
        self._modes = QWidget()
        self.as_picture, self.as_table = QToolButton(), QToolButton()
        group = QButtonGroup(self)
        for number, (button, words) in enumerate(((self.as_picture, "Heatmap"), (self.as_table, "Table"))):
            button.setText(words)
            button.setCheckable(True)
            group.addButton(button, number)
        self.as_picture.setChecked(True)
        group.idToggled.connect(lambda number, on: self._show_page(number) if on else None)
        modes = row(self.as_picture, self.as_table, space=HALF_STEP)
        modes.addStretch()
        self._modes.setLayout(modes)
        facts = QGridLayout()
        facts.setHorizontalSpacing(STEP)
        facts.setVerticalSpacing(HALF_STEP)
        for number, name in enumerate(ROWS):
            value = label("", "mono")
            self._facts[name] = value
            facts.addWidget(label(name, "muted"), number // 2, number % 2 * 2)
            facts.addWidget(value, number // 2, number % 2 * 2 + 1)
        facts.setColumnStretch(1, 1)
        facts.setColumnStretch(3, 1)
        self._facts_box = QWidget()
        self._facts_box.setLayout(facts)
        facts.setContentsMargins(0, 0, 0, 0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(STEP)
        for part in (self._head, self.alarm, self.number, self._modes, self.slices, self.pages):
            layout.addWidget(part)
        for part in (self.pointed, self.note, self._facts_box):
            layout.addWidget(part)

    def show_array(self, name: str, array: Array, *, diverging: bool) -> None:
        """Show an array under a name; the plane stays where it was while the number of axes does."""
        self._array, self._diverging = array, diverging
        self.title.set_whole(name)
        self.detail.set_whole(f"{array.dtype}  {_shape(array)}")
        self._slice = kept_slice(self._slice, array.shape)
        self._waiting = True
        if self.isVisible():
            self._count()

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with what was not computed while nothing could be seen."""
        super().showEvent(event)
        if self._waiting:
            self._count()

    def hideEvent(self, event: QHideEvent) -> None:
        """Give up counting, and end the worker: a block takes a few milliseconds at most."""
        super().hideEvent(event)
        self._waiting = self._waiting or (self._array is not None and self.statistics is None)
        self.shut_down()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Let the picture be as high as its width asks for."""
        super().resizeEvent(event)
        self._fit_height()

    def _fit_height(self) -> None:
        as_picture = self.pages.currentIndex() == 0 and self.heatmap is not None
        height = (
            self.heatmap.height_for(self.width()) if as_picture and self.heatmap is not None else TABLE_HEIGHT
        )
        if height != self.pages.height():
            self.pages.setFixedHeight(height)

    def restyle(self, theme: Theme) -> None:
        """Wear another theme."""
        self._theme = theme
        self.table.restyle(theme)
        if self.heatmap is not None:
            self.heatmap.restyle(theme)
            if self.statistics is not None and self._array is not None:
                self._draw()

    def shut_down(self) -> None:
        """End the worker, if there is one."""
        if self._runner is not None:
            self._runner.shutdown()
            self._runner = None

    # -- counting, then drawing

    def _count(self) -> None:
        self._waiting = False
        array = self._array
        assert array is not None
        if array.size <= AT_ONCE:
            if self._runner is not None:
                self._runner.stop()
            self._take(statistics(array))
            return
        self.statistics = None
        if self._runner is None:
            self._runner = Runner(self)
            self._runner.finished.connect(self._take)

        def job(_cancel: Event) -> Iterator[Statistics]:
            yield from count_blocks(array)

        self._runner.start(job)

    def _take(self, found: Statistics) -> None:
        self.statistics = found
        self.alarm.setText(f"⚠ {found.warning}")
        self.alarm.setVisible(not found.is_finite)
        texts = {
            "min": number_text(found.minimum),
            "mean": number_text(found.mean),
            "max": number_text(found.maximum),
            "std": number_text(found.deviation),
            "zeros": f"{found.zeros:,}" + (f" ({found.zeros / found.count:.0%})" if found.zeros else ""),
            "size": f"{found.count:,}",
        }
        for name, text in texts.items():
            self._facts[name].set_whole(text)  # type: ignore[attr-defined]
        self._draw()
        self.counted.emit(found)

    def _cut(self, view: Slice) -> None:
        self._slice = view
        if self._array is not None and self.statistics is not None:
            self._draw()

    def _show_page(self, number: int) -> None:
        self.pages.setCurrentIndex(number)
        if self._array is not None and self.statistics is not None:
            self._draw()

    def _draw(self) -> None:
        """Draw the page that is seen."""
        array, view, found = self._array, self._slice, self.statistics
        assert array is not None and view is not None and found is not None
        single = array.size == 1
        self.number.setVisible(single)
        for part in (self._modes, self.pages, self.pointed, self._facts_box):
            part.setVisible(not single)
        self.slices.setVisible(not single)
        self.note.hide()
        if single:
            self.number.setText(number_text(float(array.reshape(-1)[0]), 7))
            self.slices.hide()
            return
        as_table = self.pages.currentIndex() == 1
        self.slices.show_slice(view, pick_all=as_table)
        if as_table:
            self.table.plane_model.show_plane(plane(array, view))
            self._fit_height()
            return
        drawn = picture(array, view)
        ends = colour_range(found.minimum, found.maximum, diverging=self._diverging)
        self._picture().show_picture(drawn, ends, diverging=self._diverging)
        self._fit_height()
        notes = []
        if drawn.step != (1, 1):
            notes.append(f"One number in {drawn.step[0] * drawn.step[1]} is drawn; the table has all.")
        if drawn.left_out:
            notes.append(f"{drawn.left_out} more planes do not fit.")
        self.note.setText(" ".join(notes))
        self.note.setVisible(bool(notes))

    def _picture(self) -> "Heatmap":
        """Return the heatmap, made when it is first needed."""
        if self.heatmap is None:
            from app.panels.inspector.heatmap import Heatmap

            self.heatmap = Heatmap(self._theme)
            self.heatmap.pointed.connect(self.pointed.set_whole)
            layout = self._picture_page.layout()
            assert layout is not None
            layout.addWidget(self.heatmap)
        return self.heatmap


def _shape(array: Array) -> str:
    return f"({', '.join(map(str, array.shape))})"
