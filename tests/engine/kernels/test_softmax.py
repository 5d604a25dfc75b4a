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
