"""Every dimension that is inferred has a chain of reasons down to what was given or set, in either direction."""

from collections.abc import Iterator

import pytest

from app.engine import Symbol, Variable, sym
from app.engine.examples import Example
from app.engine.graph import Graph, GraphNode
from app.engine.inference.infer import Inference, infer
from app.engine.inference.reasons import Place, Reason, chain
from app.engine.operator import Operator
from app.engine.shapes import Shape, is_known
from tests.operator_cases import CASES

GIVEN = "was given as"


def alone(operator: Operator) -> Graph:
    """Return the graph of one operator with a variable at every port."""
    names = [f"{port.name}" for port in operator.ports]
    variables = [GraphNode(name, "null", None, {}) for name in names]
    inputs = tuple((number, 0) for number in range(len(names)))
    node = GraphNode("node", operator.op_name, operator, {}, inputs)
    outputs = tuple((len(names), number) for number in range(len(operator.outputs)))
    return Graph((*variables, node), outputs)


def chains(inference: Inference) -> Iterator[list[Reason]]:
    for index, node in enumerate(inference.graph.nodes):
        for number in range(node.output_count):
            for axis, size in enumerate(inference.shape((index, number))):
                if size:
                    yield chain(inference, (index, number), axis)


def assert_no_circle(follows_from: dict[Place, set[Place]]) -> None:
    left = dict(follows_from)
    while left:
        founded = [place for place, sources in left.items() if not sources & left.keys()]
        assert founded, f"a chain that goes round in circles: {left}"
        for place in founded:
            del left[place]


def check_chains(inference: Inference) -> None:
    for reasons in chains(inference):
        for reason in reasons:
            assert reason.sentence.startswith(f"{reason.size} because ")
            assert inference.shape(reason.entry)[reason.axis] == reason.size
            if not reason.follows_from:
                rule = inference.found_by(reason.entry, reason.axis)
                assert (rule == -1) == (GIVEN in reason.sentence)
        places = [(reason.entry, reason.axis) for reason in reasons]
        assert len(set(places)) == len(places), "each reason is told once"
        behind: dict[Place, set[Place]] = {}
        for reason in reversed(reasons):
            place = (reason.entry, reason.axis)
            behind[place] = set(reason.follows_from)
        assert_no_circle(behind)


@pytest.mark.parametrize(("operator", "example"), CASES)
def test_every_chain_ends_at_what_was_given_or_set(operator: type[Operator], example: Example) -> None:
    graph = alone(operator(**example.settings))
    inference = infer(graph, dict(example.shapes))
    check_chains(inference)
    whole = {
        name: inference.shape((index, 0)) for name, index in graph.index_by_name.items() if name != "node"
    }
    for left_out in whole:
        others = {name: shape for name, shape in whole.items() if name != left_out}
        check_chains(infer(graph, others))


@pytest.mark.parametrize(("operator", "example"), CASES)
def test_what_is_inferred_against_the_wires_has_its_reasons_too(
    operator: type[Operator], example: Example
) -> None:
    """A second operator of the same shape behind the node hands shapes back to it."""
    graph = alone(operator(**example.settings))
    node = len(graph.nodes) - 1
    forward = infer(graph, dict(example.shapes))
    like: Shape = forward.shape((node, 0))
    if not is_known(like):
        return
    add = sym.elemwise_add(Variable("a"), Variable("b")).graph.nodes[-1].operator
    behind = GraphNode("sum", "elemwise_add", add, {}, ((node, 0), (node + 1, 0)))
    both = Graph((*graph.nodes, GraphNode("beside", "null", None, {}), behind), ((node + 2, 0),))
    backward = infer(both, {"beside": like})
    if not backward.problems:
        check_chains(backward)


def sentence(symbol: Symbol, shapes: dict[str, Shape], name: str, axis: int) -> str:
    graph = symbol.graph
    entry = next(entry for entry in graph.internals() if graph.entry_name(entry) == name)
    return chain(infer(graph, shapes), entry, axis)[0].sentence


def test_the_words() -> None:
    data = Variable("data")
    dense = sym.FullyConnected(data, num_hidden=32, name="fc1")
    assert sentence(dense, {"data": (64, 8, 4, 4)}, "fc1_weight", 0) == "32 because num_hidden = 32"
    assert sentence(dense, {"data": (64, 8, 4, 4)}, "fc1_weight", 1) == (
        "128 because data is (64, 8, 4, 4): 8·4·4"
    )
    both = sym.broadcast_like(data, Variable("like"), name="wide")
    shapes: dict[str, Shape] = {"data": (1, 3), "like": (2, 3)}
    assert sentence(both, shapes, "wide_output", 1) == "3 because data is (1, 3)"
    assert sentence(both, shapes, "wide_output", 0) == "2 because like is (2, 3)"
    best = sym.topk(data, k=2, ret_typ="value", name="best")
    assert "k = 2" in sentence(best, {"data": (4, 5)}, "best_output0", 1)
    wide = sym.broadcast_to(data, shape=(2, 3), name="wide")
    assert sentence(wide, {"data": (1, 3)}, "wide_output", 1) == "3 because shape = (2, 3)"
    pile = sym.stack(data, Variable("other"), name="pile")
    assert sentence(pile, {"data": (4, 5)}, "pile_output", 0) == "2 because num_args = 2"
    deep = sym.stack(data, Variable("other"), axis=1, name="deep")
    assert sentence(deep, {"data": (2, 5)}, "deep_output", 1) == "2 because num_args = 2"
    assert sentence(deep, {"data": (2, 5)}, "deep_output", 0) == "2 because data is (2, 5)"
    product = sym.dot(data, data, transpose_b=True, name="product")
    flat = sym.Reshape(product, shape=(-1,), name="flat")
    graph = flat.graph
    steps = chain(infer(graph, {"data": (3, 5)}), graph.heads[0], 0)
    assert [graph.entry_name(step.entry) for step in steps] == [
        "flat_output",
        "product_output",
        "product_output",
        "data",
    ]
    total = sym.sum(data, name="total")
    assert sentence(total, {"data": (4, 5)}, "total_output", 0) == "1 because total (sum) always makes it so"
    back = sym.elemwise_add(Variable("a"), Variable("b"), name="both")
    assert sentence(back, {"b": (7,)}, "a", 0) == "7 because b is (7)"
