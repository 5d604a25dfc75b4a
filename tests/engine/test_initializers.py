"""First values: every spelling gives an array, or a sentence that says what is wrong with it."""

import numpy as np
import pytest

from app.engine.errors import ParameterError
from app.engine.initializers import INITIALIZERS, make

SHAPE = (4, 3, 2, 2)


@pytest.mark.parametrize("number", ["0", "-1", "0.5", "1e38", "-3e38"])
@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int32])
@pytest.mark.parametrize("name", INITIALIZERS)
def test_every_number_that_single_precision_holds_is_taken(name: str, dtype: type, number: str) -> None:
    words = [value if isinstance(value, str) else number for value in INITIALIZERS[name].settings.values()]
    made = make(f"{name}({', '.join(words)})", SHAPE, np.dtype(dtype), np.random.default_rng(0))
    assert made.shape == SHAPE and made.dtype == dtype


def test_the_spread_of_a_uniform_one_has_no_sign() -> None:
    made = make("uniform(-2)", SHAPE, np.dtype(np.float32), np.random.default_rng(0))
    assert made.min() < 0 < made.max() and abs(made).max() <= 2


LARGE = (60, 40, 3, 5)
IN, OUT = 40 * 15, 60 * 15


@pytest.mark.parametrize(
    ("spelling", "deviation"),
    [
        ("uniform(0.3)", 0.3 / 3**0.5),
        ("normal(0.3)", 0.3),
        ("xavier()", (3 / ((IN + OUT) / 2)) ** 0.5 / 3**0.5),
        ("xavier(gaussian, in, 2)", (2 / IN) ** 0.5),
        ("xavier(gaussian, out, 2)", (2 / OUT) ** 0.5),
        ("msra()", (2 / (1 + 0.25**2) / ((IN + OUT) / 2)) ** 0.5),
        ("msra(in, 0)", (2 / IN) ** 0.5),
    ],
)
def test_random_ones_spread_around_nothing_as_in_mxnet(spelling: str, deviation: float) -> None:
    made = make(spelling, LARGE, np.dtype(np.float32), np.random.default_rng(0))
    assert made.std() == pytest.approx(deviation, rel=0.02)
    assert abs(made.mean()) < 0.02 * deviation


@pytest.mark.parametrize("shape", [(3, 2, 4), (9, 4)])
def test_orthogonal_ones_stand_at_right_angles(shape: tuple[int, ...]) -> None:
    made = make("orthogonal(2)", shape, np.dtype(np.float32), np.random.default_rng(0)).reshape(shape[0], -1)
    short = made if len(made) < made.shape[1] else made.T
    np.testing.assert_allclose(short @ short.T, 4 * np.eye(len(short)), atol=1e-5)


@pytest.mark.parametrize(
    ("spelling", "shape", "wanted"),
    [
        ("zeros", (2, 2), [0, 0, 0, 0]),
        ("ones", (3,), [1, 1, 1]),
        ("constant(7)", (3,), [7, 7, 7]),
        ("arange(2, 0.5)", (2, 2), [2, 2.5, 3, 3.5]),
        ("bilinear", (1, 1, 1, 4), [0.0625, 0.1875, 0.1875, 0.0625]),
        ("bilinear", (1, 1, 2, 3), [0.0625, 0.1875, 0.1875, 0.1875, 0.5625, 0.5625]),
        ("bilinear", (1, 2, 1, 5), [1 / 9, 2 / 9, 1 / 3, 2 / 9, 1 / 9] * 2),
    ],
)
def test_the_others_are_known_numbers(spelling: str, shape: tuple[int, ...], wanted: list[float]) -> None:
    made = make(spelling, shape, np.dtype(np.float32), np.random.default_rng(0))
    np.testing.assert_allclose(made.ravel(), wanted, rtol=1e-6)


@pytest.mark.parametrize(
    ("spelling", "sentence"),
    [
        ("xavier", "needs at least two axes, but the shape is (3)"),
        ("msra", "needs at least two axes, but the shape is (3)"),
        ("bilinear", "bilinear needs a 4-d shape, not (3)"),
    ],
)
def test_a_shape_that_does_not_suit_is_refused(spelling: str, sentence: str) -> None:
    with pytest.raises(ParameterError) as refusal:
        make(spelling, (3,), np.dtype(np.float32), np.random.default_rng(0))
    assert sentence in str(refusal.value)


@pytest.mark.parametrize("number", ["1e308", "-1e39", "nan", "inf", "1e400"])
def test_a_number_beyond_single_precision_is_refused(number: str) -> None:
    with pytest.raises(ParameterError, match="no number that single precision can hold"):
        make(f"uniform({number})", SHAPE, np.dtype(np.float32), np.random.default_rng(0))
