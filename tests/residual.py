"""A residual net that is large enough for the board to follow edits instead of drawing itself anew."""

from app.document.edits import set_binding
from app.document.records import Binding, Document
from app.engine import Variable, sym
from app.services.import_symbol import document_from_symbol

UNITS = 24


def residual() -> Document:
    """Return the document of a net with skips, of some hundred nodes, with the shape of its data given."""
    flow = sym.Convolution(Variable("data"), kernel=(3, 3), pad=(1, 1), num_filter=8, name="conv0")
    for number in range(1, UNITS + 1):
        norm = sym.BatchNorm(flow, name=f"bn{number}")
        bent = sym.Activation(norm, act_type="relu", name=f"relu{number}")
        conv = sym.Convolution(bent, kernel=(3, 3), pad=(1, 1), num_filter=8, name=f"conv{number}")
        flow = conv + flow
    flat = sym.Flatten(
        sym.Pooling(flow, global_pool=True, kernel=(1, 1), pool_type="avg", name="pool"), name="flat"
    )
    out = sym.SoftmaxOutput(sym.FullyConnected(flat, num_hidden=10, name="fc"), name="softmax")
    document = document_from_symbol(out, title="residual")
    return set_binding(document, Binding("data", shape=(2, 3, 16, 16))).apply(document)
