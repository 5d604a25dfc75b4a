"""What a kernel refuses while it is set up or run, as an error for people: the node, the types that it got, a mend."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.engine.errors import EngineError, RunError
from app.engine.inference.infer import Inference
from app.engine.inference.type_mending import mend_whole_numbers
from app.engine.inference.types import told_types
from app.engine.reconciling import with_advice

NUMPY_REFUSALS = (ValueError, IndexError, ArithmeticError, TypeError, MemoryError)
"""What numpy raises when arrays do not suit an operation that shapes alone could not rule out."""
FAULTS = (EngineError, *NUMPY_REFUSALS)


def refusal(inference: Inference, index: int, error: Exception) -> EngineError:
    """Return what a kernel refused as an error that names its node."""
    node = inference.graph.nodes[index]
    if isinstance(error, EngineError):
        return error.at(node.name)
    if isinstance(error, MemoryError):
        return RunError(
            f"There is not enough memory to compute {node.name}. Use a smaller batch.", node=node.name
        )
    if "read-only" in str(error):
        return RunError(
            f"{node.name} ({node.op_name}) writes into an array that may only be read. Bind a copy of it.",
            node=node.name,
        )
    of_types = isinstance(error, (TypeError, OverflowError)) or "data type" in str(error)
    mends = mend_whole_numbers(inference.graph, inference.given_types, inference.typing, index)
    if not of_types or not mends:
        return RunError(f"{node.name} ({node.op_name}) cannot be computed: {error}", node=node.name)
    came = told_types(inference.graph, inference.typing, index, None)
    sentence = f"{node.name} ({node.op_name}) cannot be computed with these types.{came}"
    return RunError(with_advice(sentence, mends), node=node.name)


@contextmanager
def blaming(inference: Inference, index: int) -> Iterator[None]:
    """Turn what numpy refuses while a step is set up into a RunError that names the node."""
    try:
        yield
    except FAULTS as error:
        raise refusal(inference, index, error) from error
