"""A graph with a Python name for every array, as exported programs need it."""

from collections.abc import Callable, Mapping
from functools import cached_property

import attrs

from app.document.analysis import Analysis
from app.document.records import Id
from app.engine.errors import GraphError
from app.engine.gradient import ExecutorGraph, ExecutorNode, build_executor_graph
from app.engine.graph import Entry, Graph, GraphNode
from app.engine.inference.infer import Inference
from app.engine.operator import CodeNames, Operator
from app.engine.passes.overwriting import overwritten
from app.engine.planning.plan import Step, make_plan
from app.services.code.names import Identifiers
from app.services.code.stored import output_keys
from app.services.code.tidying import tidy
from app.services.running import request_of

Write = Callable[[Operator, CodeNames], list[str]]


@attrs.frozen(eq=False)
class Program:
    """The steps of a bind, and the names of its arrays: values by entry, gradients by executor node."""

    analysis: Analysis
    graph: Graph
    inference: Inference
    executor_graph: ExecutorGraph
    steps: tuple[Step, ...]
    values: Mapping[Entry, str]
    gradients: Mapping[int, str]

    @cached_property
    def overwritten(self) -> frozenset[int]:
        """The nodes whose incoming gradient MXNet overwrites."""
        return overwritten(self.executor_graph)

    @property
    def forward_steps(self) -> list[Step]:
        """The steps of the forward pass."""
        return [step for step in self.steps if step.kind == "forward"]

    @property
    def backward_steps(self) -> list[Step]:
        """The steps of the backward pass."""
        return [step for step in self.steps if step.kind != "forward"]

    def name(self, index: int) -> str:
        """Return the name of a node's first output."""
        return self.values[index, 0]

    def about(self, index: int) -> list[Id]:
        """Return the node of the board that a node of the graph belongs to."""
        key = self.analysis.node_ids.get(index)
        return [] if key is None else [key]

    def code_names(self, index: int, *, train: bool, step: Step | None = None) -> CodeNames:
        """Name the arrays of one node; a backward step adds its gradients."""
        node = self.graph.nodes[index]
        heads: tuple[str | None, ...] = ()
        grads: list[str | None] = [None] * len(node.inputs)
        if step is not None:
            heads = tuple(
                None if head is None else self.gradients[head]
                for head in self.executor_graph.backward_heads[index]
            )
            for place in step.nodes:
                grads[self.executor_graph.nodes[place].input] = self.gradients[place]
        entries = [(index, number) for number in range(node.output_count)]
        return CodeNames(
            node=self.name(index),
            ins=tuple(self.values[entry] for entry in node.inputs),
            outs=tuple(self.values[entry] for entry in entries),
            in_shapes=tuple(self.inference.shape(entry) for entry in node.inputs),
            out_shapes=tuple(self.inference.shape(entry) for entry in entries),
            dtype=self.inference.settled_dtype((index, 0)).name,
            heads=heads,
            grads=tuple(grads),
            train=train,
            overwritten=index in self.overwritten,
        )

    def lines(self, index: int, write: Write, names: CodeNames) -> list[str]:
        """Return the lines of one node's operator; GraphError names the node that has none."""
        node = self.graph.nodes[index]
        assert node.operator is not None
        try:
            return [tidy(line) for line in write(node.operator, names)]
        except NotImplementedError:
            raise GraphError(
                f"{node.name} ({node.op_name}) cannot be exported yet. Take it out of what is bound.",
                node=node.name,
            ) from None

    @property
    def holders(self) -> list[ExecutorNode]:
        """The executor nodes that hold the gradients of arguments, in the order of the arguments."""
        found = [node for node in self.executor_graph.nodes if node.request is not None]
        return sorted(found, key=lambda node: node.entry[0])

    @property
    def output_keys(self) -> list[str]:
        """The keys under which the outputs are stored."""
        return [f"output:{name}" for name in output_keys(self.graph.output_names)]

    @property
    def gradient_keys(self) -> list[str]:
        """The keys under which the gradients are stored."""
        return [f"grad:{self.graph.nodes[node.entry[0]].name}" for node in self.holders]

    def keys_after(self, starts: Callable[[ExecutorNode], bool]) -> list[str]:
        """Return the keys of outputs and gradients that are, or follow from, nodes which `starts` picks."""
        after: set[int] = set()
        for node in self.executor_graph.nodes:
            if starts(node) or any(read in after for read in node.reads):
                after.add(node.index)
        outputs = zip(self.output_keys, self.executor_graph.outputs, strict=True)
        gradients = zip(self.gradient_keys, self.holders, strict=True)
        return [key for key, node in outputs if node in after] + [
            key for key, holder in gradients if holder.index in after
        ]


def make_program(
    analysis: Analysis, reserved: frozenset[str], spell: Callable[[int, str], str] | None = None
) -> Program:
    """Name everything in a document's graph; EngineError while it cannot be bound.

    `spell` may respell the name of a variable, by its index in the graph (`fc1_weight` as `self.fc1_weight`).
    """
    for problem in analysis.errors:
        raise GraphError(problem.sentence, node=problem.name or None, port=problem.port)
    graph, inference = analysis.graph, analysis.inference
    if graph is None or inference is None:
        raise GraphError("There is nothing to compute yet. Add an operator to the board.")
    inference.refuse_open()
    requests = {name: request_of(analysis.document, name) for name in graph.names(graph.arguments)}
    executor_graph = build_executor_graph(graph, inference, requests)
    names = Identifiers(reserved)
    values: dict[Entry, str] = {}
    for index, node in enumerate(graph.nodes):
        for number in range(node.output_count):
            name = names.take(_value_name(graph, node, (index, number)))
            values[index, number] = spell(index, name) if spell is not None and node.is_variable else name
    gradients = {
        node.index: names.take(_gradient_name(node.name))
        for node in executor_graph.nodes
        if node.kind in ("head_gradient", "gradient", "gradient_sum")
    }
    steps = make_plan(executor_graph, inference, share=False).steps
    return Program(analysis, graph, inference, executor_graph, steps, values, gradients)


def _value_name(graph: Graph, node: GraphNode, entry: Entry) -> str:
    return node.name if entry[1] == 0 and len(node.output_names) == 1 else graph.entry_name(entry)


def _gradient_name(name: str) -> str:
    """Respell `d(fc1)` as `d_fc1` and `d(x) via fc1` as `d_x_via_fc1`."""
    return "_".join(name.replace("d(", "d_", 1).replace(")", " ", 1).split())
