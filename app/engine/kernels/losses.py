"""Gradients that losses make by themselves."""

from functools import partial
from typing import Final

import attrs
import numpy as np

from app.engine.kernels.steps import Step, constant, in_order
from app.engine.kernels.windows import Array

FEW_CLASSES: Final = 256
"""The identity matrix of more would take more memory than its time is worth."""


@attrs.frozen
class SoftmaxRules:
    """How SoftmaxOutput turns shares and labels into a gradient."""

    grad_scale: float
    ignore_label: int
    use_ignore: bool
    smooth_alpha: float
    normalization: str


def softmax_loss_gradient(shares: Array, label: Array, grad: Array, rules: SoftmaxRules) -> Step:
    """Prepare (p − target) · grad_scale; shares are (outer, classes, inner), labels (outer, inner) whole numbers.

    The target is 1 for the right class, or 1 − a with a / (k − 1) for each other. A label outside the classes has no
    right class.
    """
    outer, count, inner = shares.shape
    given, classes = label[:, None, :], np.empty((outer, 1, inner), np.int64)
    is_right = np.empty(shares.shape, grad.dtype if inner == 1 and count <= FEW_CLASSES else np.bool_)
    mark = _mark_right(classes, is_right)
    each_other = rules.smooth_alpha / (count - 1) if count > 1 else 0.0
    weight = 1.0 - rules.smooth_alpha - each_other
    scale = constant(rules.grad_scale, grad)

    def run() -> None:
        np.copyto(classes, given, "unsafe")
        mark()
        if weight != 1.0:
            np.subtract(shares, each_other, out=grad)
            np.subtract(grad, is_right * grad.dtype.type(weight), out=grad)
        else:
            np.subtract(shares, is_right, out=grad)
        if rules.use_ignore:
            np.multiply(grad, classes != rules.ignore_label, out=grad)
        if rules.grad_scale != 1.0:
            np.multiply(grad, scale, out=grad)

    return run


def _mark_right(classes: Array, is_right: Array) -> Step:
    """Prepare 1 for each right class and 0 for any other; classes are (outer, 1, inner).

    Every class is compared with the label, since picking the right ones out takes ten times as long. Where they are to
    be fractions, each sample's row is copied off the identity matrix, in a third of that time.
    """
    count = is_right.shape[1]
    if is_right.dtype == np.bool_:
        return partial(np.equal, classes, np.arange(count)[:, None], out=is_right)
    table = np.eye(count + 1, count, dtype=is_right.dtype)
    rows = np.empty(classes.size, np.int64)
    unsigned = classes.reshape(-1).view(np.uint64)  # below 0 is then far above all classes
    to_last = partial(np.minimum, unsigned, np.array(count, np.uint64), out=rows.view(np.uint64))
    return in_order([to_last, partial(table.take, rows, 0, is_right[:, :, 0], "clip")])


def softmax_loss(scores: Array, label: Array, rules: SoftmaxRules) -> float:
    """Return grad_scale · Σ (log Σ eˣ − Σ target · x), whose derivative that gradient is."""
    classes, count = whole(label), scores.shape[1]
    each_other = rules.smooth_alpha / (count - 1) if rules.smooth_alpha else 0.0
    target = np.full_like(scores, each_other)
    outer, inner = np.nonzero((classes >= 0) & (classes < count))
    target[outer, classes[outer, inner], inner] = 1.0 - rules.smooth_alpha
    counts = classes != rules.ignore_label if rules.use_ignore else np.ones_like(classes)
    return rules.grad_scale * float(np.sum(counts * cross_entropies(scores, target)))


def cross_entropies(scores: Array, target: Array) -> Array:
    """Return log Σ eˣ − Σ target · x along axis 1."""
    most = scores.max(axis=1, keepdims=True)
    logarithms = np.log(np.exp(scores - most).sum(axis=1)) + most[:, 0]
    return np.asarray(logarithms - (target * scores).sum(axis=1))


def normalizer(label: Array, places: int, rules: SoftmaxRules) -> float:
    """Return what the gradient is divided by: labels that count, all labels, or the places per sample.

    `places` is 1 except for multi_output.
    """
    if rules.normalization == "valid":
        return max(1, int(np.count_nonzero(whole(label) != rules.ignore_label)))
    return label.size if rules.normalization == "batch" else places


def whole(label: Array) -> Array:
    """Cut labels to whole numbers, as MXNet does."""
    return np.trunc(label).astype(np.int64)


def hinge_gradient(data: Array, label: Array, grad: Array, margin: float, linear: bool) -> None:
    """Write the gradient of the (squared) hinge loss; data (N, classes), label (N,).

    The right class gets −h(margin − x), each other h(margin + x), with h(v) = 2 · max(0, v), or 1 where v > 0.
    """
    is_right = (
        np.arange(data.shape[1]) == whole(label)[:, None]
    )  # a label outside the classes makes none right
    sides = np.where(is_right, -1, 1).astype(data.dtype)
    missing = margin + sides * data
    slope = (missing > 0).astype(data.dtype) if linear else 2 * np.maximum(missing, 0)
    np.multiply(sides, slope, out=grad)


def hinge_loss(data: Array, label: Array, margin: float, linear: bool) -> float:
    """Return the sum of the (squared) hinges, whose derivative that gradient is."""
    sides = np.ones_like(data)
    sides[np.arange(data.shape[0]), whole(label)] = -1
    missing = np.maximum(margin + sides * data, 0)
    return float(np.sum(missing if linear else np.square(missing)))
