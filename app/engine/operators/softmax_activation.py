"""SoftmaxActivation: the softmax of MXNet's first years, with the gradient it has there."""

from collections.abc import Callable, Sequence

from app.engine.examples import Example
from app.engine.kernels import softmax as kernels
from app.engine.kernels.steps import without_gradient
from app.engine.operator import Array, Arrays, CodeNames, Operator, OptionalArrays, Reads, Run, operator
from app.engine.operators.prepared import gradient_lines
from app.engine.params import param
from app.engine.work_space import Work


@operator(category="Activation")
class SoftmaxActivation(Operator):
    """Turn the last axis, or the channels at each position, into shares that add up to one."""

    kinds = "f"

    work = Work(keeps=2.2, takes=0.4, takes_back=0.7)

    mode: str = param(
        default="instance",
        choices=("channel", "instance"),
        doc="instance: along the last axis; channel: along axis 1, at each position.",
    )

    examples = (
        Example({"data": (3, 4)}),
        Example({"data": (2, 3, 2, 2)}, gradient=False),
        Example({"data": (2, 3, 2, 2)}, mode="channel"),
    )

    def _view(self, array: Array) -> Array:
        if self.mode == "channel":
            return kernels.along(array, 1)
        return kernels.along(array, -1)

    def prepare_forward(self, run: Run, ins: Arrays, outs: Arrays) -> Callable[[], object]:
        """Set up the work arrays once."""
        return kernels.softmax(self._view(ins[0]), self._view(outs[0]))

    def forward(self, run: Run, ins: Arrays, outs: Arrays) -> None:
        """Compute the shares."""
        self.prepare_forward(run, ins, outs)()

    @property
    def inplace(self) -> tuple[tuple[int, int], ...]:
        """The result may take data's place."""
        return ((0, 0),)

    def gradient_reads(self, index: int) -> Reads:
        """The gradient follows from the result alone."""
        return Reads(outputs=(0,))

    def backward(
        self,
        run: Run,
        ins: OptionalArrays,
        outs: OptionalArrays,
        heads: OptionalArrays,
        grads: OptionalArrays,
    ) -> None:
        """Write the gradient of data."""
        if outs[0] is None or heads[0] is None or grads[0] is None:
            without_gradient(grads)()
            return
        # along axis 1 in both modes, as in MXNet: with more than two axes that is not the true gradient of `instance`
        result, head, grad = (kernels.along(array, 1) for array in (outs[0], heads[0], grads[0]))
        kernels.softmax_gradient(result, head, grad)()

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient over axis 1."""
        return f"{outs[0]} · ({heads[0]} − Σ {heads[0]} · {outs[0]} along axis 1)"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Call the part `softmax_along`."""
        return [f"{n.outs[0]} = softmax_along({n.ins[0]}, {1 if self.mode == 'channel' else -1})"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Call the part `softmax_gradient`, along axis 1 in both modes."""
        return gradient_lines(n, [f"softmax_gradient({n.heads[0]}, {n.outs[0]}, 1)"])

    def torch_code(self, n: CodeNames) -> list[str]:
        """Call torch's own softmax, or the part `instance_softmax` where MXNet's gradient is not that of its value."""
        if self.mode == "instance" and len(n.in_shapes[0]) > 2:
            return [f"{n.outs[0]} = instance_softmax({n.ins[0]})"]
        return [f"{n.outs[0]} = torch.softmax({n.ins[0]}, dim=1)"]

    def summary(self) -> str:
        """Return the mode."""
        return self.mode
