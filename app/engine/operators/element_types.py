"""Element types as settings: the words MXNet knows and the numpy types they stand for."""

import numpy as np

from app.engine.operator import DType, refuse

NUMBERS = ("bfloat16", "float16", "float32", "float64", "int32", "int64", "int8", "uint8")
WITH_BOOL = ("bfloat16", "bool", "float16", "float32", "float64", "int32", "int64", "int8", "uint8")
STORAGE = ("csr", "default", "row_sparse")
ORDERS = ("float16", "float32", "float64", "int32", "int64", "uint8")


def check_type(name: str | None) -> None:
    """Refuse the one type that numpy lacks."""
    refuse(name == "bfloat16", "dtype bfloat16 is not available here; take float16 or float32.", port="dtype")


def named_type(name: str) -> DType:
    """Return the numpy type of a setting."""
    return np.dtype(name)
