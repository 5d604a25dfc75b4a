"""Operators that look up images at computed places."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from app.engine.examples import Domain, Example
from app.engine.kernels import sampling as kernels
from app.engine.kernels.steps import Step, overwrite
from app.engine.operator import Array, Arrays, CodeNames, Port, Reads, operator, refuse
from app.engine.operators.geometry import by_x
from app.engine.operators.lines import assign_zeros
from app.engine.operators.prepared import Flow, Prepared, gradient_lines, present
from app.engine.params import param
from app.engine.shapes import Inferred, Shape, Shapes, element_count, merge
from app.engine.work_space import Work


@operator(category="Spatial")
class BilinearSampler(Prepared):
    """Read an image at given places, mixing the four pixels around each.

    grid holds x and y from −1 (first pixel) to 1 (last pixel); outside the image there are zeros.
    """

    kinds = "f"

    work = Work(takes=12.5)

    cudnn_off: bool | None = param(default=None, advanced=True, doc="Only for graphics cards; kept in files.")

    examples = (
        Example({"data": (2, 2, 4, 5), "grid": (2, 2, 3, 2)}, domains={"grid": Domain(-0.95, 0.95)}),
        Example({"data": (1, 2, 3, 4), "grid": (1, 2, 3, 3)}, domains={"grid": Domain(-1.4, 1.4)}),
    )

    @property
    def inputs(self) -> tuple[Port, ...]:
        """The image and the places."""
        return Port("data"), Port("grid")

    @property
    def hidden(self) -> tuple[str, ...]:
        """The places in pixels."""
        return ("places",)

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """The result has the image's channels and the grid's size."""
        data = merge((0, 0, 0, 0), ins[0], "data")
        grid = merge((0, 2, 0, 0), ins[1], "grid")
        result = merge((data[0], data[1], *grid[2:]), outs[0], "output")
        batch = merge((result[0],), (grid[0],), "grid")[0]
        grid = (batch, 2, *result[2:])
        data = (batch, result[1], *data[2:])
        return (data, grid), ((batch, *result[1:]), (batch, *result[2:], 2))

    def multiply_adds(self, ins: Shapes, outs: Shapes) -> int:
        """Mix four pixels for every result."""
        return 4 * element_count(outs[0])

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Find the places in pixels, then sample."""
        data, grid = ins

        def run() -> None:
            np.copyto(outs[1], kernels.pixels(grid, *data.shape[2:]))
            kernels.sample(data, outs[1], outs[0])

        return run

    def gradient_reads(self, index: int) -> Reads:
        """The image's gradient reads the places, the grid's the image too."""
        return Reads(inputs=(0,) if index == 1 else (), outputs=(1,))

    def backward_steps(self, flow: Flow) -> Sequence[Step]:
        """Spread gradients to the pixels, or see how values change with their place."""
        return [self._gradient(flow, index, grad) for index, grad in flow.wanted]

    def _gradient(self, flow: Flow, index: int, grad: Array) -> Step:
        places = present(flow.outs[1])
        if index == 0:
            return lambda: kernels.sample_image_gradient(places, flow.head, grad)
        return lambda: kernels.sample_grid_gradient(flow.read(0), places, flow.head, grad)

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Say where the gradient goes."""
        if index == 0:
            return f"{heads[0]} spread over the four pixels around each place"
        return f"Σ over channels: {heads[0]} · slope of {ins[0]} at each place"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Call the part `sample`, which is there in both languages."""
        return [f"{n.outs[0]} = sample({', '.join(n.ins)})"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Call the part `sample_gradient`."""
        if n.heads[0] is None:
            return assign_zeros(n)
        names = ", ".join(name or "_" for name in n.grads)
        return [f"{names} = sample_gradient({n.heads[0]}, {', '.join(n.ins)})"]

    def torch_code(self, n: CodeNames) -> list[str]:
        """Call the part `sample`."""
        return self.numpy_code(n)


@operator(category="Spatial")
class GridGenerator(Prepared):
    """Make the places at which a BilinearSampler reads: from an affine map, or from a flow in pixels."""

    kinds = "f"

    work = Work(takes=1)

    transform_type: str = param(
        choices=("affine", "warp"), doc="affine: six numbers per sample; warp: a shift of every pixel."
    )
    target_shape: tuple[int, ...] = param(default=(0, 0), doc="Height and width of the grid, for affine.")

    examples = (
        Example({"data": (2, 6)}, transform_type="affine", target_shape=(3, 4)),
        Example({"data": (1, 2, 3, 4)}, transform_type="warp"),
    )

    def check(self) -> None:
        """Refuse an affine grid without a size."""
        _check_target(self.target_shape, needed=self.transform_type == "affine")

    @property
    def hidden(self) -> tuple[str, ...]:
        """The places of an image that stays as it is."""
        return ("plain",)

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """An affine map gives the target's size, a flow its own."""
        if self.transform_type == "warp":
            flow = merge(merge((0, 2, 0, 0), ins[0], "data"), outs[0], "data")
            places = flow[2] * flow[3]
            return (flow,), (flow, (3, places))
        height, width = self.target_shape
        result = merge((0, 2, height, width), outs[0], "output")
        data = merge((result[0], 6), ins[0], "data")
        return (data,), ((data[0], *result[1:]), (3, height * width))

    def because(self, side: Literal["in", "out"], index: int, axis: int, ins: Shapes, outs: Shapes) -> str:
        """Explain the size of the grid."""
        if side == "out" and axis >= 2 and self.transform_type == "affine":
            return f"target_shape = {by_x(self.target_shape)}"
        return ""

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Map the plain grid, or shift it."""
        data, (grid, plain) = ins[0], outs
        height, width = grid.shape[2:]
        if self.transform_type == "affine":

            def run_affine() -> None:
                kernels.plain_grid(height, width, plain)
                kernels.affine_grid(data, plain, grid)

            return run_affine

        def run_warp() -> None:
            kernels.plain_grid(height, width, plain)
            np.add(data, np.indices((height, width), data.dtype)[::-1], out=grid)
            np.divide(grid, _half(height, width, data), out=grid)
            np.subtract(grid, 1, out=grid)

        return run_warp

    def gradient_reads(self, index: int) -> Reads:
        """An affine map's gradient reads the plain grid, a flow's nothing."""
        return Reads(outputs=(1,) if self.transform_type == "affine" else ())

    def backward_steps(self, flow: Flow) -> Sequence[Step]:
        """Map the gradient back, or scale it."""
        grad, head = flow.wanted[0][1], flow.head
        if self.transform_type == "affine":
            return [lambda: kernels.affine_grid_gradient(head, present(flow.outs[1]), grad)]
        return [lambda: np.divide(head, _half(head.shape[2], head.shape[3], head), out=grad)]

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient as a product, or a division."""
        if self.transform_type == "affine":
            return f"{heads[0]} · (x, y, 1)ᵀ"
        return f"{heads[0]} / half the size in pixels"

    def summary(self) -> str:
        """Return the kind, and the size where it is set."""
        size = f" · {by_x(self.target_shape)}" if self.transform_type == "affine" else ""
        return f"{self.transform_type}{size}"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Multiply the plain grid, or shift and scale it."""
        if self.transform_type == "affine":
            return [f"{n.outs[0]} = {_affine_code(n.ins[0], self.target_shape, f'{n.ins[0]}.dtype')}"]
        pixels = f"np.indices({n.in_shapes[0][2:]}, {n.ins[0]}.dtype)[::-1]"
        return [f"{n.outs[0]} = ({n.ins[0]} + {pixels}) / np.array({_halves(n)}, {n.ins[0]}.dtype) - 1"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Multiply back, or scale."""
        if self.transform_type == "affine":
            return gradient_lines(n, [_affine_gradient_code(f"{n.heads[0]}", self.target_shape)])
        return gradient_lines(n, [f"{n.heads[0]} / np.array({_halves(n)}, {n.heads[0]}.dtype)"])

    def torch_code(self, n: CodeNames) -> list[str]:
        """The same in PyTorch."""
        if self.transform_type == "affine":
            return [f"{n.outs[0]} = {_affine_code(n.ins[0], self.target_shape, n.ins[0])}"]
        height, width = n.in_shapes[0][2:]
        pixels = f"torch.meshgrid(torch.arange({height}), torch.arange({width}), indexing='ij')[::-1]"
        return [
            f"{n.outs[0]} = torch.stack({pixels}).to({n.ins[0]})",
            f"{n.outs[0]} = ({n.ins[0]} + {n.outs[0]}) / {n.ins[0]}.new_tensor({_halves(n)}) - 1",
        ]


@operator(category="Spatial")
class SpatialTransformer(Prepared):
    """Read an image at the places that an affine map asks for: a GridGenerator and a BilinearSampler in one."""

    kinds = "f"

    work = Work(keeps=1.1, takes=8.1, keeps_back=0.6)

    target_shape: tuple[int, ...] = param(default=(0, 0), doc="Height and width of the result.")
    transform_type: str = param(choices=("affine",), doc="The map has six numbers per sample.")
    sampler_type: str = param(choices=("bilinear",), doc="The four pixels around each place are mixed.")
    cudnn_off: bool | None = param(default=None, advanced=True, doc="Only for graphics cards; kept in files.")

    examples = (
        Example(
            {"data": (2, 2, 5, 5), "loc": (2, 6)},
            domains={"loc": Domain(-0.3, 0.3)},
            target_shape=(3, 4),
            transform_type="affine",
            sampler_type="bilinear",
        ),
    )

    def add_gradient(self, index: int, fresh: Array, holder: Array) -> Step:
        """MXNet writes over what the buffer held."""
        return overwrite(fresh, holder)

    def check(self) -> None:
        """Refuse a result without a size."""
        _check_target(self.target_shape, needed=True)

    @property
    def inputs(self) -> tuple[Port, ...]:
        """The image and the maps."""
        return Port("data"), Port("loc")

    @property
    def hidden(self) -> tuple[str, ...]:
        """The plain grid, and the places in pixels."""
        return "plain", "places"

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """The result has the image's channels and the target's size."""
        height, width = self.target_shape
        data = merge((0, 0, 0, 0), ins[0], "data")
        result = merge((data[0], data[1], height, width), outs[0], "output")
        data = (*result[:2], *data[2:])
        loc = ins[1] and merge((0, 6), ins[1], "loc")  # MXNet finds nothing of loc itself
        return (data, loc), (result, (3, height * width), (result[0], height, width, 2))

    def because(self, side: Literal["in", "out"], index: int, axis: int, ins: Shapes, outs: Shapes) -> str:
        """Explain the size of the result."""
        return f"target_shape = {by_x(self.target_shape)}" if side == "out" and axis >= 2 else ""

    def multiply_adds(self, ins: Shapes, outs: Shapes) -> int:
        """Mix four pixels for every result."""
        return 4 * element_count(outs[0])

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Map the plain grid, then sample."""
        data, loc = ins
        result, plain, places = outs
        height, width = result.shape[2:]
        grid = np.empty((data.shape[0], 2, height, width), data.dtype)

        def run() -> None:
            kernels.plain_grid(height, width, plain)
            kernels.affine_grid(loc, plain, grid)
            np.copyto(places, kernels.pixels(grid, *data.shape[2:]))
            kernels.sample(data, places, result)

        return run

    def gradient_reads(self, index: int) -> Reads:
        """The image's gradient reads the places, the map's the image and the plain grid too."""
        return Reads(inputs=(0,), outputs=(1, 2)) if index == 1 else Reads(outputs=(2,))

    def backward_steps(self, flow: Flow) -> Sequence[Step]:
        """Spread gradients to the pixels, or through the places to the maps."""
        return [self._gradient(flow, index, grad) for index, grad in flow.wanted]

    def _gradient(self, flow: Flow, index: int, grad: Array) -> Step:
        head, places = flow.head, present(flow.outs[2])
        if index == 0:
            return lambda: kernels.sample_image_gradient(places, head, grad)
        to_grid = np.empty((head.shape[0], 2, *head.shape[2:]), head.dtype)

        def run() -> None:
            kernels.sample_grid_gradient(flow.read(0), places, head, to_grid)
            kernels.affine_grid_gradient(to_grid, present(flow.outs[1]), grad)

        return run

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Say where the gradient goes."""
        if index == 0:
            return f"{heads[0]} spread over the four pixels around each place"
        return f"(Σ over channels: {heads[0]} · slope of {ins[0]} at each place) · (x, y, 1)ᵀ"

    def summary(self) -> str:
        """Return the size of the result."""
        return f"affine · {by_x(self.target_shape)}"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Call the part `sample` with the places that the map asks for."""
        grid = _affine_code(n.ins[1], self.target_shape, f"{n.ins[1]}.dtype")
        return [f"{n.outs[0]} = sample({n.ins[0]}, {grid})"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Call the part `sample_gradient`, and multiply what the places get back."""
        if n.heads[0] is None:
            return assign_zeros(n)
        image, places = n.grads[0] or "_", f"{n.outs[0]}_places"
        grid = _affine_code(n.ins[1], self.target_shape, f"{n.ins[1]}.dtype")
        lines = [f"{image}, {places} = sample_gradient({n.heads[0]}, {n.ins[0]}, {grid})"]
        if n.grads[1] is not None:
            lines.append(f"{n.grads[1]} = {_affine_gradient_code(places, self.target_shape)}")
        return lines

    def torch_code(self, n: CodeNames) -> list[str]:
        """Call the part `sample` with the places that the map asks for."""
        grid = _affine_code(n.ins[1], self.target_shape, n.ins[1])
        return [f"{n.outs[0]} = sample({n.ins[0]}, {grid})"]


def _check_target(target: Shape, *, needed: bool) -> None:
    refuse(
        needed and (len(target) != 2 or min(target) < 1),
        f"target_shape is {target}, but it must be a height and a width, like (28, 28).",
        port="target_shape",
    )


def _half(height: int, width: int, like: Array) -> Array:
    """Return half the size in pixels, x first, to fit (batch, 2, height, width)."""
    return np.array([(width - 1) / 2, (height - 1) / 2], like.dtype).reshape(2, 1, 1)


def _halves(n: CodeNames) -> list[list[list[float]]]:
    """Return half the size in pixels, x first, as exported code writes it."""
    height, width = n.in_shapes[0][2:]
    return [[[(width - 1) / 2]], [[(height - 1) / 2]]]


def _affine_code(maps: str, size: Shape, kind: str) -> str:
    """Return the places that maps send the plain grid to; `kind` is what tells the part `plain_grid` the type."""
    height, width = size
    return f"({maps}.reshape(-1, 2, 3) @ plain_grid({height}, {width}, {kind})).reshape(-1, 2, {height}, {width})"


def _affine_gradient_code(places: str, size: Shape) -> str:
    """Return numpy's expression for the gradient of the maps."""
    height, width = size
    grid = f"plain_grid({height}, {width}, {places}.dtype)"
    return f"({places}.reshape(-1, 2, {height * width}) @ {grid}.T).reshape(-1, 6)"
