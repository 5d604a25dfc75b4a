"""The executor: arrays bound to a graph, run forward and backward along a plan."""

import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import attrs
import numpy as np

from app.engine.backends.backend import HostNode
from app.engine.errors import BindError, EngineError, RunError
from app.engine.following import Cancel, StepDone
from app.engine.given import Staged, check_shape, copy_into
from app.engine.gradient import ExecutorGraph, Request, in_turn
from app.engine.graph import Entry, Graph
from app.engine.inference.infer import Inference
from app.engine.kernels.steps import fill, in_order
from app.engine.operator import Array, DType, Operator, Run
from app.engine.passes.ahead import Ahead
from app.engine.passes.gathering import Gathering
from app.engine.passes.halves import Given, Halves
from app.engine.passes.overwriting import overwritten
from app.engine.planning.plan import ArrayKey, Plan, Step, allocate, gradient_key, value_key
from app.engine.settled import Binding
from app.engine.shapes import Shape

if TYPE_CHECKING:
    from app.engine.checking.checked import GradientCheck
    from app.engine.explain import GradientExplanation

Call = Callable[[], object]


NUMPY_REFUSALS = (ValueError, IndexError, ArithmeticError, TypeError, MemoryError)
"""What numpy raises when arrays do not suit an operation that shapes alone could not rule out."""
FAULTS = (EngineError, *NUMPY_REFUSALS)


class Executor:
    """Runs one bound graph; arrays are plain numpy arrays, and outputs are valid until the next forward."""

    def __init__(self, binding: Binding) -> None:
        self.graph: Graph = binding.graph
        self.inference: Inference = binding.inference
        self.executor_graph: ExecutorGraph = binding.executor_graph
        self.plan: Plan = binding.plan
        self.requests: Mapping[str, Request] = binding.requests
        self._arrays = (
            allocate(binding.plan) if binding.backend is None else binding.backend.allocate(binding)
        )
        names = self.graph.nodes
        self.arg_dict = {names[index].name: binding.variables[index] for index in self.graph.arguments}
        self.aux_dict = {names[index].name: binding.variables[index] for index in self.graph.auxiliary}
        self.grad_dict = {names[index].name: binding.gradients.get(index) for index in self.graph.arguments}
        self.arg_arrays = [binding.variables[index] for index in self.graph.arguments]
        self.grad_arrays = [binding.gradients.get(index) for index in self.graph.arguments]
        self.aux_arrays = [binding.variables[index] for index in self.graph.auxiliary]
        staged = Staged()
        variables, gradients = (staged.plain(arrays) for arrays in (binding.variables, binding.gradients))
        binding = attrs.evolve(binding, variables=variables, gradients=gradients)
        self._external(binding)
        self.outputs = [self._arrays[value_key(head)] for head in self.graph.heads]
        self._heads = [self._head(number, output) for number, output in enumerate(self.outputs)]
        self._program = None if binding.backend is None else binding.backend.prepare(binding, self._arrays)
        self._runs = self._make_runs() if self._program is None else {}
        self.seed(binding.seed)
        self.step_seconds: dict[int, float] = {}
        """How long each step took when it was last followed, by its number; forward() and backward() do not measure."""
        if self._program is not None:
            self._predict, self._train = self._program.predict, self._program.train
            self._backward = self._program.backward
            self._stage(staged)
            return
        self._halves = Halves(self.graph, self.inference)
        self._ahead = Ahead(self.graph, self._arrays, keep_all=binding.keep_all)
        self._gathering = Gathering(self.executor_graph, keep_all=binding.keep_all)
        steps = self.plan.steps
        self._predict = [self._forward_call(step, train=False) for step in steps[: self.plan.forward_count]]
        self._train = [self._forward_call(step, train=True) for step in steps[: self.plan.forward_count]]
        self._backward = [self._backward_call(step) for step in steps[self.plan.forward_count :]]
        self._stage(staged)

    # Running -----------------------------------------------------------------------------------------------------

    def forward(self, is_train: bool = False, **arrays: Any) -> list[Array]:
        """Run forward and return the outputs in head order.

        Keywords overwrite bound arguments first (same shape). RunError names an argument that does not fit.
        """
        if arrays:
            self._overwrite(arrays)
        calls = self._train if is_train else self._predict
        try:  # as in _call_all, without the call: in the smallest graphs it is a tenth of the time
            for call in calls:
                call()
        except FAULTS as error:
            raise self._told(error, calls, call, 0) from error
        return self.outputs

    def backward(self, out_grads: Any = None) -> None:
        """Run backward into the gradient buffers.

        `out_grads` is one array, or one per output as a list in output order or a dict by output name. Without it every
        head must be a loss, or have nothing to differentiate behind it.
        """
        self._take_head_gradients(out_grads)
        self._call_all(self._backward, self.plan.forward_count)

    def run_forward(self, is_train: bool = False, cancel: Cancel | None = None) -> Iterator[StepDone]:
        """Run forward step by step; stops between steps when `cancel` is set."""
        calls = self._train if is_train else self._predict
        yield from self._run(calls, 0, "forward", cancel)

    def run_backward(self, out_grads: Any = None, cancel: Cancel | None = None) -> Iterator[StepDone]:
        """Run backward step by step; stops between steps when `cancel` is set."""
        self._take_head_gradients(out_grads)
        yield from self._run(self._backward, self.plan.forward_count, "backward", cancel)

    def _run(
        self, calls: Sequence[Call], first: int, phase: Literal["forward", "backward"], cancel: Cancel | None
    ) -> Iterator[StepDone]:
        for number, call in enumerate(calls, first):
            if cancel is not None and cancel.is_set():
                return
            start = time.perf_counter()
            self._call_all((call,), number)
            self.step_seconds[number] = seconds = time.perf_counter() - start
            yield StepDone(number, phase, self.plan.steps[number].nodes, seconds)

    def _call_all(self, calls: Sequence[Call], first: int) -> None:
        """Run calls in order; what numpy refuses becomes a RunError that names the node."""
        try:
            for call in calls:
                call()
        except FAULTS as error:
            raise self._told(error, calls, call, first) from error

    def _told(self, error: Exception, calls: Sequence[Call], call: Call, first: int) -> EngineError:
        """Return what went wrong in a call as an error that names its node."""
        number = next(place for place, other in enumerate(calls, first) if other is call)
        name = self.graph.nodes[self.plan.steps[number].symbol_node].name
        if isinstance(error, EngineError):
            return error.at(name)
        return RunError(f"{name} cannot be computed: {error}", node=name)

    def seed(self, seed: int | None) -> None:
        """Start every random stream anew; each node has its own, so one more node leaves the others' draws alone."""
        if seed is not None and seed < 0:
            raise BindError(f"A seed is a whole number from 0 on, not {seed}.")
        if self._program is not None:
            self._program.seed(seed)
        for index, runs in self._runs.items():
            fresh = np.random.PCG64(stream_of(self.graph.nodes[index].name, seed))
            for run in runs:
                run.rng.bit_generator.state = fresh.state

    def explain(self, name: str) -> "tuple[GradientExplanation, ...]":
        """Explain a gradient: formula, arrays read, and why it is there; a sum is followed by its parts."""
        from app.engine.explain import explain_gradient

        return explain_gradient(self.executor_graph, name)

    def check_gradient(self, name: str, **options: Any) -> "GradientCheck":
        """Compare the gradient of an argument or of a node's output with finite differences.

        The keywords are those of `CheckOptions`: is_train, step, samples, seed, out_grads. The executor stays as it is.
        """
        from app.engine.checking.checked import CheckOptions
        from app.engine.checking.gradient_check import check_gradient

        return check_gradient(self, name, CheckOptions(**options))

    # Looking inside ----------------------------------------------------------------------------------------------

    def value(self, entry: Entry) -> Array | None:
        """Return the array of an entry; other arrays may share its memory unless bound with keep_all."""
        return self._array(value_key(entry))

    def gradient(self, entry: Entry) -> Array | None:
        """Return the whole gradient of an entry, None where nobody asked for it."""
        node = self.executor_graph.gradient_nodes.get(entry)
        return None if node is None else self.node_array(node)

    def node_array(self, index: int) -> Array | None:
        """Return the array of an executor node: for the holder of an added gradient, the holder's own."""
        node = self.executor_graph.nodes[index]
        if node.kind in ("argument", "auxiliary", "operator"):
            return self._array(value_key(node.entry))
        if node.request == "add":
            return self._holders[node.entry[0]]
        return self._array(gradient_key(index))

    def _array(self, key: ArrayKey) -> Array | None:
        found = self._arrays.get(key)
        return found if found is not None or self._program is None else self._program.array(key)

    @property
    def host_nodes(self) -> tuple[HostNode, ...]:
        """The nodes that a backend leaves to numpy on the host, and why; numpy itself leaves none."""
        return () if self._program is None else self._program.host_nodes

    @property
    def output_dict(self) -> dict[str, Array]:
        """Outputs by name."""
        return dict(zip(self.graph.output_names, self.outputs, strict=True))

    # Setting up --------------------------------------------------------------------------------------------------

    def _external(self, binding: Binding) -> None:
        """Enter the arrays that are not the plan's: variables and gradient holders."""
        self._holders = binding.gradients
        for index, array in binding.variables.items():
            self._arrays[value_key((index, 0))] = array
        for node in self.executor_graph.nodes:
            if node.request == "write":
                self._arrays[gradient_key(node.index)] = binding.gradients[node.entry[0]]

    def _stage(self, staged: Staged) -> None:
        self._predict, self._train = staged.around(self._predict), staged.around(self._train)
        self._backward = staged.around(self._backward)

    def _head(self, number: int, output: Array) -> tuple[Shape, DType, Array | None]:
        """Return shape and type of an output, and where its gradient goes when it is handed in: None where nowhere."""
        node = self.executor_graph.head_gradients.get(number)
        buffer = None if node is None else self._arrays[gradient_key(node)]
        return output.shape, output.dtype, buffer

    def _make_runs(self) -> dict[int, tuple[Run, Run]]:
        """Make each operator's two contexts, predicting and training, on one stream and one scratch."""
        idle = np.random.Generator(np.random.PCG64(0))
        runs, lent, spoilt = {}, dict[str, Any](), overwritten(self.executor_graph)
        for index, node in enumerate(self.graph.nodes):
            if node.operator is not None:
                rng = np.random.Generator(np.random.PCG64(0)) if node.operator.is_random else idle
                scratch: dict[str, Any] = {}
                facts = (rng, scratch, lent, index in spoilt)
                runs[index] = (Run(False, *facts), Run(True, *facts))
        return runs

    def _forward_call(self, step: Step, *, train: bool) -> Call:
        node = self.graph.nodes[step.symbol_node]
        assert node.operator is not None
        ins = [self._arrays[key] for key in step.reads]
        outs = [self._arrays[key] for key in step.writes]
        ahead = self._ahead.forward(step.symbol_node, ins, outs)
        if ahead is not None:
            return self._halves.whole(ahead)
        with blaming(node.name):
            return self._halves.forward(node.operator, self._runs[step.symbol_node][train], ins, outs)

    def _backward_call(self, step: Step) -> Call:
        if step.kind == "zero":
            return self._keep(step, fill(self._arrays[step.writes[0]]))
        if step.kind == "sum":
            return self._keep(step, self._addition(step))
        with blaming(self.graph.nodes[step.symbol_node].name):
            return self._operator_backward(step)

    def _operator_backward(self, step: Step) -> Call:
        node = self.graph.nodes[step.symbol_node]
        assert node.operator is not None
        read = set(step.reads)
        heads = self.executor_graph.backward_heads[step.symbol_node]
        grads: list[Array | None] = [None] * len(node.inputs)
        for index, key in zip(step.nodes, step.writes, strict=True):
            grads[self.executor_graph.nodes[index].input] = self._arrays[key]
        arrays = Given(
            [self._allowed(value_key(entry), read) for entry in node.inputs],
            [
                self._allowed(value_key((step.symbol_node, number)), read)
                for number in range(node.output_count)
            ],
            [None if head is None else self._allowed(gradient_key(head), read) for head in heads],
            grads,
        )
        kept, rest = self._gathering.keep(step.symbol_node, arrays)
        if rest is not None:
            kept.append(self._halves.backward(node.operator, self._runs[step.symbol_node][True], rest))
        return self._keep(step, in_order(kept), node.operator)

    def _addition(self, step: Step) -> Call:
        total = self._arrays[step.writes[0]]
        gathered = self._gathering.addition(step.writes[0].node, step.reads[-1].node, total)
        if gathered is not None:
            return self._halves.whole(gathered)
        parts = [self._arrays[key] for key in step.reads]
        return partial(np.add if len(parts) == 2 else np.positive, *parts, total)

    def _allowed(self, key: ArrayKey, read: set[ArrayKey]) -> Array | None:
        return self._arrays[key] if key in read else None

    def _keep(self, step: Step, call: Call, operator: Operator | None = None) -> Call:
        """Add what a step found to the holders whose request is `add`."""
        if not any(self.executor_graph.nodes[index].request == "add" for index in step.nodes):
            return call
        add = operator.add_gradient if operator is not None else add_plainly
        held: dict[int, Array] = {}
        calls = [call]
        for number, source in in_turn(self.executor_graph, step.nodes, operator):
            node, key = self.executor_graph.nodes[step.nodes[number]], step.writes[number]
            if node.request == "add":
                held[node.input] = self._holders[node.entry[0]]
                fresh = self._arrays[key] if source is None else held[source]
                calls.append(add(node.input, fresh, held[node.input]))
            elif source is not None:
                calls.append(partial(np.copyto, self._arrays[key], held[source]))
        return in_order(calls)

    # Taking arrays in --------------------------------------------------------------------------------------------

    def _overwrite(self, arrays: Mapping[str, Any]) -> None:
        for name, given in arrays.items():
            if name not in self.arg_dict:
                known = ", ".join(list(self.arg_dict)[:6])
                raise RunError(f"There is no argument named {name!r}; the arguments are {known}.")
            copy_into(self.arg_dict[name], given, f"the argument {name}")

    def _take_head_gradients(self, out_grads: Any) -> None:
        if out_grads is None:
            self._refuse_missing_head_gradient()
            return
        ndarray = np.ndarray
        given = [out_grads] if type(out_grads) is ndarray else self._listed(out_grads)
        if len(given) != len(self._heads):
            raise RunError(
                f"Backward needs one head gradient for each of {len(self.graph.heads)} outputs"
                f" ({', '.join(self.graph.output_names)}) but was given {len(given)}."
            )
        for number, array in enumerate(given):
            shape, dtype, buffer = self._heads[number]
            if (
                buffer is not None
                and type(array) is ndarray
                and array.dtype is dtype
                and array.shape == shape
            ):
                buffer[...] = array  # the usual case, without asking twice
                continue
            what = f"the head gradient of {self.graph.output_names[number]}"
            check_shape(np.shape(array), shape, what)
            if buffer is not None:
                copy_into(buffer, array, what)

    def _listed(self, out_grads: Any) -> Sequence[Any]:
        """Return head gradients in the order of the outputs."""
        if isinstance(out_grads, (list, tuple)):
            return out_grads
        if not isinstance(out_grads, Mapping):
            return [out_grads]
        missing = [name for name in self.graph.output_names if name not in out_grads]
        if missing:
            raise RunError(f"Backward needs a head gradient for {', '.join(missing)} too.")
        return [out_grads[name] for name in self.graph.output_names]

    def _refuse_missing_head_gradient(self) -> None:
        for number in self.executor_graph.needed_heads[:1]:
            name = self.graph.output_names[number]
            raise RunError(
                f"Backward needs the head gradient of {name}: it is no loss, so hand in what flows back into it.",
                node=self.graph.nodes[self.graph.heads[number][0]].name,
            )


@contextmanager
def blaming(node: str) -> Iterator[None]:
    """Turn what numpy refuses while a step is set up into a RunError that names the node."""
    try:
        yield
    except EngineError as error:
        raise error.at(node) from None
    except NUMPY_REFUSALS as error:
        raise RunError(f"{node} cannot be computed: {error}", node=node) from error


def stream_of(node: str, seed: int | None) -> np.random.SeedSequence:
    """Return what the random stream of a node starts from; without a seed it is another one each time."""
    return (
        np.random.SeedSequence()
        if seed is None
        else np.random.SeedSequence([seed, zlib.crc32(node.encode("utf-8", "surrogatepass"))])
    )


def add_plainly(index: int, fresh: Array, holder: Array) -> Call:
    """Return the call that adds a fresh gradient to what its holder holds."""
    return partial(np.add, holder, fresh, holder)
