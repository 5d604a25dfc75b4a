"""What the programs of all backends share: calls, which of them went wrong, and each node's random stream."""

import zlib
from collections.abc import Callable

import numpy as np

Call = Callable[[], object]


class Misstep(Exception):
    """One of several steps that run as one call went wrong: which one, counted from 0; the cause says how."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def stream_of(node: str, seed: int | None) -> np.random.SeedSequence:
    """Return what the random stream of a node starts from; without a seed it is another one each time."""
    return (
        np.random.SeedSequence()
        if seed is None
        else np.random.SeedSequence([seed, zlib.crc32(node.encode("utf-8", "surrogatepass"))])
    )
