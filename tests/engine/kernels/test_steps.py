"""Steps that copy and reshape do so whatever the memory order of what they are given."""

import numpy as np
import pytest

from app.engine.kernels.steps import copy, in_order, nothing, reading, same_memory, writing
from app.engine.operator import Array


def plain() -> Array:
    return np.arange(24, dtype=np.float32).reshape(4, 6)


def turned() -> Array:
    return np.asfortranarray(plain())


def every_second() -> Array:
    return np.repeat(plain(), 2, axis=1)[:, ::2]


ORDERS = [plain, turned, every_second]


@pytest.mark.parametrize("source", ORDERS)
@pytest.mark.parametrize("target", ORDERS)
@pytest.mark.parametrize("wide", [False, True])
def test_elements_are_copied_row_by_row_into_any_shape(source, target, *, wide: bool) -> None:
    out = target()[:2] if wide else target()
    out[...] = -1
    copy(source().T[:4, :3] if wide else source(), out)()
    np.testing.assert_array_equal(out, plain().T[:4, :3].reshape(2, 6) if wide else plain())


def test_an_array_is_not_copied_onto_itself() -> None:
    array = plain()
    assert copy(array, array.reshape(6, 4)) is nothing
    assert copy(array[:2], array[2:]) is not nothing
    assert not same_memory(array[:1], array)
    assert not same_memory(array, np.asfortranarray(array))


@pytest.mark.parametrize("order", ORDERS)
def test_an_array_is_read_and_written_in_another_shape(order) -> None:
    array = order()
    view, before = reading(array, (24,))
    array += 1  # what is read is what is there when the step runs
    in_order(before)()
    np.testing.assert_array_equal(view, plain().ravel() + 1)
    view, after = writing(array, (2, 12))
    view[...] = 100 + plain().reshape(2, 12)
    in_order(after)()
    np.testing.assert_array_equal(array, 100 + plain())
