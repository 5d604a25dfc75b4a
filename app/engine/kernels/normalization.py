"""Batch normalisation over arrays seen as (outer, channels, inner).

Sums over outer and inner are matrix-vector products, which run three to twenty times as fast as `sum`.
"""

from collections.abc import Callable
from math import prod

import attrs
import numpy as np

from app.engine.kernels.windows import Array
from app.engine.shapes import Shape
from app.engine.work_space import WorkSpace

SHORT = 1024
"""Longest run of numbers of one channel for which a single number beside it is slow."""


class ChannelSums:
    """Sums per channel of arrays of one shape (outer, channels, inner)."""

    def __init__(self, like: Array) -> None:
        """Prepare the ones that sum along the last axis."""
        outer, self._channels, inner = like.shape
        self._is_flat = inner == 1
        self._ones = np.ones(outer if self._is_flat else inner, like.dtype)

    def of(self, array: Array, total: Array) -> None:
        """Write Σ array into `total` (channels,)."""
        if self._is_flat:
            np.matmul(self._ones, array[:, :, 0], out=total)
        else:
            np.sum(array @ self._ones, axis=0, out=total)

    def of_product(self, first: Array, second: Array, total: Array) -> None:
        """Write Σ first · second into `total` (channels,)."""
        if self._is_flat:
            np.einsum("oc,oc->c", first[:, :, 0], second[:, :, 0], out=total)
        else:
            np.sum(np.vecdot(first, second), axis=0, out=total)


class PerChannel:
    """Puts one number per channel beside arrays of one shape (outer, channels, inner).

    numpy takes some 70 ns longer for every run of an array that meets a single number than for one that meets as many:
    where runs are short, that doubles the time. So the number is written out for one sample.
    """

    def __init__(self, like: Array) -> None:
        """Make room for one sample where its runs are short."""
        self._sample = np.empty(like.shape[1:], like.dtype) if 1 < like.shape[2] <= SHORT else None

    def of(self, numbers: Array) -> Array:
        """Return what broadcasts over the arrays; it holds until the next call."""
        if self._sample is None:
            return numbers[:, None]
        np.copyto(self._sample, numbers[:, None])
        return self._sample


def by_channel(shape: Shape, axis: int) -> tuple[int, int, int]:
    """Return a shape as (outer, channels, inner)."""
    axis %= len(shape)
    return prod(shape[:axis]), shape[axis], prod(shape[axis + 1 :])


def work_space(shape: tuple[int, int, int], *, gradients: bool) -> WorkSpace:
    """Tell what batch normalisation of (outer, channels, inner) takes, prepared for batch and moving statistics alike.

    Kept are the ones that sum, a number per channel written out for one sample, and numbers per channel; sums of every
    sample pass, and wide copies of half precision and centred data, which serve all nodes in turn.
    """
    outer, channels, inner = shape
    ones, sample = max(outer, inner), channels * (1 + inner * (1 < inner <= SHORT))
    kept = 2 * (ones + 2 * sample + 3 * channels) + gradients * 2 * (ones + sample + 5 * channels)
    return WorkSpace(kept, 3 * outer * channels + (4 if gradients else 2) * outer * channels * inner)


@attrs.frozen
class Normalized:
    """The arrays of one batch normalisation: data and output (outer, channels, inner), the others (channels,).

    `inverse` is 1/√(variance + eps).
    """

    data: Array
    gamma: Array | None
    beta: Array
    output: Array
    mean: Array
    inverse: Array


def normalize_batch(arrays: Normalized, eps: float) -> Callable[[], None]:
    """Prepare output = (data − mean) · inverse · gamma + beta with the batch's own mean and biased variance."""
    data, output, mean, inverse = arrays.data, arrays.output, arrays.mean, arrays.inverse
    sums, spread = ChannelSums(data), PerChannel(data)
    each = 1.0 / (data.shape[0] * data.shape[2])
    scale = np.empty_like(inverse)

    def run() -> None:
        sums.of(data, mean)
        np.multiply(mean, each, out=mean)
        np.subtract(data, spread.of(mean), out=output)  # the variance from centred values: no cancellation
        sums.of_product(output, output, inverse)
        np.multiply(inverse, each, out=inverse)
        _invert_root(inverse, eps)
        _scale(inverse, arrays.gamma, scale)
        np.multiply(output, spread.of(scale), out=output)
        np.add(output, spread.of(arrays.beta), out=output)

    return run


def normalize_with(
    arrays: Normalized, moving_mean: Array, moving_var: Array, eps: float
) -> Callable[[], None]:
    """Prepare the same with statistics that are given; `mean` and `inverse` are filled from them."""
    scale = np.empty_like(arrays.inverse)
    shift = np.empty_like(scale)
    spread = PerChannel(arrays.data)

    def run() -> None:
        np.copyto(arrays.mean, moving_mean)
        np.copyto(arrays.inverse, moving_var)
        _invert_root(arrays.inverse, eps)
        _scale(arrays.inverse, arrays.gamma, scale)
        np.multiply(arrays.mean, scale, out=shift)
        np.subtract(arrays.beta, shift, out=shift)
        np.multiply(arrays.data, spread.of(scale), out=arrays.output)
        np.add(arrays.output, spread.of(shift), out=arrays.output)

    return run


@attrs.frozen
class NormalizedGradients:
    """What the backward of a batch normalisation reads and writes; a gradient that nobody wants is None.

    `centred` is room for data less its mean, which may be where the gradient of data goes.
    """

    data: Array
    gamma: Array | None
    mean: Array
    inverse: Array
    head: Array
    centred: Array
    data_gradient: Array | None
    gamma_gradient: Array | None
    beta_gradient: Array | None


def normalize_gradient(arrays: NormalizedGradients, uses_batch: bool) -> Callable[[], None]:
    """Prepare the gradients; `uses_batch` tells whether mean and variance depend on the data.

    d(beta) = Σ head, d(gamma) = Σ head · x̂, and with the batch's statistics
    d(data) = gamma · inverse · (head − d(beta)/M − x̂ · d(gamma)/M), where x̂ = (data − mean) · inverse.
    """
    data, head, inverse = arrays.data, arrays.head, arrays.inverse
    sums, spread = ChannelSums(data), PerChannel(data)
    each = 1.0 / (data.shape[0] * data.shape[2])
    centred = arrays.centred
    to_beta, to_gamma, scale, slope = (np.empty_like(inverse) for _ in range(4))

    def run() -> None:
        np.subtract(data, spread.of(arrays.mean), out=centred)
        sums.of(head, to_beta)
        sums.of_product(head, centred, to_gamma)
        np.multiply(to_gamma, inverse, out=to_gamma)
        if arrays.beta_gradient is not None:
            np.copyto(arrays.beta_gradient, to_beta)
        if arrays.gamma_gradient is not None:
            np.copyto(arrays.gamma_gradient, to_gamma)
        if arrays.data_gradient is not None:
            _scale(inverse, arrays.gamma, scale)
            if uses_batch:
                np.multiply(to_gamma, inverse, out=slope)
                np.multiply(slope, -each, out=slope)
                np.multiply(centred, spread.of(slope), out=centred)
                np.add(centred, head, out=centred)
                np.multiply(to_beta, each, out=to_beta)
                np.subtract(centred, spread.of(to_beta), out=centred)
                np.multiply(centred, spread.of(scale), out=centred)
            else:
                np.multiply(head, spread.of(scale), out=centred)

    return run


def _invert_root(variance: Array, eps: float) -> None:
    np.add(variance, eps, out=variance)
    np.sqrt(variance, out=variance)
    np.divide(1.0, variance, out=variance)


def _scale(inverse: Array, gamma: Array | None, scale: Array) -> None:
    """Write gamma · inverse; no gamma counts as 1."""
    if gamma is None:
        np.copyto(scale, inverse)
    else:
        np.multiply(inverse, gamma, out=scale)
