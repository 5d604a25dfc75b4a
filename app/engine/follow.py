"""Follows an edit through a finished inference, so that only what changed is inferred again."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from app.engine.graph import Entry, Graph, GraphNode
from app.engine.shapes import UNKNOWN, Shape, merge
from app.engine.solver import GIVEN, Finding, Solver, first_rule

if TYPE_CHECKING:
    from app.engine.infer import Inference


def follow(previous: "Inference", graph: Graph, given: Mapping[str, Shape]) -> "Follower | None":
    """Bring a finished inference up to date with an edit; None when everything must be inferred anew.

    Nodes are the same when their names are. Where shapes flowed against the order of the nodes, or something does not
    fit, the edit cannot be followed.
    """
    names_help = all(len(each.index_by_name) == len(each.nodes) for each in (previous.graph, graph))
    if not names_help or previous.problems or not previous.flows_forward:
        return None
    follower = Follower(graph, previous)
    follower.carry_over(given)
    try:
        follower.solve(follower.start)
    except _FlowsBackError:
        return None
    return follower


class _FlowsBackError(Exception):
    """Knowledge would flow against the order of the nodes, so an edit cannot be followed in one sweep."""


class Follower(Solver):
    """Follows an edit through a finished inference in which all knowledge flows in the order of the nodes.

    There every array is found by the first rule that touches it, so one sweep in that order never reads a stale shape,
    and it stops wherever a rule finds what it had found before. The order of the nodes is that of the findings, too.
    """

    def __init__(self, graph: Graph, previous: "Inference") -> None:
        super().__init__(graph)
        self.previous = previous
        self.start: set[int] = set()
        self.edited: list[int] = []
        """Operators that are new or no longer what they were."""

    def carry_over(self, given: Mapping[str, Shape]) -> None:
        """Take over what was known of every node that was there before, and list the rules to run first."""
        old = self.previous.graph
        for index, node in enumerate(self.graph.nodes):
            place = old.index_by_name.get(node.name)
            before = None if place is None else old.nodes[place]
            if place is None or before is None or before.output_count != node.output_count:
                before = None
            elif before.is_variable == node.is_variable:
                self.outputs[index] = self.previous.outputs[place]
                self._carry_findings(index, place)
            if node.is_variable:
                self._carry_variable(index, before, given)
            elif before is None or not self._is_what_it_was(node, before):
                self.edited.append(index)
        self.start.update(self.edited)

    def _carry_findings(self, index: int, place: int) -> None:
        """Take over who found a node's shapes; what somebody else would find first now is forgotten."""
        first = first_rule(self.graph, index)
        for number in range(len(self.outputs[index])):
            steps = self.previous.findings.get((place, number), ())
            kept = tuple(step for step in steps if step.by == GIVEN)
            own = tuple(Finding(first, step.after, first + 1) for step in steps if step.by != GIVEN)
            if own and first != GIVEN and self._was_found_by(steps, first):
                self.findings[index, number] = (*kept, *own)
                continue
            if kept:
                self.findings[index, number] = kept
            if own:
                self._set(index, number, kept[-1].after if kept else UNKNOWN)
                self.start.update(consumer for consumer, _ in self.graph.consumers[index])

    def _was_found_by(self, steps: tuple[Finding, ...], first: int) -> bool:
        """Tell whether a node of the new graph is the one that found something in the old one."""
        finders = {self.previous.graph.nodes[step.by].name for step in steps if step.by != GIVEN}
        return finders == {self.graph.nodes[first].name}

    def _carry_variable(self, index: int, before: GraphNode | None, given: Mapping[str, Shape]) -> None:
        """Enter what the user says of a variable now, where that is not what it was."""
        node = self.graph.nodes[index]
        told = given.get(node.name), node.attributes.get("__shape__")
        if before is not None and before.is_variable:
            told_before = self.previous.given.get(node.name), before.attributes.get("__shape__")
            if told == told_before:
                return
        self.give(index, given)
        self.start.update(consumer for consumer, _ in self.graph.consumers[index])

    def _is_what_it_was(self, node: GraphNode, before: GraphNode) -> bool:
        if node.operator != before.operator or len(node.inputs) != len(before.inputs):
            return False
        return all(
            number == old_number
            and self.graph.nodes[source].name == self.previous.graph.nodes[old_source].name
            for (source, number), (old_source, old_number) in zip(node.inputs, before.inputs, strict=True)
        )

    def apply(self, index: int) -> None:
        """Forget what this rule found, run it again, and wake the readers of what came out otherwise."""
        node = self.graph.nodes[index]
        before = {}
        for entry in (*node.inputs, *((index, number) for number in range(node.output_count))):
            if entry in before:
                continue
            before[entry] = self.outputs[entry[0]][entry[1]]
            finders = self.findings.get(entry, ())
            if finders and finders[-1].by == index:
                self._reset(entry, tuple(step for step in finders if step.by == GIVEN))
        super().apply(index)
        if index in self.problems:
            raise _FlowsBackError
        for entry, shape in before.items():
            if self.outputs[entry[0]][entry[1]] != shape:
                for consumer, _ in self.graph.consumers[entry[0]]:
                    if consumer > index:
                        self.wake(consumer)

    def learn(self, entry: Entry, by: int, shape: Shape) -> None:
        """Join knowledge in, but only where this rule is the first to touch the array."""
        if first_rule(self.graph, entry[0]) != by:
            raise _FlowsBackError
        after = merge(self.outputs[entry[0]][entry[1]], shape)
        self._set(*entry, after)
        self.findings[entry] = (*self.findings.get(entry, ()), Finding(by, after, by + 1))

    def _reset(self, entry: Entry, kept: tuple[Finding, ...]) -> None:
        self._set(*entry, kept[-1].after if kept else UNKNOWN)
        if kept:
            self.findings[entry] = kept
        else:
            del self.findings[entry]

    def _set(self, index: int, number: int, shape: Shape) -> None:
        shapes = self.outputs[index]
        self.outputs[index] = (*shapes[:number], shape, *shapes[number + 1 :])
