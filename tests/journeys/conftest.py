"""Windows for the journeys."""

from tests.windows import answers, application, bench

__all__ = ["answers", "application", "bench"]
