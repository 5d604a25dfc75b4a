"""Sets of bytes, compared with plain sets of numbers."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.engine.passes.territory import Bytes, bytes_of

RUNS = st.lists(
    st.tuples(st.integers(0, 30), st.integers(1, 6)).map(lambda run: (run[0], sum(run))), max_size=8
)


def plain(runs: list[tuple[int, int]]) -> set[int]:
    return {place for start, end in runs for place in range(start, end)}


@given(RUNS, RUNS, RUNS)
def test_bytes_meet_where_sets_of_numbers_do(first: list, more: list, asked: list) -> None:
    taken = Bytes(first)
    taken.add(more)
    assert taken.meets(asked) == bool((plain(first) | plain(more)) & plain(asked))


@given(st.data())
def test_the_bytes_of_a_view_are_those_of_its_elements(data: st.DataObject) -> None:
    array = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)
    cuts = tuple(
        slice(data.draw(st.integers(0, size - 1)), size, data.draw(st.integers(1, 2))) for size in array.shape
    )
    view = array[cuts].transpose(data.draw(st.permutations(range(3))))
    start = array.__array_interface__["data"][0]
    elements = {start + 2 * int(number) + byte for number in view.ravel() for byte in (0, 1)}
    assert plain(list(bytes_of(view))) == elements


def test_many_runs_count_as_all_between_them_and_nothing_as_nothing() -> None:
    array = np.zeros((1000, 2), np.float32)
    ((start, end),) = bytes_of(array[:, :1])
    assert end - start == array.nbytes - 4
    assert bytes_of(array[:0]) == ()
    ((start, end),) = bytes_of(array[::-1])
    assert (start, end) == bytes_of(array)[0]
