"""Packing: what lives at the same time never overlaps, and no more is taken than must be."""

from hypothesis import given
from hypothesis import strategies as st

from app.engine.planning.packing import ALIGNMENT, Tenant, aligned, alive, arena, lay_end_to_end, pack

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
            assert offset % ALIGNMENT == 0
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


def test_memory_begins_on_a_cache_line() -> None:
    memory = arena(100)
    assert memory.ctypes.data % ALIGNMENT == 0
    assert memory.nbytes == 100
    assert not memory.any()
