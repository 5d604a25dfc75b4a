"""What is offered against a problem on the board: edits that were tried and help."""

import json
from collections.abc import Mapping

import attrs
import pytest

from app.document import remedies as remedies_module
from app.document.checks import analyse
from app.document.edits import add_node, connect, insert_on_wire, set_binding, set_param
from app.document.records import VARIABLE, Binding, Document, Id
from app.document.remedies import remedies
from app.engine import Variable, registry, sym
from app.services.import_symbol import document_from_symbol
from app.services.symbol_json import read_symbol


def one_node(op: str, params: Mapping[str, str]) -> tuple[Document, Id]:
    """Return a board with one node whose settings are as given, right or wrong."""
    added = add_node(Document(), op, (0.0, 0.0), name="it")
    document = added.transaction.apply(Document())
    for name in document.nodes[added.node_id].params:
        document = set_param(document, added.node_id, name, None).apply(document)
    for name, text in params.items():
        document = set_param(document, added.node_id, name, text).apply(document)
    return document, added.node_id


def offers(document: Document) -> dict[str, Document]:
    analysis = analyse(document)
    return {
        remedy.words: remedy.transaction.apply(document)
        for problem in analysis.problems
        for remedy in remedies(analysis, problem)
    }


@pytest.mark.parametrize(
    ("op", "params", "words"),
    [
        ("FullyConnected", {"num_hiden": "3"}, "Call num_hiden of it num_hidden"),
        ("FullyConnected", {"num_hidden": "-3"}, "Set num_hidden of it to 1"),
        ("FullyConnected", {"num_hidden": "3.0"}, "Set num_hidden of it to 3"),
        ("FullyConnected", {}, "Set num_hidden of it to 10"),
        ("Activation", {"act_type": "ReLU"}, "Set act_type of it to relu"),
        ("Convolution", {"kernel": "3x3", "num_filter": "4"}, "Set kernel of it to (3, 3)"),
        ("Convolution", {"kernel": "(3, 3)", "num_filter": "4", "pad": "(1,)"}, "Set pad of it to (1, 1)"),
        ("Convolution", {"kernel": "(3, 3)", "num_filter": "10", "num_group": "4"}, "Set num_group of it to 5"),
        ("RNN", {"state_size": "2", "num_layers": "1", "mode": "gru", "projection_size": "2"},
         "Leave projection_size of it out"),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_mended_by_what_was_probably_meant(
    op: str, params: dict[str, str], words: str
) -> None:
    document, _ = one_node(op, params)
    found = offers(document)
    assert words in found
    assert not [problem for problem in analyse(found[words]).problems if problem.node is not None]


def test_a_node_between_the_ends_of_a_wire_leaves_all_else() -> None:
    document = Document()
    ids = []
    for op, name in ((VARIABLE, "a"), ("elemwise_add", "add")):
        added = add_node(document, op, (0.0, 0.0), name=name)
        document, ids = added.transaction.apply(document), [*ids, added.node_id]
    document = connect(document, ids[0], 0, ids[1], 1).apply(document)
    (wire,) = document.edges
    added = insert_on_wire(document, wire, "Cast", {"dtype": "int32"})
    after = added.transaction.apply(document)
    ends = {(edge.source, edge.target, edge.input) for edge in after.edges.values()}
    assert ends == {(ids[0], added.node_id, 0), (added.node_id, ids[1], 1)}


def test_a_binding_is_given_the_type_that_fits() -> None:
    document = Document()
    ids = []
    for op, name in ((VARIABLE, "a"), (VARIABLE, "b"), ("elemwise_add", "add")):
        added = add_node(document, op, (0.0, 0.0), name=name)
        document, ids = added.transaction.apply(document), [*ids, added.node_id]
    document = connect(document, ids[0], 0, ids[2], 0).apply(document)
    document = connect(document, ids[1], 0, ids[2], 1).apply(document)
    for name, kind in (("a", "float64"), ("b", "int32")):
        document = set_binding(document, Binding(name, dtype=kind)).apply(document)
    found = offers(document)
    assert list(found) == ["Give b the type float64", "Put a Cast to float64 before input rhs of add"]
    assert found["Give b the type float64"].bindings["b"].dtype == "float64"
    assert all(not analyse(after).problems for after in found.values())


def test_a_name_that_is_there_twice_is_made_another() -> None:
    """A symbol file may have it so, and then every gradient and parameter of one of them would be missing."""
    x = Variable("x")
    one, two = (sym.FullyConnected(x, num_hidden=2, name=name) for name in ("fc", "fcc"))
    document = document_from_symbol(sym.elemwise_add(one, two, name="sum"), title="net")
    nodes = {
        key: attrs.evolve(node, name=node.name.replace("fcc", "fc")) for key, node in document.nodes.items()
    }
    document = attrs.evolve(document, nodes=nodes)
    assert [problem.severity for problem in analyse(document).problems if problem.node] == [
        "warning",
        "error",
    ]
    found = offers(document)
    assert list(found) == ["Rename fc to fc1"]
    assert not analyse(found["Rename fc to fc1"]).problems


def test_many_nodes_of_one_unknown_operator_are_looked_up_and_tried_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked, tried = [], []
    near_names, after = registry.near_names, remedies_module.analyse_after
    monkeypatch.setattr(registry, "near_names", lambda *words: looked.append(1) or near_names(*words))
    monkeypatch.setattr(remedies_module, "analyse_after", lambda *words: tried.append(1) or after(*words))
    nodes = [{"op": "null", "name": "x", "inputs": []}]
    nodes += [
        {"op": "Aktivacion", "name": f"a{number}", "inputs": [[number, 0, 0]], "attrs": {"act_type": "relu"}}
        for number in range(5)
    ]
    file = {"nodes": nodes, "arg_nodes": [0], "heads": [[5, 0, 0]]}
    analysis = analyse(document_from_symbol(read_symbol(json.dumps(file))))
    found = remedies(analysis, analysis.problems[0])
    assert len(looked) == 1
    assert [remedy.words.split()[-1] for remedy in found][:1] == ["Activation"]

    once = len(tried)
    assert remedies(analysis, analysis.problems[0]) == found
    assert len(tried) == once > 0
