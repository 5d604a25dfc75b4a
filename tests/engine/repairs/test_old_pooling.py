"""Pooling of before MXNet 0.8 said in today's words has the sizes and the numbers that it had."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.engine import Variable, sym
from app.engine.errors import ParameterError
from app.engine.registry import find_operator
from app.engine.repairs.old_pooling import as_it_was


def old_count(size: int, kernel: int, stride: int, pad: int) -> int:
    """Count windows as MXNet 0.7 did."""
    padded = size + 2 * pad
    return min(padded - kernel + stride - 1, padded - 1) // stride + 1


axes = st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(0, 2), st.integers(1, 23))


@given(st.lists(axes, min_size=1, max_size=3), st.sampled_from(["max", "avg", "sum"]))
def test_the_number_of_windows_is_the_old_one_for_every_size(
    chosen: list[tuple[int, int, int, int]], pool_type: str
) -> None:
    assume(all(pad < kernel <= size + 2 * pad for kernel, _, pad, size in chosen))
    kernel, stride, pad, sizes = zip(*chosen, strict=True)
    texts = {"kernel": str(kernel), "stride": str(stride), "pad": str(pad), "pool_type": pool_type}
    try:
        old = as_it_was("Pooling", texts)
    except ParameterError:
        assert any(step > window for window, step in zip(kernel, stride, strict=True))
        return
    name, said = ("Pooling", texts) if old is None else (old.op_name, old.attributes)
    pooling = find_operator(name).from_attributes(said)
    shape = pooling.infer([(1, 1, *sizes)], [()] * (1 + len(pooling.hidden)))[1][0]
    counts = tuple(old_count(size, *facts) for *facts, size in chosen)
    assert shape == (1, 1, *counts)


@pytest.mark.parametrize(
    ("texts", "convention"),
    [
        ({"kernel": "(3, 3)", "stride": "(2, 2)"}, "full"),
        ({"kernel": "(3,)", "stride": "(2,)"}, "full"),
        ({"kernel": "(3, 1)", "stride": "(2, 1)"}, "full"),
        ({"kernel": "(1, 1)", "stride": "(2, 2)"}, None),
        ({"kernel": "(3, 3)"}, None),
        ({"kernel": "(7, 7)", "stride": "(2, 2)", "global_pool": "True"}, None),
        ({"kernel": "(3, 3)", "stride": "(2, 2)", "pooling_convention": "valid"}, None),
    ],
)
def test_what_is_said_of_a_node(texts: dict[str, str], convention: str | None) -> None:
    old = as_it_was("Pooling", texts)
    assert (old.attributes["pooling_convention"] if old is not None else None) == convention
    assert as_it_was("Convolution", texts) is None
    assert old is None or as_it_was(old.op_name, old.attributes) is None


@pytest.mark.parametrize(
    "texts", [{"kernel": "(2, 2)", "stride": "(3, 3)"}, {"kernel": "(3, 1)", "stride": "(2, 2)"}]
)
def test_what_no_convention_of_today_can_say_is_refused(texts: dict[str, str]) -> None:
    with pytest.raises(ParameterError, match="can't be said today"):
        as_it_was("Pooling", texts)


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(ParameterError, match="stride"):
        as_it_was("Pooling", {"kernel": "(3, 3)", "stride": "two"})


@pytest.mark.parametrize(
    ("pool_type", "kernel", "stride"),
    [("max", 3, 2), ("avg", 3, 2), ("sum", 3, 2), ("max", 2, 2)],
)
def test_the_numbers_are_the_old_ones(pool_type: str, kernel: int, stride: int) -> None:
    texts = {"kernel": f"({kernel}, {kernel})", "stride": f"({stride}, {stride})", "pool_type": pool_type}
    old = as_it_was("Pooling", texts)
    assert old is not None
    for size in range(kernel, 9):
        image = np.random.default_rng(size).uniform(0.1, 1, (1, 2, size, size)).astype(np.float32)
        node = getattr(sym, old.op_name)(Variable("x"), name="pool", **old.attributes)
        got = node.simple_bind({"x": image.shape}).forward(x=image)[0]
        count = old_count(size, kernel, stride, 0)
        reach = [slice(at * stride, at * stride + kernel) for at in range(count)]
        reduce = {"max": np.max, "sum": np.sum, "avg": lambda part, axis: part.sum(axis) / kernel**2}[
            pool_type
        ]
        wanted = np.array([[reduce(image[0, :, y, x], axis=(1, 2)) for x in reach] for y in reach])
        np.testing.assert_allclose(got[0], wanted.transpose(2, 0, 1), 1e-5)


def test_settings_that_are_younger_than_the_repair_are_left_out_where_they_say_nothing() -> None:
    texts = {"kernel": "(3, 3)", "stride": "(2, 2)", "pool_type": "avg"}
    plain = as_it_was("Pooling", texts)
    assert plain is not None
    assert as_it_was("Pooling", {**texts, "cudnn_off": "False"}) == plain
    with pytest.raises(ParameterError, match="layout"):
        as_it_was("Pooling", {**texts, "layout": "NHWC"})
