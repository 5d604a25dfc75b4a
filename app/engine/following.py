"""How a run is followed step by step: what each step tells, and how the run is asked to end."""

from typing import Literal, Protocol

import attrs


class Cancel(Protocol):
    """Asks a long run to end; `threading.Event` is one."""

    def is_set(self) -> bool:
        """Tell whether the run is to stop."""


@attrs.frozen
class StepDone:
    """One step of a run is done: its number, the pass, the executor nodes that it finished, and its seconds."""

    number: int
    phase: Literal["forward", "backward"]
    nodes: tuple[int, ...]
    seconds: float
