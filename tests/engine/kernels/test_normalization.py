"""Batch normalisation: runs of any length give the same, whether numbers are written out for them or not."""

import numpy as np
import pytest

from app.engine.kernels import normalization as kernels
from app.engine.operator import Array


def arrays(inner: int, *, half: bool) -> tuple[Array, Array, Array]:
    """Return data, output and a head gradient of three channels, perhaps as half of the channels of wider arrays."""
    rng = np.random.default_rng(0)
    made = [rng.normal(size=(4, 6 if half else 3, inner)) for _ in range(3)]
    data, output, head = (array[:, 3:] if half else array for array in made)
    return data, output, head


def results(inner: int, *, half: bool) -> list[Array]:
    data, output, head = arrays(inner, half=half)
    gamma, beta = np.array([1.0, 2.0, -0.5]), np.array([0.0, 1.0, 3.0])
    mean, inverse = np.empty(3), np.empty(3)
    found = kernels.Normalized(data, gamma, beta, output, mean, inverse)
    kernels.normalize_batch(found, 1e-3)()
    first = output.copy()
    to_data, to_gamma, to_beta = np.empty_like(data), np.empty(3), np.empty(3)
    gradients = kernels.NormalizedGradients(
        data, gamma, mean, inverse, head, to_data, to_data, to_gamma, to_beta
    )
    kernels.normalize_gradient(gradients, uses_batch=True)()
    by_given = np.empty_like(data)
    gradients = kernels.NormalizedGradients(data, gamma, mean, inverse, head, by_given, by_given, None, None)
    kernels.normalize_gradient(gradients, uses_batch=False)()
    kernels.normalize_with(found, np.full(3, 0.5), np.full(3, 2.0), 1e-3)()
    return [first, output, to_data, to_gamma, to_beta, by_given]


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("inner", [1, 2, 50])
def test_written_out_numbers_change_no_bit(monkeypatch: pytest.MonkeyPatch, inner: int, half: bool) -> None:
    written = results(inner, half=half)
    monkeypatch.setattr(kernels, "SHORT", 1)
    for got, expected in zip(results(inner, half=half), written, strict=True):
        np.testing.assert_array_equal(got, expected)


def test_the_formula() -> None:
    data, _, head = arrays(5, half=True)
    first, _, to_data, to_gamma, to_beta, _ = results(5, half=True)
    gamma, beta = np.array([1.0, 2.0, -0.5])[:, None], np.array([0.0, 1.0, 3.0])[:, None]
    mean = data.mean(axis=(0, 2))[:, None]
    deviation = np.sqrt(data.var(axis=(0, 2)) + 1e-3)[:, None]
    normal = (data - mean) / deviation
    np.testing.assert_allclose(first, normal * gamma + beta, rtol=1e-12)
    np.testing.assert_allclose(to_beta, head.sum(axis=(0, 2)), rtol=1e-12)
    np.testing.assert_allclose(to_gamma, (head * normal).sum(axis=(0, 2)), rtol=1e-12)
    expected = head - (to_beta[:, None] + normal * to_gamma[:, None]) / (4 * 5)
    np.testing.assert_allclose(to_data, gamma / deviation * expected, rtol=1e-10)
