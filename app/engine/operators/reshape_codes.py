"""The codes of Reshape: 0 keeps, -1 takes the rest, -2 keeps all, -3 joins, -4 splits."""

from math import prod

from app.engine.errors import ShapeError
from app.engine.shapes import Shape, element_count, is_known, text


def reshaped(data: Shape, codes: tuple[int, ...], *, reverse: bool) -> Shape:
    """Return the shape that `codes` make of `data`, with 0 for what stays open; ShapeError where they do not fit."""
    if reverse:
        return _Reader(data[::-1], codes[::-1]).read()[::-1]
    return _Reader(data, codes).read()


def reshaped_the_old_way(data: Shape, target: Shape, *, keep_highest: bool) -> Shape:
    """Return the shape that MXNet's first Reshape made: 0 is the open size; `keep_highest` keeps the first."""
    sizes = list(target)
    start = 1 if keep_highest else 0
    if keep_highest:
        sizes[0] = data[0]
    places = [place for place in range(start, len(sizes)) if sizes[place] == 0]
    if len(places) == 1 and is_known(data):
        rest = prod(size for place, size in enumerate(sizes) if place != places[0])
        sizes[places[0]] = element_count(data) // rest
    return tuple(sizes)


class _Reader:
    """Reads the codes from left to right beside the sizes of the data."""

    def __init__(self, data: Shape, codes: tuple[int, ...]) -> None:
        self.data = data
        self.codes = list(codes)
        self.count = len(codes)
        self.place = 0  # in the data
        self.sizes: list[int] = []
        self.kept_open = 0
        self.rest = -1  # where in `sizes` the code -1 stands
        self.rest_code = -1  # and where among the codes

    def read(self) -> Shape:
        while self.codes:
            self.take(self.codes.pop(0))
        if self.rest >= 0:
            self.fill_rest()
        return tuple(self.sizes)

    def fill_rest(self) -> None:
        """Write the size that -1 stands for.

        MXNet counts codes, not sizes, to find the place: behind -2 or -4 it writes beside -1, which stays 1.
        """
        if self.rest_code == self.rest:
            self.sizes[self.rest] = self.remaining()
            return
        self.sizes[self.rest] = 1
        if self.rest_code < len(self.sizes):
            is_open = not is_known(self.data) or 0 in self.sizes
            self.sizes[self.rest_code] = 0 if is_open else element_count(self.data) // prod(self.sizes)

    def take(self, code: int) -> None:
        if code == 0:
            self.keep(self.next_size(code))
        elif code == -1:
            if self.rest >= 0:
                raise ShapeError("shape leaves two sizes open; -1 may stand once only.", port=None)
            self.rest = len(self.sizes)
            self.rest_code = self.count - len(self.codes) - 1
            self.sizes.append(0)
            self.place += 1
        elif code == -2:
            while self.place < len(self.data):
                self.keep(self.next_size(code))
        elif code == -3:
            self.sizes.append(self.next_size(code) * self.next_size(code))
        elif code == -4:
            self.sizes += self.split(self.next_size(code))
        else:
            self.sizes.append(code)
            self.place += 1

    def keep(self, size: int) -> None:
        self.kept_open += size == 0
        self.sizes.append(size)

    def next_size(self, code: int) -> int:
        if self.place >= len(self.data):
            raise ShapeError(f"code {code} finds no more axis in {text(self.data)}.")
        self.place += 1
        return self.data[self.place - 1]

    def split(self, size: int) -> tuple[int, int]:
        if len(self.codes) < 2:
            raise ShapeError("code -4 needs two sizes behind it.")
        first, second = self.codes.pop(0), self.codes.pop(0)
        if first == second == -1:
            raise ShapeError("code -4 has two open sizes behind it; one may be -1.")
        if size == 0:
            return max(first, 0), max(second, 0)
        first = size // second if first == -1 and second > 0 else first
        second = size // first if second == -1 and first > 0 else second
        if first * second != size:
            raise ShapeError(f"code -4 cannot split {size} into {first} and {second}.")
        return first, second

    def remaining(self) -> int:
        """Return the size that -1 stands for; 0 while it is open."""
        others = [size for place, size in enumerate(self.sizes) if place != self.rest]
        open_elsewhere = others.count(0) != self.kept_open or self.data.count(0) != self.kept_open
        if open_elsewhere:
            return 0
        count, rest = prod(size for size in self.data if size), prod(size for size in others if size)
        return count // rest  # a remainder is left for running to refuse
