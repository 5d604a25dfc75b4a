"""Layers as plain numpy functions: their text is copied into an exported program that calls them.

Images are (batch, channels, *sizes). Everything is written for reading; the program's own kernels do the same faster.
"""

# The exported text stands alone and is meant for reading: no annotations, and settings as plain arguments.
# ruff: noqa: ANN001, ANN201, B905, PLR0913, PLR0917
# mypy: ignore-errors

import numpy as np


def windows(x, kernel, stride=1, pad=0, dilate=1, counts=None, fill=0):
    """Return every window of an image as (batch, channels, *kernel, *counts)."""
    rank, sizes = len(kernel), np.array(x.shape[2:])
    stride, pad, dilate = (np.broadcast_to(setting, rank) for setting in (stride, pad, dilate))
    reach = dilate * (np.array(kernel) - 1) + 1
    if counts is None:
        counts = (sizes + 2 * pad - reach) // stride + 1
    after = np.maximum((np.array(counts) - 1) * stride + reach - sizes - pad, 0)
    padded = np.pad(x, [(0, 0), (0, 0), *zip(pad, after)], constant_values=fill)
    spread = np.lib.stride_tricks.sliding_window_view(padded, tuple(reach), tuple(range(2, 2 + rank)))
    steps = [slice(None, (c - 1) * s + 1, s) for c, s in zip(counts, stride)]
    places = [slice(None, None, d) for d in dilate]
    chosen = spread[(slice(None), slice(None), *steps, *places)]
    return np.moveaxis(chosen, range(2 + rank, 2 + 2 * rank), range(2, 2 + rank))


def fold(columns, shape, stride=1, pad=0, dilate=1):
    """Add windows (batch, channels, *kernel, *counts) up into an image of the given shape."""
    rank = len(shape) - 2
    kernel, counts = columns.shape[2 : 2 + rank], columns.shape[2 + rank :]
    stride, pad, dilate = (np.broadcast_to(setting, rank) for setting in (stride, pad, dilate))
    sizes = [
        max(size + 2 * p, (c - 1) * s + d * (k - 1) + 1)
        for size, p, c, s, d, k in zip(shape[2:], pad, counts, stride, dilate, kernel)
    ]
    image = np.zeros((*shape[:2], *sizes), columns.dtype)
    for place in np.ndindex(*kernel):
        seen = [slice(q * d, q * d + (c - 1) * s + 1, s) for q, d, c, s in zip(place, dilate, counts, stride)]
        image[(slice(None), slice(None), *seen)] += columns[(slice(None), slice(None), *place)]
    inside = [slice(p, p + size) for p, size in zip(pad, shape[2:])]
    return image[(slice(None), slice(None), *inside)]


def convolve(x, weight, bias, stride=1, pad=0, dilate=1, groups=1, counts=None):
    """Slide filters (filters, channels / groups, *kernel) over an image and sum what each one sees."""
    rank = x.ndim - 2
    columns = windows(x, weight.shape[2:], stride, pad, dilate, counts)
    counts = columns.shape[2 + rank :]
    columns = columns.reshape(len(x), groups, -1, np.prod(counts))
    y = weight.reshape(groups, len(weight) // groups, -1) @ columns
    y = y.reshape(len(x), len(weight), *counts)
    return y if bias is None else y + bias.reshape(-1, *[1] * rank)


def convolve_data_gradient(d_y, weight, shape, stride=1, pad=0, dilate=1, groups=1):
    """Return the gradient of a convolution's image: every window gets its share, overlaps add up."""
    filters = weight.reshape(groups, len(weight) // groups, -1)
    columns = filters.swapaxes(1, 2) @ d_y.reshape(len(d_y), groups, len(weight) // groups, -1)
    columns = columns.reshape(len(d_y), shape[1], *weight.shape[2:], *d_y.shape[2:])
    return fold(columns, shape, stride, pad, dilate)


def mixed_data_gradient(d_y, weight, shape, stride=1, pad=0, dilate=1, groups=1):
    """Return the gradient of data as MXNet's Convolution_v1 adds it up where windows are both stepped and dilated.

    A point gathers from every window, in steps of the dilation, that may have seen it; the place in it is cut down.
    """
    filters = weight.reshape(groups, len(weight) // groups, -1)
    columns = filters.swapaxes(1, 2) @ d_y.reshape(len(d_y), groups, len(weight) // groups, -1)
    columns = columns.reshape(len(d_y), shape[1], *weight.shape[2:], *d_y.shape[2:])
    stride, pad, dilate = (np.broadcast_to(setting, 2) for setting in (stride, pad, dilate))
    for axis in (1, 0):  # the last axis first: its places and windows become the points of the image
        kernel, count = columns.shape[2 + axis], d_y.shape[2 + axis]
        reach = dilate[axis] * (kernel - 1) + 1
        taken = np.zeros((shape[2 + axis], kernel, count), columns.dtype)
        for point, row in enumerate(taken):
            at = point + pad[axis]
            first = at % dilate[axis] if at < reach else (at - reach + stride[axis]) // stride[axis]
            for window in range(first, min(at // stride[axis] + 1, count), dilate[axis]):
                row[(at - window * stride[axis]) // dilate[axis], window] = 1
        columns = np.einsum(("ncipy,xip->ncxy", "ncijpq,yjq->ncipy")[axis], columns, taken)
    return columns


def convolve_weight_gradient(d_y, x, shape, stride=1, pad=0, dilate=1, groups=1):
    """Return the gradient of a convolution's filters: what each one saw, times what became of it."""
    columns = windows(x, shape[2:], stride, pad, dilate, counts=d_y.shape[2:])
    columns = columns.reshape(len(x), groups, -1, np.prod(d_y.shape[2:]))
    d_y = d_y.reshape(len(x), groups, shape[0] // groups, -1)
    return (d_y @ columns.swapaxes(2, 3)).sum(axis=0).reshape(shape)


def window_sizes(x, counts, kernel, stride=1, pad=0, include_padding=True):
    """Return how many places of each window an average counts, as (*counts)."""
    border = [(p, p) for p in np.broadcast_to(pad, len(kernel))]
    inside = np.pad(np.ones(x.shape[2:], x.dtype), border, constant_values=float(include_padding))
    places = tuple(range(2, 2 + len(kernel)))
    return np.maximum(windows(inside[None, None], kernel, stride, counts=counts).sum(axis=places), 1)[0, 0]


def pool_windows(x, counts, kernel, kind="max", stride=1, pad=0, power=None, include_padding=True):
    """Reduce every window of an image to its maximum, sum, average or power mean."""
    fill = np.finfo(x.dtype).min if kind == "max" else 0
    columns = windows(x, kernel, stride, pad, counts=counts, fill=fill)
    places = tuple(range(2, 2 + len(kernel)))
    if kind == "max":
        return columns.max(axis=places)
    if kind == "lp":
        return (columns**power).sum(axis=places) ** (1 / power)
    total = columns.sum(axis=places)
    return total if kind == "sum" else total / window_sizes(x, counts, kernel, stride, pad, include_padding)


def pool_gradient(d_y, x, y, kernel, kind="max", stride=1, pad=0, power=None, include_padding=True):
    """Return the gradient of a pooling's image: each window's gradient goes to the places it came from."""
    counts = y.shape[2:]
    fill = np.finfo(x.dtype).min if kind == "max" else 0
    columns = windows(x, kernel, stride, pad, counts=counts, fill=fill)
    spread = (*x.shape[:2], *[1] * len(kernel), *counts)
    d_y, y = d_y.reshape(spread), y.reshape(spread)
    if kind == "max":  # the first place that holds the maximum gets everything
        flat = columns.reshape(*x.shape[:2], -1, *counts)
        numbers = np.arange(flat.shape[2]).reshape(-1, *[1] * len(kernel))
        share = (flat.argmax(axis=2)[:, :, None] == numbers).reshape(columns.shape)
    elif kind == "lp":
        share = (columns / np.where(y == 0, 1, y)) ** (power - 1)
    else:
        share = np.ones_like(columns)
    if kind == "avg":
        share = share / window_sizes(x, counts, kernel, stride, pad, include_padding)
    return fold(d_y * share, x.shape, stride, pad)


def softmax_along(x, axis):
    """Turn numbers into shares that add up to one; taking the largest away first keeps exp from overflowing."""
    powers = np.exp(x - x.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def softmax_gradient(d_y, y, axis):
    """Return the gradient of softmax from its result."""
    return y * (d_y - (d_y * y).sum(axis=axis, keepdims=True))


def log_softmax_along(x, axis):
    """Return the logarithm of softmax without taking the logarithm of a tiny number."""
    shifted = x - x.max(axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


def softmax_within(x, length, axis):
    """Return softmax over the first `length` numbers along the axis; the rest gets no share."""
    places = np.arange(x.shape[axis]).reshape([-1 if a == axis % x.ndim else 1 for a in range(x.ndim)])
    within = places < np.expand_dims(length, axis)
    return softmax_along(np.where(within, x, np.finfo(x.dtype).min), axis) * within


def softmax_head_gradient(
    p, label, mode="flat", scale=1.0, normalization="null", ignore_label=-1, use_ignore=False, smooth=0.0
):
    """Return (p - onehot(label)) * scale, the gradient that MXNet's SoftmaxOutput makes by itself."""
    if label.shape == p.shape:  # the label holds probabilities
        return (p - label) * scale
    axis = {"flat": 1, "channel": 1, "last": -1}[mode]
    shares = np.moveaxis(p.reshape(len(p), -1) if mode == "flat" else p, axis, -1)
    labels = np.trunc(label).astype(int)
    rows = labels.reshape(-1)[: shares[..., 0].size].reshape(shares.shape[:-1])
    right = rows[..., None] == np.arange(shares.shape[-1])
    grad = shares - np.where(right, 1 - smooth, smooth / max(1, shares.shape[-1] - 1)).astype(p.dtype)
    if use_ignore:
        grad = grad * (rows != ignore_label)[..., None]
    divisor = rows[0].size if mode == "channel" else 1
    if normalization == "batch":
        divisor = labels.size
    elif normalization == "valid":
        divisor = max(1, int(np.count_nonzero(labels != ignore_label)))
    return np.moveaxis(grad, -1, axis).reshape(p.shape) * (scale / divisor)


def batch_norm_gradient(d_y, x, gamma, mean, inverse, axes, uses_batch, minds_mean=False):
    """Return the gradients of data, gamma and beta; `inverse` is 1 / sqrt(variance + eps).

    The first version of BatchNorm minds a mean that is not the batch's own.
    """
    shape = [1 if axis in axes else -1 for axis in range(x.ndim)]
    normal = (x - mean.reshape(shape)) * inverse.reshape(shape)
    d_beta = d_y.sum(axis=axes)
    d_gamma = (d_y * normal).sum(axis=axes)
    d_x = d_y
    if uses_batch:  # mean and variance follow the data, which takes the part along them away
        along = normal - normal.mean(axis=axes, keepdims=True) if minds_mean else normal
        d_x = d_y - d_y.mean(axis=axes, keepdims=True) - along * (d_y * normal).mean(axis=axes, keepdims=True)
    return d_x * (gamma * inverse).reshape(shape), d_gamma, d_beta


def draw_mask(shape, p, dtype):
    """Return 0 with chance p, else 1 / (1 - p)."""
    kept = np.random.random(shape) >= p
    return (kept / max(1 - p, 1e-30)).astype(dtype)


def cross_entropies(x, label):
    """Return -log softmax(x) of each row's right class; no share counts as less than 1e-8."""
    losses = -log_softmax_along(x, 1)[np.arange(len(x)), label.astype(int)]
    return np.minimum(losses, -float(np.log(1e-8)))


def hinge_gradient(x, label, margin, scale, linear):
    """Return -h(margin - x) for the right class and h(margin + x) for the others: MXNet's SVMOutput."""
    right = label.astype(int).reshape(*x.shape[:-1], 1) == np.arange(x.shape[-1])
    sides = np.where(right, -1, 1).astype(x.dtype)
    missing = margin + sides * x
    slope = (missing > 0).astype(x.dtype) if linear else 2 * np.maximum(missing, 0)
    return sides * slope * scale
