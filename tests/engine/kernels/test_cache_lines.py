"""Memory that begins on a cache line: what is large does, and holds what its name says."""

import numpy as np
import pytest

from app.engine import Variable, sym
from app.engine.kernels.cache_lines import LINE, SMALL, arena, empty, zeros


@pytest.mark.parametrize("columns", [3, 500, 50_000])
def test_what_is_large_begins_on_a_line(columns: int) -> None:
    for array in (zeros((2, columns), np.float32), empty((2, columns), np.float32)):
        assert (array.shape, array.dtype) == ((2, columns), np.float32)
        assert array.flags.c_contiguous and array.flags.writeable
        if array.nbytes >= SMALL:
            assert array.ctypes.data % LINE == 0
    assert not zeros((2, columns), np.float32).any()


def test_an_arena_begins_on_a_line_however_small() -> None:
    memory = arena(100)
    assert memory.ctypes.data % LINE == 0
    assert memory.nbytes == 100
    assert not memory.any()


def test_what_a_bind_allocates_begins_on_a_line() -> None:
    """Numpy's own memory of a weight this large begins 16 bytes behind a page."""
    executor = sym.FullyConnected(Variable("data"), num_hidden=300, name="fc").simple_bind(
        {"data": (64, 700)}
    )
    arrays = [executor.arg_dict["data"], executor.arg_dict["fc_weight"], executor.grad_dict["fc_weight"]]
    assert [array.ctypes.data % LINE for array in arrays if array is not None] == [0, 0, 0]
