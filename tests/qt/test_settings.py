"""Settings are typed, survive a restart, and a damaged file costs nothing but the damaged value."""

from pathlib import Path

import pytest
from PySide6.QtCore import QByteArray, QSettings

from app.qt.settings import RECENT_LIMIT, Setting, Settings

DECLARED = {name: value for name, value in vars(Settings).items() if isinstance(value, Setting)}


def reopened(settings: Settings, path: Path) -> Settings:
    settings.save()
    return Settings(path)


def test_defaults_come_without_a_file(tmp_path):
    settings = Settings(tmp_path / "none.ini")
    for name, declared in DECLARED.items():
        assert getattr(settings, name) == declared.default, name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("theme", "dark"),
        ("picture_palette", "safe"),
        ("live", False),
        ("computing", "torch:cuda:1"),
        ("show_grid", False),
        ("window_geometry", b"\x00\x01\xff"),
        ("last_folder", "/somewhere, with a comma = and a sign"),
    ],
)
def test_a_value_survives_a_restart_with_its_type(tmp_path, name, value):
    path = tmp_path / "settings.ini"
    settings = Settings(path)
    setattr(settings, name, value)
    again = getattr(reopened(settings, path), name)
    assert again == value
    assert type(again) is type(value)


def test_qts_own_bytes_are_taken_as_they_are(settings):
    settings.window_state = QByteArray(b"abc")
    assert settings.window_state == b"abc"


def test_keys_are_different():
    assert len({declared.key for declared in DECLARED.values()}) == len(DECLARED)


def test_a_wrong_value_is_refused_when_set(settings):
    with pytest.raises(ValueError, match="'sepia' is none of system, light, dark"):
        settings.theme = "sepia"
    assert settings.theme == "system"


def test_damaged_values_count_as_absent(tmp_path):
    path = tmp_path / "settings.ini"
    path.write_text(
        "[look]\ntheme=sepia\n[run]\nlive=perhaps\n[window]\ngeometry=xyz\n[board]\nshow_grid=false\n",
        encoding="utf-8",
    )
    settings = Settings(path)
    assert settings.theme == "system"
    assert settings.live is True
    assert settings.window_geometry == b""
    assert settings.show_grid is False


def test_setting_says_what_changed_and_only_then(settings, qtbot):
    with qtbot.waitSignal(settings.changed) as seen:
        settings.live = False
    assert seen.args == ["live"]
    with qtbot.assertNotEmitted(settings.changed):
        settings.live = False


def test_recent_files_come_latest_first_and_once(settings, tmp_path):
    first, second = tmp_path / "a, b.chalk", tmp_path / "c.chalk"
    for path in (first, second, first):
        settings.add_recent_file(path)
    assert settings.recent_files == (first, second)


def test_recent_files_survive_a_restart(tmp_path):
    path = tmp_path / "settings.ini"
    settings = Settings(path)
    settings.add_recent_file(tmp_path / "only, one.chalk")
    assert reopened(settings, path).recent_files == (tmp_path / "only, one.chalk",)


def test_recent_files_are_limited_and_forgotten(settings, tmp_path):
    for number in range(RECENT_LIMIT + 3):
        settings.add_recent_file(tmp_path / f"{number}.chalk")
    assert len(settings.recent_files) == RECENT_LIMIT
    latest = settings.recent_files[0]
    settings.forget_recent_file(latest)
    assert latest not in settings.recent_files
    settings.forget_recent_files()
    assert settings.recent_files == ()


def test_users_file_is_the_usual_one_but_not_in_tests(tmp_path):
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(tmp_path))
    settings = Settings()
    settings.theme = "dark"
    settings.save()
    assert list(tmp_path.rglob("Chalkgraph.ini"))
