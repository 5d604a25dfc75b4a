"""What is wrong with a node's settings, parameter by parameter, all at once."""

from collections.abc import Mapping

from app.engine.errors import ParameterError
from app.engine.operator import Operator


def wrong_settings(operator: type[Operator], params: Mapping[str, str]) -> dict[str, str]:
    """Return a sentence for each parameter that cannot be used as it stands; "" holds one that blames no parameter.

    A required parameter that is not set is no mistake of the user's yet; the form shows it as needed.
    """
    known = {parameter.name: parameter for parameter in operator.parameters}
    if not known:
        return {}  # such an operator keeps whatever it is told, as MXNet does
    wrong = {}
    for name, text in params.items():
        if name.startswith("__"):
            continue
        if name not in known:
            wrong[name] = f"{operator.op_name} has no parameter called {name}."
            continue
        try:
            known[name].parse(text)
        except ParameterError as error:
            wrong[name] = error.sentence
    missing = any(parameter.required and parameter.name not in params for parameter in known.values())
    if not wrong and not missing:
        try:
            operator.from_attributes(params)
        except ParameterError as error:
            wrong[error.port if error.port in known else ""] = error.sentence
    return wrong
