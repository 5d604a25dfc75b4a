"""Outputs of MXNet that make their own gradients, whatever comes in, as autograd functions."""

# The exported text stands alone and is meant for reading: no annotations, and settings as plain arguments.
# ruff: noqa: ANN001, ANN201, ANN205, PLR0913, PLR0917
# mypy: ignore-errors

import torch


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
    def backward(ctx, incoming):
        """Return (p - onehot(label)) * scale, times what comes in if that counts."""
        p, label = ctx.saved_tensors
        settings = ctx.settings
        if not settings["heads"]:
            incoming = 1
        mode, scale, smooth = settings["mode"], settings["scale"], settings["smooth"]
        if label.shape == p.shape:  # the label holds probabilities
            return (p - label) * scale * incoming, None, None
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
        return grad.movedim(-1, axis).reshape(p.shape) * (scale / divisor) * incoming, None, None


def softmax_head(
    x,
    label,
    mode="flat",
    scale=1.0,
    normalization="null",
    ignore_label=-1,
    use_ignore=False,
    smooth=0.0,
    heads=False,
):
    """Return the shares of MXNet's SoftmaxOutput; its gradient is that of the cross entropy."""
    settings = {"mode": mode, "scale": scale, "normalization": normalization}
    settings.update(ignore_label=ignore_label, use_ignore=use_ignore, smooth=smooth, heads=heads)
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
