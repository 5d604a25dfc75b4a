"""Boxes in images as plain numpy functions: their text is copied into an exported program that calls them.

A box is (left, top, right, bottom).
"""

# The exported text stands alone and is meant for reading: no annotations, and settings as plain arguments.
# ruff: noqa: ANN001, ANN201, B905, PLR0913, PLR0917
# mypy: ignore-errors

import numpy as np


def overlaps(one, others):
    """Return what boxes share over what they cover together."""
    low, high = np.maximum(one[..., :2], others[..., :2]), np.minimum(one[..., 2:], others[..., 2:])
    common = np.maximum(high - low, 0).prod(axis=-1)
    sizes = [np.maximum(boxes[..., 2:] - boxes[..., :2], 0).prod(axis=-1) for boxes in (one, others)]
    union = sizes[0] + sizes[1] - common
    return np.where(union > 0, common / np.where(union > 0, union, 1), 0)


def left_boxes(boxes, classes, threshold, inclusive=False):
    """Return which boxes, best first, are left when each hides the weaker ones of its class that it overlaps."""
    left = np.ones(len(boxes), bool)
    for number in range(len(boxes)):
        if left[number]:
            shared = overlaps(boxes[number], boxes)
            hidden = (shared >= threshold if inclusive else shared > threshold) & (classes == classes[number])
            left &= ~hidden | (np.arange(len(boxes)) <= number)
    return left


def to_corners(boxes):
    """Turn (middle x, middle y, width, height) into corners."""
    middle, size = boxes[..., :2], boxes[..., 2:]
    return np.concatenate([middle - size / 2, middle + size / 2], axis=-1)


def to_centres(boxes):
    """Turn corners into (middle x, middle y, width, height)."""
    low, high = boxes[..., :2], boxes[..., 2:]
    return np.concatenate([(low + high) / 2, high - low], axis=-1)


def without_doubles(
    x,
    overlap,
    valid,
    most,
    first,
    score,
    named=None,
    background=-1,
    forced=False,
    turn_in=None,
    turn_out=None,
):
    """Sort the rows of every sample by score and leave out weaker doubles; the rest becomes -1.

    A row's box begins at `first`, its class stands at `named`. Returns the rows, and which row each was.
    """
    samples = x.reshape(-1, *x.shape[-2:])
    y, source = np.full_like(samples, -1), np.full(samples.shape[:2], -1)
    box = slice(first, first + 4)
    for rows, kept, numbers in zip(samples, y, source):
        classes = np.zeros(len(rows)) if named is None else rows[:, named]
        shown = (rows[:, score] > valid) & ((classes != background) | (named is None))
        order = np.flatnonzero(shown)
        order = order[np.argsort(-rows[order, score], kind="stable")][:most]
        boxes = rows[order, box] if turn_in is None else turn_in(rows[order, box])
        order = order[left_boxes(boxes, classes[order] * (not forced), overlap)]
        kept[: len(order)], numbers[: len(order)] = rows[order], order
        if turn_out is not None:
            turned = np.flatnonzero(~(rows[order, first] < 0))
            kept[turned, box] = turn_out(kept[turned, box])
    return y.reshape(x.shape), source.reshape(*x.shape[:-1], 1)


def without_doubles_gradient(d_y, source):
    """Give each row the gradient of the row that it became."""
    d_x = np.zeros_like(d_y).reshape(-1, *d_y.shape[-2:])
    for target, numbers, incoming in zip(d_x, source.reshape(d_x.shape[:2]), d_y.reshape(d_x.shape)):
        target[numbers[numbers >= 0]] = incoming[numbers >= 0]
    return d_x.reshape(d_y.shape)


def anchor_boxes(height, width, shapes, steps, offsets, clip):
    """Return boxes of some half widths and heights around the middle of every cell, as (1, boxes, 4)."""
    down, across = (np.arange(height) + offsets[0]) * steps[0], (np.arange(width) + offsets[1]) * steps[1]
    middle = np.stack(np.broadcast_arrays(across, down[:, None]), axis=-1)[:, :, None]
    boxes = np.concatenate([middle - np.array(shapes), middle + np.array(shapes)], axis=-1).reshape(1, -1, 4)
    return boxes.clip(0, 1) if clip else boxes


def detections(chances, shifts, anchors, variances, clip, threshold, overlap, most, forced):
    """Turn chances and predicted shifts per anchor into rows of class, chance and box, best first.

    The class of a row that is none, or a weaker double, is -1.
    """
    y = np.full((len(chances), anchors.shape[1], 6), -1.0, chances.dtype)
    low, high = anchors[0, :, :2], anchors[0, :, 2:]
    for shares, moves, rows in zip(chances, shifts.reshape(len(shifts), -1, 4) * np.array(variances), y):
        middle = moves[:, :2] * (high - low) + (low + high) / 2
        half = np.exp(moves[:, 2:]) * (high - low) / 2
        boxes = np.concatenate([middle - half, middle + half], axis=1)
        found = np.flatnonzero(shares[1:].max(axis=0) >= threshold)
        rows[: len(found), 0] = shares[1:].argmax(axis=0)[found]
        rows[: len(found), 1] = shares[1:].max(axis=0)[found]
        rows[: len(found), 2:] = boxes[found].clip(0, 1) if clip else boxes[found]
        if overlap is not None:
            best = rows[: len(found)][np.argsort(-rows[: len(found), 1], kind="stable")][:most]
            left = left_boxes(best[:, 2:], best[:, 0] * (not forced), overlap, inclusive=True)
            rows[: len(best)] = best
            rows[: len(best), 0] = np.where(left, best[:, 0], -1)
            rows[len(best) :, 0] = -1
    return y
