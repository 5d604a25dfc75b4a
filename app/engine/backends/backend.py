"""The seam behind which another library computes the steps of a bind.

The executor keeps what a user sees: the arrays from outside, the outputs, the order of the steps, the words of a
refusal. A backend turns each step into a call and moves arrays between its own memory and those of the executor.
Numpy needs no such class: its arrays are the executor's own.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

import attrs

from app.engine.operator import Array
from app.engine.planning.plan import ArrayKey

if TYPE_CHECKING:
    from app.engine.settled import Binding

Call = Callable[[], object]
Arrays = dict[ArrayKey, Array]


@attrs.frozen
class HostNode:
    """A node that the backend leaves to numpy, and why."""

    name: str
    op_name: str
    reason: str


class Program(Protocol):
    """The steps of one bind, one call each in the order of the plan.

    The first call of a pass brings in what was written into the executor's arrays since, and each call leaves there
    what its step computed: outputs, gradients, auxiliary states.
    """

    predict: Sequence[Call]
    train: Sequence[Call]
    backward: Sequence[Call]
    host_nodes: tuple[HostNode, ...]

    def seed(self, seed: int | None) -> None:
        """Start the random stream of every node anew."""

    def wait(self) -> None:
        """Return when everything that the calls so far handed to the device is computed."""

    def array(self, key: ArrayKey) -> Array | None:
        """Return an array that is not the executor's own; None where it is not computed yet, or kept no longer."""


class Backend(Protocol):
    """Makes the programs of binds on one device."""

    name: str
    device: str

    def free_memory(self) -> int | None:
        """Return the bytes that a device of its own can still give; None where it has none of its own."""

    def allocate(self, binding: "Binding") -> Arrays:
        """Return the executor's arrays that are not from outside: the outputs, and the gradients handed in."""

    def prepare(self, binding: "Binding", arrays: Arrays) -> Program:
        """Turn the steps of the plan into calls; `arrays` also holds variables, gradient holders, head gradients."""
