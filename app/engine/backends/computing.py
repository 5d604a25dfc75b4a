"""The choice of what computes: a library and a device. Light enough to be asked before anything is loaded."""

from importlib.util import find_spec
from typing import Self

import attrs

NUMPY = "numpy"
TORCH = "torch"
BACKENDS = (NUMPY, TORCH)
CPU = "cpu"
INSTALL = "Install it with: pip install 'chalkgraph[torch]'. Numpy needs nothing."
NOT_INSTALLED = f"PyTorch is not installed. {INSTALL}"


def is_installed(name: str) -> bool:
    """Tell whether a backend could be used, without loading it."""
    return name == NUMPY or (name == TORCH and find_spec("torch") is not None)


@attrs.frozen
class Computing:
    """Which library computes, and on which device: `numpy`, `torch:cpu`, `torch:cuda:0` in one word."""

    backend: str = NUMPY
    device: str = CPU

    @classmethod
    def read(cls, word: str) -> Self:
        """Read the word; ValueError for another library."""
        backend, _, device = word.partition(":")
        if backend not in BACKENDS:
            raise ValueError(f"{backend!r} is none of {', '.join(BACKENDS)}")
        return cls(backend, device or CPU)

    @property
    def word(self) -> str:
        """Both in one word."""
        return NUMPY if self.backend == NUMPY else f"{self.backend}:{self.device}"

    @property
    def title(self) -> str:
        """What people read: "PyTorch on cuda:0"."""
        if self.backend == NUMPY:
            return "numpy"
        return "PyTorch" if self.device == CPU else f"PyTorch on {self.device}"
