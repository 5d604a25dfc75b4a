"""A document as a numpy program that needs nothing else: forward, backward, and a check of its own numbers."""

from pathlib import Path

from app.document.analysis import Analysis
from app.engine.gradient import ExecutorNode
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
from app.services.code.parts import names_in, names_set_by, needed_parts, parts
from app.services.code.program import Program, make_program
from app.services.code.stored import Stored

OWN_NAMES = frozenset(
    {"np", "Path", "forward", "backward", "numbers", "agree", "main", "outputs", "kept"}
    | {"ARGUMENTS", "STATES", "HEADS", "OUTPUTS", "GRADIENTS", "SKIPPED"}
)

_AGREE = '''

def agree(got, want):
    """Tell whether two arrays hold the same numbers, but for rounding."""
    return got.shape == want.shape and np.allclose(got, want, rtol=1e-3, atol=1e-4, equal_nan=True)'''

_MAIN = '''

def main():
    """Run everything, print the outputs, and compare all numbers with the stored ones."""
    np.set_printoptions(threshold=20, precision=6, suppress=True)
    stored = numbers()'''

_PRINT = """    found = dict(zip(OUTPUTS, outputs))
    for key, output in found.items():
        print(f"{key.partition(':')[2]} = {output}")"""

_COMPARE = """    wrong = [key for key, array in found.items() if not agree(array, stored[key])]
    print(f"{len(found) - len(wrong)} of {len(found)} arrays agree with the stored ones.")
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


def _write(analysis: Analysis, stored: Stored | None, numbers_file: str) -> CodeText:
    program = make_program(analysis, OWN_NAMES | frozenset(parts("numpy")))
    return _Writer(program, stored, numbers_file).write()


def _forward(operator: Operator, names: CodeNames) -> list[str]:
    return operator.numpy_code(names)


def _backward(operator: Operator, names: CodeNames) -> list[str]:
    return operator.numpy_gradient_code(names)


class _Writer:
    """Writes one program."""

    def __init__(self, program: Program, stored: Stored | None, numbers_file: str) -> None:
        self.program = program
        self.graph = program.graph
        self.stored = stored
        self.numbers_file = numbers_file
        self.train = program.analysis.document.options.train
        self.lines = CodeLines()
        self.forward = {step: self._forward_lines(step) for step in program.forward_steps}
        self._lines_by_node = {step.symbol_node: lines for step, lines in self.forward.items()}
        self.backward = {step: self._backward_lines(step) for step in program.backward_steps}
        self.kept = self._kept()
        self.skipped = program.keys_after(self._draws)

    def write(self) -> CodeText:
        """Return the whole program."""
        body = [line for steps in (self.forward, self.backward) for lines in steps.values() for line in lines]
        self.lines.add(heading(self.program.analysis, "numpy"))
        self.lines.gap()
        if self.stored is None or not self.stored.is_small:
            self.lines.add("from pathlib import Path\n")
        self.lines.add("import numpy as np")
        for part in needed_parts("numpy", body):
            self.lines.add(f"\n\n{part.source}")
        self._write_forward()
        if self.backward:
            self._write_backward()
        self._write_constants()
        add_numbers_function(self.lines, self.stored, self.numbers_file, "numpy")
        self._write_main()
        return self.lines.done()

    # Steps -------------------------------------------------------------------------------------------------------

    def _forward_lines(self, step: Step) -> list[str]:
        names = self.program.code_names(step.symbol_node, train=self.train)
        return self.program.lines(step.symbol_node, _forward, names)

    def _backward_lines(self, step: Step) -> list[str]:
        program, nodes = self.program, self.program.executor_graph.nodes
        if step.kind == "backward":
            return self._gradient_lines(step)
        index = step.writes[0].node
        target = program.gradients[index]
        if step.kind == "zero":
            return [f"{target} = np.zeros_like({program.values[nodes[index].entry]})"]
        return [f"{target} = {' + '.join(program.gradients[key.node] for key in step.reads)}"]

    def _own_lines(self, index: int) -> list[str]:
        """Return the forward lines of one operator."""
        return self._lines_by_node[index]

    def _gradient_lines(self, step: Step) -> list[str]:
        """As in MXNet, backward is that of training, unless it would read what predicting did not write."""
        index = step.symbol_node
        names = self.program.code_names(index, train=True, step=step)
        lines = self.program.lines(index, _backward, names)
        written = {name for line in self._own_lines(index) for name in names_set_by(line)}
        unwritten = set(names.outs) - written
        if self.train or not any(unwritten & names_in(line) for line in lines):
            return lines
        return self.program.lines(index, _backward, self.program.code_names(index, train=False, step=step))

    def _draws(self, node: ExecutorNode) -> bool:
        """Tell whether a node's lines, or the parts they call, draw random numbers."""
        if node.kind != "operator":
            return False
        lines = self._own_lines(node.symbol_node)
        sources = [part.source for part in needed_parts("numpy", lines)]
        return any("random" in text for text in (*lines, *sources))

    def _kept(self) -> list[str]:
        """Return the names that backward reads, in the order in which forward has them."""
        read = {name for lines in self.backward.values() for line in lines for name in names_in(line)}
        variables = [self.program.name(index) for index in (*self.graph.arguments, *self.graph.auxiliary)]
        written = [name for lines in self.forward.values() for line in lines for name in names_set_by(line)]
        return [name for name in dict.fromkeys((*variables, *written)) if name in read]

    def _heads(self) -> dict[int, str]:
        """Return the name of each head gradient that backward is given, by the number of its output."""
        gradients = self.program.executor_graph.head_gradients
        return {number: self.program.gradients[node] for number, node in sorted(gradients.items())}

    # Functions ---------------------------------------------------------------------------------------------------

    def _write_forward(self) -> None:
        variables = (*self.graph.arguments, *self.graph.auxiliary)
        self.lines.add("\n")
        self._add(f"def forward({', '.join(self.program.name(index) for index in variables)}):")
        what = ", and what backward will read" if self.backward else ""
        self.lines.add(f'    """Return the outputs{what}."""')
        for step, lines in self.forward.items():
            for line in lines:
                self._add(line, 4, step.symbol_node)
        self._add(f"outputs = [{', '.join(self.program.values[head] for head in self.graph.heads)}]", 4)
        if self.backward:
            self._add(f"kept = [{', '.join(self.kept)}]", 4)
        self.lines.add("    return outputs, kept" if self.backward else "    return outputs")

    def _write_backward(self) -> None:
        self.lines.add("\n")
        self._add(f"def backward({', '.join([*self.kept, *self._heads().values()])}):")
        self.lines.add('    """Return the gradients of the arguments from what flows into the outputs."""')
        for step, lines in self.backward.items():
            for line in lines:
                self._add(line, 4, step.symbol_node)
        holders = [self.program.gradients[node.index] for node in self.program.holders]
        self._add(f"return [{', '.join(holders)}]", 4)

    def _write_constants(self) -> None:
        graph = self.graph
        keys = {
            "ARGUMENTS": [f"arg:{name}" for name in graph.names(graph.arguments)]
            + [f"aux:{name}" for name in graph.names(graph.auxiliary)],
            "OUTPUTS": self.program.output_keys,
        }
        if self.backward:
            keys["HEADS"] = [f"head:{number}" for number in self._heads()]
            keys["GRADIENTS"] = self.program.gradient_keys
        if graph.auxiliary:
            keys["STATES"] = graph.names(graph.auxiliary)
        self.lines.add("\n")
        for name, found in keys.items():
            self._add(f"{name} = {quoted(found)}")
        if self.skipped:
            self.lines.add("# Not compared, since random numbers are drawn anew each time.")
            self._add(f"SKIPPED = {quoted(self.skipped)}")

    def _write_main(self) -> None:
        self.lines.add(_AGREE)
        self.lines.add(_MAIN)
        kept = "outputs, kept" if self.backward else "outputs"
        self.lines.add(f"    {kept} = forward(*[stored[key] for key in ARGUMENTS])")
        self.lines.add(_PRINT)
        if self.backward:
            heads = ", *[stored[key] for key in HEADS]" if self._heads() else ""
            self.lines.add(f"    gradients = backward(*kept{heads})")
            self.lines.add("    found.update(zip(GRADIENTS, gradients))")
            self.lines.add(small_gradients("gradient.size"))
        if self.graph.auxiliary:
            self.lines.add('    found.update({f"after:{name}": stored[f"aux:{name}"] for name in STATES})')
        if self.skipped:
            self.lines.add("    found = {key: array for key, array in found.items() if key not in SKIPPED}")
        self.lines.add(_COMPARE)

    def _add(self, text: str, indent: int = 0, node: int | None = None) -> None:
        add(self.lines, text, indent, () if node is None else tuple(self.program.about(node)))
