"""Kernels that PyTorch has for cards only, by their formulas: the cells of LSTM and GRU layers."""

from typing import Any

import torch

Tensor = torch.Tensor


def _lstm(gates_in: Tensor, gates_hidden: Tensor, cells: Tensor, *biases: Tensor | None) -> Any:
    gates = sum((bias for bias in biases if bias is not None), gates_in + gates_hidden)
    i, f, g, o = gates.chunk(4, 1)
    opened = torch.cat([i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()], 1)
    i, f, g, o = opened.chunk(4, 1)
    new = f * cells + i * g
    return o * new.tanh(), new, opened


def _lstm_back(
    by_out: Tensor | None, by_cells: Tensor | None, cells: Tensor, new: Tensor, opened: Tensor, has_bias: bool
) -> Any:
    i, f, g, o = opened.chunk(4, 1)
    by_out = torch.zeros_like(cells) if by_out is None else by_out
    along = by_out * o * (1 - new.tanh() ** 2)
    along = along if by_cells is None else along + by_cells
    parts = [
        along * g * i * (1 - i),
        along * cells * f * (1 - f),
        along * i * (1 - g**2),
        by_out * new.tanh() * o * (1 - o),
    ]
    by_gates = torch.cat(parts, 1)
    return by_gates, along * f, by_gates.sum(0) if has_bias else None


def _gru(
    gates_in: Tensor,
    gates_hidden: Tensor,
    state: Tensor,
    bias_in: Tensor | None = None,
    bias_hidden: Tensor | None = None,
) -> Any:
    gates_in = gates_in if bias_in is None else gates_in + bias_in
    gates_hidden = gates_hidden if bias_hidden is None else gates_hidden + bias_hidden
    (ir, iz, i_new), (hr, hz, h_new) = gates_in.chunk(3, 1), gates_hidden.chunk(3, 1)
    r, z = (ir + hr).sigmoid(), (iz + hz).sigmoid()
    fresh = (i_new + r * h_new).tanh()
    return fresh + z * (state - fresh), torch.cat([r, z, fresh, state, h_new], 1)


def _gru_back(by_out: Tensor, kept: Tensor, has_bias: bool) -> Any:
    r, z, fresh, state, h_new = kept.chunk(5, 1)
    by_fresh = by_out * (1 - z) * (1 - fresh**2)
    by_r, by_z = by_fresh * h_new * r * (1 - r), by_out * (state - fresh) * z * (1 - z)
    by_in, by_hidden = torch.cat([by_r, by_z, by_fresh], 1), torch.cat([by_r, by_z, by_fresh * r], 1)
    biases = (by_in.sum(0), by_hidden.sum(0)) if has_bias else (None, None)
    return by_in, by_hidden, by_out * z, *biases


FUSED_CELLS = {
    "_thnn_fused_lstm_cell": _lstm,
    "_thnn_fused_lstm_cell_backward_impl": _lstm_back,
    "_thnn_fused_gru_cell": _gru,
    "_thnn_fused_gru_cell_backward": _gru_back,
}
