"""Numpy's files are read as numpy does, and what is broken in them is refused before it costs anything."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.errors import EngineError, FormatError
from app.services import headless, npy_files
from app.services.array_files import array_shape, read_array
from app.services.npy_files import DAMAGE, read_npy


def packed(array: np.ndarray, **claims: str) -> bytes:
    """Return a `.npy` file whose head claims other things."""
    buffer = io.BytesIO()
    np.save(buffer, array)
    data = buffer.getvalue()
    for old, new in claims.values():
        data = data.replace(old, new)
    return data


def read(data: bytes) -> np.ndarray:
    return read_npy(io.BytesIO(data), len(data), "a.npy")


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3),
        np.asfortranarray(np.arange(6, dtype=">i4").reshape(2, 3)),
        np.float32(3),
        np.zeros((0, 4)),
        np.array(["fc1_output"]),
        np.array([True, False]),
    ],
)
def test_what_numpy_saves_comes_back(array: np.ndarray) -> None:
    found = read(packed(np.asarray(array)))
    np.testing.assert_array_equal(found, array)
    assert found.dtype == np.asarray(array).dtype and found.shape == np.shape(array)
    assert found.flags.writeable


@pytest.mark.parametrize("shape", [b"(9999999999999,)", b"(-2,)", b"((3,),)", b"((((((((", b"3L", b"{}"])
def test_a_head_that_cannot_be_true_is_damage(shape: bytes) -> None:
    data = packed(np.arange(3.0), shape=(b"(3,)", shape))
    with pytest.raises(DAMAGE):
        read(data)


def test_a_long_head_is_not_even_read() -> None:
    with pytest.raises(DAMAGE):
        read(b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + b" " * 100)


def test_a_small_file_that_unpacks_to_more_than_there_is_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", packed(np.zeros(10 * 2**20)))
    assert path.stat().st_size < 2**20
    monkeypatch.setattr(npy_files, "free_memory", lambda: 40 * 2**20)
    with pytest.raises(FormatError, match="unpacks to 80 MiB, but only 40 MiB"):
        headless.read_arrays(path)
    with pytest.raises(EngineError, match="80 MiB"):
        read_array(f"{path}#a", None)
    assert array_shape(f"{path}#a", None) == (10 * 2**20,)


def test_a_member_packed_in_an_unknown_way_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", packed(np.arange(3.0)))
    data = path.read_bytes()
    at = data.index(b"PK\x01\x02") + 10
    path.write_bytes(data[:at] + b"\x63" + data[at + 1 :])
    with pytest.raises(FormatError, match=r"a.npz is no readable \.npz file"):
        headless.read_arrays(path)


@given(st.data())
def test_no_damage_is_a_crash(data: st.DataObject) -> None:
    broken = bytearray(packed(np.arange(12.0).reshape(3, 4)))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, 127))
        broken[place] = data.draw(st.sampled_from(b"0123456789(),<>|'\":{}fuiOSUVc \x00\xff"))
    try:
        found = read(bytes(broken))
    except DAMAGE:
        return
    assert found.nbytes <= len(broken)


def test_an_array_of_objects_is_told_as_one(tmp_path: Path) -> None:
    path = tmp_path / "objects.npz"
    np.savez(path, some=np.array([object()]))
    with pytest.raises(ValueError, match=r"no array can have the shape \(1,\) and the type object"):
        npy_files.read_npz(path)
