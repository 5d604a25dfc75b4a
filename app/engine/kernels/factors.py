"""Factors, solutions and inverses of matrices in batches: what linear algebra needs beside products.

The gradients are those of MXNet: of what reads one triangle of a symmetric matrix they are the symmetric ones. Sources:
Seeger and others, Auto-Differentiating Linear Algebra (2017), which MXNet follows; Jacobi's formula for determinants.
"""

from collections.abc import Callable

import numpy as np

from app.engine.errors import RunError
from app.engine.operator import Array

LEAST_GAP = {"f": 1e-30, "d": 1e-100}
"""MXNet takes eigenvalues for at least so far apart."""


def wide(array: Array) -> Array:
    """Return an array in a type that LAPACK knows."""
    return array.astype(np.float32) if array.dtype == np.float16 else array


def turned(matrices: Array) -> Array:
    """View matrices with rows and columns changed round."""
    return matrices.swapaxes(-1, -2)


def mirrored(matrices: Array) -> Array:
    """Return matrices whose upper triangles are their lower ones, mirrored."""
    return np.tril(matrices) + turned(np.tril(matrices, -1))


def triangle(matrices: Array, *, lower: bool) -> Array:
    """Return matrices with zeros in place of one triangle."""
    return np.tril(matrices) if lower else np.triu(matrices)


def solved(matrices: Array, right: Array, *, lower: bool) -> Array:
    """Return x of A · x = b for triangular A by substitution; a zero on a diagonal gives infinities, as in BLAS."""
    size = matrices.shape[-1]
    found = right.copy()
    for row in range(size) if lower else reversed(range(size)):
        known = slice(row) if lower else slice(row + 1, size)
        found[..., row : row + 1, :] -= matrices[..., row : row + 1, known] @ found[..., known, :]
        found[..., row, :] /= matrices[..., row, row, None]
    return found


def cholesky(matrices: Array) -> Array:
    """Return lower L of A = L · Lᵀ, of which only the lower triangle is read; RunError where there is none."""
    sentence = "A holds a matrix that is not positive definite. Add a small number to its diagonal."
    return _or_refuse(np.linalg.cholesky, matrices, sentence)


def inverse(matrices: Array) -> Array:
    """Return inverses; RunError where there is none."""
    # the factors of the transposed matrix, as MXNet finds them, so that rounding finds the same ones singular
    sentence = "A holds a matrix that is singular, so it has no inverse."
    return turned(_or_refuse(np.linalg.inv, turned(matrices), sentence))


def _or_refuse(function: Callable[[Array], Array], matrices: Array, sentence: str) -> Array:
    try:
        return function(matrices)
    except np.linalg.LinAlgError:
        raise RunError(sentence) from None


def cholesky_gradient(factor: Array, head: Array) -> Array:
    """Return the symmetric gradient ½ L⁻ᵀ · mirrored(Lᵀ · d) · L⁻¹."""
    inner = mirrored(turned(factor) @ head)
    left = solved(turned(factor), inner, lower=False)
    found: Array = turned(solved(turned(factor), turned(left), lower=False)) * 0.5
    return found


def inverse_of_factor(factor: Array) -> Array:
    """Return (L · Lᵀ)⁻¹ of a lower triangle; RunError where there is none."""
    if not np.diagonal(factor, axis1=-2, axis2=-1).all():
        raise RunError("A holds a triangle with a zero on its diagonal, so that its product has no inverse.")
    unit = np.broadcast_to(np.eye(factor.shape[-1], dtype=factor.dtype), factor.shape)
    inner = solved(np.tril(factor), unit, lower=True)
    found: Array = turned(inner) @ inner
    return found


def inverse_of_factor_gradient(factor: Array, value: Array, head: Array) -> Array:
    """Return −tril(Y · (d + dᵀ) · L⁻ᵀ)."""
    inner = value @ (head + turned(head))
    return -np.tril(turned(solved(np.tril(factor), turned(inner), lower=True)))


def rows_and_triangle(matrices: Array) -> tuple[Array, Array]:
    """Return Q and lower L of A = L · Q, where the rows of Q are orthonormal."""
    columns, upper = np.linalg.qr(turned(matrices))
    return turned(columns), turned(upper)


def rows_and_triangle_gradient(rows: Array, lower: Array, of_rows: Array, of_lower: Array) -> Array:
    """Return L⁻ᵀ · (dQ + mirrored(Lᵀ · dL − dQ · Qᵀ) · Q)."""
    inner = mirrored(turned(np.tril(lower)) @ of_lower - of_rows @ turned(rows))
    return solved(turned(lower), of_rows + inner @ rows, lower=False)


def eigenvectors(matrices: Array) -> tuple[Array, Array]:
    """Return eigenvectors as rows and eigenvalues, rising; of A only the lower triangle is read.

    The number farthest from 0 in each vector, the first of several, is above 0.
    """
    values, columns = np.linalg.eigh(matrices)
    rows = turned(columns)
    leading = np.take_along_axis(rows, np.abs(rows).argmax(axis=-1, keepdims=True), -1)
    return np.where(leading < 0, -rows, rows), values


def eigenvectors_gradient(rows: Array, values: Array, of_rows: Array, of_values: Array) -> Array:
    """Return the symmetric gradient Uᵀ · Y · U, Y being (X − Xᵀ) over twice the gaps, X = dU · Uᵀ, with dΛ inside."""
    outer = of_rows @ turned(rows)
    gaps = values[..., :, None] - values[..., None, :]
    gaps = np.maximum(np.tril(gaps, -1), LEAST_GAP.get(values.dtype.char, 1e-30))
    inner = np.tril((outer - turned(outer)) / (gaps * 2), -1)
    places = np.arange(values.shape[-1])
    inner = inner + turned(inner)
    inner[..., places, places] = of_values
    found: Array = turned(rows) @ inner @ rows
    return found


def sign_and_logarithm(matrices: Array) -> tuple[Array, Array]:
    """Return the sign of each determinant and ln of its size: 0 and −∞ where it is 0."""
    found = np.linalg.slogdet(turned(matrices))  # of the transposed matrix for the reason that inverse has
    return found.sign, found.logabsdet


def inverse_turned_or_zero(matrices: Array, singular: Array) -> Array:
    """Return transposed inverses, and zeros for those matrices that are singular."""
    unit = np.eye(matrices.shape[-1], dtype=matrices.dtype)
    without = np.asarray(singular)[..., None, None]
    found: Array = np.where(without, 0, np.linalg.inv(np.where(without, unit, turned(matrices))))
    return found
