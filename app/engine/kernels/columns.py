"""Windows unrolled into the columns of a matrix, piece by piece, and folded back.

Both go in two moves. First the last axis alone: strips hold, for every place along the window's last axis, the image
shifted to it. Then the other axes: a place is now one long run of a strip, and long runs are copied three times as fast
as rows of eight or thirty numbers. Padding is what no move writes, so no image is copied into a frame first.
"""

from collections.abc import Iterator
from itertools import pairwise, product
from math import ceil, prod
from typing import Any

import attrs
import numpy as np

from app.engine.kernels.windows import Array, Sizes, Windows, taps, window_view, work
from app.engine.work_space import WorkSpace

CACHE_LIMIT = 600 * 1024
"""Bytes of unrolled windows that stay in a core's own cache until the product has read them."""
LEAST_AT_ONCE = 128
"""Windows of one sample that are unrolled at once at least: fewer have all filters read again too soon."""
VIEWS = 4096
"""Numbers as large as the views that three steps keep of one piece."""
Move = tuple[Array, Array]
"""A part of the image, in all samples or in one piece's, and the part of a strip that shows it."""


@attrs.frozen
class Setting:
    """What one convolution needs besides its arrays."""

    windows: Windows
    scratch: dict[str, Any]


def rows_from(image: Array, setting: Setting, first: int, count: int) -> tuple[Array, Setting]:
    """Return the part of an image that `count` rows of windows from `first` on see, and its padding above."""
    windows = setting.windows
    above = first * windows.stride[0] - windows.pad[0]
    below = above + (count - 1) * windows.stride[0] + windows.reach[0]
    pad = (max(0, -above), *windows.pad[1:])
    return image[:, :, max(0, above) : below], attrs.evolve(setting, windows=attrs.evolve(windows, pad=pad))


@attrs.frozen
class Chunk:
    """What is unrolled at once: several whole samples, or some rows of one."""

    samples: slice
    rows: slice
    positions: slice

    @property
    def count(self) -> int:
        """How many samples."""
        return int(self.samples.stop - self.samples.start)

    @property
    def height(self) -> int:
        """How many rows of windows."""
        return int(self.rows.stop - self.rows.start)


def chunks(samples: int, counts: Sizes, bytes_per_row: int, limit: int) -> list[Chunk]:
    """Split the work so that columns stay in a cache of `limit` bytes, unless they are too few then."""
    row, rows = prod(counts[1:]), counts[0]
    fit = max(1, limit // bytes_per_row, LEAST_AT_ONCE // row)
    if fit >= rows:
        at_once = max(1, limit // (bytes_per_row * rows))
        firsts = range(0, samples, at_once)
        return [
            Chunk(slice(first, min(first + at_once, samples)), slice(0, rows), slice(0, rows * row))
            for first in firsts
        ]
    parts = ceil(rows / fit)
    ranges = list(pairwise(rows * part // parts for part in range(parts + 1)))
    return [
        Chunk(slice(number, number + 1), slice(first, last), slice(first * row, last * row))
        for number in range(samples)
        for first, last in ranges
    ]


def work_space(image: Sizes, counts: Sizes, filters: int, windows: Windows, held: int = 2) -> WorkSpace:
    """Tell the work space of one convolution in two halves, which have columns for `held` at once.

    The columns, strips, joined results and `filters` (flipped ones, and gradients) serve all nodes in turn; the views
    of every piece stay.
    """
    samples, channels = image[:2]
    row = channels * windows.places * prod(counts[1:])
    spread = [
        (count - 1) * stride + reach
        for count, stride, reach in zip(counts, windows.stride, windows.reach, strict=True)
    ]
    piece = max(CACHE_LIMIT // 4, channels * windows.places * min(prod(counts), LEAST_AT_ONCE))
    at_once = min(samples, max(1, piece // (row * counts[0])))
    has_strips = len(counts) > 1 and max(windows.stride) == 1
    strips = at_once * channels * (windows.kernel[-1] if has_strips else 1) * prod(spread)
    joined = at_once * channels * prod(counts)
    parts = min(counts[0], -(-row * counts[0] // piece)) if at_once == 1 else 1
    pieces = -(-samples // at_once) * parts
    passing = held * (max(row, piece) + strips) + 2 * (joined + filters)
    return WorkSpace(VIEWS * pieces, passing)


class Strips:
    """The strips of one image and the moves between them.

    Strips are (samples, channels, places along the last axis, rows, *sizes between, windows along the last axis). With
    `is_bare` the image serves as its own strips, those of all samples.
    """

    def __init__(self, image: Array, counts: Sizes, setting: Setting, pieces: list[Chunk]) -> None:
        """Prepare for pieces of this image."""
        image, windows = _thinned(image, counts, setting.windows)
        if len(counts) == 1 or max(windows.stride) > 1:
            # A strided strip costs what it saves: with a last axis of one point everything is left to the second move.
            image, counts, windows = image[..., None], (*counts, 1), _with_a_point(windows)
        self._image, self._windows, self._counts = image, windows, counts
        self._outer = Windows(
            (*windows.kernel[:-1], 1), (*windows.stride[:-1], 1), (*windows.dilate[:-1], 1), ()
        )
        wide = tuple(
            (count - 1) * stride + reach
            for count, stride, reach in zip(counts, windows.stride, windows.reach, strict=True)
        )
        self._between = wide[1:-1]
        height = max((piece.height - 1) * windows.stride[0] + windows.reach[0] for piece in pieces)
        fits = image.shape[2:] == wide and not any(windows.pad)
        self.is_bare = fits and windows.kernel[-1] == windows.stride[-1] == 1
        at_once = max(piece.count for piece in pieces)
        shape = (at_once, image.shape[1], windows.kernel[-1], height, *self._between, counts[-1])
        self._strips = (
            image[:, :, None] if self.is_bare else work(setting.scratch, "strips", shape, image.dtype)
        )
        self._splits_samples = pieces[0].height < counts[0]

    def clear(self) -> None:
        """Write the padding that stays the same for all pieces."""
        if not self.is_bare:
            self._strips.fill(0)

    def of(self, piece: Chunk) -> Array:
        """View a piece's strips as windows (samples, channels, *kernel, rows, *counts of the other axes).

        Of bare ones those of the same rows in all samples.
        """
        reach = (piece.height - 1) * self._windows.stride[0] + self._windows.reach[0]
        first = piece.rows.start * self._windows.stride[0] if self.is_bare else 0
        samples = slice(None) if self.is_bare else slice(0, piece.count)
        strips = self._strips[samples, :, :, first : first + reach]
        axes = len(self._counts)
        view = window_view(strips, self._outer, (piece.height, *self._counts[1:]))
        return np.moveaxis(
            view.squeeze(axis=2 + axes), 2, 1 + axes
        )  # the last axis's places behind the others'

    def _rows(self, piece: Chunk) -> tuple[list[slice], list[slice]]:
        """Say which rows of the image a piece sees, in all samples, and where its strips show them."""
        above = piece.rows.start * self._windows.stride[0] - self._windows.pad[0]
        reach = (piece.height - 1) * self._windows.stride[0] + self._windows.reach[0]
        inputs, outputs = [slice(None), slice(None)], [slice(0, piece.count), slice(None)]
        for axis, (start, size) in enumerate(
            zip((above, *(-pad for pad in self._windows.pad[1:-1])), (reach, *self._between), strict=True), 2
        ):
            first = max(0, start)
            last = max(first, min(self._image.shape[axis], start + size))
            inputs.append(slice(first, last))
            outputs.append(slice(first - start, last - start))
        return inputs, outputs

    def moves(self, piece: Chunk) -> list[Move]:
        """Pair every part of the image, in all samples, with the strip that shows it in those of the piece."""
        if self.is_bare:
            return []
        found = []
        inputs, outputs = self._rows(piece)
        for place, (seen, shown) in self._along_last():
            source: Any = (*inputs, seen)
            target: Any = (*outputs[:2], place, *outputs[2:], shown)
            found.append((self._image[source], self._strips[target]))
        return found

    def long_moves(self, piece: Chunk) -> tuple[list[Move], list[Array]]:
        """Give the same strips by copying rows together, where a row of windows is as long as one of the image.

        The image is then shifted as a whole; what comes in from the neighbouring row is to be cleared afterwards. Short
        rows one by one take up to six times as long.
        """
        image, width = self._image, self._counts[-1]
        joined = image.shape[-1] == width and image.strides[-2] == width * image.strides[-1]
        if self.is_bare or not joined or self._windows.kernel[-1] == 1:
            return self.moves(piece), []
        found, edges = list[Move](), list[Array]()
        inputs, outputs = self._rows(piece)
        for place, (seen, shown) in self._along_last():
            at: Any = (*outputs[:2], place, *outputs[2:])
            source, target = image[tuple(inputs)], self._strips[at]
            shift = seen.start - shown.start
            before, behind = max(0, -shift), max(0, shift)
            run, shifted = (array.reshape((*array.shape[:-2], -1), copy=False) for array in (source, target))
            if run.size:
                end = run.shape[-1]
                found.append((run[..., behind : end - before], shifted[..., before : end - behind]))
            sides = (slice(0, shown.start), slice(shown.stop, width))
            edges.extend(target[..., side] for side in sides if side.stop > side.start)
        return found, edges

    def _along_last(self) -> Iterator[tuple[int, tuple[slice, slice]]]:
        """Yield each place of the window's last axis with what it sees of the image, and in which windows."""
        size, count, stride = self._image.shape[-1], self._counts[-1], self._windows.stride[-1]
        for place in range(self._windows.kernel[-1]):
            offset = place * self._windows.dilate[-1] - self._windows.pad[-1]
            first = max(0, -(offset // stride))
            last = min(count, (size - 1 - offset) // stride + 1)
            if last > first:
                seen = slice(first * stride + offset, (last - 1) * stride + offset + 1, stride)
                yield place, (seen, slice(first, last))

    def blanks(self, piece: Chunk) -> list[Array]:
        """List the rows of padding that another piece of the same sample may have written over."""
        if not self._splits_samples or self.is_bare:
            return []
        above = piece.rows.start * self._windows.stride[0] - self._windows.pad[0]
        reach = (piece.height - 1) * self._windows.stride[0] + self._windows.reach[0]
        top, bottom = max(0, -above), max(0, self._image.shape[2] - above)
        parts = (slice(0, min(top, reach)), slice(min(bottom, reach), reach))
        return [self._strips[:, :, :, part] for part in parts if part.stop > part.start]


def _thinned(image: Array, counts: Sizes, windows: Windows) -> tuple[Array, Windows]:
    """Leave out the points that windows of a single place step over."""
    if windows.places > 1 or any(windows.pad):
        return image, windows
    seen: Any = tuple(
        slice(0, (count - 1) * s + 1, s) for count, s in zip(counts, windows.stride, strict=True)
    )
    return image[(..., *seen)], attrs.evolve(windows, stride=(1,) * len(counts))


def _with_a_point(windows: Windows) -> Windows:
    """Add a last axis of one single place."""
    return Windows((*windows.kernel, 1), (*windows.stride, 1), (*windows.dilate, 1), (*windows.pad, 0))


def _columns(setting: Setting, size: int, dtype: Any) -> Array:
    """Return the buffer of the columns, which all convolutions of an executor use one after the other."""
    return work(setting.scratch, "columns", (size,), dtype, at_least=CACHE_LIMIT // np.dtype(dtype).itemsize)


@attrs.frozen(eq=False)
class _Pattern:
    """What pieces share that are of other samples only: the matrix, what is moved into strips of each, and what then.

    The blanks are cleared before.
    """

    matrix: Array
    moves: list[Move]
    then: list[Move]
    blanks: list[Array]

    def step(self, piece: Chunk) -> tuple[Array, list[Move], list[Array]]:
        """Return a piece's matrix, the moves that fill it, and what must be cleared before."""
        moves = [(source[piece.samples], target) for source, target in self.moves]
        return self.matrix, moves + self.then, self.blanks


class Columns:
    """Windows unrolled piece by piece into one buffer, in groups of `width` channels.

    A matrix is (samples, groups, depth, positions), or with `joined` (groups, depth, samples · positions).
    """

    def __init__(
        self, image: Array, counts: Sizes, setting: Setting, pieces: list[Chunk], width: int, *, joined: bool
    ) -> None:
        """Prepare buffers and views for these pieces of an image."""
        self._setting, self._joined, self._groups = setting, joined, image.shape[1] // width
        self._plain: list[Array] | None = None
        windows = setting.windows
        depth = width * windows.places
        ones = (1,) * len(counts)
        sees_all = windows.kernel == windows.stride == ones and image.shape[2:] == counts
        if sees_all and not any(windows.pad) and not joined:
            # a 1×1 window on every pixel: the image is its own columns
            plain = image.reshape((image.shape[0], self._groups, depth, -1), copy=False)
            self._plain = [plain[piece.samples, ..., piece.positions] for piece in pieces]
            return
        self._strips = Strips(image, counts, setting, pieces)
        alike: dict[tuple[int, int, int], _Pattern] = {}
        self._steps: list[tuple[Array, list[Move], list[Array]]] = []
        for piece in pieces:
            kind = piece.count, piece.rows.start, piece.rows.stop
            if kind not in alike:
                alike[kind] = self._pattern(piece, depth)
            self._steps.append(alike[kind].step(piece))

    def _pattern(self, piece: Chunk, depth: int) -> "_Pattern":
        """Prepare all pieces that are of other samples, but as many and of the same rows."""
        windows = self._strips.of(piece)
        shape = (piece.count, *windows.shape[1:])
        buffer = _columns(self._setting, prod(shape), windows.dtype)
        matrix: Array = buffer.reshape(piece.count, self._groups, depth, -1)
        unrolled: Array = buffer.reshape(shape)
        if self._joined:
            matrix = buffer.reshape(self._groups, depth, -1)
            half = windows.ndim // 2  # the samples stand behind channels and kernel
            unrolled = np.moveaxis(
                buffer.reshape((*shape[1 : half + 1], shape[0], *shape[half + 1 :])), half, 0
            )
        moves, edges = self._strips.long_moves(piece)
        zero = np.zeros((), windows.dtype)
        then = [*((zero, edge) for edge in edges), (windows, unrolled)]
        if self._strips.is_bare:
            moves, then = then, []
        return _Pattern(matrix, moves, then, self._strips.blanks(piece))

    def __iter__(self) -> Iterator[Array]:
        """Yield every piece's matrix, which the next one overwrites."""
        if self._plain is not None:
            yield from self._plain
            return
        self._strips.clear()
        for matrix, moves, blanks in self._steps:
            for blank in blanks:
                blank.fill(0)
            for source, target in moves:
                np.copyto(target, source)
            yield matrix


class Folding:
    """The same moves backwards: columns are added up onto the image wherever windows overlap."""

    def __init__(
        self, image: Array, counts: Sizes, setting: Setting, pieces: list[Chunk], width: int
    ) -> None:
        """Prepare buffers and views for these pieces of an image."""
        self._image, self._setting = image, setting
        self._groups, self._depth = image.shape[1] // width, width * setting.windows.places
        self._strips = None if max(setting.windows.stride) > 1 else Strips(image, counts, setting, pieces)
        self._steps = [self._step(piece, counts) for piece in pieces]

    def _step(self, piece: Chunk, counts: Sizes) -> tuple[Array, list[Move]]:
        """Return a piece's matrix, and what is added to what afterwards."""
        channels, windows = self._image.shape[1], self._setting.windows
        sizes = (piece.height, *counts[1:])
        size = piece.count * channels * windows.places * prod(sizes)
        buffer = _columns(self._setting, size, self._image.dtype)
        matrix = buffer.reshape(piece.count, self._groups, self._depth, -1)
        if self._strips is None:
            unrolled = buffer.reshape(piece.count, channels, windows.places, *sizes)
            stands = ((piece.rows.start, piece.rows.stop), *((0, count) for count in counts[1:]))
            image = self._image[piece.samples]
            return matrix, [
                (image[tap.inputs], unrolled[:, :, tap.number][tap.outputs])
                for tap in taps(windows, image.shape[2:], stands)
            ]
        strips = self._strips.of(piece)
        strips = strips[piece.samples] if self._strips.is_bare else strips
        unrolled = buffer.reshape(strips.shape)
        places: Any = product(*(range(size) for size in strips.shape[2 : strips.ndim // 2]))
        at = [(slice(None), slice(None), *place) for place in places]
        runs = [(strips[place], unrolled[place]) for place in at]
        return matrix, [*runs, *((image[piece.samples], strip) for image, strip in self._strips.moves(piece))]

    def __iter__(self) -> Iterator[Array]:
        """Yield the matrix of every piece to be filled, and add it to the image when the next one is asked for."""
        self._image.fill(0)
        for matrix, additions in self._steps:
            yield matrix
            if self._strips is not None:
                self._strips.clear()
            for target, source in additions:
                np.add(target, source, out=target)
