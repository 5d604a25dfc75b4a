"""The executor: arrays bound to a graph, run forward and backward along a plan."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

import attrs
import numpy as np

from app.engine.backends.backend import HostNode, Program
from app.engine.errors import EngineError, RunError
from app.engine.following import Cancel, StepDone
from app.engine.given import Staged, check_shape, copy_into, head_gradients
from app.engine.gradient import ExecutorGraph, Request
from app.engine.graph import Entry, Graph
from app.engine.inference.infer import Inference
from app.engine.nearby import no_such
from app.engine.numpy_program import NumpyProgram
from app.engine.operator import Array, DType
from app.engine.planning.plan import ArrayKey, Plan, allocate, gradient_key, value_key
from app.engine.refusals import FAULTS, refusal
from app.engine.settled import Binding
from app.engine.shapes import Shape
from app.engine.stepping import Call, Misstep
from app.engine.taking import take_array, take_seed, take_truth

if TYPE_CHECKING:
    from app.engine.checking.checked import GradientCheck
    from app.engine.explain import GradientExplanation

ArrayT = TypeVar("ArrayT", bound=Array | None)


class Executor:
    """Runs one bound graph; arrays are plain numpy arrays, and outputs are valid until the next forward."""

    def __init__(self, binding: Binding) -> None:
        self.graph: Graph = binding.graph
        self.inference: Inference = binding.inference
        self.executor_graph: ExecutorGraph = binding.executor_graph
        self.plan: Plan = binding.plan
        self.requests: Mapping[str, Request] = binding.requests
        backend = binding.backend
        self._arrays = allocate(binding.plan) if backend is None else backend.allocate(binding)
        self.arg_arrays = [binding.variables[index] for index in self.graph.arguments]
        self.grad_arrays = [binding.gradients.get(index) for index in self.graph.arguments]
        self.aux_arrays = [binding.variables[index] for index in self.graph.auxiliary]
        self._argument_names = self.graph.names(self.graph.arguments)
        self._state_names = self.graph.names(self.graph.auxiliary)
        self._arg_dict = dict(zip(self._argument_names, self.arg_arrays, strict=True))
        self._grad_dict = dict(zip(self._argument_names, self.grad_arrays, strict=True))
        self._aux_dict = dict(zip(self._state_names, self.aux_arrays, strict=True))
        staged = Staged()
        variables, gradients = (staged.plain(arrays) for arrays in (binding.variables, binding.gradients))
        binding = attrs.evolve(binding, variables=variables, gradients=gradients)
        self._external(binding)
        self.outputs = [self._arrays[value_key(head)] for head in self.graph.heads]
        self._heads = [self._head(number, output) for number, output in enumerate(self.outputs)]
        self._program: Program = (
            NumpyProgram(binding, self._arrays) if backend is None else backend.prepare(binding, self._arrays)
        )
        self.seed(binding.seed)
        self.step_seconds: dict[int, float] = {}
        """How long each step took when it was last followed, by its number; forward() and backward() do not measure."""
        self._predict, self._train = (
            staged.around(calls) for calls in (self._program.predict, self._program.train)
        )
        self._backward = staged.around(self._program.backward)

    # Running -----------------------------------------------------------------------------------------------------

    def forward(self, is_train: bool | int = False, **arrays: Any) -> list[Array]:
        """Run forward and return the outputs in head order.

        Keywords overwrite bound arguments first (same shape). RunError names an argument that does not fit.
        """
        if arrays:
            self._overwrite(arrays)
        calls = (
            self._train if is_train is True else self._predict if is_train is False else self._calls(is_train)
        )
        try:
            for call in calls:
                call()
        except (Misstep, *FAULTS) as error:
            raise self._told(error, calls, call, 0) from error
        return self.outputs

    def backward(self, out_grads: Any = None) -> None:
        """Run backward into the gradient buffers.

        `out_grads` is one array, or one per output as a list in output order or a dict by output name. Without it every
        head must be a loss, or have nothing to differentiate behind it.
        """
        self._take_head_gradients(out_grads)
        calls = self._backward
        try:
            for call in calls:
                call()
        except (Misstep, *FAULTS) as error:
            raise self._told(error, calls, call, self.plan.forward_count) from error

    def run_forward(self, is_train: bool = False, cancel: Cancel | None = None) -> Iterator[StepDone]:
        """Run forward step by step; stops between steps when `cancel` is set."""
        calls = self._calls(is_train)
        yield from self._run(calls, 0, "forward", cancel)

    def run_backward(self, out_grads: Any = None, cancel: Cancel | None = None) -> Iterator[StepDone]:
        """Run backward step by step; stops between steps when `cancel` is set."""
        self._take_head_gradients(out_grads)
        yield from self._run(self._backward, self.plan.forward_count, "backward", cancel)

    def _calls(self, is_train: object) -> Sequence[Call]:
        advice = " Hand arrays in by name, like forward(data=array)."
        return self._train if take_truth(is_train, "is_train", advice) else self._predict

    def _run(
        self, calls: Sequence[Call], first: int, phase: Literal["forward", "backward"], cancel: Cancel | None
    ) -> Iterator[StepDone]:
        for number, call in enumerate(calls, first):
            if cancel is not None and cancel.is_set():
                return
            start = time.perf_counter()
            try:
                call()
                self._program.wait()  # a card goes on computing after a call that came back
            except (Misstep, *FAULTS) as error:
                raise self._told(error, (call,), call, number) from error
            self.step_seconds[number] = seconds = time.perf_counter() - start
            yield StepDone(number, phase, self.plan.steps[number].nodes, seconds)

    def _told(self, error: Exception, calls: Sequence[Call], call: Call, first: int) -> EngineError:
        """Return what went wrong in a call as an error that names its node."""
        number = next(place for place, other in enumerate(calls, first) if other is call)
        if isinstance(error, Misstep):
            number, error = number + error.number, cast("Exception", error.__cause__)
        return refusal(self.inference, self.plan.steps[number].symbol_node, error)

    def seed(self, seed: int | None) -> None:
        """Start every random stream anew; each node has its own, so one more node leaves the others' draws alone."""
        self._program.seed(take_seed(seed))

    def explain(self, name: str) -> "tuple[GradientExplanation, ...]":
        """Explain a gradient: formula, arrays read, and why it is there; a sum is followed by its parts."""
        from app.engine.explain import explain_gradient

        return explain_gradient(self.executor_graph, name)

    def check_gradient(self, name: str, **options: Any) -> "GradientCheck":
        """Compare the gradient of an argument or of a node's output with finite differences.

        The keywords are those of `CheckOptions`: is_train, step, samples, seed, out_grads. The executor stays as it is.
        """
        from app.engine.checking.checked import read_options
        from app.engine.checking.gradient_check import check_gradient

        return check_gradient(self, name, read_options(options))

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
        return found if found is not None else self._program.array(key)

    @property
    def host_nodes(self) -> tuple[HostNode, ...]:
        """The nodes that a backend leaves to numpy on the host, and why; numpy itself leaves none."""
        return self._program.host_nodes

    @property
    def arg_dict(self) -> dict[str, Array]:
        """Arguments by name; RunError where two have one name, as in all of these."""
        return _unless_two_share("arguments", self._argument_names, self._arg_dict)

    @property
    def grad_dict(self) -> dict[str, Array | None]:
        """Gradient buffers by name, None where there is none."""
        return _unless_two_share("arguments", self._argument_names, self._grad_dict)

    @property
    def aux_dict(self) -> dict[str, Array]:
        """Auxiliary states by name."""
        return _unless_two_share("auxiliary states", self._state_names, self._aux_dict)

    @property
    def output_dict(self) -> dict[str, Array]:
        """Outputs by name."""
        names = self.graph.output_names
        return _unless_two_share("outputs", names, dict(zip(names, self.outputs, strict=True)))

    # Setting up --------------------------------------------------------------------------------------------------

    def _external(self, binding: Binding) -> None:
        """Enter the arrays that are not the plan's: variables and gradient holders."""
        self._holders = binding.gradients
        for index, array in binding.variables.items():
            self._arrays[value_key((index, 0))] = array
        for node in self.executor_graph.nodes:
            if node.request == "write":
                self._arrays[gradient_key(node.index)] = binding.gradients[node.entry[0]]

    def _head(self, number: int, output: Array) -> tuple[Shape, DType, Array | None]:
        """Return shape and type of an output, and where its gradient goes when it is handed in: None where nowhere."""
        node = self.executor_graph.head_gradients.get(number)
        buffer = None if node is None else self._arrays[gradient_key(node)]
        return output.shape, output.dtype, buffer

    # Taking arrays in --------------------------------------------------------------------------------------------

    def _overwrite(self, arrays: Mapping[str, Any]) -> None:
        for name, given in arrays.items():
            if name not in self.arg_dict:
                raise RunError(no_such("argument", name, list(self.arg_dict)))
            copy_into(self.arg_dict[name], given, f"the argument {name}")

    def _take_head_gradients(self, out_grads: Any) -> None:
        if out_grads is None:
            self._refuse_missing_head_gradient()
            return
        ndarray = np.ndarray
        kind, count = type(out_grads), len(self._heads)
        if kind is list and len(out_grads) == count:
            given = out_grads
        elif kind is ndarray and count == 1:
            given = [out_grads]
        else:
            given = head_gradients(out_grads, self.graph.output_names, "Backward")
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
            if buffer is None:
                check_shape(take_array(array, what).shape, shape, what)
            else:
                copy_into(buffer, array, what)

    def _refuse_missing_head_gradient(self) -> None:
        for number in self.executor_graph.needed_heads[:1]:
            name = self.graph.output_names[number]
            raise RunError(
                f"Backward needs the head gradient of {name}: it is no loss, so hand in what flows back into it.",
                node=self.graph.nodes[self.graph.heads[number][0]].name,
            )


def _unless_two_share(what: str, names: Sequence[str], found: dict[str, ArrayT]) -> dict[str, ArrayT]:
    """Return arrays by name; RunError where two have one name, since one of them would be missing."""
    if len(found) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise RunError(
            f"Two {what} are named {twice}, so there is no dict of them; take them by their places."
        )
    return found
