"""Files that people bring are read whole, or refused in a sentence."""

from pathlib import Path

import pytest

from app.engine.errors import FormatError
from app.services import reading
from app.services.reading import read_bytes, read_text


def test_text_comes_back_without_its_mark(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"\xef\xbb\xbf{}")
    assert read_text(path) == "{}"
    assert read_bytes(path).endswith(b"{}")


def test_what_is_no_text_or_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"{\xff")
    for path, words in (
        (tmp_path / "a", "byte 1"),
        (tmp_path / "b", "There is no file b in "),
        (tmp_path, "read"),
    ):
        with pytest.raises(FormatError, match=words):
            read_text(path)
    with pytest.raises(FormatError, match="is no file"):
        read_bytes(tmp_path)


def test_a_file_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    path.write_text(" " * 100)
    monkeypatch.setattr(reading, "LONGEST_TEXT_FILE", 100)
    with pytest.raises(FormatError, match="too large"):
        read_text(path)
