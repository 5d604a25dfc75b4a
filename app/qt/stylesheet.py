"""Turns a theme into the palette and the stylesheet that the whole application wears over Fusion.

A widget asks for a special look by properties instead of a stylesheet of its own:

    widget.setProperty("look", "primary")     button filled with the accent
    widget.setProperty("look", "flat")        button without a frame until the pointer is over it
    widget.setProperty("look", "good")        button in soft green (Forward); "info" is soft blue (Backward)
    widget.setProperty("look", "segment")     one of a row of exclusive buttons; checked is filled with the accent
    widget.setProperty("look", "pill")        rounded at both ends; checked is soft accent
    widget.setProperty("look", "field")       button in the toolbar that opens something, looks like a field
    label.setProperty("look", "heading")      also "section", "muted", "notice", "error", "good", "box"
    label.setProperty("look", "mono")         for names and numbers; also "slanted", for shapes that are inferred
    text.setProperty("look", "sheet")         editor that lies over the board
    frame.setProperty("look", "box")          rounded box for a note or a formula
"""

from string import Template
from typing import Final

import attrs
from PySide6.QtGui import QColor, QPalette

from app.qt.theme import Theme
from app.resources import resource

_RULES: Final = """
* { outline: none; }
QMainWindow, QDialog, QMessageBox { background: $panel; }
QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }
QMainWindow::separator { background: $separator; width: 1px; height: 1px; margin: 0 1px; }
QMainWindow::separator:hover { background: $accent; }
QSplitter::handle { background: $separator; }
QSplitter::handle:horizontal { width: 1px; margin: 0 1px; }
QSplitter::handle:vertical { height: 1px; margin: 1px 0; }
QSplitter::handle:hover { background: $accent; }

QMenuBar { background: $window; color: $text; border: none; border-bottom: 1px solid $separator; padding: 2px 6px; }
QMenuBar::item { background: transparent; padding: 5px 8px; border-radius: 5px; }
QMenuBar::item:selected { background: $hover; }
QMenu { background: $panel; color: $text; border: 1px solid $border; border-radius: 8px; padding: 5px; }
QMenu::item { padding: 5px 28px 5px 10px; border-radius: 5px; }
QMenu::icon { padding-left: 8px; }
QMenu::item:selected { background: $accent_soft; color: $text; }
QMenu::item:disabled { color: $faint; background: transparent; }
QMenu::separator { height: 1px; background: $separator; margin: 5px 6px; }
QToolBar { background: $panel; border: none; border-bottom: 1px solid $separator; padding: 6px 8px; spacing: 4px; }
QToolBar::separator { background: $separator; width: 1px; margin: 6px 6px; }
QStatusBar { background: $window; color: $muted; border-top: 1px solid $separator; }
QStatusBar::item { border: none; }
QToolTip { background: $panel; color: $text; border: 1px solid $border; padding: 5px 7px; }

QPushButton, QToolButton { background: $control; color: $text; border: 1px solid $separator; border-radius: 6px;
  padding: 4px 10px; min-height: 16px; }
QPushButton:hover, QToolButton:hover { background: $hover; }
QPushButton:pressed, QToolButton:pressed { background: $pressed; }
QPushButton:checked, QToolButton:checked { background: $accent_soft; border-color: $accent; color: $accent_strong; }
QPushButton:focus, QToolButton:focus { border-color: $accent; }
QPushButton:disabled, QToolButton:disabled { color: $faint; background: $box; }
QToolBar QToolButton { background: transparent; border-color: transparent; padding: 4px 7px; }
QToolBar QToolButton:hover { background: $hover; }
QToolBar QToolButton:pressed { background: $pressed; }
QToolBar QToolButton:focus { border-color: $accent; }
QToolBar QToolButton:disabled { background: transparent; }
QPushButton:default, *[look="primary"] { background: $accent; color: $on_accent; border-color: $accent;
  font-weight: 600; }
QPushButton:default:hover, *[look="primary"]:hover { background: $accent_strong; }
QPushButton:default:disabled, *[look="primary"]:disabled { background: $box; color: $faint; border-color: $separator; }
*[look="flat"] { background: transparent; border-color: transparent; padding: 4px 6px; }
*[look="flat"]:hover { background: $hover; }
*[look="flat"]:focus { border-color: $accent; }
QToolBar *[look="good"], QToolButton[look="good"], QPushButton[look="good"] { background: $good_soft; color: $good;
  border-color: $good_line; font-weight: 600; padding: 4px 10px; }
QToolBar *[look="info"], QToolButton[look="info"], QPushButton[look="info"] { background: $info_soft; color: $info;
  border-color: $info_line; font-weight: 600; padding: 4px 10px; }
*[look="good"]:hover { border-color: $good; }
*[look="info"]:hover { border-color: $info; }
QToolBar *[look="good"]:disabled, QToolBar *[look="info"]:disabled { background: $box; color: $faint;
  border-color: $separator; }
QToolBar *[look="segment"], QToolButton[look="segment"], QPushButton[look="segment"] { background: $control;
  color: $text; border: 1px solid $separator; padding: 4px 14px; }
QToolBar *[look="segment"]:hover { background: $hover; }
QToolBar *[look="segment"]:checked, QToolButton[look="segment"]:checked, QPushButton[look="segment"]:checked {
  background: $accent; border-color: $accent; color: $on_accent; font-weight: 600; }
QToolBar *[look="pill"], QToolButton[look="pill"] { background: $control; border: 1px solid $separator;
  border-radius: 13px; padding: 4px 14px; font-weight: 600; }
QToolBar *[look="pill"]:checked, QToolButton[look="pill"]:checked { background: $accent_soft; border-color: $accent;
  color: $accent_strong; }
QToolBar *[look="field"] { background: $field; color: $muted; border: 1px solid $border; border-radius: 6px;
  padding: 4px 10px; }
QToolBar *[look="field"]:hover { border-color: $faint; color: $text; }
QToolBar *[look="field"]:focus { border-color: $accent; }

QLineEdit, QPlainTextEdit, QTextEdit, QSpinBox, QDoubleSpinBox, QComboBox { background: $field; color: $text;
  border: 1px solid $border; border-radius: 6px; selection-background-color: $accent;
  selection-color: $on_accent; }
QLineEdit, QSpinBox, QDoubleSpinBox, QComboBox { padding: 4px 8px; min-height: 18px; }
QLineEdit:hover, QSpinBox:hover, QDoubleSpinBox:hover, QComboBox:hover { border-color: $faint; }
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QComboBox:focus {
  border-color: $accent; }
QLineEdit:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled, QComboBox:disabled { color: $faint;
  background: $box; }
QLineEdit[readOnly="true"] { background: transparent; border-color: $separator; }
QLineEdit[wrong="true"], QComboBox[wrong="true"] { border-color: $error; background: $error_soft; }
QPlainTextEdit[look="sheet"] { background: $field; border: 1px solid $accent; }
QLineEdit[look="search"] { background: $control; border-color: $separator; }
QLineEdit[look="search"]:focus { background: $field; border-color: $accent; }
QComboBox::drop-down { border: none; width: 22px; }
QComboBox::down-arrow { image: url($icons/combo-arrow.svg); width: 14px; height: 14px; }
QSpinBox::up-button, QDoubleSpinBox::up-button, QSpinBox::down-button, QDoubleSpinBox::down-button {
  background: transparent; border: none; width: 20px; }
QSpinBox::up-arrow, QDoubleSpinBox::up-arrow { image: url($icons/spin-up-arrow.svg); width: 10px; height: 10px; }
QSpinBox::down-arrow, QDoubleSpinBox::down-arrow { image: url($icons/combo-arrow.svg); width: 10px; height: 10px; }
QComboBox { combobox-popup: 0; }
QComboBoxPrivateContainer { background: $panel; border: none; }
QComboBox QAbstractItemView { background: $panel; border: 1px solid $border; padding: 4px; outline: none;
  selection-background-color: $accent_soft; selection-color: $text; }
QComboBox QAbstractItemView::item { min-height: 24px; padding: 0 6px; border-radius: 4px; }
QComboBox QAbstractItemView::item:selected, QComboBox QAbstractItemView::item:hover { background: $accent_soft;
  color: $text; }
QAbstractSpinBox QLineEdit, QComboBox QLineEdit { background: transparent; border: none; padding: 0 0 0 8px;
  min-height: 0; }
QCheckBox, QRadioButton { spacing: 8px; color: $text; }
QCheckBox::indicator, QRadioButton::indicator, QAbstractItemView::indicator { width: 14px; height: 14px;
  background: $field; border: 1px solid $faint; border-radius: 4px; }
QRadioButton::indicator { border-radius: 8px; }
QCheckBox::indicator:hover, QRadioButton::indicator:hover, QCheckBox:focus::indicator { border-color: $accent; }
QCheckBox::indicator:checked, QAbstractItemView::indicator:checked { background: $accent; border-color: $accent;
  image: url($icons/checked.svg); }
QRadioButton::indicator:checked { width: 6px; height: 6px; border: 5px solid $accent; background: #ffffff; }
QCheckBox::indicator:disabled, QRadioButton::indicator:disabled { background: $box; border-color: $border; }
QCheckBox::indicator:checked:disabled { background: $faint; border-color: $faint; }

QTabWidget::pane { border: none; border-top: 1px solid $separator; }
QTabBar { background: transparent; border: none; qproperty-drawBase: 0; }
QTabBar::tab { background: transparent; color: $muted; border: none; border-bottom: 2px solid transparent;
  padding: 7px 4px; margin: 0 8px; }
QTabBar::tab:hover { color: $text; }
QTabBar::tab:selected { color: $text; border-bottom-color: $accent; font-weight: 600; }
QTabBar::tab:focus { color: $accent_strong; }
QDockWidget { color: $text; font-weight: 600; titlebar-close-icon: url($icons/dock-close.svg);
  titlebar-normal-icon: url($icons/dock-float.svg); }
QDockWidget::close-button, QDockWidget::float-button { border: none; border-radius: 4px; icon-size: 14px; }
QDockWidget::close-button:hover, QDockWidget::float-button:hover { background: $hover; }
QDockWidget::title { background: $panel; padding: 8px 12px; border: none; }
QAbstractScrollArea { border: none; background: $panel; }
QHeaderView { background: $panel; border: none; }
QAbstractScrollArea::corner { background: transparent; border: none; }
QTableCornerButton::section { background: $panel; border: none; }
QHeaderView::section { background: $panel; color: $muted; border: none; border-bottom: 1px solid $separator;
  padding: 4px 8px; }
QTreeView, QListView, QTableView { background: $panel; alternate-background-color: $box; border: none;
  gridline-color: $separator; selection-background-color: $accent_soft; selection-color: $text; }
QTreeView { show-decoration-selected: 1; }
QTreeView::item, QListView::item { padding: 3px 6px; }
QListView::item { border-radius: 5px; }
QTreeView::item:hover, QListView::item:hover { background: $control; }
QTreeView::item:selected, QListView::item:selected { background: $accent_soft; color: $text; }
QProgressBar { background: $control; border: none; border-radius: 3px; max-height: 6px; }
QProgressBar::chunk { background: $accent; border-radius: 3px; }
QScrollBar { background: transparent; border: none; }
QScrollBar:vertical { width: 10px; }
QScrollBar:horizontal { height: 10px; }
QScrollBar::handle { background: $thumb; border-radius: 3px; margin: 2px; }
QScrollBar::handle:vertical { min-height: 32px; }
QScrollBar::handle:horizontal { min-width: 32px; }
QScrollBar::handle:hover { background: $faint; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }

QLabel { background: transparent; }
QSlider::groove:horizontal { height: 4px; border-radius: 2px; background: $border; }
QSlider::groove:horizontal:focus { background: $accent; }
QSlider::handle:horizontal { width: 14px; margin: -5px 0; border-radius: 7px; background: $accent; }
QSlider::handle:horizontal:disabled { background: $border; }
QLabel[look="title"] { font-size: 16px; font-weight: 600; }
QLabel[look="heading"] { font-weight: 600; }
QLabel[look="section"] { color: $muted; font-size: 11px; font-weight: 600; }
QLabel[look="muted"] { color: $muted; font-size: 12px; }
QLabel[look="error"] { color: $error; font-size: 12px; }
QLabel[look="good"] { color: $good; font-size: 12px; }
QLabel[look="notice"] { background: $accent_soft; color: $text; font-size: 12px; border-radius: 4px; }
QLabel[look="mono"], QLabel[look="slanted"] { font-family: "Chalkgraph Mono"; font-size: 12px; }
QLabel[look="slanted"] { font-style: italic; }
*[look="box"] { background: $box; border: 1px solid $separator; border-radius: 8px; padding: 8px; }
*[look="window"] { background: $window; }
*[look="panel"] { background: $panel; }
"""


def application_palette(theme: Theme) -> QPalette:
    """Return the palette for what the stylesheet leaves to Fusion: check marks, arrows, native text."""
    palette = QPalette()
    roles = {
        QPalette.ColorRole.Window: theme.panel,
        QPalette.ColorRole.WindowText: theme.text,
        QPalette.ColorRole.Base: theme.panel,
        QPalette.ColorRole.AlternateBase: theme.box,
        QPalette.ColorRole.Text: theme.text,
        QPalette.ColorRole.PlaceholderText: theme.faint,
        QPalette.ColorRole.Button: theme.control,
        QPalette.ColorRole.ButtonText: theme.text,
        QPalette.ColorRole.BrightText: theme.error,
        QPalette.ColorRole.ToolTipBase: theme.panel,
        QPalette.ColorRole.ToolTipText: theme.text,
        QPalette.ColorRole.Highlight: theme.accent,
        QPalette.ColorRole.HighlightedText: theme.on_accent,
        QPalette.ColorRole.Accent: theme.accent,
        QPalette.ColorRole.Link: theme.accent,
        QPalette.ColorRole.LinkVisited: theme.accent_strong,
        QPalette.ColorRole.Mid: theme.border,
        QPalette.ColorRole.Light: theme.panel,
        QPalette.ColorRole.Midlight: theme.separator,
        QPalette.ColorRole.Dark: theme.border,
    }
    for role, colour in roles.items():
        palette.setColor(role, colour)
    for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, theme.faint)
    return palette


def stylesheet(theme: Theme) -> str:
    """Return the application's stylesheet in the colours of a theme."""
    from app.qt.colours import mix

    colours = {
        field.name: _spelled(getattr(theme, field.name))
        for field in attrs.fields(Theme)
        if isinstance(getattr(theme, field.name), QColor)
    }
    colours |= {
        "field": _spelled(theme.box if theme.is_dark else theme.panel),
        "good_line": _spelled(mix(theme.good_soft, theme.good, 0.35)),
        "info_line": _spelled(mix(theme.info_soft, theme.info, 0.35)),
        "thumb": _spelled(mix(theme.separator, theme.faint, 0.35)),
    }
    return Template(_RULES).substitute(colours, icons=resource("icons").as_posix())


def _spelled(colour: QColor) -> str:
    if colour.alpha() == 255:
        return colour.name()
    return f"rgba({colour.red()}, {colour.green()}, {colour.blue()}, {colour.alpha()})"
