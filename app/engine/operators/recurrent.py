"""RNN: stacked recurrent layers over a whole sequence in one operator."""

from collections.abc import Callable, Sequence
from typing import Annotated, Literal

import numpy as np

from app.engine.errors import RunError
from app.engine.examples import Domain, Example
from app.engine.kernels import recurrent as kernels
from app.engine.kernels.steps import without_gradient
from app.engine.operator import (
    Array,
    Arrays,
    CodeNames,
    GradientKind,
    Operator,
    OptionalArrays,
    Port,
    Reads,
    Run,
    Types,
    operator,
    refuse,
)
from app.engine.operators.lines import assign_zeros
from app.engine.operators.prepared import present
from app.engine.params import WIDE, param
from app.engine.shapes import Inferred, Shape, Shapes, element_count, merge
from app.engine.work_space import WorkSpace

_SMALL = {"parameters": Domain(-0.6, 0.6)}


@operator(category="Sequences")
class RNN(Operator):
    """Run stacked recurrent layers over a sequence (steps, batch, features).

    All weights and biases are one vector: weights layer by layer and direction by direction, then the biases.
    """

    kinds = "f"

    is_random = trains_otherwise = True  # dropout between layers

    state_size: int = param(low=1, doc="Number of hidden units of every layer.")
    num_layers: int = param(low=1, doc="Number of layers on top of each other.")
    bidirectional: bool = param(default=False, doc="Run every layer forwards and backwards in time.")
    mode: str = param(choices=("gru", "lstm", "rnn_relu", "rnn_tanh"), doc="The kind of cell.")
    p: float = param(default=0.0, low=0, high=1, doc="Dropout between layers in training.")
    state_outputs: bool = param(default=False, doc="Give the last states as further outputs.")
    projection_size: int | None = param(default=None, low=1, advanced=True, doc="Only for graphics cards.")
    lstm_state_clip_min: Annotated[float, WIDE] | None = param(
        default=None, advanced=True, doc="Only for graphics cards."
    )
    lstm_state_clip_max: Annotated[float, WIDE] | None = param(
        default=None, advanced=True, doc="Only for graphics cards."
    )
    lstm_state_clip_nan: bool = param(default=False, advanced=True, doc="Only for graphics cards.")
    use_sequence_length: bool = param(default=False, advanced=True, doc="Take the length of every sample.")

    examples = (
        Example(
            {"data": (3, 2, 4)}, domains=_SMALL, mode="lstm", state_size=3, num_layers=2, state_outputs=True
        ),
        Example(
            {"data": (3, 2, 4)}, domains=_SMALL, mode="gru", state_size=3, num_layers=1, bidirectional=True
        ),
        Example(
            {"data": (3, 2, 2)},
            domains=_SMALL,
            mode="rnn_tanh",
            state_size=2,
            num_layers=2,
            bidirectional=True,
        ),
        Example({"data": (3, 2, 2)}, mode="rnn_relu", state_size=2, num_layers=1, state_outputs=True),
        Example(
            {"data": (4, 3, 2)},
            domains={**_SMALL, "sequence_length": Domain(1, 4, whole=True)},
            mode="lstm",
            state_size=2,
            num_layers=1,
            bidirectional=True,
            use_sequence_length=True,
        ),
        Example({"data": (3, 2, 4)}, mode="rnn_tanh", state_size=3, num_layers=2, p=0.5, gradient=False),
    )

    def check(self) -> None:
        """Refuse a projection of anything but an LSTM."""
        refuse(
            self.projection_size is not None and self.mode != "lstm",
            "projection_size is only for mode lstm.",
            port="projection_size",
        )

    # Ports and shapes --------------------------------------------------------------------------------------------

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Data, the vector of weights, the first states, and what else the settings ask for."""
        ports = [Port("data"), Port("parameters", "weight"), Port("state", "state")]
        if self.mode == "lstm":
            ports.append(Port("state_cell", "state"))
        if self.use_sequence_length:
            ports.append(Port("sequence_length", "label"))
        return tuple(ports)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The last layer's states of all steps, and every layer's last state if wanted."""
        if not self.state_outputs:
            return ("output",)
        last = ("output", "state_output")
        return (*last, "statecell_output") if self.mode == "lstm" else last

    @property
    def directions(self) -> int:
        """1, or 2 where layers run both ways."""
        return 2 if self.bidirectional else 1

    def _sizes(self, inputs: int) -> kernels.Sizes:
        return kernels.Sizes(self.mode, inputs, self.state_size, self.num_layers, self.directions)

    def _parameters(self, inputs: int) -> int:
        """Return the length of the vector, 0 while the number of features is open."""
        if not inputs:
            return 0
        if self.projection_size is None:
            return self._sizes(inputs).parameters
        seen, rows = self.projection_size, 4 * self.state_size * self.directions
        first = (inputs + seen + 2) * rows
        others = (seen * self.directions + seen + 2) * rows * (self.num_layers - 1)
        return first + others + seen * self.state_size * self.num_layers * self.directions

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Everything follows from data; steps and batch also flow back."""
        data = merge((0, 0, 0), ins[0], "data")
        shown = self.projection_size or self.state_size
        result = merge((data[0], data[1], shown * self.directions), outs[0], "output")
        count = self.num_layers * self.directions
        state = merge((count, result[1], shown), ins[2], "state")
        cell: Shape = (count, state[1], self.state_size)
        rest: list[Shape] = []
        if self.mode == "lstm":
            cell = merge(cell, ins[3], "state_cell")
            rest.append(cell)
        batch = cell[1]
        if self.use_sequence_length:
            rest.append(merge((batch,), ins[-1], "sequence_length"))
        data = (result[0], batch, data[2])
        vector = merge((self._parameters(data[2]),), ins[1], "parameters")
        state = (count, batch, shown)
        results = [(data[0], batch, result[2]), state, (count, batch, self.state_size)]
        return (data, vector, state, *rest), tuple(results[: len(self.outputs)])

    def infer_types(self, ins: Types, outs: Types) -> tuple[Types, Types]:
        """Lengths may have a type of their own."""
        if not self.use_sequence_length:
            return super().infer_types(ins, outs)
        same, results = super().infer_types(ins[:-1], outs)
        return (*same, ins[-1] or same[0]), results

    def because(self, side: Literal["in", "out"], index: int, axis: int, ins: Shapes, outs: Shapes) -> str:
        """Explain the vector's length and the states'."""
        gates, hidden = kernels.GATES[self.mode], self.state_size
        if side == "in" and index == 1:
            ways = f" · {self.directions} directions" if self.bidirectional else ""
            sizes = self._sizes(ins[0][2])
            layers = " + ".join(f"({sizes.width(layer)} + {hidden} + 2)" for layer in range(self.num_layers))
            return f"{gates} gates · {hidden}{ways} · [{layers}]"
        if side == "out" and index == 0 and axis == 2:
            return f"state_size {hidden}" + (" · 2 directions" if self.bidirectional else "")
        if (index >= 2 or side == "out") and axis in (0, 2) and index != 0:
            return (
                f"num_layers {self.num_layers} · directions {self.directions}"
                if axis == 0
                else f"state_size = {hidden}"
            )
        return ""

    # Running -----------------------------------------------------------------------------------------------------

    def _start(self, ins: Arrays) -> kernels.Start:
        data = ins[0]
        within = None
        if self.use_sequence_length:
            inside = np.arange(data.shape[0])[:, None] < ins[-1]
            within = inside.astype(data.dtype)[:, :, None]
        return kernels.Start(
            data=data,
            weights=kernels.unpack(ins[1], self._sizes(data.shape[2])),
            states=ins[2],
            cells=ins[3] if self.mode == "lstm" else None,
            within=within,
        )

    def scratch(self, ins: Shapes, outs: Shapes, *, gradients: bool) -> WorkSpace:
        """Count what every layer keeps of every step: gates, states, and what it hands to the next layer."""
        steps, batch = ins[0][:2]
        each = 4 if self.mode.startswith("rnn") else 9
        kept = each * steps * batch * self.state_size * self.directions * self.num_layers
        return WorkSpace(kept, kept)

    def _stack(self, run: Run, data: Array) -> kernels.Stack:
        """Return the node's stack, which remembers the last forward for backward."""
        stack = run.scratch.get("stack")
        if not isinstance(stack, kernels.Stack):
            steps, batch, inputs = data.shape
            stack = run.scratch["stack"] = kernels.Stack(self._sizes(inputs), steps, batch, data.dtype)
        return stack

    def _masks(self, run: Run, data: Array) -> list[Array | None]:
        """Draw a dropout mask for what every layer but the first reads."""
        if not self.p or not run.train:
            return [None] * self.num_layers
        shape = (*data.shape[:2], self.state_size * self.directions)
        keep = 1.0 - self.p
        masks: list[Array | None] = [None]
        for _ in range(self.num_layers - 1):
            kept = (run.rng.random(shape) < keep).astype(data.dtype)
            masks.append(kept / keep if keep else kept)
        return masks

    def prepare_forward(self, run: Run, ins: Arrays, outs: Arrays) -> Callable[[], object]:
        """Set up the stack once."""
        if self.projection_size is not None or self._clips:
            raise RunError(
                "projection_size and lstm_state_clip only run on graphics cards in MXNet, and not here."
            )
        stack = self._stack(run, ins[0])

        def call() -> None:
            flow, states, cells = stack.run(self._start(ins), self._masks(run, ins[0]))
            np.copyto(outs[0], flow)
            if self.state_outputs:
                np.copyto(outs[1], np.stack(states))
            if self.state_outputs and self.mode == "lstm":
                np.copyto(outs[2], np.stack([cell for cell in cells if cell is not None]))

        return call

    @property
    def _clips(self) -> bool:
        return self.lstm_state_clip_min is not None or self.lstm_state_clip_max is not None

    def forward(self, run: Run, ins: Arrays, outs: Arrays) -> None:
        """Run the stack over the sequence."""
        self.prepare_forward(run, ins, outs)()

    def gradient_kind(self, index: int) -> GradientKind:
        """Lengths get a gradient of zero."""
        return "zero" if self.ports[index].name == "sequence_length" else "value"

    def gradient_reads(self, index: int) -> Reads:
        """Every gradient goes back through the whole stack."""
        return Reads(inputs=tuple(range(len(self.inputs))))

    def prepare_backward(
        self,
        run: Run,
        ins: OptionalArrays,
        outs: OptionalArrays,
        heads: OptionalArrays,
        grads: OptionalArrays,
    ) -> Callable[[], object]:
        """Set up the way back; without a forward before, that is run first."""
        if all(head is None for head in heads):
            return without_gradient(grads)
        given = [present(array) for array in ins]
        stack = self._stack(run, given[0])
        vector = grads[1]
        weights = None if vector is None else kernels.unpack(vector, self._sizes(given[0].shape[2]))

        def call() -> None:
            start = self._start(given)
            if not stack.has_run:
                stack.run(start, [None] * self.num_layers)
            found = stack.back(start, weights, self._heads(start, heads))
            for index, value in zip((0, 2, 3), found, strict=True):
                if value is not None and grads[index] is not None:
                    np.copyto(present(grads[index]), value)

        return call

    def _heads(self, start: kernels.Start, heads: OptionalArrays) -> tuple[Array, Array, Array | None]:
        """Return all head gradients, zeros where none comes in."""
        steps, batch = start.data.shape[:2]
        flow = heads[0]
        if flow is None:
            flow = np.zeros((steps, batch, self.state_size * self.directions), start.data.dtype)
        given = (*heads[1:], None, None)
        states = np.zeros_like(start.states) if given[0] is None else given[0]
        if start.cells is None:
            return flow, states, None
        return flow, states, np.zeros_like(start.cells) if given[1] is None else given[1]

    def backward(
        self,
        run: Run,
        ins: OptionalArrays,
        outs: OptionalArrays,
        heads: OptionalArrays,
        grads: OptionalArrays,
    ) -> None:
        """Go back through time."""
        self.prepare_backward(run, ins, outs, heads, grads)()

    # For people --------------------------------------------------------------------------------------------------

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Say how the gradient comes about."""
        incoming = " and ".join(heads)
        return {
            0: f"Σ over gates: weightsᵀ · d(gates), from {incoming} back through time",
            1: f"Σ over steps: d(gates) · (input, last state, 1)ᵀ, from {incoming} back through time",
        }.get(index, f"what is left of {incoming} before the first step")

    def multiply_adds(self, ins: Shapes, outs: Shapes) -> int:
        """Every step multiplies every weight, but no bias, once per sample."""
        steps, batch, _ = ins[0] or (0, 0, 0)
        biases = 2 * kernels.GATES[self.mode] * self.state_size * self.num_layers * self.directions
        return max(element_count(ins[1]) - biases, 0) * steps * batch

    def _refuse_code(self) -> None:
        if self.p or self.use_sequence_length or self.projection_size is not None or self._clips:
            raise NotImplementedError("exported layers have neither dropout nor lengths")

    @property
    def _settings(self) -> str:
        return f"{self.mode!r}, {self.state_size}, {self.num_layers}, {self.directions}"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Call the part `run_layers`, and keep its tape."""
        self._refuse_code()
        cells = n.ins[3] if self.mode == "lstm" else None
        results = [*n.outs, "_", "_"][:3]
        call = f"run_layers({', '.join(n.ins[:3])}, {cells}, {self._settings})"
        return [f"{', '.join(results)}, {n.node}_tape = {call}"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Call the part `run_layers_gradient`."""
        self._refuse_code()
        if not any(n.heads):
            return assign_zeros(n)
        zeros = [f"np.zeros({n.out_shapes[0]}, {n.ins[0]}.dtype)", *[f"np.zeros_like({n.ins[2]})"] * 2]
        heads = [head or zero for head, zero in zip((*n.heads, None, None), zeros, strict=False)]
        call = f"run_layers_gradient({', '.join(heads)}, {n.node}_tape, {n.ins[1]}, {self._settings})"
        return [f"{', '.join([*(name or '_' for name in n.grads), '_'][:4])} = {call}"]

    def torch_code(self, n: CodeNames) -> list[str]:
        """Call the part `run_layers`, which hands the vector's parts to torch's own layers."""
        self._refuse_code()
        cells = f", cells={n.ins[3]}" if self.mode == "lstm" else ""
        call = f"run_layers({', '.join(n.ins[:3])}, {self._settings}{cells})"
        if not self.state_outputs:
            return [f"{n.outs[0]} = {call}[0]"]
        return [f"{', '.join(n.outs)} = {call}"]

    def summary(self) -> str:
        """Return kind, size and layers."""
        words = [self.mode, str(self.state_size)]
        if self.num_layers > 1:
            words.append(f"{self.num_layers} layers")
        if self.bidirectional:
            words.append("both ways")
        return " · ".join(words)
