"""Shape inference to a fixed point in both directions, every finding with the node whose rule made it."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import attrs
import numpy as np

from app.engine.errors import ShapeError
from app.engine.follow import follow
from app.engine.graph import Entry, Graph
from app.engine.operator import DType
from app.engine.reasons import Reason, explain_entry
from app.engine.shapes import UNKNOWN, Shape, is_known
from app.engine.solver import GIVEN, Finding, Problem, first_rule, solve_all
from app.engine.types import FLOAT32, Misfit, follow_types, infer_types

__all__ = ["GIVEN", "Finding", "Inference", "Problem", "infer"]


@attrs.frozen(eq=False)
class Inference:
    """The shapes and types of every array of a graph, why they are so, and what does not fit."""

    graph: Graph
    given: Mapping[str, Shape]
    given_types: Mapping[str, DType]
    outputs: tuple[tuple[Shape, ...], ...]
    findings: Mapping[Entry, tuple[Finding, ...]]
    problems: tuple[Problem, ...]
    types: tuple[tuple[DType | None, ...], ...]

    def shape(self, entry: Entry) -> Shape:
        """Return the shape of one array, with 0 for an unknown dimension and () when nothing is known."""
        return self.outputs[entry[0]][entry[1]]

    def dtype(self, entry: Entry) -> DType | None:
        """Return the element type of one array, None while it is open."""
        return self.types[entry[0]][entry[1]]

    def settled_dtype(self, entry: Entry) -> DType:
        """Return the element type that an array is made with: its own, or float32 while it is open."""
        found = self.dtype(entry)
        return FLOAT32 if found is None else found  # a numpy dtype counts as false, so no `or` here

    def in_shapes(self, index: int) -> list[Shape]:
        """Return the shapes of a node's inputs, auxiliary states last."""
        return [self.outputs[source][number] for source, number in self.graph.nodes[index].inputs]

    def is_given(self, entry: Entry) -> bool:
        """Tell whether the user gave this shape whole."""
        return any(step.by == GIVEN and is_known(step.after) for step in self.findings.get(entry, ()))

    def found_by(self, entry: Entry, axis: int) -> int | None:
        """Return the node whose rule fixed a dimension, GIVEN for the user, None while it is open."""
        step = self.finding(entry, axis)
        return None if step is None else step.by

    def finding(self, entry: Entry, axis: int) -> Finding | None:
        """Return the step that fixed a dimension, None while it is open."""
        steps = self.findings.get(entry, ())
        return next((step for step in steps if axis < len(step.after) and step.after[axis]), None)

    def shape_before(self, entry: Entry, when: int) -> Shape:
        """Return what was known of an array before a step."""
        known = [step.after for step in self.findings.get(entry, ()) if step.when < when]
        return known[-1] if known else UNKNOWN

    def why(self, entry: Entry) -> tuple[Reason, ...]:
        """Return one reason for each dimension of an array."""
        return explain_entry(self, entry)

    @cached_property
    def flows_forward(self) -> bool:
        """Tell whether every array was found by the user or by the first rule that touches it."""
        return all(
            step.by in (GIVEN, first_rule(self.graph, entry[0]))
            for entry, steps in self.findings.items()
            for step in steps
        )

    @property
    def is_complete(self) -> bool:
        """Tell whether every shape is known and nothing contradicts."""
        return not self.problems and all(is_known(shape) for shapes in self.outputs for shape in shapes)

    def refuse_problems(self) -> None:
        """Raise the first problem as a ShapeError."""
        for problem in self.problems:
            raise ShapeError(problem.sentence, node=problem.node, port=problem.port)

    def refuse_open(self) -> None:
        """Raise a problem, or a ShapeError that names what is still open."""
        self.refuse_problems()
        variables = [*self.graph.arguments, *self.graph.auxiliary]
        open_names = [self.graph.nodes[i].name for i in variables if not is_known(self.outputs[i][0])]
        if not open_names:
            open_names = [
                self.graph.entry_name(entry)
                for entry in self.graph.internals()
                if not is_known(self.shape(entry))
            ]
        if open_names:
            some = ", ".join(open_names[:4]) + (" …" if len(open_names) > 4 else "")
            raise ShapeError(f"The shape of {some} is still open. Give it, or the shape of an input.")


def infer(
    graph: Graph,
    shapes: Mapping[str, Shape],
    types: Mapping[str, Any] | None = None,
    previous: Inference | None = None,
) -> Inference:
    """Find every shape and type that follows from the given ones, with all problems at once.

    `shapes` and `types` are by variable name. With the `previous` inference of the graph before an edit, only what the
    edit changed is inferred again. Misfits are problems in the result, never exceptions.
    """
    given = {name: tuple(int(size) for size in shape) for name, shape in shapes.items()}
    given_types = {name: np.dtype(kind) for name, kind in (types or {}).items()}
    follower = None if previous is None else follow(previous, graph, given)
    found_types = None
    misfits: list[Misfit] = []
    if previous is not None and follower is not None:
        found_types = follow_types(graph, given_types, previous.types, follower.edited)
    if found_types is None:
        found_types, misfits = infer_types(graph, given_types)
    solver = solve_all(graph, given) if follower is None else follower
    problems = [solver.problems[index] for index in sorted(solver.problems)]
    problems += [Problem(graph.nodes[at].name, sentence, port, index=at) for at, sentence, port in misfits]
    outputs = tuple(solver.outputs)
    return Inference(graph, given, given_types, outputs, solver.findings, tuple(problems), found_types)
