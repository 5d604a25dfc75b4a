"""Packing: what lives at the same time never overlaps, and no more is taken than must be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.kernels.cache_lines import LINE
from app.engine.planning.packing import Tenant, aligned, alive, lay_end_to_end, pack

tenants = st.lists(
    st.tuples(st.integers(0, 1000), st.integers(0, 20), st.integers(0, 8)).map(
        lambda drawn: Tenant(drawn[0], drawn[1], drawn[1] + drawn[2])
    ),
    min_size=1,
    max_size=30,
)


@given(tenants)
def test_contemporaries_do_not_overlap(some: list[Tenant]) -> None:
    for packing in (pack(some), lay_end_to_end(some)):
        for one, (tenant, offset) in enumerate(zip(some, packing.offsets, strict=True)):
            assert offset % LINE == 0
            assert 0 <= offset <= offset + tenant.size <= packing.total
            for other, place in zip(some[:one], packing.offsets[:one], strict=True):
                meet = tenant.birth <= other.death and other.birth <= tenant.death
                apart = offset + tenant.size <= place or place + other.size <= offset
                assert apart or not meet


@given(tenants)
def test_the_total_lies_between_what_lives_at_once_and_all_of_it(some: list[Tenant]) -> None:
    assert max(alive(some)) <= pack(some).total <= lay_end_to_end(some).total
    assert lay_end_to_end(some).total == sum(aligned(tenant.size) for tenant in some)


def test_a_gap_is_used_by_what_fits_best() -> None:
    chain = [Tenant(64 * size, step, step + 1) for step, size in enumerate((4, 1, 3, 1, 4))]
    assert pack(chain).total == 64 * 5
    assert alive(chain) == tuple(64 * total for total in (4, 5, 4, 4, 5, 4))


@pytest.mark.parametrize(
    ("lives", "least"),
    [
        ([(2, 4, 5), (1, 3, 6), (5, 2, 3), (4, 4, 7)], 7),  # the largest first
        ([(3, 0, 1), (3, 1, 4), (2, 4, 4), (3, 1, 1), (4, 3, 5)], 9),  # what is large for long first
        ([(5, 2, 2), (1, 4, 6), (2, 0, 1), (4, 0, 0), (3, 1, 4)], 8),  # as they come
    ],
)
def test_the_best_of_three_orders_is_taken(lives: list[tuple[int, int, int]], least: int) -> None:
    """In each of these another order needs the least, which is what lives at once."""
    some = [Tenant(LINE * size, birth, death) for size, birth, death in lives]
    assert pack(some).total == max(alive(some)) == LINE * least


def test_even_an_empty_array_has_a_place_of_its_own() -> None:
    assert [aligned(size) for size in (0, 1, LINE, LINE + 1)] == [64, 64, 64, 128]
