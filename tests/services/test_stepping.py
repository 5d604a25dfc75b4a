"""A run that halts after every step: its moments, the way back, and that its numbers are those of a plain run."""

import threading
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from app.document.checks import analyse
from app.document.records import Binding, Document
from app.engine import Variable, sym
from app.engine.backends.computing import Computing, is_installed
from app.engine.errors import EngineError
from app.services.gallery import entries, open_entry
from app.services.import_symbol import document_from_symbol
from app.services.moments import course_of
from app.services.running import HERE, Results, bind, results_of, run_to
from app.services.stepping import Trail
from app.services.values import ValueShapes
from tests.moving import moving
from tests.networks import Network, networks

SETTLED = (HealthCheck.too_slow, HealthCheck.data_too_large)


def trail_of(document: Document, after: Results | None = None) -> Trail:
    return Trail(bind(analyse(document, ValueShapes()), after=after))


def go(trail: Trail, to: int) -> Results:
    for _ in trail.advance(to):
        pass
    return trail.moment(to)


def held(results: Results) -> list[Any]:
    """Copy everything that can be seen of a run, None where there is nothing yet."""
    arrays = [results.exec_value(node.index) for node in results.executor_graph.nodes]
    return [None if array is None else array.copy() for array in arrays]


def assert_same(one: list[Any], other: list[Any]) -> None:
    assert len(one) == len(other)
    for mine, theirs in zip(one, other, strict=True):
        assert (mine is None) == (theirs is None)
        if mine is not None:
            np.testing.assert_array_equal(mine, theirs)


def assert_steps_as_plain_runs_do(document: Document, computing: Computing = HERE) -> None:
    """Go through two runs, the second going on from the first, looking back after every step; then compare."""
    analysis = analyse(document, ValueShapes())
    plain = walked = None
    for _ in range(2):
        plain = results_of(run_to(analysis, "backward", computing=computing, after=plain))
        trail = Trail(bind(analysis, computing=computing, after=walked))
        seen = [held(go(trail, 0))]
        for at in range(1, len(trail.course.stops) + 1):
            seen.append(held(go(trail, at)))
            for before in range(at):
                assert_same(held(trail.moment(before)), seen[before])
        walked = trail.whole()
        assert walked is not None and walked.moment is None
        assert_same(held(walked), held(plain))


def test_a_tutorial_picture_is_told_step_by_step() -> None:
    trail = trail_of(open_entry("executor-backward"))
    moments = [go(trail, at).moment for at in range(5)]
    assert [moment.sentence for moment in moments if moment is not None] == [
        "Nothing is computed yet. The first step computes C.",
        "C = A · B = 10 · 1 = 10.",
        "E = C · D = 10 · 2 = 20. Forward is done, backward comes next.",
        "d(C) = d(E) · D = 2 · 2 = 4.",
        "d(A) = d(C) · B = 4 · 1 = 4. That was the last step.",
    ]


def test_arrays_are_told_by_their_shapes_and_means() -> None:
    results = go(trail_of(open_entry("executor-simple-bind")), 1)
    assert results.moment is not None
    mean = float(results.by_node("n2").mean(dtype=np.float64))  # type: ignore[union-attr]
    said = "fc1 = data · fc1_weightᵀ + fc1_bias: (100, 768), (128, 768), (128) → (100, 128), mean "
    assert results.moment.sentence == f"{said}{mean:.4g}."


def test_what_is_no_number_and_what_is_added_is_said() -> None:
    a = Variable("a")
    document = document_from_symbol(sym.log(a, name="b") + sym.sqrt(a, name="c"))
    bindings = {"a": Binding("a", "constant", "[-1, 4]", request="add")}
    trail = trail_of(attrs.evolve(document, bindings=bindings))
    said = [go(trail, at).moment.sentence for at in range(1, len(trail.course.stops) + 1)]  # type: ignore[union-attr]
    assert said[0] == "b = ln(a): (2) → (2), with NaN in it."
    assert said[-1].endswith(", with NaN in it, added to what was there. That was the last step.")


def test_a_gradient_that_nothing_flows_into_is_told_without_numbers() -> None:
    document = document_from_symbol(sym.BlockGrad(Variable("a"), name="b"))
    bindings = {"a": Binding("a", "constant", "[1, 2]", request="write")}
    trail = trail_of(attrs.evolve(document, bindings=bindings))
    moment = go(trail, len(trail.course.stops)).moment
    assert moment is not None
    assert moment.sentence == "d(a) = 0: nothing flows back. That was the last step."


def test_a_state_that_a_step_changes_is_named_and_had_another_value_before() -> None:
    trail = trail_of(open_entry("executor-aux-state"))
    last = len(trail.course.stops)
    end = go(trail, last)
    assert end.moment is not None and "It changes bn_moving_mean and bn_moving_var." in end.moment.sentence
    before = trail.moment(last - 1)
    assert not before.argument("bn_moving_mean").any()  # type: ignore[union-attr]
    assert end.argument("bn_moving_mean").any()  # type: ignore[union-attr]
    assert 0 < trail.bytes_kept == sum(end.state(name).nbytes for name in ("bn_moving_mean", "bn_moving_var"))


def test_batchnorm_and_dropout_give_the_numbers_of_a_plain_run_whatever_way_one_goes() -> None:
    assert_steps_as_plain_runs_do(moving())


@pytest.mark.skipif(not is_installed("torch"), reason="torch is not installed")
def test_pytorch_steps_as_it_runs() -> None:
    assert_steps_as_plain_runs_do(moving(), Computing("torch"))


@pytest.mark.parametrize("entry", [entry.id for entry in entries()])
def test_every_picture_of_the_gallery_does(entry: str) -> None:
    assert_steps_as_plain_runs_do(open_entry(entry))


@settings(max_examples=25, deadline=None, suppress_health_check=SETTLED)
@given(networks())
def test_any_network_does(network: Network) -> None:
    document = document_from_symbol(network.symbol)
    bindings = {
        name: Binding(name, shape=network.shapes.get(name), request=request)
        for name, request in network.requests.items()
    }
    assert_steps_as_plain_runs_do(attrs.evolve(document, bindings=bindings))


def test_a_moment_shows_what_is_done_and_nothing_else() -> None:
    trail = trail_of(open_entry("executor-backward"))
    results = go(trail, 3)
    names = {node.name for node in results.executor_graph.nodes if results.exec_value(node.index) is None}
    assert names == {"d(A)"} and results.stage == "backward"
    early = trail.moment(1)
    names = {node.name for node in early.executor_graph.nodes if early.exec_value(node.index) is not None}
    assert names == {"A", "B", "C", "D"} and early.stage == "forward"
    assert early.gradient_by_node("n1") is None and results.by_node("n5") == 20


def test_a_run_halts_before_a_node_on_its_way_there_and_back() -> None:
    analysis = analyse(open_entry("executor-backward"), ValueShapes())
    bound = bind(analysis)
    course = course_of(bound.executor.executor_graph, bound.executor.plan)
    index = {analysis.document.nodes[key].name: place for key, place in analysis.node_index.items()}
    assert course.halts_before({index["C"]}) == {0, 3}
    assert course.halts_before({index["E"]}) == {1, 2}
    assert course.halts_before({index["A"]}) == {3}, "before the gradient that is asked for"
    assert course.halts_before({index["D"]}) == set()


def test_a_cancelled_run_stands_where_it_is_and_goes_on_from_there() -> None:
    trail, cancel = trail_of(moving()), threading.Event()
    steps = trail.advance(99, cancel)
    next(steps)
    cancel.set()
    assert list(steps) == [] and trail.reached == 1 and trail.whole() is None
    go(trail, len(trail.course.stops))
    plain = results_of(run_to(analyse(moving(), ValueShapes()), "backward"))
    whole = trail.whole()
    assert whole is not None
    assert_same(held(whole), held(plain))


def test_a_step_that_can_not_be_done_is_refused_each_time() -> None:
    net = sym.sample_poisson(Variable("lam"), name="drawn")
    document = document_from_symbol(net)
    bindings = {"lam": Binding("lam", "constant", "[-1]")}
    trail = trail_of(attrs.evolve(document, bindings=bindings))
    for _ in range(2):
        with pytest.raises(EngineError, match="below 0"):
            go(trail, 1)
        assert trail.reached == 0
