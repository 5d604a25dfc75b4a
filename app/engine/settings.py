"""Reads the settings of operators from texts, equal ones once."""

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from app.engine.errors import ParameterError
from app.engine.params import Parameter, parse_attributes, read_each
from app.engine.reconciling import reconcile, with_advice

if TYPE_CHECKING:
    from app.engine.operator import Operator

PORT_COUNTS = frozenset(("num_args", "num_arrays", "num_outputs", "num_layers", "sections"))


@lru_cache(maxsize=4096)
def read_settings(
    operator_class: "type[Operator]", texts: tuple[tuple[str, str], ...], most_ports: int
) -> "Operator":
    """Make an operator of MXNet's attribute texts; ParameterError tells which one is wrong and why.

    `most_ports` bounds the settings that make so many inputs, outputs or layers.
    """
    if not operator_class.parameters:
        return operator_class()  # an operator without parameters keeps unknown attributes
    values = (_read_late if operator_class.reads_late else parse_attributes)(
        operator_class.parameters, dict(texts), operator_class.op_name
    )
    for name in PORT_COUNTS & values.keys():
        if values[name] > most_ports:
            raise ParameterError(f"{name} is {values[name]}; at most {most_ports} make sense.", port=name)
    made = operator_class(**values)
    try:
        made.check()
    except ParameterError as error:
        found = [mend.words for mend in reconcile(made, error)]
        raise ParameterError(with_advice(error.sentence, found), port=error.port) from None
    return made


def _read_late(
    parameters: tuple[Parameter, ...], attributes: Mapping[str, str], operator: str
) -> dict[str, Any]:
    """Read what is right, and keep what is wrong for whoever asks for a gradient."""
    values, faults = read_each(parameters, attributes, operator)
    return {**values, "unread": faults[0].sentence} if faults else values
