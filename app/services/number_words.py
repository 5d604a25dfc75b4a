"""Numbers in words for people, and formulas with numbers in the place of names."""

import math
import re
from collections.abc import Mapping


def number_text(value: float) -> str:
    """Write one number for people, in four digits."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{value:.4g}"
    return (
        "0"
        if text == "-0"
        else text.replace("e+0", "e").replace("e+", "e").replace("e-0", "e-").replace("-", "−")
    )


def put_in(formula: str, numbers: Mapping[str, str]) -> str:
    """Replace names in a formula by numbers, longest names first, negative ones in brackets."""
    if not numbers:
        return formula
    names = sorted(numbers, key=len, reverse=True)
    pattern = "|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in names)

    def number(match: re.Match[str]) -> str:
        found = numbers[match[0]]
        return f"({found})" if found.startswith(("-", "−")) else found

    return re.sub(pattern, number, formula).replace("⊙", "×")


def worked_out(formula: str, numbers: Mapping[str, str], result: str) -> str:
    """Return what follows a formula's right-hand side: its numbers where it names nothing else, then the result."""
    filled = put_in(formula, numbers)
    is_numbers = bool(formula) and not any(name in filled for name in numbers)
    return f"{filled} = {result}" if is_numbers and filled != result else result
