"""Parameter files of all ages are read, damaged ones are refused, and what is written is read back."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.errors import FormatError
from app.services.params_file import parse_params, read_params, write_params

ARRAYS = {
    "arg:fc1_weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "aux:größe": np.array([[[1.5]]], np.float64),
    "counts": np.array([1, -2, 3], np.int64),
    "mask": np.array([True, False]),
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "model-0001.params"
    write_params(ARRAYS, path)
    return path


def test_what_is_written_is_read_back(file: Path) -> None:
    found = read_params(file)
    assert list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_a_cut_file_is_refused_wherever_it_is_cut(file: Path) -> None:
    data = file.read_bytes()
    for end in range(len(data)):
        with pytest.raises(FormatError):
            parse_params(data[:end])


@given(place=st.integers(0, 400), byte=st.integers(0, 255))
def test_a_changed_byte_is_read_or_refused_but_never_a_crash(
    tmp_path_factory: pytest.TempPathFactory, place: int, byte: int
) -> None:
    path = tmp_path_factory.mktemp("params") / "x.params"
    write_params(ARRAYS, path)
    data = bytearray(path.read_bytes())
    data[place % len(data)] = byte
    try:
        parse_params(bytes(data))
    except FormatError as error:
        assert error.sentence


def test_the_oldest_layout_without_names(tmp_path: Path) -> None:
    whole = np.array([0x112, 0, 1], "<u8").tobytes()
    whole += np.array([2, 1, 2, 1, 0, 0], "<u4").tobytes()  # rank, dims, device, number, type
    whole += np.array([3, 4], "<f4").tobytes() + np.array([0], "<u8").tobytes()
    assert parse_params(whole)["0"].tolist() == [[3, 4]]


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="nowhere"):
        read_params(tmp_path / "nowhere.params")
