"""Both themes are complete and readable, and the application changes over from one to the other."""

import attrs
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QPushButton

from app.qt import fonts
from app.qt.colours import contrast
from app.qt.stylesheet import stylesheet
from app.qt.theme import Theme, Theming, make_theme

BOTH = pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])


@BOTH
def test_every_token_is_a_colour(dark):
    theme = make_theme(dark=dark)
    colours = [field.name for field in attrs.fields(Theme) if field.type is QColor]
    assert len(colours) > 30
    assert all(getattr(theme, name).isValid() for name in colours)


@BOTH
@pytest.mark.parametrize(
    ("ink", "ground", "least"),
    [
        ("text", "panel", 10.0),
        ("text", "window", 10.0),
        ("text", "canvas", 10.0),
        ("text", "accent_soft", 7.0),
        ("muted", "panel", 4.5),
        ("muted", "window", 4.5),
        ("muted", "canvas", 4.5),
        ("faint", "panel", 3.0),
        ("accent", "panel", 4.0),
        ("accent_strong", "accent_soft", 4.5),
        ("on_accent", "accent", 4.5),
        ("good", "good_soft", 4.5),
        ("warning", "warning_soft", 4.5),
        ("error", "error_soft", 4.5),
        ("error", "panel", 4.5),
        ("info", "info_soft", 4.5),
        ("wire", "canvas", 4.0),
    ],
)
def test_text_stands_out(dark, ink, ground, least):
    theme = make_theme(dark=dark)
    assert contrast(getattr(theme, ink), getattr(theme, ground)) >= least


@BOTH
def test_code_stands_out(dark):
    theme = make_theme(dark=dark)
    for name, ink in attrs.asdict(theme.code, recurse=False).items():
        assert contrast(ink, theme.panel) >= 4.5, name


def test_a_theme_cannot_be_changed():
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        make_theme(dark=False).accent = QColor("red")


@BOTH
def test_stylesheet_names_only_what_exists(dark):
    text = stylesheet(make_theme(dark=dark))
    assert "$" not in text
    assert text.count("{") == text.count("}")


def test_theming_dresses_the_application(theming):
    application = QApplication.instance()
    assert application.font().family() == fonts.TEXT_FAMILY
    assert application.palette().color(QPalette.ColorRole.Window).name() == theming.theme.panel.name()


def test_choosing_changes_the_look_and_is_remembered(theming, settings, qtbot):
    with qtbot.waitSignal(theming.changed) as seen:
        theming.choose("dark")
    assert seen.args == [theming.theme]
    assert theming.theme.is_dark
    assert settings.theme == "dark"
    palette = QApplication.instance().palette()
    assert palette.color(QPalette.ColorRole.Window).lightness() < 60


def test_choosing_the_same_again_says_nothing(theming, qtbot):
    with qtbot.assertNotEmitted(theming.changed):
        theming.choose("light")


def test_picture_palette_changes_the_theme(theming, settings, qtbot):
    with qtbot.waitSignal(theming.changed):
        theming.choose_picture("safe")
    assert theming.theme.picture.name == "safe"
    assert not theming.theme.is_dark
    assert settings.picture_palette == "safe"


class FakeHints:
    """Stands for the system, which the offscreen platform has no say about."""

    def __init__(self) -> None:
        self.scheme = Qt.ColorScheme.Light

    def colorScheme(self):  # noqa: N802
        return self.scheme

    def setColorScheme(self, scheme):  # noqa: N802
        self.scheme = scheme

    def unsetColorScheme(self):  # noqa: N802
        pass


def test_system_choice_follows_the_system(theming, qtbot):
    system = FakeHints()
    theming._hints = system
    theming.choose("system")
    assert not theming.theme.is_dark
    system.scheme = Qt.ColorScheme.Dark
    with qtbot.waitSignal(theming.changed):
        theming.refresh()
    assert theming.theme.is_dark


def test_a_fixed_choice_does_not_follow_the_system(theming, qtbot):
    system = FakeHints()
    theming._hints = system
    theming.choose("light")
    system.scheme = Qt.ColorScheme.Dark
    with qtbot.assertNotEmitted(theming.changed):
        theming.refresh()
    assert not theming.theme.is_dark


def test_the_setting_decides_at_the_start(qapp, settings):
    settings.theme = "dark"
    settings.picture_palette = "print"
    made = Theming(qapp, settings)
    assert made.theme.is_dark
    assert made.theme.picture.name == "print"
    made.setParent(None)
    made.deleteLater()


def test_a_primary_button_is_painted_in_the_accent(theming, qtbot):
    button = QPushButton("Run")
    button.setProperty("look", "primary")
    qtbot.addWidget(button)
    button.resize(120, 32)
    picture = button.grab().toImage()
    assert picture.pixelColor(8, 16).name() == theming.theme.accent.name()
