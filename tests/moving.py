"""A net that no run leaves as it was: BatchNorm's statistics move, Dropout draws, and a gradient is added."""

import attrs

from app.document.records import Binding, Document, Settings
from app.engine import Variable, sym
from app.services.import_symbol import document_from_symbol


def moving() -> Document:
    """Return the document of the net; one BatchNorm writes ones into its gamma as well."""
    flow = sym.FullyConnected(Variable("data"), num_hidden=6, name="fc1")
    flow = sym.BatchNorm(flow, name="bn1", fix_gamma=True)
    flow = sym.Dropout(sym.BatchNorm(flow, name="bn2", fix_gamma=False), p=0.5, name="drop")
    net = sym.SoftmaxOutput(sym.FullyConnected(flow, num_hidden=3, name="fc2"), name="softmax")
    document = document_from_symbol(net)
    bindings = (
        Binding("data", shape=(5, 4)),
        Binding("bn1_gamma", "constant", "3"),
        Binding("fc2_weight", request="add"),
    )
    return attrs.evolve(
        document,
        bindings={binding.id: binding for binding in bindings},
        settings={"settings": Settings(seed=3, train=True)},
    )
