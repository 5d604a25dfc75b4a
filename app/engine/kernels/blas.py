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
from types import TracebackType

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
    """Return numpy's own BLAS's calls to set and get its threads; None where it is another BLAS."""
    for library in libraries():
        for spelling in _SPELLINGS:
            if hasattr(library, spelling.format("set_num_threads")):
                setter = getattr(library, spelling.format("set_num_threads"))
                getter = getattr(library, spelling.format("get_num_threads"))
                return setter, getter
    return None


def allowed_threads() -> int | None:
    """Return how many threads a product may use, None where it is another BLAS that cannot be asked."""
    functions = _functions()
    return None if functions is None else functions[1]()


class _Asking:
    """How many contexts ask for one thread, and how many there were before the first."""

    lock = threading.Lock()
    contexts = 0
    before = 1


class OneThread:
    """While this context lasts, in whichever thread, every product runs in the thread that asks for it."""

    def __enter__(self) -> None:
        """Remember the number of threads, if nobody has yet, and ask for one."""
        functions = _functions()
        if functions is None:
            return
        with _Asking.lock:
            if _Asking.contexts == 0:
                _Asking.before = functions[1]()
                if _Asking.before > 1:
                    functions[0](1)
            _Asking.contexts += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give back the threads that were there, if this is the last to go."""
        functions = _functions()
        if functions is None:
            return
        with _Asking.lock:
            _Asking.contexts -= 1
            if _Asking.contexts == 0 and _Asking.before > 1:
                functions[0](_Asking.before)


def one_thread(step: Callable[[], object]) -> Callable[[], object]:
    """Return the step that runs another with one thread per product."""

    def run() -> None:
        with OneThread():
            step()

    return run


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
