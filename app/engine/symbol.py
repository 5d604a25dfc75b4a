"""Symbols: handles on nodes that compose into larger ones, with MXNet's names and rules."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from numbers import Integral, Real
from operator import index
from typing import TYPE_CHECKING, Any

import attrs

from app.engine.calling import inputs_of_call, refuse_no_symbols, settings_of_call, takes_none
from app.engine.compose import Head, Inputs, SymbolNode, compose, depth_first, flatten
from app.engine.errors import GraphError, NoSuchOutput, WrongOperand
from app.engine.graph import VARIABLE_OP, Graph
from app.engine.inferring import Inferring
from app.engine.naming import AttrScope, kept_as, with_bare_keys
from app.engine.nearby import listed, quoted_value
from app.engine.registry import find_operator
from app.engine.shapes import Shape
from app.engine.signs import SIGNS, Sign, Signs, scalar_hint
from app.engine.taking import (
    take_attributes,
    take_name,
    take_number,
    take_text,
)
from app.engine.variables import variable_attributes

if TYPE_CHECKING:
    from app.engine.executor import Executor


class Symbol(Signs, Inferring):
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
        take_text(key, "An attribute's name")
        attributes = self.heads[0][0].attributes
        return attributes.get(key, attributes.get(kept_as(key)))

    def list_attr(self) -> dict[str, str]:
        """Return the node's attributes; the well-known ones also without underscores."""
        return with_bare_keys(self.heads[0][0].attributes)

    def attr_dict(self) -> dict[str, dict[str, str]]:
        """Return every node's attributes by node name."""
        return {node.name: with_bare_keys(node.attributes) for node in self.nodes_in_order if node.attributes}

    # Composing ---------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        """Return the number of outputs."""
        return len(self.heads)

    def __iter__(self) -> Iterator["Symbol"]:
        """Iterate over the single outputs."""
        return (Symbol([head]) for head in self.heads)

    def __getitem__(self, which: int | str | slice) -> "Symbol":
        """Pick one output by number or by its exact name, or a group of them by a slice."""
        if isinstance(which, slice):
            return Symbol(self.heads[which])
        if isinstance(which, str):
            names = self.list_outputs()
            return Symbol([self.heads[names.index(take_name(which, "output", names))]])
        count = len(self.heads)
        try:
            place = index(which)
        except TypeError:
            words = f"An output is picked by its number or name, not by {quoted_value(which)}."
            raise WrongOperand(words) from None
        if not -count <= place < count:
            names = self.list_outputs()
            have = f"has {count} outputs, numbered from 0" if count > 1 else "has only output 0"
            raise NoSuchOutput(
                f"There is no output {quoted_value(place)}: {self.name or 'the group'} {have} ({listed(names)})."
            )
        return Symbol([self.heads[place]])

    def __call__(self, *others: object, name: str | None = None, **replacements: "Symbol") -> "Symbol":
        """Return this computation with some variables, by their own names, replaced by other symbols.

        With a `name` for the node that its first output comes from.
        """
        if others:
            raise GraphError(
                f"Say which variable is replaced, like net(data=other). There are: {listed(self.list_inputs())}."
            )
        return _replace_variables(self, replacements, name and take_text(name, "A node's name"))

    def __repr__(self) -> str:
        """Name the symbol or list its outputs."""
        return f"<Symbol {self.name or 'group [' + ', '.join(self.list_outputs()) + ']'}>"

    def _combine(self, sign: Sign, left: object, right: object) -> "Symbol":
        return _combine(sign, left, right)

    def __abs__(self) -> "Symbol":
        """Return the absolute value."""
        return make_node("abs", self)

    # Binding ------------------------------------------------------------------------------------------------------

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

        given = {} if shapes is None else shapes
        return simple_bind(self, given, grad_req, dtypes, BindOptions(seed, keep_all, backend, device))


def Variable(  # noqa: N802, PLR0913 - MXNet's own name and keywords
    name: str,
    *,
    attr: Mapping[str, str] | None = None,
    shape: Shape | None = None,
    dtype: Any = None,
    init: str | None = None,
    lr_mult: float | str | None = None,
    wd_mult: float | str | None = None,
    stype: str | None = None,
    **attributes: Any,
) -> Symbol:
    """Make a symbol that stands for an array given later; the keywords become attributes such as `__shape__`."""
    own = variable_attributes(
        name,
        attributes,
        attr=attr,
        shape=shape,
        lr_mult=lr_mult,
        wd_mult=wd_mult,
        dtype=dtype,
        init=init,
        stype=stype,
    )
    return Symbol([(SymbolNode(name, VARIABLE_OP, None, AttrScope.collect(own)), 0)])


def Group(symbols: Sequence[Symbol]) -> Symbol:  # noqa: N802 - MXNet's own name
    """Make one symbol with the outputs of several, in their order; groups flatten."""
    if isinstance(symbols, Mapping) or not isinstance(symbols, Iterable):
        raise GraphError(f"A group is made of a list of symbols, not of {quoted_value(symbols)}.")
    symbols = list(symbols)
    for place, symbol in enumerate(symbols):
        if not isinstance(symbol, Symbol):
            raise GraphError(
                f"A group takes nothing but symbols, but item {place} is {quoted_value(symbol)}."
            )
    return Symbol([head for symbol in symbols for head in symbol.heads])


def node_maker(op_name: str, hint: str | None = None) -> Callable[..., Symbol]:
    """Return the function that composes nodes of one operator; `hint` is the stem of automatic names, if another."""

    def make(
        *inputs: Symbol | None,
        name: str | None = None,
        attr: Mapping[str, Any] | None = None,
        **keywords: Any,
    ) -> Symbol:
        """Compose one operator node: symbols among the keywords are inputs by port name, the rest are settings."""
        where = op_name if name is None else take_text(name, f"name of {op_name}")
        operator = find_operator(op_name)
        for place, symbol in enumerate(inputs):
            missing = symbol is None and takes_none(operator)
            if not missing and not isinstance(symbol, Symbol):
                raise GraphError(_no_symbol(f"input {place} of {where}", symbol))
        named = {key: value.heads for key, value in keywords.items() if isinstance(value, Symbol)}
        others = {key: value for key, value in keywords.items() if not isinstance(value, Symbol)}
        refuse_no_symbols(operator, where, others)
        settings = settings_of_call(operator, where, {**take_attributes(attr, f"attr of {where}"), **others})
        ordered = [None if symbol is None else symbol.heads for symbol in inputs]
        given = inputs_of_call(ordered, named)
        return _outputs(compose(op_name, given, settings, name=name, hint=hint))

    return make


def make_node(op_name: str, *inputs: Symbol, **keywords: Any) -> Symbol:
    """Compose one operator node, named after its operator as it is called here."""
    return node_maker(op_name)(*inputs, **keywords)


def _no_symbol(what: str, given: object) -> str:
    """Say that something else stands where a symbol must, and what to write instead."""
    if isinstance(given, (list, tuple)) and given and all(isinstance(each, Symbol) for each in given):
        return (
            f"{what} is a {type(given).__name__} of symbols; hand them in one by one, with a star before it."
        )
    return f"{what} must be a symbol, not {quoted_value(given)}.{_for_arrays(given)}"


def _for_arrays(given: object) -> str:
    return " Write a Variable in its place and bind the array to that." if hasattr(given, "shape") else ""


def _outputs(node: SymbolNode) -> Symbol:
    return Symbol([(node, number) for number in range(node.visible_outputs)])


def _replace_variables(symbol: Symbol, replacements: Mapping[str, Symbol], called: str | None) -> Symbol:
    names = symbol.list_inputs()
    for name, other in replacements.items():
        take_name(name, "variable", names)
        if not isinstance(other, Symbol):
            raise GraphError(_no_symbol(f"what replaces {name}", other))
        if len(other.heads) != 1:
            raise GraphError(
                f"{name} is to be replaced by one output, but {other!r} has {len(other.heads)}; pick one with [i]."
            )
    first = symbol.heads[0][0]
    new: dict[SymbolNode, Head | SymbolNode] = {}
    for node in symbol.nodes_in_order:
        if node.operator is None and node.name in replacements:
            new[node] = replacements[node.name].heads[0]
        else:
            inputs = tuple(_follow(new, head) for head in node.inputs)
            waits_for = tuple(_follow(new, (other, 0))[0] for other in node.control_deps)
            name = called if called and node is first else node.name
            same = (name, inputs, waits_for) == (node.name, node.inputs, node.control_deps)
            new[node] = node if same else attrs.evolve(node, name=name, inputs=inputs, control_deps=waits_for)
    return Symbol([_follow(new, head) for head in symbol.heads])


def _follow(new: Mapping[SymbolNode, Head | SymbolNode], head: Head) -> Head:
    target = new[head[0]]
    return (target, head[1]) if isinstance(target, SymbolNode) else target


def _combine(sign: Sign, left: object, right: object) -> Symbol:
    """Compose an operator written with a sign between symbols and numbers."""
    if isinstance(left, Symbol) and isinstance(right, Symbol):
        return _outputs(compose(sign.both, Inputs([left.heads, right.heads]), {}, hint=sign.hint))
    if isinstance(left, Symbol) and isinstance(right, Real):
        op_name, symbol, number, hint = sign.scalar, left, right, ""
    elif isinstance(right, Symbol) and isinstance(left, Real):
        op_name, symbol, number, hint = sign.reversed, right, left, sign.reversed_hint
    else:
        raise WrongOperand(_no_operand(*((left, right) if isinstance(left, Symbol) else (right, left))))
    taken = take_number(number, f"The number beside {symbol!r}")
    kind: object = type(number)
    scalar = number if isinstance(number, Integral) and kind is not bool else taken  # 2 stays "2"
    hint = hint or scalar_hint(op_name)
    return _outputs(compose(op_name, Inputs([symbol.heads]), {"scalar": scalar}, hint=hint))


def _no_operand(symbol: object, other: object) -> str:
    what = f"{symbol!r} can be combined with a symbol or a number, not with {quoted_value(other)}."
    return what + _for_arrays(other)


def maximum(left: Any, right: Any) -> Any:
    """Return the larger of two symbols, or of a symbol and a number, element by element."""
    return _with_sign("maximum", left, right, max)


def minimum(left: Any, right: Any) -> Any:
    """Return the smaller of two symbols, or of a symbol and a number, element by element."""
    return _with_sign("minimum", left, right, min)


def power(base: Any, exponent: Any) -> Any:
    """Raise a symbol or a number to the power of another, element by element."""
    return _with_sign("pow", base, exponent, pow)


def hypot(left: Any, right: Any) -> Any:
    """Return the long side of right triangles with these short sides, element by element."""
    return _with_sign("hypot", left, right, math.hypot)


def _with_sign(name: str, left: Any, right: Any, plain: Callable[[Any, Any], Any]) -> Any:
    if isinstance(left, Symbol) or isinstance(right, Symbol):
        return _combine(SIGNS[name], left, right)
    return plain(left, right)
