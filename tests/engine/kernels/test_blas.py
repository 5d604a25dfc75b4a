"""One BLAS thread while it lasts, and the threads before it given back."""

import pytest

from app.engine.kernels import blas


def threads() -> int:
    functions = blas._functions()
    return 1 if functions is None else functions[1]()


def test_threads_come_back_even_after_a_fault() -> None:
    before = threads()
    with blas.OneThread():
        assert threads() == 1
        with blas.OneThread():
            assert threads() == 1
        assert threads() == 1
    assert threads() == before
    with pytest.raises(ZeroDivisionError), blas.OneThread():
        raise ZeroDivisionError
    assert threads() == before


def test_another_blas_is_no_reason_to_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blas, "_functions", lambda: None)
    with blas.OneThread():
        pass
