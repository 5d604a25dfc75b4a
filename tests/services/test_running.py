"""Running a document: what is bound, how far it goes, what comes out, and what is refused."""

import itertools
import threading

import attrs
import numpy as np
import pytest

from app.document.analysis import Analysis
from app.document.checks import analyse
from app.document.records import Binding, Document, Edge, Head, Node, Settings
from app.engine.errors import EngineError
from app.services.gallery import open_entry
from app.services.running import Progress, Results, bind, request_of, results_of, run, run_to
from app.services.values import ValueShapes


def _analysis(document: Document) -> Analysis:
    return analyse(document, ValueShapes())


def _line(*ops: Node, bindings: tuple[Binding, ...] = (), **settings: object) -> Document:
    """Return a document of nodes one after the other."""
    nodes = {node.id: node for node in ops}
    edges = {
        f"e{number}": Edge(f"e{number}", one.id, 0, two.id, 0)
        for number, (one, two) in enumerate(itertools.pairwise(ops))
    }
    return Document(
        nodes,
        edges,
        {binding.id: binding for binding in bindings},
        settings={"settings": Settings(**settings)},  # type: ignore[arg-type]
    )


def _layer(name: str = "fc1", hidden: str = "3") -> Node:
    return Node(f"n-{name}", "FullyConnected", name, params={"num_hidden": hidden})


DATA = Node("n-data", "Variable", "data")
ROWS = Binding("data", shape=(4, 5))


def test_stages_fill_in_from_variables_to_gradients() -> None:
    analysis = _analysis(open_entry("executor-backward"))
    a, e = analysis.node_index["n1"], analysis.node_index["n5"]
    bound, forward, backward = (
        results_of(run_to(analysis, stage)) for stage in ("bound", "forward", "backward")
    )
    assert [result.stage for result in (bound, forward, backward)] == ["bound", "forward", "backward"]
    assert bound.value((a, 0)) == 10 and bound.value((e, 0)) is None
    assert forward.value((e, 0)) == 20 and forward.gradient((a, 0)) is None
    assert backward.gradient((a, 0)) == 4
    kinds = {node.kind for node in backward.executor_graph.nodes if bound.exec_value(node.index) is not None}
    assert kinds == {"argument"}
    kinds = {
        node.kind for node in backward.executor_graph.nodes if forward.exec_value(node.index) is not None
    }
    assert kinds == {"argument", "operator"}
    assert all(backward.exec_value(node.index) is not None for node in backward.executor_graph.nodes)


def test_progress_counts_every_step_and_ends_with_the_results() -> None:
    analysis = _analysis(open_entry("digits-mlp"))
    *steps, results = run_to(analysis, "backward")
    assert isinstance(results, Results)
    assert [step.done for step in steps if isinstance(step, Progress)] == list(range(1, len(steps) + 1))
    assert {step.total for step in steps if isinstance(step, Progress)} == {len(steps)}
    assert [step.phase for step in steps if isinstance(step, Progress)] == ["forward"] * 6 + ["backward"] * (
        len(steps) - 6
    )


def test_cancelling_ends_at_the_next_step_without_results() -> None:
    cancel = threading.Event()
    events = run_to(_analysis(open_entry("digits-mlp")), "backward", cancel=cancel)
    assert isinstance(next(events), Progress)
    cancel.set()
    assert list(events) == []


def test_results_cannot_be_written_and_outlive_the_next_run() -> None:
    analysis = _analysis(open_entry("executor-forward"))
    first = results_of(run_to(analysis, "forward"))
    with pytest.raises(ValueError, match="read-only"):
        first.outputs[0][...] = 5  # type: ignore[index]
    changed = attrs.evolve(
        analysis.document, bindings={**analysis.document.bindings, "A": Binding("A", "constant", "3", (1,))}
    )
    second = results_of(run_to(_analysis(changed), "forward"))
    assert (first.outputs[0], second.outputs[0]) == (11, 4)
    assert first.document is analysis.document


def test_the_same_document_gives_the_same_numbers() -> None:
    document = _line(DATA, _layer(), Node("n-drop", "Dropout", "drop"), bindings=(ROWS,))
    one, two = (results_of(run_to(_analysis(document), "backward")) for _ in range(2))
    assert np.array_equal(one.outputs[0], two.outputs[0])  # type: ignore[arg-type]
    assert 0 in one.outputs[0]  # type: ignore[operator]
    reseeded = attrs.evolve(document, settings={"settings": Settings(seed=8)})
    three = results_of(run_to(_analysis(reseeded), "backward"))
    assert not np.array_equal(one.outputs[0], three.outputs[0])  # type: ignore[arg-type]


def test_predict_mode_is_the_documents_choice() -> None:
    document = _line(DATA, Node("n-drop", "Dropout", "drop"), bindings=(ROWS,), train=False)
    results = results_of(run_to(_analysis(document), "forward"))
    assert np.array_equal(results.outputs[0], results.argument("data"))  # type: ignore[arg-type]


def test_what_nobody_bound_gets_numbers_for_its_role() -> None:
    document = _line(
        DATA,
        Node("n-conv", "FullyConnected", "fc1", params={"num_hidden": "8"}),
        Node("n-bn", "BatchNorm", "bn"),
        Node("n-prelu", "LeakyReLU", "prelu", params={"act_type": "prelu"}),
        Node("n-soft", "SoftmaxOutput", "softmax"),
        bindings=(Binding("data", shape=(50, 20)),),
    )
    results = results_of(run_to(_analysis(document), "bound"))

    def value(name: str) -> np.ndarray:
        found = results.argument(name)
        assert found is not None
        return found

    assert abs(value("data").std() - 1) < 0.1
    limit = np.sqrt(3 / 14)
    assert 0.8 * limit < np.abs(value("fc1_weight")).max() <= limit
    assert not value("fc1_bias").any()
    assert (value("bn_gamma") == 1).all() and not value("bn_beta").any()
    assert not value("bn_moving_mean").any() and (value("bn_moving_var") == 1).all()
    assert (value("prelu_gamma") == 0.25).all()
    assert set(value("softmax_label")) == set(range(8))


def test_one_more_layer_leaves_the_other_weights_alone() -> None:
    short = _line(DATA, _layer(), bindings=(ROWS,))
    long = _line(DATA, _layer(), _layer("fc2"), bindings=(ROWS,))
    one, two = (results_of(run_to(_analysis(document), "bound")) for document in (short, long))
    assert np.array_equal(one.argument("fc1_weight"), two.argument("fc1_weight"))  # type: ignore[arg-type]
    assert not np.array_equal(two.argument("fc1_weight")[:, :3], two.argument("fc2_weight"))  # type: ignore[index,arg-type]


def test_embedding_gets_rows_that_exist() -> None:
    embedding = Node("n-e", "Embedding", "embed", params={"input_dim": "5", "output_dim": "2"})
    document = _line(DATA, embedding, bindings=(Binding("data", shape=(40,)),))
    data = results_of(run_to(_analysis(document), "forward")).argument("data")
    assert data is not None and set(data) == {0, 1, 2, 3, 4}


def test_an_init_written_on_the_variable_is_kept() -> None:
    weight = Node("n-w", "Variable", "w", attributes={"__init__": '["uniform", {"scale": 0.5}]'})
    document = _line(weight, Node("n-abs", "abs", "abs0"), bindings=(Binding("w", shape=(100,)),))
    value = results_of(run_to(_analysis(document), "bound")).argument("w")
    assert value is not None and 0.45 < np.abs(value).max() <= 0.5


def test_gradients_are_proposed_for_all_but_data_and_labels_and_can_be_chosen() -> None:
    document = _line(
        DATA, _layer(), bindings=(attrs.evolve(ROWS, request="write"), Binding("fc1_bias", request="null"))
    )
    assert request_of(document, "my_label_x") == "null"
    results = results_of(run_to(_analysis(document), "backward"))
    assert results.requests == {"data": "write", "fc1_weight": "write", "fc1_bias": "null"}
    assert results.argument_gradient("fc1_bias") is None
    assert results.argument_gradient("data").shape == (4, 5)  # type: ignore[union-attr]


def test_a_head_gradient_is_a_number_or_a_list_and_ones_by_default() -> None:
    plain = _line(DATA, _layer(), bindings=(Binding("data", shape=(1, 5)),))

    def bias_gradient(gradient: str | None) -> list[float]:
        heads = {} if gradient is None else {"fc1_output": Head("fc1_output", gradient)}
        results = results_of(run_to(_analysis(attrs.evolve(plain, heads=heads)), "backward"))
        return results.argument_gradient("fc1_bias").tolist()  # type: ignore[union-attr]

    assert bias_gradient(None) == [1, 1, 1]
    assert bias_gradient("2") == [2, 2, 2]
    assert bias_gradient("[[1, 0, -1]]") == [1, 0, -1]
    with pytest.raises(EngineError, match=r"d\(fc1_output\) must be \(1, 3\), but the list is \(2\)"):
        bias_gradient("[1, 2]")
    with pytest.raises(EngineError, match="'two' is no number"):
        bias_gradient("two")


def test_overflow_shows_as_infinity_and_warns_nobody() -> None:
    document = _line(
        Node("n-x", "Variable", "x"),
        Node("n-exp", "exp", "y"),
        bindings=(Binding("x", "constant", "[1000, 0]"),),
    )
    (output,) = results_of(run_to(_analysis(document), "backward")).outputs
    assert output is not None and output.tolist() == [np.inf, 1]


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (Document(), "nothing to compute"),
        (_line(DATA, _layer()), "shapes of data.* are still open"),
        (_line(DATA, _layer(), bindings=(Binding("data", shape=(10**7, 10**7)),)), "needs .* of memory"),
        (_line(DATA, _layer(hidden="x"), bindings=(ROWS,)), "fc1.*num_hidden is 'x'"),
        (
            _line(DATA, _layer(), bindings=(ROWS, Binding("fc1_weight", "initializer", "xavie"))),
            "fc1_weight: 'xavie'",
        ),
        (_line(DATA, _layer(), bindings=(ROWS, Binding("fc1_weight", "file", "gone.npy"))), "gone.npy"),
        (_line(DATA, _layer(), bindings=(ROWS, Binding("fc1_bias", "constant", "[1, 2]"))), "fc1"),
        (_line(DATA, _layer(), bindings=(ROWS, Binding("fc1_bias", "constant", "[1, "))), "fc1_bias"),
    ],
)
def test_what_cannot_run_is_refused_in_one_sentence(document: Document, words: str) -> None:
    with pytest.raises(EngineError, match=words) as caught:
        bind(_analysis(document))
    assert "\n" not in str(caught.value)


def test_the_two_halves_can_be_used_apart() -> None:
    bound = bind(_analysis(open_entry("executor-forward")))
    results = results_of(run(bound, backward=False))
    assert results.stage == "forward" and results.outputs[0] == 11
    assert results.seconds > 0


def test_a_document_that_is_run_again_goes_on_from_its_states_and_sums() -> None:
    document = open_entry("executor-backward")
    added = {**document.bindings, "A": attrs.evolve(document.bindings["A"], request="add")}
    analysis = _analysis(attrs.evolve(document, bindings=added))
    a = (analysis.node_index["n1"], 0)
    once = results_of(run_to(analysis, "backward"))
    twice = results_of(run_to(analysis, "backward", after=once))
    assert (once.gradient(a), twice.gradient(a)) == (4, 8)
    looked = results_of(run_to(analysis, "forward", after=twice))
    assert results_of(run_to(analysis, "backward", after=looked)).gradient(a) == 12
    assert results_of(run_to(analysis, "backward")).gradient(a) == 4, "bound anew"
    other = _analysis(attrs.evolve(analysis.document))
    assert results_of(run_to(other, "backward", after=twice)).gradient(a) == 4, "another document"


def test_moving_statistics_move_on_with_every_run() -> None:
    analysis = _analysis(open_entry("executor-aux-state"))
    graph = analysis.graph
    assert graph is not None
    mean = (graph.index_by_name["bn_moving_mean"], 0)
    once = results_of(run_to(analysis, "backward"))
    twice = results_of(run_to(analysis, "backward", after=once))
    batch = once.value(mean) / 0.1
    np.testing.assert_allclose(twice.value(mean), batch * 0.19, rtol=1e-5)
