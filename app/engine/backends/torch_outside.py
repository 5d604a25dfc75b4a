"""Numpy arrays of the executor as tensors: on the processor they share memory, elsewhere they are copied."""

import numpy as np
import torch

from app.engine.operator import Array, DType
from app.engine.shapes import Shape


class Outside:
    """One array from outside and the tensor that stands for it on the device.

    The array is what counts between passes: `bring_in` before a pass takes over what was written into it, and
    `hand_out` writes back what a step changed in the tensor. Where the two share memory both do nothing. A stage lies
    between where PyTorch cannot look into the array itself.
    """

    def __init__(self, array: Array, device: torch.device) -> None:
        self.array = array
        seen = _can_be_shared(array)
        self._staged, self._stage = (
            (array, torch.from_numpy(array)) if seen else tensor_like(array.shape, array.dtype)
        )
        self.shared = seen and device.type == "cpu"
        if self.shared:
            self.tensor = self._stage
        else:
            self.tensor = torch.empty(array.shape, dtype=self._stage.dtype, device=device)
            self.bring_in()

    def bring_in(self) -> None:
        """Copy the array into the tensor, unseen by autograd: MXNet's backward reads arrays as they are then."""
        if not self.shared:
            if self._staged is not self.array:
                np.copyto(self._staged, self.array)
            self.tensor.data.copy_(self._stage)

    def hand_out(self) -> None:
        """Copy the tensor into the array."""
        if not self.shared:
            self.take(self.tensor)

    def take(self, value: torch.Tensor) -> None:
        """Copy some other tensor of this shape into the array."""
        self._stage.copy_(value)
        if self._staged is not self.array:
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
