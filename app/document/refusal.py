"""How an edit says no."""

import attrs

from app.engine.errors import EngineError


class EditError(EngineError):
    """An edit that cannot be done as asked, in one sentence."""


@attrs.frozen
class Verdict:
    """Whether something may be done, and if not, why."""

    ok: bool
    reason: str = ""

    def __bool__(self) -> bool:
        """Tell whether it may be done."""
        return self.ok


YES = Verdict(True)


def no(reason: str) -> Verdict:
    """Return a refusal with its reason."""
    return Verdict(False, reason)
