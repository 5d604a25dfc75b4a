"""The bundled text and monospace fonts, so that pictures look the same on every machine."""

from functools import cache
from typing import Final

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QFont, QFontDatabase

from app.resources import MissingResource, resource

TEXT_FAMILY: Final = "Chalkgraph Sans"
MONO_FAMILY: Final = "Chalkgraph Mono"

BODY: Final = 13
SMALL: Final = 12
CAPTION: Final = 11

FILES: Final = (
    "ChalkgraphSans-Regular.otf",
    "ChalkgraphSans-SemiBold.otf",
    "ChalkgraphSans-Italic.otf",
    "ChalkgraphMono-Regular.ttf",
    "ChalkgraphMono-Bold.ttf",
    "ChalkgraphMono-Italic.ttf",
)
_LOADED: Final = "chalkgraph_fonts_loaded"


def load_fonts() -> None:
    """Make the bundled fonts known to Qt; needs a QGuiApplication and does its work once for each."""
    application = QCoreApplication.instance()
    assert application is not None, "fonts are loaded after the application object is made"
    if application.property(_LOADED):
        return
    for name in FILES:
        if QFontDatabase.addApplicationFont(str(resource("fonts", name))) < 0:
            raise MissingResource(f"The font file {name} cannot be read. Install Chalkgraph again.")
    application.setProperty(_LOADED, True)


@cache
def _font(family: str, size: int, weight: QFont.Weight, italic: bool) -> QFont:
    font = QFont(family)
    font.setPixelSize(size)
    font.setWeight(weight)
    font.setItalic(italic)
    font.setStyleStrategy(QFont.StyleStrategy.PreferAntialias)
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    return font


def strong(text: str) -> str:
    """Return rich text as heavy as the bundled font is; what is bold in HTML would be thickened by machine."""
    return f'<span style="font-weight: {int(QFont.Weight.DemiBold)}">{text}</span>'


def text_font(size: int = BODY, *, strong: bool = False, italic: bool = False) -> QFont:
    """Return the text font in a size of device-independent pixels."""
    return QFont(_font(TEXT_FAMILY, size, QFont.Weight.DemiBold if strong else QFont.Weight.Normal, italic))


def mono_font(size: int = SMALL, *, strong: bool = False, italic: bool = False) -> QFont:
    """Return the monospace font, for shapes, numbers and code."""
    return QFont(_font(MONO_FAMILY, size, QFont.Weight.Bold if strong else QFont.Weight.Normal, italic))
