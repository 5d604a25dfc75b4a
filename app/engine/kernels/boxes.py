"""Boxes in images: overlaps, suppression of doubles, matching with labels, and the anchors that predictions start from.

A box is (left, top, right, bottom). All loops over boxes are over the few that are still in the race.
"""

import attrs
import numpy as np

from app.engine.kernels.windows import Array


def overlaps(one: Array, others: Array, border: float = 0.0) -> Array:
    """Return intersection over union of boxes (..., 4) with boxes (..., 4), broadcast; pixels count with border 1."""
    low = np.maximum(one[..., :2], others[..., :2])
    high = np.minimum(one[..., 2:4], others[..., 2:4])
    common = np.prod(np.maximum(high - low + border, 0), axis=-1)
    sizes = [
        np.prod(np.maximum(boxes[..., 2:4] - boxes[..., :2] + border, 0), axis=-1) for boxes in (one, others)
    ]
    union = sizes[0] + sizes[1] - common
    return np.asarray(np.where(union > 0, common / np.where(union > 0, union, 1), 0))


def prior_boxes(
    sizes: tuple[int, int], shapes: list[tuple[float, float]], steps: Array, offsets: Array
) -> Array:
    """Return boxes (height, width, number, 4) around the middle of every cell; shapes are half widths and heights."""
    height, width = sizes
    down = (np.arange(height) + offsets[0]) * steps[0]
    across = (np.arange(width) + offsets[1]) * steps[1]
    middle = np.stack(np.broadcast_arrays(across[None, :], down[:, None]), axis=-1)[:, :, None, :]
    half = np.array(shapes)
    return np.concatenate([middle - half, middle + half], axis=-1)


@attrs.frozen
class Matching:
    """How labels are given to anchors: MXNet's MultiBoxTarget."""

    threshold: float
    mining_ratio: float
    mining_threshold: float
    variances: tuple[float, ...]


def match(anchors: Array, label: Array, scores: Array, rules: Matching) -> tuple[Array, Array]:
    """Return for every anchor 1 (has a label), 0 (background) or -1 (does not count), and the number of its label.

    Every label first gets the anchor that overlaps it most; then anchors take labels that they overlap enough.
    """
    shared = overlaps(anchors[:, None], label[None, :, 1:5])
    state = np.full(len(anchors), -1)
    chosen = np.full(len(anchors), -1)
    open_pairs = shared.copy()
    for _ in range(label.shape[0]):
        anchor, number = np.unravel_index(open_pairs.argmax(), open_pairs.shape)
        if open_pairs[anchor, number] <= 1e-6:
            break
        state[anchor], chosen[anchor] = 1, number
        open_pairs[anchor], open_pairs[:, number] = -1, -1
    best, most = shared.argmax(axis=1), shared.max(axis=1)
    if rules.threshold > 0:
        enough = (state != 1) & (most > rules.threshold)
        chosen = np.where(state == 1, chosen, best)
        state[enough] = 1
    if rules.mining_ratio > 0:
        state[_hard_negatives(state, most, scores, rules)] = 0
    else:
        state[state != 1] = 0
    return state, chosen


def _hard_negatives(state: Array, most: Array, scores: Array, rules: Matching) -> Array:
    """Return the anchors without a label that are least sure to be background."""
    positives = int(np.count_nonzero(state == 1))
    wanted = min(int(positives * rules.mining_ratio), len(state) - positives)
    candidates = np.flatnonzero((state == -1) & (most < rules.mining_threshold))
    powers = np.exp(scores - scores.max(axis=0))
    background = (powers[0] / powers.sum(axis=0))[candidates]
    return np.asarray(candidates[np.argsort(background, kind="stable")[:wanted]])


def encode(anchors: Array, boxes: Array, variances: tuple[float, ...]) -> Array:
    """Return how boxes differ from their anchors, over the variances."""
    return np.asarray(differences(anchors, boxes) / np.array(variances))


def differences(anchors: Array, boxes: Array) -> Array:
    """Return how boxes differ from their anchors: shift over size, and logarithm of growth."""
    (middle, size), (to_middle, to_size) = middle_and_size(anchors), middle_and_size(boxes)
    return np.concatenate([(to_middle - middle) / size, np.log(to_size / size)], axis=-1)


def decode(anchors: Array, shifts: Array, variances: tuple[float, ...]) -> Array:
    """Return the boxes that differ from their anchors as predicted."""
    return decode_around(*middle_and_size(anchors), shifts * np.array(variances, shifts.dtype))


def decode_around(middle: Array, size: Array, shifts: Array, most: np.float32 | None = None) -> Array:
    """Return the boxes that differ from a middle and size as told; `most` bounds the logarithm of growth."""
    growth = shifts[..., 2:]
    if most is not None:
        growth = np.where(growth < most.astype(growth.dtype), growth, most.astype(growth.dtype))
    moved, half = shifts[..., :2] * size + middle, np.exp(growth) * size / 2
    return np.concatenate([moved - half, moved + half], axis=-1)


def middle_and_size(boxes: Array) -> tuple[Array, Array]:
    """Return (middle x, middle y) and (width, height) of boxes."""
    low, high = boxes[..., :2], boxes[..., 2:4]
    return (low + high) / 2, high - low


@attrs.frozen
class Pairing:
    """What a score must be better than (above, or below where the smallest is best), and how many pairs are made."""

    threshold: float
    ascending: bool = False
    most: int | None = None


def pair(scores: Array, rows: Array, columns: Array, rules: Pairing) -> None:
    """Write the column of each row and the row of each column, the best score first; −1 where there is none."""
    rows.fill(-1)
    columns.fill(-1)
    order = np.argsort(scores if rules.ascending else -scores, axis=None, kind="stable")
    bound, given = np.float32(rules.threshold), scores.reshape(-1)[order]
    row, column = np.divmod(order[given < bound if rules.ascending else given > bound], scores.shape[1])
    made = 0
    while len(row) and made != rules.most:
        rows[row[0]], columns[column[0]] = column[0], row[0]
        free = (row != row[0]) & (column != column[0])
        row, column, made = row[free], column[free], made + 1


@attrs.frozen
class Suppression:
    """When one box hides another: they overlap by more than the threshold and, unless forced, name one class.

    `inclusive` hides at the threshold itself; `border` is 1 where boxes are counted in whole pixels.
    """

    threshold: float
    forced: bool = True
    inclusive: bool = False
    border: float = 0.0


def suppress(boxes: Array, classes: Array, rules: Suppression) -> Array:
    """Return which boxes, best first, are left when each hides its weaker doubles."""
    kept = np.ones(len(boxes), np.bool_)
    for number in range(len(boxes)):
        if not kept[number]:
            continue
        rest = slice(number + 1, None)
        shared = overlaps(boxes[number], boxes[rest], rules.border)
        hidden = shared >= rules.threshold if rules.inclusive else shared > rules.threshold
        if not rules.forced:
            hidden &= classes[rest] == classes[number]
        kept[rest] &= ~hidden
    return kept


def to_corners(boxes: Array) -> Array:
    """Turn (middle x, middle y, width, height) into corners."""
    half = boxes[..., 2:4] / 2
    return np.concatenate([boxes[..., :2] - half, boxes[..., :2] + half], axis=-1)


def to_centres(boxes: Array) -> Array:
    """Turn corners into (middle x, middle y, width, height)."""
    return np.concatenate(middle_and_size(boxes), axis=-1)
