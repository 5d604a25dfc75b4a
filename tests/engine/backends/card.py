"""A stand-in for a graphics card: tensors that claim to lie on cuda:0 and refuse what a card refuses.

The numbers lie on the processor and are true. To PyTorch's C++ parts the tensors lie on the device that it keeps for
foreign hardware, so autograd, its worker thread and its device guards take the ways of a card; Python sees `cuda:0`.
It is no card: of cuDNN, cuBLAS and CUDA's own kernels it knows only what is written here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, ClassVar, NoReturn

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

from app.engine.backends import torch_devices
from tests.engine.backends.card_kernels import FUSED_CELLS

_setup_privateuseone_for_python_backend(rename="foreign")
CARD = torch.device("cuda:0")
_INNER = torch.device("foreign:0")
_HOST = torch.device("cpu")
_aten = torch.ops.aten

_NO_WHOLE_NUMBERS = ("mm", "addmm", "bmm", "baddbmm", "mv", "addmv", "dot", "vdot", "max_pool2d_with_indices")
"""Operations without a CUDA kernel for integers that a processor has; after torch.testing's table of types."""
_NO_LONG = ("convolution", "avg_pool2d", "avg_pool3d")
_PRODUCTS = {"mm", "addmm", "bmm", "baddbmm", "convolution", "convolution_backward"}
_UNORDERED = {
    "avg_pool3d_backward",
    "cumsum",
    "embedding_dense_backward",
    "grid_sampler_2d_backward",
    "index_add",
    "index_add_",
    "max_pool3d_with_indices_backward",
    "reflection_pad2d_backward",
    "scatter_add",
    "scatter_add_",
    "upsample_bilinear2d_backward",
}
"""Operations whose sums come in no fixed order on a card, after the manual of torch.use_deterministic_algorithms."""


class CardTensor(torch.Tensor):
    """A tensor on the card: `host` holds its numbers, `block` stands for the memory it and its views take."""

    host: torch.Tensor
    block: "Block"
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, host: torch.Tensor, block: "Block") -> "CardTensor":
        made: CardTensor = torch.Tensor._make_wrapper_subclass(
            cls,
            host.shape,
            strides=host.stride(),
            storage_offset=host.storage_offset(),
            dtype=host.dtype,
            device=_INNER,
        )
        made.host, made.block = host, block
        return made

    @property
    def device(self) -> torch.device:
        """The card, also for who asks what is inside."""
        return CARD

    @property
    def is_cuda(self) -> bool:
        """Say so, as a card's tensors do."""
        return True

    def __repr__(self, **_: Any) -> str:
        return f"CardTensor({tuple(self.shape)}, {self.dtype})"

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise AssertionError(f"{func} came after the card was gone")


class Block:
    """Memory of the card, given back when the last tensor that looks into it dies."""

    def __init__(self, card: "Card", size: int) -> None:
        self._card, self._size = card, size
        if card.used + size > card.capacity:
            self._size = 0
            raise torch.OutOfMemoryError(f"CUDA out of memory. Tried to allocate {size / 2**20:.2f} MiB.")
        card.used += size
        card.peak = max(card.peak, card.used)

    def __del__(self) -> None:
        self._card.used -= self._size


class CardGenerator(torch.Generator):
    """A generator of the card; operations get another Python object for the same one, so its address is kept."""

    known: ClassVar[set[int]] = set()

    def __new__(cls, device: Any = "cpu") -> Any:
        return super().__new__(cls) if _is_card(device) else torch._C.Generator(device)

    def __init__(self, device: Any = "cpu") -> None:
        self.known.add(self._cdata)

    @property
    def device(self) -> torch.device:
        """The card."""
        return CARD


class Card(TorchDispatchMode):
    """Runs every operation while it is there; what a card would refuse is refused, and kept in `refusals`."""

    def __init__(self, capacity: int = 2**40) -> None:
        super().__init__()
        self.capacity = capacity
        self.used = self.peak = 0
        self.waiting = 0
        """Operations handed to the card since somebody last waited for it."""
        self.refusals: list[str] = []
        self.ran: set[str] = set()
        self.rounded: set[str] = set()
        """Products and convolutions that came while PyTorch was free to round them, or to add in any order."""
        self._broken = ""

    @property
    def unordered(self) -> set[str]:
        """The operations so far whose sums come in no fixed order on a card."""
        return self.ran & _UNORDERED

    def synchronize(self, device: Any = None) -> None:
        """Wait for everything that was handed over."""
        self.waiting = 0

    def stop(self, words: str) -> None:
        """Let every operation from now on fail, as after an error inside a kernel."""
        self._broken = words

    def refuse(self, words: str, kind: type[RuntimeError] = RuntimeError) -> NoReturn:
        """Raise what PyTorch raises, and remember it: a refusal may be caught, but must not have come."""
        self.refusals.append(words)
        raise kind(words)

    def recurrent(self, function: Any, x: Any, states: Any, weights: Any, *settings: Any) -> Any:
        """Run recurrent layers, and refuse what cuDNN refuses of them."""
        states_given = states if isinstance(states, tuple) else (states,)
        if not all(one.is_contiguous() for one in states_given):
            self.refuse("rnn: hx is not contiguous")
        if not settings[3] and any(one.requires_grad for one in (x, *states_given, *weights)):
            self.refuse("cudnn RNN backward can only be called in training mode")
        return function(x, states, weights, *settings)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Do one operation where its tensors lie."""
        kwargs = dict(kwargs or {})
        given = tree_leaves((args, kwargs))
        own = [one for one in given if isinstance(one, CardTensor)]
        asked = kwargs.get("device")
        to_card = bool(own) if asked is None else _is_card(asked)
        if not own and not to_card:
            return func(*args, **kwargs)
        if self._broken:
            self.refuse(self._broken, torch.AcceleratorError)
        name = func.overloadpacket.__name__
        self.ran.add(name)
        self.waiting += 1
        if name in ("_to_copy", "copy_", "_local_scalar_dense", "nonzero", "masked_select", "equal"):
            self._refuse_hasty(args, kwargs)
            self.waiting = 0
            to_card &= not (name == "_local_scalar_dense" or (name == "copy_" and not _on_card(args[0])))
        else:
            self._refuse_mixture(func, name, given)
        self._refuse_missing(name, own)
        if name in _PRODUCTS and not _is_exact():
            self.rounded.add(name)
        self._refuse_streams(func, name, given)
        if asked is not None:
            kwargs["device"] = _HOST
        if name in ("pin_memory", "_pin_memory"):
            self.refuse("cannot pin 'torch.cuda.FloatTensor' only dense CPU tensors can be pinned")
        args, kwargs = tree_map_only(CardTensor, lambda one: one.host, (args, kwargs))
        found = self._compute(func, name, args, kwargs, own)
        return self._placed(func, found, own, given) if to_card else found

    # Numbers -----------------------------------------------------------------------------------------------------

    def _compute(self, func: Any, name: str, args: Any, kwargs: Any, own: list[CardTensor]) -> Any:
        run = FUSED_CELLS.get(name) or func
        try:
            if name == "_to_copy":
                return _converted(func, args, kwargs)
            return run(*args, **kwargs)
        except (IndexError, RuntimeError) as error:
            words = str(error)
            indexed = any(one.dtype in (torch.int64, torch.int32) for one in own)
            if indexed and ("out of range" in words or "out of bounds" in words or "out of DATA" in words):
                self._broken = "CUDA error: device-side assert triggered"
                self.refuse(f"{self._broken} ({words})", torch.AcceleratorError)
            if "not implemented for 'Half'" in words:  # a card has it; it adds up in single precision
                return _through_singles(run, args, kwargs)
            raise

    def _placed(self, func: Any, found: Any, own: list[CardTensor], given: list[Any]) -> Any:
        """Lay results on the card: a tensor that was changed is itself, a view shares its block."""
        known = {id(one.host): one for one in own}
        blocks = {one.host.untyped_storage().data_ptr(): one.block for one in own if one.host.numel()}

        def lay(host: torch.Tensor) -> CardTensor:
            if id(host) in known:
                return known[id(host)]
            storage = host.untyped_storage()
            block = blocks.get(storage.data_ptr()) if host.numel() else None
            return CardTensor(host, block or Block(self, storage.nbytes()))

        return tree_map_only(torch.Tensor, lay, found)

    # Refusals ----------------------------------------------------------------------------------------------------

    def _refuse_mixture(self, func: Any, name: str, given: list[Any]) -> None:
        """Refuse tensors of the processor; a lone number may lie there where elements are computed one by one."""
        pointwise = torch.Tag.pointwise in func.tags or name in ("masked_fill", "masked_fill_", "index_put_")
        for one in given:
            foreign = isinstance(one, torch.Tensor) and not isinstance(one, CardTensor)
            if foreign and not (pointwise and one.dim() == 0):
                self.refuse(
                    "Expected all tensors to be on the same device, but found at least two devices, cuda:0 and"
                    f" cpu! ({name})"
                )

    def _refuse_missing(self, name: str, own: list[CardTensor]) -> None:
        whole = [one.dtype for one in own if not one.dtype.is_floating_point]
        if (whole and name in _NO_WHOLE_NUMBERS) or (torch.int64 in whole and name in _NO_LONG):
            self.refuse(f'"{name}_cuda" not implemented for {whole[0]}')

    def _refuse_streams(self, func: Any, name: str, given: list[Any]) -> None:
        """Refuse a generator of the processor, and to draw from the stream that all of PyTorch shares."""
        streams = [one for one in given if isinstance(one, torch._C.Generator)]
        if any(one._cdata not in CardGenerator.known for one in streams):
            self.refuse("Expected a 'cuda' device type for generator but found 'cpu'")
        if torch.Tag.nondeterministic_seeded in func.tags and not streams and name not in FUSED_CELLS:
            self.refuse(f"{name} draws from no stream of its own")

    def _refuse_hasty(self, args: Any, kwargs: Any) -> None:
        """Refuse a copy that nobody waits for: what it leaves is unknown until the card has done it."""
        if kwargs.get("non_blocking") or (len(args) > 2 and args[2] is True):
            self.refuse("a copy that is not waited for")


def _is_exact() -> bool:
    """Tell whether a real card would compute in full single precision now, and in the same order each time."""
    cudnn, products = torch.backends.cudnn, torch.backends.cuda.matmul
    precisions = (cudnn.conv.fp32_precision, cudnn.rnn.fp32_precision, products.fp32_precision)
    half = products.allow_fp16_reduced_precision_reduction
    return set(precisions) == {"ieee"} and not half and cudnn.deterministic and not cudnn.benchmark


def _is_card(device: Any) -> bool:
    return torch.device(device).type in (CARD.type, _INNER.type)


def _on_card(one: Any) -> bool:
    return isinstance(one, CardTensor)


def _converted(func: Any, args: Any, kwargs: Any) -> Any:
    """Copy into memory of its own; a fraction too large for a whole number becomes the largest, as on a card."""
    source, kind = args[0], kwargs.get("dtype")
    found = func(source, **kwargs)
    if kind in (torch.int32, torch.int64) and source.is_floating_point():
        ends = torch.iinfo(kind)
        found = torch.where(source >= float(ends.max), ends.max, found)
    shares = found.untyped_storage().data_ptr() == source.untyped_storage().data_ptr()
    return found.clone() if shares else found


def _through_singles(func: Any, args: Any, kwargs: Any) -> Any:
    """Compute in single precision and round, where the processor has no kernel for half."""

    def widened(one: torch.Tensor) -> torch.Tensor:
        return one.float() if one.dtype is torch.float16 else one

    def narrowed(one: torch.Tensor) -> torch.Tensor:
        return one.half() if one.dtype is torch.float32 else one

    wide = tree_map_only(torch.Tensor, widened, args)
    found = func(*wide, **tree_map_only(torch.Tensor, widened, kwargs))
    if func._schema.is_mutable:
        args[0].copy_(wide[0])
        return args[0]
    return tree_map_only(torch.Tensor, narrowed, found)


@contextmanager
def card_there(monkeypatch: pytest.MonkeyPatch, capacity: int = 2**40) -> Iterator[Card]:
    """Let PyTorch have one card."""
    card = Card(capacity)
    CardGenerator.known.clear()
    for name, stand_in in {
        "is_available": lambda: True,
        "device_count": lambda: 1,
        "_lazy_init": lambda: None,
        "synchronize": card.synchronize,
        "mem_get_info": lambda device=None: (card.capacity - card.used, card.capacity),
        "memory_reserved": lambda device=None: 0,
        "memory_allocated": lambda device=None: 0,
    }.items():
        monkeypatch.setattr(torch.cuda, name, stand_in)
    for name in ("lstm", "gru", "rnn_tanh", "rnn_relu"):
        monkeypatch.setattr(torch, name, partial(card.recurrent, getattr(torch, name)))
    monkeypatch.setattr(torch, "Generator", CardGenerator)
    lifting = torch._C._only_lift_cpu_tensors()
    torch._C._set_only_lift_cpu_tensors(True)  # else torch.tensor would look for CUDA itself, past the mode
    try:
        with card:
            yield card
    finally:
        torch._C._set_only_lift_cpu_tensors(lifting)


def choose_card(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let binds on PyTorch that name no device compute on the card."""
    monkeypatch.setattr(torch_devices, "find_device", partial(_always, CARD))


def _always(device: torch.device, _: Any) -> torch.device:
    return device
