"""One layer bound and run with given arrays, the way a user of the engine does it."""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from app.engine import Symbol, Variable, sym


@attrs.frozen
class Ran:
    """What a run left behind."""

    outputs: list[Any]
    grads: dict[str, Any]
    args: dict[str, Any]
    aux: dict[str, Any]

    @property
    def out(self) -> Any:
        return self.outputs[0]


def single(value: Any) -> Any:
    return np.array(value, np.float32)


def layer(name: str, **settings: Any) -> Symbol:
    """Make a node named `op` of an operator over a variable `data`."""
    return getattr(sym, name)(Variable("data"), name="op", **settings)


def ran(
    symbol: Symbol,
    arrays: Mapping[str, Any],
    *,
    train: bool = True,
    heads: Sequence[Any] | None = None,
    request: Any = "write",
    before: Mapping[str, Any] | None = None,
) -> Ran:
    """Bind arrays by name (auxiliary states too), run forward, and backward if there are `heads`.

    Heads may be empty, for a loss. `before` fills gradient buffers.
    """
    given = {name: np.array(value) for name, value in arrays.items()}
    args = {name: given[name] for name in symbol.list_arguments()}
    aux = {name: given[name] for name in symbol.list_auxiliary_states()}
    buffers = {name: np.zeros_like(array) for name, array in args.items()}
    buffers.update({name: np.array(value) for name, value in (before or {}).items()})
    executor = symbol.bind(args, buffers if heads is not None else None, request, aux)
    outputs = [out.copy() for out in executor.forward(is_train=train)]
    if heads is not None:
        executor.backward([np.array(head) for head in heads] or None)
    grads = {} if heads is None else {k: v for k, v in executor.grad_dict.items() if v is not None}
    return Ran(outputs, grads, args, aux)
