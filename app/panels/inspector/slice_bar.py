"""Picks which axes of an array run down and across, and the place on the others."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QSlider, QSpinBox, QWidget

from app.panels.forms.undoing import pass_undo_of
from app.panels.inspector.slicing import Slice
from app.panels.panel import empty, label, row
from app.qt.theme import HALF_STEP, STEP


class SliceBar(QWidget):
    """Shown for arrays of three axes and more; `changed` carries the new Slice."""

    changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._slice: Slice | None = None
        self._pickers: dict[int, tuple[QSpinBox, QSlider]] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(STEP)
        self._grid.setVerticalSpacing(HALF_STEP)
        self._grid.setColumnStretch(1, 1)

    def show_slice(self, view: Slice, *, pick_all: bool) -> None:
        """Show where an array is cut; `pick_all` offers a place on the axis that is laid side by side, too."""
        axes = tuple(
            axis for axis in (view.other_axes if pick_all else view.free_axes) if view.shape[axis] > 1
        )
        old = self._slice
        self._slice = view
        self.setVisible(len(view.shape) > 2)
        same = old is not None and (old.shape, old.rows, old.columns, old.grid) == (
            view.shape,
            view.rows,
            view.columns,
            view.grid,
        )
        if not same or set(axes) != set(self._pickers):
            self._rebuild(view, axes)
        for axis, (spin, slider) in self._pickers.items():
            for widget in (spin, slider):
                widget.blockSignals(True)
                widget.setValue(view.at[axis])
                widget.blockSignals(False)

    def picker(self, axis: int) -> QSpinBox:
        """Return the box with the place on one axis."""
        return self._pickers[axis][0]

    def _rebuild(self, view: Slice, axes: tuple[int, ...]) -> None:
        empty(self._grid)
        self._pickers = {}
        if len(view.shape) < 3 or view.rows is None:
            return
        names = [f"axis {axis}  ({size})" for axis, size in enumerate(view.shape)]
        short = [f"axis {axis}" for axis in range(len(names))]
        down = self._combo("The axis that runs down", short, view.rows)
        across = self._combo("The axis that runs across", short, view.columns)
        self._add("Axes", row(down, across, space=HALF_STEP))
        down.activated.connect(lambda axis: self._turn(axis, view.columns))
        across.activated.connect(lambda axis: self._turn(view.rows, axis))
        tiles = ["one plane", *(names[axis] for axis in view.other_axes)]
        chosen = 0 if view.grid is None else 1 + view.other_axes.index(view.grid)
        grid = self._combo("The axis that is laid side by side", tiles, chosen)
        self._add("Side by side", row(grid))
        grid.activated.connect(
            lambda number: self.changed.emit(view.gridded(view.other_axes[number - 1] if number else None))
        )
        for axis in axes:
            self._add_picker(axis, view.shape[axis])

    def _combo(self, name: str, texts: list[str], chosen: int) -> QComboBox:
        combo = QComboBox()
        combo.addItems(texts)
        combo.setCurrentIndex(chosen)
        combo.setAccessibleName(name)
        combo.setToolTip(name)
        combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        return combo

    def _add_picker(self, axis: int, size: int) -> None:
        spin = QSpinBox()
        spin.setRange(0, size - 1)
        spin.setKeyboardTracking(False)
        spin.setFixedWidth(72)
        pass_undo_of(spin)
        spin.lineEdit().setTextMargins(HALF_STEP, 0, 0, 0)
        spin.setAccessibleName(f"Place on axis {axis}")
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(0, size - 1)
        slider.setAccessibleName(f"Place on axis {axis}")
        slider.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        for widget in (spin, slider):
            widget.valueChanged.connect(lambda place, axis=axis: self._move(axis, place))
        at = self._grid.rowCount()
        self._grid.addWidget(label(f"Axis {axis} at", "muted"), at, 0)
        self._grid.addWidget(slider, at, 1)
        self._grid.addWidget(spin, at, 2)
        self._pickers[axis] = (spin, slider)

    def _add(self, name: str, editors: QHBoxLayout) -> None:
        at = self._grid.rowCount()
        self._grid.addWidget(label(name, "muted"), at, 0)
        self._grid.addLayout(editors, at, 1, 1, 2)

    def _move(self, axis: int, place: int) -> None:
        if self._slice is not None:
            self.changed.emit(self._slice.moved(axis, place))

    def _turn(self, rows: int | None, columns: int) -> None:
        """Take two axes; picking the one that is in use already swaps the two."""
        if self._slice is None or rows is None or self._slice.rows is None:
            return
        if rows == columns:
            rows, columns = self._slice.columns, self._slice.rows
        self.changed.emit(self._slice.turned(rows, columns))
