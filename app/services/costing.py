"""What a model costs: its nodes one by one, all of them together, and the memory that a bind takes."""

from collections.abc import Mapping
from typing import Any

import attrs

from app.engine.binding import read_requests
from app.engine.costs import GraphCost, graph_costs
from app.engine.inference.infer import infer
from app.engine.planning.memory import MemoryReport, Peak, report_of
from app.engine.shapes import Shape
from app.engine.symbol import Symbol
from app.services.headless import refuse_unknown

MIB = 2**20


@attrs.frozen
class CostReport:
    """The costs of all nodes, and the memory of a bind that asks for every gradient."""

    costs: GraphCost
    memory: MemoryReport


def cost_model(symbol: Symbol, shapes: Mapping[str, Shape]) -> CostReport:
    """Count and plan without allocating anything; refuses open shapes and misfits."""
    graph = symbol.graph
    refuse_unknown(graph, shapes)
    inference = infer(graph, shapes)
    inference.refuse_open()
    return CostReport(graph_costs(inference), report_of(inference, read_requests(graph, "write")))


def as_json(report: CostReport) -> dict[str, Any]:
    """Return the report as plain values; sizes are bytes."""
    costs, memory = report.costs, report.memory
    return {
        "parameters": costs.parameters,
        "multiply_adds": costs.multiply_adds,
        "bytes": costs.bytes,
        "nodes": [
            {
                "name": node.name,
                "op": node.op_name,
                "parameters": node.parameters,
                "multiply_adds": node.multiply_adds,
                "bytes": node.bytes,
            }
            for node in costs.nodes
        ],
        "memory": {
            "arguments": memory.bound_values,
            "gradients": memory.bound_gradients,
            "inference": attrs.asdict(memory.inference),
            "training": attrs.asdict(memory.training),
        },
    }


def as_table(report: CostReport) -> str:
    """Write a line for each node, then the sums."""
    costs, memory = report.costs, report.memory
    heads = ("node", "operator", "parameters", "multiply-adds", "bytes")
    rows = [heads]
    rows += [
        _row(node.name, node.op_name, (node.parameters, node.multiply_adds, node.bytes))
        for node in costs.nodes
    ]
    rows.append(_row("all", "", (costs.parameters, costs.multiply_adds, costs.bytes)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    lines = []
    for row in rows:
        words = [word.ljust(width) for word, width in zip(row[:2], widths[:2], strict=True)]
        words += [word.rjust(width) for word, width in zip(row[2:], widths[2:], strict=True)]
        lines.append("  ".join(words))
    lines.append("")
    lines.append(f"arguments and states {memory.bound_values / MIB:.2f} MB")
    lines.append(f"gradients of all arguments {memory.bound_gradients / MIB:.2f} MB")
    lines.append(f"between them, inference: {_peak(memory.inference)}")
    lines.append(f"between them, training: {_peak(memory.training)}")
    return "\n".join(lines)


def _row(name: str, op_name: str, numbers: tuple[int, int, int]) -> tuple[str, str, str, str, str]:
    parameters, multiply_adds, count = (f"{number:,}" for number in numbers)
    return name, op_name, parameters, multiply_adds, count


def _peak(peak: Peak) -> str:
    return f"{peak.shared / MIB:.2f} MB with shared memory, {peak.unshared / MIB:.2f} MB without"
