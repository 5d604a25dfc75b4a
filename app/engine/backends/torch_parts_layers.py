"""Layers that PyTorch does not have as MXNet means them.

The backend runs them as they are; an exported module gets their text.
"""

# The exported text stands alone and is meant for reading: no annotations, and settings as plain arguments.
# ruff: noqa: ANN001, ANN201, ANN205, N812, PLR0913, PLR0917
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
    padded = F.pad(x, frame, value=float("-inf") if kind == "max" else 0.0) if any(frame) else x
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


class SoftmaxHead(torch.autograd.Function):
    """MXNet's SoftmaxOutput: shares forward; backward makes its own gradient, whatever comes in."""

    @staticmethod
    def forward(ctx, x, label, settings):
        """Turn scores into shares along the axis that the mode says."""
        mode = settings["mode"]
        flat = x.reshape(len(x), -1) if mode == "flat" else x
        p = torch.softmax(flat, dim=-1 if mode == "last" else 1).reshape(x.shape)
        ctx.save_for_backward(p, label)
        ctx.settings = settings
        return p

    @staticmethod
    def backward(ctx, _):
        """Return (p - onehot(label)) * scale."""
        p, label = ctx.saved_tensors
        settings = ctx.settings
        mode, scale, smooth = settings["mode"], settings["scale"], settings["smooth"]
        if label.shape == p.shape:  # the label holds probabilities
            return (p - label) * scale, None, None
        axis = {"flat": 1, "channel": 1, "last": -1}[mode]
        shares = (p.reshape(len(p), -1) if mode == "flat" else p).movedim(axis, -1)
        labels = label.trunc().long()
        rows = labels.reshape(-1)[: shares[..., 0].numel()].reshape(shares.shape[:-1])
        right = rows.unsqueeze(-1) == torch.arange(shares.shape[-1], device=p.device)
        others = smooth / max(1, shares.shape[-1] - 1)
        grad = shares - torch.where(right, 1 - smooth, others).to(p.dtype)
        if settings["use_ignore"]:
            grad = grad * (rows != settings["ignore_label"]).unsqueeze(-1)
        divisor = rows[0].numel() if mode == "channel" else 1
        if settings["normalization"] == "batch":
            divisor = labels.numel()
        elif settings["normalization"] == "valid":
            divisor = max(1, int((labels != settings["ignore_label"]).sum()))
        return grad.movedim(-1, axis).reshape(p.shape) * (scale / divisor), None, None


def softmax_head(
    x, label, mode="flat", scale=1.0, normalization="null", ignore_label=-1, use_ignore=False, smooth=0.0
):
    """Return the shares of MXNet's SoftmaxOutput; its gradient is that of the cross entropy."""
    settings = {"mode": mode, "scale": scale, "normalization": normalization}
    settings.update(ignore_label=ignore_label, use_ignore=use_ignore, smooth=smooth)
    return SoftmaxHead.apply(x, label, settings)


class RegressionHead(torch.autograd.Function):
    """MXNet's regression outputs: a prediction forward; backward makes its own gradient."""

    @staticmethod
    def forward(ctx, x, label, kind, scale):
        """Hand data through, or turn it into a probability."""
        y = torch.sigmoid(x) if kind == "logistic" else x.clone()
        ctx.save_for_backward(y, label)
        ctx.kind, ctx.scale = kind, scale
        return y

    @staticmethod
    def backward(ctx, _):
        """Return the difference from the label, or its sign, over the values per sample."""
        y, label = ctx.saved_tensors
        error = y - label.reshape(y.shape)
        if ctx.kind == "absolute":
            error = torch.where(error > 0, 1.0, -1.0).to(error.dtype)
        return error * (ctx.scale * len(label) / label.numel()), None, None, None


def regression_head(x, label, kind, scale):
    """Return the prediction of MXNet's linear, logistic or absolute regression output."""
    return RegressionHead.apply(x, label, kind, scale)


class LossHead(torch.autograd.Function):
    """MXNet's MakeLoss: data forward; backward starts with one number everywhere."""

    @staticmethod
    def forward(ctx, x, scale):
        """Hand data through."""
        ctx.scale = scale
        return x.clone()

    @staticmethod
    def backward(ctx, incoming):
        """Return the number that starts the gradient."""
        return torch.full_like(incoming, ctx.scale), None


def loss_head(x, scale):
    """Take x as a loss whose gradient is `scale` everywhere."""
    return LossHead.apply(x, scale)


class HingeHead(torch.autograd.Function):
    """MXNet's SVMOutput: scores forward; backward makes the gradient of the hinge loss, whatever comes in."""

    @staticmethod
    def forward(ctx, x, label, settings):
        """Hand scores through."""
        ctx.save_for_backward(x, label)
        ctx.settings = settings
        return x.clone()

    @staticmethod
    def backward(ctx, _):
        """Return −h(margin − x) for the right class and h(margin + x) for the others."""
        x, label = ctx.saved_tensors
        margin, scale, linear = ctx.settings
        right = label.long().reshape(x.shape[:-1]).unsqueeze(-1) == torch.arange(x.shape[-1], device=x.device)
        sides = torch.where(right, -1.0, 1.0).to(x.dtype)
        missing = margin + sides * x
        slope = (missing > 0).to(x.dtype) if linear else 2 * missing.clamp(min=0)
        return sides * slope * scale, None, None


def hinge_head(x, label, margin, scale, linear):
    """Return the scores of MXNet's SVMOutput."""
    return HingeHead.apply(x, label, (margin, scale, linear))


class InstanceSoftmax(torch.autograd.Function):
    """MXNet's SoftmaxActivation of more than two axes: softmax along the last one, its gradient along the second."""

    @staticmethod
    def forward(ctx, x):
        """Compute the shares."""
        y = torch.softmax(x, dim=-1)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, incoming):
        """Return what MXNet does."""
        (y,) = ctx.saved_tensors
        return y * (incoming - (incoming * y).sum(1, keepdim=True))


def instance_softmax(x):
    """Return softmax along the last axis, with MXNet's gradient."""
    return InstanceSoftmax.apply(x)


class Selu(torch.autograd.Function):
    """MXNet's selu, whose gradient below zero is scale * (y + alpha) rather than y + scale * alpha."""

    @staticmethod
    def forward(ctx, x):
        """Bend negative numbers by an exponential."""
        y = F.selu(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, incoming):
        """Return MXNet's slope times what comes in."""
        (y,) = ctx.saved_tensors
        slope = torch.where(y > 0, torch.ones_like(y), y + 1.6732632423543772)
        return incoming * slope * 1.0507009873554805


def selu_as_mxnet(x):
    """Return selu with MXNet's gradient."""
    return Selu.apply(x)


class Turned(torch.autograd.Function):
    """What becomes of leaky and elu with a negative slope, which leave nothing below zero."""

    @staticmethod
    def forward(ctx, _, y, slope):
        """Keep where the result is above zero."""
        ctx.save_for_backward(y)
        ctx.slope = slope
        return y.clone()

    @staticmethod
    def backward(ctx, incoming):
        """Let everything through there, as MXNet does."""
        (y,) = ctx.saved_tensors
        return torch.where(y > 0, incoming, ctx.slope * incoming), None, None


def turned_as_mxnet(x, y, slope):
    """Return y, which was computed from x, with MXNet's gradient."""
    return Turned.apply(x, y.detach(), slope)


class Spoilt(torch.autograd.Function):
    """An array whose gradient comes out as many times too large as the array itself."""

    @staticmethod
    def forward(ctx, x):
        """Hand it on."""
        ctx.save_for_backward(x)
        return x.clone()

    @staticmethod
    def backward(ctx, incoming):
        """Multiply by the array."""
        (x,) = ctx.saved_tensors
        return incoming * x


def spoilt_as_mxnet(x):
    """Return x with the gradient that MXNet computes for it from a gradient that was overwritten."""
    return Spoilt.apply(x)


class Mixed(torch.autograd.Function):
    """MXNet's Convolution_v1, in whose gradient of data windows that are both stepped and dilated get mixed up."""

    @staticmethod
    def forward(ctx, x, weight, y, settings):
        """Hand on the result, which was computed from x."""
        ctx.save_for_backward(weight)
        ctx.shape, ctx.settings = x.shape, settings
        return y.clone()

    @staticmethod
    def backward(ctx, incoming):
        """Let a point gather from every window, in steps of the dilation, that may have seen it."""
        (weight,) = ctx.saved_tensors
        settings, groups = ctx.settings, ctx.settings["groups"]
        filters = weight.reshape(groups, len(weight) // groups, -1)
        columns = filters.mT @ incoming.reshape(len(incoming), groups, filters.shape[1], -1)
        columns = columns.reshape(len(incoming), ctx.shape[1], *weight.shape[2:], *incoming.shape[2:])
        for axis in (1, 0):  # the last axis first: its places and windows become the points of the image
            kernel, count = weight.shape[2 + axis], incoming.shape[2 + axis]
            stride, pad, dilate = (settings[name][axis] for name in ("stride", "pad", "dilate"))
            reach = dilate * (kernel - 1) + 1
            taken = torch.zeros((ctx.shape[2 + axis], kernel, count), dtype=weight.dtype)
            for point in range(len(taken)):
                at = point + pad
                first = at % dilate if at < reach else (at - reach + stride) // stride
                for window in range(first, min(at // stride + 1, count), dilate):
                    taken[point, (at - window * stride) // dilate, window] = 1
            equation = ("ncipy,xip->ncxy", "ncijpq,yjq->ncipy")[axis]
            columns = torch.einsum(equation, columns, taken.to(weight.device))
        return columns, None, incoming, None


def mixed_as_mxnet(x, weight, y, stride=(1, 1), pad=(0, 0), dilate=(1, 1), groups=1):
    """Return y, the convolution of x, with MXNet's gradient for x; what else y was computed from keeps its own."""
    settings = {"stride": stride, "pad": pad, "dilate": dilate, "groups": groups}
    return Mixed.apply(x, weight.detach(), y, settings)


class Extreme(torch.autograd.Function):
    """The largest or smallest element along axes; every place that holds it gets the whole gradient."""

    @staticmethod
    def forward(ctx, x, axes, find):
        """Find it, keeping the axes."""
        y = find(x, axes, keepdim=True)
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx, incoming):
        """Send the gradient to every place."""
        x, y = ctx.saved_tensors
        return incoming * (x == y), None, None


def extreme(x, axes, find):
    """Return the extreme element along axes, with MXNet's gradient."""
    return Extreme.apply(x, axes, find)


class Product(torch.autograd.Function):
    """The product along axes; its gradient divides by each element, and is no number where that is 0."""

    @staticmethod
    def forward(ctx, x, axes):
        """Multiply, keeping the axes."""
        y = x
        for axis in axes:
            y = y.prod(axis, keepdim=True)
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx, incoming):
        """Return the product of the others, as MXNet finds it."""
        x, y = ctx.saved_tensors
        return incoming * (y / x), None


def product(x, axes):
    """Return the product along axes, with MXNet's gradient."""
    return Product.apply(x, axes)


class CubeRoot(torch.autograd.Function):
    """The cube root, whose slope at zero is infinite."""

    @staticmethod
    def forward(ctx, x):
        """Keep the sign apart, that of zero too."""
        y = torch.copysign(torch.abs(x) ** (1 / 3), x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, incoming):
        """Return the slope times what comes in."""
        (y,) = ctx.saved_tensors
        return incoming / (3 * y**2)


def cube_root(x):
    """Return the cube root of each element."""
    return CubeRoot.apply(x)


class Scaled(torch.autograd.Function):
    """Hand numbers through, and their gradient so many times."""

    @staticmethod
    def forward(ctx, x, factor):
        """Copy."""
        ctx.factor = factor
        return x.clone()

    @staticmethod
    def backward(ctx, d):
        """Multiply."""
        return d * ctx.factor, None


def with_scaled_gradient(x, factor):
    """Hand numbers through, and their gradient so many times."""
    return Scaled.apply(x, factor)
