"""What kernels take of memory beside the arrays of a plan."""

import attrs


@attrs.frozen
class WorkSpace:
    """Numbers that kernels take beside the plan's arrays, each as wide as the type in which fractions are computed.

    `kept` stays with the node between calls. What is `passing` goes when a call ends, or serves all nodes in turn.
    """

    kept: int = 0
    passing: int = 0


@attrs.frozen
class Work:
    """Work space as multiples of a node's largest array, whatever the settings and types.

    Forward keeps and takes so much, and backward keeps so much more, and takes so much while it runs.
    """

    keeps: float = 0
    takes: float = 0
    keeps_back: float = 0
    takes_back: float = 0

    def beside(self, numbers: int, *, gradients: bool) -> WorkSpace:
        """Return it for a largest array of so many numbers."""
        if not gradients:
            return WorkSpace(int(self.keeps * numbers), int(self.takes * numbers))
        kept, passing = self.keeps + self.keeps_back, max(self.takes, self.takes_back)
        return WorkSpace(int(kept * numbers), int(passing * numbers))
