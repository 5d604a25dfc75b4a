"""Whole images unrolled into the columns of a matrix (batch, channels · places, positions), and folded back."""

import numpy as np

from app.engine.kernels.windows import Array, Sizes, Windows, all_stands, taps


def unroll(image: Array, columns: Array, windows: Windows, counts: Sizes) -> None:
    """Write what every window sees; padding is zero."""
    places = _by_place(columns, windows, counts)
    places.fill(0)
    for tap in taps(windows, image.shape[2:], all_stands(counts)):
        np.copyto(places[:, :, tap.number][tap.outputs], image[tap.inputs])


def fold(columns: Array, image: Array, windows: Windows, counts: Sizes) -> None:
    """Add up what every window holds where it stands on the image."""
    image.fill(0)
    places = _by_place(columns, windows, counts)
    for tap in taps(windows, image.shape[2:], all_stands(counts)):
        seen = image[tap.inputs]
        np.add(seen, places[:, :, tap.number][tap.outputs], out=seen)


def _by_place(columns: Array, windows: Windows, counts: Sizes) -> Array:
    """View columns as (batch, channels, places, *counts); those that lie apart are copied."""
    return columns.reshape(len(columns), -1, windows.places, *counts)
