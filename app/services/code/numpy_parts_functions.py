"""Functions that numpy lacks, number by number: their text is copied into an exported program that calls them."""

# The exported text stands alone and is meant for reading: no annotations.
# ruff: noqa: ANN001, ANN201, ANN202
# mypy: ignore-errors

import numpy as np


def each(function, x):
    """Return a function of every number; where it has no value at a pole, infinity."""

    def of(number):
        try:
            return function(number)
        except (OverflowError, ValueError):
            return np.inf

    return np.array([of(number) for number in x.reshape(-1).tolist()], x.dtype).reshape(x.shape)


def erf(x):
    """Return the error function."""
    from math import erf as exact

    return each(exact, x)


def normal_share(x):
    """Return the share of the normal distribution below x, (1 + erf(x / sqrt(2))) / 2."""
    return 0.5 + 0.5 * erf(x / 2**0.5)


def inverse_erf(x):
    """Return the number whose erf is x: that of the normal distribution, over sqrt(2)."""
    from statistics import NormalDist

    below = np.clip((x.astype(float) + 1) / 2, 1e-300, 1 - 1e-16)
    found = each(NormalDist().inv_cdf, below) / 2**0.5
    return np.where(abs(x) < 1, found, np.where(abs(x) == 1, x * np.inf, np.nan)).astype(x.dtype)


def gamma_function(x):
    """Return (x - 1)!, which between the whole numbers is the gamma function."""
    from math import gamma as exact

    return np.where((x < 0) & (x == np.floor(x)), np.nan, each(exact, x)).astype(x.dtype)


def log_gamma(x):
    """Return the logarithm of the gamma function's size."""
    from math import lgamma as exact

    return each(exact, x)


def digamma(x):
    """Return the slope of log_gamma: by a series from 10 on, by steps of 1 below, mirrored below zero."""
    at = np.where(x < 0, 1 - x, x).astype(float)
    value = np.zeros_like(at)
    for _ in range(10):
        value, at = np.where(at < 10, value - 1 / at, value), np.where(at < 10, at + 1, at)
    value = value + np.log(at) - 1 / (2 * at) - 1 / (12 * at**2) + 1 / (120 * at**4) - 1 / (252 * at**6)
    value = np.where(x < 0, value - np.pi / np.tan(np.pi * x.astype(float)), value)
    return np.where((x <= 0) & (x == np.floor(x)), np.inf, value).astype(x.dtype)
