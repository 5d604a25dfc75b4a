"""Sliding windows: where they stand, and which part of an image each place in the window sees."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from math import prod
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from app.engine.kernels import cache_lines

Array = NDArray[Any]
Slices = tuple[slice, ...]
Sizes = tuple[int, ...]


@attrs.frozen
class Windows:
    """How a window moves over an image, one number per spatial axis; `pad` is what is added in front."""

    kernel: Sizes
    stride: Sizes
    dilate: Sizes
    pad: Sizes

    @property
    def reach(self) -> Sizes:
        """The width of the image that one dilated window covers."""
        return tuple(d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilate, strict=True))

    @property
    def places(self) -> int:
        """The number of places in one window."""
        return prod(self.kernel)


@attrs.frozen
class Tap:
    """One place of the window: `outputs` are the windows in which it lies on the image, `inputs` what it sees there."""

    number: int
    outputs: Slices
    inputs: Slices


def taps(windows: Windows, image: Sequence[int], stands: Sequence[tuple[int, int]]) -> Iterator[Tap]:
    """Yield the taps of the windows that stand at `stands` (first, last + 1 per axis) over an image of sizes `image`.

    The slices are clipped to the image, so no padded copy is needed; output slices count from the first stand.
    Taps that see nothing but padding are left out. Both slices begin with the batch and channel axes.
    """
    axes = range(len(image))
    for places in product(*(_seen_places(windows, axis, image[axis], stands[axis]) for axis in axes)):
        outputs, inputs = [slice(None)] * 2, [slice(None)] * 2
        number = 0
        for axis, (place, first, last) in enumerate(places):
            stride, begin = windows.stride[axis], stands[axis][0]
            offset = place * windows.dilate[axis] - windows.pad[axis]
            outputs.append(slice(first - begin, last - begin))
            inputs.append(slice(first * stride + offset, (last - 1) * stride + offset + 1, stride))
            number = number * windows.kernel[axis] + place
        yield Tap(number, tuple(outputs), tuple(inputs))


def _seen_places(
    windows: Windows, axis: int, size: int, stands: tuple[int, int]
) -> list[tuple[int, int, int]]:
    """List the places of the window that ever lie on the image along an axis, with the first and last + 1 stand."""
    stride, dilate, pad = windows.stride[axis], windows.dilate[axis], windows.pad[axis]
    found = []
    for place in _candidates(windows, axis, size, stands):
        offset = place * dilate - pad
        first = max(stands[0], -(offset // stride))
        last = min(stands[1], (size - 1 - offset) // stride + 1)
        if first < last:
            found.append((place, first, last))
    return found


def _candidates(windows: Windows, axis: int, size: int, stands: tuple[int, int]) -> Iterable[int]:
    """Return all places of a window, or of a huge one only those that some stand puts on the image."""
    kernel, dilate = windows.kernel[axis], windows.dilate[axis]
    count = stands[1] - stands[0]
    if kernel <= count * size:
        return range(kernel)
    begins = (stand * windows.stride[axis] - windows.pad[axis] for stand in range(*stands))
    return sorted(
        {
            place
            for begin in begins
            for place in range(max(0, -(begin // dilate)), min(kernel, (size - 1 - begin) // dilate + 1))
        }
    )


def all_stands(counts: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Return the stands of all windows, `counts` per axis."""
    return tuple((0, count) for count in counts)


def window_view(image: Array, windows: Windows, counts: Sequence[int]) -> Array:
    """View a padded image (..., *sizes) as (..., *kernel, *counts) without copying.

    The window's axes stand outside the image's: copying the view then moves long runs of neighbouring numbers.
    """
    lead = image.ndim - len(windows.kernel)
    steps = image.strides[lead:]
    inside = [step * d for step, d in zip(steps, windows.dilate, strict=True)]
    across = [step * s for step, s in zip(steps, windows.stride, strict=True)]
    return np.lib.stride_tricks.as_strided(
        image, (*image.shape[:lead], *windows.kernel, *counts), (*image.strides[:lead], *inside, *across)
    )


def work(scratch: dict[str, Any], name: str, shape: Sizes, dtype: Any, at_least: int = 0) -> Array:
    """Return a work array of the given shape that is kept in `scratch` and used again by the next call.

    With room for `at_least` numbers from the start, arrays of several sizes can share it.
    """
    size, key = prod(shape), f"{name} {np.dtype(dtype).char}"
    kept = scratch.get(key)
    if kept is None or kept.size < size:
        kept = scratch[key] = cache_lines.empty((max(size, at_least),), dtype)
    result: Array = kept[:size].reshape(shape)
    return result
