"""Bilinear sampling of images at given places, and the places that an affine map or a flow asks for.

Places are (batch, 2, height, width): x and y from -1 (first pixel) to 1 (last pixel).
"""

from collections.abc import Iterator

import attrs
import numpy as np

from app.engine.kernels.windows import Array


def pixels(grid: Array, height: int, width: int) -> Array:
    """Return places in pixels, as (batch, height, width, 2)."""
    half = np.array([(width - 1) / 2, (height - 1) / 2], grid.dtype)
    return np.asarray((np.moveaxis(grid, 1, -1) + 1) * half)


@attrs.frozen(eq=False)
class Corner:
    """One of the four pixels around every place: where it is, its weight, and how the weight changes with x and y."""

    y: Array
    x: Array
    inside: Array
    weight: Array
    by_x: Array
    by_y: Array


def corners(places: Array, height: int, width: int) -> Iterator[Corner]:
    """Yield the four pixels around each place; one outside the image counts as zero."""
    low = np.floor(places)
    part = places - low
    corner = low.astype(np.int64)
    for right in (0, 1):
        for below in (0, 1):
            x, y = corner[..., 0] + right, corner[..., 1] + below
            inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
            across = part[..., 0] if right else 1 - part[..., 0]
            down = part[..., 1] if below else 1 - part[..., 1]
            yield Corner(
                y=np.clip(y, 0, height - 1),
                x=np.clip(x, 0, width - 1),
                inside=inside,
                weight=across * down * inside,
                by_x=(1 if right else -1) * down * inside,
                by_y=(1 if below else -1) * across * inside,
            )


def sample(image: Array, places: Array, result: Array) -> None:
    """Write the image's values at `places` (in pixels) into result (batch, channels, height, width)."""
    height, width = image.shape[2:]
    batch = np.arange(image.shape[0])[:, None, None]
    seen = np.moveaxis(image, 1, -1)
    total = np.zeros(np.moveaxis(result, 1, -1).shape, result.dtype)
    for corner in corners(places, height, width):
        total += seen[batch, corner.y, corner.x] * corner.weight[..., None]
    np.copyto(result, np.moveaxis(total, -1, 1))


def sample_image_gradient(places: Array, head: Array, grad: Array) -> None:
    """Write the gradient of the image: every value's gradient goes to the four pixels around its place."""
    height, width = grad.shape[2:]
    batch = np.arange(grad.shape[0])[:, None, None]
    spread = np.moveaxis(head, 1, -1)
    target = np.moveaxis(grad, 1, -1)
    target[...] = 0
    for corner in corners(places, height, width):
        index = np.broadcast_arrays(batch, corner.y, corner.x)
        weight = np.where(corner.inside, corner.weight, 0)  # a place that is no number lies nowhere
        np.add.at(target, tuple(index), spread * weight[..., None])


def sample_grid_gradient(image: Array, places: Array, head: Array, grad: Array) -> None:
    """Write the gradient of the grid (batch, 2, height, width): how the sampled value changes with its place."""
    height, width = image.shape[2:]
    batch = np.arange(image.shape[0])[:, None, None]
    seen, spread = np.moveaxis(image, 1, -1), np.moveaxis(head, 1, -1)
    grad[...] = 0
    for corner in corners(places, height, width):
        along = (seen[batch, corner.y, corner.x] * spread).sum(axis=-1)
        grad[:, 0] += along * corner.by_x
        grad[:, 1] += along * corner.by_y
    grad[:, 0] *= (width - 1) / 2
    grad[:, 1] *= (height - 1) / 2


def plain_grid(height: int, width: int, out: Array) -> None:
    """Write x, y and 1 of every pixel of an image, in reading order, into (3, height · width)."""
    # MXNet steps by 2 / (size - 1), which leaves a single pixel without a place
    across = np.linspace(-1, 1, width) if width > 1 else np.full(1, np.nan)
    down = np.linspace(-1, 1, height) if height > 1 else np.full(1, np.nan)
    out[0] = np.tile(across, height)
    out[1] = np.repeat(down, width)
    out[2] = 1


def affine_grid(theta: Array, plain: Array, grid: Array) -> None:
    """Write the places that (batch, 6) affine maps send the plain grid to."""
    np.matmul(theta.reshape(-1, 2, 3), plain, out=grid.reshape(len(theta), 2, -1))


def affine_grid_gradient(head: Array, plain: Array, grad: Array) -> None:
    """Write the gradient of the affine maps."""
    np.matmul(head.reshape(len(head), 2, -1), plain.T, out=grad.reshape(-1, 2, 3))
