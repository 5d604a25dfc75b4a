"""One table of actions feeds menus, toolbar, keys and the command palette."""

from collections import Counter

from PySide6.QtGui import QKeySequence

from app.shell.action_table import all_actions
from app.shell.actions import MENUS, Action, keys_of
from app.shell.workbench import Workbench


def test_ids_and_titles_are_unique() -> None:
    table = all_actions()

    assert max(Counter(action.id for action in table).values()) == 1
    assert max(Counter((action.menu, action.title) for action in table).values()) == 1


def test_no_key_means_two_things() -> None:
    keys = Counter(QKeySequence(key).toString() for action in all_actions() for key in action.keys)

    assert [key for key, count in keys.items() if count > 1] == []


def test_every_key_is_one_that_qt_understands() -> None:
    for action in all_actions():
        for key in action.keys:
            assert QKeySequence(key).toString(), (action.id, key)


def test_letters_of_a_menu_are_not_used_twice() -> None:
    letters: Counter[tuple[str, str, str]] = Counter()
    for action in all_actions():
        at = action.text.find("&")
        if at >= 0:
            letters[action.menu, action.path, action.text[at + 1].casefold()] += 1

    assert [place for place, count in letters.items() if count > 1] == []


def test_menus_hold_every_action_in_the_order_of_the_table(empty_bench: Workbench) -> None:
    bar = empty_bench.window.menuBar()
    menus = {menu.text().replace("&", ""): menu.menu() for menu in bar.actions()}

    assert tuple(menus) == MENUS
    for name, menu in menus.items():
        listed = []
        for entry in menu.actions():
            inner = entry.menu()
            listed += [action.objectName() for action in (inner.actions() if inner is not None else [entry])]
        wanted = [action.id for action in all_actions() if action.menu == name]
        assert sorted(found for found in listed if found) == sorted(wanted)


def test_before_the_engine_is_there_only_what_needs_none_can_be_done(empty_bench: Workbench) -> None:
    empty_bench.actions.refresh()

    assert empty_bench.actions["keys"].isEnabled()
    assert empty_bench.actions["theme_dark"].isEnabled()
    for name in ("new", "open", "save", "forward", "undo", "find", "delete"):
        assert not empty_bench.actions[name].isEnabled(), name


def test_the_command_palette_lists_what_the_menus_have(empty_bench: Workbench) -> None:
    commands = {command.id: command for command in empty_bench.actions.commands()}

    assert commands.keys() == {action.id for action in all_actions()}
    assert commands["forward"].key == "F5"
    assert commands["theme_dark"].text == "Theme: Dark"
    assert not commands["forward"].enabled


def test_a_title_has_no_marks_of_a_menu() -> None:
    action = Action("x", "&Save && close", "File", lambda _bench: None, path="Export")

    assert action.words == "Save & close"
    assert action.title == "Export: Save & close"


def test_tooltips_say_the_key(empty_bench: Workbench) -> None:
    forward = empty_bench.actions["forward"]

    assert "F5" in forward.toolTip()
    assert keys_of(forward) == "F5"
