"""Recurrent layers as plain numpy functions: their text is copied into an exported program that calls them.

Sequences are (steps, batch, features). MXNet's vector holds all weights layer by layer, then all biases.
"""

# The exported text stands alone and is meant for reading: no annotations, and settings as plain arguments.
# ruff: noqa: ANN001, ANN201, PLR0913, PLR0917
# mypy: ignore-errors

import numpy as np


def sigmoid(x):
    """Squash to between 0 and 1."""
    return 0.5 * np.tanh(0.5 * x) + 0.5


def recurrent_step(mode, given, recalled, state, cell):
    """Return the next state and cell, and what the way back needs, from what input and last state give each gate."""
    if mode == "lstm":
        i, f, g, o = np.split(given + recalled, 4, axis=1)
        i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        following = f * cell + i * g
        bent = np.tanh(following)
        return o * bent, following, (i, f, g, o, cell, bent)
    if mode == "gru":
        (r, z, n), (of_r, of_z, of_n) = np.split(given, 3, axis=1), np.split(recalled, 3, axis=1)
        r, z = sigmoid(r + of_r), sigmoid(z + of_z)
        n = np.tanh(n + r * of_n)
        return (1 - z) * n + z * state, cell, (r, z, n, of_n, state)
    following = np.maximum(given + recalled, 0) if mode == "rnn_relu" else np.tanh(given + recalled)
    return following, cell, (following,)


def recurrent_step_gradient(mode, kept, d_state, d_cell):
    """Return the gradients of what input and last state give, and the last state's and cell's own."""
    if mode == "lstm":
        i, f, g, o, cell, bent = kept
        inner = d_state * o * (1 - bent**2) + d_cell
        gates = [inner * g * i * (1 - i), inner * cell * f * (1 - f), inner * i * (1 - g**2)]
        gates = np.concatenate([*gates, d_state * bent * o * (1 - o)], axis=1)
        return gates, gates, 0, inner * f
    if mode == "gru":
        r, z, n, of_n, state = kept
        d_n, d_z = d_state * (1 - z) * (1 - n**2), d_state * (state - n) * z * (1 - z)
        d_r = d_n * of_n * r * (1 - r)
        return np.concatenate([d_r, d_z, d_n], 1), np.concatenate([d_r, d_z, d_n * r], 1), d_state * z, d_cell
    (following,) = kept
    gates = d_state * ((following > 0) if mode == "rnn_relu" else 1 - following**2)
    return gates, gates, 0, d_cell


def layer_weights(vector, mode, inputs, hidden, layers, directions):
    """Return views of every layer's and direction's weights for input and state, and of their biases."""
    rows = {"lstm": 4, "gru": 3}.get(mode, 1) * hidden
    widths = [inputs, *[hidden * directions] * (layers - 1)]
    sizes = [rows * size for width in widths for _ in range(directions) for size in (width, hidden)]
    parts = np.split(vector, np.cumsum(sizes + [rows] * len(sizes))[:-1])
    matrices, biases = [part.reshape(rows, -1) for part in parts[: len(sizes)]], parts[len(sizes) :]
    return [(*matrices[at : at + 2], *biases[at : at + 2]) for at in range(0, len(sizes), 2)]


def run_layers(x, vector, states, cells, mode, hidden, layers, directions):
    """Return the last layer's states of all steps, every layer's last state and cell, and a tape for the way back."""
    weights = layer_weights(vector, mode, x.shape[2], hidden, layers, directions)
    last, last_cells, tape = [], [], []
    for layer in range(layers):
        parts = []
        for number in range(layer * directions, (layer + 1) * directions):
            given_weight, weight, given_bias, bias = weights[number]
            state, cell = states[number], 0 if cells is None else cells[number]
            order = range(len(x))[:: -1 if number % directions else 1]
            steps, results = [], np.zeros((*x.shape[:2], hidden), x.dtype)
            for at in order:
                given, recalled = x[at] @ given_weight.T + given_bias, state @ weight.T + bias
                following, cell, kept = recurrent_step(mode, given, recalled, state, cell)
                steps.append((at, state, kept))
                state = results[at] = following
            tape.append((x, steps))
            last.append(state)
            last_cells.append(cell)
            parts.append(results)
        x = np.concatenate(parts, axis=2)
    return x, np.array(last), np.array(last_cells), tape


def run_layers_gradient(d_y, d_last, d_last_cells, tape, vector, mode, hidden, layers, directions):
    """Go back through time. Returns the gradients of data, the vector, and the first states and cells."""
    d_vector = np.zeros_like(vector)
    weights, d_weights = (
        layer_weights(each, mode, tape[0][0].shape[2], hidden, layers, directions)
        for each in (vector, d_vector)
    )
    d_first, d_first_cells = np.zeros_like(d_last), np.zeros_like(d_last)
    for layer in reversed(range(layers)):
        d_x = np.zeros_like(tape[layer * directions][0])
        for number in range(layer * directions, (layer + 1) * directions):
            x, steps = tape[number]
            given_weight, weight, _, _ = weights[number]
            d_given_weight, d_weight, d_given_bias, d_bias = d_weights[number]
            place = number % directions * hidden
            d_state, d_cell = d_last[number], d_last_cells[number]
            for at, state, kept in reversed(steps):
                d_state = d_state + d_y[at, :, place : place + hidden]
                d_given, d_recalled, d_state, d_cell = recurrent_step_gradient(mode, kept, d_state, d_cell)
                d_state = d_state + d_recalled @ weight
                d_x[at] += d_given @ given_weight
                d_given_weight += d_given.T @ x[at]
                d_weight += d_recalled.T @ state
                d_given_bias += d_given.sum(axis=0)
                d_bias += d_recalled.sum(axis=0)
            d_first[number], d_first_cells[number] = d_state, d_cell
        d_y = d_x
    return d_y, d_vector, d_first, d_first_cells
