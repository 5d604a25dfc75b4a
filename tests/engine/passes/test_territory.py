"""What two threads touch, compared with plain sets of bytes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.engine.operator import Array
from app.engine.passes.stretches import half
from app.engine.passes.tasks import Given
from app.engine.passes.territory import MOST_RUNS, Access, Extent, Share, clash, extent_of, overlaps, shares
from app.engine.split import Split

SHARES = st.builds(
    lambda start, length, gap, runs: Share(start, length, length + gap, runs),
    st.integers(0, 40),
    st.integers(1, 6),
    st.integers(0, 6),
    st.integers(1, 5),
)
EXTENTS = st.tuples(st.integers(0, 30), st.integers(1, 9)).map(lambda extent: (extent[0], sum(extent)))


def plain(share: Share) -> set[int]:
    """List the bytes of a share."""
    starts = [share.start + run * share.period for run in range(share.runs)]
    return {place for start in starts for place in range(start, start + share.length)}


def elements(array: Array) -> set[int]:
    """List the bytes of an array, element by element."""
    base = np.zeros((), array.dtype) if array.base is None else array.base
    assert isinstance(base, np.ndarray)
    start, size = base.__array_interface__["data"][0], array.itemsize
    return {start + size * int(number) + byte for number in array.ravel() for byte in range(size)}


@given(SHARES, SHARES)
def test_shares_meet_where_sets_of_numbers_do(one: Share, other: Share) -> None:
    assert one.meets(other) == other.meets(one) == bool(plain(one) & plain(other))


@given(st.lists(st.integers(2, 5), min_size=1, max_size=4), st.data())
def test_the_shares_of_an_array_are_the_bytes_of_its_halves(shape: list[int], data: st.DataObject) -> None:
    array = np.arange(np.prod(shape), dtype=np.int16).reshape(shape)
    axis = data.draw(st.none() | st.integers(0, len(shape) - 1))
    for number, share in enumerate(shares(array, extent_of(array), axis)):
        (own,) = half(Split((axis,), ()), Given([array]), number).all_ins
        assert plain(share) == elements(own)


def test_halves_in_very_many_runs_count_with_all_between_them() -> None:
    array = np.zeros((MOST_RUNS + 1, 2), np.float32)
    first, second = shares(array, extent_of(array), 1)
    assert first.length == second.length == array.nbytes - 4
    assert first.meets(second)
    first, second = shares(array[1:], extent_of(array[1:]), 1)
    assert not first.meets(second)


def test_an_array_in_another_order_counts_whole_for_both() -> None:
    array = np.zeros((4, 6), np.float32).T
    first, second = shares(array, extent_of(array), 0)
    assert first == second == Share(extent_of(array)[0], array.nbytes, array.nbytes, 1)


@given(st.lists(EXTENTS, max_size=9))
def test_extents_overlap_where_sets_of_numbers_do(extents: list[Extent]) -> None:
    for extent, others in overlaps(extents).items():
        assert set(others) == {other for other in extents if set(range(*extent)) & set(range(*other))}
        assert len(others) == len(set(others))


def test_threads_clash_only_over_what_one_of_them_writes_and_the_other_touches() -> None:
    extent = (0, 8)
    low, high, whole = Share(0, 4, 8, 1), Share(4, 4, 8, 1), Share(0, 8, 8, 1)
    reads, writes = (Access(extent, low, high, way) for way in (False, True))
    assert not clash(reads, writes)  # each keeps to its half
    assert not clash(Access(extent, whole, whole, False), reads)
    assert clash(Access(extent, whole, whole, False), writes)
    alone = Access(extent, whole, None, True)
    assert not clash(alone, alone)  # both times it is the first thread
    assert clash(alone, reads)
