"""Chooses what becomes of an argument's gradient: write, add or none."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QSizePolicy, QToolButton, QWidget

from app.document.records import Request
from app.qt.theme import HALF_STEP

WORDS: dict[Request, tuple[str, str]] = {
    "write": ("write", "Backward overwrites the gradient of {name}."),
    "add": ("add", "Backward adds to the gradient that {name} has."),
    "null": ("none", "{name} gets no gradient, and nothing is computed for it."),
}


class RequestPicker(QWidget):
    """Three buttons of which one is down; a dot marks the program's own proposal.

    `picked` carries the request, or None where it is the proposed one.
    """

    picked = Signal(object)

    def __init__(self, name: str, proposed: Request) -> None:
        super().__init__()
        self._proposed = proposed
        self._group = QButtonGroup(self)
        self.buttons: dict[Request, QToolButton] = {}
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(HALF_STEP)
        for request, (word, sentence) in WORDS.items():
            button = QToolButton()
            mine = request == proposed
            button.setText(f"{word} •" if mine else word)
            button.setCheckable(True)
            button.setStyleSheet("padding: 4px 2px")
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.setToolTip(sentence.format(name=name) + ("\n• This is what is proposed." if mine else ""))
            button.setAccessibleName(f"Gradient of {name}: {word}" + (", proposed" if mine else ""))
            button.clicked.connect(lambda _=False, request=request: self._pick(request))
            self._group.addButton(button)
            self.buttons[request] = button
            layout.addWidget(button)
        self.show_request(None)

    @property
    def request(self) -> Request:
        """The request that is down."""
        return next(request for request, button in self.buttons.items() if button.isChecked())

    def show_request(self, request: Request | None) -> None:
        """Show what the document says; None is the proposal."""
        self.buttons[request or self._proposed].setChecked(True)

    def _pick(self, request: Request) -> None:
        self.picked.emit(None if request == self._proposed else request)
