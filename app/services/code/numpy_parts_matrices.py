"""Factors of matrices as plain numpy functions: their text is copied into an exported program that calls them."""

# The exported text stands alone and is meant for reading: no annotations.
# ruff: noqa: ANN001, ANN201
# mypy: ignore-errors

import numpy as np


def turned(matrices):
    """View matrices with rows and columns changed round."""
    return matrices.swapaxes(-1, -2)


def mirrored(matrices):
    """Return matrices whose upper triangles are their lower ones, mirrored."""
    return np.tril(matrices) + turned(np.tril(matrices, -1))


def cholesky_gradient(factor, head):
    """Return the symmetric gradient of the lower factor of a matrix."""
    inverse = np.linalg.inv(factor)
    return turned(inverse) @ mirrored(turned(factor) @ head) @ inverse * 0.5


def inverse_of_factor(factor):
    """Return the inverse of the matrix with a lower factor."""
    inverse = np.linalg.inv(np.tril(factor))
    return turned(inverse) @ inverse


def inverse_of_factor_gradient(factor, value, head):
    """Return the gradient of the lower factor."""
    return -np.tril(value @ (head + turned(head)) @ turned(np.linalg.inv(np.tril(factor))))


def rows_and_triangle(matrices):
    """Return orthonormal rows, and the lower triangles that make the matrices of them."""
    columns, upper = np.linalg.qr(turned(matrices))
    return turned(columns), turned(upper)


def rows_and_triangle_gradient(rows, lower, of_rows, of_lower):
    """Return the gradient of the matrices from those of rows and triangles."""
    inner = mirrored(turned(lower) @ of_lower - of_rows @ turned(rows))
    return turned(np.linalg.inv(lower)) @ (of_rows + inner @ rows)


def eigenvectors(matrices):
    """Return eigenvectors as rows, the number farthest from 0 in each above 0, and eigenvalues, rising."""
    values, columns = np.linalg.eigh(matrices)
    rows = turned(columns)
    leading = np.take_along_axis(rows, np.abs(rows).argmax(axis=-1, keepdims=True), -1)
    return np.where(leading < 0, -rows, rows), values


def eigenvectors_gradient(rows, values, of_rows, of_values):
    """Return the symmetric gradient of the matrices from those of vectors and values."""
    outer = of_rows @ turned(rows)
    least = 1e-30 if values.dtype == np.float32 else 1e-100
    gaps = np.maximum(np.tril(values[..., :, None] - values[..., None, :], -1), least)
    inner = np.tril((outer - turned(outer)) / (2 * gaps), -1)
    inner = inner + turned(inner) + of_values[..., None] * np.eye(values.shape[-1], dtype=values.dtype)
    return turned(rows) @ inner @ rows


def triangle_solution(triangles, right, lower):
    """Return what triangular matrices must be multiplied with to give the right sides, by substitution."""
    size = triangles.shape[-1]
    found = right.copy()
    for row in range(size) if lower else reversed(range(size)):
        known = slice(row) if lower else slice(row + 1, size)
        found[..., row : row + 1, :] -= triangles[..., row : row + 1, known] @ found[..., known, :]
        found[..., row, :] /= triangles[..., row, row, None]
    return found


def slogdet(matrices):
    """Return the sign of each determinant and ln of its size."""
    signs, sizes = np.linalg.slogdet(matrices)
    return np.reshape(signs, np.shape(signs) or 1), np.reshape(sizes, np.shape(sizes) or 1)


def inverse_turned_or_zero(matrices, singular):
    """Return transposed inverses, and zeros for those matrices that are singular."""
    unit = np.eye(matrices.shape[-1], dtype=matrices.dtype)
    without = singular.reshape(*matrices.shape[:-2], 1, 1)
    return np.where(without, 0, np.linalg.inv(np.where(without, unit, turned(matrices))))
