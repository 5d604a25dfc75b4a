"""Element types as settings: the words MXNet knows and the numpy types they stand for."""

from math import isfinite

import numpy as np

from app.engine.operator import Array, DType, refuse

NUMBERS = ("bfloat16", "float16", "float32", "float64", "int32", "int64", "int8", "uint8")
WITH_BOOL = ("bfloat16", "bool", "float16", "float32", "float64", "int32", "int64", "int8", "uint8")
STORAGE = ("csr", "default", "row_sparse")
ORDERS = ("float16", "float32", "float64", "int32", "int64", "uint8")


def check_type(name: str | None) -> None:
    """Refuse the one type that numpy lacks."""
    refuse(name == "bfloat16", "dtype bfloat16 is not available here; take float16 or float32.", port="dtype")


def cut_number(number: float, dtype: DType) -> Array:
    """Return a setting in the data's type, cut to a whole number as a processor does.

    What lies beyond the processor's whole numbers becomes their least one.
    """
    if dtype.kind not in "iu":
        return np.array(number, dtype)
    least = -(2 ** (63 if dtype.itemsize == 8 else 31))
    fits = isfinite(number) and least <= number < -least
    return np.array(int(number) if fits else least, np.int64).astype(dtype)


def named_type(name: str) -> DType:
    """Return the numpy type of a setting."""
    return np.dtype(name)
