"""Builds the views and panels of a window and joins them; all of it after the first paint."""

from typing import TYPE_CHECKING

import attrs
from PySide6.QtCore import QObject

from app.canvas.clicks import ShapeRef
from app.canvas.executor_view import ExecutorView
from app.canvas.view import BoardView
from app.panels.code import CodePanel
from app.panels.command_palette import CommandPalette
from app.panels.finder import Finder
from app.panels.inspector.inspector import Inspector
from app.panels.memory.memory import MemoryPanel
from app.panels.palette import Palette
from app.panels.problems import Problems
from app.panels.start_page import StartPage
from app.panels.step_bar import StepBar
from app.shell.bound import BoundPopup
from app.shell.placing import Placing

if TYPE_CHECKING:
    from app.document.drawing import DocumentProblem
    from app.shell.workbench import Workbench

GO_TO = "go to "


@attrs.frozen(eq=False)
class Parts:
    """Everything in a window that needs the engine."""

    board: BoardView
    executor: ExecutorView
    palette: Palette
    inspector: Inspector
    code: CodePanel
    problems: Problems
    memory: MemoryPanel
    step_bar: StepBar
    start_page: StartPage
    finder: Finder
    commands: CommandPalette
    bound: BoundPopup
    placing: Placing


def assemble(bench: "Workbench") -> Parts:
    """Build the parts of a window, put them in their places and join them."""
    workspace, window = bench.workspace, bench.window
    board, finder = BoardView(workspace), Finder(workspace, window)
    parts = Parts(
        board=board,
        executor=ExecutorView(workspace),
        palette=Palette(workspace),
        inspector=Inspector(workspace),
        code=CodePanel(workspace),
        problems=Problems(workspace),
        memory=MemoryPanel(workspace),
        step_bar=StepBar(workspace),
        start_page=StartPage(workspace),
        finder=finder,
        commands=CommandPalette(workspace.theming, window),
        bound=BoundPopup(workspace, window),
        placing=Placing(board, finder),
    )
    _place(bench, parts)
    Joints(bench, parts)
    return parts


def _place(bench: "Workbench", parts: Parts) -> None:
    bench.centre.board_pane.fill(parts.board)
    bench.centre.executor_pane.fill(parts.executor)
    bench.centre.set_start_page(parts.start_page)
    bench.centre.put_below(parts.step_bar)
    parts.step_bar.offer(bench.actions[name] for name in ("step_back", "step", "stop"))
    bench.docks.fill(
        {
            "palette": parts.palette,
            "inspector": parts.inspector,
            "code": parts.code,
            "problems": parts.problems,
            "memory": parts.memory,
        }
    )
    bench.actions.hand_to_board(parts.board)


class Joints(QObject):
    """What one part of the window says and another does."""

    def __init__(self, bench: "Workbench", parts: Parts) -> None:
        super().__init__(bench)
        self._bench = bench
        self._parts = parts
        parts.palette.add_requested.connect(self._add)
        parts.problems.go_to.connect(self._go_to_problem)
        parts.memory.go_to.connect(parts.board.reveal)
        parts.problems.count_changed.connect(self._count_problems)
        parts.board.shape_clicked.connect(self._explain)
        parts.board.argument_clicked.connect(self._show_argument)
        parts.board.open_requested.connect(lambda _node: self._show_inspector())
        parts.commands.chosen.connect(self._do)
        executor, detail = parts.executor, bench.centre.executor_pane.detail
        executor.summary_changed.connect(detail.set_whole)
        executor.array_chosen.connect(
            lambda name, gradient: parts.inspector.show_array(name, gradient=gradient)
        )
        detail.set_whole(executor.summary)
        bench.toolbar.bind_button.clicked.connect(lambda: parts.bound.open_under(bench.toolbar.bind_button))
        start = parts.start_page
        start.back_requested.connect(bench.show_document)
        start.new_requested.connect(bench.files.new)
        start.open_requested.connect(bench.files.ask_and_open)
        start.recent_requested.connect(bench.files.open)
        start.example_requested.connect(bench.files.open_gallery)

    def _add(self, op: str) -> None:
        if not self._bench.has_document:
            self._bench.files.new()
        if self._bench.has_document:
            self._parts.placing.add_in_the_middle(op)

    def _go_to_problem(self, problem: "DocumentProblem") -> None:
        document = self._bench.workspace.document
        edge = document.edges.get(problem.edge or "")
        node = problem.node or (edge.target if edge is not None else None)
        if node is not None:
            if self._bench.view == "executor":
                self._bench.show_view("split")
            self._parts.board.visit(node)

    def _count_problems(self, _count: int) -> None:
        self._bench.docks.retitle("problems", self._parts.problems.title)

    def _explain(self, shape: ShapeRef) -> None:
        """Say in the inspector why a shape is so; for a wire, the inspector's page of the wire does."""
        if shape.edge:
            self._bench.workspace.select({shape.edge})
            self._show_inspector()
            return
        self._bench.workspace.select({shape.node})
        self._show_inspector()
        side, number = ("output", shape.output) if shape.input is None else ("input", shape.input)
        self._parts.inspector.choose_tab("Node")
        self._parts.inspector.node_page.shapes.explain(side, number)

    def _show_argument(self, argument: tuple[str, int]) -> None:
        """Open the form of an argument's value in the inspector."""
        analysis = self._bench.workspace.analysis
        made = analysis.auto_arguments.get(argument[0], ()) if analysis is not None else ()
        self._show_inspector()
        self._parts.inspector.choose_tab("Node")
        for one in made:
            fold = self._parts.inspector.node_page.arguments.get(one.name)
            if one.input == argument[1] and fold is not None:
                fold.head.setChecked(True)

    def _show_inspector(self) -> None:
        self._bench.docks.show("inspector")

    def _do(self, command: str) -> None:
        if command.startswith(GO_TO):
            self._parts.board.setFocus()
            self._bench.workspace.select({command.removeprefix(GO_TO)})
            self._parts.board.visit(command.removeprefix(GO_TO))
        else:
            self._bench.actions.trigger(command)
