"""Operators that came with a plug-in, or a build of one's own, before MXNet took them in under `_contrib_`.

The networks for detection of 2016 name MultiBoxPrior and its kin so. MXNet knows only the later names.
"""

from collections.abc import Mapping

from app.engine.registry import all_operators
from app.engine.repairs.repair import Mended, Repair

_PREFIX = "_contrib_"


def under_contrib(op_name: str, attributes: Mapping[str, str]) -> Mended | None:
    """Return a node under the name that its operator has today; None where it is known, or not even so."""
    known = all_operators()
    name = f"{_PREFIX}{op_name}"
    return None if op_name in known or name not in known else Mended(name, attributes)


PLAIN_NAMES = Repair(
    label="Call operators as MXNet calls them today",
    mend=under_contrib,
    written_before=None,
    sign="names operators as they were called before they became a part of MXNet",
    question="Read them under the names of today?",
    reason="MultiBoxPrior, for one, is _contrib_MultiBoxPrior in MXNet. Under the old name it is kept as it came, and "
    "can't run. Undo takes the repair back.",
    consent="Use today's names",
    done="Operators are called as MXNet calls them today. Undo takes it back.",
)
