"""Arguments that only one node reads stand together beside what flows into that node, like its footnotes.

They take no part in choosing ranks, order and straight lines: a layer with four of them stays in line with the layer
before it.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Sequence

import attrs

from app.services.layered.order import Rows
from app.services.layered.ranks import Lattice


@attrs.frozen
class Stack:
    """Nodes without inputs that one node alone reads, between the same two of its neighbours.

    `leads` tells that they come before the first input that is computed.
    """

    reader: int
    members: tuple[int, ...]
    leads: bool


def find_stacks(count: int, edges: Sequence[tuple[int, int]]) -> list[Stack]:
    """Find the stacks of every node that has an input from elsewhere as well."""
    inputs: list[list[int]] = [[] for _ in range(count)]
    wires = [(source, target) for source, target in dict.fromkeys(edges) if source != target]
    readers = Counter(source for source, _ in wires)
    for source, target in wires:
        inputs[target].append(source)
    stacks = []
    for node, sources in enumerate(inputs):
        alone = [not inputs[source] and readers[source] == 1 for source in sources]
        if all(alone):
            continue
        first = alone.index(False)
        leading = sources[:first]
        following = list(itertools.compress(sources[first:], alone[first:]))
        stacks += [
            Stack(node, tuple(found), leads=found is leading) for found in (leading, following) if found
        ]
    return stacks


def with_stacks(lattice: Lattice, rows: Rows, stacks: Sequence[Stack]) -> tuple[Lattice, Rows]:
    """Return the lattice and its rows with a vertex for every stack, in the rank above its reader and without links.

    A stack stands after the vertex that its reader follows; on that one's other side where this leads and where the
    reader is on the left of the others that follow the same vertex.
    """
    first = len(lattice.rank)
    place = {vertex: index for row in rows for index, vertex in enumerate(row)}
    before: dict[int, list[int]] = {}
    after: dict[int, list[int]] = {}
    rank = list(lattice.rank)
    for vertex, stack in sorted(enumerate(stacks, first), key=lambda pair: place[pair[1].reader]):
        neighbour = lattice.above[stack.reader][0]
        beside = sorted(lattice.below[neighbour], key=place.__getitem__)
        is_left = 2 * beside.index(stack.reader) < len(beside) - 1
        (before if stack.leads or is_left else after).setdefault(neighbour, []).append(vertex)
    rank += [lattice.rank[stack.reader] - 1 for stack in stacks]
    longer = [
        [each for vertex in row for each in (*before.get(vertex, ()), vertex, *after.get(vertex, ()))]
        for row in rows
    ]
    none: list[list[int]] = [[] for _ in stacks]
    return (
        attrs.evolve(lattice, rank=rank, above=[*lattice.above, *none], below=[*lattice.below, *none]),
        longer,
    )


def draw_near(
    x: list[float], rows: Rows, widths: Sequence[float], gap: float, wanted: Callable[[int], float | None]
) -> None:
    """Move every vertex that wants to be elsewhere as near to there as its neighbours in the rank let it."""
    for row in rows:
        for place, vertex in enumerate(row):
            aim = wanted(vertex)
            if aim is None:
                continue
            low, high = -float("inf"), float("inf")
            if place:
                left = row[place - 1]
                low = x[left] + (widths[left] + widths[vertex]) / 2 + gap
            if place + 1 < len(row):
                right = row[place + 1]
                high = x[right] - (widths[right] + widths[vertex]) / 2 - gap
            x[vertex] = max(low, min(aim, high))
