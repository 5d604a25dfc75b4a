"""What is measured, and how fast it shall be beside the peers."""

from typing import Final

import attrs

MXNET, TORCH, BARE = "MXNet", "torch", "bare window"


@attrs.frozen
class Goal:
    """One line of the table: a work, what it is called, and what is wanted of it.

    `ratios` are the most that our time may be of a peer's time for `beside` (the same work unless said otherwise).
    `most` is a time in seconds.
    """

    name: str
    work: str
    title: str
    ratios: dict[str, float] = attrs.Factory(dict)
    most: float | None = None
    beside: str = ""
    fact: str = "seconds"


GOALS: Final = (
    Goal("toy", "toy forward", "toy graph, forward", {MXNET: 0.1, TORCH: 0.2}),
    Goal("toy", "toy step", "toy graph, step", {MXNET: 0.1, TORCH: 0.2}),
    Goal("mlp", "mlp step", "MLP step", {MXNET: 0.85, TORCH: 0.65}),
    Goal("lstm", "lstm step", "LSTM step, 20 long", {MXNET: 0.5, TORCH: 1.0}),
    Goal("transformer", "transformer step", "transformer block step", {MXNET: 0.6, TORCH: 1.1}),
    Goal("lenet", "lenet step", "LeNet step", {MXNET: 1.0, TORCH: 1.05}),
    Goal("resnet20", "resnet20 step", "ResNet-20 step", {MXNET: 1.2, TORCH: 1.4}),
    Goal("shapes", "shapes", "shapes of ResNet-152", {MXNET: 0.7}),
    Goal("shapes", "edit", "  after one edit", {MXNET: 0.02}, beside="shapes"),
    Goal("open", "open", "ResNet-152: JSON to shapes", {MXNET: 1.0}),
    Goal("wire", "wire", "may a wire be drawn, 10,000 nodes", most=25e-6),
    Goal("wire", "wire", "  the longest of 2,000 answers", most=5e-3, fact="longest"),
    Goal("wire", "draw", "  the edit and its commit"),
    Goal("layout", "layout", "layout of 1,000 operators", most=0.2),
    Goal("edits", "edit setting", "another setting in ResNet-152, painted", most=30e-3),
    Goal("edits", "edit place", "  a node moved", most=30e-3),
    Goal("edits", "edit name", "  a node renamed", most=50e-3),
    Goal("start", "window", "first window", {BARE: 1.5}),
    Goal("start", "ready", "  everything in it can be used"),
)
NAMES: Final = tuple(dict.fromkeys(goal.name for goal in GOALS))
