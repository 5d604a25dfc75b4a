"""The call of an operator that is not known here, for an MXNet that has it."""

from collections.abc import Mapping
from keyword import iskeyword

from app.document.names import argument_name
from app.document.records import Node
from app.engine.operator import Operator

_TAKEN = ("name", "attr")


def note(node: Node) -> str:
    """Say what is to be thought of the call."""
    if node.subgraphs:
        return f"{node.op} holds graphs of its own, which a call can't pass on. The symbol file keeps them."
    return f"{node.op} is not known to Chalkgraph: the next line works where MXNet has this operator."


def function(op: str) -> str:
    """Return where MXNet keeps an operator, whatever its name is."""
    place = "mx.sym._internal" if op.startswith("_") else "mx.sym"
    return f"{place}.{op}" if _is_word(op) else f"getattr({place}, {op!r})"


def arguments(node: Node, operator: Operator, wired: Mapping[int, str]) -> list[str]:
    """Write the inputs in their order, the settings as the texts that they are, and the name."""
    inputs = [
        wired.get(number) or f"mx.sym.Variable({argument_name(node.name, port)!r})"
        for number, port in enumerate(operator.ports)
    ]
    words = [f"{key}={text!r}" for key, text in node.params.items() if _is_keyword(key)]
    others = {key: text for key, text in node.params.items() if not _is_keyword(key)}
    rest = [f"attr={dict(node.attributes)!r}"] if node.attributes else []
    return [*inputs, *words, *rest, f"name={node.name!r}", *([f"**{others!r}"] if others else [])]


def _is_word(text: str) -> bool:
    return text.isidentifier() and not iskeyword(text)


def _is_keyword(key: str) -> bool:
    return _is_word(key) and key not in _TAKEN
