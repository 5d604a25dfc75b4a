"""Operators through which nothing flows back: two ways in which MXNet says so."""

from app.engine.operator import CodeNames, GradientKind, Reads
from app.engine.operators.lines import assign_zeros
from app.engine.operators.prepared import Prepared


class ZeroGradient(Prepared):
    """What operators have in common whose gradients are zero; a buffer that asks to be added to keeps what it has."""

    def gradient_kind(self, index: int) -> GradientKind:
        """Nothing flows back."""
        return "zero"

    def gradient_reads(self, index: int) -> Reads:
        """Nothing is read for a gradient of zero."""
        return Reads(heads=False)

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Zeros."""
        return assign_zeros(n)


class ClearedGradient(Prepared):
    """What operators have in common that write zeros over the buffers of their gradients, whatever these ask for."""

    kinds = "f"

    def gradient_kind(self, index: int) -> GradientKind:
        """Nothing flows back."""
        return "cleared"

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Zeros."""
        return assign_zeros(n)
