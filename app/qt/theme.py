"""The look of the program: frozen tokens for light and dark, and the object that follows the system or a setting.

Distances are device-independent pixels on a grid of 8, with half steps of 4.
"""

from typing import Final

import attrs
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QStyleFactory

from app.qt import fonts
from app.qt.colours import (
    CodeColours,
    HeatColours,
    PictureColours,
    heat_colours,
    picture_colours,
)
from app.qt.settings import PictureName, Settings, ThemeChoice

HALF_STEP: Final = 4
STEP: Final = 8
GAP: Final = 16
SECTION: Final = 24
RADIUS: Final = 6
CARD_RADIUS: Final = 8


@attrs.frozen(eq=False, kw_only=True)
class Theme:
    """Every colour of the window and the board; two themes are the same only when they are one object."""

    is_dark: bool
    # surfaces
    window: QColor
    panel: QColor
    canvas: QColor
    grid: QColor
    box: QColor
    control: QColor
    hover: QColor
    pressed: QColor
    separator: QColor
    border: QColor
    # text
    text: QColor
    muted: QColor
    faint: QColor
    # the one accent, and what has a meaning
    accent: QColor
    accent_strong: QColor
    accent_soft: QColor
    on_accent: QColor
    good: QColor
    good_soft: QColor
    warning: QColor
    warning_soft: QColor
    error: QColor
    error_soft: QColor
    info: QColor
    info_soft: QColor
    # the board
    wire: QColor
    wire_faint: QColor
    card: QColor
    card_header: QColor
    card_border: QColor
    shadow: QColor
    port: QColor
    # sets of their own
    picture: PictureColours
    code: CodeColours
    heat: HeatColours


def _colours(**named: str) -> dict[str, QColor]:
    return {name: QColor(text) for name, text in named.items()}


def _light(picture: PictureColours, heat: HeatColours) -> Theme:
    surfaces = _colours(
        window="#eef0f3",
        panel="#ffffff",
        canvas="#fbfcfd",
        grid="#e3e6ec",
        box="#f8f9fb",
        control="#f2f4f7",
        hover="#e8ebf0",
        pressed="#dde1e8",
        separator="#e3e6ec",
        border="#d5dae1",
        text="#1f2933",
        muted="#5b6571",
        faint="#858e99",
        accent="#2f5bea",
        accent_strong="#2449c4",
        accent_soft="#eaf0ff",
        on_accent="#ffffff",
    )
    meanings = _colours(
        good="#177a3c",
        good_soft="#e7f6ec",
        warning="#8a5a00",
        warning_soft="#fff4dc",
        error="#c42b2e",
        error_soft="#fdebeb",
        info="#1d4fb8",
        info_soft="#e7f0fd",
    )
    board = _colours(
        wire="#5b6571",
        wire_faint="#b8bec7",
        card="#ffffff",
        card_header="#f1f3f6",
        card_border="#d5dae1",
        shadow="#141f2933",
        port="#ffffff",
    )
    code = CodeColours(
        **_colours(
            keyword="#2449c4",
            name="#1f2933",
            string="#177a3c",
            number="#a34a00",
            comment="#6b7785",
            sign="#5b6571",
        )
    )
    return Theme(is_dark=False, picture=picture, heat=heat, code=code, **surfaces, **meanings, **board)


def _dark(picture: PictureColours, heat: HeatColours) -> Theme:
    surfaces = _colours(
        window="#15191f",
        panel="#1c2129",
        canvas="#181d24",
        grid="#2a313b",
        box="#222831",
        control="#272e38",
        hover="#303844",
        pressed="#3a4452",
        separator="#2c333e",
        border="#3b4450",
        text="#e6eaf0",
        muted="#a5afbc",
        faint="#77818e",
        accent="#5b84ff",
        accent_strong="#7c9dff",
        accent_soft="#24335f",
        on_accent="#0d1220",
    )
    meanings = _colours(
        good="#5fd48a",
        good_soft="#17352a",
        warning="#f0b64a",
        warning_soft="#3a2f16",
        error="#ff7b7d",
        error_soft="#45212a",
        info="#82b1ff",
        info_soft="#1c2f50",
    )
    board = _colours(
        wire="#9aa4b1",
        wire_faint="#4d5765",
        card="#232932",
        card_header="#2b323d",
        card_border="#414b58",
        shadow="#60000000",
        port="#232932",
    )
    code = CodeColours(
        **_colours(
            keyword="#8fabff",
            name="#e6eaf0",
            string="#7fd6a0",
            number="#f0b072",
            comment="#8b95a3",
            sign="#a5afbc",
        )
    )
    return Theme(is_dark=True, picture=picture, heat=heat, code=code, **surfaces, **meanings, **board)


def make_theme(*, dark: bool, picture: PictureName = "standard") -> Theme:
    """Return the theme with the picture palette of that name."""
    make = _dark if dark else _light
    return make(picture_colours(picture, on_dark=dark), heat_colours(picture, on_dark=dark))


class Theming(QObject):
    """Keeps the application in one theme: the system's, or the one that a setting names.

    `changed` carries the new Theme after palette, fonts and stylesheet of the application have been replaced.
    """

    changed = Signal(object)

    def __init__(self, application: QApplication, settings: Settings) -> None:
        super().__init__(application)
        self._application = application
        self._settings = settings
        fonts.load_fonts()
        application.setStyle(QStyleFactory.create("Fusion"))
        application.setFont(fonts.text_font())
        self._hints = application.styleHints()
        self._ask_system()
        self.theme = self._wanted()
        self._apply()
        self._hints.colorSchemeChanged.connect(self.refresh)

    @property
    def choice(self) -> ThemeChoice:
        """Return what the user chose: to follow the system, light, or dark."""
        return self._settings.theme

    @property
    def picture(self) -> PictureName:
        """Return the name of the chosen picture palette."""
        return self._settings.picture_palette

    def choose(self, choice: ThemeChoice) -> None:
        """Follow the system, or stay light or dark; the setting remembers it."""
        self._settings.theme = choice
        self._ask_system()
        self.refresh()

    def choose_picture(self, name: PictureName) -> None:
        """Draw the pictures in another palette; the setting remembers it."""
        self._settings.picture_palette = name
        self.refresh()

    def refresh(self) -> None:
        """Compare with what is wanted now and change over where it differs."""
        wanted = self._wanted()
        if (wanted.is_dark, wanted.picture) == (self.theme.is_dark, self.theme.picture):
            return
        self.theme = wanted
        self._apply()
        self.changed.emit(wanted)

    def _wanted(self) -> Theme:
        if self.choice == "system":
            dark = self._hints.colorScheme() == Qt.ColorScheme.Dark
        else:
            dark = self.choice == "dark"
        return make_theme(dark=dark, picture=self.picture)

    def _ask_system(self) -> None:
        # Title bars and native dialogs are drawn by the system, so it has to know the choice as well.
        if self.choice == "system":
            self._hints.unsetColorScheme()
        else:
            wanted = Qt.ColorScheme.Dark if self.choice == "dark" else Qt.ColorScheme.Light
            self._hints.setColorScheme(wanted)

    def _apply(self) -> None:
        from app.qt.stylesheet import application_palette, stylesheet

        self._application.setPalette(application_palette(self.theme))
        self._application.setStyleSheet(stylesheet(self.theme))
