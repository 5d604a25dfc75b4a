"""Parameter files of all ages are read, damaged ones are refused, and what is written is read back."""

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.errors import FormatError
from app.services.params_file import Layout, parse_params, read_params, write_params

ARRAYS = {
    "arg:fc1_weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "aux:größe": np.array([[[1.5]]], np.float64),
    "counts": np.array([1, -2, 3], np.int64),
    "mask": np.array([True, False]),
}


EVERY_TYPE = ("float32", "float64", "float16", "uint8", "int32", "int8", "int64", "bool")
LAYOUTS: tuple[Layout, ...] = ("V1", "V2", "V3")


@pytest.fixture(params=LAYOUTS)
def file(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    path = tmp_path / "model-0001.params"
    write_params(ARRAYS, path, layout=request.param)
    return path


def test_what_is_written_is_read_back(file: Path) -> None:
    found = read_params(file)
    assert list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", EVERY_TYPE)
def test_every_type_is_written_in_every_layout(tmp_path: Path, dtype: str, layout: Layout) -> None:
    array = np.array([[0, 1, 2]]).astype(dtype)
    write_params({"a": array}, tmp_path / "a.params", layout=layout)
    found = read_params(tmp_path / "a.params")["a"]
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)


def test_only_v3_has_arrays_without_axes_or_elements(tmp_path: Path) -> None:
    path = tmp_path / "a.params"
    write_params({"a": np.array(2.5), "b": np.zeros((2, 0))}, path, layout="V3")
    found = read_params(path)
    assert (found["a"].shape, found["b"].shape) == ((), (2, 0))
    write_params({"a": np.array(2.5)}, path)
    assert read_params(path)["a"].tolist() == [2.5]
    before = path.read_bytes()
    with pytest.raises(FormatError, match="b has no elements"):
        write_params({"b": np.zeros((2, 0))}, path)
    assert path.read_bytes() == before


def whole(*array: bytes) -> bytes:
    """Return the bytes of a file with one array without a name."""
    return np.array([0x112, 0, 1], "<u8").tobytes() + b"".join(array) + np.array([0], "<u8").tobytes()


def ints(*numbers: int) -> bytes:
    return np.array(numbers, "<i4").tobytes()


def longs(*numbers: int) -> bytes:
    return np.array(numbers, "<i8").tobytes()


V2, V3 = (np.array([mark], "<u4").tobytes() for mark in (0xF993FAC9, 0xF993FACA))


def test_an_array_of_unknown_shape_is_none() -> None:
    assert parse_params(whole(V3, ints(0, -1)))["0"].size == 0


@pytest.mark.parametrize(
    "array",
    [
        V3 + ints(1, -1),
        V3 + ints(0, -2),
        V3 + ints(0, 3) + longs(2**62, 0, 2**62) + ints(1, 0, 0),
        V3 + ints(0, 1) + longs(-1) + ints(1, 0, 0),
        V2 + ints(3, 1) + longs(1) + ints(1, 0, 0),
    ],
)
def test_shapes_and_storages_that_cannot_be_are_refused(array: bytes) -> None:
    with pytest.raises(FormatError, match="damaged"):
        parse_params(whole(array))


@pytest.mark.parametrize("stored", [2, 0])
def test_sparse_rows_are_spread_out_also_where_mxnet_was_too_quick_to_count_its_values(stored: int) -> None:
    values = np.array([1, 2, 3, 4], "<f4").tobytes()
    shapes = [ints(2), longs(stored, 2), ints(2), longs(3, 2)]
    indices = [ints(6, 1), longs(2)]
    array = whole(V2, ints(1), *shapes, ints(1, 0, 0), *indices, values, longs(2, 0))
    assert parse_params(array)["0"].tolist() == [[3, 4], [0, 0], [1, 2]]


@pytest.mark.parametrize("stored", [2, 0])
def test_a_csr_matrix_is_spread_out(stored: int) -> None:
    values = np.array([5, 6], "<f4").tobytes()
    shapes = [ints(1), longs(stored), ints(2), longs(2, 3)]
    indices = [ints(6, 1), longs(3), ints(6, 1), longs(2)]
    array = whole(V2, ints(2), *shapes, ints(1, 0, 0), *indices, values, longs(0, 0, 2), longs(0, 2))
    assert parse_params(array)["0"].tolist() == [[0, 0, 0], [5, 0, 6]]


def test_a_cut_file_is_refused_wherever_it_is_cut(file: Path) -> None:
    data = file.read_bytes()
    for end in range(len(data)):
        with pytest.raises(FormatError):
            parse_params(data[:end])


@given(place=st.integers(0, 400), byte=st.integers(0, 255), layout=st.sampled_from(LAYOUTS))
def test_a_changed_byte_is_read_or_refused_but_never_a_crash(
    tmp_path_factory: pytest.TempPathFactory, place: int, byte: int, layout: Layout
) -> None:
    path = tmp_path_factory.mktemp("params") / "x.params"
    write_params(ARRAYS, path, layout=layout)
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


@pytest.mark.parametrize(
    ("starts", "index_type"),
    [((0, 2**36), 6), ((0, 2**29), 6), ((-1, 0), 6), ((1, 1), 6), ((0, 2), 6), ((0.0, 1.0), 1)],
)
def test_sparse_rows_whose_starts_make_no_sense_are_refused(
    starts: tuple[float, ...], index_type: int, tmp_path: Path
) -> None:
    """One row of four columns, one value: everything hangs on where the row starts and ends."""
    path = tmp_path / "sparse.params"
    path.write_bytes(
        struct.pack("<QQQ", 0x112, 0, 1)
        + struct.pack("<Ii", 0xF993FAC9, 2)
        + struct.pack("<Iq", 1, 1)
        + struct.pack("<Iqq", 2, 1, 4)
        + struct.pack("<iii", 1, 0, 0)
        + struct.pack("<iIq", index_type, 1, len(starts))
        + struct.pack("<iIq", 6, 1, 1)
        + struct.pack("<f", 1.0)
        + struct.pack(f"<{len(starts)}{'q' if index_type == 6 else 'd'}", *starts)
        + struct.pack("<q", 1)
        + struct.pack("<Q", 0)
    )
    with pytest.raises(FormatError):
        read_params(path)


def test_a_few_stored_values_cannot_claim_gigabytes() -> None:
    rows, columns = 2, 2**29
    head = struct.pack("<IiIqIqq", 0xF993FAC9, 1, 1, 0, 2, rows, columns) + struct.pack("<iii", 1, 0, 0)
    indices = struct.pack("<iIq", 6, 1, 0)
    data = struct.pack("<QQQ", 0x112, 0, 1) + head + indices + struct.pack("<Q", 0)
    with pytest.raises(FormatError, match="too large to spread out"):
        parse_params(data)


def test_bfloat16_is_refused_by_its_name() -> None:
    array = struct.pack("<IiIqiii", 0xF993FAC9, 0, 1, 1, 1, 0, 12) + b"\0\0"
    with pytest.raises(FormatError, match="bfloat16.*cast them to float32"):
        parse_params(struct.pack("<QQQ", 0x112, 0, 1) + array + struct.pack("<Q", 0))


@pytest.mark.parametrize(
    ("name", "shape", "words"),
    [("\ud800", (2,), r"'\\ud800' is no text"), ("deep", (1,) * 33, "deep has 33 axes")],
)
def test_what_could_not_be_read_back_is_not_written(
    tmp_path: Path, name: str, shape: tuple[int, ...], words: str
) -> None:
    path = tmp_path / "file.params"
    with pytest.raises(FormatError, match=words):
        write_params({name: np.ones(shape)}, path)
    assert not path.exists()
