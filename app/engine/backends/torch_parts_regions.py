"""Regions of images and windows that are moved, in PyTorch, which lacks them: the backend and programs call them.

A row of rois is (number of the image, x1, y1, x2, y2).
"""

# The exported text stands alone and is meant for reading: no annotations, and settings as plain arguments.
# ruff: noqa: ANN001, ANN002, ANN201, N812, PLR0913, PLR0917
# mypy: ignore-errors

import torch
import torch.nn.functional as F


def rounded(x):
    """Round to whole numbers, halves away from zero."""
    return torch.copysign((x.abs() + 0.5).floor(), x)


def averaged_pixels(first, last, count, size, scale):
    """Cut an axis of a region into cells of whole pixels. Returns (count, size): what each pixel counts in each."""
    start, end = rounded(first) * scale, (rounded(last) + 1) * scale
    step = (end - start).clamp(min=0.1) / count
    bounds = torch.arange(count + 1, device=step.device) * step + start
    pixels = torch.arange(size, device=step.device)
    begins, ends = bounds[:-1, None].floor().clamp(0, size), bounds[1:, None].ceil().clamp(0, size)
    seen = ((pixels >= begins) & (pixels < ends)).to(step.dtype)
    return seen / seen.sum(dim=1, keepdim=True).clamp(min=1)


def averaged_points(first, last, count, size, scale, ratio, aligned):
    """Cut an axis of a region into cells with `ratio` points each, or about one per pixel; a point mixes two pixels.

    Returns (count, size): what each pixel counts in each cell.
    """
    shift = 0.5 if aligned else 0
    start, end = first * scale - shift, last * scale - shift
    step = (end - start if aligned else (end - start).clamp(min=1)) / count
    samples = ratio if ratio > 0 else max(int(step.ceil()), 0)
    if not samples:
        return torch.zeros((count, size), dtype=step.dtype, device=step.device)
    inside = (torch.arange(samples, device=step.device) + 0.5) * step / samples
    points = torch.arange(count, device=step.device)[:, None] * step + start + inside
    apart = (points.clamp(0, size - 1)[:, :, None] - torch.arange(size, device=step.device)).abs()
    counts = (points >= -1) & (points <= size)
    return ((1 - apart).clamp(min=0) * counts[:, :, None]).mean(dim=1)


def average_regions(x, rois, grid, groups, channels, cut, *settings):
    """Return the mean of every cell of every region; with groups each cell reads channels of its own."""
    rows, columns = torch.arange(grid[0], device=x.device)[:, None], torch.arange(grid[1], device=x.device)
    at = torch.arange(channels, device=x.device)[:, None, None]
    if groups is not None:
        down, across = groups
        at = at * down * across + rows * down // grid[0] * across + columns * across // grid[1]
    empty, found = x[:0].sum() + torch.zeros((channels, *grid), dtype=x.dtype, device=x.device), []
    for image, x1, y1, x2, y2 in rois.detach():
        if -1 < image < len(x):
            down = cut(y1, y2, grid[0], x.shape[2], *settings).to(x.dtype)
            across = cut(x1, x2, grid[1], x.shape[3], *settings).to(x.dtype)
            found.append((down @ x[int(image)] @ across.T)[at, rows, columns])
        else:
            found.append(empty)
    return torch.stack(found)


def largest_in_regions(x, rois, grid, scale):
    """Return the maximum of every cell of every region, 0 in an empty cell."""
    found = []
    for image, *corners in rois.detach():
        x1, y1, x2, y2 = (int(rounded(corner * scale)) for corner in corners)
        for row in range(grid[0]):
            top, bottom = cell_bounds(y1, y2, row, grid[0], x.shape[2])
            for column in range(grid[1]):
                left, right = cell_bounds(x1, x2, column, grid[1], x.shape[3])
                part = x[int(image), :, top:bottom, left:right].flatten(1)
                best = part.argmax(dim=1, keepdim=True) if part.shape[1] else None
                found.append(part.sum(dim=1) if best is None else part.gather(1, best)[:, 0])
    return torch.stack(found).reshape(len(rois), *grid, x.shape[1]).permute(0, 3, 1, 2)


def cell_bounds(first, last, cell, count, size):
    """Return the first pixel of a cell, and the one behind its last."""
    length = torch.tensor(max(last - first + 1, 1) / count, dtype=torch.float32)
    bounds = (int((cell * length).floor()) + first, int(((cell + 1) * length).ceil()) + first)
    return tuple(min(max(bound, 0), size) for bound in bounds)


def neighbours(at, size, fades):
    """Return along one axis the pixels before and behind each place: which, and what it weighs."""
    low = at.detach().floor()
    share, low = at - low, low.long()
    if fades:  # what lies outside counts as zero
        return [
            (low.clamp(min=0), (1 - share) * (low >= 0)),
            ((low + 1).clamp(max=size - 1), share * (low + 1 < size)),
        ]
    share = torch.where(low >= size - 1, 0 * share, share)
    return [(low, 1 - share), ((low + 1).clamp(max=size - 1), share)]


def moved_windows(x, offset, kernel, stride, pad, dilate, parts, fades):
    """Return what every place of every window sees: (batch, parts, channels of a part, places, rows, columns)."""
    batch, channels, height, width = x.shape
    rows, columns = offset.shape[2:]
    moved = offset.reshape(batch, parts, -1, 2, rows, columns)
    place = torch.arange(kernel[0] * kernel[1], device=x.device).reshape(-1, 1, 1)
    down = torch.arange(rows, device=x.device)[:, None] * stride[0] - pad[0] + place // kernel[1] * dilate[0]
    across = torch.arange(columns, device=x.device) * stride[1] - pad[1] + place % kernel[1] * dilate[1]
    places = [(moved[:, :, :, 0] + down, height), (moved[:, :, :, 1] + across, width)]
    inside = torch.ones_like(places[0][0], dtype=torch.bool)
    for at, size in places:
        inside = inside & (at > -1 if fades else at >= 0) & (at < size)
    sides = [neighbours(torch.where(inside, at, 0 * at), size, fades) for at, size in places]
    pixels, seen = x.reshape(batch, parts, channels // parts, height * width), 0
    for row, high in sides[0]:
        for column, wide in sides[1]:
            pixel = (row * width + column).reshape(batch, parts, 1, -1).expand(-1, -1, channels // parts, -1)
            found = pixels.gather(3, pixel).reshape(batch, parts, -1, *inside.shape[2:])
            seen = seen + found * (high * wide * inside)[:, :, None]
    return seen


def deformable_convolution(
    x, offset, mask, weight, bias, stride=(1, 1), pad=(0, 0), dilate=(1, 1), groups=1, parts=1, fades=False
):
    """Slide filters over an image whose windows look where the offsets move them, as much as the mask says."""
    columns = moved_windows(x, offset, weight.shape[2:], stride, pad, dilate, parts, fades)
    if mask is not None:
        columns = columns * mask.reshape(len(x), parts, 1, -1, *mask.shape[2:])
    columns = columns.reshape(len(x), groups, -1, offset.shape[2] * offset.shape[3])
    y = weight.reshape(groups, len(weight) // groups, -1) @ columns
    y = y.reshape(len(x), len(weight), *offset.shape[2:])
    return y if bias is None else y + bias.reshape(-1, 1, 1)


def sample(x, grid):
    """Read an image at the places of a grid (batch, 2, rows, columns), from -1 to 1, across first."""
    return F.grid_sample(x, grid.movedim(1, -1), align_corners=True)


def plain_grid(height, width, like):
    """Return x, y and 1 of every pixel in reading order; a single pixel has no place, as in MXNet."""
    across, down = (
        torch.linspace(-1, 1, size, dtype=like.dtype, device=like.device)
        if size > 1
        else like.new_full((1,), torch.nan)
        for size in (width, height)
    )
    return torch.stack([across.repeat(height), down.repeat_interleave(width), like.new_ones(height * width)])
