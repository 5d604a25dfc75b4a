"""What an operator is: one frozen class that declares everything the rest of the program asks about it.

The class is the parameter record; an instance holds one node's validated settings. Everything else (ports, shape rule,
forward, backward, formulas, cost, exported code, examples) is a method or a constant of the class.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypeVar, cast, dataclass_transform

import attrs
import numpy as np

from app.engine.errors import ParameterError, ShapeError
from app.engine.examples import Example
from app.engine.params import Parameter, as_text, param, parameters_of
from app.engine.settings import read_settings
from app.engine.shapes import UNKNOWN, Inferred, Shape, Shapes, element_count, merge_all
from app.engine.split import Split
from app.engine.work_space import Work, WorkSpace

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]
else:
    Array = np.ndarray

DType = np.dtype[Any]
Types = Sequence[DType | None]
Arrays = Sequence[Array]
OptionalArrays = Sequence[Array | None]
MOST_PORTS = 10_000
"""A bound on the settings that make so many inputs, outputs or layers, lest a slip of the finger eat all memory."""
Role = Literal["data", "weight", "bias", "label", "state", "auxiliary"]
GradientKind = Literal["value", "zero", "cleared", "untouched"]


@attrs.frozen
class Port:
    """One input of an operator.

    `init` is the initialiser that MXNet writes on the variable it makes for this port: "zero", "one", nothing, or its
    whole JSON text where it has settings.
    """

    name: str
    role: Role = "data"
    init: str = ""

    @property
    def made_with(self) -> dict[str, str]:
        """The attributes, beside copies of the node's own, of the variable that is made for this port."""
        if not self.init:
            return {}
        return {"__init__": self.init if self.init.startswith("[") else f'["{self.init}", {{}}]'}


@attrs.frozen
class Reads:
    """The arrays that one gradient of an operator reads: indices of inputs and outputs, and whether head gradients."""

    inputs: tuple[int, ...] = ()
    outputs: tuple[int, ...] = ()
    heads: bool = True


@attrs.define
class Run:
    """What a kernel may ask for besides its arrays.

    `train` is MXNet's is_train. `rng` is this node's own random stream. `scratch` keeps a node's work arrays between
    calls; forward and backward of one node share it. All nodes share `lent`, whose arrays are free when a call ends.
    `overwritten` tells an operator that minds it that MXNet overwrites its incoming gradient. `is_second` says that it
    computes the second half of a step, `goes_back` that a backward may follow.
    """

    train: bool
    rng: np.random.Generator
    scratch: dict[str, Any] = attrs.Factory(dict)
    lent: dict[str, Any] = attrs.Factory(dict)
    overwritten: bool = False
    is_second: bool = False
    goes_back: bool = True


@attrs.frozen
class CodeNames:
    """The names and shapes with which exported code is written for one node.

    `ins` includes auxiliary states. `grads[i]` is None where nobody asked for that gradient. `heads[k]` is None where
    the gradient of output k is not there. `params` is the name prefix under which the node may keep things.
    `overwritten` is that of `Run`.
    """

    node: str
    ins: tuple[str, ...]
    outs: tuple[str, ...]
    in_shapes: tuple[Shape, ...]
    out_shapes: tuple[Shape, ...]
    dtype: str = "float32"
    heads: tuple[str | None, ...] = ()
    grads: tuple[str | None, ...] = ()
    train: bool = True
    overwritten: bool = False


@attrs.frozen
class Operator:
    """The settings of one node and all that follows from them.

    In lists of arrays and shapes, auxiliary states follow the inputs, and hidden outputs the visible ones.
    """

    op_name: ClassVar[str] = ""
    aliases: ClassVar[tuple[str, ...]] = ()
    category: ClassVar[str] = ""
    sign: ClassVar[str] = ""
    """What the pictures write above the node (`×`, `+`), or nothing."""
    parameters: ClassVar[tuple[Parameter, ...]] = ()
    variadic: ClassVar[str] = ""
    """The parameter that counts the inputs, or nothing."""
    is_loss: ClassVar[bool] = False
    """A loss makes its own gradient, whatever head gradient comes in."""
    ignored_heads: ClassVar[frozenset[int]] = frozenset()
    """Outputs whose head gradient the backward never reads, so that nobody has to hand it in."""
    echoes: ClassVar[Mapping[int, int]] = {}
    """Inputs whose gradient MXNet reads back from another one's buffer (docs/decisions/0004)."""
    hands_on: ClassVar[bool] = False
    """Its gradients hold the numbers of the incoming one, and MXNet keeps them in the same place."""
    minds_overwriting: ClassVar[bool] = False
    """It reads the incoming gradient again after the first of its own may have taken its place in MXNet."""
    runs_back_in_vain: ClassVar[bool] = False
    """MXNet hands it the incoming gradient, and it sends zeros on (docs/decisions/0027)."""
    is_random: ClassVar[bool] = False
    only_moves: ClassVar[bool] = False
    """Nothing is computed: its outputs are numbers of its inputs, or the same whatever these are."""
    trains_otherwise: ClassVar[bool] = False
    """It computes something else in training, so it reads `Run.train`, which no other operator may."""
    examples: ClassVar[tuple[Example, ...]] = ()
    work: ClassVar[Work] = Work()
    kinds: ClassVar[str] = "biuf"
    """The kinds of element types, by numpy's letters, that its first input may have."""
    gradient_kinds: ClassVar[str] = "biuf"
    """The same for its backward."""
    reads_late: ClassVar[bool] = False
    """MXNet reads its settings only for a gradient; what is wrong with them waits in `unread` until then."""

    @property
    def unread(self) -> str:
        """Why no gradient can be had with these settings, or nothing."""
        return ""

    # Ports -------------------------------------------------------------------------------------------------------

    @property
    def inputs(self) -> tuple[Port, ...]:
        """The input ports that these settings give the node."""
        return (Port("data"),)

    @property
    def auxiliary(self) -> tuple[Port, ...]:
        """The auxiliary states, kept by the executor and not differentiated."""
        return ()

    @property
    def outputs(self) -> tuple[str, ...]:
        """Suffixes of the visible outputs: `NODE_output`."""
        return ("output",)

    @property
    def hidden(self) -> tuple[str, ...]:
        """Outputs that exist but are never listed, such as a dropout mask."""
        return ()

    @property
    def hidden_in_files(self) -> int:
        """How many hidden outputs MXNet counts in its files."""
        return len(self.hidden)

    @cached_property
    def ports(self) -> tuple[Port, ...]:
        """Inputs, then auxiliary states."""
        return self.inputs + self.auxiliary

    # Shapes and types --------------------------------------------------------------------------------------------

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Fill in what can be known, in either direction; ShapeError with a port where shapes contradict.

        The default fits everything element-wise: all arrays are alike.
        """
        known = {*ins, *outs} - {UNKNOWN}
        if len(known) > 1:
            alike = merge_all((*ins, *outs), [port.name for port in self.ports])
        else:
            alike = known.pop() if known else UNKNOWN
        return (alike,) * len(ins), (alike,) * len(outs)

    def check_known(self, ins: Shapes) -> None:
        """Refuse open sizes that MXNet cannot bear in what was told of inputs, () where nothing was; ShapeError."""

    @cached_property
    def memory(self) -> dict[Any, Any]:
        """What was once found to follow from these settings alone, kept by whoever found it under a name of its own."""
        return {}

    def infer_types(self, ins: Types, outs: Types) -> tuple[Types, Types]:
        """Fill in dtypes in either direction; the default is one type for everything."""
        found: DType | None = None
        for index, kind in enumerate((*ins, *outs)):
            if kind is None:
                continue
            if found is not None and kind != found:  # numpy takes None for float64 in a comparison
                port = self.ports[index].name if index < len(ins) else None
                raise ShapeError(f"all arrays must have one type, but {found} meets {kind}.", port=port)
            found = kind
        return (found,) * len(ins), (found,) * len(outs)

    def because(self, side: Literal["in", "out"], index: int, axis: int, ins: Shapes, outs: Shapes) -> str:
        """Say why dimension `axis` of an input or output is what it is ("num_hidden = 32"), with the final shapes.

        An empty answer leaves the sentence to the general rule, which finds what the dimension follows from by trying.
        """
        return ""

    def makes_sense(self, ins: Shapes, outs: Shapes) -> bool:
        """Tell whether settings that take these shapes would run, too, and may be meant; none others are offered."""
        return True

    # Running -----------------------------------------------------------------------------------------------------

    def forward(self, run: Run, ins: Arrays, outs: Arrays) -> None:
        """Write every output (hidden ones too) into the given buffers; inputs stay untouched."""
        raise NotImplementedError(self.op_name)

    def gradient_kind(self, index: int) -> GradientKind:
        """Tell what backward does for input `index`: a value, zeros, or nothing at all (a label's buffer).

        `cleared` is zero too, but MXNet writes it even over a buffer that asks to be added to.
        """
        return "value"

    def gradient_reads(self, index: int) -> Reads:
        """Tell which arrays the gradient of input `index` reads; others may be freed or missing in backward."""
        outputs = self.outputs + self.hidden
        return Reads(inputs=tuple(range(len(self.ports))), outputs=tuple(range(len(outputs))))

    def backward(
        self,
        run: Run,
        ins: OptionalArrays,
        outs: OptionalArrays,
        heads: OptionalArrays,
        grads: OptionalArrays,
    ) -> None:
        """Write the gradient of each input whose buffer in `grads` is not None.

        `heads` are the gradients of the visible outputs; one that nobody feeds is None and counts as zero. Arrays not
        named by `gradient_reads` of a wanted gradient are None.
        """
        raise NotImplementedError(self.op_name)

    def objective(self, ins: Arrays) -> float:
        """Return the number whose derivative a loss's own gradient is; only losses have one."""
        raise NotImplementedError(self.op_name)

    def prepare_forward(self, run: Run, ins: Arrays, outs: Arrays) -> Callable[[], object]:
        """Return a call that runs forward on these very buffers; override to do set-up work once."""
        return partial(self.forward, run, ins, outs)

    def prepare_backward(
        self,
        run: Run,
        ins: OptionalArrays,
        outs: OptionalArrays,
        heads: OptionalArrays,
        grads: OptionalArrays,
    ) -> Callable[[], object]:
        """Return a call that runs backward on these very buffers."""
        return partial(self.backward, run, ins, outs, heads, grads)

    def add_gradient(self, index: int, fresh: Array, holder: Array) -> Callable[[], object]:
        """Return the call that adds a fresh gradient to its holder, or does what MXNet does (docs/decisions/0004)."""
        return partial(np.add, holder, fresh, holder)

    def scratch(self, ins: Shapes, outs: Shapes, *, gradients: bool) -> WorkSpace:
        """Tell what kernels take beside the plan's arrays, at most, with and without backward: a bind must fit."""
        return self.work.beside(max(map(element_count, (*ins, *outs))), gradients=gradients)

    @property
    def updates_auxiliary(self) -> Literal["", "forward", "backward"]:
        """Tell which pass changes the auxiliary states (BatchNorm's moving statistics change in backward)."""
        return ""

    @property
    def inplace(self) -> tuple[tuple[int, int], ...]:
        """Pairs (input, output) that may share memory in forward."""
        return ()

    def overwrites(self, ins: Shapes) -> tuple[tuple[int, int], ...]:
        """Return those pairs of `inplace` that a plan uses for inputs of these shapes."""
        return self.inplace

    @property
    def inplace_backward(self) -> tuple[tuple[int, int], ...]:
        """Pairs (head gradient, input gradient) that may share memory in backward."""
        return ()

    def splits(self, ins: Shapes, outs: Shapes) -> Sequence[Split]:
        """Tell how a long step may be run in two halves at once, the best way first; nothing where it may not."""
        return ()

    @property
    def strips(self) -> Split | None:
        """Tell how an added gradient of inputs whose axis here is 0 may be found in parts; None where it may not."""
        return None

    # For people --------------------------------------------------------------------------------------------------

    def value_formula(self, ins: Sequence[str]) -> str:
        """Write the right-hand side of the value with the graph's own names, auxiliary states left out."""
        return f"{self.op_name}({', '.join(ins)})"

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the right-hand side of the gradient of input `index` with the graph's own names."""
        return ""

    def multiply_adds(self, ins: Shapes, outs: Shapes) -> int:
        """Count one forward; the default is one for every element of the first input or output, whichever has more."""
        return 0 if self.only_moves else max(map(element_count, (*ins[:1], *outs[:1])), default=0)

    def summary(self) -> str:
        """The few settings that a card shows ("3×3 · 8 · pad 1")."""
        return ""

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Lines of numpy that compute the outputs; they may call functions of the exporter's `numpy_parts`."""
        raise NotImplementedError(self.op_name)

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Lines of numpy that compute the wanted gradients."""
        raise NotImplementedError(self.op_name)

    def torch_code(self, n: CodeNames) -> list[str]:
        """Lines of PyTorch that compute the visible outputs, differentiable by autograd."""
        raise NotImplementedError(self.op_name)

    # Settings ----------------------------------------------------------------------------------------------------

    @classmethod
    def from_attributes(cls, attributes: Mapping[str, str]) -> Self:
        """Read settings from MXNet's attribute texts; ParameterError tells which one is wrong and why.

        Equal texts give the same object, so that its memory serves all nodes like it.
        """
        return cast(Self, read_settings(cast(Any, cls), tuple(attributes.items()), MOST_PORTS))

    def check(self) -> None:
        """Refuse settings that contradict each other; ParameterError."""

    def to_attributes(self) -> dict[str, str]:
        """Write the settings that differ from their defaults, and the required ones, as MXNet's texts."""
        return {
            parameter.name: as_text(getattr(self, parameter.name))
            for parameter in self.parameters
            if parameter.required or getattr(self, parameter.name) != parameter.default
        }


OperatorT = TypeVar("OperatorT", bound=Operator)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(param,))
def operator(
    *, name: str = "", category: str, aliases: tuple[str, ...] = (), sign: str = ""
) -> Callable[[type[OperatorT]], type[OperatorT]]:
    """Turn a class into an operator: freeze it, collect its parameters, and enter it in the registry."""

    def declare(cls: type[OperatorT]) -> type[OperatorT]:
        frozen = attrs.frozen(cls)
        frozen.op_name = name or cls.__name__
        frozen.category = category
        frozen.aliases = aliases
        frozen.sign = sign
        frozen.parameters = parameters_of(frozen)
        declared.append(frozen)
        return frozen

    return declare


declared: list[type[Operator]] = []
"""Operator classes in the order their modules were imported; only the registry reads it."""


def refuse(condition: bool, sentence: str, *, port: str | None = None) -> None:
    """Raise ParameterError(sentence) when `condition` holds."""
    if condition:
        raise ParameterError(sentence, port=port)
