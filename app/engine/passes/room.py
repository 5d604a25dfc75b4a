"""What the passes take of memory, told before there are arrays."""

from app.engine.gradient import ExecutorGraph
from app.engine.inference.infer import Inference
from app.engine.kernels.crew import has_helper
from app.engine.passes.ahead import Ahead
from app.engine.passes.gathering import Gathering
from app.engine.passes.halves import may_be_worthwhile
from app.engine.passes.tasks import Given, How, Outlines, Task, addition
from app.engine.planning.plan import Plan, Step
from app.engine.shapes import element_count
from app.engine.split import Split
from app.engine.stepping import Call


def room_of_passes(
    inference: Inference, executor_graph: ExecutorGraph, plan: Plan, *, keep_all: bool = False
) -> int:
    """Return the bytes that the passes take at most, beside the work space of the operators."""
    ahead, gathering = (
        Ahead(inference, keep_all=keep_all),
        Gathering(executor_graph, keep_all=keep_all),
    )
    outlines = Outlines(inference)

    def sketch(step: Step) -> Task:
        """Return a step's task without its arrays."""
        joined = step.kind == "forward" and ahead.joins(step.symbol_node)
        if step.kind == "zero" or joined or gathering.gathers(step):
            return Task(Given(), _never)
        shapes = [executor_graph.nodes[key.node].shape for key in step.writes if key.kind == "gradient"]
        if step.kind == "sum":
            return addition(len(step.reads), shapes[0]).task(Given(), _never)
        wide = sum(len(shape) > 1 for shape in shapes)
        return outlines.of(step.symbol_node).task(Given(), _never, gradients=wide)

    tasks = [sketch(step) for step in plan.steps]
    room = ahead.room + gathering.room
    passes = tasks[: plan.forward_count], tasks[plan.forward_count :]
    if not has_helper() or not any(may_be_worthwhile(some, spare_products=True) for some in passes):
        return room
    return room + sum(
        max((_shared_bytes(split, executor_graph, step) for split in task.splits), default=0)
        for step, task in zip(plan.steps, tasks, strict=True)
        if step.kind == "backward"
    )


def _shared_bytes(split: Split, executor_graph: ExecutorGraph, step: Step) -> int:
    """Return the bytes of the gradients that both halves of a step find a part of."""
    nodes = (executor_graph.nodes[node] for node in step.nodes)
    return sum(
        element_count(node.shape) * node.dtype.itemsize for node in nodes if split.ins[node.input] is None
    )


def _never(_given: Given, _how: How) -> Call:
    """Stand for the call of a sketch, which is never prepared."""
    raise AssertionError
