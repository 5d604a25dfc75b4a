"""The gradient of the image as MXNet's first convolution adds it up where windows are both stepped and dilated.

MXNet lets each point of the image gather from the windows that may have seen it: it walks over them in steps of the
dilation, and divides the distance from a window's start by the dilation to find the place in it. With a stride or a
dilation of 1 that is right. With both larger, windows are left out, and the distance, which need not be a multiple,
falls on a place that did not see the point.
"""

from collections.abc import Callable
from math import prod

import numpy as np

from app.engine.kernels.columns import Setting
from app.engine.kernels.windows import Array, Windows
from app.engine.shapes import Shape
from app.engine.work_space import WorkSpace


def mixes(windows: Windows) -> bool:
    """Tell whether the gradient differs from the derivative along any axis."""
    axes = zip(windows.kernel, windows.stride, windows.dilate, strict=True)
    return any(kernel > 1 and stride > 1 and dilate > 1 for kernel, stride, dilate in axes)


def work_space(image: Shape, result: Shape, windows: Windows) -> WorkSpace:
    """Tell what the gradient of an image (N, C, height, width) takes in two halves, from that of a result alike.

    Kept is what says which points take up which places; the unrolled windows of a sample pass, as products and in
    another order, with what comes of them, and whole arrays that are not row by row.
    """
    (_, channels, *sizes), (*_, rows, columns) = image, result
    taken = sum(map(prod, zip(sizes, windows.kernel, (rows, columns), strict=True)))
    unrolled = channels * windows.places * rows * columns
    half_way = channels * sizes[0] * windows.kernel[1] * columns
    return WorkSpace(2 * taken, 2 * (2 * unrolled + half_way + channels * prod(sizes)) + prod(result))


def image_gradient(result: Array, filters: Array, image: Array, setting: Setting) -> Callable[[], None]:
    """Prepare the gradient of an image (N, C, height, width)."""
    channels, *sizes = image.shape[1:]
    groups, kernel, counts = image.shape[1] // filters.shape[1], filters.shape[2:], result.shape[2:]
    rows, columns = (_taken(setting.windows, axis, sizes[axis], counts[axis], image.dtype) for axis in (0, 1))

    def run() -> None:
        heads = result.reshape(len(result), groups, filters.shape[0] // groups, -1)
        weights = np.swapaxes(filters.reshape(groups, filters.shape[0] // groups, -1), 1, 2)
        for head, target in zip(heads, image, strict=True):
            by_axis = np.swapaxes((weights @ head).reshape(channels, *kernel, *counts), 2, 3)
            matrices = by_axis.reshape(channels, kernel[0] * counts[0], kernel[1] * counts[1])
            np.matmul(rows @ matrices, columns.T, out=target)

    return run


def _taken(windows: Windows, axis: int, size: int, count: int, dtype: "np.dtype[np.generic]") -> Array:
    """Return 1 where a point (rows) takes up a place of a window (columns, the windows of each place together)."""
    kernel, stride, dilate = windows.kernel[axis], windows.stride[axis], windows.dilate[axis]
    pad, reach = windows.pad[axis], windows.reach[axis]
    taken = np.zeros((size, kernel, count), dtype)
    for point in range(size):
        at = point + pad
        first = at % dilate if at < reach else (at - reach + stride) // stride
        for window in range(first, min(at // stride + 1, count), dilate):
            taken[point, (at - window * stride) // dilate, window] = 1
    return taken.reshape(size, prod(taken.shape[1:]))
