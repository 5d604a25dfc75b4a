"""The order of vertices within each rank: few crossings, by sweeps of averages and swaps of neighbours."""

from bisect import bisect_right, insort

from app.services.layered.ranks import Lattice

SWEEPS = 8
SWAP_ROUNDS = 4

Rows = list[list[int]]


def ordered_rows(lattice: Lattice) -> Rows:
    """Return the vertices of every rank from left to right; the same lattice always gives the same rows."""
    rows = _first_rows(lattice)
    position = [0] * len(lattice.rank)
    for row in rows:
        _number(row, position)
    best, fewest = [list(row) for row in rows], count_crossings(lattice, rows, position)
    for sweep in range(SWEEPS):
        if fewest == 0:
            break
        _sweep(lattice, rows, position, downwards=sweep % 2 == 0)
        crossings = count_crossings(lattice, rows, position)
        if crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
    if fewest:
        for row in best:
            _number(row, position)
        _swap(lattice, best, position)
    return best


def count_crossings(lattice: Lattice, rows: Rows, position: list[int]) -> int:
    """Count the crossings between links of neighbouring ranks."""
    total = 0
    for row in rows:
        seen: list[int] = []
        for vertex in row:
            ends = sorted([position[other] for other in lattice.below[vertex]])
            if seen:
                for end in ends:
                    total += len(seen) - bisect_right(seen, end)
            for end in ends:
                insort(seen, end)
    return total


def _first_rows(lattice: Lattice) -> Rows:
    """Walk from the ends of the flow back to its beginnings, inputs in their order, and append as one leaves."""
    rows: Rows = [[] for _ in range(lattice.rank_count)]
    seen = [False] * len(lattice.rank)
    for end in range(lattice.real):
        if lattice.below[end]:
            continue
        seen[end] = True
        stack = [(end, iter(lattice.above[end]))]
        while stack:
            vertex, waiting = stack[-1]
            for other in waiting:
                if not seen[other]:
                    seen[other] = True
                    stack.append((other, iter(lattice.above[other])))
                    break
            else:
                rows[lattice.rank[vertex]].append(vertex)
                stack.pop()
    return rows


def _number(row: list[int], position: list[int]) -> None:
    for place, vertex in enumerate(row):
        position[vertex] = place


def _sweep(lattice: Lattice, rows: Rows, position: list[int], *, downwards: bool) -> None:
    """Sort each rank by the average place of its neighbours in the rank before."""
    links = lattice.above if downwards else lattice.below
    for row in rows[1:] if downwards else rows[-2::-1]:
        if len(row) < 2:
            continue
        wanted = {}
        for vertex in row:
            near = links[vertex]
            wanted[vertex] = (
                sum([position[other] for other in near]) / len(near) if near else float(position[vertex])
            )
        row.sort(key=wanted.__getitem__)
        _number(row, position)


def _swap(lattice: Lattice, rows: Rows, position: list[int]) -> None:
    """Exchange neighbours wherever that takes crossings away."""
    for _ in range(SWAP_ROUNDS):
        improved = False
        for row in rows:
            for place in range(len(row) - 1):
                left, right = row[place], row[place + 1]
                if _gain(lattice, position, left, right) > 0:
                    row[place], row[place + 1] = right, left
                    position[left], position[right] = place + 1, place
                    improved = True
        if not improved:
            return


def _gain(lattice: Lattice, position: list[int], left: int, right: int) -> int:
    """Return how many crossings fewer there are with `left` and `right` exchanged."""
    gain = 0
    for links in (lattice.above, lattice.below):
        ones, others = links[left], links[right]
        if not ones or not others:
            continue
        places = [position[other] for other in others]
        for one in ones:
            here = position[one]
            for there in places:
                gain += (here > there) - (here < there)
    return gain
