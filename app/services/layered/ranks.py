"""Which rank every node of a drawing lies in, and the lanes that keep room for wires over several ranks."""

from collections.abc import Sequence

import attrs

MOST_LANE_PLACES = 30_000
"""In a drawing with more, the longest wires get no room of their own."""


@attrs.frozen
class Lattice:
    """A drawing in ranks, where every link joins neighbouring ranks.

    Vertices below `real` are the nodes; the others are places in lanes. `rank` is each vertex's rank, `above` and
    `below` are its links. All wires that leave one node share one lane, so that a node read forty times needs one.
    """

    real: int
    rank: list[int]
    above: list[list[int]]
    below: list[list[int]]
    rank_count: int


def make_lattice(count: int, edges: Sequence[tuple[int, int]]) -> Lattice:
    """Put nodes into ranks so that every edge leads down, and add the lanes; a cycle is cut at a backward edge."""
    readers: list[list[int]] = [[] for _ in range(count)]
    for source, target in dict.fromkeys(edges):
        if source != target:
            readers[source].append(target)
    order = _without_cycles(readers)
    sources: list[list[int]] = [[] for _ in range(count)]
    for source in order:
        for target in readers[source]:
            sources[target].append(source)
    rank = _ranks(order, sources, readers)
    return _with_lanes(rank, readers)


def _without_cycles(readers: list[list[int]]) -> list[int]:
    """Turn round the edges that close a cycle, and return the nodes in topological order."""
    count = len(readers)
    state = [0] * count  # 0 new, 1 on the way, 2 done
    finished: list[int] = []
    for start in range(count):
        if state[start]:
            continue
        state[start] = 1
        stack = [(start, iter(tuple(readers[start])))]
        while stack:
            node, waiting = stack[-1]
            for target in waiting:
                if state[target] == 0:
                    state[target] = 1
                    stack.append((target, iter(tuple(readers[target]))))
                    break
                if state[target] == 1:
                    readers[node].remove(target)
                    if node not in readers[target]:
                        readers[target].append(node)
            else:
                state[node] = 2
                finished.append(node)
                stack.pop()
    finished.reverse()
    return finished


def _ranks(order: list[int], sources: list[list[int]], readers: list[list[int]]) -> list[int]:
    """Take longest paths from the top, then let sink towards its readers what shortens wires by that.

    That is what has more readers than sources, and what computes from nothing but arguments of its own.
    """
    rank = [0] * len(order)
    is_apart = [False] * len(order)
    for node in order:
        is_apart[node] = all(is_apart[source] and len(readers[source]) == 1 for source in sources[node])
        for target in readers[node]:
            rank[target] = max(rank[target], rank[node] + 1)
    for node in reversed(order):
        if len(readers[node]) > len(sources[node]) or (is_apart[node] and readers[node]):
            rank[node] = min([rank[target] for target in readers[node]]) - 1
    return rank


def _longest_lane(lengths: list[int]) -> int:
    """Return how long a lane may be so that all that are no longer fit into what there is."""
    room = MOST_LANE_PLACES
    longest = 0
    for length in sorted(lengths):
        room -= length
        if room < 0:
            return longest
        longest = length
    return longest


def _with_lanes(rank: list[int], readers: list[list[int]]) -> Lattice:
    count = len(rank)
    rank = list(rank)
    above: list[list[int]] = [[] for _ in range(count)]
    below: list[list[int]] = [[] for _ in range(count)]
    ends = [max((rank[target] for target in targets), default=0) for targets in readers]
    longest = _longest_lane([max(0, end - rank[source] - 1) for source, end in enumerate(ends)])
    for source in range(count):
        targets = [target for target in readers[source] if rank[target] <= rank[source] + 1 + longest]
        deepest = max((rank[target] for target in targets), default=0)
        lane = [source]
        for level in range(rank[source] + 1, deepest):
            vertex = len(rank)
            rank.append(level)
            above.append([lane[-1]])
            below.append([])
            below[lane[-1]].append(vertex)
            lane.append(vertex)
        for target in targets:
            last = lane[rank[target] - rank[source] - 1]
            below[last].append(target)
            above[target].append(last)
    return Lattice(count, rank, above, below, max(rank, default=-1) + 1)
