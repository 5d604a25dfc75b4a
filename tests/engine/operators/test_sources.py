"""Arrays out of nothing: shapes that stay open, counting, and types."""

from typing import Any

import numpy as np
import pytest

from app.engine.errors import ParameterError, ShapeError
from app.engine.operator import Run
from app.engine.registry import find_operator


def make(name: str, **settings: Any) -> Any:
    node = find_operator(name)(**settings)
    node.check()
    return node


def compute(node: Any, wanted: tuple[int, ...] = ()) -> Any:
    (shape,) = node.infer([], [wanted])[1]
    (kind,) = node.infer_types([], [None])[1]
    out = np.empty(shape, kind)
    node.forward(Run(True, np.random.default_rng(0)), [], [out])
    return out


def test_open_sizes_come_from_what_the_value_is_used_with() -> None:
    assert make("_zeros", shape=(0, 4)).infer([], [(2, 4)])[1] == ((2, 4),)
    assert make("_ones", shape=(0, 0)).infer([], [(2, 3)])[1] == ((2, 3),)
    assert make("_full", value=1).infer([], [(2, 3)])[1] == ((2, 3),)


def test_numbers_and_types() -> None:
    assert compute(make("_full", shape=(2,), value=2.5, dtype="float64")).tolist() == [2.5, 2.5]
    assert compute(make("_full", shape=(2,), value=2.5, dtype="int32")).tolist() == [2, 2]
    assert compute(make("_ones", shape=(2,))).dtype == np.float32


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({"start": 5}, [0, 1, 2, 3, 4]),
        ({"start": 1, "stop": 7, "step": 2}, [1, 3, 5]),
        ({"start": 0, "stop": 3, "repeat": 2}, [0, 0, 1, 1, 2, 2]),
        ({"start": 3, "stop": 0, "step": -1}, [3, 2, 1]),
        ({"start": 0.5, "stop": 2, "step": 0.5}, [0.5, 1.0, 1.5]),
    ],
)
def test_counting(settings: dict[str, Any], wanted: list[float]) -> None:
    assert compute(make("_arange", **settings)).tolist() == wanted


def test_counting_as_far_as_it_is_used() -> None:
    node = make("_arange", start=2, infer_range=True)
    assert node.infer([], [()])[1] == [()]
    assert compute(node, (3,)).tolist() == [2, 3, 4]


def test_counting_that_goes_nowhere() -> None:
    with pytest.raises(ParameterError):
        make("_arange", start=3, step=0)
    for step in (1e-300, 1e-308):  # more numbers than a size can count, and than a float can
        with pytest.raises(ShapeError, match="never ends"):
            make("_arange", start=5, step=step).infer([], [()])
    for step in (1, 1e-308):
        with pytest.raises(ShapeError, match="gives nothing"):
            make("_arange", start=3, stop=1, step=step).infer([], [()])
