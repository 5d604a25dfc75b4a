"""Suppression of boxes that overlap a better one: box_nms."""

from collections.abc import Sequence

import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Example
from app.engine.kernels import boxes as kernels
from app.engine.kernels.steps import Step, overwrite
from app.engine.operator import Array, Arrays, CodeNames, Reads, Types, operator
from app.engine.operators.formulas import number
from app.engine.operators.prepared import Flow, Prepared, gradient_lines, present
from app.engine.params import param
from app.engine.shapes import Inferred, Shapes, merge
from app.engine.work_space import Work


@operator(name="_contrib_box_nms", category="Detection", aliases=("_contrib_box_non_maximum_suppression",))
class BoxNms(Prepared):
    """Sort boxes by score and leave out weaker doubles; what is left out becomes −1 at the end."""

    kinds = "f"

    work = Work(takes=3.7, keeps_back=0.4)

    overlap_thresh: float = param(default=0.5, doc="Overlap above which a weaker box is a double.")
    valid_thresh: float = param(default=0.0, doc="Score that a box has to exceed.")
    topk: int = param(default=-1, doc="How many of the best go on; all if negative.")
    coord_start: int = param(default=2, doc="Where a row's four coordinates begin.")
    score_index: int = param(default=1, doc="Where a row's score stands.")
    id_index: int = param(default=-1, doc="Where a row's class stands; nowhere if negative.")
    background_id: int = param(default=-1, doc="The class that is left out.")
    force_suppress: bool = param(default=False, doc="Boxes of other classes are doubles too.")
    in_format: str = param(default="corner", choices=("center", "corner"), doc="Corners, or middle and size.")
    out_format: str = param(default="corner", choices=("center", "corner"), doc="What the result has.")

    examples = (
        Example({"data": (5, 6)}, id_index=0, coord_start=2, valid_thresh=-3.0),
        # MXNet hands gradients on as if the coordinates were not converted
        Example(
            {"data": (2, 4, 5)},
            score_index=0,
            coord_start=1,
            in_format="center",
            valid_thresh=-3.0,
            gradient=False,
        ),
    )

    @property
    def outputs(self) -> tuple[str, ...]:
        """The boxes."""
        return ("output0",)

    @property
    def hidden(self) -> tuple[str, ...]:
        """Which row each box was, −1 where there is none."""
        return ("source",)

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Data and result are alike."""
        data = merge(ins[0], outs[0], "data")
        if data and len(data) < 2:
            raise ShapeError("boxes need two axes: rows, and numbers of a row.", port="data")
        if data and data[-1]:
            self._check_row(data[-1])
        return (data,), (data, (*data[:-1], 1) if data else data)

    def _check_row(self, width: int) -> None:
        """Refuse places that lie outside of a row, or on one another."""
        least = 6 if self.id_index > 0 else 5
        if width < least:
            raise ShapeError(f"a row has {width} numbers, but a box needs {least}.", port="data")
        last = self.coord_start + 3
        singles = {"score_index": self.score_index}
        if self.id_index >= 0:
            singles["id_index"] = self.id_index
        for name, place in (*singles.items(), ("coord_start", self.coord_start), ("coord_start + 3", last)):
            if not 0 <= place < width:
                raise ShapeError(f"{name} is {place}, but a row has {width} numbers.", port="data")
        for name, place in singles.items():
            if self.coord_start <= place <= last:
                raise ShapeError(f"{name} is {place}, where a coordinate stands.", port="data")
        if self.id_index == self.score_index:
            raise ShapeError(f"id_index and score_index are both {self.id_index}.", port="data")

    def infer_types(self, ins: Types, outs: Types) -> tuple[Types, Types]:
        """Sources are whole numbers."""
        same, (kind,) = super().infer_types(ins, outs[:1])
        return same, (kind, np.dtype(np.int32))

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Suppress batch by batch."""
        data, result, source = ins[0], outs[0], outs[1]

        def run() -> None:
            rows, width = data.shape[-2:]
            batches = zip(
                data.reshape(-1, rows, width),
                result.reshape(-1, rows, width),
                source.reshape(-1, rows),
                strict=True,
            )
            for given, kept, numbers in batches:
                if self.topk == 0:  # nothing is looked at, nor turned
                    np.copyto(kept, given)
                    np.copyto(numbers, np.arange(rows))
                    continue
                left = self._left(given)
                kept.fill(-1)
                numbers.fill(-1)
                kept[: len(left)] = self._converted(given[left])
                numbers[: len(left)] = left

        return run

    def _left(self, rows: Array) -> Array:
        """Return the numbers of the rows that are left, best first."""
        scores = rows[:, self.score_index]
        valid = scores > self.valid_thresh
        classes = rows[:, self.id_index] if self.id_index >= 0 else np.zeros(len(rows))
        if self.id_index >= 0:  # the background is -1 unless set, so rows marked -1 are no boxes
            valid &= classes != self.background_id
        order = np.flatnonzero(valid)
        order = order[np.argsort(-scores[order], kind="stable")]
        if self.topk > 0:
            order = order[: self.topk]
        corners = rows[order, self.coord_start : self.coord_start + 4]
        if self.in_format == "center":
            corners = kernels.to_corners(corners)
        forced = self.force_suppress or self.id_index < 0
        rules = kernels.Suppression(self.overlap_thresh, forced)
        return order[kernels.suppress(corners, classes[order], rules)]

    def _converted(self, rows: Array) -> Array:
        """Return rows with their coordinates in the wanted form; MXNet passes over those that begin below 0."""
        if self.in_format == self.out_format:
            return rows
        turned = rows.copy()
        place = slice(self.coord_start, self.coord_start + 4)
        valid = ~(rows[:, self.coord_start] < 0)
        turn = kernels.to_corners if self.out_format == "corner" else kernels.to_centres
        turned[valid, place] = turn(rows[valid, place])
        return turned

    def add_gradient(self, index: int, fresh: Array, holder: Array) -> Step:
        """MXNet writes over what the buffer held."""
        return overwrite(fresh, holder)

    def gradient_reads(self, index: int) -> Reads:
        """The gradient reads which row each box was."""
        return Reads(outputs=(1,))

    def backward_steps(self, flow: Flow) -> Sequence[Step]:
        """Give each row the gradient of the box that it became."""
        grad, source, head = flow.wanted[0][1], present(flow.outs[1]), flow.head

        def run() -> None:
            grad.fill(0)
            rows, width = grad.shape[-2:]
            parts = zip(
                grad.reshape(-1, rows, width),
                source.reshape(-1, rows),
                head.reshape(-1, rows, width),
                strict=True,
            )
            for target, numbers, incoming in parts:
                left = numbers >= 0
                target[numbers[left]] = incoming[left]

        return [run]

    def _call(self, n: CodeNames) -> str:
        """Return the call of the part `without_doubles`, which is there in both languages."""
        turns = {("center", "corner"): "to_corners", ("corner", "center"): "to_centres"}
        settings: dict[str, object] = {
            "overlap": number(self.overlap_thresh),
            "valid": number(self.valid_thresh),
            "most": self.topk if self.topk > 0 else None,
            "first": self.coord_start,
            "score": self.score_index,
        }
        if self.id_index >= 0:
            settings |= {
                "named": self.id_index,
                "background": self.background_id,
                "forced": self.force_suppress,
            }
        if self.in_format == "center":
            settings["turn_in"] = "to_corners"
        if self.in_format != self.out_format:
            settings["turn_out"] = turns[self.in_format, self.out_format]
        return (
            f"without_doubles({n.ins[0]}, {', '.join(f'{name}={value}' for name, value in settings.items())})"
        )

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Call the part `without_doubles`, unless nothing is looked at."""
        if self.topk == 0:
            rows = n.in_shapes[0][-2]
            every = f"np.broadcast_to(np.arange({rows})[:, None], {n.out_shapes[1]})"
            return [f"{n.outs[0]} = {n.ins[0]}", f"{n.outs[1]} = {every}"]
        return [f"{n.outs[0]}, {n.outs[1]} = {self._call(n)}"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Call the part `without_doubles_gradient`."""
        return gradient_lines(n, [f"without_doubles_gradient({n.heads[0]}, {n.outs[1]})"])

    def torch_code(self, n: CodeNames) -> list[str]:
        """Call the part `without_doubles`, unless nothing is looked at."""
        return [f"{n.outs[0]} = {n.ins[0] if self.topk == 0 else self._call(n)}"]

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Say where the gradient goes."""
        return f"{heads[0]} at the rows that are left, 0 elsewhere"

    def summary(self) -> str:
        """Return the overlap of doubles."""
        return f"overlap {self.overlap_thresh:g}"
