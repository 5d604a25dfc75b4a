"""Respells lines of generated code as a formatter would: double quotes, no idle brackets, tight powers."""

import ast
import re
from functools import lru_cache

_QUOTED = re.compile(r"'([^'\"\\\n]*)'")
_POWER = re.compile(r"(?<![\w.)\]}])(-?[\w.]+) \*\* (-?[\w.]+)(?![\w.(\[])")
_SINGLE = re.compile(r"^([\w.]+), = ")
_COMMENT = re.compile(r"\s+# ([^'\"]*)\Z")


@lru_cache(maxsize=16384)
def tidy(line: str) -> str:
    """Return one statement in its canonical spelling; a comment at its end stays."""
    comment = _COMMENT.search(line)
    code = ast.unparse(ast.parse(line))
    code = _POWER.sub(r"\1**\2", _QUOTED.sub(r'"\1"', code))
    code = _SINGLE.sub(r"(\1,) = ", code)
    return f"{code}  # {comment[1]}" if comment else code
