"""Lines of a program for what is not right yet: comments that hold what was typed."""

from collections.abc import Mapping

from app.document.reading import Reading
from app.document.records import Node
from app.engine.errors import EngineError
from app.services.code.names import literal


def remark(text: str) -> str:
    """Return a text as a comment of one line, whatever signs are in it."""
    return "# " + "".join(sign if sign.isprintable() else " " for sign in text).strip()


def as_typed(node: Node, reading: Reading, wired: Mapping[int, str]) -> str:
    """Return the arguments of a node's call: its inputs, its settings, the wrong ones as they are, and its name."""
    ports = reading.ports
    inputs = [
        f"{ports[number].name}={text}" if number < len(ports) else text
        for number, text in sorted(wired.items())
    ]
    settings = [f"{name}={_spelled(reading, name, text)}" for name, text in node.params.items()]
    return ", ".join([*inputs, *settings, f"name={node.name!r}"])


def _spelled(reading: Reading, name: str, text: str) -> str:
    """Write a setting in Python where it can be read, else as it was typed."""
    declared = reading.operator.parameters if reading.operator is not None else ()
    for parameter in declared:
        if parameter.name == name:
            try:
                return literal(parameter.parse(text))
            except EngineError:
                return text or "''"
    return text or "''"
