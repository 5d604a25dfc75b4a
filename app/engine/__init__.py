"""The engine: operators, graphs, inference, binding and execution, with MXNet's meaning and without a window.

The public names are loaded when they are first asked for, so that a program pays only for what it uses.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.engine import sym as sym
    from app.engine.errors import EngineError as EngineError
    from app.engine.executor import Executor as Executor
    from app.engine.loading import load_symbol as load_symbol
    from app.engine.symbol import Group as Group
    from app.engine.symbol import Symbol as Symbol
    from app.engine.symbol import Variable as Variable

_HOMES = {
    "EngineError": "app.engine.errors",
    "Executor": "app.engine.executor",
    "Group": "app.engine.symbol",
    "Symbol": "app.engine.symbol",
    "Variable": "app.engine.symbol",
    "load_symbol": "app.engine.loading",
}

__all__ = ["EngineError", "Executor", "Group", "Symbol", "Variable", "load_symbol", "sym"]


def __getattr__(name: str) -> Any:
    if name == "sym":
        return importlib.import_module("app.engine.sym")
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"app.engine has no {name!r}")
