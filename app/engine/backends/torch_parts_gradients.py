"""Functions whose gradient in MXNet is not the one that autograd would find, as autograd functions."""

# The exported text stands alone and is meant for reading: no annotations, and settings as plain arguments.
# ruff: noqa: ANN001, ANN201, ANN205, N812, PLR0913, PLR0917
# mypy: ignore-errors

import torch
import torch.nn.functional as F


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
        y = find(x, axes, keepdim=True) if axes else x.clone()
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
