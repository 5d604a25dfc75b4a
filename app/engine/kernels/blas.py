"""How many threads the BLAS spends on one product.

A product that takes ten microseconds loses more by waking a second thread than it gains: a convolution made of such
products ran four times slower. So they run with one thread, which costs half a microsecond to say.
"""

import ctypes
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import ClassVar

import numpy as np

_SPELLINGS = ("scipy_openblas_{}64_", "scipy_openblas_{}", "openblas_{}64_", "openblas_{}")
_WITH_SMALL_PRODUCTS = ("SkylakeX", "Cooperlake", "SapphireRapids")


@cache
def libraries() -> tuple[ctypes.CDLL, ...]:
    """Load the OpenBLAS that lies beside numpy, where numpy came with one."""
    package = Path(np.__file__).parent
    found = []
    for folder in (package.parent / "numpy.libs", package / ".dylibs"):
        for path in sorted(folder.glob("*openblas*")):
            try:
                found.append(ctypes.CDLL(str(path)))
            except OSError:
                continue
    return tuple(found)


@cache
def has_small_products() -> bool:
    """Tell whether the BLAS multiplies small matrices without packing them first: OpenBLAS's 512-bit kernels do."""
    names = (library.gotoblas_corename for library in libraries() if hasattr(library, "gotoblas_corename"))
    for name in names:
        name.restype = ctypes.c_char_p
        return name().decode() in _WITH_SMALL_PRODUCTS
    return False


@cache
def _functions() -> tuple[Callable[[int], object], Callable[[], int]] | None:
    """Return numpy's own BLAS's calls to set and get its threads; None where it is another BLAS.

    They keep Python's lock: they take less time than getting that back while another thread computes.
    """
    for library in libraries():
        for spelling in _SPELLINGS:
            if hasattr(library, spelling.format("set_num_threads")):
                setter = ctypes.PYFUNCTYPE(None, ctypes.c_int)((spelling.format("set_num_threads"), library))
                getter = ctypes.PYFUNCTYPE(ctypes.c_int)((spelling.format("get_num_threads"), library))
                return setter, getter
    return None


class _Asking:
    """Who wants one thread per product, by locks that are held meanwhile, and the threads that there were before."""

    lock = threading.Lock()
    held: ClassVar[list[threading.Lock]] = []
    before: int | None = None


def allowed_threads() -> int | None:
    """Return how many threads a product may use where nobody asks for one, None where another BLAS cannot be asked."""
    functions = _functions()
    if functions is None:
        return None
    with _Asking.lock:  # else somebody may ask for one just between the two
        return _Asking.before or functions[1]()


def one_thread(step: Callable[[], object]) -> Callable[[], object]:
    """Return the step that runs another while every product, in whichever thread, runs in the thread that asks for it.

    An interrupt may come after any call of a function. Who has asked is always read off a lock, though, and a `with` of
    such a lock cannot be left halfway. The threads are given back twice, in case the first time is interrupted; if both
    are, the next step does it.
    """

    def run() -> None:
        functions = _functions()
        if functions is None:
            step()
            return
        mine = threading.Lock()
        try:
            try:
                with mine:
                    _ask(mine, *functions)
                    step()
            finally:
                _give_back(*functions)
        finally:
            _give_back(*functions)

    return run


def _ask(mine: threading.Lock, set_threads: Callable[[int], object], get_threads: Callable[[], int]) -> None:
    with _Asking.lock:
        if _Asking.before is None:
            _Asking.before = get_threads()
        _Asking.held = [*_Asking.held, mine]
        if _Asking.before > 1:
            set_threads(1)


def _give_back(set_threads: Callable[[int], object], _get_threads: Callable[[], int]) -> None:
    """Set the threads back where nobody asks any more."""
    if _Asking.before is None:
        return
    with _Asking.lock:
        _Asking.held = [lock for lock in _Asking.held if lock.locked()]
        if not _Asking.held and _Asking.before is not None:
            if _Asking.before > 1:
                set_threads(_Asking.before)
            _Asking.before = None


_for_one_thread: ContextVar[bool] = ContextVar(
    "steps are prepared to run with one thread per product", default=False
)


@contextmanager
def for_one_thread() -> Iterator[None]:
    """Say that the steps which are prepared meanwhile will run with one thread per product."""
    token = _for_one_thread.set(True)
    try:
        yield
    finally:
        _for_one_thread.reset(token)


def is_for_one_thread() -> bool:
    """Tell whether a step that is prepared now will run with one thread per product."""
    return _for_one_thread.get() or allowed_threads() == 1
