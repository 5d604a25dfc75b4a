"""Matrix products: the fully connected layer and dot."""

from collections.abc import Sequence
from math import prod
from typing import Literal

from app.engine.errors import ShapeError
from app.engine.examples import Example
from app.engine.kernels.matrices import product, product_and_row
from app.engine.kernels.reduction import sum_to
from app.engine.kernels.steps import Step, in_order, reading, writing
from app.engine.operator import Array, Arrays, CodeNames, Port, Reads, operator
from app.engine.operators.element_types import STORAGE
from app.engine.operators.prepared import Flow, Prepared, gradient_lines
from app.engine.params import param
from app.engine.shapes import Inferred, Shape, Shapes, element_count, merge, text
from app.engine.split import Split
from app.engine.work_space import Work, WorkSpace


@operator(category="Layers")
class FullyConnected(Prepared):
    """Multiply each row by a learned matrix and add a learned bias.

    y = x · Wᵀ + b
    """

    work = Work(takes=0.4, keeps_back=0.3)

    num_hidden: int = param(low=1, doc="Length of every output row.")
    no_bias: bool = param(default=False, doc="Leave the bias out.")
    flatten: bool = param(
        default=True,
        doc="Make one row of everything after the first axis; otherwise only the last axis counts.",
    )

    examples = (
        Example({"data": (4, 5)}, num_hidden=3),
        Example({"data": (2, 3, 4)}, num_hidden=5),
        Example({"data": (2, 3, 4)}, num_hidden=5, flatten=False),
        Example({"data": (4,)}, num_hidden=2, no_bias=True),
    )

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Data, weight, and a bias unless it is left out."""
        ports = (Port("data"), Port("weight", "weight"), Port("bias", "bias"))
        return ports[:2] if self.no_bias else ports

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Find weight, bias and value from the data; the data's free sizes from weight and value."""
        data, out = ins[0], outs[0]
        width = _row_length(data, flatten=self.flatten)
        weight = merge((self.num_hidden, width), ins[1], "weight")
        bias = tuple(merge((self.num_hidden,), shape, "bias") for shape in ins[2:])
        if not data:
            return (data, weight, *bias), (out,)
        lead = data[:1] if self.flatten else data[:-1]
        out = merge((*lead, self.num_hidden), out)
        if self.flatten:
            data = (out[0], *data[1:])
        else:
            data = (*out[:-1], data[-1])
        if len(data) == 2 or (not self.flatten and len(data) > 1):
            data = (*data[:-1], data[-1] or weight[1])
        elif data == (0,) and weight[1] in (0, self.num_hidden):
            # MXNet takes the value's length for the row's
            data, weight = (self.num_hidden,), (self.num_hidden, self.num_hidden)
        return (data, weight, *bias), (out,)

    def check_known(self, ins: Shapes) -> None:
        """Of data that is flattened only the first size may be open, even if weight tells the rest."""
        if self.flatten and 0 in ins[0][1:]:
            sentence = (
                f"data is {text(ins[0])}, but only its first size may be open: all others make up a row."
            )
            raise ShapeError(sentence, port="data")

    def scratch(self, ins: Shapes, outs: Shapes, *, gradients: bool) -> WorkSpace:
        """Count by the rows that go in and come out: nothing is taken beside the weight."""
        return self.work.beside(max(element_count(ins[0]), element_count(outs[0])), gradients=gradients)

    def because(self, side: Literal["in", "out"], index: int, axis: int, ins: Shapes, outs: Shapes) -> str:
        """Name num_hidden where it decides."""
        decides = axis == len(outs[0]) - 1 if side == "out" else index > 0 and axis == 0
        return f"num_hidden = {self.num_hidden}" if decides else ""

    def splits(self, ins: Shapes, outs: Shapes) -> Sequence[Split]:
        """Rows know nothing of each other, nor do the numbers of a single one."""
        if element_count(outs[0]) > self.num_hidden:
            return [self.strips]
        return [Split((None, *(0,) * (len(self.inputs) - 1)), (len(outs[0]) - 1,), is_product=True)]

    @property
    def strips(self) -> Split:
        """The data's gradient comes row by row."""
        return Split((0, *(None,) * (len(self.inputs) - 1)), (0,), is_product=True)

    def _matrices(self, data: Array, out: Array) -> tuple[Array, list[Step], Array]:
        rows = len(data) if self.flatten else prod(data.shape[:-1])
        table, before = reading(data, (rows, data.size // rows))
        return table, before, out.reshape(rows, -1)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        table, steps, out = self._matrices(ins[0], outs[0])
        if self.no_bias:
            steps.append(product(table, ins[1].T, out))
        else:
            steps.append(product_and_row(table, ins[1].T, ins[2], out))
        return in_order(steps)

    def gradient_reads(self, index: int) -> Reads:
        """The data's gradient reads the weight, the weight's the data."""
        return Reads(inputs=((1,), (0,), ())[index])

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""
        rows = flow.head.size // flow.head.shape[-1]
        above = flow.head.reshape(rows, -1)
        steps: list[Step] = []
        for index, grad in flow.wanted:
            if index == 0:
                out, after = writing(grad, (rows, grad.size // rows))
                steps += [product(above, flow.read(1), out), *after]
            elif index == 1:
                table, before = reading(flow.read(0), (rows, grad.shape[1]))
                out, after = writing(grad, grad.shape)
                steps += [*before, product(above.T, table, out), *after]
            else:
                steps.append(sum_to(above, grad))
        return steps

    def value_formula(self, ins: Sequence[str]) -> str:
        """Write the product, and the bias that is added to it."""
        return " + ".join((f"{ins[0]} · {ins[1]}ᵀ", *ins[2:]))

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        return (f"{heads[0]} · {ins[1]}", f"{heads[0]}ᵀ · {ins[0]}", f"sum of the rows of {heads[0]}")[index]

    def multiply_adds(self, ins: Shapes, outs: Shapes) -> int:
        """Count every weight and row."""
        width = ins[1][1] if len(ins[1]) == 2 else 0
        return element_count(outs[0]) * width

    def summary(self) -> str:
        """The length of a row."""
        return f"{self.num_hidden}" + (" · no bias" if self.no_bias else "")

    def _rows(self, n: CodeNames) -> str:
        """Write the data as a matrix."""
        shape = n.in_shapes[0]
        if len(shape) == 2:
            return n.ins[0]
        rows = shape[0] if self.flatten else prod(shape[:-1])
        return f"{n.ins[0]}.reshape({rows}, {element_count(shape) // rows})"

    def _code(self, n: CodeNames) -> str:
        bias = "" if self.no_bias else f" + {n.ins[2]}"
        code = f"{self._rows(n)} @ {n.ins[1]}.T{bias}"
        return code if len(n.out_shapes[0]) == 2 else f"({code}).reshape({n.out_shapes[0]})"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = {self._code(n)}"]

    torch_code = numpy_code

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line for each wanted gradient."""
        head = n.heads[0]
        if len(n.out_shapes[0]) != 2:
            head = f"{head}.reshape(-1, {self.num_hidden})"
        data = f"{head} @ {n.ins[1]}"
        if len(n.in_shapes[0]) != 2:
            data = f"({data}).reshape({n.in_shapes[0]})"
        code = (data, f"{head}.T @ {self._rows(n)}", f"{head}.sum(axis=0)")
        return gradient_lines(n, code)


def _row_length(data: Shape, *, flatten: bool) -> int:
    """Return the length of a data row, 0 while it is open."""
    if not data:
        return 0
    return prod(data[1:]) if flatten else data[-1]


@operator(name="dot", category="Linear algebra", sign="·")
class Dot(Prepared):
    """Multiply two matrices, or sum over the last axis of the first and the first axis of the second.

    y = x · z
    """

    transpose_a: bool = param(default=False, doc="Sum over the first axis of the first operand instead.")
    transpose_b: bool = param(default=False, doc="Sum over the last axis of the second operand instead.")
    forward_stype: str | None = param(
        default=None,
        choices=STORAGE,
        doc="Storage of the value in MXNet; all storage is dense here.",
        advanced=True,
    )

    examples = (
        Example({"lhs": (2, 3), "rhs": (3, 4)}),
        Example({"lhs": (3, 2), "rhs": (3, 4)}, transpose_a=True),
        Example({"lhs": (2, 3), "rhs": (4, 3)}, transpose_b=True),
        Example({"lhs": (3, 2), "rhs": (4, 3)}, transpose_a=True, transpose_b=True),
        Example({"lhs": (4, 2, 3), "rhs": (4, 2)}, transpose_a=True),
        Example({"lhs": (2, 3), "rhs": (3, 2, 2)}),
        Example({"lhs": (5,), "rhs": (5,)}),
    )

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Two operands."""
        return (Port("lhs"), Port("rhs"))

    def _split(self, left: Shape, right: Shape) -> tuple[Shape, int, int, Shape]:
        """Return the free axes of the first, its summed size, that of the second, and the second's free axes."""
        free_left, inner_left = (left[1:], left[0]) if self.transpose_a else (left[:-1], left[-1])
        free_right, inner_right = (right[:-1], right[-1]) if self.transpose_b else (right[1:], right[0])
        return free_left, inner_left, inner_right, free_right

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Find the value's shape, and the summed size from either operand."""
        left, right = ins
        if not left or not right:
            return (left, right), (outs[0],)
        if len(left) == len(right) == 1 and (self.transpose_a or self.transpose_b):
            raise ShapeError("two rows of numbers cannot be transposed.", port="lhs")
        free_left, inner_left, inner_right, free_right = self._split(left, right)
        if inner_left and inner_right and inner_left != inner_right:
            raise ShapeError(
                f"{text(left)} and {text(right)} do not multiply: {inner_left} against {inner_right}.",
                port="rhs",
            )
        inner = inner_left or inner_right
        left = (inner, *free_left) if self.transpose_a else (*free_left, inner)
        right = (*free_right, inner) if self.transpose_b else (inner, *free_right)
        out = merge((*free_left, *free_right) or (1,), outs[0])
        return (left, right), (out,)

    def _matrices(self, left: Shape, right: Shape) -> tuple[int, int, int]:
        free_left, inner, _, free_right = self._split(left, right)
        return prod(free_left), inner, prod(free_right)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        rows, inner, columns = self._matrices(ins[0].shape, ins[1].shape)
        left, before = reading(ins[0], (inner, rows) if self.transpose_a else (rows, inner))
        right, also = reading(ins[1], (columns, inner) if self.transpose_b else (inner, columns))
        step = product(
            left.T if self.transpose_a else left,
            right.T if self.transpose_b else right,
            outs[0].reshape(rows, columns),
        )
        return in_order([*before, *also, step])

    def gradient_reads(self, index: int) -> Reads:
        """Each gradient reads the other operand."""
        return Reads(inputs=(1 - index,))

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""
        steps: list[Step] = []
        for index, grad in flow.wanted:
            steps += self._gradient(index, flow.head, flow.read(1 - index), grad)
        return steps

    def _gradient(self, index: int, head: Array, other: Array, grad: Array) -> list[Step]:
        shapes = (grad.shape, other.shape) if index == 0 else (other.shape, grad.shape)
        rows, inner, columns = self._matrices(*shapes)
        above = head.reshape(rows, columns)
        if index == 0:
            right, before = reading(other, (columns, inner) if self.transpose_b else (inner, columns))
            across = right if self.transpose_b else right.T
            out, after = writing(grad, (inner, rows) if self.transpose_a else (rows, inner))
            step = product(across.T, above.T, out) if self.transpose_a else product(above, across, out)
        else:
            left, before = reading(other, (inner, rows) if self.transpose_a else (rows, inner))
            across = left if self.transpose_a else left.T
            out, after = writing(grad, (columns, inner) if self.transpose_b else (inner, columns))
            step = product(above.T, across.T, out) if self.transpose_b else product(across, above, out)
        return [*before, step, *after]

    def value_formula(self, ins: Sequence[str]) -> str:
        """Write the product."""
        return f"{ins[0]}{'ᵀ' * self.transpose_a} · {ins[1]}{'ᵀ' * self.transpose_b}"

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        left = ins[0] if self.transpose_a else f"{ins[0]}ᵀ"
        right = ins[1] if self.transpose_b else f"{ins[1]}ᵀ"
        plain = f"{heads[0]} · {right}" if index == 0 else f"{left} · {heads[0]}"
        turned = (self.transpose_a, self.transpose_b)[index]
        return f"({plain})ᵀ" if turned else plain

    def multiply_adds(self, ins: Shapes, outs: Shapes) -> int:
        """Count each summed product."""
        known = ins[0] and ins[1]
        inner = self._split(ins[0], ins[1])[1] if known else 0
        return element_count(outs[0]) * inner

    def summary(self) -> str:
        """Which operands are transposed."""
        turned = [name for name, on in (("aᵀ", self.transpose_a), ("bᵀ", self.transpose_b)) if on]
        return " · ".join(turned)

    def _operands(self, n: CodeNames) -> tuple[str, str]:
        """Write both operands as matrices, before they are transposed."""
        rows, inner, columns = self._matrices(*n.in_shapes)
        shapes = (
            (inner, rows) if self.transpose_a else (rows, inner),
            (columns, inner) if self.transpose_b else (inner, columns),
        )
        left, right = (
            name if has == wanted else f"{name}.reshape({wanted})"
            for name, has, wanted in zip(n.ins, n.in_shapes, shapes, strict=True)
        )
        return left, right

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        left, right = self._operands(n)
        code = f"{left}{'.T' if self.transpose_a else ''} @ {right}{'.T' if self.transpose_b else ''}"
        plain = len(n.in_shapes[0]) == len(n.in_shapes[1]) == 2
        return [f"{n.outs[0]} = {code}" if plain else f"{n.outs[0]} = ({code}).reshape({n.out_shapes[0]})"]

    torch_code = numpy_code

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line for each wanted gradient."""
        head = n.heads[0]
        rows, _, columns = self._matrices(*n.in_shapes)
        if n.out_shapes[0] != (rows, columns):
            head = f"{head}.reshape({rows}, {columns})"
        left, right = self._operands(n)
        across_right = right if self.transpose_b else f"{right}.T"
        across_left = left if self.transpose_a else f"{left}.T"
        code = (
            f"({head} @ {across_right}).T" if self.transpose_a else f"{head} @ {across_right}",
            f"({across_left} @ {head}).T" if self.transpose_b else f"{across_left} @ {head}",
        )
        return gradient_lines(
            n,
            [
                line if len(shape) == 2 else f"({line}).reshape({shape})"
                for line, shape in zip(code, n.in_shapes, strict=True)
            ],
        )
