"""More layers as MXNet means them, beside `torch_parts_layers.py`: norms, recurrent layers, sequences."""

# The exported text stands alone and is meant for reading: no annotations, and settings as plain arguments.
# ruff: noqa: ANN001, ANN201, N812, PLR0913, PLR0917
# mypy: ignore-errors

import torch
import torch.nn.functional as F
