"""The devices that PyTorch can compute on here, by their names.

Apple's `mps` is left out: it has no float64, so it could not compute what MXNet computes.
"""

import torch

from app.engine.errors import BindError


def devices() -> tuple[str, ...]:
    """List the devices: the processor, and every CUDA card that can be used now."""
    cards = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return ("cpu", *(f"cuda:{number}" for number in range(cards)))


def find_device(name: str) -> torch.device:
    """Return a device by its name (`cpu`, `cuda`, `cuda:1`); BindError says which there are."""
    found = devices()
    wanted = "cuda:0" if name == "cuda" else name
    if wanted not in found:
        raise BindError(f"There is no device {name!r} for PyTorch here; choose {' or '.join(found)}.")
    return torch.device(wanted)
