"""Shape inference to a fixed point in both directions, every finding with the node whose rule made it."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import chain, pairwise
from typing import Any

import attrs

from app.engine.errors import ShapeError
from app.engine.graph import Entry, Graph
from app.engine.inference.mending import find_mends
from app.engine.inference.mends import Mend
from app.engine.inference.reasons import Reason, explain_entry
from app.engine.inference.solver import GIVEN, Finding, Problem, Solver, first_rule, solve_all
from app.engine.inference.sweep import Swept, follow, sweep
from app.engine.inference.types import FLOAT32, NodeTypes, Typing, all_float32, infer_types
from app.engine.operator import DType
from app.engine.reconciling import with_advice
from app.engine.shapes import UNKNOWN, Shape, is_known
from app.engine.taking import take_shapes, take_types

__all__ = ["GIVEN", "Finding", "Inference", "Problem", "infer"]


@attrs.frozen(eq=False)
class Inference:
    """The shapes and types of every array of a graph, why they are so, and what does not fit.

    `shapes` lists all arrays, node by node. `swept` is there when one sweep found them all, `solved` when it took the
    solver.
    """

    graph: Graph
    given: Mapping[str, Shape]
    given_types: Mapping[str, DType]
    shapes: Sequence[Shape]
    swept: Swept | None
    solved: Solver | None
    _mends: dict[Problem, tuple[Mend, ...]] = attrs.field(factory=dict, init=False)

    def shape(self, entry: Entry) -> Shape:
        """Return the shape of one array, with 0 for an unknown dimension and () when nothing is known."""
        return self.shapes[self.graph.wiring.offsets[entry[0]] + entry[1]]

    @cached_property
    def outputs(self) -> tuple[tuple[Shape, ...], ...]:
        """The shapes of every node's outputs."""
        offsets = self.graph.wiring.offsets
        return tuple(tuple(self.shapes[first:last]) for first, last in pairwise(offsets))

    @property
    def types(self) -> NodeTypes:
        """The types of every node's outputs, None where one is open."""
        return self.typing.found

    @cached_property
    def typing(self) -> Typing:
        """The types, where they come from, and what does not fit in them."""
        return all_float32(self.graph, self.given_types) or infer_types(self.graph, self.given_types)

    @cached_property
    def shape_problems(self) -> tuple[Problem, ...]:
        """What does not fit in shapes, in the order of the nodes."""
        found = self.solved.problems if self.solved is not None else {}
        return tuple(found[index] for index in sorted(found))

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """Everything that does not fit, shapes first."""
        return (*self.shape_problems, *self.typing.problems)

    def dtype(self, entry: Entry) -> DType | None:
        """Return the element type of one array, None while it is open."""
        return self.types[entry[0]][entry[1]]

    def settled_dtype(self, entry: Entry) -> DType:
        """Return the element type that an array is made with: its own, or float32 while it is open."""
        found = self.dtype(entry)
        return FLOAT32 if found is None else found  # a numpy dtype counts as false, so no `or` here

    def in_shapes(self, index: int) -> list[Shape]:
        """Return the shapes of a node's inputs, auxiliary states last."""
        return [self.shape(entry) for entry in self.graph.nodes[index].inputs]

    def findings(self, entry: Entry) -> tuple[Finding, ...]:
        """Return the steps in which the shape of an array became known."""
        if self.solved is not None:
            return self.solved.findings.get(entry, ())
        place = self.graph.wiring.offsets[entry[0]] + entry[1]
        shape, told = self.shapes[place], UNKNOWN
        if self.swept is not None:
            told = self.swept.told.get(place, UNKNOWN)
        steps = [Finding(GIVEN, told)] if told else []
        if shape != told:
            first = first_rule(self.graph, entry[0])
            steps.append(Finding(first, shape, first + 1))  # the order of the nodes is that of the findings
        return tuple(steps)

    def is_given(self, entry: Entry) -> bool:
        """Tell whether the user gave this shape whole."""
        return any(step.by == GIVEN and is_known(step.after) for step in self.findings(entry))

    def found_by(self, entry: Entry, axis: int) -> int | None:
        """Return the node whose rule fixed a dimension, GIVEN for the user, None while it is open."""
        step = self.finding(entry, axis)
        return None if step is None else step.by

    def finding(self, entry: Entry, axis: int) -> Finding | None:
        """Return the step that fixed a dimension, None while it is open."""
        steps = self.findings(entry)
        return next((step for step in steps if axis < len(step.after) and step.after[axis]), None)

    def shape_before(self, entry: Entry, when: int) -> Shape:
        """Return what was known of an array before a step."""
        known = [step.after for step in self.findings(entry) if step.when < when]
        return known[-1] if known else UNKNOWN

    def why(self, entry: Entry) -> tuple[Reason, ...]:
        """Return one reason for each dimension of an array."""
        return explain_entry(self, entry)

    def refuse_problems(self) -> None:
        """Raise the first problem as a ShapeError."""
        for problem in self.problems:
            raise ShapeError(self.told(problem), node=problem.node, port=problem.port)

    def mends(self, problem: Problem) -> tuple[Mend, ...]:
        """Return changes that were tried and mend a problem, which takes a moment to find."""
        if problem not in self._mends:
            self._mends[problem] = find_mends(self, problem)
        return self._mends[problem]

    def told(self, problem: Problem) -> str:
        """Return a problem's sentence with what would mend it."""
        return with_advice(problem.sentence, [mend.words for mend in self.mends(problem)])

    def refuse_open(self) -> None:
        """Raise a problem, or a ShapeError that names what is still open."""
        self.refuse_problems()
        self.refuse_open_variables((*self.graph.arguments, *self.graph.auxiliary))
        _refuse_open(
            [
                self.graph.entry_name(entry)
                for entry in self.graph.internals()
                if not is_known(self.shape(entry))
            ]
        )

    def refuse_open_variables(self, indices: Iterable[int]) -> None:
        """Raise a ShapeError that names those of these variables whose shape is still open."""
        _refuse_open([self.graph.nodes[i].name for i in indices if not is_known(self.shape((i, 0)))])


def _refuse_open(names: Sequence[str]) -> None:
    if names:
        some = ", ".join(names[:4]) + (" …" if len(names) > 4 else "")
        what, them = (
            (f"The shape of {some} is", "it") if len(names) == 1 else (f"The shapes of {some} are", "them")
        )
        raise ShapeError(f"{what} still open. Give {them}, or the shape of an input.")


def infer(
    graph: Graph,
    shapes: Mapping[str, Shape],
    types: Mapping[str, Any] | None = None,
    previous: Inference | None = None,
) -> Inference:
    """Find every shape and type that follows from the given ones, with all problems at once.

    `shapes` and `types` are by variable name. With the `previous` inference of the graph before an edit
    (`Graph.with_settings`), only what the edit changed is inferred again. Misfits are problems in the result, never
    exceptions.
    """
    given = take_shapes(shapes)
    given_types = take_types(types) if types else {}
    swept = follow(previous, graph, given) if previous is not None else None
    if swept is None:
        swept = sweep(graph, given)
    if swept is not None:
        return Inference(graph, given, given_types, swept.shapes, swept, None)
    solver = solve_all(graph, given)
    return Inference(graph, given, given_types, [*chain.from_iterable(solver.outputs)], None, solver)
