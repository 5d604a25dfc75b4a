"""What operators with sliding windows share: sizes per axis, layouts, and the words for them."""

from collections.abc import Sequence
from typing import Any

from app.engine.errors import ShapeError
from app.engine.kernels.windows import Windows
from app.engine.operator import refuse
from app.engine.shapes import Shape

Sizes = tuple[int, ...]
AXIS_NAMES = {1: ("width",), 2: ("height", "width"), 3: ("depth", "height", "width")}
LAYOUTS = ("NCDHW", "NCHW", "NCW", "NDHWC", "NHWC")


def by_x(sizes: Sequence[int]) -> str:
    """Write sizes as people do: `3×3`."""
    return "×".join(str(size) for size in sizes)


def per_axis(sizes: Sizes, rank: int, default: int) -> Sizes:
    """Return a setting for every spatial axis; one that was left out is `default` everywhere."""
    return tuple(sizes) or (default,) * rank


def sliding(kernel: Sizes, stride: Sizes, dilate: Sizes, pad: Sizes) -> Windows:
    """Return the window of these settings, with those filled in that were left out."""
    rank = len(kernel)
    return Windows(kernel, per_axis(stride, rank, 1), per_axis(dilate, rank, 1), per_axis(pad, rank, 0))


def window_words(windows: Windows) -> list[str]:
    """Say in few words what differs from a window that is simply slid: `pad 1`, `stride 2×1`."""
    settings = (("stride", windows.stride, 1), ("dilate", windows.dilate, 1), ("pad", windows.pad, 0))
    return [
        f"{name} {sizes[0] if len(set(sizes)) == 1 else by_x(sizes)}"
        for name, sizes, usual in settings
        if set(sizes) != {usual}
    ]


def check_window(kernel: Sizes, settings: dict[str, tuple[Sizes, int]]) -> None:
    """Refuse a kernel of no or too many axes, settings of another length, and values below their lowest."""
    refuse(
        len(kernel) not in AXIS_NAMES,
        f"kernel is {kernel}, but it must have 1, 2 or 3 numbers, like (3, 3).",
        port="kernel",
    )
    refuse(min(kernel) < 1, f"kernel is {kernel}, but its numbers must be at least 1.", port="kernel")
    for name, (sizes, lowest) in settings.items():
        refuse(
            bool(sizes) and len(sizes) != len(kernel),
            f"{name} is {sizes}, but kernel {kernel} needs {len(kernel)} numbers.",
            port=name,
        )
        refuse(
            any(size < lowest for size in sizes),
            f"{name} is {sizes}, but its numbers must be at least {lowest}.",
            port=name,
        )


def check_layout(layout: str | None, rank: int) -> None:
    """Refuse a layout for another number of axes."""
    refuse(
        layout is not None and len(layout) != rank + 2,
        f"layout is {layout}, but the kernel has {rank} axes.",
        port="layout",
    )


def is_channels_last(layout: str | None) -> bool:
    """Tell whether channels are the last axis."""
    return layout is not None and layout.endswith("C")


def channels_first(shape: Shape, channels_last: bool) -> Shape:
    """Return a shape as (batch, channels, *sizes)."""
    return (shape[0], shape[-1], *shape[1:-1]) if channels_last and shape else shape


def in_layout(shape: Shape, channels_last: bool) -> Shape:
    """Return a (batch, channels, *sizes) shape in the node's own layout."""
    return (shape[0], *shape[2:], shape[1]) if channels_last and shape else shape


def image_of(shape: Shape, rank: int, port: str = "data") -> Shape:
    """Return a shape of `rank` spatial axes, all unknown if nothing is known; ShapeError for another rank."""
    if not shape:
        return (0,) * (rank + 2)
    if len(shape) != rank + 2:
        names = ", ".join(AXIS_NAMES[rank])
        raise ShapeError(
            f"{port} has {len(shape)} axes, but a {rank}-d kernel needs {rank + 2}: batch, channel, {names}.",
            port=port,
        )
    return shape


def per_group(channels: int, groups: int) -> int:
    """Return how many channels of data each group has; ShapeError where they cannot be split."""
    if channels % groups:
        raise ShapeError(
            f"the {channels} channels of data cannot be split into {groups} equal groups.", port="data"
        )
    return channels // groups


def windows_along(windows: Windows, axis: int, size: int) -> int:
    """Return how many windows stand along an axis of data of this size, 0 while that is unknown."""
    if not size:
        return 0
    pad, reach = windows.pad[axis], windows.reach[axis]
    if size + 2 * pad < reach:
        name = AXIS_NAMES[len(windows.kernel)][axis]
        raise ShapeError(
            f"a window of {reach} does not fit into a {name} of {size} with padding {pad} on both sides.",
            port="data",
        )
    return (size + 2 * pad - reach) // windows.stride[axis] + 1


def size_under(windows: Windows, axis: int, count: int) -> int:
    """Return the size of data along an axis on which so many windows stand, 0 where that does not tell."""
    if not count or windows.stride[axis] != 1:
        return 0
    return max(count + windows.reach[axis] - 1 - 2 * windows.pad[axis], 0)


def count_words(windows: Windows, axis: int, size: int) -> str:
    """Say why so many windows stand along an axis of data of this size."""
    kernel, stride, pad = windows.kernel[axis], windows.stride[axis], windows.pad[axis]
    reach = windows.reach[axis]
    dilated = "" if reach == kernel else f" dilated to {reach}"
    sum_text = f"({size} + 2·{pad} − {reach})"
    return f"kernel {kernel}{dilated}, stride {stride}, pad {pad}: {sum_text}/{stride} + 1"


def is_mostly_image(windows: Windows, image: Sequence[int]) -> bool:
    """Tell whether every window sees something of an image, which is no narrower than its padding; 0 is unknown."""
    axes = zip(windows.pad, windows.reach, image, strict=True)
    return all(pad < reach and (not size or pad <= size) for pad, reach, size in axes)


def options(**settings: tuple[Any, Any]) -> str:
    """Write `, name=value` for each setting that differs from its default; values are (setting, default)."""
    return "".join(f", {name}={value}" for name, (value, default) in settings.items() if value != default)
