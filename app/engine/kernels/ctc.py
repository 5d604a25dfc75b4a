"""Connectionist temporal classification: the chance of a short label over all its alignments to a long sequence.

Chances are kept as logarithms. Notation of Graves et al. 2006: the label is stretched by a blank between all symbols;
`forward[t, s]` is the chance of having said the first s stretched symbols by step t, `backward` of what is to come.
"""

import attrs
import numpy as np

from app.engine.kernels.windows import Array

_NEVER = -np.inf


@attrs.frozen(eq=False)
class Labels:
    """Stretched labels (batch, 2 · longest + 1) and their lengths, and which neighbouring symbols are equal.

    `arrivals` are the positions that may be reached over the blank before them, `departures` those that may be reached
    so on the way back. They differ only at a label that is the blank: MXNet lets it be skipped to on the way back, and
    skipped from on the way there.
    """

    stretched: Array
    lengths: Array
    repeats: Array
    arrivals: Array
    departures: Array


def stretch(label: Array, lengths: Array, blank: int) -> Labels:
    """Put a blank before, between and behind all symbols of every label."""
    batch, longest = label.shape
    stretched = np.full((batch, 2 * longest + 1), blank)
    inside = np.arange(longest) < lengths[:, None]
    symbols = np.where(inside, label, blank)
    stretched[:, 1::2] = symbols
    repeats = symbols[:, 1:] == symbols[:, :-1]  # equal neighbours need the blank between them
    arrivals, departures = np.zeros((2, *stretched.shape), np.bool_)
    arrivals[:, 3::2] = ~repeats & (symbols[:, 1:] != blank)
    departures[:, 3::2] = ~repeats & (symbols[:, :-1] != blank)
    return Labels(stretched, 2 * lengths + 1, repeats & inside[:, 1:], arrivals, departures)


def label_lengths(label: Array, padding: int) -> Array:
    """Return the number of symbols before the first padding of every label."""
    is_padding = label == padding
    return np.asarray(np.where(is_padding.any(axis=1), is_padding.argmax(axis=1), label.shape[1]))


def ctc(data: Array, labels: Labels, steps: Array, grad: Array) -> Array:
    """Return −log of the chance of every label, and write its gradient; data is (steps, batch, symbols)."""
    shifted = data - data.max(axis=2, keepdims=True)
    logarithms = shifted - np.log(np.exp(shifted).sum(axis=2, keepdims=True))
    batch = np.arange(data.shape[1])[:, None]
    said = logarithms[:, batch, labels.stretched].astype(np.float64)
    forward = _forward(said, labels)
    backward = _backward(said, labels, steps)
    ends = forward[steps - 1, batch[:, 0]]
    last = ends[batch[:, 0], labels.lengths - 1]
    before = ends[batch[:, 0], np.maximum(labels.lengths - 2, 0)]
    total = np.where(labels.lengths > 1, np.logaddexp(last, before), last)
    fits = _needed_steps(labels) <= steps
    np.exp(logarithms, out=grad)
    through = forward + backward
    chance = np.full(through.shape, _NEVER)
    np.subtract(through, total[:, None], out=chance, where=through > _NEVER)
    posterior = np.exp(chance)
    for position in range(labels.stretched.shape[1]):
        grad[:, batch[:, 0], labels.stretched[:, position]] -= posterior[:, :, position]
    grad *= (np.arange(data.shape[0])[:, None] < np.where(fits, steps, 0))[:, :, None]
    return np.where(fits, -total, 0)  # a label that no alignment can say costs nothing, as in MXNet


def _needed_steps(labels: Labels) -> Array:
    """Return the least number of steps of every label: one per symbol, and one for the blank between equal ones."""
    return np.asarray((labels.lengths - 1) // 2 + labels.repeats.sum(axis=1))


def _forward(said: Array, labels: Labels) -> Array:
    chances = np.full(said.shape, _NEVER)
    chances[0, :, :2] = said[0, :, :2]
    for step in range(1, len(said)):
        chances[step] = _arrive(chances[step - 1], labels.arrivals) + said[step]
    return chances


def _backward(said: Array, labels: Labels, steps: Array) -> Array:
    """Return the chances of what is still to be said, every sample starting at its own end."""
    positions = np.arange(said.shape[2])
    ends = (positions == labels.lengths[:, None] - 1) | (positions == labels.lengths[:, None] - 2)
    chances = np.full(said.shape, _NEVER)
    for step in reversed(range(len(said))):
        at_end = (steps - 1 == step)[:, None]
        following = np.full(ends.shape, _NEVER)
        if step + 1 < len(said):
            coming = chances[step + 1] + said[step + 1]
            following = _arrive(coming[:, ::-1], _from_the_end(labels.departures))[:, ::-1]
        chances[step] = np.where(at_end, np.where(ends, 0.0, _NEVER), following)
    return chances


def _from_the_end(departures: Array) -> Array:
    """Turn "may be reached from two before" into "may go on to two behind", both seen from the end."""
    leaving = np.zeros_like(departures)
    leaving[:, :-2] = departures[:, 2:]
    return leaving[:, ::-1]


def _arrive(chances: Array, skips: Array) -> Array:
    """Return the chance to stand at every position after staying, going on one, or skipping a blank."""
    arrived = chances.copy()
    arrived[:, 1:] = np.logaddexp(arrived[:, 1:], chances[:, :-1])
    skipped = np.where(skips[:, 2:], chances[:, :-2], _NEVER)
    arrived[:, 2:] = np.logaddexp(arrived[:, 2:], skipped)
    return arrived
