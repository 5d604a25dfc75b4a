"""Makes the backend that was chosen by name and device, or says why it cannot be."""

from app.engine.backends.backend import Backend
from app.engine.backends.computing import BACKENDS, CPU, NUMPY, TORCH, is_installed
from app.engine.errors import BindError

_INSTALL = "Install it with: pip install 'chalkgraph[torch]'. Numpy needs nothing."


def devices(name: str) -> tuple[str, ...]:
    """List the devices that a backend can use here and now; loads the backend. BindError where it cannot be loaded."""
    if name == NUMPY:
        return (CPU,)
    _refuse_unknown(name)
    from app.engine.backends.torch_devices import devices as torch_devices

    return torch_devices()


def choose_backend(name: str, device: str | None = None) -> Backend | None:
    """Return a backend, None for numpy; BindError says what to install or to choose instead."""
    _refuse_unknown(name)
    if name == NUMPY:
        if device not in (None, CPU):
            raise BindError(
                f"Numpy computes on the processor, not on {device}; choose the backend torch for that."
            )
        return None
    from app.engine.backends.torch_backend import TorchBackend
    from app.engine.backends.torch_devices import find_device

    return TorchBackend(find_device(device or CPU))


def _refuse_unknown(name: str) -> None:
    if name not in BACKENDS:
        raise BindError(f"There is no backend {name!r}; choose {' or '.join(BACKENDS)}.")
    if not is_installed(name):
        raise BindError(f"PyTorch is not installed. {_INSTALL}")
    if name == TORCH:
        try:
            import torch  # noqa: F401
        except (ImportError, OSError) as error:
            raise BindError(f"PyTorch is installed but cannot be loaded: {error}. {_INSTALL}") from error
