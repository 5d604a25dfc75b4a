"""The devices that PyTorch can compute on here, by their names.

Apple's `mps` is left out: it has no float64, so it could not compute what MXNet computes.
"""

from typing import Any

import torch

from app.engine.errors import BindError
from app.engine.nearby import quoted_value


def devices() -> tuple[str, ...]:
    """List the devices: the processor, and every CUDA card that can be used now."""
    cards = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return ("cpu", *(f"cuda:{number}" for number in range(cards)))


def find_device(name: Any) -> torch.device:
    """Return a device by its name (`cpu`, `cuda`, `cuda:1`); BindError says which there are."""
    found = devices()
    wanted = "cuda:0" if isinstance(name, str) and name == "cuda" else name
    if not isinstance(wanted, str) or wanted not in found:
        raise BindError(
            f"There is no device {quoted_value(name)} for PyTorch here; choose {' or '.join(found)}."
            + _why_no_card(wanted, found)
        )
    return torch.device(wanted)


def free_memory(device: torch.device) -> int | None:
    """Return the bytes that a card has left, with those that PyTorch holds there for later; None for the processor."""
    if device.type != "cuda":
        return None
    free, _ = torch.cuda.mem_get_info(device)
    held = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return int(free + held)


def _why_no_card(wanted: Any, found: tuple[str, ...]) -> str:
    """Say why no card can be used where one was asked for, after a space."""
    if not isinstance(wanted, str) or not wanted.startswith("cuda") or len(found) > 1:
        return ""
    if torch.version.cuda is None:
        return " This PyTorch was built without CUDA; pytorch.org tells which build has it."
    return " PyTorch finds no CUDA card that it can use."
