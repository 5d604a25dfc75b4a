"""The repairs that there are, in the order in which they are made."""

from app.engine.repairs.old_pooling import OLD_POOLING
from app.engine.repairs.plain_names import PLAIN_NAMES
from app.engine.repairs.repair import Repair

REPAIRS = (PLAIN_NAMES, OLD_POOLING)


def repairs_for(version: int) -> tuple[Repair, ...]:
    """Return the repairs that a file of this version of MXNet may need."""
    return tuple(repair for repair in REPAIRS if repair.may_help(version))
