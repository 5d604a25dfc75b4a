"""A stand-in for the package mxnet over our own engine, just wide enough to execute Symbol-API programs."""

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np

from app.engine import initializers, sym
from app.engine.symbol import Symbol


def _array(values: Any, dtype: str = "float32") -> np.ndarray:
    return np.array(values, dtype)


def _ones(shape: tuple[int, ...], dtype: str = "float32") -> np.ndarray:
    return np.ones(shape, dtype)


def _zeros(shape: tuple[int, ...], dtype: str = "float32") -> np.ndarray:
    return np.zeros(shape, dtype)


def _initializer(name: str) -> Any:
    def make(*settings: Any) -> Any:
        spelling = f"{name}({', '.join(map(str, settings))})"

        def fill(_: Any, array: np.ndarray) -> None:
            array[...] = initializers.make(spelling, array.shape, array.dtype, np.random.default_rng(0))

        return fill

    return make


class _Operators:
    """`mx.sym`: the engine's operators; those with an underscore are only in `_internal` or a family, as in mxnet."""

    Variable, Group = staticmethod(sym.Variable), staticmethod(sym.Group)
    contrib, linalg = sym.contrib, sym.linalg

    def __init__(self, *, internal: bool) -> None:
        self._is_internal = internal

    @property
    def _internal(self) -> "_Operators":
        return _Operators(internal=True)

    def __getattr__(self, name: str) -> Any:
        in_family = name.startswith(("_contrib_", "_linalg_"))
        if in_family or name.startswith("_") is not self._is_internal:
            raise AttributeError(name)
        return getattr(sym, name)


def run_program(text: str, monkeypatch: Any, folder: str) -> dict[str, Any]:
    """Execute a program that imports mxnet and return its names at the end."""
    double: Any = SimpleNamespace(
        sym=_Operators(internal=False),
        nd=SimpleNamespace(array=_array, ones=_ones, zeros=_zeros, ones_like=np.ones_like),
        init=SimpleNamespace(
            InitDesc=str,
            **{
                name: _initializer(ours)
                for name, ours in {
                    "Xavier": "xavier",
                    "Normal": "normal",
                    "Uniform": "uniform",
                    "Constant": "constant",
                    "MSRAPrelu": "msra",
                    "Orthogonal": "orthogonal",
                    "Bilinear": "bilinear",
                }.items()
            },
        ),
        cpu=lambda: "cpu",
    )
    bind, simple_bind = Symbol.bind, Symbol.simple_bind
    names: dict[str, Any] = {}
    with monkeypatch.context() as patched, np.errstate(all="ignore"):
        patched.setitem(sys.modules, "mxnet", double)
        patched.chdir(folder)
        patched.setattr(Symbol, "bind", lambda self, ctx, **words: bind(self, **words))
        patched.setattr(
            Symbol,
            "simple_bind",
            lambda self, ctx, grad_req, type_dict=None, **shapes: simple_bind(
                self, shapes, grad_req, type_dict
            ),
        )
        exec(compile(text, "program.py", "exec"), names)
    return names
