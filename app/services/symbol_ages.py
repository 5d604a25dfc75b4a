"""What older versions of MXNet wrote otherwise, brought up to what a file of today says."""

from collections.abc import Sequence

from app.engine.errors import EngineError
from app.engine.graph import VARIABLE_OP
from app.engine.naming import NODE_KEYS
from app.engine.operator import Port
from app.engine.registry import all_operators, find_operator
from app.engine.repairs.offered import repairs_for
from app.services.symbol_raw import RawNode

FIRST_WITH_GRAPH_PASS = (
    900  # 0.9.0: before it parameters and free attributes lay apart, auxiliary inputs were unwritten
)
FIRST_WITHOUT_INIT = 904


def lift_multipliers(raw: Sequence[RawNode]) -> None:
    """Move the bare multiplier keys of older files: `lr_mult` to `__lr_mult__`, `weight_lr_mult` to the weight's.

    A key that names no variable at an input stays, and is refused where its operator has parameters.
    """
    ports: dict[int, list[str]] = {}
    for number, node in enumerate(raw):
        if node.op != VARIABLE_OP and node.op not in all_operators():
            continue  # nobody knows what the keys of an unknown operator mean
        for key in [key for key in node.attributes if key.endswith(NODE_KEYS)]:
            found = next((word for word in NODE_KEYS if key == word or key.endswith(f"_{word}")), None)
            if found is None:
                continue
            if key == found:
                node.attributes[f"__{found}__"] = node.attributes.pop(key)
                continue
            names = ports.setdefault(number, [port.name for port in _ports(node)])
            port = key.removesuffix(f"_{found}")
            if port in names[: len(node.inputs)]:
                target = raw[node.inputs[names.index(port)][0]]
                if target.op == VARIABLE_OP:
                    target.attributes[f"__{found}__"] = node.attributes.pop(key)


def say_first_values(raw: Sequence[RawNode]) -> None:
    """Let variables that have an initialiser by their use say so, which files of this age leave out."""
    for node in raw:
        for (source, _), port in zip(node.inputs, _ports(node), strict=False):
            if raw[source].op == VARIABLE_OP:
                raw[source].attributes = {**port.made_with, **raw[source].attributes}


def mend(raw: Sequence[RawNode], version: int) -> None:
    """Make every repair that a file of this version may need; ParameterError names a node that can't be mended."""
    for repair in repairs_for(version):
        for node in raw:
            clean = _without_multipliers(node)
            try:
                mended = repair.mend(node.op, clean)
            except EngineError as error:
                raise error.at(node.name) from None
            if mended is not None:
                node.op = mended.op_name
                node.attributes = {
                    **mended.attributes,
                    **{key: text for key, text in node.attributes.items() if key not in clean},
                }


def _without_multipliers(node: RawNode) -> dict[str, str]:
    return {key: text for key, text in node.attributes.items() if not key.endswith(NODE_KEYS)}


def _ports(node: RawNode) -> tuple[Port, ...]:
    if node.op == VARIABLE_OP:
        return ()
    try:
        return find_operator(node.op).from_attributes(_without_multipliers(node)).ports
    except EngineError:
        return ()  # the real reason is told when the node itself is read
