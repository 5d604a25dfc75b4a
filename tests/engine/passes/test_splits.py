"""Every way in which an operator says that its arrays fall apart: its halves compute what the whole does."""

from typing import Any

import attrs
import numpy as np
import pytest

from app.engine.examples import Example
from app.engine.operator import Operator
from app.engine.passes.stretches import half, is_cut, shared_gradients
from app.engine.passes.tasks import Given
from app.engine.split import Split
from tests.operator_cases import CASES, Arrays, Case, close, filled


def cuts(case: Case) -> list[Split]:
    """Return the splits of an example that its sizes allow."""
    splits = case.node.splits(case.in_shapes, case.out_shapes)
    return [split for split in splits if is_cut(split, Given(case.numbers(), case.buffers()))]


DIVIDED = [case for case in CASES if cuts(Case(*case.values))]


def test_the_usual_layers_fall_apart() -> None:
    names = {case.values[0].op_name for case in DIVIDED}
    assert {"Convolution", "BatchNorm", "Pooling", "FullyConnected", "Activation", "LayerNorm"} < names
    assert {"softmax", "batch_dot", "transpose", "elemwise_add", "SliceChannel", "Reshape", "mean"} < names


@pytest.mark.parametrize(("operator", "example"), DIVIDED)
def test_halves_compute_the_whole(operator: type[Operator], example: Example) -> None:
    case = Case(operator, example)
    node, ins = case.node, case.numbers()
    for split in cuts(case):
        whole = case.forward([array.copy() for array in ins])
        own, outs = [array.copy() for array in ins], case.buffers()
        runs = case.run(), attrs.evolve(case.run(), is_second=True)
        for number, run in enumerate(runs):
            given = half(split, Given(own, outs), number)
            with np.errstate(all="ignore"):
                node.prepare_forward(run, given.all_ins, given.all_outs)()
        for got, wanted in zip(outs, whole, strict=True):
            close(got, wanted)
        if not split.needs_place:
            compare_gradients(case, split, ins, whole)


def compare_gradients(case: Case, split: Split, ins: Arrays, outs: Arrays) -> None:
    wanted, heads, run = case.wanted(), case.head_gradients(), case.run()
    whole = case.backward(wanted, [a.copy() for a in ins], [a.copy() for a in outs], heads, run)
    grads: list[Any] = [
        filled(shape, kind) if index in wanted else None
        for index, (shape, kind) in enumerate(zip(case.in_shapes, case.in_types, strict=True))
    ]
    given = Given([a.copy() for a in ins], outs, heads, grads[: len(case.node.inputs)])
    for number in (0, 1):
        part = half(split, given, number)
        own = list(part.grads)
        others = {index: np.empty_like(grad) for index, grad in shared_gradients(split, given).items()}
        if number == 1:
            for index, room in others.items():
                own[index] = room
        with np.errstate(all="ignore"):
            case.node.prepare_backward(case.run(), part.ins, part.outs, part.heads, own)()
        if number == 1:
            for index, room in others.items():
                grads[index] += room
    for index in wanted:
        close(grads[index], whole[index])
