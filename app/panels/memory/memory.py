"""The memory of a bind: when each array is born and used last, what takes whose place, and the peak."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import attrs
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QCheckBox, QPushButton, QVBoxLayout, QWidget

from app.engine.errors import EngineError
from app.panels.kept_up import KeptUp
from app.panels.memory.chart import MemoryChart
from app.panels.memory.legend import MemoryLegend
from app.panels.memory.words import beside_words, line_of, peak_words
from app.panels.needs import needs_of
from app.panels.panel import ElidedLabel, Panel, label, row
from app.qt.theme import GAP, HALF_STEP, STEP, Theme
from app.qt.workspace import Workspace

if TYPE_CHECKING:
    from app.document.analysis import Analysis, Solved
    from app.document.records import Binding
    from app.services.memory_map import MemoryMaps, Purpose

NOTHING_YET = (
    "The memory of the arrays appears here once there is something to compute. Add an operator to the board."
)
LEAST_NOTE = 16 * STEP
PURPOSES: "tuple[tuple[Purpose, str, str], ...]" = (
    ("training", "Training", "A bind with its gradients: forward, then backward"),
    ("inference", "Inference", "A bind that asks for no gradient: forward alone"),
)


@attrs.frozen(eq=False)
class Planned:
    """The plans of a document, or the reason why there are none; `bound` and `bindings` are what was planned."""

    maps: "MemoryMaps | None"
    trouble: str = ""
    bound: "Solved | None" = None
    bindings: "Mapping[str, Binding] | None" = None

    def is_of(self, analysis: "Analysis") -> bool:
        """Tell whether a document would be planned alike, such as one in which a node was moved."""
        is_same = self.bound is analysis.bound and self.bindings is analysis.document.bindings
        return self.maps is not None and is_same and not analysis.errors


def plan_memory(analysis: "Analysis") -> Planned:
    """Plan an analysed document."""
    from app.services.memory_map import map_memory

    if analysis.errors:
        told = dict(zip(analysis.problems, analysis.told_problems, strict=True))[analysis.errors[0]]
        return Planned(None, f"To plan the memory, mend this first: {told.sentence}")
    if analysis.graph is None:
        return Planned(None, NOTHING_YET)
    needs = needs_of(analysis)
    if needs:
        return Planned(None, f"To plan the memory, a shape is missing. {needs[0].sentence}")
    try:
        return Planned(map_memory(analysis), "", analysis.bound, analysis.document.bindings)
    except EngineError as error:
        return Planned(None, f"There is no plan of the memory yet. {error}")


class MemoryPanel(Panel):
    """Shows the plan of a bind.

    An array that is chosen selects its node, and selected nodes mark their arrays; `go_to` carries the node that the
    user wants to see on the board.
    """

    go_to = Signal(str)

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(workspace, parent)
        self.setAccessibleName("Memory")
        self.planned = Planned(None)
        self.purposes = QButtonGroup(self)
        self.buttons: dict[Purpose, QPushButton] = {}
        for purpose, title, tip in PURPOSES:
            button = QPushButton(title)
            button.setCheckable(True)
            button.setProperty("look", "segment")
            button.setToolTip(tip)
            self.purposes.addButton(button)
            self.buttons[purpose] = button
        self.buttons["training"].setChecked(True)
        self.purposes.buttonClicked.connect(lambda _: self._show_plan())
        self.share = QCheckBox("Share memory")
        self.share.setChecked(True)
        self.share.setToolTip("Let arrays use the same memory where their lives do not meet")
        self.share.toggled.connect(lambda _: self._show_plan())
        self.legend = MemoryLegend(self.theme)
        self.lead, self.note = ElidedLabel(), ElidedLabel()
        self.lead.setProperty("look", "heading")
        self.note.setProperty("look", "muted")
        self.trouble = label("", "muted", wrap=True)
        self.trouble.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.chart = MemoryChart(self.theme)
        self.chart.pointed.connect(lambda _: self._tell())
        self.chart.chosen.connect(self._choose)
        self._lay_out()
        self.kept_up = KeptUp(self, self._planner, self._show)
        workspace.selection_changed.connect(self.chart.mark)
        workspace.results_changed.connect(lambda _: self._tell())

    def _lay_out(self) -> None:
        segments = row(*self.buttons.values(), space=0)
        top = row(space=GAP)
        top.addLayout(segments)
        top.addWidget(self.share)
        top.addStretch()
        top.addWidget(self.legend)
        self._controls = QWidget()
        top.setContentsMargins(GAP, 0, STEP, 0)
        self._controls.setLayout(top)
        words = row(self.lead, space=STEP)
        words.addWidget(self.note, 1)
        words.setContentsMargins(GAP, 0, GAP, 0)
        self._words = QWidget()
        self._words.setLayout(words)
        self.trouble.setContentsMargins(GAP, STEP, GAP, STEP)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, HALF_STEP, 0, HALF_STEP)
        layout.setSpacing(HALF_STEP)
        for part in (self._controls, self._words, self.trouble):
            layout.addWidget(part)
        layout.addWidget(self.chart, 1)
        layout.addStretch()
        self._show_parts(drawn=False)

    def sizeHint(self) -> QSize:
        """Ask for the room that the program beside it asks for."""
        return QSize(480, 248)

    @property
    def purpose(self) -> "Purpose":
        """What the plan is for that is shown."""
        return next(purpose for purpose, button in self.buttons.items() if button.isChecked())

    def restyle(self, theme: Theme) -> None:
        """Wear another theme."""
        self.chart.restyle(theme)
        self.legend.restyle(theme)

    # -- following the document

    def _planner(self, analysis: "Analysis") -> Callable[[], Planned] | None:
        return None if self.planned.is_of(analysis) else lambda: plan_memory(analysis)

    def _show(self, planned: Planned) -> None:
        self.planned = planned
        self.trouble.setText(planned.trouble)
        self._show_parts(drawn=planned.maps is not None)
        self._show_plan()

    def _show_parts(self, *, drawn: bool) -> None:
        for part in (self._controls, self._words, self.chart):
            part.setVisible(drawn)
        self.trouble.setVisible(not drawn)

    def _show_plan(self) -> None:
        maps = self.planned.maps
        self.chart.show_plan(
            maps.get(self.purpose, share=self.share.isChecked()) if maps is not None else None
        )
        self.chart.mark(self.workspace.store.selection)
        self._tell()

    def _tell(self) -> None:
        """Say what there is to know of the array that is pointed at, or else the peak and what lives all the time."""
        maps, plan = self.planned.maps, self.chart.plan
        if maps is None or plan is None:
            return
        number = self.chart.hovered if self.chart.hovered is not None else self.chart.current
        if number is not None:
            lead, note = plan.arrays[number].name, line_of(plan, number)
        else:
            lead = peak_words(maps, self.purpose, share=self.share.isChecked())
            note = beside_words(maps, self.purpose, is_bound=self.workspace.results_are_current)
        self.lead.set_whole(lead, note)
        self.note.set_whole(note)
        self._fit_note()

    def _fit_note(self) -> None:
        """Leave the second part away where there is room for a word or two of it; the tip of the first has it."""
        self.note.setVisible(self.width() - self.lead.sizeHint().width() >= LEAST_NOTE)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the second part of the words away where there is no room."""
        super().resizeEvent(event)
        self._fit_note()

    def _choose(self, number: int) -> None:
        """Select the node that an array belongs to, and ask for it to be shown."""
        plan = self.chart.plan
        node = plan.arrays[number].node if plan is not None else None
        if node is not None and node in self.workspace.document.nodes:
            self.workspace.select({node})
            self.go_to.emit(node)
