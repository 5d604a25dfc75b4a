"""What a repair is: how one node is mended, and the words in which a person is asked."""

from collections.abc import Callable, Mapping

import attrs


@attrs.frozen
class Mended:
    """What an old node has to be called, and set to, so that it means what it meant."""

    op_name: str
    attributes: Mapping[str, str]


@attrs.frozen
class Repair:
    """One thing that older builds of MXNet wrote otherwise, and how a node is brought up to today.

    `mend` takes a node's operator and settings; None stands for a node that needs no repair, and ParameterError says
    why one that does can't be mended. `label` is what undoing it is called.
    """

    label: str
    mend: Callable[[str, Mapping[str, str]], Mended | None]
    written_before: int | None
    """The version of MXNet from which on no file needs it; None where every file may."""
    sign: str
    """What tells that a file needs it, behind the file's name: "is from before MXNet 0.8"."""
    question: str
    reason: str
    consent: str
    """The word on the button."""
    done: str

    def may_help(self, version: int) -> bool:
        """Tell whether a file of this version of MXNet may need the repair."""
        return self.written_before is None or version < self.written_before
