"""CTCLoss: a loss for sequences whose labels are not aligned with them."""

from collections.abc import Sequence

import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Domain, Example
from app.engine.kernels import ctc as kernels
from app.engine.kernels.steps import Step
from app.engine.operator import Array, Arrays, GradientKind, Port, Reads, Types, operator
from app.engine.operators.prepared import Flow, Prepared, present
from app.engine.params import param
from app.engine.shapes import Inferred, Shapes, merge
from app.engine.work_space import Work, WorkSpace

_SYMBOLS = {"label": Domain(1, 3, whole=True)}


@operator(category="Losses", aliases=("_contrib_CTCLoss", "_contrib_ctc_loss", "ctc_loss"))
class CTCLoss(Prepared):
    """Give −log of the chance that a sequence says a label, over all ways to stretch the label to its length.

    data is (steps, batch, symbols), before softmax; one symbol is the blank.
    """

    kinds = "f"

    work = Work(keeps=0.2, takes=5, keeps_back=0.4)

    use_data_lengths: bool = param(default=False, doc="Take the number of steps of every sample.")
    use_label_lengths: bool = param(default=False, doc="Take the number of symbols of every label.")
    blank_label: str = param(
        default="first",
        choices=("first", "last"),
        doc="first: the blank is 0, and 0 fills short labels; last: it is the last symbol, and −1 fills.",
    )

    examples = (
        Example({"data": (5, 2, 4), "label": (2, 2)}, domains=_SYMBOLS),
        Example(
            {"data": (6, 2, 4), "label": (2, 3)},
            domains={"label": Domain(0, 2, whole=True)},
            blank_label="last",
        ),
        Example(
            {"data": (6, 3, 4), "label": (3, 2)},
            domains={
                **_SYMBOLS,
                "data_lengths": Domain(4, 6, whole=True),
                "label_lengths": Domain(1, 2, whole=True),
            },
            use_data_lengths=True,
            use_label_lengths=True,
        ),
    )

    def scratch(self, ins: Shapes, outs: Shapes, *, gradients: bool) -> WorkSpace:
        """Count, beside what is as large as data, the ways to every place of a label with blanks between."""
        (steps, batch, _), (_, length) = ins[:2]
        beside = super().scratch(ins, outs, gradients=gradients)
        return WorkSpace(beside.kept, beside.passing + 14 * steps * batch * (2 * length + 1))

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Data, labels, and the lengths that are used."""
        ports = [Port("data"), Port("label", "label")]
        ports += [Port("data_lengths", "label")] * self.use_data_lengths
        ports += [Port("label_lengths", "label")] * self.use_label_lengths
        return tuple(ports)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The loss of every sample."""
        return ("output0",)

    @property
    def hidden(self) -> tuple[str, ...]:
        """The gradient, which comes about on the way."""
        return ("gradient",)

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """There is one loss per sample."""
        data = merge((0, 0, 0), ins[0], "data")
        result = merge((data[1],), outs[0], "output0")
        label = merge((result[0], 0), ins[1], "label")
        if data[0] and label[1] > data[0]:
            raise ShapeError(f"labels of {label[1]} symbols do not fit into {data[0]} steps.", port="label")
        lengths = [
            merge((label[0],), shape, port.name) for shape, port in zip(ins[2:], self.ports[2:], strict=True)
        ]
        data = (data[0], label[0], data[2])
        return (data, label, *lengths), ((label[0],), data)

    def infer_types(self, ins: Types, outs: Types) -> tuple[Types, Types]:
        """Labels and lengths may have a type of their own; unless told otherwise it is data's."""
        (data,), results = super().infer_types(ins[:1], outs)
        return (data, *(kind or data for kind in ins[1:])), results

    def gradient_kind(self, index: int) -> GradientKind:
        """The gradient buffers of labels and lengths are left as they are."""
        return "value" if index == 0 else "untouched"

    def gradient_reads(self, index: int) -> Reads:
        """The gradient is there already."""
        return Reads(outputs=(1,))

    def _labels(self, data: Array, ins: Arrays) -> kernels.Labels:
        """Return the stretched labels."""
        label = ins[1].astype(np.int64)
        last = self.blank_label == "last"
        if self.use_label_lengths:
            lengths = ins[-1].astype(np.int64)
        else:
            lengths = kernels.label_lengths(label, -1 if last else 0)
        return kernels.stretch(label, lengths, data.shape[2] - 1 if last else 0)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Compute losses and their gradient together."""
        data = ins[0]

        def run() -> None:
            steps = np.full(data.shape[1], data.shape[0])
            if self.use_data_lengths:
                steps = ins[2].astype(np.int64)
            np.copyto(
                outs[0], kernels.ctc(data, self._labels(data, ins), steps, outs[1]), casting="same_kind"
            )

        return run

    def backward_steps(self, flow: Flow) -> Sequence[Step]:
        """Scale every sample's gradient."""
        gradient, head, grad = present(flow.outs[1]), flow.head, flow.wanted[0][1]
        return [lambda: np.multiply(gradient, head[:, None], out=grad)]

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the shares against the chances of all alignments."""
        if index > 0:
            return "0: a label is not learned"
        return f"{heads[0]} · (softmax({ins[0]}) − chance of each symbol at each step, given {ins[1]})"

    def summary(self) -> str:
        """Return which symbol is the blank."""
        return f"blank {self.blank_label}"
