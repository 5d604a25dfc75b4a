"""Values of arguments: numbers, initialisers, files and the bundled digits become arrays, or a sentence why not."""

from pathlib import Path

import numpy as np
import pytest

from app.document.records import Binding, Settings
from app.engine.errors import BindError, EngineError
from app.services.datasets import DATA_SETS
from app.services.values import ValueShapes, generator, resolve

OPTIONS = Settings(batch=4, batch_start=2)


def _resolve(
    kind: str, value: str, shape: tuple[int, ...], folder: Path | None = None, dtype: str = "float32"
):  # type: ignore[no-untyped-def]
    binding = Binding("x", kind, value)  # type: ignore[arg-type]
    return resolve(binding, shape, dtype, seed=7, options=OPTIONS, folder=folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with one file of each kind."""
    np.save(tmp_path / "one.npy", np.arange(6.0).reshape(2, 3))
    np.savez(tmp_path / "two.npz", a=np.arange(3), b=np.ones((2, 2)))
    np.savez(tmp_path / "single.npz", only=np.arange(5))
    (tmp_path / "table.csv").write_text("age,height\n1,1.5\n2,1.6\n3,1.7\n")
    (tmp_path / "plain.csv").write_text("1;2\n3;4\n")
    (tmp_path / "wrong.csv").write_text("age\n1\ntwo\n")
    (tmp_path / "ragged.csv").write_text("1,2\n3\n")
    np.save(tmp_path / "texts.npy", np.array(["a"]))
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04 and no more")
    (tmp_path / "broken.npy").write_bytes(b"not an array")
    return tmp_path


def test_one_number_fills_any_shape() -> None:
    array = _resolve("constant", "10", (2, 3))
    assert array.dtype == np.float32
    assert np.array_equal(array, np.full((2, 3), 10.0))


def test_a_list_keeps_its_shape_and_takes_the_type() -> None:
    array = _resolve("constant", "[1, 2.5]", (2,), dtype="float64")
    assert array.dtype == np.float64
    assert array.tolist() == [1.0, 2.5]
    array[0] = 3  # a bind's own array, free to be written


def test_a_list_of_another_shape_is_refused() -> None:
    with pytest.raises(BindError, match=r"x must be \(3\), but the list is \(2\). The first axis differs"):
        _resolve("constant", "[1, 2]", (3,))
    with pytest.raises(BindError, match="as many numbers: a Reshape"):
        _resolve("constant", "[[1, 2], [3, 4]]", (4,))


def test_numbers_too_large_for_the_type_are_refused_and_infinity_is_not() -> None:
    with pytest.raises(BindError, match="too large for float32. Choose float64 for x"):
        _resolve("constant", "1e300", (1,))
    assert np.isinf(_resolve("constant", "inf", (1,)))


def test_an_initialiser_depends_on_seed_and_name_only() -> None:
    one, again = (
        _resolve("initializer", "normal(0.5)", (50, 40)),
        _resolve("initializer", "normal(0.5)", (50, 40)),
    )
    assert np.array_equal(one, again)
    assert abs(one.std() - 0.5) < 0.05
    other = Binding("y", "initializer", "normal(0.5)")
    assert not np.array_equal(one, resolve(other, (50, 40), "float32", seed=7, options=OPTIONS, folder=None))
    reseeded = Binding("x", "initializer", "normal(0.5)")
    assert not np.array_equal(
        one, resolve(reseeded, (50, 40), "float32", seed=8, options=OPTIONS, folder=None)
    )


def test_any_whole_number_is_a_seed() -> None:
    assert generator(-1, "x").random() != generator(1, "x").random()
    assert generator(2**70, "x").random() == generator(2**70, "x").random()


def test_a_wrong_initialiser_is_a_sentence() -> None:
    with pytest.raises(EngineError, match="'xavie' is no initialiser; there are"):
        _resolve("initializer", "xavie", (2, 2))


@pytest.mark.parametrize(
    ("value", "shape", "first"),
    [
        ("one.npy", (2, 3), 0.0),
        ("two.npz#a", (3,), 0.0),
        ("two.npz#b", (2, 2), 1.0),
        ("single.npz", (5,), 0.0),
        ("table.csv", (3, 2), 1.0),
        ("table.csv#height", (3,), 1.5),
        ("table.csv#1", (3,), 1.5),
        ("plain.csv", (2, 2), 1.0),
    ],
)
def test_files_are_read(folder: Path, value: str, shape: tuple[int, ...], first: float) -> None:
    binding = Binding("x", "file", value)
    assert ValueShapes(folder)(binding, OPTIONS) == shape
    array = _resolve("file", value, shape, folder)
    assert array.shape == shape
    assert array.ravel()[0] == np.float32(first)
    absolute = Binding("x", "file", str(folder / value))
    assert ValueShapes(None)(absolute, OPTIONS) == shape


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("", "No file is named"),
        ("gone.npy", "There is no file .*gone.npy"),
        ("picture.png", "picture.png is none of the files that can be read: .npy, .npz, .params, .csv"),
        ("two.npz", r"two.npz holds several arrays; write one of two.npz#a, two.npz#b"),
        ("two.npz#c", r"two.npz holds no array called 'c'; write one of"),
        ("one.npy#a", "holds a single array, so leave #a out"),
        ("texts.npy", "texts.npy holds texts, not numbers"),
        ("broken.npz", "broken.npz is damaged or not a .npz file"),
        ("broken.npy", "broken.npy is damaged or not a .npy file"),
        ("table.csv#weight", "table.csv has no column 'weight'; it has #age, #height"),
        ("wrong.csv", r"wrong.csv, line 3, column 1: 'two' is not a number"),
        ("ragged.csv", "ragged.csv, line 2: 1 columns where there were 2"),
    ],
)
def test_a_wrong_file_is_a_sentence(folder: Path, value: str, words: str) -> None:
    with pytest.raises(BindError, match=words) as caught:
        _resolve("file", value, (1,), folder)
    assert "\n" not in str(caught.value)


def test_texts_are_refused_before_a_bind(folder: Path) -> None:
    with pytest.raises(BindError, match="texts, not numbers"):
        ValueShapes(folder)(Binding("x", "file", "texts.npy"), OPTIONS)


def test_a_file_of_another_shape_says_which(folder: Path) -> None:
    with pytest.raises(
        BindError, match=r"x must be \(4, 3\), but one.npy is \(2, 3\). The first axis differs: 2 rows"
    ):
        _resolve("file", "one.npy", (4, 3), folder)


def test_a_changed_file_is_read_again(folder: Path) -> None:
    binding = Binding("x", "file", "one.npy")
    assert ValueShapes(folder)(binding, OPTIONS) == (2, 3)
    np.save(folder / "one.npy", np.arange(8.0))
    import os

    os.utime(folder / "one.npy", ns=(1, 1))
    assert ValueShapes(folder)(binding, OPTIONS) == (8,)
    assert _resolve("file", "one.npy", (8,), folder)[7] == 7


def test_the_digits_are_there() -> None:
    images = _resolve("dataset", "digits#image", (4, 1, 8, 8))
    pixels = _resolve("dataset", "digits#pixels", (4, 64))
    labels = _resolve("dataset", "digits#label", (4,))
    assert np.array_equal(images.reshape(4, 64), pixels)
    assert 0 == images.min() < images.max() == 1
    assert labels.tolist() == [2, 3, 4, 5], (
        "the set begins with 0 to 9 in order, and row 2 is the first taken"
    )


@pytest.mark.parametrize("column", ["image", "pixels", "label"])
def test_a_batch_has_the_declared_shape_and_goes_round_at_the_end(column: str) -> None:
    data_set = DATA_SETS["digits"]
    options = Settings(batch=3, batch_start=data_set.rows - 1)
    binding = Binding("x", "dataset", f"digits#{column}")
    shape = ValueShapes()(binding, options)
    assert shape == (3, *data_set.columns[column].item)
    array = resolve(binding, shape, "float32", seed=7, options=options, folder=None)
    first = resolve(binding, shape, "float32", seed=7, options=Settings(batch=3), folder=None)
    assert np.array_equal(array[1:], first[:2])


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("letters#image", "no data set called 'letters'; there is digits"),
        ("digits", "'digits' names no column of digits; there are digits#image, digits#pixels, digits#label"),
    ],
)
def test_a_wrong_data_set_is_a_sentence(value: str, words: str) -> None:
    with pytest.raises(BindError, match=words):
        ValueShapes()(Binding("x", "dataset", value), OPTIONS)
    with pytest.raises(BindError, match="must be at least one row"):
        ValueShapes()(Binding("x", "dataset", "digits#image"), Settings(batch=0))


def test_what_takes_any_shape_has_none() -> None:
    for binding in (Binding("x"), Binding("x", "constant", "3"), Binding("x", "initializer", "ones")):
        assert ValueShapes()(binding, OPTIONS) == ()


def test_equal_folders_make_equal_questions() -> None:
    assert ValueShapes(Path("a")) == ValueShapes(Path("a")) != ValueShapes(Path("b"))
