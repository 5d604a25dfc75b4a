"""Normalisation within samples, and division by lengths, over arrays seen with three axes.

gamma and beta always belong to axis 1; the axis over which is normalised is 1 or 2.
"""

import attrs
import numpy as np

from app.engine.kernels.steps import Step
from app.engine.kernels.windows import Array


@attrs.frozen(eq=False)
class View:
    """Data as three axes, and the one of them over which is normalised."""

    shape: tuple[int, int, int]
    axis: int

    @property
    def statistics(self) -> tuple[int, ...]:
        """The shape of one number per normalised run."""
        return tuple(1 if place == self.axis else size for place, size in enumerate(self.shape))

    def of(self, array: Array) -> Array:
        """View an array of data's size."""
        return array.reshape(self.shape, copy=False)

    def of_statistics(self, array: Array) -> Array:
        """View an array with one number per normalised run."""
        return array.reshape(self.statistics, copy=False)

    def total(self, array: Array) -> Array:
        """Return the sum along the axis; a product with ones where the numbers lie side by side."""
        inner = 2 if self.shape[2] > 1 else 1
        if self.axis == inner:
            flat = array.reshape(-1, self.shape[inner])
            return np.asarray((flat @ np.ones(self.shape[inner], array.dtype)).reshape(self.statistics))
        return np.asarray(array.sum(axis=self.axis, keepdims=True))

    def total_of_product(self, first: Array, second: Array) -> Array:
        """Return Σ first · second along the axis."""
        if self.axis == 2:
            return np.asarray(np.vecdot(first, second)[:, :, None])
        if self.shape[2] == 1:
            return np.asarray(np.vecdot(first[:, :, 0], second[:, :, 0])[:, None, None])
        return np.asarray(np.einsum("oki,oki->oi", first, second)[:, None, :])

    def per_scale(self, array: Array) -> Array:
        """Return the sum over everything but axis 1."""
        return np.asarray(array.sum(axis=(0, 2)))


@attrs.frozen(eq=False)
class SampleNorm:
    """The arrays of one normalisation: data, output, and the mean and deviation of every run."""

    data: Array
    gamma: Array
    beta: Array
    output: Array
    mean: Array
    deviation: Array


def normalize_samples(arrays: SampleNorm, view: View, eps: float) -> Step:
    """Prepare output = (x − mean) / √(variance + eps) · gamma + beta per run; `deviation` gets the root."""
    data, output = view.of(arrays.data), view.of(arrays.output)
    mean, deviation = view.of_statistics(arrays.mean), view.of_statistics(arrays.deviation)
    gamma, beta = arrays.gamma.reshape(-1, 1), arrays.beta.reshape(-1, 1)
    each = 1.0 / view.shape[view.axis]

    def run() -> None:
        np.multiply(view.total(data), each, out=mean)
        np.subtract(data, mean, out=output)
        np.multiply(view.total_of_product(output, output), each, out=deviation)
        np.add(deviation, eps, out=deviation)
        np.sqrt(deviation, out=deviation)
        np.divide(output, deviation, out=output)
        np.multiply(output, gamma, out=output)
        np.add(output, beta, out=output)

    return run


@attrs.frozen(eq=False)
class SampleNormGradients:
    """What the backward of a normalisation reads and writes; a gradient that nobody wants is None."""

    data: Array
    gamma: Array
    mean: Array
    deviation: Array
    head: Array
    grads: tuple[Array | None, Array | None, Array | None]


def normalize_samples_gradient(arrays: SampleNormGradients, view: View) -> Step:
    """Prepare d(beta) = Σ head, d(gamma) = Σ head · x̂, d(x) = (g − mean(g) − x̂ · mean(g · x̂)) / deviation.

    There g = head · gamma, and x̂ is the normalised data.
    """
    data, head = view.of(arrays.data), view.of(arrays.head)
    mean, deviation = view.of_statistics(arrays.mean), view.of_statistics(arrays.deviation)
    gamma = arrays.gamma.reshape(-1, 1)
    to_data, to_gamma, to_beta = arrays.grads
    target = None if to_data is None else view.of(to_data)
    normal, part = np.empty_like(data), np.empty_like(data)
    each = 1.0 / view.shape[view.axis]

    def run() -> None:
        np.subtract(data, mean, out=normal)
        np.divide(normal, deviation, out=normal)
        if to_beta is not None:
            np.copyto(to_beta, view.per_scale(head))
        if to_gamma is not None:
            np.multiply(head, normal, out=part)
            np.copyto(to_gamma, view.per_scale(part))
        if target is not None:
            np.multiply(head, gamma, out=part)
            along = view.total_of_product(part, normal) * each
            np.subtract(part, view.total(part) * each, out=target)
            np.multiply(normal, along, out=part)
            np.subtract(target, part, out=target)
            np.divide(target, deviation, out=target)

    return run


@attrs.frozen(eq=False)
class Lengths:
    """Views with three axes: data (or its head gradient), the result, and the length with 1 on the summed axis."""

    data: Array
    output: Array
    length: Array
    axis: int


def divide_by_length(seen: Lengths, eps: float) -> Step:
    """Prepare output = x / √(Σ x² + eps)."""
    data, output, length, axis = seen.data, seen.output, seen.length, seen.axis

    def run() -> None:
        np.multiply(data, data, out=output)
        np.sum(output, axis=axis, keepdims=True, out=length)
        np.add(length, eps, out=length)
        np.sqrt(length, out=length)
        np.divide(data, length, out=output)

    return run


def divide_by_length_gradient(seen: Lengths, grad: Array) -> Step:
    """Prepare (head − y · Σ head · y) / length; `seen.data` is the head gradient."""
    head, output, length, axis = seen.data, seen.output, seen.length, seen.axis

    def run() -> None:
        np.multiply(head, output, out=grad)
        along = grad.sum(axis=axis, keepdims=True)
        np.multiply(output, along, out=grad)
        np.subtract(head, grad, out=grad)
        np.divide(grad, length, out=grad)

    return run


def sum_over_neighbours(source: Array, total: Array, count: int, *, mirrored: bool = False) -> None:
    """Write the sum over a window of `count` channels around each channel (axis 1).

    An even window reaches further to the front; mirrored, to the back.
    """
    before = (count - 1) // 2 if mirrored else count // 2
    channels = source.shape[1]
    total.fill(0)
    for offset in range(max(-before, 1 - channels), min(count - before, channels)):
        first, last = max(0, -offset), min(channels, channels - offset)
        target = total[:, first:last]
        np.add(target, source[:, first + offset : last + offset], out=target)
