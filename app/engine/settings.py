"""Reads the settings of operators from texts, equal ones once."""

from functools import lru_cache
from typing import TYPE_CHECKING

from app.engine.errors import ParameterError
from app.engine.params import parse_attributes
from app.engine.reconciling import reconcile, with_advice

if TYPE_CHECKING:
    from app.engine.operator import Operator

PORT_COUNTS = frozenset(("num_args", "num_outputs", "num_layers"))


@lru_cache(maxsize=4096)
def read_settings(
    operator_class: "type[Operator]", texts: tuple[tuple[str, str], ...], most_ports: int
) -> "Operator":
    """Make an operator of MXNet's attribute texts; ParameterError tells which one is wrong and why.

    `most_ports` bounds the settings that make so many inputs, outputs or layers.
    """
    if not operator_class.parameters:
        return operator_class()  # an operator without parameters keeps unknown attributes
    values = parse_attributes(operator_class.parameters, dict(texts), operator_class.op_name)
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
