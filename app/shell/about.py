"""Says what Chalkgraph is and what it is made with."""

from PySide6.QtCore import Qt, qVersion
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QVBoxLayout, QWidget

from app.qt.icons import APPLICATION_ICON, draw_icon
from app.qt.theme import GAP, SECTION

WORDS = (
    "<p>Draw a computation and see three views of one thing: the code, the symbol graph, and the executor graph "
    "with its numbers.</p>"
    "<p>Free software under the Apache License 2.0. Fonts under the SIL Open Font License; the digits are the "
    "optical recognition set of the UCI repository (CC BY 4.0).</p>"
)


class AboutDialog(QDialog):
    """The name, the version, and the licences."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        from PySide6.QtGui import QColor

        self.setWindowTitle("About Chalkgraph")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        icon = QLabel()
        icon.setPixmap(draw_icon(APPLICATION_ICON, QColor(), 64, self.devicePixelRatioF()))
        title = QLabel(f"Chalkgraph {version()}")
        title.setProperty("look", "title")
        words = QLabel(WORDS)
        words.setWordWrap(True)
        made = QLabel(f"With Qt {qVersion()}")
        made.setProperty("look", "muted")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SECTION, SECTION, SECTION, GAP)
        layout.setSpacing(GAP)
        for widget in (icon, title, words, made, buttons):
            layout.addWidget(widget)
        self.setFixedWidth(400)


def version() -> str:
    """Return the version of the installed program; a checkout that isn't installed has none."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("chalkgraph")
    except PackageNotFoundError:
        return "(from its source)"
