"""The running half of a Symbol-API program: bind or simple_bind, values, forward, backward."""

import attrs

from app.document.analysis import Analysis
from app.document.constants import constant_fault, parse_constant
from app.document.records import Binding, Head, Id
from app.engine.gradient import differentiated_nodes, ignores_head_gradient
from app.engine.graph import Graph
from app.engine.inference.infer import Inference
from app.engine.nearby import listed
from app.engine.shapes import Shape
from app.services.code.lines import CodeLines
from app.services.code.names import Identifiers, identifier, literal
from app.services.code.symbol_broken import remark
from app.services.code.symbol_values import WEIGHT, filled, in_place, is_short, value
from app.services.proposals import propose_request
from app.services.running import request_of
from app.services.values import ValueShapes

MOST_ARRAYS = 8
"""Up to so many arguments, each a short constant, are bound by hand as in the pictures."""


@attrs.frozen
class Subject:
    """What is bound: the expression for it, and a short name for each of its outputs."""

    text: str
    outputs: tuple[str, ...]


class RunLines:
    """Writes the lines that bind a graph, give it its values, and run it."""

    def __init__(self, analysis: Analysis, lines: CodeLines, names: Identifiers) -> None:
        bound = analysis.bound
        assert bound is not None
        self.analysis = analysis
        self.document = analysis.document
        self.graph: Graph = bound.graph
        self.inference: Inference = bound.inference
        self.lines = lines
        self.names = names
        self.variables = (*self.graph.arguments, *self.graph.auxiliary)
        self.requests = {
            index: request_of(self.document, self._name(index)) for index in self.graph.arguments
        }

    def write(self, subject: Subject) -> None:
        """Write everything, or one line on what is missing before it can be bound."""
        missing = self._missing()
        if missing:
            self.lines.add(remark(f"Not bound yet: {missing}"))
            return
        if self._is_small():
            self._bind(subject)
        else:
            self._simple_bind(subject)
        self.lines.gap()
        self.lines.add(
            "executor.forward(is_train=True)" if self.document.options.train else "executor.forward()"
        )
        for number, (index, _) in enumerate(self.graph.heads):
            self.lines.add(f"print(executor.outputs[{number}])", self._about(index))
        if self._has_backward():
            self.lines.gap()
            self._backward(subject)

    def _missing(self) -> str:
        for problem in self.analysis.errors:
            return problem.sentence
        names = self.analysis.open_arguments
        if len(names) == 1:
            return f"the shape of {names[0]} is still open."
        return f"the shapes of {listed(names)} are still open." if names else ""

    # What a variable is ------------------------------------------------------------------------------------------

    def _name(self, index: int) -> str:
        return self.graph.nodes[index].name

    def _about(self, index: int) -> list[Id]:
        key = self.analysis.node_ids.get(index)
        return [] if key is None else [key]

    def _binding(self, index: int) -> Binding:
        return self.document.bindings.get(self._name(index)) or Binding(self._name(index))

    def _shape(self, index: int) -> Shape:
        return self.inference.shape((index, 0))

    def _dtype(self, index: int) -> str:
        found = self.inference.dtype((index, 0))
        return "float32" if found is None else found.name

    def _dtype_word(self, index: int) -> str:
        dtype = self._dtype(index)
        return "" if dtype == "float32" else f", dtype={dtype!r}"

    # bind --------------------------------------------------------------------------------------------------------

    def _is_small(self) -> bool:
        bindings = [self._binding(index) for index in self.variables]
        return len(bindings) <= MOST_ARRAYS and all(
            binding.kind == "constant" and is_short(binding) for binding in bindings
        )

    def _bind(self, subject: Subject) -> None:
        arrays = {index: self._array_name(self._name(index)) for index in self.variables}
        for index, name in arrays.items():
            self.lines.add(f"{name} = {self._array(index)}", self._about(index))
        wanted = [index for index, word in self.requests.items() if word != "null"]
        gradients = {index: self.names.take(f"g{arrays[index]}") for index in wanted}
        for index, name in gradients.items():
            zeros = f"mx.nd.zeros({literal(self._shape(index))}{self._dtype_word(index)})"
            self.lines.add(f"{name} = {zeros}", self._about(index))
        words = ["ctx=mx.cpu()", f"args={self._dictionary(arrays, self.graph.arguments)}"]
        if gradients:
            words.append(f"args_grad={self._dictionary(gradients, tuple(gradients))}")
        if any(self.requests[index] == "add" for index in gradients):
            words.append(f"grad_req={ {self._name(index): self.requests[index] for index in gradients}!r}")
        if self.graph.auxiliary:
            words.append(f"aux_states={self._dictionary(arrays, self.graph.auxiliary)}")
        self.lines.call(f"executor = {subject.text}.bind(", words)

    def _array_name(self, name: str) -> str:
        lower = name.lower()
        return self.names.take(lower if lower != name else f"{name}_array")

    def _dictionary(self, texts: dict[int, str], indices: tuple[int, ...]) -> str:
        return "{" + ", ".join(f"{self._name(index)!r}: {texts[index]}" for index in indices) + "}"

    def _array(self, index: int) -> str:
        array = parse_constant(self._binding(index).value)
        if array.ndim:
            return f"mx.nd.array({array.tolist()!r}{self._dtype_word(index)})"
        return filled(float(array), literal(self._shape(index)), self._dtype_word(index))

    # simple_bind -------------------------------------------------------------------------------------------------

    def _simple_bind(self, subject: Subject) -> None:
        self._request_lines(subject)
        given = [index for index in self.variables if self.inference.is_given((index, 0))]
        plain = [index for index in given if identifier(self._name(index)) == self._name(index)]
        words = ["ctx=mx.cpu()", *(f"{self._name(index)}={literal(self._shape(index))}" for index in plain)]
        odd = {self._name(index): self._shape(index) for index in given if index not in plain}
        types = {self._name(index): self._dtype(index) for index in given if self._dtype(index) != "float32"}
        words.append("grad_req=requests")
        if types:
            words.append(f"type_dict={types!r}")
        if odd:
            words.append(f"**{odd!r}")
        self.lines.call(f"executor = {subject.text}.simple_bind(", words)
        if any(self._binding(index).kind == "dataset" for index in self.variables):
            self.lines.add("digits = np.load('digits.npz')  # the images that come with Chalkgraph")
        shapes = self.analysis.value_shape
        folder = shapes.folder if isinstance(shapes, ValueShapes) else None
        values = [
            value(self._binding(index), index, self.inference, self.document.options, folder)
            for index in self.variables
        ]
        if any(found.initializer for found in values):
            self.lines.add(WEIGHT)
        for index, found in zip(self.variables, values, strict=True):
            kind = "aux_dict" if index in self.graph.auxiliary else "arg_dict"
            text = in_place(f"executor.{kind}[{self._name(index)!r}]", found)
            if text:
                self.lines.add(text, self._about(index))

    def _request_lines(self, subject: Subject) -> None:
        self.lines.add("# arguments with data or label in their names get no gradient")
        self.lines.add(
            "requests = {name: 'null' if 'data' in name or 'label' in name else 'write'\n"
            f"            for name in {subject.text}.list_arguments()}}"
        )
        for index, word in self.requests.items():
            if word != propose_request(self._name(index)):
                self.lines.add(f"requests[{self._name(index)!r}] = {word!r}", self._about(index))

    # backward ----------------------------------------------------------------------------------------------------

    def _has_backward(self) -> bool:
        on_path = differentiated_nodes(self.graph, {self._name(i): word for i, word in self.requests.items()})
        return any(on_path[index] for index, _ in self.graph.heads)

    def _backward(self, subject: Subject) -> None:
        heads = self.graph.heads
        for number, (index, _) in enumerate(heads):
            fault = constant_fault(self._said_gradient(number))
            if fault:
                name = self.graph.output_names[number]
                self.lines.add(
                    remark(f"No backward yet: the gradient of {name}: {fault}"), self._about(index)
                )
                return
        if all(ignores_head_gradient(self.graph, head) for head in heads):
            self.lines.add("executor.backward()", self._about(heads[0][0]))
        else:
            texts = [self._head_gradient(number, subject) for number in range(len(heads))]
            whole = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
            self.lines.call("executor.backward(", [f"out_grads={whole}"], self._about(heads[0][0]))
        for index, word in self.requests.items():
            if word != "null":
                self.lines.add(f"print(executor.grad_dict[{self._name(index)!r}])", self._about(index))

    def _said_gradient(self, number: int) -> str:
        name = self.graph.output_names[number]
        return self.document.heads.get(name, Head(name)).gradient

    def _head_gradient(self, number: int, subject: Subject) -> str:
        """Return what to hand in for one output, after a line that makes it where the document says it."""
        index = self.graph.heads[number][0]
        ones = f"mx.nd.ones_like(executor.outputs[{number}])"
        said = self._said_gradient(number)
        if said.strip() == "1":
            return ones
        array = parse_constant(said)
        text = f"{ones} * {literal(float(array))}" if array.ndim == 0 else f"mx.nd.array({array.tolist()!r})"
        if array.ndim == 0:
            text = filled(float(array), literal(self.inference.shape(self.graph.heads[number])), "")
        name = self.names.take(f"g{subject.outputs[number].lower()}")
        self.lines.add(f"{name} = {text}", self._about(index))
        return name
