"""Checks the gradients of a model on the arrays of an input file, and writes what came out as a table or as JSON."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from app.engine.checking.checked import CheckedElement, CheckOptions, GradientCheck
from app.engine.checking.gradient_check import check_gradient
from app.engine.errors import RunError
from app.engine.operator import Array
from app.engine.shapes import text
from app.engine.symbol import Symbol
from app.services.headless import bind_arrays, head_gradients


@attrs.frozen
class Answer:
    """The checks that were made, and why others were not, by name."""

    checks: tuple[GradientCheck, ...]
    skipped: Mapping[str, str]

    @property
    def agrees(self) -> bool:
        """Whether every gradient that was checked is right."""
        return all(check.agrees for check in self.checks)


def check_model(
    symbol: Symbol, arrays: Mapping[str, Array], names: Sequence[str], options: CheckOptions
) -> Answer:
    """Check the named gradients, or those of all arguments, on the arrays of an input file.

    A name that cannot be checked is refused where it was asked for, and else skipped with the reason.
    """
    executor = bind_arrays(symbol, arrays)
    heads = head_gradients(arrays, executor.outputs)
    options = attrs.evolve(options, out_grads=heads)
    checks, skipped = [], {}
    for name in names or symbol.list_arguments():
        try:
            checks.append(check_gradient(executor, name, options))
        except RunError as refusal:
            if names:
                raise
            skipped[name] = str(refusal)
    return Answer(tuple(checks), skipped)


def as_json(answer: Answer) -> dict[str, Any]:
    """Return the answer as plain values; numbers that are none (NaN, infinity) are null."""
    return {
        "agrees": answer.agrees,
        "checks": [
            {
                "name": check.name,
                "shape": list(check.shape),
                "type": check.dtype,
                "agrees": check.agrees,
                "sentence": check.sentence,
                "notes": list(check.notes),
                "seed": check.seed,
                "worst": None if check.worst is None else _element(check.worst),
                "elements": [_element(element) for element in check.elements],
            }
            for check in answer.checks
        ],
        "skipped": dict(answer.skipped),
    }


def _element(element: CheckedElement) -> dict[str, Any]:
    numbers = ("value", "analytic", "numeric", "difference", "tolerance", "step")
    return {
        "place": list(element.place),
        **{name: _number(getattr(element, name)) for name in numbers},
        "kink": element.is_kink,
        "ok": element.ok,
    }


def _number(number: float) -> float | None:
    return number if math.isfinite(number) else None


def as_table(answer: Answer) -> str:
    """Write a line for each gradient with its worst element, then what has to be said, and the verdict."""
    heads = ("gradient of", "shape", "tried", "worst at", "backward", "differences", "")
    rows: list[tuple[str, ...]] = [heads]
    rows += [_row(check) for check in answer.checks]
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    lines = [
        "  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    for check in answer.checks:
        lines += [f"{check.name}: {note}" for note in check.notes]
    lines += [f"not checked: {why}" for why in answer.skipped.values()]
    wrong = sum(not check.agrees for check in answer.checks)
    if not answer.checks:
        lines.append("There was no gradient to check.")
    elif wrong:
        lines.append(f"{wrong} of {len(answer.checks)} gradients disagree with finite differences.")
    else:
        lines.append(f"All {len(answer.checks)} gradients agree with finite differences.")
    return "\n".join(lines)


def _row(check: GradientCheck) -> tuple[str, ...]:
    worst, total = check.worst, int(np.prod(check.shape))
    tried = f"{len(check.elements)} of {total:,}"
    if worst is None:
        return check.name, text(check.shape), tried, "", "", "", ""
    at = f"[{', '.join(map(str, worst.place))}]"
    verdict = "agrees" if check.agrees else "DIFFERS"
    return check.name, text(check.shape), tried, at, f"{worst.analytic:.6g}", f"{worst.numeric:.6g}", verdict
