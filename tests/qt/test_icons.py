"""Icons take the theme's colours, follow a change of theme, and are sharp at every scale."""

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QIcon

from app.qt.icons import Icons, application_icon, draw_icon
from app.resources import MissingResource, resource


def inks(picture) -> set[str]:
    """Return the colours of all opaque pixels."""
    image = picture.toImage()
    pixels = (image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height()))
    return {pixel.name() for pixel in pixels if pixel.alpha() == 255}


@pytest.fixture
def icons(theming):
    return Icons(theming)


def test_every_drawing_can_be_drawn(qapp):
    for path in resource("icons").glob("*.svg"):
        assert inks(draw_icon(path.stem, QColor("#123456"), 48)), path.name


def test_an_icon_has_the_colour_asked_for(icons, theming):
    picture = icons.icon("stop", "error").pixmap(QSize(24, 24))
    assert inks(picture) == {theming.theme.error.name()}


def test_an_icon_follows_the_theme(icons, theming):
    icon = icons.icon("stop")
    before = inks(icon.pixmap(QSize(24, 24)))
    theming.choose("dark")
    assert before != inks(icon.pixmap(QSize(24, 24))) == {theming.theme.text.name()}


def test_a_disabled_icon_is_faint(icons, theming):
    picture = icons.icon("stop").pixmap(QSize(24, 24), QIcon.Mode.Disabled)
    assert inks(picture) == {theming.theme.faint.name()}


def test_twice_the_scale_has_twice_the_pixels(icons):
    picture = icons.icon("search").pixmap(QSize(16, 16), 2.0)
    assert picture.width() == 32
    assert picture.devicePixelRatio() == 2.0


def test_a_copied_icon_still_paints(icons):
    copy = QIcon(icons.icon("save"))
    assert not copy.isNull()
    assert inks(copy.pixmap(QSize(20, 20)))


def test_an_unknown_icon_is_refused_at_once(icons):
    with pytest.raises(MissingResource, match=r"icons/flying-carpet\.svg"):
        icons.icon("flying-carpet")


def test_the_program_has_an_icon_in_all_sizes(qapp):
    sizes = {size.width() for size in application_icon().availableSizes()}
    assert {16, 32, 256} <= sizes
