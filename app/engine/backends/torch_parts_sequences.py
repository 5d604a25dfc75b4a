"""More layers as MXNet means them, beside `torch_parts_layers.py`: norms, recurrent layers, sequences."""

# The exported text stands alone and is meant for reading: no annotations, and settings as plain arguments.
# ruff: noqa: ANN001, ANN201, PLR0913, PLR0917
# mypy: ignore-errors

import torch


def normalize_samples(x, gamma, beta, view, axis, eps):
    """Normalise along one axis of x seen as `view`, whose second axis is that of gamma and beta.

    Returns the result, the mean and sqrt(variance + eps).
    """
    seen = x.reshape(view)
    mean = seen.mean(axis, keepdim=True)
    deviation = torch.sqrt(seen.var(axis, unbiased=False, keepdim=True) + eps)
    y = (seen - mean) / deviation * gamma.reshape(1, -1, 1) + beta.reshape(1, -1, 1)
    return y.reshape(x.shape), mean.detach(), deviation.detach()


def run_layers(x, vector, states, mode, hidden, layers, directions, cells=None):
    """Run MXNet's RNN: its vector holds all weights layer by layer, then all biases. Returns output and last states."""
    rows = {"lstm": 4, "gru": 3}.get(mode, 1) * hidden
    widths = [x.shape[2], *[hidden * directions] * (layers - 1)]
    columns = [size for width in widths for _ in range(directions) for size in (width, hidden)]
    parts = vector.split([rows * size for size in columns] + [rows] * len(columns))
    weights = [part.reshape(rows, size) for part, size in zip(parts, columns, strict=False)]
    biases = parts[len(columns) :]
    flat = []
    for place in range(0, len(columns), 2):
        flat += [*weights[place : place + 2], *biases[place : place + 2]]
    states = states.contiguous()  # cuDNN refuses others
    first = states if cells is None else (states, cells.contiguous())
    return getattr(torch, mode)(x, first, flat, True, layers, 0.0, True, directions == 2, False)


def within(index, size):
    """Return indices as they are; one that lies outside would stop a card for good, so it is refused before."""
    outside = (index < -size) | (index >= size)
    if outside.any():
        raise IndexError(f"index {index[outside][0].item()} is out of bounds for an axis of size {size}")
    return index


def mask_steps(x, lengths, axis, value):
    """Replace what lies behind each sample's length, in steps along axis 0 or 1."""
    places = torch.arange(x.shape[axis], device=x.device)
    inside = places.unsqueeze(1 - axis) < lengths.long().unsqueeze(axis)
    return torch.where(inside.reshape(*inside.shape, *[1] * (x.dim() - 2)), x, value)


def last_steps(x, lengths, axis):
    """Take each sample's last step."""
    last = within(lengths.long() - 1, x.shape[axis])
    samples = torch.arange(len(last), device=x.device)
    return x[last, samples] if axis == 0 else x[samples, last]


def turn_steps(x, lengths):
    """Turn each sample's steps around, up to its length."""
    ends, steps = lengths.long(), torch.arange(len(x), device=x.device).unsqueeze(1)
    source = within(torch.where(steps < ends, ends - 1 - steps, steps), len(x))
    return x[source, torch.arange(x.shape[1], device=x.device)]


def gather_columns(x, indices):
    """Take the elements or slices of x whose indices stand in a column each."""
    return x[tuple(within(row, size) for row, size in zip(indices.long(), x.shape, strict=False))]


def scatter_columns(x, indices, shape):
    """Put elements or slices at the places whose indices stand in a column each; all else is 0."""
    places = tuple(within(row, size) for row, size in zip(indices.long(), shape, strict=False))
    return torch.zeros(shape, dtype=x.dtype, device=x.device).index_put(places, x)


def ordered_places(x, axis, ascending):
    """Return the places of the elements in their order; of equal ones the first comes first."""
    turned = x if ascending else -x if x.is_floating_point() else ~x
    return torch.argsort(turned, dim=axis, stable=True)
