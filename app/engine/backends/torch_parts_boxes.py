"""Boxes in images, in PyTorch: exported programs and the backend call them. A box is (left, top, right, bottom)."""

# The exported text stands alone and is meant for reading: no annotations, and settings as plain arguments.
# ruff: noqa: ANN001, ANN201, B905, PLR0913, PLR0917
# mypy: ignore-errors

import torch


def overlaps(one, others):
    """Return what boxes share over what they cover together."""
    low, high = torch.maximum(one[..., :2], others[..., :2]), torch.minimum(one[..., 2:], others[..., 2:])
    common = (high - low).clamp(min=0).prod(dim=-1)
    sizes = [(boxes[..., 2:] - boxes[..., :2]).clamp(min=0).prod(dim=-1) for boxes in (one, others)]
    union = sizes[0] + sizes[1] - common
    return torch.where(union > 0, common / torch.where(union > 0, union, 1), 0)


def left_boxes(boxes, classes, threshold, inclusive=False):
    """Return which boxes, best first, are left when each hides the weaker ones of its class that it overlaps."""
    left = torch.ones(len(boxes), dtype=torch.bool, device=boxes.device)
    places = torch.arange(len(boxes), device=boxes.device)
    for number in range(len(boxes)):
        if left[number]:
            shared = overlaps(boxes[number], boxes)
            hidden = (shared >= threshold if inclusive else shared > threshold) & (classes == classes[number])
            left = left & (~hidden | (places <= number))
    return left


def to_corners(boxes):
    """Turn (middle x, middle y, width, height) into corners."""
    middle, size = boxes[..., :2], boxes[..., 2:]
    return torch.cat([middle - size / 2, middle + size / 2], dim=-1)


def to_centres(boxes):
    """Turn corners into (middle x, middle y, width, height)."""
    low, high = boxes[..., :2], boxes[..., 2:]
    return torch.cat([(low + high) / 2, high - low], dim=-1)


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

    A row's box begins at `first`, its class stands at `named`. Gradients pass as if no box was turned, as in MXNet.
    """
    box, found = slice(first, first + 4), []
    for rows in x.reshape(-1, *x.shape[-2:]):
        given = rows.detach()
        classes = torch.zeros_like(given[:, 0]) if named is None else given[:, named]
        shown = given[:, score] > valid
        if named is not None:
            shown = shown & (classes != background)
        order = shown.nonzero()[:, 0]
        order = order[torch.argsort(-given[order, score], stable=True)][:most]
        boxes = given[order, box] if turn_in is None else turn_in(given[order, box])
        order = order[left_boxes(boxes, classes[order] * (not forced), overlap)]
        change = torch.zeros_like(given[order])
        if turn_out is not None:
            boxes = given[order, box]
            change[:, box] = torch.where(boxes[:, :1] < 0, 0, turn_out(boxes) - boxes)
        found += [rows[order] + change, torch.full_like(given[len(order) :], -1)]
    return torch.cat(found).reshape(x.shape)


def anchor_boxes(height, width, shapes, steps, offsets, clip, dtype):
    """Return boxes of some half widths and heights around the middle of every cell, as (1, boxes, 4)."""
    down = (torch.arange(height, dtype=torch.float64) + offsets[0]) * steps[0]
    across = (torch.arange(width, dtype=torch.float64) + offsets[1]) * steps[1]
    middle = torch.stack(torch.broadcast_tensors(across, down[:, None]), dim=-1)[:, :, None]
    half = torch.tensor(shapes, dtype=torch.float64)
    boxes = torch.cat([middle - half, middle + half], dim=-1).reshape(1, -1, 4)
    return (boxes.clamp(0, 1) if clip else boxes).to(dtype)


def detections(chances, shifts, anchors, variances, clip, threshold, overlap, most, forced):
    """Turn chances and predicted shifts per anchor into rows of class, chance and box, best first.

    The class of a row that is none, or a weaker double, is -1.
    """
    found, (low, high) = [], anchors.detach()[0].split(2, dim=1)
    scales = torch.tensor(variances, dtype=shifts.dtype, device=shifts.device)
    for shares, moves in zip(chances.detach(), shifts.detach().reshape(len(shifts), -1, 4) * scales):
        middle = moves[:, :2] * (high - low) + (low + high) / 2
        half = torch.exp(moves[:, 2:]) * (high - low) / 2
        boxes = torch.cat([middle - half, middle + half], dim=1)
        most_likely, classes = shares[1:].amax(dim=0), shares[1:].argmax(dim=0)
        rows = torch.cat(
            [classes[:, None], most_likely[:, None], boxes.clamp(0, 1) if clip else boxes], dim=1
        )
        rows = rows[most_likely >= threshold]
        if overlap is not None:
            best = rows[torch.argsort(-rows[:, 1], stable=True)][:most]
            left = left_boxes(best[:, 2:], best[:, 0] * (not forced), overlap, inclusive=True)
            rows[: len(best)] = best
            rows[: len(best), 0] = torch.where(left, best[:, 0], -1)
            rows[len(best) :, 0] = -1
        found += [rows, torch.full_like(boxes[len(rows) :, :1].expand(-1, 6), -1)]
    return torch.cat(found).reshape(len(chances), -1, 6)
