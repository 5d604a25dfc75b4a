"""Makes the backend that was chosen by name and device, or says why it cannot be."""

from typing import Any

from app.engine.backends.backend import Backend
from app.engine.backends.computing import (
    BACKENDS,
    CPU,
    INSTALL,
    NOT_INSTALLED,
    NUMPY,
    TORCH,
    is_installed,
)
from app.engine.errors import BindError
from app.engine.nearby import quoted_value


def devices(name: str) -> tuple[str, ...]:
    """List the devices that a backend can use here and now; loads the backend. BindError where it cannot be loaded."""
    if name == NUMPY:
        return (CPU,)
    _refuse_unknown(name)
    from app.engine.backends.torch_devices import devices as torch_devices

    return torch_devices()


def choose_backend(name: Any, device: Any = None) -> Backend | None:
    """Return a backend, None for numpy; BindError says what to install or to choose instead."""
    _refuse_unknown(name)
    if name == NUMPY:
        if device is not None and not (isinstance(device, str) and device == CPU):
            shown = quoted_value(device)
            raise BindError(
                f"Numpy computes on the processor, not on {shown}; choose the backend torch for that."
            )
        return None
    from app.engine.backends.torch_backend import TorchBackend
    from app.engine.backends.torch_devices import find_device

    return TorchBackend(find_device(CPU if device is None else device))


def _refuse_unknown(name: Any) -> None:
    if not isinstance(name, str) or name not in BACKENDS:
        raise BindError(f"There is no backend {quoted_value(name)}; choose {' or '.join(BACKENDS)}.")
    if not is_installed(name):
        raise BindError(NOT_INSTALLED)
    if name == TORCH:
        try:
            import torch  # noqa: F401
        except (ImportError, OSError) as error:
            raise BindError(f"PyTorch is installed but cannot be loaded: {error}. {INSTALL}") from error
