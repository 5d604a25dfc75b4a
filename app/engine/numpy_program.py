"""The steps of a bind as calls of numpy: on the executor's own arrays, rearranged by passes that keep the numbers."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import attrs
import numpy as np

from app.engine.adding import Addition, additions, take_strips
from app.engine.backends.backend import Arrays, HostNode
from app.engine.kernels.steps import fill, in_order
from app.engine.operator import Array, Operator, Run
from app.engine.passes.ahead import Ahead
from app.engine.passes.gathering import Gathering
from app.engine.passes.halves import Halves
from app.engine.passes.overwriting import overwritten
from app.engine.passes.tasks import Given, How, Outlines, Task, addition, for_both, whole
from app.engine.planning.plan import ArrayKey, Step, gradient_key, value_key
from app.engine.refusals import blaming
from app.engine.settled import Binding
from app.engine.stepping import Call, stream_of


class NumpyProgram:
    """The program that numpy runs; see `Program`."""

    host_nodes: tuple[HostNode, ...] = ()

    def __init__(self, binding: Binding, arrays: Arrays) -> None:
        """Prepare the calls of every step on these arrays, which hold everything that the plan names."""
        self._graph, self._executor_graph = binding.graph, binding.executor_graph
        self._inference = binding.inference
        self._holders = binding.gradients
        self._arrays = arrays
        self._outlines = Outlines(self._inference)
        self._ahead = Ahead(self._inference, keep_all=binding.keep_all)
        self._gathering = Gathering(self._executor_graph, keep_all=binding.keep_all)
        self._runs = self._make_runs()
        plan = binding.plan
        forward, backward = plan.steps[: plan.forward_count], plan.steps[plan.forward_count :]
        tasks = [self._forward(step) for step in forward], [self._backward(step) for step in backward]
        halves = Halves(tasks, step_by_step=binding.keep_all)
        self.predict: Sequence[Call] = halves.calls(0, train=False)
        self.train: Sequence[Call] = halves.calls(0, train=True)
        self.backward: Sequence[Call] = halves.calls(1, train=True)

    def seed(self, seed: int | None) -> None:
        """Start every random stream anew."""
        for index, (run, _) in self._runs.items():  # the two share their stream
            node = self._graph.nodes[index]
            if node.operator is not None and node.operator.is_random:
                run.rng.bit_generator.state = np.random.PCG64(stream_of(node.name, seed)).state

    def wait(self) -> None:
        """Do nothing: what a call computes is there when it returns."""

    def array(self, key: ArrayKey) -> Array | None:
        """Return None: every array is the executor's own."""
        return None

    def _make_runs(self) -> dict[int, tuple[Run, Run]]:
        """Make each operator's two contexts, predicting and training, on one stream and one scratch."""
        idle = np.random.Generator(np.random.PCG64(0))
        runs, lent, spoilt = {}, dict[str, Any](), overwritten(self._executor_graph)
        for index, node in enumerate(self._graph.nodes):
            if node.operator is not None:
                rng = np.random.Generator(np.random.PCG64(0)) if node.operator.is_random else idle
                scratch: dict[str, Any] = {}
                goes_back = index in self._executor_graph.backward_heads
                facts = (rng, scratch, lent, index in spoilt, False, goes_back)
                runs[index] = (Run(False, *facts), Run(True, *facts))
        return runs

    # Forward -----------------------------------------------------------------------------------------------------

    def _forward(self, step: Step) -> Task:
        operator = self._operator(step)
        ins, outs = ([self._arrays[key] for key in keys] for keys in (step.reads, step.writes))
        ahead = self._ahead.forward(step.symbol_node, self._arrays)
        if ahead is not None:
            return whole(ahead)

        def prepare(given: Given, how: How) -> Call:
            with blaming(self._inference, step.symbol_node):
                return operator.prepare_forward(self._run(step, how), given.all_ins, given.all_outs)

        made = prepare if operator.trains_otherwise else for_both(prepare)
        return self._outlines.of(step.symbol_node).task(Given(ins, outs), made)

    def _operator(self, step: Step) -> Operator:
        operator = self._graph.nodes[step.symbol_node].operator
        assert operator is not None
        return operator

    def _run(self, step: Step, how: How) -> Run:
        """Return a node's context; the second thread's has work arrays of its own, since both need them at once."""
        run = self._runs[step.symbol_node][how.train]
        if not how.is_second:
            return run
        scratch, lent = (kept.setdefault("second half", {}) for kept in (run.scratch, run.lent))
        return attrs.evolve(run, scratch=scratch, lent=lent, is_second=True)

    # Backward ----------------------------------------------------------------------------------------------------

    def _backward(self, step: Step) -> Task:
        found = list(additions(self._executor_graph, step, self._holders))
        if step.kind == "backward":
            return self._operator_backward(step, found)
        task = whole(fill(self._arrays[step.writes[0]])) if step.kind == "zero" else self._addition(step)
        return attrs.evolve(task, after=self._added(found))

    def _operator_backward(self, step: Step, found: Sequence[Addition]) -> Task:
        operator, run = self._operator(step), self._run(step, How(train=True))
        with blaming(self._inference, step.symbol_node):
            first, left, given = take_strips(operator, run, self._flow(step), found)
        if any(grad is not None for grad in given.grads):
            kept, rest = self._gathering.keep(step.symbol_node, given)
            first += kept
        else:
            rest = None
        added = self._added(left)
        if rest is None:
            return whole(in_order([*first, *added]))

        def prepare(given: Given, how: How) -> Call:
            with blaming(self._inference, step.symbol_node):
                run = self._run(step, how)
                call = operator.prepare_backward(run, given.ins, given.outs, given.heads, given.grads)
            return in_order([*first, call])

        if first:
            return Task(rest, prepare, after=added)
        wide = sum(grad is not None and grad.ndim > 1 for grad in rest.grads)
        return self._outlines.of(step.symbol_node).task(rest, prepare, added, wide)

    def _flow(self, step: Step) -> Given:
        """Return the arrays of an operator's backward; those that no wanted gradient reads are left out."""
        node = self._graph.nodes[step.symbol_node]
        read = set(step.reads)
        heads = self._executor_graph.backward_heads[step.symbol_node]
        grads: list[Array | None] = [None] * len(node.inputs)
        for index, key in zip(step.nodes, step.writes, strict=True):
            grads[self._executor_graph.nodes[index].input] = self._arrays[key]

        def allowed(key: ArrayKey) -> Array | None:
            return self._arrays[key] if key in read else None

        return Given(
            [allowed(value_key(entry)) for entry in node.inputs],
            [allowed(value_key((step.symbol_node, number))) for number in range(node.output_count)],
            [None if head is None else allowed(gradient_key(head)) for head in heads],
            grads,
        )

    def _addition(self, step: Step) -> Task:
        total = self._arrays[step.writes[0]]
        gathered = self._gathering.addition(step.writes[0].node, step.reads[-1].node, total)
        if gathered is not None:
            return whole(gathered)
        add = np.add if len(step.reads) == 2 else np.positive
        given = Given([self._arrays[key] for key in step.reads], [total])
        outline = addition(len(given.ins), total.shape)
        return outline.task(given, lambda given, _how: partial(add, *given.ins, *given.outs))

    def _added(self, found: Sequence[Addition]) -> tuple[Call, ...]:
        """Return the calls that add what a step found to the holders whose request is `add`."""
        return tuple(one.in_numpy(self._arrays[one.key]) for one in found)
