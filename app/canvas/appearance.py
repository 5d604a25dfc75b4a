"""Turns a document and what follows from it into looks.

Before the engine is loaded (no analysis yet) a node shows what its record says; nothing here imports the engine then.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import attrs

from app.canvas.arrangement import side_ups
from app.canvas.auto_items import AutoLook
from app.canvas.geometry import SIDE_STEP, Kind, NodeShape, auto_spots
from app.canvas.ink import Script, words
from app.canvas.looks import EdgeLook, NodeLook, PortLook, ShapeLook
from app.document.records import GROUP, VARIABLE, Document, Edge, Id, Node
from app.document.topology import topology

if TYPE_CHECKING:
    from app.canvas.heat_store import HeatStore
    from app.document.analysis import Analysis, ShapeText
    from app.document.reading import Fault

CLASH = re.compile(r"expected (\([^)]*\)) but got (\([^)]*\))")
"""How the engine says which shape was wanted and which came."""
SIDE_ROLES = ("weight", "bias", "label", "state", "auxiliary")


@attrs.frozen
class Facts:
    """What operators, ports and outputs a node has, from its record or from the engine's reading of it."""

    kind: Kind
    ports: tuple[tuple[str, str], ...] = ()
    outputs: int = 1
    takes_any_number: bool = False
    operator: str = ""
    sign: str = ""
    summary: str = ""
    is_opaque: bool = False


class Appearance:
    """The looks of one document at one moment.

    `side_up` may be handed on from the document before, to keep arguments where they are except at the nodes in `anew`.
    """

    def __init__(
        self,
        document: Document,
        analysis: "Analysis | None",
        heats: "HeatStore | None" = None,
        side_up: Mapping[Id, bool] | None = None,
        anew: Collection[Id] = (),
    ) -> None:
        self.document = document
        self.analysis = analysis if analysis is not None and analysis.document is document else None
        self.heats = heats
        self.wires = topology(document)
        self._names = {node.name for node in document.nodes.values()}
        self._problems: dict[Id, tuple[str, bool]] = {}
        self._wire_problems: dict[Id, str] = {}
        self._auxiliary: frozenset[str] = frozenset()
        if self.analysis is not None:
            self._auxiliary = frozenset(self.analysis.auxiliary_names)
            self._sort_problems(self.analysis)
        self.side_up: Mapping[Id, bool]
        if side_up is None:
            self.side_up = side_ups(document, document.nodes, self.is_side)
        else:
            self.side_up = {**side_up, **side_ups(document, anew, self.is_side)} if anew else side_up

    def _sort_problems(self, analysis: "Analysis") -> None:
        for problem in analysis.problems:
            is_error = problem.severity == "error"
            if problem.node is not None:
                said, was_error = self._problems.get(problem.node, ("", False))
                joined = f"{said}\n{problem.sentence}" if said else problem.sentence
                self._problems[problem.node] = (joined, was_error or is_error)
            if problem.edge is not None and is_error:
                self._wire_problems.setdefault(problem.edge, problem.sentence)

    def node(self, node: Node) -> NodeLook:
        """Return the look of one node."""
        facts = self.facts(node)
        wired = self.wires.inputs(node.id)
        numbers = range(max(len(facts.ports), max(wired, default=-1) + 1))
        ports = tuple(
            PortLook(
                number,
                *(facts.ports[number] if number < len(facts.ports) else (str(number), "data")),
                wired=number in wired,
            )
            for number in numbers
        )
        shape = NodeShape(
            facts.kind,
            flow=tuple(port.number for port in ports if port.role not in SIDE_ROLES),
            side=tuple(port.number for port in ports if port.role in SIDE_ROLES),
            outputs=facts.outputs,
            room=facts.takes_any_number,
            side_up=self.side_up.get(node.id, True),
        )
        problem, is_error = self._problems.get(node.id, ("", False))
        look = NodeLook(
            node.id,
            shape,
            node.name,
            operator=facts.operator,
            sign=facts.sign,
            summary=facts.summary,
            ports=ports,
            outputs=self.output_shapes(node.id),
            tags=tuple(self.analysis.output_tags.get(node.id, ())) if self.analysis is not None else (),
            members=self._members(node) if facts.kind == "group" else (),
            problem=problem,
            is_error=is_error,
            is_read=bool(self.wires.outputs(node.id)),
            is_opaque=facts.is_opaque,
        )
        return self.with_values(look)

    def is_side(self, node: Id, number: int) -> bool:
        """Tell whether an input is for a weight, a label or the like, which lies beside the flow."""
        ports = self.facts(self.document.nodes[node]).ports
        return number < len(ports) and ports[number][1] in SIDE_ROLES

    def facts(self, node: Node) -> Facts:
        """Read a node: with the engine where it is there, else as far as the record goes."""
        if node.op == VARIABLE:
            return Facts("auxiliary" if node.name in self._auxiliary else "variable")
        if node.op == GROUP:
            return Facts("group", outputs=0, takes_any_number=True, operator="Group")
        if self.analysis is None:
            return Facts("operator", operator=node.op)
        reading = self.analysis.drawing.readings[node.id]
        if reading.operator is None:
            return Facts("operator", operator=node.op)
        operator = reading.operator
        return Facts(
            "operator",
            tuple((port.name, port.role) for port in self.analysis.ports(node.id)),
            reading.output_count,
            reading.takes_any_number,
            type(operator).op_name or node.op,
            type(operator).sign,
            _faulty(node, reading.faults) or operator.summary() or _as_they_are(node, reading.is_opaque),
            reading.is_opaque,
        )

    def output_shapes(self, node: Id) -> tuple[ShapeLook, ...]:
        """Return the shapes of a node's outputs in words."""
        if self.analysis is None:
            return ()
        return tuple(map(shape_look, self.analysis.output_shapes(node)))

    def edge(self, edge: Edge) -> EdgeLook:
        """Return the look of one wire."""
        shape = ShapeLook("")
        if self.analysis is not None:
            shape = shape_look(self.analysis.wire_shape(edge.id))
        problem = self._wire_problems.get(edge.id, "")
        clash = CLASH.search(problem)
        if clash is not None and clash[2] == shape.text:
            shape = attrs.evolve(shape, text=f"{shape.text} ≠ {clash[1]}")
        return EdgeLook(edge.id, shape, problem)

    def automatic(self, owner: NodeLook) -> list[AutoLook]:
        """Return the looks of the arguments that a node makes for itself."""
        if self.analysis is None:
            return []
        style = self.document.options.style
        arguments = self.analysis.auto_arguments.get(owner.id, ())
        spots = auto_spots(style, owner.shape, [argument.input for argument in arguments])
        short = style == "card" and not _fit_beside([one.name for one in arguments], "small")
        shapes = [shape_look(self.analysis.input_shape(owner.id, one.input)).text for one in arguments]
        room = 0.0 if style != "card" or _fit_beside(shapes, "mono small") else SIDE_STEP - 6
        found = []
        for argument in arguments:
            label = argument.name.removeprefix(f"{owner.name}_") if short else argument.name
            shape = shape_look(self.analysis.input_shape(owner.id, argument.input))
            spot = spots[argument.input]
            port = owner.port(argument.input).name
            found.append(
                AutoLook(
                    owner.id,
                    argument.input,
                    argument.name,
                    label,
                    port,
                    argument.role,
                    shape,
                    spot,
                    style,
                    room=room,
                )
            )
        return found

    def _members(self, node: Node) -> tuple[str, ...]:
        wires = self.wires.inputs(node.id)
        return tuple(self.document.nodes[edge.source].name for edge in wires.values())

    def _array_name(self, look: NodeLook) -> str:
        name = array_name(look.name, self._names) if look.shape.kind == "variable" else look.name
        return name if name != look.name else ""

    def with_values(self, look: NodeLook) -> NodeLook:
        """Return a look with the numbers of the results in it."""
        if self.heats is None:
            return attrs.evolve(
                look, number="", gradient_number="", has_output=False, has_gradient=False, is_stale=False
            )
        return attrs.evolve(
            look,
            number=self.heats.number(look.id, "output"),
            number_name=self._array_name(look),
            gradient_number=self.heats.number(look.id, "gradient"),
            has_output=self.heats.has(look.id, "output"),
            has_gradient=self.heats.has(look.id, "gradient"),
            is_stale=not self.heats.is_current,
        )


def shape_look(found: "ShapeText") -> ShapeLook:
    """Write a shape for the board; slanted where it was inferred."""
    return ShapeLook(str(found), found.inferred)


def array_name(symbol_name: str, taken: Collection[str]) -> str:
    """Name the array that is bound to an argument as the tutorial does: a for A, else like the argument."""
    lower = symbol_name.lower()
    is_letter = symbol_name[:1].isalpha() and (len(symbol_name) == 1 or symbol_name[1:].isdecimal())
    return lower if is_letter and lower not in taken else symbol_name


def _faulty(node: Node, faults: "Sequence[Fault]") -> str:
    """Say what is wrong instead of settings that only stand in for it: `kernel (3, ?`, and `kernel ?` without one."""
    names = dict.fromkeys(fault.parameter for fault in faults if fault.parameter is not None)
    return " · ".join(" ".join(filter(None, (name, node.params.get(name, ""), "?"))) for name in names)


def _as_they_are(node: Node, is_opaque: bool) -> str:
    """List the settings of an operator that nobody knows, and so nobody can sum up."""
    return " · ".join(f"{name} {text}" for name, text in node.params.items()) if is_opaque else ""


def _fit_beside(texts: Sequence[str], script: Script) -> bool:
    """Tell whether words under arguments that stand beside each other leave a gap."""
    widths = [words(text, script).width for text in texts]
    rows = 1 if len(widths) <= 2 else 2
    step = SIDE_STEP if rows == 1 else 4 * SIDE_STEP / len(widths)
    return all((one + other) / 2 + 6 <= step for one, other in zip(widths, widths[rows:], strict=False))
