"""The backend on PyTorch: a kernel for every node of a bind, and one call for every step of its plan."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from app.engine.adding import additions
from app.engine.backends.backend import Arrays, Call, HostNode
from app.engine.backends.torch_choice import choose_kernel
from app.engine.backends.torch_devices import free_memory
from app.engine.backends.torch_nodes import Kernel, NodeFacts
from app.engine.backends.torch_outside import Outside, torch_dtype
from app.engine.backends.torch_refusals import refusing_bind, told
from app.engine.backends.torch_steps import (
    Add,
    Backward,
    Cells,
    Echo,
    Ending,
    Forward,
    InOrder,
    Sum,
    Take,
    Zero,
)
from app.engine.operator import Array
from app.engine.passes.overwriting import overwritten
from app.engine.planning.plan import ArrayKey, Step, gradient_key, value_key
from app.engine.refusals import blaming
from app.engine.settled import Binding
from app.engine.stepping import stream_of


class TorchBackend:
    """Makes programs on one device."""

    name = "torch"

    def __init__(self, device: torch.device) -> None:
        self.device = str(device)
        self._device = device

    def free_memory(self) -> int | None:
        """Return what a card has left; on the processor the executor's memory is that of the tensors."""
        return free_memory(self._device)

    def allocate(self, binding: Binding) -> Arrays:
        """Return fresh arrays for the outputs that are no variables, and for the gradients handed in."""
        inference = binding.inference
        heads = [head for head in binding.graph.heads if not binding.graph.nodes[head[0]].is_variable]
        arrays = {
            value_key(head): np.zeros(inference.shape(head), inference.settled_dtype(head)) for head in heads
        }
        for node in binding.executor_graph.nodes:
            if node.kind == "head_gradient":
                arrays[gradient_key(node.index)] = np.zeros(node.shape, node.dtype)
        return arrays

    def prepare(self, binding: Binding, arrays: Arrays) -> "TorchProgram":
        """Choose a kernel for every node and make the calls."""
        with refusing_bind(self._device):
            outside = {key: Outside(array, self._device) for key, array in arrays.items()}
            return TorchProgram(binding, outside, self._device)


class TorchProgram:
    """The calls of one bind, and the cells that hold its tensors."""

    def __init__(self, binding: Binding, outside: Mapping[ArrayKey, Outside], device: torch.device) -> None:
        self._binding, self._outside, self._device = binding, outside, device
        self._graph, self._executor_graph = binding.graph, binding.executor_graph
        steps = binding.plan.steps
        forward, backward = steps[: binding.plan.forward_count], steps[binding.plan.forward_count :]
        keys = (*outside, *(key for step in steps for key in (*step.reads, *step.writes)))
        self._places = {key: place for place, key in enumerate(dict.fromkeys(keys))}
        self._cells: Cells = [None] * len(self._places)
        self._variables = [value_key((index, 0)) for index in binding.variables]
        self._heads = [
            gradient_key(node.index) for node in self._executor_graph.nodes if node.kind == "head_gradient"
        ]
        for key in (*self._variables, *self._heads):
            self._cells[self._places[key]] = outside[key].tensor
        self._copied = [outside[key] for key in self._variables if not outside[key].shared]
        self._copied_heads = [outside[key] for key in self._heads if not outside[key].shared]
        self.host_nodes: tuple[HostNode, ...] = ()
        self._overwritten = overwritten(self._executor_graph)
        self._kernels = self._choose_kernels(forward, backward)
        self._ran = False
        self.predict: Sequence[Call] = self._forward_calls(forward, train=False)
        self.train: Sequence[Call] = self._forward_calls(forward, train=True)
        self.backward: Sequence[Call] = self._backward_calls(backward)

    # What the executor asks --------------------------------------------------------------------------------------

    def seed(self, seed: int | None) -> None:
        """Start every node's stream anew."""
        for index, kernel in self._kernels.items():
            kernel.seed(stream_of(self._graph.nodes[index].name, seed))

    def wait(self) -> None:
        """Wait for a card; the processor is done when a call returns."""
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)

    def array(self, key: ArrayKey) -> Array | None:
        """Return a copy of a tensor that is still held."""
        place = self._places.get(key)
        tensor = None if place is None else self._cells[place]
        if tensor is None:
            return None
        found: Array = tensor.detach().cpu().numpy().copy()
        return found

    # Kernels -----------------------------------------------------------------------------------------------------

    def _choose_kernels(self, forward: Sequence[Step], backward: Sequence[Step]) -> dict[int, Kernel]:
        nodes = self._executor_graph.nodes
        wanted = {
            step.symbol_node: tuple(nodes[index].input for index in step.nodes)
            for step in backward
            if step.kind == "backward"
        }
        kernels = {}
        for step in forward:
            facts = self._facts(step, wanted.get(step.symbol_node, ()))
            with blaming(self._binding.inference, step.symbol_node):
                kernels[step.symbol_node], reason = choose_kernel(facts)
            if reason:
                self.host_nodes += (HostNode(facts.name, facts.operator.op_name, reason),)
        return kernels

    def _facts(self, step: Step, wanted: tuple[int, ...]) -> NodeFacts:
        node, inference = self._graph.nodes[step.symbol_node], self._binding.inference
        assert node.operator is not None
        outs = [(step.symbol_node, number) for number in range(node.output_count)]
        return NodeFacts(
            name=node.name,
            operator=node.operator,
            in_shapes=tuple(map(inference.shape, node.inputs)),
            in_types=tuple(map(inference.settled_dtype, node.inputs)),
            out_shapes=tuple(map(inference.shape, outs)),
            out_types=tuple(map(inference.settled_dtype, outs)),
            wanted=wanted,
            outside={
                number: self._outside[value_key(entry)]
                for number, entry in enumerate(node.inputs)
                if self._graph.nodes[entry[0]].is_variable
            },
            device=self._device,
            overwritten=step.symbol_node in self._overwritten,
        )

    # Forward -----------------------------------------------------------------------------------------------------

    def _forward_calls(self, steps: Sequence[Step], *, train: bool) -> list[Call]:
        dying = self._dying(steps, "value")
        calls: list[Call] = []
        for step, dead in zip(steps, dying, strict=True):
            keep: list[Call] = [self._take(key) for key in step.writes if key in self._outside]
            ins = [self._places[key] for key in step.reads]
            outs = [self._places[key] for key in step.writes]
            keep += self._changed(step)
            kernel = self._kernels[step.symbol_node]
            calls.append(Forward(kernel, self._cells, ins, outs, train, Ending(keep, dead)))
        return self._framed(steps, calls, first=self._bring_in, last=self._mark_ran)

    def _changed(self, step: Step) -> list[Call]:
        """Return the calls that hand out variables which a kernel changes on the device."""
        changes = self._kernels[step.symbol_node].changes
        sources = self._graph.nodes[step.symbol_node].inputs
        changed = [self._outside[value_key(sources[number])] for number in changes]
        return [one.hand_out for one in changed if not one.shared]

    def _bring_in(self) -> None:
        for outside in self._copied:
            outside.bring_in()

    def _mark_ran(self) -> None:
        self._ran = True

    # Backward ----------------------------------------------------------------------------------------------------

    def _backward_calls(self, steps: Sequence[Step]) -> list[Call]:
        dying = self._dying(steps, "gradient")
        calls = [self._backward_call(step, dead) for step, dead in zip(steps, dying, strict=True)]
        return self._framed(steps, calls, first=self._begin_backward)

    def _begin_backward(self) -> None:
        """Bring in what may have been written since forward; a backward without a forward runs one first."""
        if not self._ran:
            for call in self.train:
                call()
        for outside in (*self._copied, *self._copied_heads):
            outside.bring_in()

    def _backward_call(self, step: Step, dead: Sequence[int]) -> Call:
        writes = [self._places[key] for key in step.writes]
        keep = [self._take(key) for key in step.writes if key in self._outside]
        keep += self._additions(step)
        if step.kind == "zero":
            key = self._executor_graph.nodes[step.nodes[0]]
            zeros = torch.zeros(key.shape, dtype=torch_dtype(key.dtype), device=self._device)
            return Zero(self._cells, writes[0], zeros, Ending(keep, dead))
        if step.kind == "sum":
            parts = [self._places[key] for key in step.reads]
            return Sum(self._cells, parts, writes[0], Ending(keep, dead))
        read = set(step.reads)
        heads: list[int | None] = []
        for head in self._executor_graph.backward_heads[step.symbol_node]:
            seen = head is not None and gradient_key(head) in read
            heads.append(self._places[gradient_key(head)] if head is not None and seen else None)
        keep += self._changed(step)
        kernel = self._kernels[step.symbol_node]
        return Backward(kernel, self._cells, heads, writes, Ending(keep, dead))

    def _additions(self, step: Step) -> list[Call]:
        """Add what a step found to the holders whose request is `add`."""
        calls: list[Call] = []
        for one in additions(self._executor_graph, step, self._binding.gradients):
            place = self._places[one.key]
            if one.echoed is not None:
                calls.append(Echo(self._cells, place, one.echoed, self._device))
            if one.holder is not None:
                calls.append(Add(self._cells, place, one))
            elif one.key in self._outside:
                calls.append(self._take(one.key))
        return calls

    # Cells -------------------------------------------------------------------------------------------------------

    def _take(self, key: ArrayKey) -> Call:
        return Take(self._cells, self._places[key], self._outside[key])

    def _dying(self, steps: Sequence[Step], kind: str) -> list[list[int]]:
        """Return for every step of a pass the cells that none after it reads; none at all where every array is kept."""
        last: dict[ArrayKey, int] = {}
        for number, step in enumerate(steps):
            last.update((key, number) for key in (*step.reads, *step.writes) if key.kind == kind)
        dying: list[list[int]] = [[] for _ in steps]
        if not self._binding.keep_all:
            lasting = {*self._variables, *self._heads}
            for key, number in last.items():
                if key not in lasting:
                    dying[number].append(self._places[key])
        return dying

    def _framed(
        self, steps: Sequence[Step], calls: list[Call], first: Call, last: Call | None = None
    ) -> list[Call]:
        """Join what a pass begins and ends with to its first and last call, so that there is one call per step."""
        if calls:
            calls[0] = InOrder([first, calls[0]])
            if last is not None:
                calls[-1] = InOrder([calls[-1], last])
        names = (self._graph.nodes[step.symbol_node].name for step in steps)
        return [told(name, call, self._device) for name, call in zip(names, calls, strict=True)]
