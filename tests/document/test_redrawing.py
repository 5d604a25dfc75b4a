"""An edit of settings is followed from the analysis before, and says what an analysis from scratch says."""

import random
from typing import Any

import pytest

from app.document.analysis import Analysis
from app.document.changes import Transaction
from app.document.checks import analyse_after
from app.document.edits import move, rename, set_binding, set_param
from app.document.records import Binding, Document
from app.document.redrawing import nodes_with_other_meaning, redraw
from app.services.gallery import entries, open_entry
from app.services.symbol_json import write_symbol
from app.services.values import ValueShapes
from tests.residual import residual

SHAPES = ValueShapes()
EDITS = 60


def told(analysis: Analysis) -> dict[str, Any]:
    """Return everything that the board and the panels ask an analysis."""
    document = analysis.document
    return {
        "problems": analysis.problems,
        "shapes": {key: analysis.output_shapes(key) for key in document.nodes},
        "inputs": {
            key: [analysis.input_shape(key, number) for number in range(len(analysis.ports(key)))]
            for key in document.nodes
        },
        "types": {key: analysis.output_dtype(key) for key in document.nodes},
        "wires": {key: analysis.wire_shape(key) for key in document.edges},
        "made": analysis.auto_arguments,
        "tags": analysis.output_tags,
        "index": analysis.node_index,
        "names": (analysis.argument_names, analysis.auxiliary_names, analysis.output_names),
        "file": write_symbol(analysis.symbol) if analysis.symbol is not None else "",
        "open": analysis.open_arguments,
        "graph": [] if analysis.graph is None else [dict(node.attributes) for node in analysis.graph.nodes],
    }


def some_edit(document: Document, chance: random.Random) -> Transaction:
    """Return an edit as a hand makes them: mostly of settings, right and wrong."""
    node = chance.choice(
        [node for node in document.nodes.values() if node.params] or [*document.nodes.values()]
    )
    kind = chance.random()
    if kind < 0.1:
        return move(document, {node.id: (chance.randrange(900), chance.randrange(900))})
    if kind < 0.2:
        return rename(document, node.id, f"{node.name}_{chance.randrange(3)}")
    if kind < 0.3 or not node.params:
        return set_binding(document, Binding("data", shape=(chance.randrange(1, 9), 3, 16, 16)))
    name = chance.choice([*node.params, "no_bias", "__lr_mult__"])
    texts = ["3", "8", "(3, 3)", "(1, 1)", "True", "-1", "relu", "sigmoid", node.params.get(name, "2")]
    return set_param(document, node.id, name, chance.choice(texts))


@pytest.mark.parametrize("name", [entry.id for entry in entries()] + ["residual"])
def test_what_is_followed_is_what_is_found_from_scratch(name: str) -> None:
    document = residual() if name == "residual" else open_entry(name)
    chance = random.Random(name)
    analysis = analyse_after(None, document, SHAPES)
    for _ in range(EDITS):
        document = some_edit(document, chance).apply(document)
        analysis = analyse_after(analysis, document, SHAPES)
        assert told(analysis) == told(analyse_after(None, document, SHAPES))


def test_other_settings_of_one_node_keep_the_wires() -> None:
    before = residual()
    conv = next(node.id for node in before.nodes.values() if node.name == "conv3")
    after = set_param(before, conv, "num_filter", "16").apply(before)
    old = analyse_after(None, before, SHAPES)
    assert nodes_with_other_meaning(before, after) == (conv,)
    new = analyse_after(old, after, SHAPES)
    assert new.indexed is old.indexed
    assert new.graph is not None and old.graph is not None and new.graph.wiring is old.graph.wiring


@pytest.mark.parametrize(
    ("parameter", "text"), [("no_bias", "True"), ("num_filter", "-1"), ("__shape__", "(1,)")]
)
def test_settings_that_say_more_are_drawn_anew(parameter: str, text: str) -> None:
    before = residual()
    conv = next(node.id for node in before.nodes.values() if node.name == "conv3")
    after = set_param(before, conv, parameter, text).apply(before)
    drawing = analyse_after(None, before, SHAPES).drawing
    assert redraw(drawing, before, after, (conv,)) is None
