"""Coordinates across the flow: straight lanes, nodes in the middle of their neighbours, no two closer than a gap.

After Brandes and Köpf, "Fast and simple horizontal coordinate assignment" (2002): vertices are strung into straight
blocks four times (from above or below, leaning left or right), each time packed tightly, and every vertex takes the
mean of its two middle places. Links of lanes come first: a wire over several ranks runs straight beside the nodes it
passes, and what lies between bulges aside.
"""

import itertools
from bisect import bisect_left, bisect_right

from app.services.layered.order import Rows
from app.services.layered.ranks import Lattice


def across(lattice: Lattice, rows: Rows, widths: list[float], gap: float) -> list[float]:
    """Return each vertex's centre across the flow; neighbours in a rank keep `gap` between their edges."""
    found = []
    for upwards in (False, True):
        links = lattice.below if upwards else lattice.above
        ranks = rows[::-1] if upwards else rows
        allowed = _allowed_links(lattice, ranks, links)
        for mirrored in (False, True):
            place = _leaning_left(_reflect(ranks, mirrored), allowed, widths, gap)
            found.append([-x for x in place] if mirrored else place)
    return _middle(found, widths)


def _reflect(rows: Rows, mirrored: bool) -> Rows:
    return [row[::-1] for row in rows] if mirrored else rows


def _allowed_links(lattice: Lattice, ranks: Rows, links: list[list[int]]) -> list[list[int]]:
    """Keep for every vertex the strongest links to the rank before that cross no stronger one."""
    real = lattice.real
    backward, forward = [0] * len(links), [0] * len(links)
    for vertex, near in enumerate(links):
        for other in near:
            strength = (vertex >= real) + (other >= real)
            backward[vertex] = max(backward[vertex], strength)
            forward[other] = max(forward[other], strength)
    kept = [
        [other for other in near if (vertex >= real) + (other >= real) == backward[vertex] == forward[other]]
        for vertex, near in enumerate(links)
    ]
    _drop_crossing_lanes(ranks, kept, real)
    return kept


def _drop_crossing_lanes(ranks: Rows, kept: list[list[int]], real: int) -> None:
    """Drop links between nodes that cross a lane's."""
    place = [0] * len(kept)
    for number, row in enumerate(ranks):
        for index, vertex in enumerate(row):
            place[vertex] = index
        lanes = [(place[other], place[v]) for v in row for other in kept[v] if v >= real or other >= real]
        if number == 0 or not lanes:
            continue
        befores, heres = sorted([one for one, _ in lanes]), sorted([two for _, two in lanes])
        for vertex in row:
            low, high = bisect_left(heres, place[vertex]), bisect_right(heres, place[vertex])
            kept[vertex] = [
                other
                for other in kept[vertex]
                if vertex >= real
                or other >= real
                or (bisect_left(befores, place[other]) <= high and bisect_right(befores, place[other]) >= low)
            ]


def _leaning_left(ranks: Rows, allowed: list[list[int]], widths: list[float], gap: float) -> list[float]:
    """String vertices into blocks along their middle links, leftmost first, and pack the blocks to the left."""
    count = len(widths)
    root = list(range(count))
    taken = [False] * count
    place = [0] * count
    for row in ranks:
        reach = -1
        for vertex in row:
            near = allowed[vertex]
            if not near:
                continue
            if len(near) > 1:
                near = sorted(near, key=place.__getitem__)
            half = len(near) - 1
            for other in near[half // 2 : half // 2 + 1 + half % 2]:
                if not taken[other] and place[other] > reach:
                    taken[other] = True
                    root[vertex] = root[other]
                    reach = place[other]
                    break
        for index, vertex in enumerate(row):
            place[vertex] = index
    return _packed(ranks, root, widths, gap)


def _packed(ranks: Rows, root: list[int], widths: list[float], gap: float) -> list[float]:
    """Place the blocks as far left as their neighbours let them, then pull them right towards what follows."""
    after: dict[int, dict[int, float]] = {}
    waiting: dict[int, int] = {}
    for row in ranks:
        for left, right in itertools.pairwise(row):
            one, two = root[left], root[right]
            apart = (widths[left] + widths[right]) / 2 + gap
            following = after.setdefault(one, {})
            if two not in following:
                waiting[two] = waiting.get(two, 0) + 1
                following[two] = apart
            elif following[two] < apart:
                following[two] = apart
    blocks = list(dict.fromkeys([root[vertex] for row in ranks for vertex in row]))
    x = dict.fromkeys(blocks, 0.0)
    order = [block for block in blocks if block not in waiting]
    for block in order:
        for two, apart in after.get(block, {}).items():
            x[two] = max(x[two], x[block] + apart)
            waiting[two] -= 1
            if not waiting[two]:
                order.append(two)
    for block in reversed(order):
        room = min((x[two] - apart for two, apart in after.get(block, {}).items()), default=x[block])
        x[block] = max(x[block], room)
    return [x[block] for block in root]


def _middle(found: list[list[float]], widths: list[float]) -> list[float]:
    """Line the four up with the narrowest and take the mean of the two middle places."""
    edges = []
    for places in found:
        left = min(x - width / 2 for x, width in zip(places, widths, strict=True))
        right = max(x + width / 2 for x, width in zip(places, widths, strict=True))
        edges.append((left, right))
    narrowest = min(range(len(found)), key=lambda index: edges[index][1] - edges[index][0])
    left, right = edges[narrowest]
    shifted = []
    for index, places in enumerate(found):
        move = right - edges[index][1] if index % 2 else left - edges[index][0]
        shifted.append([x + move for x in places])
    middle = []
    for four in zip(*shifted, strict=True):
        low, high = sorted(four)[1:3]
        middle.append((low + high) / 2)
    return middle
