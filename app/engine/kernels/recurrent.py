"""Recurrent layers over whole sequences: plain, LSTM and GRU cells, stacked, in one or two directions.

Sequences are (steps, batch, features). All products that don't wait for a state (input times weights, gradients of
weights) are one product over all steps.
"""

from collections.abc import Sequence

import attrs
import numpy as np

from app.engine.kernels.windows import Array

GATES = {"rnn_relu": 1, "rnn_tanh": 1, "lstm": 4, "gru": 3}


@attrs.frozen
class Sizes:
    """The sizes of a stack: `directions` is 1 or 2."""

    mode: str
    inputs: int
    hidden: int
    layers: int
    directions: int

    @property
    def rows(self) -> int:
        """The rows of each weight: one per gate and hidden unit."""
        return GATES[self.mode] * self.hidden

    def width(self, layer: int) -> int:
        """The features that a layer reads."""
        return self.inputs if layer == 0 else self.hidden * self.directions

    @property
    def parameters(self) -> int:
        """The length of the vector of all weights and biases."""
        weights = sum(self.width(layer) + self.hidden + 2 for layer in range(self.layers))
        return self.rows * self.directions * weights


@attrs.frozen(eq=False)
class Weights:
    """Views of one layer and direction into the vector: input and hidden weights, input and hidden bias."""

    given: Array
    hidden: Array
    given_bias: Array
    hidden_bias: Array


def unpack(vector: Array, sizes: Sizes) -> list[Weights]:
    """View the vector: all weights first, layer by layer and direction by direction, then all biases."""
    matrices: list[tuple[Array, Array]] = []
    biases: list[tuple[Array, Array]] = []
    start = 0
    for layer in range(sizes.layers):
        for _ in range(sizes.directions):
            middle = start + sizes.rows * sizes.width(layer)
            end = middle + sizes.rows * sizes.hidden
            given, hidden = vector[start:middle], vector[middle:end]
            matrices.append(
                (given.reshape(sizes.rows, -1, copy=False), hidden.reshape(sizes.rows, -1, copy=False))
            )
            start = end
    for _ in matrices:
        biases.append(
            (vector[start : start + sizes.rows], vector[start + sizes.rows : start + 2 * sizes.rows])
        )
        start += 2 * sizes.rows
    return [Weights(*pair, *bias) for pair, bias in zip(matrices, biases, strict=True)]


def _sigmoid(x: Array) -> Array:
    return np.asarray(0.5 * np.tanh(0.5 * x) + 0.5)


@attrs.define(eq=False)
class Back:
    """What one step hands back: gradients of the input part, the hidden part, the last state and the last cell."""

    given: Array
    hidden: Array
    state: Array | float
    cell: Array | None


class PlainCell:
    """h' = tanh(a + b) or max(a + b, 0), where a comes from the input and b from the last state."""

    def __init__(self, shape: tuple[int, int, int], dtype: np.dtype, *, rectifies: bool) -> None:
        """Prepare for (steps, batch, hidden)."""
        self.rectifies = rectifies
        self.states = np.empty(shape, dtype)

    def step(
        self, at: int, parts: tuple[Array, Array], last: tuple[Array, Array | None]
    ) -> tuple[Array, Array | None]:
        """Return the next state."""
        total = parts[0] + parts[1]
        self.states[at] = np.maximum(total, 0) if self.rectifies else np.tanh(total)
        return self.states[at], None

    def back(self, at: int, to_state: Array, to_cell: Array | None) -> Back:
        """Hand the gradients of one step back."""
        state = self.states[at]
        slope = (state > 0).astype(state.dtype) if self.rectifies else 1 - state * state
        part = to_state * slope
        return Back(part, part, 0.0, None)


class LstmCell:
    """c' = f·c + i·g and h' = o·tanh(c'), the gates i, f, o by sigmoid and g by tanh."""

    def __init__(self, shape: tuple[int, int, int], dtype: np.dtype) -> None:
        """Prepare for (steps, batch, hidden)."""
        steps, batch, hidden = shape
        self.hidden = hidden
        self.gates = np.empty((steps, batch, 4 * hidden), dtype)
        self.before = np.empty(shape, dtype)
        self.bent = np.empty(shape, dtype)

    def _four(self, gates: Array) -> list[Array]:
        return [gates[:, number * self.hidden : (number + 1) * self.hidden] for number in range(4)]

    def step(
        self, at: int, parts: tuple[Array, Array], last: tuple[Array, Array | None]
    ) -> tuple[Array, Array | None]:
        """Return the next state and cell."""
        gates = self.gates[at]
        np.add(parts[0], parts[1], out=gates)
        i, f, g, o = self._four(gates)
        for gate in (i, f, o):
            gate[...] = _sigmoid(gate)
        np.tanh(g, out=g)
        cell = last[1]
        if cell is None:
            raise RuntimeError("an LSTM has a cell")
        self.before[at] = cell
        following = f * cell + i * g
        np.tanh(following, out=self.bent[at])
        return o * self.bent[at], following

    def back(self, at: int, to_state: Array, to_cell: Array | None) -> Back:
        """Hand the gradients of one step back."""
        i, f, g, o = self._four(self.gates[at])
        bent = self.bent[at]
        inner = to_state * o * (1 - bent * bent) + (0.0 if to_cell is None else to_cell)
        part = np.empty_like(self.gates[at])
        to_i, to_f, to_g, to_o = self._four(part)
        to_i[...] = inner * g * i * (1 - i)
        to_f[...] = inner * self.before[at] * f * (1 - f)
        to_g[...] = inner * i * (1 - g * g)
        to_o[...] = to_state * bent * o * (1 - o)
        return Back(part, part, 0.0, inner * f)


class GruCell:
    """h' = (1 − z)·n + z·h with n = tanh(a + r·b), the gates r and z by sigmoid."""

    def __init__(self, shape: tuple[int, int, int], dtype: np.dtype) -> None:
        """Prepare for (steps, batch, hidden)."""
        steps, batch, hidden = shape
        self.hidden = hidden
        self.gates = np.empty((steps, batch, 3 * hidden), dtype)
        self.before = np.empty(shape, dtype)
        self.recalled = np.empty(shape, dtype)

    def _three(self, gates: Array) -> list[Array]:
        return [gates[:, number * self.hidden : (number + 1) * self.hidden] for number in range(3)]

    def step(
        self, at: int, parts: tuple[Array, Array], last: tuple[Array, Array | None]
    ) -> tuple[Array, Array | None]:
        """Return the next state."""
        r, z, n = self._three(self.gates[at])
        given, hidden = self._three(parts[0]), self._three(parts[1])
        r[...] = _sigmoid(given[0] + hidden[0])
        z[...] = _sigmoid(given[1] + hidden[1])
        n[...] = np.tanh(given[2] + r * hidden[2])
        self.before[at], self.recalled[at] = last[0], hidden[2]
        return (1 - z) * n + z * last[0], None

    def back(self, at: int, to_state: Array, to_cell: Array | None) -> Back:
        """Hand the gradients of one step back."""
        r, z, n = self._three(self.gates[at])
        given = np.empty_like(self.gates[at])
        to_r, to_z, to_n = self._three(given)
        to_n[...] = to_state * (1 - z) * (1 - n * n)
        to_z[...] = to_state * (self.before[at] - n) * z * (1 - z)
        to_r[...] = to_n * self.recalled[at] * r * (1 - r)
        hidden = given.copy()
        self._three(hidden)[2][...] *= r
        return Back(given, hidden, to_state * z, None)


Cell = PlainCell | LstmCell | GruCell


def make_cell(mode: str, shape: tuple[int, int, int], dtype: np.dtype) -> Cell:
    """Return a cell that remembers (steps, batch, hidden) for its way back."""
    if mode == "lstm":
        return LstmCell(shape, dtype)
    if mode == "gru":
        return GruCell(shape, dtype)
    return PlainCell(shape, dtype, rectifies=mode == "rnn_relu")


class Pass:
    """One layer in one direction over a whole sequence, remembering what its way back needs."""

    def __init__(self, cell: Cell, shape: tuple[int, int, int], dtype: np.dtype, *, backwards: bool) -> None:
        """Prepare for (steps, batch, hidden)."""
        self.cell = cell
        self.order = range(shape[0] - 1, -1, -1) if backwards else range(shape[0])
        self.before = np.empty(shape, dtype)

    def run(
        self, weights: Weights, given: Array, first: tuple[Array, Array | None], within: Array | None
    ) -> tuple[Array, Array, Array | None]:
        """Return the states of all steps (zero behind a sample's end), the last state and the last cell."""
        self.given, self.within = given, within
        steps, batch, features = given.shape
        part = (given.reshape(-1, features) @ weights.given.T + weights.given_bias).reshape(steps, batch, -1)
        result = np.empty_like(self.before)
        state, cell = first
        for at in self.order:
            self.before[at] = state
            hidden = state @ weights.hidden.T + weights.hidden_bias
            following, next_cell = self.cell.step(at, (part[at], hidden), (state, cell))
            if within is not None:
                following = np.where(within[at], following, state)
                next_cell = (
                    None if next_cell is None or cell is None else np.where(within[at], next_cell, cell)
                )
            state, cell = following, next_cell
            result[at] = state if within is None else state * within[at]
        return result, state, cell

    def back(
        self, weights: Weights, grads: Weights | None, to_result: Array, to_last: tuple[Array, Array | None]
    ) -> tuple[Array, Array, Array | None]:
        """Return the gradients of the input, the first state and the first cell; those of weights go to `grads`."""
        steps, batch, features = self.given.shape
        rows = weights.given.shape[0]
        to_given = np.zeros((steps, batch, rows), self.given.dtype)
        to_hidden = np.zeros_like(to_given)
        to_state, to_cell = to_last
        for at in reversed(self.order):
            inside = None if self.within is None else self.within[at]
            whole = to_state + (to_result[at] if inside is None else to_result[at] * inside)
            into_cell = None if to_cell is None else to_cell if inside is None else to_cell * inside
            found = self.cell.back(at, whole if inside is None else whole * inside, into_cell)
            to_given[at], to_hidden[at] = found.given, found.hidden
            to_state = found.hidden @ weights.hidden + found.state
            if inside is not None:
                to_state = to_state + whole * (1 - inside)
            if to_cell is not None and found.cell is not None:
                to_cell = found.cell if inside is None else found.cell + to_cell * (1 - inside)
        flat_given, flat_hidden = to_given.reshape(-1, rows), to_hidden.reshape(-1, rows)
        if grads is not None:
            np.matmul(flat_given.T, self.given.reshape(-1, features), out=grads.given)
            np.matmul(flat_hidden.T, self.before.reshape(len(flat_hidden), -1), out=grads.hidden)
            np.sum(flat_given, axis=0, out=grads.given_bias)
            np.sum(flat_hidden, axis=0, out=grads.hidden_bias)
        to_input = (flat_given @ weights.given).reshape(steps, batch, features)
        return to_input, to_state, to_cell


@attrs.frozen(eq=False)
class Start:
    """What a stack starts from: data, all weights, first states (layers · directions, batch, hidden), first cells."""

    data: Array
    weights: list[Weights]
    states: Array
    cells: Array | None
    within: Array | None


class Stack:
    """All layers and directions, with dropout between layers in training."""

    def __init__(self, sizes: Sizes, steps: int, batch: int, dtype: np.dtype) -> None:
        """Prepare for sequences of this size."""
        self.sizes = sizes
        shape = (steps, batch, sizes.hidden)
        count = sizes.layers * sizes.directions
        self.passes = [
            Pass(make_cell(sizes.mode, shape, dtype), shape, dtype, backwards=number % sizes.directions == 1)
            for number in range(count)
        ]
        self.masks: list[Array | None] = [None] * sizes.layers
        self.has_run = False

    def run(
        self, start: Start, masks: Sequence[Array | None]
    ) -> tuple[Array, list[Array], list[Array | None]]:
        """Return the last layer's states of all steps, and every layer's last state and cell."""
        self.masks, self.has_run = list(masks), True
        flow, states, cells = start.data, [], []
        for layer in range(self.sizes.layers):
            mask = self.masks[layer]
            if mask is not None:
                flow = flow * mask
            parts = []
            for direction in range(self.sizes.directions):
                number = layer * self.sizes.directions + direction
                first = (start.states[number], None if start.cells is None else start.cells[number])
                part, state, cell = self.passes[number].run(start.weights[number], flow, first, start.within)
                parts.append(part)
                states.append(state)
                cells.append(cell)
            flow = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=2)
        return flow, states, cells

    def back(
        self, start: Start, grads: list[Weights] | None, heads: tuple[Array, Array, Array | None]
    ) -> tuple[Array, Array, Array | None]:
        """Return the gradients of data, first states and first cells; those of the weights go to `grads`."""
        to_flow, to_states, to_cells = heads
        to_first = np.empty_like(start.states)
        to_first_cells = None if start.cells is None else np.empty_like(start.cells)
        hidden = self.sizes.hidden
        for layer in reversed(range(self.sizes.layers)):
            to_input: Array | None = None
            for direction in range(self.sizes.directions):
                number = layer * self.sizes.directions + direction
                found, to_first[number], to_cell = self.passes[number].back(
                    start.weights[number],
                    None if grads is None else grads[number],
                    to_flow[:, :, direction * hidden : (direction + 1) * hidden],
                    (to_states[number], None if to_cells is None else to_cells[number]),
                )
                if to_first_cells is not None and to_cell is not None:
                    to_first_cells[number] = to_cell
                to_input = found if to_input is None else to_input + found
            if to_input is None:
                raise RuntimeError("a layer has at least one direction")
            mask = self.masks[layer]
            to_flow = to_input if mask is None else to_input * mask
        return to_flow, to_first, to_first_cells
