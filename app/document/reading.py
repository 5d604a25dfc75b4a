"""What a node on the board is: its operator, its ports and outputs, and what is wrong with its settings."""

from collections.abc import Mapping
from functools import cached_property, lru_cache
from typing import Literal

import attrs

from app.document.records import GROUP, VARIABLE, Arity, Node
from app.document.starting_values import required_values, starting_values
from app.engine.errors import EngineError
from app.engine.opaque import Opaque
from app.engine.operator import Operator, Port
from app.engine.params import read_each
from app.engine.registry import find_operator

Kind = Literal["variable", "group", "operator", "unknown"]


@attrs.frozen
class Fault:
    """One thing that is wrong with a node itself: the parameter to blame, if one is, and a sentence."""

    parameter: str | None
    sentence: str


@attrs.frozen(eq=False)
class Reading:
    """A node's operator and what is wrong with its settings.

    Where settings are wrong, `operator` stands in with something valid in their place, so that the node keeps its ports
    while the user types. An operator that is not known is opaque: its node means something, but can't run. None stands
    for a Variable, a Group, and an unknown operator of which nothing tells its inputs and outputs.
    """

    kind: Kind
    operator: Operator | None = None
    faults: tuple[Fault, ...] = ()

    @cached_property
    def ports(self) -> tuple[Port, ...]:
        """The inputs, then the auxiliary states; none for a Group, whose wires make them."""
        return self.operator.ports if self.operator is not None else ()

    @property
    def is_opaque(self) -> bool:
        """Tell whether the node is kept as it came, though nothing here can run it."""
        return isinstance(self.operator, Opaque)

    @cached_property
    def output_count(self) -> int:
        """The number of visible outputs."""
        if self.operator is not None:
            return len(self.operator.outputs)
        return 1 if self.kind == "variable" else 0

    @property
    def variadic(self) -> str:
        """The parameter that counts the inputs, or nothing."""
        return self.operator.variadic if self.operator is not None else ""

    @property
    def takes_any_number(self) -> bool:
        """Tell whether one more wire makes one more input."""
        return self.kind == "group" or bool(self.variadic)

    def is_auxiliary(self, number: int) -> bool:
        """Tell whether an input is an auxiliary state."""
        return self.operator is not None and number >= len(self.ports) - len(self.operator.auxiliary)

    def output_names(self, name: str) -> tuple[str, ...]:
        """Return the names of the visible outputs of a node of this kind called `name`."""
        if self.operator is not None:
            return tuple(f"{name}_{suffix}" for suffix in self.operator.outputs)
        return (name,) if self.kind == "variable" else ()


def read_node(node: Node) -> Reading:
    """Read a node's operator and settings; what is wrong is in the result, never raised."""
    if node.op == VARIABLE:
        return _VARIABLE
    if node.op == GROUP:
        return _GROUP
    return _read(node.op, tuple(node.params.items()), node.arity)


_VARIABLE = Reading("variable")
_GROUP = Reading("group")


@lru_cache(maxsize=4096)
def _read(op: str, texts: tuple[tuple[str, str], ...], arity: Arity | None) -> Reading:
    try:
        operator_class = find_operator(op)
    except EngineError as error:
        if arity is None:
            return Reading("unknown", None, (Fault(None, error.sentence),))
        return Reading("unknown", Opaque(arity.inputs, arity.outputs, arity.hidden))
    params = dict(texts)
    try:
        operator = operator_class.from_attributes(params)
        return Reading("operator", operator, _faults(operator_class, params) if operator.unread else ())
    except EngineError as error:
        faults = _faults(operator_class, params) or (Fault(error.port, error.sentence),)
    return Reading("operator", _stand_in(operator_class, params, faults), faults)


def _faults(operator_class: type[Operator], params: Mapping[str, str]) -> tuple[Fault, ...]:
    """List every setting that is wrong by itself; combinations are left to the operator."""
    _, faults = read_each(operator_class.parameters, params, operator_class.op_name)
    return tuple(Fault(fault.port, fault.sentence) for fault in faults)


def _stand_in(
    operator_class: type[Operator], params: Mapping[str, str], faults: tuple[Fault, ...]
) -> Operator | None:
    wrong = {fault.parameter for fault in faults}
    right = {name: text for name, text in params.items() if name not in wrong}
    for texts in ({**required_values(operator_class), **right}, starting_values(operator_class)):
        try:
            return operator_class.from_attributes(texts)
        except EngineError:
            continue
    return None
