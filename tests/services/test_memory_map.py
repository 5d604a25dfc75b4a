"""The memory of a document, told for people: the same plan that a bind takes, array by array."""

from math import prod
from pathlib import Path

import numpy as np
import pytest

from app.document.analysis import Analysis
from app.document.checks import analyse
from app.document.edits import add_node, set_binding, set_param
from app.document.records import Binding, Document
from app.engine import EngineError, Symbol, Variable, sym
from app.engine.planning.plan import STRIP
from app.services.gallery import open_entry
from app.services.import_symbol import document_from_symbol
from app.services.memory_map import MemoryMap, map_memory
from app.services.running import request_of
from app.services.values import ValueShapes


def analysed(symbol: Symbol, **shapes: tuple[int, ...]) -> Analysis:
    document = document_from_symbol(symbol)
    for name, shape in shapes.items():
        document = set_binding(document, Binding(name, shape=shape)).apply(document)
    return analyse(document)


def branches() -> Analysis:
    """x is read by two branches, so that the gradient of t is added up; every backward step is of another kind."""
    t = sym.tanh(Variable("x"), name="t")
    return analysed(
        sym.exp(sym.elemwise_add(sym.sin(t, name="s"), sym.cos(t, name="c"), name="p"), name="e"), x=(30, 40)
    )


def array(plan: MemoryMap, name: str) -> int:
    (found,) = (number for number, one in enumerate(plan.arrays) if one.name == name)
    return found


@pytest.mark.parametrize("entry", ["executor-backward", "digits-convnet"])
def test_it_is_what_a_bind_takes(entry: str) -> None:
    analysis = analyse(open_entry(entry), ValueShapes(Path.cwd()))
    graph, symbol = analysis.graph, analysis.symbol
    assert graph is not None and symbol is not None and analysis.inference is not None
    requests = {name: request_of(analysis.document, name) for name in graph.names(graph.arguments)}
    shapes = {name: analysis.inference.shape((graph.index_by_name[name], 0)) for name in requests}
    maps = map_memory(analysis)
    for purpose in ("training", "inference"):
        asked = requests if purpose == "training" else "null"
        for share in (True, False):
            plan = symbol.simple_bind(shapes, grad_req=asked, keep_all=not share).plan
            found = maps.get(purpose, share=share)
            assert found.total == plan.bytes_shared
            assert [step.alive for step in found.steps] == list(plan.bytes_alive)
            assert found.forward_count == plan.forward_count
            assert [(one.birth, one.death, one.size, one.offset) for one in found.arrays] == [
                (life.birth, life.death, life.size, plan.blocks[life.block].offset)
                for life in plan.lifetimes.values()
            ]
    wanted = [prod(shapes[name]) * 4 for name, request in requests.items() if request != "null"]
    assert maps.gradients == sum(wanted)


def test_arrays_that_live_at_the_same_time_never_share_a_byte_but_those_of_a_block_do() -> None:
    plan = map_memory(branches()).get("training", share=True)
    for number, one in enumerate(plan.arrays):
        for other in plan.sharing(number):
            another = plan.arrays[other]
            if one.block == another.block:
                assert one.offset == another.offset
            else:
                assert one.death < another.birth or another.death < one.birth
    assert any(plan.sharing(number) for number in range(len(plan.arrays)))


def test_what_is_written_in_place_names_what_was_there() -> None:
    plan = map_memory(branches()).get("training", share=True)
    place = array(plan, "e_output")
    before = plan.arrays[place].before
    assert before is not None and plan.arrays[before].after == place
    assert plan.arrays[before].death == plan.arrays[place].birth
    apart = map_memory(branches()).get("training", share=False)
    assert all(one.before is None and one.after is None for one in apart.arrays)
    assert not any(apart.sharing(number) for number in range(len(apart.arrays)))


def test_the_peak_is_the_first_step_with_most_alive() -> None:
    plan = map_memory(branches()).get("training", share=True)
    most = np.array([step.alive for step in plan.steps])
    assert plan.peak == most.max() and plan.peak_step == most.argmax()
    assert plan.peak <= plan.total == max(one.top for one in plan.arrays)


def test_every_step_is_said_in_words_and_belongs_to_a_node() -> None:
    analysis = branches()
    plan = map_memory(analysis).get("training", share=True)
    words = [step.words for step in plan.steps]
    assert words[0] == "forward of t" and "backward of e" in words and "adding to d(t)" in words
    assert [step.phase for step in plan.steps] == ["forward"] * 5 + ["backward"] * (len(words) - 5)
    names = {analysis.document.nodes[step.node or ""].name for step in plan.steps}
    assert names == {"t", "s", "c", "p", "e"}


def test_kinds_and_nodes_of_arrays() -> None:
    analysis = branches()
    plan = map_memory(analysis).get("training", share=True)
    kinds = {one.name: one.kind for one in plan.arrays if one.kind != "gradient"}
    assert kinds["t_output"] == "value" and kinds["e_output"] == "output" and kinds["d(e)"] == "head gradient"
    node = analysis.document.nodes
    t = next(key for key in node if node[key].name == "t")
    names = {plan.arrays[number].name for number in plan.by_node[t]}
    assert names == {"t_output", "d(t) via s", "d(t) via c", "d(t)"}


def test_without_requests_training_is_inference() -> None:
    analysis = analysed(sym.exp(Variable("data"), name="e"), data=(3, 4))
    maps = map_memory(analysis)
    assert maps.gradients == 0
    assert len(maps.get("training", share=True).steps) == 1


def test_a_gradient_that_is_added_in_strips_says_so() -> None:
    rows = STRIP // 8
    document = document_from_symbol(sym.sigmoid(Variable("x"), name="f"))
    binding = Binding("x", shape=(rows, 4), request="add")
    document = set_binding(document, binding).apply(document)
    maps = map_memory(analyse(document))
    plan = maps.get("training", share=True)
    strip = plan.arrays[array(plan, "d(x)")]
    assert strip.in_strips and strip.size == STRIP < rows * 4 * 4
    apart = maps.get("training", share=False)
    whole = apart.arrays[array(apart, "d(x)")]
    assert not whole.in_strips and whole.shape == (rows, 4)


def test_what_cannot_be_bound_is_refused_with_the_reason() -> None:
    with pytest.raises(EngineError, match="nothing to compute"):
        map_memory(analyse(Document()))
    open_one = analysed(sym.FullyConnected(Variable("x"), num_hidden=3, name="f"))
    with pytest.raises(EngineError, match="still open"):
        map_memory(open_one)
    added = add_node(Document(), "FullyConnected", (0.0, 0.0), name="f")
    document = added.transaction.apply(Document())
    wrong = set_param(document, added.node_id, "num_hidden", "many").apply(document)
    with pytest.raises(EngineError, match="num_hidden"):
        map_memory(analyse(wrong))


def test_the_alive_bytes_are_those_of_the_arrays_blocks() -> None:
    """Count once more from the arrays alone, as the drawing shows them."""
    plan = map_memory(branches()).get("training", share=True)
    counted = [
        len({one.block for one in plan.arrays if one.birth <= number <= one.death}) * 30 * 40 * 4
        for number in range(len(plan.steps))
    ]
    assert counted == [step.alive for step in plan.steps]
