"""Regions of images and windows that are moved, as plain numpy functions: their text is copied into a program.

A row of rois is (number of the image, x1, y1, x2, y2).
"""

# The exported text stands alone and is meant for reading: no annotations, and settings as plain arguments.
# ruff: noqa: ANN001, ANN002, ANN201, B905, PLR0913, PLR0917
# mypy: ignore-errors

import numpy as np


def rounded(x):
    """Round to whole numbers, halves away from zero."""
    return np.copysign(np.floor(abs(x) + 0.5), x)


def averaged_pixels(first, last, count, size, scale):
    """Cut an axis of a region into cells of whole pixels. Returns (count, size): what each pixel counts in each."""
    start, end = rounded(first) * scale, (rounded(last) + 1) * scale
    step = np.maximum(end - start, 0.1) / count
    bounds = np.arange(count + 1).astype(step.dtype) * step + start
    begins, ends = np.floor(bounds[:-1, None]).clip(0, size), np.ceil(bounds[1:, None]).clip(0, size)
    seen = (np.arange(size) >= begins) & (np.arange(size) < ends)
    return (seen / np.maximum(seen.sum(axis=1, keepdims=True), 1)).astype(step.dtype)


def averaged_points(first, last, count, size, scale, ratio, aligned):
    """Cut an axis of a region into cells with `ratio` points each, or about one per pixel; a point mixes two pixels.

    Returns (count, size): what each pixel counts in each cell.
    """
    shift = 0.5 if aligned else 0
    start, end = first * scale - shift, last * scale - shift
    step = (end - start if aligned else np.maximum(end - start, 1)) / count
    samples = ratio if ratio > 0 else max(int(np.ceil(step)), 0)
    if not samples:
        return np.zeros((count, size), step.dtype)
    inside = (np.arange(samples).astype(step.dtype) + 0.5) * step / samples
    points = np.arange(count).astype(step.dtype)[:, None] * step + start + inside
    apart = abs(points.clip(0, size - 1)[:, :, None] - np.arange(size).astype(step.dtype))
    counts = (points >= -1) & (points <= size)
    return (np.maximum(1 - apart, 0) * counts[:, :, None]).mean(axis=1)


def cut_regions(rois, images, grid, cut, *settings):
    """Return for every region on an image its number, its image, and its cells down and across as matrices."""
    rois = rois.astype(np.result_type(rois.dtype, np.float32))
    return [
        (
            number,
            int(image),
            cut(y1, y2, grid[0], images[2], *settings),
            cut(x1, x2, grid[1], images[3], *settings),
        )
        for number, (image, x1, y1, x2, y2) in enumerate(rois)
        if -1 < image < images[0]
    ]


def cell_channels(channels, grid, groups):
    """Return which channel every cell reads, as an index into (channels, rows, columns); without groups its own."""
    rows, columns = np.arange(grid[0])[:, None], np.arange(grid[1])
    at = np.arange(channels)[:, None, None]
    if groups is not None:
        down, across = groups
        at = at * down * across + rows * down // grid[0] * across + columns * across // grid[1]
    return at, rows, columns


def average_regions(x, cells, shape, groups=None):
    """Return the mean of every cell of every region."""
    y = np.zeros(shape, x.dtype)
    chosen = cell_channels(shape[1], shape[2:], groups)
    for number, image, down, across in cells:
        y[number] = (down @ x[image] @ across.T)[chosen]
    return y


def average_regions_gradient(d_y, cells, shape, groups=None):
    """Give every pixel its share of all cells that see it."""
    d_x = np.zeros(shape, d_y.dtype)
    chosen = cell_channels(d_y.shape[1], d_y.shape[2:], groups)
    for number, image, down, across in cells:
        spread = np.zeros((shape[1], *d_y.shape[2:]), d_y.dtype)
        spread[chosen] = d_y[number]
        d_x[image] += down.T @ spread @ across
    return d_x


def largest_in_regions(x, rois, grid, scale):
    """Return the maximum of every cell of every region, and the pixel that it stands at, -1 in an empty cell."""
    rows, columns = grid
    height, width = x.shape[2:]
    y = np.zeros((len(rois), x.shape[1], rows, columns), x.dtype)
    winner = np.full(y.shape, -1)
    for number, roi in enumerate(rois):
        x1, y1, x2, y2 = rounded(roi[1:] * scale).astype(int)
        for row, column in np.ndindex(rows, columns):
            top, bottom = cell_bounds(y1, y2, row, rows, height)
            left, right = cell_bounds(x1, x2, column, columns, width)
            if top < bottom and left < right:
                part = x[int(roi[0]), :, top:bottom, left:right].reshape(x.shape[1], -1)
                best = part.argmax(axis=1)
                y[number, :, row, column] = part.max(axis=1)
                winner[number, :, row, column] = (
                    (top + best // (right - left)) * width + left + best % (right - left)
                )
    return y, winner


def cell_bounds(first, last, cell, count, size):
    """Return the first pixel of a cell, and the one behind its last."""
    length = np.float32(max(last - first + 1, 1) / count)
    begin, end = np.floor(np.float32(cell) * length) + first, np.ceil(np.float32(cell + 1) * length) + first
    return int(np.clip(begin, 0, size)), int(np.clip(end, 0, size))


def largest_in_regions_gradient(d_y, winner, rois, shape):
    """Give the gradient of every cell to the pixel that won it."""
    d_x = np.zeros((*shape[:2], shape[2] * shape[3]), d_y.dtype)
    channels = np.arange(shape[1])[:, None]
    for number, roi in enumerate(rois):
        where = winner[number].reshape(shape[1], -1)
        share = np.where(where >= 0, d_y[number].reshape(shape[1], -1), 0)
        np.add.at(d_x[int(roi[0])], (channels, np.maximum(where, 0)), share)
    return d_x.reshape(shape)


def window_places(offset, kernel, stride, pad, dilate, parts):
    """Return where the places of all windows look, down and across: (batch, parts, places, rows, columns) each."""
    rows, columns = offset.shape[2:]
    moved = offset.reshape(len(offset), parts, -1, 2, rows, columns)
    places = np.indices(kernel).reshape(2, -1, 1, 1)
    down = np.arange(rows)[:, None] * stride[0] - pad[0] + places[0] * dilate[0]
    across = np.arange(columns) * stride[1] - pad[1] + places[1] * dilate[1]
    return moved[:, :, :, 0] + down.astype(offset.dtype), moved[:, :, :, 1] + across.astype(offset.dtype)


def neighbours(at, size, fades):
    """Return along one axis the pixels before and behind each place: which, what it weighs, and the slope of that."""
    share, low = at - np.floor(at), np.floor(at).astype(int)
    if fades:  # what lies outside counts as zero
        before, behind = (low >= 0).astype(at.dtype), (low + 1 < size).astype(at.dtype)
        return [
            (np.maximum(low, 0), (1 - share) * before, -before),
            (np.minimum(low + 1, size - 1), share * behind, behind),
        ]
    share = share * (low < size - 1)
    return [(low, 1 - share, -1), (np.minimum(low + 1, size - 1), share, 1)]


def window_corners(places, sizes, fades):
    """Return the four pixels around each place: which, its weight, and how that changes down and across."""
    inside = np.logical_and.reduce(
        [(at > -1 if fades else at >= 0) & (at < size) for at, size in zip(places, sizes)]
    )
    down, across = (neighbours(np.where(inside, at, 0), size, fades) for at, size in zip(places, sizes))
    return [
        (row * sizes[1] + column, high * wide * inside, by_y * wide * inside, high * by_x * inside)
        for row, high, by_y in down
        for column, wide, by_x in across
    ]


def look_up(x, pixel):
    """Return the pixels of each part of x: (batch, parts, channels of a part, *places)."""
    batch, parts = pixel.shape[:2]
    seen = np.take_along_axis(
        x.reshape(batch, parts, -1, x.shape[2] * x.shape[3]), pixel.reshape(batch, parts, 1, -1), 3
    )
    return seen.reshape(*seen.shape[:3], *pixel.shape[2:])


def moved_windows(x, corners):
    """Return what every place of every window sees: (batch, parts, channels of a part, places, rows, columns)."""
    return sum(look_up(x, pixel) * weight[:, :, None] for pixel, weight, _, _ in corners)


def deformable_convolution(
    x, offset, mask, weight, bias, stride=(1, 1), pad=(0, 0), dilate=(1, 1), groups=1, parts=1, fades=False
):
    """Slide filters over an image whose windows look where the offsets move them, as much as the mask says."""
    places = window_places(offset, weight.shape[2:], stride, pad, dilate, parts)
    columns = moved_windows(x, window_corners(places, x.shape[2:], fades))
    if mask is not None:
        columns = columns * mask.reshape(len(x), parts, 1, -1, *mask.shape[2:])
    columns = columns.reshape(len(x), groups, -1, offset.shape[2] * offset.shape[3])
    y = weight.reshape(groups, len(weight) // groups, -1) @ columns
    y = y.reshape(len(x), len(weight), *offset.shape[2:])
    return y if bias is None else y + bias.reshape(-1, 1, 1)


def deformable_convolution_gradient(
    d_y, x, offset, mask, weight, stride=(1, 1), pad=(0, 0), dilate=(1, 1), groups=1, parts=1, fades=False
):
    """Return the gradients of x, offset, mask and weight."""
    places = window_places(offset, weight.shape[2:], stride, pad, dilate, parts)
    corners = window_corners(places, x.shape[2:], fades)
    seen = moved_windows(x, corners)
    shown = 1 if mask is None else mask.reshape(len(x), parts, 1, -1, *mask.shape[2:])
    d_y = d_y.reshape(len(x), groups, len(weight) // groups, -1)
    columns = (seen * shown).reshape(len(x), groups, -1, d_y.shape[3])
    d_weight = (d_y @ columns.swapaxes(2, 3)).sum(axis=0).reshape(weight.shape)
    back = (weight.reshape(groups, len(weight) // groups, -1).swapaxes(1, 2) @ d_y).reshape(seen.shape)
    d_mask = None if mask is None else (back * seen).sum(axis=2).reshape(mask.shape)
    d_x, d_places = moved_windows_gradient(back * shown, x, corners)
    return d_x, np.stack(d_places, axis=3).reshape(offset.shape), d_mask, d_weight


def moved_windows_gradient(back, x, corners):
    """Return the gradients of x and of the places, down and across, from that of what the windows see."""
    d_x, d_places = np.zeros((*back.shape[:3], x.shape[2] * x.shape[3]), x.dtype), [0, 0]
    sample, part, channel = (
        np.arange(size).reshape(-1, *[1] * (5 - axis)) for axis, size in enumerate(back.shape[:3])
    )
    for pixel, weight, by_y, by_x in corners:
        np.add.at(d_x, (sample, part, channel, pixel[:, :, None]), back * weight[:, :, None])
        along = (back * look_up(x, pixel)).sum(axis=2)
        d_places = [d_places[0] + along * by_y, d_places[1] + along * by_x]
    return d_x.reshape(x.shape), d_places


def grid_corners(grid, sizes):
    """Return the four pixels around each place of a grid (batch, 2, rows, columns), from -1 to 1, across first."""
    places = [(grid[:, axis, None, None] + 1) * ((size - 1) / 2) for axis, size in zip((1, 0), sizes)]
    return window_corners(places, sizes, True)


def sample(x, grid):
    """Read an image at the places of a grid."""
    return moved_windows(x, grid_corners(grid, x.shape[2:])).reshape(*x.shape[:2], *grid.shape[2:])


def sample_gradient(d_y, x, grid):
    """Return the gradients of an image and of the grid."""
    d_x, (down, across) = moved_windows_gradient(d_y[:, None, :, None], x, grid_corners(grid, x.shape[2:]))
    halves = [(size - 1) / 2 for size in x.shape[2:]]
    return d_x, np.concatenate([across * halves[1], down * halves[0]], axis=1).reshape(grid.shape)


def plain_grid(height, width, dtype):
    """Return x, y and 1 of every pixel in reading order; a single pixel has no place, as in MXNet."""
    across, down = (np.linspace(-1, 1, size) if size > 1 else [np.nan] for size in (width, height))
    return np.array([np.tile(across, height), np.repeat(down, width), np.ones(height * width)], dtype)
