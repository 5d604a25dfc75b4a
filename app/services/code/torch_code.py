"""A document as a PyTorch module with the same weights, and a check of its outputs and gradients."""

from pathlib import Path

import numpy as np

from app.document.analysis import Analysis
from app.engine.gradient import ExecutorNode
from app.engine.graph import Graph
from app.engine.operator import CodeNames, Operator
from app.engine.planning.plan import Step
from app.services.code.files import export_program
from app.services.code.frame import (
    PREVIEW_NUMBERS,
    add,
    add_numbers_function,
    heading,
    preview_numbers,
    quoted,
    small_gradients,
)
from app.services.code.lines import CodeLines, CodeText
from app.services.code.names import literal
from app.services.code.parts import names_in, needed_parts, parts
from app.services.code.program import Program, make_program
from app.services.code.stored import Stored

LEARNED = ("weight", "bias")
GRADIENTS = ("head_gradient", "gradient", "gradient_sum")
RANDOM_WORDS = ("rand", "dropout", "uniform_", "normal_")

OWN_NAMES = frozenset(
    {"np", "torch", "nn", "F", "Path", "Net", "self", "numbers", "agree", "main", "found", "stored", "model"}
    | {"WEIGHTS", "INPUTS", "OUTPUTS", "SKIPPED"}
)
MODULE_NAMES = frozenset(
    {
        *(
            "T_destination",
            "add_module",
            "apply",
            "bfloat16",
            "buffers",
            "call_super_init",
            "children",
            "compile",
        ),
        *("cpu", "cuda", "double", "dump_patches", "eval", "extra_repr", "float", "forward", "get_buffer"),
        *("get_extra_state", "get_parameter", "get_submodule", "half", "ipu", "load_state_dict", "modules"),
        *("mtia", "named_buffers", "named_children", "named_modules", "named_parameters", "parameters"),
        *("register_buffer", "register_forward_hook", "register_module", "register_parameter"),
        *(
            "requires_grad_",
            "set_extra_state",
            "set_submodule",
            "share_memory",
            "state_dict",
            "to",
            "to_empty",
        ),
        *("train", "training", "type", "xpu", "zero_grad"),
    }
)
"""What a module has already, so that no weight may be called so."""

_AGREE = '''

def agree(got, want):
    """Tell whether two tensors hold the same numbers, but for rounding; no gradient at all counts as zeros."""
    got = torch.zeros_like(want) if got is None else got.detach().to(want.dtype)
    return got.shape == want.shape and torch.allclose(got, want, rtol=1e-3, atol=1e-4, equal_nan=True)'''

_MAIN = '''

def main():
    """Run everything, print the outputs, and compare all numbers with the stored ones."""
    torch.set_printoptions(threshold=20, precision=6, sci_mode=False)
    stored = numbers()'''

_RUN = """    found = dict(zip(OUTPUTS, outputs))
    for key, output in found.items():
        print(f"{key.partition(':')[2]} = {output.detach()}")"""

_BACKWARD = """    heads = [stored[f"head:{number}"] for number in range(len(outputs))]
    pairs = [(output, head) for output, head in zip(outputs, heads) if output.requires_grad]
    if pairs:
        torch.autograd.backward(*zip(*pairs))"""

_COMPARE = """    wrong = [key for key, tensor in found.items() if not agree(tensor, stored[key])]
    print(f"{len(found) - len(wrong)} of {len(found)} tensors agree with the stored ones.")
    if wrong:
        print(f"Different: {', '.join(wrong)}")
    return len(wrong)


if __name__ == "__main__":
    raise SystemExit(main())"""


def write(analysis: Analysis) -> CodeText:
    """Return the program of a document as it would be exported; EngineError while it cannot be bound."""
    return _write(analysis, preview_numbers(analysis), PREVIEW_NUMBERS)


def export(analysis: Analysis, path: Path, folder: Path | None = None) -> list[Path]:
    """Write the program to a file, its numbers beside it where they are many, and return what was written."""
    return export_program(analysis, path, folder, _write)


def learned(graph: Graph) -> list[int]:
    """Return the arguments that a module keeps as its parameters: those that a layer takes as weight or bias."""
    found = []
    for index in graph.arguments:
        operators = [(graph.nodes[reader].operator, number) for reader, number in graph.consumers[index]]
        if any(
            operator is not None and operator.ports[number].role in LEARNED for operator, number in operators
        ):
            found.append(index)
    return found


def _write(analysis: Analysis, stored: Stored | None, numbers_file: str) -> CodeText:
    return _Writer(analysis, stored, numbers_file).write()


def _forward(operator: Operator, names: CodeNames) -> list[str]:
    return operator.torch_code(names)


class _Writer:
    """Writes one program."""

    def __init__(self, analysis: Analysis, stored: Stored | None, numbers_file: str) -> None:
        graph = analysis.graph
        self.own = set(learned(graph)) | set(graph.auxiliary) if graph is not None else set()
        reserved = OWN_NAMES | MODULE_NAMES | frozenset(parts("torch"))
        self.program: Program = make_program(analysis, reserved, self._spell)
        self.graph = self.program.graph
        self.stored = stored
        self.numbers_file = numbers_file
        self.lines = CodeLines()
        self.weights = [index for index in self.graph.arguments if index in self.own]
        self.inputs = [index for index in self.graph.arguments if index not in self.own]
        self.forward = {step: self._step_lines(step, train=True) for step in self.program.forward_steps}
        self.predict = {step: self._step_lines(step, train=False) for step in self.program.forward_steps}
        steps = self.forward if analysis.document.options.train else self.predict
        self._lines_by_node = {step.symbol_node: lines for step, lines in steps.items()}
        self.skipped = self.program.keys_after(self._is_incomparable)

    def write(self) -> CodeText:
        """Return the whole program."""
        body = [line for steps in (self.forward, self.predict) for lines in steps.values() for line in lines]
        copied = needed_parts("torch", body)
        in_file = self.stored is None or not self.stored.is_small
        self.lines.add(heading(self.program.analysis, "PyTorch"))
        self.lines.gap()
        if in_file:
            self.lines.add("from pathlib import Path\n\nimport numpy as np")
        self.lines.add("import torch")
        uses_functions = any("F" in names_in(line) for line in body) or any(
            "F" in part.names for part in copied
        )
        if uses_functions:
            self.lines.add("import torch.nn.functional as F")
        self.lines.add("from torch import nn")
        for part in copied:
            self.lines.add(f"\n\n{part.source}")
        self._write_module()
        self._write_constants()
        add_numbers_function(self.lines, self.stored, self.numbers_file, "torch")
        self._write_main()
        return self.lines.done()

    # Steps -------------------------------------------------------------------------------------------------------

    def _spell(self, index: int, name: str) -> str:
        return f"self.{name}" if index in self.own else name

    def _step_lines(self, step: Step, *, train: bool) -> list[str]:
        names = self.program.code_names(step.symbol_node, train=train)
        return self.program.lines(step.symbol_node, _forward, names)

    def _is_incomparable(self, node: ExecutorNode) -> bool:
        """Tell whether a node draws random numbers, or is a gradient that PyTorch lacks; none at all is zeros."""
        if node.kind != "operator":
            return node.kind in GRADIENTS and node.dtype.kind != "f" and not node.is_zero
        lines = self._lines_by_node[node.symbol_node]
        sources = [part.source for part in needed_parts("torch", lines)]
        return any(word in text for text in (*lines, *sources) for word in RANDOM_WORDS)

    # The module --------------------------------------------------------------------------------------------------

    def _write_module(self) -> None:
        self.lines.add("\n\nclass Net(nn.Module):")
        self.lines.add(
            '    """The graph as a module; what it learns and keeps belongs to it, the rest comes in."""'
        )
        if self.own:
            self.lines.add("\n    def __init__(self):")
            self.lines.add('        """Make room for the weights, which load_state_dict fills."""')
            self.lines.add("        super().__init__()")
            for index in self.weights:
                self._add(f"{self.program.name(index)} = nn.Parameter({self._room(index)})", 8, index)
            for index in self.graph.auxiliary:
                name = self.program.name(index).removeprefix("self.")
                self._add(f'self.register_buffer("{name}", {self._room(index)})', 8, index)
        self.lines.gap()
        self._add(f"def forward({', '.join(['self', *(self.program.name(i) for i in self.inputs)])}):", 4)
        several = "the outputs" if len(self.graph.heads) > 1 else "the output"
        self.lines.add(f'        """Return {several}."""')
        for step, lines in self.forward.items():
            self._write_step(step, lines, self.predict[step])
        self._add(f"return {', '.join(self.program.values[head] for head in self.graph.heads)}", 8)

    def _write_step(self, step: Step, training: list[str], predicting: list[str]) -> None:
        if training == predicting:
            for line in training:
                self._add(line, 8, step.symbol_node)
            return
        for condition, lines in (("if self.training:", training), ("else:", predicting)):
            self._add(condition, 8, step.symbol_node)
            for line in lines:
                self._add(line, 12, step.symbol_node)

    def _room(self, index: int) -> str:
        shape = ", ".join(literal(size) for size in self.program.inference.shape((index, 0)))
        dtype = self.program.inference.settled_dtype((index, 0))
        return (
            f"torch.empty({shape})"
            if dtype == np.float32
            else f"torch.empty({shape}, dtype=torch.{dtype.name})"
        )

    # The check ---------------------------------------------------------------------------------------------------

    def _write_constants(self) -> None:
        self.lines.add("\n")
        if self.own:
            keys = {self.program.name(index): f"arg:{self._name(index)}" for index in self.weights}
            keys |= {self.program.name(index): f"aux:{self._name(index)}" for index in self.graph.auxiliary}
            items = (f'"{name.removeprefix("self.")}": {quoted([key])[1:-1]}' for name, key in keys.items())
            self._add(f"WEIGHTS = {{{', '.join(items)}}}")
        self._add(f"INPUTS = {quoted([f'arg:{self._name(index)}' for index in self.inputs])}")
        self._add(f"OUTPUTS = {quoted(self.program.output_keys)}")
        if self.skipped:
            self.lines.add(
                "# Not compared: random numbers are drawn anew, and whole numbers have no gradient here."
            )
            self._add(f"SKIPPED = {quoted(self.skipped)}")

    def _write_main(self) -> None:
        self.lines.add(_AGREE)
        self.lines.add(_MAIN)
        self.lines.add("    model = Net()")
        if self.own:
            self.lines.add("    model.load_state_dict({name: stored[key] for name, key in WEIGHTS.items()})")
        train = self.program.analysis.document.options.train
        self.lines.add("    model.train()" if train else "    model.eval()")
        for node in self.program.holders:
            if node.entry[0] not in self.own and node.dtype.kind == "f":
                self._add(f"stored[{quoted([f'arg:{self._name(node.entry[0])}'])[1:-1]}].requires_grad_()", 4)
        call = "model(*[stored[key] for key in INPUTS])"
        self.lines.add(f"    outputs = {call}" if len(self.graph.heads) > 1 else f"    outputs = [{call}]")
        self.lines.add(_RUN)
        if self._has_backward():
            self.lines.add(_BACKWARD)
            for node, key in zip(self.program.holders, self.program.gradient_keys, strict=True):
                self._add(f"found[{quoted([key])[1:-1]}] = {self._tensor(node.entry[0])}.grad", 4)
            self.lines.add(small_gradients("gradient is not None and gradient.numel()"))
        for index in self._moved_states():
            self._add(f"found[{quoted([f'after:{self._name(index)}'])[1:-1]}] = {self._tensor(index)}", 4)
        if self.skipped:
            self.lines.add("    found = {key: tensor for key, tensor in found.items() if key not in SKIPPED}")
        self.lines.add(_COMPARE)

    def _has_backward(self) -> bool:
        """MXNet's backward is always that of training, PyTorch's that of the mode, so they may not be compared."""
        train = self.program.analysis.document.options.train
        return bool(self.program.holders) and (train or self.forward == self.predict)

    def _moved_states(self) -> list[int]:
        """Return the auxiliary states that MXNet changes in backward; PyTorch changes them in forward already."""
        if not self._has_backward():
            return []
        differentiated = {step.symbol_node for step in self.program.backward_steps if step.kind == "backward"}
        return [
            index
            for index in self.graph.auxiliary
            if any(reader in differentiated for reader, _ in self.graph.consumers[index])
        ]

    def _tensor(self, index: int) -> str:
        if index in self.own:
            return "model." + self.program.name(index).removeprefix("self.")
        return f"stored[{quoted([f'arg:{self._name(index)}'])[1:-1]}]"

    def _name(self, index: int) -> str:
        return self.graph.nodes[index].name

    def _add(self, text: str, indent: int = 0, node: int | None = None) -> None:
        add(self.lines, text, indent, () if node is None else tuple(self.program.about(node)))
