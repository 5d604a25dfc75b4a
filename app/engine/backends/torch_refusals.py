"""What surrounds the call of a step: settings under which a card computes, and sentences for what PyTorch refuses."""

from collections.abc import Iterator
from contextlib import contextmanager

import attrs
import torch

from app.engine.backends.backend import Call
from app.engine.errors import BindError, RunError


def told(name: str, call: Call, device: torch.device) -> Call:
    """Return the call of a node's step, which tells in one sentence what PyTorch refuses in it."""
    return _Told(name, call if device.type == "cpu" else _Exact(call), str(device))


@contextmanager
def refusing_bind(device: torch.device) -> Iterator[None]:
    """Turn what a device refuses while tensors are laid there into a sentence."""
    try:
        yield
    except RuntimeError as error:
        if _is_full(error):
            raise BindError(
                f"There is not enough memory on {device} for this bind."
                " Use a smaller batch, or ask for fewer gradients."
            ) from error
        if device.type == "cpu":
            raise
        raise BindError(f"PyTorch cannot bind on {device}: {_words(error)}.") from error


@attrs.frozen(eq=False)
class _Told:
    """Makes a call, and turns PyTorch's refusal into a RunError that names the node."""

    name: str
    call: Call
    device: str

    def __call__(self) -> None:
        """Make it."""
        try:
            self.call()
        except RuntimeError as error:
            raise self._refusal(error) from error

    def _refusal(self, error: RuntimeError) -> RunError:
        if _is_full(error):
            where = "" if self.device == "cpu" else f" on {self.device}"
            sentence = f"There is not enough memory{where} to compute {self.name}. Use a smaller batch."
        elif isinstance(error, torch.AcceleratorError):  # whatever one asks of the card from now on fails too
            sentence = (
                f"{self.device} stopped working while {self.name} was computed: {_words(error)}."
                " Start the program anew to use it again, or choose cpu."
            )
        else:
            sentence = f"{self.name} cannot be computed: {_words(error)}"
        return RunError(sentence, node=self.name)


@attrs.frozen(eq=False)
class _Exact:
    """Makes a call on a card in full precision, and by ways that give the same numbers each time.

    Left alone, cuDNN's convolutions and recurrent layers round single precision to the ten bits of TF32, which shows in
    the third digit: beside numpy's numbers, and in a gradient's check. Sums for half precision may be kept in half, and
    cuDNN may take an algorithm that adds in no fixed order. All of PyTorch shares these settings, so they are given
    back: whoever uses Chalkgraph beside PyTorch code of their own keeps theirs.
    """

    call: Call

    def __call__(self) -> None:
        """Make it."""
        products = torch.backends.cuda.matmul
        before = products.fp32_precision, products.allow_fp16_reduced_precision_reduction
        products.fp32_precision, products.allow_fp16_reduced_precision_reduction = "ieee", False
        try:
            with torch.backends.cudnn.flags(
                enabled=True, benchmark=False, deterministic=True, allow_tf32=False, fp32_precision="ieee"
            ):
                self.call()
        finally:
            products.fp32_precision, products.allow_fp16_reduced_precision_reduction = before


def _is_full(error: RuntimeError) -> bool:
    """Tell whether memory ran out, on a card or, where PyTorch has no error of its own, on the processor."""
    return isinstance(error, torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error)


def _words(error: RuntimeError) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
