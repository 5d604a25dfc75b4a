"""SoftmaxOutput, and what all losses have in common: they make their own gradient."""

from collections.abc import Callable, Sequence
from functools import partial
from math import isfinite, prod
from typing import Literal

import attrs
import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Domain, Example
from app.engine.kernels import losses
from app.engine.kernels import softmax as softmax_kernels
from app.engine.kernels.steps import Step, in_order, nothing, overwrite, reading
from app.engine.operator import (
    Array,
    Arrays,
    CodeNames,
    GradientKind,
    Operator,
    OptionalArrays,
    Port,
    Reads,
    Run,
    operator,
    refuse,
)
from app.engine.operators.lines import label_zeros
from app.engine.params import param
from app.engine.shapes import Inferred, Shape, Shapes, merge, text
from app.engine.work_space import Work

_DATA_AND_LABEL = (Port("data"), Port("label", "label"))
_CLASSES = {"label": Domain(0, 3, whole=True)}


class Loss(Operator):
    """What losses have in common: they read their label, not the head gradient; the label gets nothing."""

    is_loss = True

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Data and what it should have been."""
        return _DATA_AND_LABEL

    def gradient_kind(self, index: int) -> GradientKind:
        """The label's gradient buffer is left as it is."""
        return "value" if index == 0 else "untouched"

    def gradient_reads(self, index: int) -> Reads:
        """The gradient compares the output with the label."""
        return Reads(inputs=(1,), outputs=(0,), heads=False)


@operator(category="Losses", aliases=("Softmax",))
class SoftmaxOutput(Loss):
    """Turn scores into shares per class; the gradient is that of the cross entropy with the label.

    d(data) = (p − onehot(label)) · grad_scale, whatever head gradient comes in
    """

    kinds = "f"

    work = Work(keeps=1.5, takes=0.4, keeps_back=1.4, takes_back=1.4)

    grad_scale: float = param(default=1.0, doc="Multiplies the gradient.")
    ignore_label: float = param(default=-1.0, doc="The label that does not count, with use_ignore or valid.")
    multi_output: bool = param(
        default=False, doc="Classes along axis 1, one decision at every place behind it."
    )
    use_ignore: bool = param(default=False, doc="Samples with ignore_label get no gradient.")
    preserve_shape: bool = param(default=False, doc="Classes along the last axis.")
    normalization: str = param(
        default="null",
        choices=("batch", "null", "valid"),
        doc="Divide the gradient by the labels (batch), by those that count (valid), or not.",
    )
    out_grad: bool = param(default=False, advanced=True, doc="Multiply by the head gradient.")
    smooth_alpha: float = param(
        default=0.0, low=0, high=1, doc="Share of the right class given to the others; not with multi_output."
    )

    examples = (
        Example({"data": (4, 3)}, domains=_CLASSES, gradient=False),
        Example({"data": (4, 3)}, domains=_CLASSES, gradient=False, normalization="batch", smooth_alpha=0.1),
        Example({"data": (2, 3, 4)}, domains=_CLASSES, gradient=False, multi_output=True, grad_scale=0.5),
        Example(
            {"data": (2, 2, 3)},
            domains=_CLASSES,
            gradient=False,
            preserve_shape=True,
            use_ignore=True,
            ignore_label=1.0,
            normalization="valid",
        ),
        Example(
            {"data": (4, 3), "label": (4, 3)}, domains={"label": Domain(0, 1)}, gradient=False, grad_scale=3.0
        ),
    )

    def check(self) -> None:
        """Refuse a label that no array of whole numbers can hold."""
        refuse(
            not isfinite(self.ignore_label),
            f"ignore_label is {self.ignore_label}, but it must be a finite number.",
            port="ignore_label",
        )

    @property
    def is_loss(self) -> bool:  # type: ignore[override]
        """With out_grad the head gradient counts, so it is asked for and flows as for any operator."""
        return not self.out_grad

    def add_gradient(self, index: int, fresh: Array, holder: Array) -> Step:
        """MXNet writes over what the buffer held."""
        return overwrite(fresh, holder)

    # Shapes ------------------------------------------------------------------------------------------------------

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Data and result are alike; the label's shape follows from data's and never the other way."""
        data = merge(ins[0], outs[0], "data")
        label = ins[1]
        if self.multi_output and data and label != data:
            label = self._places_label(data, label)
        elif len(data) > 1 and label != data:
            label = merge(data[:-1], label, "label")
        elif data and label:  # of one row MXNet takes only shares for a label, and looks for none by itself
            label = merge(data, label, "label")
        return (data, label), (data,)

    def _places_label(self, data: Shape, label: Shape) -> Shape:
        """Return the label's shape for multi_output: (N, places), or data's shape without or with 1 on axis 1."""
        if len(data) < 2:
            raise ShapeError(f"multi_output needs classes on axis 1, but data is {text(data)}.", port="data")
        wanted = (data[0], prod(data[2:]))
        if not label:
            return wanted
        for form in (wanted, (data[0], *data[2:]), (data[0], 1, *data[2:])):
            try:
                return merge(form, label, "label")
            except ShapeError:
                continue
        raise ShapeError(f"expected {text(wanted)} but got {text(label)}.", port="label")

    def because(self, side: Literal["in", "out"], index: int, axis: int, ins: Shapes, outs: Shapes) -> str:
        """Explain the places that multi_output joins."""
        if (
            side == "in"
            and index == 1
            and axis == 1
            and self.multi_output
            and len(ins[1]) == 2
            and len(ins[0]) > 2
        ):
            return f"{' · '.join(str(size) for size in ins[0][2:])} places per sample"
        return ""

    def _view(self, array: Array) -> Array:
        """View an array of data's shape as (outer, classes, inner)."""
        if self.multi_output:
            return softmax_kernels.along(array, 1)
        if self.preserve_shape:
            return softmax_kernels.along(array, -1)
        return array.reshape(array.shape[0], -1, 1, copy=False)

    # Running -----------------------------------------------------------------------------------------------------

    def prepare_forward(self, run: Run, ins: Arrays, outs: Arrays) -> Callable[[], object]:
        """Set up the work arrays once."""
        return softmax_kernels.softmax(self._view(ins[0]), self._view(outs[0]))

    def forward(self, run: Run, ins: Arrays, outs: Arrays) -> None:
        """Turn scores into shares."""
        self.prepare_forward(run, ins, outs)()

    @property
    def inplace(self) -> tuple[tuple[int, int], ...]:
        """The shares may take data's place."""
        return ((0, 0),)

    def gradient_reads(self, index: int) -> Reads:
        """The gradient compares the shares with the label."""
        return Reads(inputs=(1,), outputs=(0,), heads=self.out_grad)

    @property
    def _rules(self) -> losses.SoftmaxRules:
        return losses.SoftmaxRules(
            grad_scale=self.grad_scale,
            ignore_label=int(self.ignore_label),
            use_ignore=self.use_ignore,
            smooth_alpha=0.0 if self.multi_output else self.smooth_alpha,  # MXNet leaves it out there
            normalization=self.normalization,
        )

    def backward(
        self,
        run: Run,
        ins: OptionalArrays,
        outs: OptionalArrays,
        heads: OptionalArrays,
        grads: OptionalArrays,
    ) -> None:
        """Write the gradient of the cross entropy."""
        self.prepare_backward(run, ins, outs, heads, grads)()

    def prepare_backward(
        self,
        run: Run,
        ins: OptionalArrays,
        outs: OptionalArrays,
        heads: OptionalArrays,
        grads: OptionalArrays,
    ) -> Step:
        """Set up the comparison of labels and classes once."""
        shares, label, grad = outs[0], ins[1], grads[0]
        if grad is None or shares is None or label is None:
            return nothing
        if label.shape == shares.shape:  # the label holds probabilities, and nothing else applies
            steps: list[Step] = [
                partial(np.subtract, shares, label, out=grad),
                partial(np.multiply, grad, self.grad_scale, out=grad),
            ]
        else:
            steps = self._compared(shares, label, grad)
        if self.out_grad and heads[0] is not None:
            steps.append(partial(np.multiply, grad, heads[0], out=grad))
        return in_order(steps)

    def _compared(self, shares: Array, label: Array, grad: Array) -> list[Step]:
        """Compare shares with labels that are numbers of classes."""
        view = self._view(shares)
        outer, _, inner = view.shape
        flat, steps = reading(label, (label.size,))
        rows = flat[: outer * inner].reshape(outer, inner)
        places = inner if self.multi_output else 1
        rules = self._rules
        if self.normalization == "valid":  # only the labels tell by what is divided
            plain = attrs.evolve(rules, grad_scale=1.0)
            steps.append(losses.softmax_loss_gradient(view, rows, self._view(grad), plain))

            def divide() -> None:
                divisor = losses.normalizer(label, places, rules)
                np.multiply(grad, self.grad_scale / divisor, out=grad)

            return [*steps, divide]
        scaled = attrs.evolve(rules, grad_scale=self.grad_scale / losses.normalizer(label, places, rules))
        return [*steps, losses.softmax_loss_gradient(view, rows, self._view(grad), scaled)]

    def _labels(self, view: Array, label: Array) -> tuple[Array, losses.SoftmaxRules]:
        """Return the labels as (outer, inner), and the rules with the divisor worked in."""
        outer, _, inner = view.shape
        rows = label.reshape(-1)[: outer * inner].reshape(outer, inner)
        divisor = losses.normalizer(label, inner if self.multi_output else 1, self._rules)
        return rows, attrs.evolve(self._rules, grad_scale=self.grad_scale / divisor)

    def objective(self, ins: Arrays) -> float:
        """Return the cross entropy."""
        scores, label = self._view(ins[0]), ins[1]
        if label.shape == ins[0].shape:
            return self.grad_scale * float(losses.cross_entropies(scores, self._view(label)).sum())
        return losses.softmax_loss(scores, *self._labels(scores, label))

    # For people --------------------------------------------------------------------------------------------------

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient with its factors."""
        if index == 1:
            return "none: a label is not learned"
        factor = "" if self.grad_scale == 1 else f" · {self.grad_scale:g}"
        divisor = {"batch": " / number of labels", "valid": " / number of labels that count", "null": ""}
        places = " / places per sample" if self.multi_output and self.normalization == "null" else ""
        incoming = f" · {heads[0]}" if self.out_grad else ""
        target = f"smooth(onehot({ins[1]}))" if self._rules.smooth_alpha else f"onehot({ins[1]})"
        return f"({outs[0]} − {target}){factor}{divisor[self.normalization]}{places}{incoming}"

    def summary(self) -> str:
        """Return what differs from the defaults."""
        words = [] if self.grad_scale == 1 else [f"scale {self.grad_scale:g}"]
        words += [
            word.replace("_", " ") for word in ("multi_output", "preserve_shape") if getattr(self, word)
        ]
        if self.use_ignore:
            words.append(f"ignore {self.ignore_label:g}")
        if self.normalization != "null":
            words.append(f"per {self.normalization}")
        return " · ".join(words)

    # Code --------------------------------------------------------------------------------------------------------

    def _gradient_settings(self) -> str:
        """Write the settings of the part `softmax_head_gradient` that differ from its defaults."""
        rules = self._rules
        settings = {
            "mode": repr(self._mode()),
            "scale": f"{self.grad_scale!r}",
            "normalization": repr(self.normalization),
            "ignore_label": str(rules.ignore_label),
            "use_ignore": str(self.use_ignore),
            "smooth": f"{rules.smooth_alpha!r}",
        }
        usual = dict(zip(settings, ("'flat'", "1.0", "'null'", "-1", "False", "0.0"), strict=True))
        return "".join(f", {name}={value}" for name, value in settings.items() if value != usual[name])

    def _mode(self) -> str:
        return "channel" if self.multi_output else "last" if self.preserve_shape else "flat"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Call the part `softmax_along`; a flat one reshapes around it."""
        data = n.ins[0]
        if not (self.multi_output or self.preserve_shape) and len(n.in_shapes[0]) > 2:
            flat = f"{data}.reshape(len({data}), -1)"
            return [f"{n.outs[0]} = softmax_along({flat}, 1).reshape({data}.shape)"]
        return [
            f"{n.outs[0]} = softmax_along({data}, {-1 if self.preserve_shape and not self.multi_output else 1})"
        ]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Call the part `softmax_head_gradient`; a label gets nothing."""
        lines = []
        if n.grads[0]:
            call = f"softmax_head_gradient({n.outs[0]}, {n.ins[1]}{self._gradient_settings()})"
            incoming = f" * {n.heads[0]}" if self.out_grad and n.heads[0] else ""
            lines.append(f"{n.grads[0]} = {call}{incoming}")
        return lines + label_zeros(n)

    def torch_code(self, n: CodeNames) -> list[str]:
        """Call the part `softmax_head`, an autograd function with this gradient."""
        incoming = ", heads=True" if self.out_grad else ""
        return [f"{n.outs[0]} = softmax_head({n.ins[0]}, {n.ins[1]}{self._gradient_settings()}{incoming})"]
