"""Softmax kernels: along any axis, in place, without a second type."""

import numpy as np
import pytest

from app.engine.kernels import softmax as kernels


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
@pytest.mark.parametrize("scale", [1.0, -2.0])
def test_along_any_axis_and_in_place(axis: int, scale: float) -> None:
    data = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)
    powers = np.exp(scale * data.astype(float))
    shares = powers / powers.sum(axis=axis, keepdims=True)
    out = data.copy()
    view = kernels.along(out, axis)
    kernels.softmax(view, view, scale)()
    np.testing.assert_allclose(out, shares, rtol=1e-5)
    logarithms = data.copy()
    view = kernels.along(logarithms, axis)
    kernels.log_softmax(view, view, scale)()
    np.testing.assert_allclose(logarithms, np.log(shares), rtol=1e-4, atol=1e-5)


def test_a_view_that_would_need_a_copy_is_refused() -> None:
    """Writing into a copy would be lost without a word."""
    turned = np.zeros((4, 3, 2)).transpose(2, 0, 1)[:, ::2]
    with pytest.raises(ValueError, match="copy"):
        kernels.along(turned, 0)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("inner", [1, 2])
@pytest.mark.parametrize("most", [1.0, 39.0, 41.0, 200.0, 60000.0])
def test_numbers_of_any_size(dtype: type, inner: int, most: float) -> None:
    """Small numbers are not shifted, large ones are: neither may overflow, and rows of tiny shares stay right."""
    data = np.linspace(-most, most, 3 * 5 * inner).reshape(3, 5, inner).astype(dtype)
    data[1] = -most
    exact = data.astype(np.longdouble)
    powers = np.exp(exact - exact.max(axis=1, keepdims=True))
    out = np.empty_like(data)
    kernels.softmax(data, out)()
    np.testing.assert_allclose(
        out, powers / powers.sum(axis=1, keepdims=True), rtol=8 * np.finfo(dtype).eps, atol=1e-7
    )


def test_what_is_no_number_stays_in_its_row() -> None:
    data = np.zeros((3, 4, 1), np.float32)
    data[1, 2], data[2, 0] = np.nan, -np.inf
    out = np.empty_like(data)
    kernels.softmax(data, out)()
    assert np.isnan(out[1]).all()
    np.testing.assert_allclose(out[0], 0.25)
    np.testing.assert_allclose(out[2, :, 0], [0, 1 / 3, 1 / 3, 1 / 3], rtol=1e-6)
