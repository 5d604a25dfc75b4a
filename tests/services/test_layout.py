"""Layered layout: nothing overlaps, wires follow the flow, the same drawing each time, and quickly."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.document.records import Point
from app.services.layered import order
from app.services.layered.order import SWEEPS
from app.services.layered.ranks import Lattice, make_lattice
from app.services.layout import Direction, LayoutOptions, Size, layered

Edges = list[tuple[str, str]]
FLOW = {"down": (1, 1), "up": (1, -1), "right": (0, 1), "left": (0, -1)}


@st.composite
def drawings(draw: st.DrawFn) -> tuple[dict[str, Size], Edges]:
    """A graph without cycles, its nodes of many sizes and in any order."""
    count = draw(st.integers(1, 14))
    names = [f"n{number}" for number in range(count)]
    lengths = st.sampled_from([24.0, 40.0, 112.0, 192.0])
    sizes = {name: (draw(lengths), draw(lengths)) for name in draw(st.permutations(names))}
    pairs = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)).filter(
        lambda pair: pair[0] < pair[1]
    )
    edges = draw(st.lists(pairs, max_size=24)) if count > 1 else []
    return sizes, [(names[one], names[two]) for one, two in edges]


def _overlaps(sizes: dict[str, Size], places: dict[str, Point], least: float) -> list[tuple[str, str]]:
    names = list(sizes)
    found = []
    for index, one in enumerate(names):
        for two in names[index + 1 :]:
            gaps = [
                abs(places[one][axis] - places[two][axis]) - (sizes[one][axis] + sizes[two][axis]) / 2
                for axis in (0, 1)
            ]
            if max(gaps) < least:
                found.append((one, two))
    return found


@given(drawings(), st.sampled_from(sorted(FLOW)), st.sampled_from([0.0, 500.0]))
def test_nothing_overlaps_and_every_node_is_on_the_grid(
    drawing: tuple[dict[str, Size], Edges], direction: Direction, wrap: float
) -> None:
    sizes, edges = drawing
    options = LayoutOptions(direction=direction, wrap=wrap, node_gap=16, rank_gap=32)
    places = layered(sizes, edges, options)
    assert list(places) == list(sizes)
    assert _overlaps(sizes, places, least=16) == []
    assert all(value % 8 == 0 for point in places.values() for value in point)


@given(drawings(), st.sampled_from(sorted(FLOW)))
def test_every_wire_follows_the_flow(drawing: tuple[dict[str, Size], Edges], direction: Direction) -> None:
    sizes, edges = drawing
    places = layered(sizes, edges, LayoutOptions(direction=direction))
    axis, sign = FLOW[direction]
    for source, target in edges:
        away = sign * (places[target][axis] - places[source][axis])
        assert away >= (sizes[source][axis] + sizes[target][axis]) / 2 + 48


@given(drawings())
def test_the_same_drawing_gives_the_same_layout(drawing: tuple[dict[str, Size], Edges]) -> None:
    sizes, edges = drawing
    assert layered(sizes, edges) == layered(dict(sizes), list(edges))


@given(drawings())
def test_rows_that_wrap_stay_within_the_length(drawing: tuple[dict[str, Size], Edges]) -> None:
    sizes, edges = drawing
    connected = [*edges, *(("n0", name) for name in sizes if name != "n0")]
    places = layered(sizes, connected, LayoutOptions(direction="right", wrap=700.0))
    left = min(x - sizes[name][0] / 2 for name, (x, _) in places.items())
    right = max(x + sizes[name][0] / 2 for name, (x, _) in places.items())
    assert right - left <= 700 + 8


def test_a_long_chain_goes_on_in_a_next_row() -> None:
    names = [f"n{number}" for number in range(7)]
    sizes = dict.fromkeys(names, (192.0, 112.0))
    chain = list(itertools.pairwise(names))
    places = layered(sizes, chain, LayoutOptions(direction="right", wrap=1000.0))
    rows = sorted({y for _, y in places.values()})
    assert [sum(y == row for _, y in places.values()) for row in rows] == [4, 3]
    assert max(x for x, _ in places.values()) - min(x for x, _ in places.values()) + 192 <= 1000
    assert places["n0"][0] == places["n4"][0]


def test_rows_break_where_one_wire_leads_on() -> None:
    names = [f"n{number}" for number in range(9)]
    chain = list(itertools.pairwise(names))
    skips = [("n0", "n3"), ("n3", "n8")]
    options = LayoutOptions(direction="right", wrap=1300.0)
    places = layered(dict.fromkeys(names, (192.0, 112.0)), [*chain, *skips], options)
    assert places["n4"][0] < places["n3"][0], "though five and four would be more even than four and five"
    assert places["n4"][1] > places["n3"][1]


def test_the_first_input_comes_first() -> None:
    places = layered(dict.fromkeys("ABCDE", (40.0, 24.0)), [("A", "C"), ("B", "C"), ("C", "E"), ("D", "E")])
    assert places["A"][0] < places["B"][0] < places["D"][0]
    assert abs(places["C"][0] - (places["A"][0] + places["B"][0]) / 2) <= 4, "in the middle, but for the grid"
    assert places["D"][1] == places["C"][1], "a Variable lies next to what reads it"


def test_a_skip_wire_runs_beside_what_it_skips() -> None:
    names = [f"n{number}" for number in range(6)]
    chain = list(itertools.pairwise(names))
    places = layered(dict.fromkeys(names, (140.0, 60.0)), [*chain, ("n0", "n5")], LayoutOptions(node_gap=24))
    assert places["n0"][0] == places["n5"][0]
    for name in names[1:5]:
        assert abs(places[name][0] - places["n0"][0]) >= 70 + 24


def _layers(count: int, arguments: str) -> Edges:
    edges = []
    for number in range(1, count):
        edges.append((f"n{number - 1}", f"n{number}"))
        edges += [(f"n{number}_{argument}", f"n{number}") for argument in arguments]
    return edges


def test_layers_with_arguments_of_their_own_stay_in_line() -> None:
    edges = [("data", "n0"), *_layers(6, "abcd")]
    sizes = {name: (192.0, 112.0) if "_" not in name else (88.0, 64.0) for edge in edges for name in edge}
    places = layered(sizes, edges, LayoutOptions(direction="right"))
    assert len({places[f"n{number}"][1] for number in range(6)}) == 1
    for number in range(1, 6):
        beside = [places[f"n{number}_{argument}"] for argument in "abcd"]
        assert {x for x, _ in beside} == {places[f"n{number - 1}"][0]}, (
            "where the flow into the layer comes from"
        )
        heights = [y for _, y in beside]
        assert heights == sorted(heights) and heights[0] > places["n0"][1], (
            "below it, in the order of the inputs"
        )
        assert heights[-1] - heights[0] == 3 * (64 + 16), "close together"


def test_arguments_go_to_the_side_of_their_reader() -> None:
    branches = [("root", "left"), ("root", "right"), ("left", "end"), ("right", "end")]
    own = [("left_w", "left"), ("right_w", "right"), ("first", "end")]
    edges = [*branches[:1], own[0], branches[1], own[1], own[2], *branches[2:]]
    sizes = {name: (40.0, 24.0) for edge in edges for name in edge}
    across = {name: x for name, (x, _) in layered(sizes, edges).items()}
    assert across["left_w"] < across["root"] < across["right_w"]
    assert across["first"] < across["left"], "the first input goes first"


def test_what_is_computed_from_arguments_alone_lies_next_to_what_reads_it() -> None:
    chain = [(f"n{number}", f"n{number + 1}") for number in range(8)]
    places = layered(
        dict.fromkeys([*(f"n{number}" for number in range(9)), "anchors", "cut"], (40.0, 24.0)),
        [*chain, ("cut", "n8"), ("anchors", "cut")],
    )
    assert places["cut"][1] == places["n7"][1]
    assert places["anchors"][1] == places["n6"][1]


@given(st.lists(st.tuples(st.sampled_from("ABCD"), st.sampled_from("ABCD")), max_size=10))
def test_cycles_are_drawn_too(edges: Edges) -> None:
    sizes = dict.fromkeys("ABCD", (40.0, 24.0))
    assert _overlaps(sizes, layered(sizes, edges), least=16) == []


def test_an_empty_board_has_an_empty_layout() -> None:
    assert layered({}, []) == {}


def test_wires_to_nodes_that_are_not_laid_out_are_passed_over() -> None:
    assert set(layered({"A": (40.0, 24.0)}, [("A", "B")])) == {"A"}


def placed(rows: list[list[int]]) -> list[int]:
    """Return the place of every vertex in its row."""
    places = {vertex: place for row in rows for place, vertex in enumerate(row)}
    return [places[vertex] for vertex in range(len(places))]


def crossings_of(lattice: Lattice, rows: list[list[int]]) -> int:
    """Count every pair of links that cross, one by one."""
    position = placed(rows)
    links = [(vertex, other) for vertex, below in enumerate(lattice.below) for other in below]
    return sum(
        lattice.rank[one] == lattice.rank[two]
        and (position[one] - position[two]) * (position[other] - position[another]) < 0
        for (one, other), (two, another) in itertools.combinations(links, 2)
    )


@given(st.integers(0, 10_000))
def test_sweeps_and_swaps_never_make_it_worse(seed: int) -> None:
    source = random.Random(seed)
    edges = [(source.randrange(12), source.randrange(12)) for _ in range(18)]
    lattice = make_lattice(12, [(min(edge), max(edge)) for edge in edges])
    found = []
    for sweeps, rounds in [*((sweeps, 0) for sweeps in range(SWEEPS + 1)), (SWEEPS, 100)]:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(order, "SWEEPS", sweeps)
            patched.setattr(order, "SWAP_ROUNDS", rounds)
            rows = order.ordered_rows(lattice)
        found.append(crossings_of(lattice, rows))
        assert found[-1] == order.count_crossings(lattice, rows, placed(rows))
        assert [sorted(row) for row in rows] == [
            [vertex for vertex, rank in enumerate(lattice.rank) if rank == level]
            for level in range(lattice.rank_count)
        ]
    assert found == sorted(found, reverse=True)
    for row in rows:  # in the end no two neighbours would cross less the other way round
        for place in range(len(row) - 1):
            row[place : place + 2] = reversed(row[place : place + 2])
            assert crossings_of(lattice, rows) >= found[-1]
            row[place : place + 2] = reversed(row[place : place + 2])


def test_two_rows_that_can_be_untangled_are() -> None:
    lattice = make_lattice(8, [(0, 7), (1, 6), (2, 5), (3, 4), (0, 6), (1, 5), (2, 4)])
    assert crossings_of(lattice, order.ordered_rows(lattice)) == 0


@pytest.mark.parametrize("branches", [1, 4])
def test_a_thousand_operators_have_each_a_place(branches: int) -> None:
    names = [f"n{number}" for number in range(1000)]
    edges = list(itertools.pairwise(names)) if branches == 1 else []
    for first in range(0, 990, 5):
        for branch in range(branches):
            edges += [
                (names[first], names[first + 1 + branch]),
                (names[first + 1 + branch], names[first + 5]),
            ]
    places = layered(dict.fromkeys(names, (192.0, 112.0)), edges)
    assert places.keys() == set(names)
    assert len(set(places.values())) == 1000
