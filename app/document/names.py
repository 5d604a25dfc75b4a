"""Names on the board: automatic ones as MXNet makes them, free ones, and what a name may be."""

import re
from collections.abc import Collection, Iterator, Mapping
from string import ascii_uppercase

import attrs

from app.document.reading import Reading, read_node
from app.document.records import GROUP, VARIABLE, Document, Id, Node
from app.document.refusal import YES, Verdict, no
from app.document.remember import remember
from app.document.topology import topology
from app.engine.operator import Port
from app.engine.signs import SIGNS, scalar_hint

_QUOTES = "'\"`\u2018\u2019\u201c\u201d"
_TAIL = re.compile(r"(.*?)([0-9]{0,9})\Z", re.DOTALL)

_SIGN_STEMS = {sign.both: sign.hint for sign in SIGNS.values()} | {
    op: scalar_hint(op) for sign in SIGNS.values() for op in (sign.scalar, sign.reversed)
}


@attrs.frozen
class Owner:
    """Whose name it is: a node's own, or that of the argument which node `node` makes at `input`."""

    node: Id
    input: int | None = None


@remember(8)
def name_owners(document: Document) -> Mapping[str, Owner]:
    """Return whose name every name on the board is, self-made arguments included; nodes go first."""
    owners: dict[str, Owner] = {}
    for node in document.nodes.values():
        owners.setdefault(node.name, Owner(node.id))
    for node in document.nodes.values():
        for number, port in unwired_ports(document, node):
            owners.setdefault(argument_name(node.name, port), Owner(node.id, number))
    return owners


def unwired_ports(document: Document, node: Node) -> Iterator[tuple[int, Port]]:
    """Go through the inputs of a node that no wire feeds, so that the node makes an argument for each."""
    wired = topology(document).inputs(node.id)
    for number, port in enumerate(read_node(node).ports):
        if number not in wired:
            yield number, port


def argument_name(node_name: str, port: Port) -> str:
    """Return the name of the argument that a node makes for an input nobody wired."""
    return f"{node_name}_{port.name}"


def node_names(name: str, reading: Reading) -> list[str]:
    """Return a node's own name and those of all arguments that it may make."""
    return [name, *(argument_name(name, port) for port in reading.ports)]


def automatic_name(document: Document, op: str, reading: Reading) -> str:
    """Return the name of a new node: `fullyconnected0`, `_mul0`; A, B, C … for Variables."""
    taken = name_owners(document)
    if op == VARIABLE:
        letter = next((letter for letter in ascii_uppercase if letter not in taken), None)
        return letter or _numbered("var", 0, taken, reading)
    return _numbered(_stem(op), 0, taken, reading)


def is_automatic(name: str, op: str) -> bool:
    """Tell whether a name is one that a node of this operator may have got by itself."""
    stem, tail = name[: len(_stem(op))], name[len(_stem(op)) :]
    return stem == _stem(op) and tail.isdecimal()


def free_name(wanted: str, taken: Collection[str], reading: Reading) -> str:
    """Return `wanted`, or the next name of its kind that is free: `fc1` → `fc2`, `A` → `B`."""
    if not any(name in taken for name in node_names(wanted, reading)):
        return wanted
    if len(wanted) == 1 and wanted in ascii_uppercase:
        for letter in ascii_uppercase:
            if not any(name in taken for name in node_names(letter, reading)):
                return letter
    match = _TAIL.match(wanted)
    assert match is not None
    return _numbered(match[1], int(match[2] or 0) + 1, taken, reading)


def check_name(document: Document, name: str, *, node: Id | None = None, reading: Reading) -> Verdict:
    """Tell whether a node (a new one, or `node`) may be called `name`."""
    fault = name_fault(name)
    if fault:
        return no(fault)
    owners = name_owners(document)
    for text in node_names(name, reading):
        owner = owners.get(text)
        if owner is None or owner.node == node:
            continue
        if text == name and owner.input is None:
            return no(f"There is a node called {name} already.")
        if text == name:
            other = document.nodes[owner.node].name
            return no(f"{name} is the name of the argument that {other} makes for itself. Drag that one out.")
        return no(f"{name} would make an argument called {text}, but that name is taken.")
    return YES


def name_fault(name: str) -> str:
    """Say what is wrong with a name by itself, or nothing."""
    if not name:
        return "A name cannot be empty."
    if any(letter.isspace() or not letter.isprintable() for letter in name):
        possible = "".join(letter for letter in "_".join(name.split()) if letter.isprintable())
        possible = possible.translate(dict.fromkeys(map(ord, _QUOTES))).strip("_")
        return f"A name cannot contain blanks. Try {possible or 'letters'}."
    if any(letter in _QUOTES for letter in name):
        return "A name cannot contain quotes, since code puts it between quotes."
    return ""


def _stem(op: str) -> str:
    """Return what an automatic name begins with: the stem of the sign in Python if there is one, else the spelling."""
    if op == GROUP:
        return "group"
    if op in _SIGN_STEMS:
        return _SIGN_STEMS[op]
    return op.lower()


def _numbered(stem: str, start: int, taken: Collection[str], reading: Reading) -> str:
    number = start
    while any(name in taken for name in node_names(f"{stem}{number}", reading)):
        number += 1
    return f"{stem}{number}"
