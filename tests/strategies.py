"""What hypothesis draws from: sound documents made by edits, and documents as wrong as a file can be."""

from collections.abc import Callable

from hypothesis import strategies as st

from app.document import edits
from app.document.records import (
    GROUP,
    VARIABLE,
    Arity,
    Binding,
    Document,
    Edge,
    Frame,
    Head,
    Node,
    Note,
    Settings,
    empty_document,
)

OPERATORS = (
    "elemwise_add",
    "elemwise_mul",
    "broadcast_add",
    "_plus_scalar",
    "FullyConnected",
    "Activation",
    "LeakyReLU",
    "Convolution",
    "BatchNorm",
    "Flatten",
    "Concat",
    "add_n",
    "SliceChannel",
    "sum",
    "dot",
    "SoftmaxOutput",
)
"""Operators with every kind of port, parameter and shape rule that the document meets."""

names = st.text("ABCxyz_019", min_size=1, max_size=4)
positions = st.tuples(st.integers(-400, 400).map(float), st.integers(-400, 400).map(float))
ops = st.sampled_from((VARIABLE, VARIABLE, GROUP, *OPERATORS))
shapes = st.lists(st.integers(0, 4), max_size=4).map(tuple)
constants = st.sampled_from(
    ["1", "2.5", "[1, 2, 3]", "[[1, 2], [3, 4]]", "[[1], [2, 3]]", "", "one", "[]", "NaN"]
)
param_texts = st.sampled_from(
    ["", "1", "2", "3", "-1", "0", "x", "True", "(3, 3)", "(1,", "relu", "prelu", "None"]
)


titles = st.sampled_from(["", "Encoder", "two words", "# not a heading", "\n"])
note_texts = st.sampled_from(["", " ", "a word", "# Heading\n\n* one\n* **two**", "`code`", "```\nopen"])
lengths = st.integers(1, 800).map(float)
sizes = st.tuples(lengths, lengths)


def frames(ids: st.SearchStrategy[str]) -> st.SearchStrategy[Frame]:
    """Draw frames, some of which lie in others."""
    colours = st.sampled_from(["grey", "blue", "green", "amber", "violet"])
    return st.builds(Frame, ids, titles, positions, sizes, colours)


def notes(ids: st.SearchStrategy[str]) -> st.SearchStrategy[Note]:
    """Draw notes, empty ones too, which files may hold."""
    return st.builds(Note, ids, note_texts, positions, lengths)


def bindings(ids: st.SearchStrategy[str]) -> st.SearchStrategy[Binding]:
    """Draw what an argument is bound to, right or wrong."""
    return st.one_of(
        st.builds(Binding, ids, st.just("constant"), constants, st.none() | shapes),
        st.builds(Binding, ids, st.just("initializer"), st.just("uniform(0.1)"), st.none() | shapes),
        st.builds(Binding, ids, shape=shapes, dtype=st.sampled_from(["float32", "float64", "int32", "word"])),
    )


@st.composite
def drawings(draw: Callable[..., object], max_nodes: int = 8) -> Document:
    """Draw a document as a user may have drawn it: every step an edit."""
    document = empty_document()
    for op in draw(st.lists(ops, max_size=max_nodes)):
        document = edits.add_node(document, op, draw(positions)).transaction.apply(document)
    ids = list(document.nodes)
    for source, target in (
        draw(st.lists(st.tuples(st.sampled_from(ids), st.sampled_from(ids)), max_size=12)) if ids else ()
    ):
        number = edits.best_input(document, source, 0, target)
        if number is not None:
            document = edits.connect(document, source, 0, target, number).apply(document)
    for at, size in draw(st.lists(st.tuples(positions, sizes), max_size=2)):
        document = edits.add_frame(document, at, size).transaction.apply(document)
    for at in draw(st.lists(positions, max_size=2)):
        document = edits.add_note(document, at, "a *word*").transaction.apply(document)
    argument_names = st.sampled_from([node.name for node in document.nodes.values()] or ["A"])
    for binding in draw(st.lists(bindings(argument_names), max_size=4)):
        document = edits.set_binding(document, binding).apply(document)
    return document


@st.composite
def wild_documents(draw: Callable[..., object]) -> Document:
    """Draw a document as a foreign file may hold it: circles, unknown operators, doubled names, wires to nowhere.

    Only the invariants hold.
    """
    some_ops = st.sampled_from((VARIABLE, GROUP, *OPERATORS, "Concate", "", "null"))
    params = st.dictionaries(
        st.sampled_from(
            ["num_hidden", "num_args", "act_type", "num_outputs", "no_bias", "kernel", "axis", "__shape__"]
        ),
        param_texts,
        max_size=3,
    )
    attributes = st.dictionaries(st.sampled_from(["__shape__", "__dtype__", "mood"]), param_texts, max_size=2)
    arities = st.none() | st.builds(Arity, st.integers(0, 3), st.integers(0, 2), st.integers(0, 1))
    some_names = st.sampled_from(["", " ", "A", "B", "fc1", "fc1_weight", "'"])
    count = draw(st.integers(0, 7))
    nodes = {}
    for key in (f"n{number}" for number in range(count)):
        about = (draw(some_names), draw(positions), draw(params), draw(attributes), draw(arities))
        nodes[key] = Node(key, draw(some_ops), *about)
    edges: dict[tuple[str, int], Edge] = {}
    if nodes:
        ends = st.sampled_from(list(nodes))
        wires = st.tuples(ends, st.integers(0, 2), ends, st.integers(0, 4))
        for number, (source, output, target, place) in enumerate(draw(st.lists(wires, max_size=14))):
            edges.setdefault((target, place), Edge(f"e{number}", source, output, target, place))
    values = draw(st.lists(bindings(some_names), max_size=4))
    heads = tuple(draw(st.lists(st.sampled_from([*nodes, "gone"]), max_size=2)))
    return Document(
        nodes=nodes,
        edges={edge.id: edge for edge in edges.values()},
        bindings={binding.id: binding for binding in values},
        heads={head.id: head for head in draw(st.lists(st.builds(Head, some_names, constants), max_size=2))},
        frames={one.id: one for one in draw(st.lists(frames(st.sampled_from(["f1", "f2"])), max_size=2))},
        notes={one.id: one for one in draw(st.lists(notes(st.sampled_from(["t1", "t2"])), max_size=2))},
        settings={"settings": Settings(heads=heads)},
    )
