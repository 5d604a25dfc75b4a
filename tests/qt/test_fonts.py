"""The bundled fonts are there and have every sign that formulas need."""

import pytest
from PySide6.QtGui import QFontInfo, QFontMetricsF, QRawFont

from app.qt import fonts

SIGNS = "×÷−∂·²³ᵀ⊙Σ√≤≥≠→←↓↑ʸˣ∞½αβγεμσλ…–—“”✓⁻¹₁₂ᵢⱼ≈"


@pytest.fixture(autouse=True)
def _loaded(qapp):
    fonts.load_fonts()


@pytest.mark.parametrize("strong", [False, True])
@pytest.mark.parametrize("italic", [False, True])
@pytest.mark.parametrize("make", [fonts.text_font, fonts.mono_font])
def test_signs_of_formulas_are_in_the_font_itself(make, italic, strong):
    font = QRawFont.fromFont(make(20, strong=strong, italic=italic))
    assert font.familyName() in (fonts.TEXT_FAMILY, fonts.MONO_FAMILY)
    assert [sign for sign in SIGNS if not font.supportsCharacter(ord(sign))] == []


def test_weights_and_slant_are_real():
    assert QFontInfo(fonts.text_font(strong=True)).weight() == 600
    assert QFontInfo(fonts.mono_font(strong=True)).weight() == 700
    assert QFontInfo(fonts.mono_font(italic=True)).italic()
    assert QFontInfo(fonts.text_font()).weight() == 400


def test_monospace_keeps_its_columns_with_raised_signs():
    metrics = QFontMetricsF(fonts.mono_font(20))
    assert metrics.horizontalAdvance("iiii") == metrics.horizontalAdvance("MᵀʸM")


def test_code_is_shown_as_it_was_typed():
    metrics = QFontMetricsF(fonts.mono_font(20))
    assert metrics.tightBoundingRect("!=").width() > 1.5 * metrics.tightBoundingRect("=").width()


def test_loading_again_changes_nothing(qapp):
    before = fonts.QFontDatabase.families()
    fonts.load_fonts()
    assert fonts.QFontDatabase.families() == before
