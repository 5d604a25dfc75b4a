"""Symbols: handles on nodes that compose into larger ones, with MXNet's names and rules."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import attrs

from app.engine.compose import Head, Inputs, SymbolNode, compose, depth_first, flatten
from app.engine.errors import GraphError, ParameterError, ShapeError
from app.engine.graph import VARIABLE_OP, Graph
from app.engine.naming import AttrScope
from app.engine.params import as_text
from app.engine.shapes import Shape
from app.engine.signs import SIGNS, Sign, Signs, scalar_hint

if TYPE_CHECKING:
    from app.engine.executor import Executor


class Symbol(Signs):
    """One or several outputs of a computation that is described, not run."""

    def __init__(self, heads: Sequence[Head], graph: Graph | None = None) -> None:
        if not heads:
            raise GraphError("A group needs at least one symbol.")
        self.heads: tuple[Head, ...] = tuple(heads)
        self._graph = graph

    @property
    def graph(self) -> Graph:
        """The nodes that the heads need, numbered depth first; one who has numbered them already may hand it in."""
        if self._graph is None:
            self._graph = flatten(self.heads)
        return self._graph

    # Listing -----------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str | None:
        """The node's name, or None for a group of several nodes."""
        first = self.heads[0][0]
        return first.name if all(node is first for node, _ in self.heads) else None

    def list_arguments(self) -> list[str]:
        """Names of the variables that are not auxiliary states, depth first."""
        return self.graph.names(self.graph.arguments)

    def list_auxiliary_states(self) -> list[str]:
        """Names of the auxiliary states, depth first."""
        return self.graph.names(self.graph.auxiliary)

    def list_inputs(self) -> list[str]:
        """Names of all variables in one order."""
        return [node.name for node in self.graph.nodes if node.is_variable]

    def list_outputs(self) -> list[str]:
        """Names of the outputs: a bare variable's own name, else `NAME_output` and its kin."""
        return list(self.graph.output_names)

    def get_internals(self) -> "Symbol":
        """Return a group of every variable and every visible output."""
        nodes = self.nodes_in_order
        return Symbol([(node, number) for node in nodes for number in range(node.visible_outputs)])

    def get_children(self) -> "Symbol | None":
        """Return a group of the direct inputs, None for a variable."""
        nodes = dict.fromkeys(node for node, _ in self.heads)
        inputs = [head for node in nodes for head in node.inputs]
        return Symbol(inputs) if inputs else None

    @cached_property
    def nodes_in_order(self) -> list[SymbolNode]:
        """The nodes that the heads need, depth first."""
        return depth_first(self.heads)

    def attr(self, key: str) -> str | None:
        """Return one attribute of the node, None when it has no such one."""
        attributes = self.heads[0][0].attributes
        return attributes.get(key, attributes.get(f"__{key}__"))

    def list_attr(self) -> dict[str, str]:
        """Return the node's attributes; the well-known ones also without underscores."""
        return _listed(self.heads[0][0].attributes)

    def attr_dict(self) -> dict[str, dict[str, str]]:
        """Return every node's attributes by node name."""
        return {node.name: _listed(node.attributes) for node in self.nodes_in_order if node.attributes}

    # Composing ---------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        """Return the number of outputs."""
        return len(self.heads)

    def __iter__(self) -> Iterator["Symbol"]:
        """Iterate over the single outputs."""
        return (Symbol([head]) for head in self.heads)

    def __getitem__(self, which: int | str) -> "Symbol":
        """Pick one output by number or by its exact name."""
        if isinstance(which, str):
            names = self.list_outputs()
            if which not in names:
                raise GraphError(f"There is no output named {which!r}; there are {', '.join(names[:8])}.")
            return Symbol([self.heads[names.index(which)]])
        if not -len(self.heads) <= which < len(self.heads):
            raise IndexError(which)
        return Symbol([self.heads[which]])

    def __call__(self, **replacements: "Symbol") -> "Symbol":
        """Return this computation with some variables, by their own names, replaced by other symbols."""
        return _replace_variables(self, replacements)

    def __repr__(self) -> str:
        """Name the symbol or list its outputs."""
        return f"<Symbol {self.name or 'group [' + ', '.join(self.list_outputs()) + ']'}>"

    def _combine(self, sign: Sign, left: object, right: object) -> "Symbol":
        return _combine(sign, left, right)

    def __abs__(self) -> "Symbol":
        """Return the absolute value."""
        return make_node("abs", self)

    # Shapes and binding ------------------------------------------------------------------------------------------

    def infer_shape(
        self, *args: Shape, **kwargs: Shape
    ) -> tuple[list[Shape] | None, list[Shape] | None, list[Shape] | None]:
        """Return the shapes of arguments, outputs and auxiliary states in list order.

        Three Nones when anything stays open; ShapeError, with the node, when shapes contradict each other.
        """
        found = self._infer(args, kwargs)
        whole = all(shape and 0 not in shape for shapes in found for shape in shapes)
        return found if whole else (None, None, None)

    def infer_shape_partial(
        self, *args: Shape, **kwargs: Shape
    ) -> tuple[list[Shape], list[Shape], list[Shape]]:
        """Return the same, unknown dimensions as 0 and a wholly unknown shape as ()."""
        return self._infer(args, kwargs)

    def _infer(
        self, args: Sequence[Shape], kwargs: Mapping[str, Shape]
    ) -> tuple[list[Shape], list[Shape], list[Shape]]:
        from app.engine.inference.infer import infer

        graph = self.graph
        given = dict(zip(self.list_arguments(), args, strict=False)) if args else {}
        given.update(kwargs)
        unknown = [name for name in given if name not in graph.wiring.variables]
        if unknown:
            raise ShapeError(f"There is no argument named {', '.join(sorted(unknown))}.")
        inference = infer(graph, given)
        if inference.shape_problems:  # types are no matter of shapes
            inference.refuse_problems()
        shapes, wiring = inference.shapes, graph.wiring
        return (
            [shapes[place] for place in wiring.argument_places],
            [inference.shape(head) for head in graph.heads],
            [shapes[place] for place in wiring.auxiliary_places],
        )

    def bind(  # noqa: PLR0913 - MXNet's own arguments
        self,
        args: Any,
        args_grad: Any = None,
        grad_req: Any = "write",
        aux_states: Any = None,
        *,
        seed: int | None = None,
        keep_all: bool = False,
        backend: str = "numpy",
        device: str | None = None,
    ) -> "Executor":
        """Bind arrays (a list in argument order, or a dict by name; used, not copied) and return an Executor.

        `keep_all` keeps every internal array readable after a run, at the price of shared memory.
        `backend` is numpy or torch, and `device` where the latter computes: cpu, cuda, cuda:1.
        """
        from app.engine.binding import BindOptions, bind

        return bind(self, args, args_grad, grad_req, aux_states, BindOptions(seed, keep_all, backend, device))

    def simple_bind(  # noqa: PLR0913 - MXNet's own arguments
        self,
        shapes: Mapping[str, Shape] | None = None,
        grad_req: Any = "write",
        dtypes: Mapping[str, Any] | None = None,
        seed: int | None = None,
        *,
        keep_all: bool = False,
        backend: str = "numpy",
        device: str | None = None,
    ) -> "Executor":
        """Allocate every array, filled with 0, from the shapes of some inputs, and return an Executor."""
        from app.engine.binding import BindOptions, simple_bind

        return simple_bind(self, shapes or {}, grad_req, dtypes, BindOptions(seed, keep_all, backend, device))


def Variable(  # noqa: N802, PLR0913 - MXNet's own name and keywords
    name: str,
    *,
    attr: Mapping[str, str] | None = None,
    shape: Shape | None = None,
    dtype: Any = None,
    init: str | None = None,
    lr_mult: float | None = None,
    wd_mult: float | None = None,
    stype: str | None = None,
    **attributes: str,
) -> Symbol:
    """Make a symbol that stands for an array given later; the keywords become attributes such as `__shape__`."""
    if not isinstance(name, str):
        raise ParameterError("A variable's name must be text.")
    own = dict(attr or {})
    facts = {
        "__shape__": None if shape is None else as_text(tuple(shape)),
        "__dtype__": None if dtype is None else _dtype_number(dtype),
        "__init__": init,
        "__lr_mult__": None if lr_mult is None else str(lr_mult),
        "__wd_mult__": None if wd_mult is None else str(wd_mult),
        "__storage_type__": stype,
    }
    own.update({key: value for key, value in facts.items() if value is not None})
    for key, value in attributes.items():
        if not (key.startswith("__") and key.endswith("__")):
            raise ValueError(f"The attribute {key} must begin and end with two underscores.")
        own[key] = value
    return Symbol([(SymbolNode(name, VARIABLE_OP, None, AttrScope.collect(own)), 0)])


def Group(symbols: Sequence[Symbol]) -> Symbol:  # noqa: N802 - MXNet's own name
    """Make one symbol with the outputs of several, in their order; groups flatten."""
    if not symbols or not all(isinstance(symbol, Symbol) for symbol in symbols):
        raise GraphError("A group needs at least one symbol, and nothing but symbols.")
    return Symbol([head for symbol in symbols for head in symbol.heads])


def make_node(
    op_name: str,
    *inputs: Symbol,
    name: str | None = None,
    attr: Mapping[str, str] | None = None,
    **keywords: Any,
) -> Symbol:
    """Compose one operator node: symbols among the keywords are inputs by port name, the rest are settings."""
    named = {key: value.heads for key, value in keywords.items() if isinstance(value, Symbol)}
    settings = {key: value for key, value in keywords.items() if not isinstance(value, Symbol)}
    given = Inputs([symbol.heads for symbol in inputs], named)
    return _outputs(compose(op_name, given, settings, name=name, attributes=attr))


def _outputs(node: SymbolNode) -> Symbol:
    return Symbol([(node, number) for number in range(node.visible_outputs)])


_DOUBLED = ("ctx_group", "lr_mult", "wd_mult", "force_mirroring", "mirror_stage")


def _listed(attributes: Mapping[str, str]) -> dict[str, str]:
    listed = dict(attributes)
    for key in _DOUBLED:
        if f"__{key}__" in listed:
            listed[key] = listed[f"__{key}__"]
    return listed


_DTYPE_NUMBERS = {
    "float32": 0,
    "float64": 1,
    "float16": 2,
    "uint8": 3,
    "int32": 4,
    "int8": 5,
    "int64": 6,
    "bool": 7,
}


def _dtype_number(dtype: Any) -> str:
    import numpy as np

    return str(_DTYPE_NUMBERS[np.dtype(dtype).name])


def _replace_variables(symbol: Symbol, replacements: Mapping[str, Symbol]) -> Symbol:
    names = {node.name for node in symbol.nodes_in_order if node.operator is None}
    for name, other in replacements.items():
        if name not in names:
            raise GraphError(f"There is no variable named {name!r} to replace.")
        if len(other.heads) != 1:
            raise GraphError(f"{name} is to be replaced by a tuple of {len(other.heads)} outputs; pick one.")
    new: dict[SymbolNode, Head | SymbolNode] = {}
    for node in symbol.nodes_in_order:
        if node.operator is None and node.name in replacements:
            new[node] = replacements[node.name].heads[0]
        else:
            inputs = tuple(_follow(new, head) for head in node.inputs)
            new[node] = node if inputs == node.inputs else attrs.evolve(node, inputs=inputs)
    return Symbol([_follow(new, head) for head in symbol.heads])


def _follow(new: Mapping[SymbolNode, Head | SymbolNode], head: Head) -> Head:
    target = new[head[0]]
    return (target, head[1]) if isinstance(target, SymbolNode) else target


def _combine(sign: Sign, left: object, right: object) -> Symbol:
    """Compose an operator written with a sign between symbols and numbers."""
    if isinstance(left, Symbol) and isinstance(right, Symbol):
        return _outputs(compose(sign.both, Inputs([left.heads, right.heads]), {}, hint=sign.hint))
    if isinstance(left, Symbol) and isinstance(right, (int, float)):
        op_name, symbol, number = sign.scalar, left, right
    elif isinstance(right, Symbol) and isinstance(left, (int, float)):
        op_name, symbol, number = sign.reversed, right, left
    else:
        raise TypeError(f"Cannot combine {type(left).__name__} with {type(right).__name__}.")
    settings = {"scalar": float(number)}
    return _outputs(compose(op_name, Inputs([symbol.heads]), settings, hint=scalar_hint(op_name)))


def maximum(left: Any, right: Any) -> Any:
    """Return the larger of two symbols, or of a symbol and a number, element by element."""
    if isinstance(left, Symbol) or isinstance(right, Symbol):
        return _combine(SIGNS["maximum"], left, right)
    return max(left, right)


def minimum(left: Any, right: Any) -> Any:
    """Return the smaller of two symbols, or of a symbol and a number, element by element."""
    if isinstance(left, Symbol) or isinstance(right, Symbol):
        return _combine(SIGNS["minimum"], left, right)
    return min(left, right)
