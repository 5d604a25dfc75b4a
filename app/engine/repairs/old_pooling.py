"""Pooling as it was before MXNet 0.8: the number of windows was rounded up, and nobody could say otherwise.

Along an axis with n places, padding included, a window of k and a step of s, there were

    ⌊min(n − k + s − 1, n − 1) / s⌋ + 1

windows. Where windows leave no gaps (s ≤ k), that is today's `full`. A window of one place counts today as it did. Else
the cut to n − 1 wins, and no convention of today has it (docs/decisions/0015).
"""

from collections.abc import Mapping

from app.engine.errors import ParameterError
from app.engine.operators.geometry import per_axis
from app.engine.operators.pooling import Pooling
from app.engine.registry import find_operator
from app.engine.repairs.repair import Mended, Repair

_POOLING = "Pooling"
_DIVIDES_BY_THE_WINDOW = "Pooling_v1"


def as_it_was(op_name: str, attributes: Mapping[str, str]) -> Mended | None:
    """Return an old node with its rounding said; None where today's reading is the same.

    ParameterError for settings that are wrong, or whose rounding no convention of today has.
    """
    if op_name != _POOLING or "pooling_convention" in attributes:
        return None
    pooling = Pooling.from_attributes(attributes)
    if pooling.global_pool:
        return None
    strides = per_axis(pooling.stride, len(pooling.kernel), 1)
    fitting = {"valid", "full"}
    for kernel, stride in zip(pooling.kernel, strides, strict=True):
        fitting &= _conventions(kernel, stride)
    if "valid" in fitting:
        return None
    if not fitting:
        raise ParameterError(
            f"a kernel of {pooling.kernel} with a stride of {strides} leaves gaps, and how MXNet counted such windows "
            "before 0.8 can't be said today.",
            port="pooling_convention",
        )
    # A window over the edge is divided by what it covers today; it was divided by the whole window.
    divides = pooling.pool_type == "avg" and len(pooling.kernel) == 2
    texts = {**attributes, "pooling_convention": "full"}
    if not divides:
        return Mended(op_name, texts)
    known = {parameter.name for parameter in find_operator(_DIVIDES_BY_THE_WINDOW).parameters}
    plain = Pooling.parameters
    lost = [p.name for p in plain if p.name not in known and getattr(pooling, p.name) != p.default]
    if lost:
        raise ParameterError(f"pooling from before 0.8 has no {lost[0]}.", port=lost[0])
    unknown = {parameter.name for parameter in plain} - known
    return Mended(_DIVIDES_BY_THE_WINDOW, {name: text for name, text in texts.items() if name not in unknown})


def _conventions(kernel: int, stride: int) -> set[str]:
    """Return the conventions of today that count the windows along one axis as they were counted, for every size."""
    if stride == 1:
        return {"valid", "full"}
    if kernel == 1:
        return {"valid"}
    return {"full"} if stride <= kernel else set()


OLD_POOLING = Repair(
    label="Round pooling up as before MXNet 0.8",
    mend=as_it_was,
    written_before=900,  # 0.8 and older say no version, and count as 800
    sign="is from before MXNet 0.8",
    question="Round pooling up, as it did then?",
    reason="The sizes behind pooling layers were rounded up. Today they are rounded down, so that layers made for the "
    "old sizes may no longer fit together. Undo takes the repair back.",
    consent="Round up",
    done="Pooling rounds up as before MXNet 0.8. Undo takes it back.",
)
