"""Numpy arrays of the executor as tensors: on the processor they share memory, elsewhere they are copied."""

import numpy as np
import torch

from app.engine.operator import Array, DType
from app.engine.shapes import Shape


class Outside:
    """One array from outside and the tensor that stands for it on the device.

    The array is what counts between passes: `bring_in` before a pass takes over what was written into it, and
    `hand_out` writes back what a step changed in the tensor. Where the two share memory both do nothing.
    """

    def __init__(self, array: Array, device: torch.device, *, shares: bool = True) -> None:
        self.array = array
        self.shared = shares and device.type == "cpu" and _can_be_shared(array)
        if self.shared:
            self.tensor = torch.from_numpy(array)
        else:
            self._staged, self._stage = tensor_like(array.shape, array.dtype)
            self.tensor = torch.empty(array.shape, dtype=self._stage.dtype, device=device)
            self.bring_in()

    def bring_in(self) -> None:
        """Copy the array into the tensor, unseen by autograd: MXNet's backward reads arrays as they are then."""
        if not self.shared:
            np.copyto(self._staged, self.array)
            self.tensor.data.copy_(self._stage)

    def hand_out(self) -> None:
        """Copy the tensor into the array."""
        if not self.shared:
            self.take(self.tensor)

    def take(self, value: torch.Tensor) -> None:
        """Copy some other tensor of this shape into the array."""
        if self.shared:
            self.tensor.copy_(value)
        else:
            self._stage.copy_(value)
            np.copyto(self.array, self._staged)


def _can_be_shared(array: Array) -> bool:
    """Tell whether PyTorch can look into an array: it wants to write, and no steps backwards."""
    return array.flags.writeable and all(
        stride >= 0 and stride % array.itemsize == 0 for stride in array.strides
    )


def tensor_like(shape: Shape, dtype: DType) -> tuple[Array, torch.Tensor]:
    """Return a fresh array of zeros, and a tensor on the processor that shares its memory."""
    array = np.zeros(shape, dtype)
    return array, torch.from_numpy(array)


def torch_dtype(dtype: DType) -> torch.dtype:
    """Return PyTorch's name of a type."""
    return torch.from_numpy(np.empty(0, dtype)).dtype
