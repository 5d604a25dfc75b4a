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


@pytest.mark.parametrize("number", ["1e308", "-1e39", "nan", "inf", "1e400"])
def test_a_number_beyond_single_precision_is_refused(number: str) -> None:
    with pytest.raises(ParameterError, match="no number that single precision can hold"):
        make(f"uniform({number})", SHAPE, np.dtype(np.float32), np.random.default_rng(0))
