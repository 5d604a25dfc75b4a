"""Rounding and signs: functions that jump, with gradient zero."""

from typing import Any

import numpy as np

from app.engine.examples import Domain
from app.engine.operators.unary import FLAT, Value, computed, unary

_BETWEEN = Domain(-2.9, 2.9, avoid=tuple(half / 2 for half in range(-6, 7)))


def _round(x: Any) -> Any:
    return np.copysign(np.floor(np.abs(x) + 0.5), x)


def _rint(x: Any) -> Any:
    return np.ceil(x - 0.5)


unary(
    "round",
    Value(
        computed(_round),
        "np.copysign(np.floor(np.abs({x}) + 0.5), {x})",
        "torch.copysign(torch.floor(torch.abs({x}) + 0.5), {x})",
        formula="round({x})",
    ),
    FLAT,
    doc="Round to the nearest whole number, halves away from 0.",
    domain=_BETWEEN,
)
unary(
    "rint",
    Value(computed(_rint), "np.ceil({x} - 0.5)"),
    FLAT,
    doc="Round to the nearest whole number, halves down.",
    domain=_BETWEEN,
)
unary("ceil", np.ceil, FLAT, doc="Round up.", domain=_BETWEEN)
unary("floor", np.floor, FLAT, doc="Round down.", domain=_BETWEEN)
unary("trunc", np.trunc, FLAT, doc="Drop what is behind the point.", domain=_BETWEEN)
unary(
    "fix",
    Value(computed(np.trunc), "np.trunc({x})"),
    FLAT,
    doc="Round towards 0.",
    domain=_BETWEEN,
)
_sign = unary("sign", np.sign, FLAT, doc="Tell the sign: −1, 0 or 1.", domain=_BETWEEN, kinds="iuf")
_sign.runs_back_in_vain = True
