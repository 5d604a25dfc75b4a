"""Layers that PyTorch does not have as MXNet means them.

The backend runs them as they are; an exported module gets their text.
"""

# The exported text stands alone and is meant for reading: no annotations, and settings as plain arguments.
# ruff: noqa: ANN001, ANN201, N812, PLR0913, PLR0917
# mypy: ignore-errors

import torch
import torch.nn.functional as F


def pool_windows(x, counts, kernel, kind="max", stride=1, pad=0, power=None, include_padding=True):
    """Reduce every window of an image (batch, channels, *sizes), with MXNet's rounding and divisors."""
    rank = len(kernel)
    stride, pad = (setting if isinstance(setting, tuple) else (setting,) * rank for setting in (stride, pad))
    frame, rest = [], []
    for axis in reversed(range(rank)):  # F.pad wants the last axis first
        after = (counts[axis] - 1) * stride[axis] + kernel[axis] - x.shape[2 + axis] - pad[axis]
        frame += [pad[axis], after]
        rest += [0, after - pad[axis]]
    padded = F.pad(x, frame, value=torch.finfo(x.dtype).min if kind == "max" else 0.0) if any(frame) else x
    if kind == "max":
        return getattr(F, f"max_pool{rank}d")(padded, kernel, stride)
    average = getattr(F, f"avg_pool{rank}d")
    places = 1
    for size in kernel:
        places *= size
    if kind == "lp":
        return (average(padded**power, kernel, stride) * places) ** (1 / power)
    if kind == "sum":
        return average(padded, kernel, stride) * places
    inside = torch.ones((1, 1, *x.shape[2:]), dtype=x.dtype, device=x.device)
    border = [size for p in reversed(pad) for size in (p, p)]
    inside = F.pad(F.pad(inside, border, value=float(include_padding)), rest)
    return average(padded, kernel, stride) / average(inside, kernel, stride).clamp(min=1 / places)


def normalize_batch(x, gamma, beta, moving_mean, moving_var, axis, eps, momentum, uses_batch):
    """Normalise per channel with the biased variance; the moving statistics follow it too, unlike PyTorch's own.

    Returns the result, the mean and 1 / sqrt(variance + eps).
    """
    shape = [1] * x.dim()
    shape[axis] = -1
    if uses_batch:
        axes = [place for place in range(x.dim()) if place != axis % x.dim()]
        mean, var = x.mean(axes), x.var(axes, unbiased=False)
        with torch.no_grad():  # MXNet does this in backward
            moving_mean.mul_(momentum).add_(mean, alpha=1 - momentum)
            moving_var.mul_(momentum).add_(var, alpha=1 - momentum)
    else:
        mean, var = moving_mean, moving_var
    inverse = torch.rsqrt(var + eps)
    y = (x - mean.reshape(shape)) * (inverse * gamma).reshape(shape) + beta.reshape(shape)
    return y, mean.detach(), inverse.detach()


def softmax_within(x, length, axis):
    """Return softmax over the first `length` numbers along the axis; the rest gets no share."""
    shape = [1] * x.dim()
    shape[axis] = -1
    within = torch.arange(x.shape[axis], device=x.device).reshape(shape) < length.unsqueeze(axis)
    return torch.softmax(x.masked_fill(~within, torch.finfo(x.dtype).min), dim=axis) * within


def gamma_function(x):
    """Return (x - 1)!, which between the whole numbers is the gamma function."""
    falls = (x < 0) & (x.floor() % 2 != 0) | (x == 0) & torch.signbit(x)
    size = torch.exp(torch.lgamma(x))
    return torch.where(falls, -size, size).masked_fill((x < 0) & (x == x.floor()), float("nan"))
