"""Costs, times and sizes in words for people."""

from app.engine.costs import GraphCost, NodeCost


def cost_text(cost: NodeCost | GraphCost) -> str:
    """Write a cost for people: "4,128 parameters · 0.26 M multiply-adds · 8.3 KB"; units do not wrap."""
    parts = []
    if cost.parameters:
        parts.append(f"{cost.parameters:,} parameter{'s' if cost.parameters != 1 else ''}")
    parts.append(f"{_short(cost.multiply_adds)} multiply-add{'s' if cost.multiply_adds != 1 else ''}")
    parts.append(bytes_text(cost.bytes))
    return " · ".join(parts)


def time_text(forward: float | None, backward: float | None) -> str:
    """Write what a run took: "0.12 ms forward · 0.3 ms backward"; nothing where nothing was run."""
    passes = (("forward", forward), ("backward", backward))
    return " · ".join(f"{seconds_text(seconds)} {name}" for name, seconds in passes if seconds is not None)


def seconds_text(seconds: float) -> str:
    """Write a duration for people: "12 µs", "3.4 ms", "1.2 s"."""
    for limit, factor, sign in ((1.0, 1.0, "s"), (1e-3, 1e3, "ms")):
        if seconds >= limit:
            return f"{seconds * factor:.3g}\u00a0{sign}"
    return f"{seconds * 1e6:.3g}\u00a0µs"


def _short(count: int) -> str:
    for limit, sign in ((10**9, "G"), (10**6, "M")):
        if count >= limit:
            return f"{count / limit:.3g}\u00a0{sign}"
    return f"{count:,}"


def bytes_text(count: int) -> str:
    """Write a number of bytes for people: "24 B", "8.2 KB"."""
    for limit, sign in ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "KB")):
        if count >= limit:
            return f"{count / limit:.3g}\u00a0{sign}"
    return f"{count}\u00a0B"
