"""What resizes images, as plain numpy functions: their text is copied into an exported program that calls them."""

# The exported text stands alone and is meant for reading: no annotations, and settings as plain arguments.
# ruff: noqa: ANN001, ANN201
# mypy: ignore-errors

import numpy as np


def average_matrix(size, count, dtype):
    """Return the matrix that averages `size` numbers over `count` parts as equal as can be."""
    matrix = np.zeros((count, size), dtype)
    for part in range(count):
        first, last = part * size // count, -(-(part + 1) * size // count)
        matrix[part, first:last] = 1 / (last - first)
    return matrix


def bilinear_matrix(size, count, align_corners, dtype):
    """Return the matrix that mixes `count` numbers of the two nearest of `size` each."""
    places = np.arange(count)
    if align_corners:
        places = places * ((size - 1) / max(count - 1, 1))
    else:
        places = np.maximum((places + 0.5) * (size / count if count > 1 else 0) - 0.5, 0)
    low = places.astype(int)
    matrix = np.zeros((count, size), dtype)
    np.add.at(matrix, (np.arange(count), low), 1 - (places - low))
    np.add.at(matrix, (np.arange(count), np.minimum(low + 1, size - 1)), places - low)
    return matrix
