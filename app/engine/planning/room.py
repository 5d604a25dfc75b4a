"""What a bind needs in memory, and what there is: told before anything is taken."""

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

import attrs
import numpy as np

from app.engine.errors import BindError
from app.engine.gradient import ExecutorGraph
from app.engine.inference.infer import Inference
from app.engine.passes.room import room_of_passes
from app.engine.planning.plan import Plan
from app.engine.shapes import Shape, element_count, text

_KIB = 1024
_GROUPS = Path("/sys/fs/cgroup")
_ALWAYS_THERE = 32 * 2**20
"""So few bytes are not worth the question how much is free."""
_NO_LIMIT = 2**60
"""Linux writes a number above this where a group of processes has no limit."""


class Device(Protocol):
    """Where a bind is computed, if not in numpy."""

    device: str

    def free_memory(self) -> int | None:
        """Return the bytes that can still be taken there; None where that is the memory of this process."""


@attrs.frozen
class Array:
    """One array to be: the name of what it holds, its shape, and its bytes."""

    name: str
    shape: Shape
    size: int


_NOTHING = Array("", (), 0)


@attrs.frozen
class Need:
    """The bytes that a bind takes, by what they are for, and the largest array and work space among them."""

    given: int
    gradients: int
    between: int
    scratch: int
    largest: Array
    largest_work: Array

    @property
    def total(self) -> int:
        """All bytes together."""
        return self.given + self.gradients + self.between + self.scratch

    def __str__(self) -> str:
        """Say it for people: `18.2 GiB (arguments 3.0 GiB, gradients 3.0 GiB, arrays in between 12.2 GiB)`."""
        parts = {
            "arguments": self.given,
            "gradients": self.gradients,
            "arrays in between": self.between,
            "work space": self.scratch,
        }
        words = [f"{what} {in_words(size)}" for what, size in parts.items() if size > self.total // 100]
        return f"{in_words(self.total)} ({', '.join(words)})"


def need_of_bind(
    inference: Inference,
    executor_graph: ExecutorGraph,
    plan: Plan,
    *,
    keep_all: bool = False,
) -> Need:
    """Add up what a bind takes: variables, gradient buffers, the plan's blocks, work space of operators and passes."""
    graph = inference.graph
    variables = [_array(inference, (index, 0)) for index in (*graph.arguments, *graph.auxiliary)]
    kept = [node for node in executor_graph.nodes if node.request in ("write", "add")]
    between = [
        _array(inference, life.key.entry) for life in plan.lifetimes.values() if life.key.kind == "value"
    ]
    kept_work, passing_work = _work_spaces(inference, executor_graph)
    return Need(
        given=sum(array.size for array in variables),
        gradients=sum(_array(inference, node.entry).size for node in kept),
        between=plan.bytes_shared,
        scratch=sum(array.size for array in kept_work)
        + max((array.size for array in passing_work), default=0)
        + room_of_passes(inference, executor_graph, plan, keep_all=keep_all),
        largest=_largest((*variables, *between)),
        largest_work=_largest((*kept_work, *passing_work)),
    )


def refuse_beyond_memory(need: Need, device: Device | None = None, *, variables_held: bool = False) -> None:
    """Raise a BindError when a bind cannot fit into what is free, here and on the device that computes it.

    With `variables_held` the caller has the variables and their gradients already; a card takes copies of its own. What
    lies in between lies there. Its work space is not known, and it may hold more than the plan says.
    """
    on_card = None if device is None else device.free_memory()
    if device is not None and on_card is not None:
        there = attrs.evolve(need, gradients=0, scratch=0, largest_work=_NOTHING)
        _refuse_beyond(there, max(on_card, _ALWAYS_THERE), f" on {device.device}")
        need = attrs.evolve(need, between=0, scratch=0, largest=_NOTHING, largest_work=_NOTHING)
    if variables_held:
        need = attrs.evolve(need, given=0, gradients=0)
    if need.total > _ALWAYS_THERE:
        _refuse_beyond(need, free_memory(), "")


def _refuse_beyond(need: Need, free: int | None, where: str) -> None:
    if free is None or need.total <= free:
        return
    largest = _largest((need.largest, need.largest_work))
    called = f"{largest.name} {text(largest.shape)}" if largest.shape else largest.name
    named = f" The largest array is {called} with {in_words(largest.size)}." if called else ""
    raise BindError(
        f"This bind needs {need}, but only {in_words(free)} of memory are free{where}.{named}"
        " Use a smaller batch, or ask for fewer gradients."
    )


def in_words(count: int) -> str:
    """Write a number of bytes for people."""
    for power, unit in ((60, "EiB"), (50, "PiB"), (40, "TiB"), (30, "GiB")):
        if count >= 2**power:
            return f"{count / 2**power:.1f} {unit}" if count < 2**80 else "more than any machine has"
    return f"{count / 2**20:.0f} MiB" if count >= 2**20 else f"{count / 2**10:.0f} KiB"


def free_memory() -> int | None:
    """Return the bytes that can still be taken, None where the system does not tell."""
    bounds = (_free_on_machine(), *_free_in_groups(), _free_in_process())
    return min((bound for bound in bounds if bound is not None), default=None)


def _largest(arrays: Iterable[Array]) -> Array:
    return max(arrays, key=lambda array: array.size, default=_NOTHING)


def _array(inference: Inference, entry: tuple[int, int]) -> Array:
    shape = inference.shape(entry)
    size = element_count(shape) * inference.settled_dtype(entry).itemsize
    return Array(inference.graph.entry_name(entry), shape, size)


def _work_spaces(inference: Inference, executor_graph: ExecutorGraph) -> tuple[list[Array], list[Array]]:
    """Return the work space of every node: what it keeps, and what it takes while it runs."""
    graph = inference.graph
    kept, passing = list[Array](), list[Array]()
    for index, node in enumerate(graph.nodes):
        if node.operator is None:
            continue
        space = node.operator.scratch(
            inference.in_shapes(index),
            inference.outputs[index],
            gradients=index in executor_graph.backward_heads,
        )
        entries = (*node.inputs, *((index, number) for number in range(node.output_count)))
        width = np.result_type(np.float32, *map(inference.settled_dtype, entries)).itemsize
        name = f"the work space of {node.name}"
        kept += [Array(name, (), space.kept * width)] if space.kept else []
        passing += [Array(name, (), space.passing * width)] if space.passing else []
    return kept, passing


def _free_on_machine() -> int | None:
    if sys.platform == "win32":
        return _free_on_windows()
    facts = _read(Path("/proc/meminfo"))
    found = {words[0]: int(words[1]) for line in facts.splitlines() if len(words := line.split()) > 1}
    if "MemAvailable:" in found:
        return (found["MemAvailable:"] + found.get("SwapFree:", 0)) * _KIB
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


if sys.platform == "win32":
    import ctypes

    class _Status(ctypes.Structure):
        """What GlobalMemoryStatusEx fills in; numbers 4 to 6 are the page file and the address space."""

        _fields_ = (
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            ("numbers", ctypes.c_ulonglong * 7),
        )

    def _free_on_windows() -> int | None:
        status = _Status(length=ctypes.sizeof(_Status))
        told = ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
        return int(status.numbers[3]) if told else None


def _free_in_groups() -> Iterator[int]:
    """Yield what the limits of a container leave, its own and those of the groups around it."""
    for line in _read(Path("/proc/self/cgroup")).splitlines():
        _, kinds, place = line.split(":", 2)
        if kinds and "memory" not in kinds.split(","):
            continue
        top = _GROUPS / "memory" if kinds else _GROUPS
        names = (
            ("memory.limit_in_bytes", "memory.usage_in_bytes") if kinds else ("memory.max", "memory.current")
        )
        inner = top / place.lstrip("/")
        for folder in (inner, *inner.parents):
            limit, used = (_read(folder / name).strip() for name in names)
            if limit.isdecimal() and used.isdecimal() and int(limit) < _NO_LIMIT:
                yield max(0, int(limit) - int(used) + _reclaimable(folder))
            if folder == top:
                break


def _reclaimable(folder: Path) -> int:
    """Return the bytes of files that the system only keeps because nobody needs the memory yet."""
    for line in _read(folder / "memory.stat").splitlines():
        words = line.split()
        if len(words) == 2 and words[0] in ("inactive_file", "total_inactive_file"):
            return int(words[1])
    return 0


def _free_in_process() -> int | None:
    """Return what `ulimit -v` leaves to this process."""
    if sys.platform == "win32":
        return None
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return None
    pages = _read(Path("/proc/self/statm")).split()
    return max(0, limit - (int(pages[0]) * os.sysconf("SC_PAGE_SIZE") if pages else 0))


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, ValueError):
        return ""
