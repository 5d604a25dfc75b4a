"""Every backward node says its formula, exactly the arrays it reads, and whose wanted gradient needs it."""

import pytest
from hypothesis import given, settings

from app.engine import Group, Variable, sym
from app.engine.errors import RunError
from app.engine.explain import BACKWARD, explain_node
from app.engine.planning.plan import gradient_key
from tests.networks import Network, networks


def dense(grad_req="write"):
    net = sym.Activation(
        sym.FullyConnected(Variable("data"), num_hidden=4, name="fc1"), act_type="relu", name="act"
    )
    net = sym.FullyConnected(net, num_hidden=3, name="fc2")
    return sym.SoftmaxOutput(net, name="softmax").simple_bind({"data": (2, 5)}, grad_req=grad_req)


def test_the_gradient_of_a_weight_in_the_names_of_the_graph() -> None:
    (found,) = dense().explain("fc1_weight")
    assert found.formula == "d(fc1_weight) = d(fc1)ᵀ · data"
    assert found.through == "fc1"
    assert [(read.name, read.shape, read.kind) for read in found.reads] == [
        ("data", (2, 5), "value"),
        ("d(fc1)", (2, 4), "gradient"),
    ]
    assert found.why == "d(fc1_weight) was asked for: it is written to its buffer."


def test_what_lies_between_says_for_whom_it_is_there() -> None:
    executor = dense({"fc1_weight": "write"})
    (found,) = executor.explain("d(act)")
    assert found.of == "act_output"
    assert [need.argument for need in found.needs] == ["fc1_weight"]
    assert found.needs[0].path == ("d(act)", "d(fc1)", "d(fc1_weight)")
    assert found.why == "d(act) is needed for d(fc1_weight) by way of d(fc1)."
    assert "It reads fc2_weight (3, 4), d(fc2) (2, 3)." in found.sentence


def test_of_many_needs_the_nearest_are_named_and_the_others_counted() -> None:
    executor = dense()
    assert executor.explain("d(fc1)")[0].why == (
        "d(fc1) is needed for d(data), for d(fc1_weight) and for d(fc1_bias)."
    )
    assert executor.explain("d(fc2)")[0].why == (
        "d(fc2) is needed for d(fc2_weight), for d(fc2_bias), for d(data) by way of d(act), d(fc1) and for 2 more."
    )


def test_a_sum_is_followed_by_its_parts() -> None:
    x = Variable("x")
    executor = (x * x + sym.tanh(x, name="bend")).simple_bind({"x": (3,)}, grad_req="add")
    whole, *parts = executor.explain("x")
    assert whole.formula.startswith("d(x) = d(x) via")
    assert len(parts) == 3
    assert {part.through for part in parts} >= {"bend"}
    assert "added to its buffer" in whole.why
    assert all(part.why.startswith(f"{part.name} is needed for d(x)") for part in parts)


def test_what_is_handed_in_and_what_is_not_there() -> None:
    executor = Group([sym.tanh(Variable("x"), name="bend")]).simple_bind({"x": (3,)})
    (found,) = executor.explain("bend")
    assert found.formula == "d(bend) is handed to backward"
    assert found.reads == ()
    with pytest.raises(RunError, match="nobody asked"):
        executor.explain("y")
    with pytest.raises(RunError, match="nobody asked"):
        dense("null").explain("fc1_weight")


@settings(deadline=None)
@given(networks())
def test_what_is_said_to_be_read_is_what_the_plan_reads(network: Network) -> None:
    executor = network.symbol.simple_bind(network.shapes, grad_req=network.requests)
    graph = executor.executor_graph
    explained = {node.index: explain_node(graph, node.index) for node in graph.nodes if node.kind in BACKWARD}
    for step in executor.plan.steps[executor.plan.forward_count :]:
        if step.kind == "backward":
            said = {read.name for index in step.nodes for read in explained[index].reads}
            read = set()
            for key in step.reads:
                is_value = key.kind == "value"
                read.add(graph.graph.entry_name(key.entry) if is_value else graph.nodes[key.node].name)
            assert said == read
    for found in explained.values():
        node = graph.nodes[found.index]
        assert found.formula and found.why
        assert "  " not in found.sentence
        if node.kind != "head_gradient":
            assert found.needs, f"{found.name} is there for nothing"
        for need in found.needs:
            assert need.path[0] == found.name
            assert executor.requests[need.argument] == need.request
        if node.request == "write":
            assert gradient_key(found.index) not in executor.plan.lifetimes


def test_a_node_of_several_outputs_is_named_by_each_of_them() -> None:
    parts = sym.SliceChannel(Variable("x"), num_outputs=2, name="parts")
    (found,) = parts.simple_bind({"x": (4, 2)}).explain("x")
    assert found.formula == "d(x) = d(parts_output0), d(parts_output1) joined along axis 1"
    assert [read.name for read in found.reads] == ["d(parts_output0)", "d(parts_output1)"]
