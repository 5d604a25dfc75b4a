"""Every action of the window, in the order of its menus."""

from PySide6.QtWidgets import QApplication, QLineEdit, QPlainTextEdit, QTextEdit

from app.engine.backends.computing import NUMPY, TORCH
from app.shell.actions import Action, always, ready
from app.shell.conditions import (
    can_redo,
    can_undo,
    one_node_or_wire_selected,
    one_with_words,
    running,
    selected,
    with_nodes,
    with_problems,
    with_things,
)
from app.shell.flow_actions import FOLLOWING, OUT_OF_THE_FLOW, SWAP
from app.shell.place_actions import PLACES
from app.shell.stepping_actions import STEPPING
from app.shell.view_actions import VIEW
from app.shell.workbench import Workbench

TEXT_FIELDS = (QLineEdit, QPlainTextEdit, QTextEdit)


def all_actions() -> tuple[Action, ...]:
    """Return the whole table."""
    return (*FILE, *EDIT, *VIEW, *GRAPH, *PLACES, *EXECUTOR, *STEPPING, *COMPUTING, *HELP)


def _text_or_board(bench: Workbench, verb: str) -> None:
    """Do cut, copy, paste or select all where the focus is: in a text, else on the board."""
    focus = QApplication.focusWidget()
    target = focus if isinstance(focus, TEXT_FIELDS) else bench.board
    getattr(target, verb)()


def _undo(bench: Workbench) -> None:
    if bench.parts is not None and bench.board.cancel_gesture():
        return  # what is in the hand is the last thing that was done
    label = bench.workspace.store.undo_label
    bench.workspace.undo()
    bench.workspace.message.emit(f"Undone: {label}.")


def _redo(bench: Workbench) -> None:
    label = bench.workspace.store.redo_label
    bench.workspace.redo()
    bench.workspace.message.emit(f"Done again: {label}.")


FILE = (
    Action("new", "&New", "File", lambda bench: bench.files.new(), ("Ctrl+N",), ready),
    Action(
        "new_window", "New &window", "File", lambda bench: bench.open_another(), ("Ctrl+Shift+N",), always
    ),
    Action("open", "&Open…", "File", lambda bench: bench.files.ask_and_open(), ("Ctrl+O",), ready),
    Action(
        "forget_recent",
        "Forget these files",
        "File",
        lambda bench: bench.settings.forget_recent_files(),
        enabled=lambda bench: bool(bench.settings.recent_files),
        path="Open recent",
    ),
    Action(
        "gallery",
        "&Gallery and start page",
        "File",
        lambda bench: bench.toggle_gallery(),
        ("Ctrl+Shift+O",),
        ready,
        checked=lambda bench: not bench.has_document,
    ),
    Action("save", "&Save", "File", lambda bench: bench.files.save(), ("Ctrl+S",), rule=True),
    Action("save_as", "Save &as…", "File", lambda bench: bench.files.save_as(), ("Ctrl+Shift+S",)),
    Action(
        "load_parameters",
        "&Load parameters…",
        "File",
        lambda bench: bench.parameters.ask_and_load(),
        enabled=with_nodes,
        rule=True,
        tip="Bind the graph to the arrays of an MXNet parameter file",
    ),
    Action(
        "save_parameters",
        "Save &parameters…",
        "File",
        lambda bench: bench.parameters.save(),
        enabled=with_nodes,
        tip="Write the values that are bound as an MXNet parameter file",
    ),
    Action(
        "export_numpy",
        "Python with &numpy alone…",
        "File",
        lambda bench: bench.exports.write_code("numpy"),
        enabled=with_nodes,
        path="Export",
        rule=True,
        tip="Write the graph as a Python program that needs numpy alone",
    ),
    Action(
        "export_torch",
        "Python with &PyTorch…",
        "File",
        lambda bench: bench.exports.write_code("torch"),
        enabled=with_nodes,
        path="Export",
        tip="Write the graph as a PyTorch module with the same weights",
    ),
    Action(
        "export_symbol",
        "MXNet &symbol file…",
        "File",
        lambda bench: bench.exports.write_symbol(),
        enabled=with_nodes,
        path="Export",
        tip="Write the graph as MXNet's symbol JSON",
    ),
    Action("close", "&Close", "File", lambda bench: bench.window.close(), ("Ctrl+W",), always, rule=True),
    Action("quit", "&Quit", "File", lambda bench: bench.quit(), ("Ctrl+Q",), always),
)

EDIT = (
    Action("undo", "&Undo", "Edit", _undo, ("Ctrl+Z",), can_undo),
    Action("redo", "&Redo", "Edit", _redo, ("Ctrl+Shift+Z", "Ctrl+Y"), can_redo),
    Action(
        "undo_all",
        "Before the first step",
        "Edit",
        lambda bench: bench.workspace.store.go_to(0),
        enabled=can_undo,
        path="History",
    ),
    Action(
        "cut", "Cu&t", "Edit", lambda bench: _text_or_board(bench, "cut"), ("Ctrl+X",), selected, rule=True
    ),
    Action("copy", "&Copy", "Edit", lambda bench: _text_or_board(bench, "copy"), ("Ctrl+C",), selected),
    Action("paste", "&Paste", "Edit", lambda bench: _text_or_board(bench, "paste"), ("Ctrl+V",)),
    Action(
        "paste_wired",
        "Paste &keeping incoming wires",
        "Edit",
        lambda bench: bench.board.paste(keep_inputs=True),
        ("Ctrl+Shift+V",),
    ),
    Action("duplicate", "&Duplicate", "Edit", lambda bench: bench.board.duplicate(), ("Ctrl+D",), selected),
    Action(
        "delete", "De&lete", "Edit", lambda bench: bench.board.delete(), ("Delete",), selected, board=True
    ),
    *OUT_OF_THE_FLOW,
    Action(
        "rename", "Re&name", "Edit", lambda bench: bench.board.rename(), ("F2",), one_with_words, rule=True
    ),
    Action(
        "select_all",
        "Select &all",
        "Edit",
        lambda bench: _text_or_board(bench, "selectAll"),
        ("Ctrl+A",),
        with_things,
    ),
    *FOLLOWING,
    Action(
        "find",
        "&Find or run a command",
        "Edit",
        lambda bench: bench.open_command_palette(),
        ("Ctrl+K",),
        ready,
        rule=True,
    ),
)

GRAPH = (
    Action(
        "add_node", "&Add a node…", "Graph", lambda bench: bench.board.open_search(), ("Tab",), board=True
    ),
    Action(
        "add_after",
        "Add what &follows…",
        "Graph",
        lambda bench: bench.board.add_after(),
        ("Ins",),
        one_node_or_wire_selected,
        board=True,
        tip="Search for a node that reads the selected one, or that goes into the selected wire",
    ),
    SWAP,
    Action(
        "extract",
        "Make the argument a &Variable",
        "Graph",
        lambda bench: bench.board.extract_argument(),
        enabled=selected,
        tip="Make an auto-created argument a Variable of its own, so that it can be shared",
    ),
    Action(
        "next_problem",
        "&Next problem",
        "Graph",
        lambda bench: bench.next_problem(1),
        ("F8",),
        with_problems,
        rule=True,
    ),
    Action(
        "previous_problem",
        "&Previous problem",
        "Graph",
        lambda bench: bench.next_problem(-1),
        ("Shift+F8",),
        with_problems,
    ),
)

EXECUTOR = (
    Action(
        "bind",
        "&Bind",
        "Executor",
        lambda bench: bench.workspace.bind(),
        ("Ctrl+B",),
        with_nodes,
        tip="Allocate the arrays that the graph needs",
    ),
    Action(
        "forward",
        "&Forward",
        "Executor",
        lambda bench: bench.workspace.forward(),
        ("F5",),
        with_nodes,
        tip="Compute the outputs",
    ),
    Action(
        "backward",
        "B&ackward",
        "Executor",
        lambda bench: bench.workspace.backward(),
        ("F6",),
        with_nodes,
        tip="Compute the outputs and then the gradients",
    ),
    Action("stop", "&Stop", "Executor", lambda bench: bench.workspace.stop(), ("Shift+F5",), running),
    Action(
        "live",
        "&Live",
        "Executor",
        lambda bench: bench.toggle_live(),
        ("Ctrl+L",),
        ready,
        checked=lambda bench: bench.workspace.live,
        rule=True,
        tip="Run again by itself after every change",
    ),
    Action(
        "train",
        "&Training mode",
        "Executor",
        lambda bench: bench.set_option(train=not bench.workspace.document.options.train),
        checked=lambda bench: bench.workspace.document.options.train,
        tip="Forward with is_train: Dropout drops, BatchNorm uses the batch",
    ),
    Action(
        "seed", "Ne&xt seed", "Executor", lambda bench: bench.next_seed(), tip="Draw other random numbers"
    ),
    Action(
        "batch_next", "&Next batch", "Executor", lambda bench: bench.move_batch(1), ("Ctrl+]",), with_nodes
    ),
    Action(
        "batch_previous",
        "&Previous batch",
        "Executor",
        lambda bench: bench.move_batch(-1),
        ("Ctrl+[",),
        with_nodes,
    ),
)

COMPUTING = (
    Action(
        "compute_numpy",
        "&Numpy",
        "Executor",
        lambda bench: bench.compute_by(NUMPY),
        enabled=ready,
        checked=lambda bench: bench.computing.backend == NUMPY,
        path="Computed by",
        group="computing",
        rule=True,
    ),
    Action(
        "compute_torch",
        "&PyTorch",
        "Executor",
        lambda bench: bench.compute_by(TORCH),
        enabled=ready,
        checked=lambda bench: bench.computing.backend == TORCH,
        path="Computed by",
        group="computing",
        tip="Faster on large images; the sheet of the bind offers graphics cards",
    ),
)

HELP = (
    Action("keys", "&Keys and gestures", "Help", lambda bench: bench.show_keys(), ("F1",), always),
    Action("about", "&About Chalkgraph", "Help", lambda bench: bench.show_about(), enabled=always, rule=True),
)
