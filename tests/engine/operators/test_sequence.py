"""Sequences of unequal lengths, and a loss for labels that are not aligned."""

from itertools import product
from typing import Any

import numpy as np
import pytest

from app.engine import Variable, sym
from app.engine.errors import ParameterError, ShapeError
from app.engine.operators.ctc import CTCLoss
from app.engine.operators.sequence import SequenceLast, SequenceMask, SequenceReverse
from tests.layer_runs import ran

DATA = np.arange(1.0, 13).reshape(4, 3)
LENGTHS = np.array([2, 4, 1], np.int32)


def sequence(name: str, data: Any, **settings: Any) -> Any:
    given = {"data": data, "length": LENGTHS}
    symbol = getattr(sym, name)(
        Variable("data"), Variable("length"), use_sequence_length=True, name="op", **settings
    )
    out = ran(symbol, given).out
    return out, ran(symbol, given, heads=[np.arange(1.0, out.size + 1).reshape(out.shape)])


def test_mask() -> None:
    out, result = sequence("SequenceMask", DATA, value=-1.0)
    assert out.tolist() == [[1, 2, 3], [4, 5, -1], [-1, 8, -1], [-1, 11, -1]]
    assert result.grads["data"].tolist() == [[1, 2, 3], [4, 5, 0], [0, 8, 0], [0, 11, 0]]
    assert not result.grads["length"].any()


def test_last() -> None:
    out, result = sequence("SequenceLast", DATA)
    assert out.tolist() == [4, 11, 3]
    assert result.grads["data"].tolist() == [[0, 0, 3], [1, 0, 0], [0, 0, 0], [0, 2, 0]]


def test_reverse() -> None:
    out, result = sequence("SequenceReverse", DATA)
    assert out.tolist() == [[4, 11, 3], [1, 8, 6], [7, 5, 9], [10, 2, 12]]
    assert result.grads["data"].tolist() == [[4, 11, 3], [1, 8, 6], [7, 5, 9], [10, 2, 12]]


@pytest.mark.parametrize("name", ["SequenceMask", "SequenceLast"])
def test_steps_may_be_on_axis_one(name: str) -> None:
    out, _ = sequence(name, DATA)
    turned, _ = sequence(name, DATA.T.copy(), axis=1)
    assert np.array_equal(turned.T, out)


def test_shapes_of_lengths_and_results() -> None:
    mask = SequenceMask(use_sequence_length=True, axis=1)
    assert mask.infer([(5, 7, 2), ()], [()])[0][1] == (5,)
    last = SequenceLast(use_sequence_length=True)
    assert last.infer([(5, 7, 2), ()], [()]) == (((5, 7, 2), (7,)), ((7, 2),))
    with pytest.raises(ShapeError):
        mask.infer([(5, 7), (7,)], [()])
    with pytest.raises(ParameterError):
        SequenceReverse(axis=1).check()


def alignments(label: tuple[int, ...], steps: int, symbols: int, blank: int) -> list[tuple[int, ...]]:
    """List every way to say the label in so many steps: join equal neighbours, then leave blanks out."""
    found = []
    for said in product(range(symbols), repeat=steps):
        joined = [s for place, s in enumerate(said) if place == 0 or s != said[place - 1]]
        if tuple(s for s in joined if s != blank) == label:
            found.append(said)
    return found


@pytest.mark.parametrize(("blank", "filler"), [("first", 0), ("last", -1)])
def test_ctc_adds_up_all_alignments(blank: str, filler: int) -> None:
    data = np.random.default_rng(0).normal(size=(5, 3, 3))
    blank_symbol = 0 if blank == "first" else 2
    symbols = (1, 2) if blank == "first" else (0, 1)
    labels = [(symbols[0], symbols[0]), (symbols[1],), (symbols[1], symbols[0], symbols[1])]
    padded = np.array([(*label, *[filler] * (3 - len(label))) for label in labels], float)
    shares = np.exp(data) / np.exp(data).sum(axis=2, keepdims=True)
    wanted = [
        -np.log(
            sum(
                np.prod([shares[t, n, s] for t, s in enumerate(said)])
                for said in alignments(label, 5, 3, blank_symbol)
            )
        )
        for n, label in enumerate(labels)
    ]
    symbol = sym.CTCLoss(Variable("data"), Variable("label"), blank_label=blank, name="op")
    assert symbol.list_outputs() == ["op_output0"]
    np.testing.assert_allclose(ran(symbol, {"data": data, "label": padded}).out, wanted)


def test_steps_behind_a_sequence_do_not_count() -> None:
    data = np.random.default_rng(0).normal(size=(6, 2, 4))
    symbol = sym.CTCLoss(
        Variable("data"), Variable("label"), Variable("lengths"), use_data_lengths=True, name="op"
    )
    label = np.array([[1, 2], [3, 0]], float)
    head = [np.ones(2)]
    cut = ran(symbol, {"data": data, "label": label, "lengths": np.array([4.0, 6.0])}, heads=head)
    short = ran(
        sym.CTCLoss(Variable("data"), Variable("label"), name="op"),
        {"data": data[:4, :1], "label": label[:1]},
        heads=[np.ones(1)],
    )
    np.testing.assert_allclose(cut.out[0], short.out[0])
    np.testing.assert_allclose(cut.grads["data"][:4, 0], short.grads["data"][:, 0])
    assert not cut.grads["data"][4:, 0].any()


def test_labels_longer_than_the_sequence_are_refused() -> None:
    with pytest.raises(ShapeError, match="3 symbols"):
        CTCLoss().infer([(2, 5, 4), (5, 3)], [(), ()])


def test_a_label_that_no_alignment_can_say_costs_nothing() -> None:
    data = np.zeros((3, 2, 3), np.float32)
    label = np.array([[1, 1, 0], [1, 1, 1]], np.float32)  # the second needs two blanks, so five steps
    executor = sym.CTCLoss(Variable("data"), Variable("label"), name="op").bind(
        {"data": data, "label": label}
    )
    losses = executor.forward()[0]
    assert losses[0] > 0
    assert losses[1] == 0
