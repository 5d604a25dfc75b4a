"""Parameters are saved and loaded from the menu and by dropping a file on the window."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QUrl
from pytestqt.qtbot import QtBot

from app.services.params_file import read_params, write_params
from app.shell.dialogs import PartQuestion
from app.shell.main_window import openable
from app.shell.workbench import Workbench
from tests.windows import Answers


@pytest.fixture
def mlp(bench: Workbench, qtbot: QtBot) -> Workbench:
    """Return a window that shows the digits MLP."""
    with qtbot.waitSignal(bench.files.opened):
        bench.files.open_gallery("digits-mlp")
    return bench


@pytest.fixture
def saved(mlp: Workbench, qtbot: QtBot, answers: Answers, tmp_path: Path) -> Path:
    """Return a file that the window saved the parameters to."""
    answers.save_path = tmp_path / "mlp-0000.params"
    with qtbot.waitSignal(mlp.parameters.saved, timeout=10_000):
        mlp.actions.trigger("save_parameters")
    return answers.save_path


def test_parameters_are_saved(mlp: Workbench, saved: Path, answers: Answers) -> None:
    arrays = read_params(saved)
    assert "arg:fc1_weight" in arrays and "arg:data" not in arrays
    assert answers.asked == ["Digits with an MLP-0000.params"]
    assert mlp.status_line.message == f"Saved {len(arrays)} arrays to {saved.name}."


def test_parameters_are_loaded_and_undone(
    mlp: Workbench, saved: Path, qtbot: QtBot, answers: Answers
) -> None:
    before = mlp.workspace.document
    answers.open_path = saved
    with qtbot.waitSignal(mlp.parameters.loaded, timeout=10_000):
        mlp.actions.trigger("load_parameters")
    binding = mlp.workspace.document.bindings["fc1_weight"]
    assert (binding.kind, binding.value) == ("file", f"{saved}#arg:fc1_weight")
    count = len(read_params(saved))
    assert mlp.status_line.message.startswith(f"Loaded {count} of {count} arrays from {saved.name}.")
    assert mlp.workspace.store.undo_label == f"Load parameters from {saved.name}"
    mlp.workspace.undo()
    assert mlp.workspace.document == before
    assert len(answers.asked) == 1, "whatever fits asks nothing"


def test_a_parameter_file_is_dropped(mlp: Workbench, saved: Path, qtbot: QtBot) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(saved))])
    path = openable(data)
    assert path is not None
    title = mlp.files.name
    with qtbot.waitSignal(mlp.parameters.loaded, timeout=10_000):
        mlp.open(path)
    assert mlp.files.name == title, "the document stays what it is"


@pytest.mark.parametrize("answer", [True, False])
def test_what_does_not_fit_is_asked_about_once(
    mlp: Workbench, saved: Path, qtbot: QtBot, answers: Answers, answer: bool
) -> None:
    arrays = read_params(saved)
    arrays["arg:fc1_weight"] = np.zeros((2, 2), np.float32)
    write_params(arrays, saved)
    answers.load_in_part_answer = answer
    asked, before = len(answers.asked), mlp.workspace.document.bindings.get("fc1_weight")
    mlp.parameters.load(saved)
    qtbot.waitUntil(lambda: len(answers.asked) > asked)
    fit = f"{len(arrays) - 1} of {len(arrays)} arrays of {saved.name} fit."
    assert answers.asked[asked:] == [f"{fit}\n{answers.asked[-1].partition(chr(10))[2]}"]
    assert "fc1_weight is (2, 2) in the file" in answers.asked[-1]
    bindings = mlp.workspace.document.bindings
    assert ("fc2_weight" in bindings and bindings["fc2_weight"].kind == "file") is answer
    assert bindings.get("fc1_weight") == before


def test_a_file_of_which_nothing_fits_changes_nothing(
    mlp: Workbench, qtbot: QtBot, answers: Answers, tmp_path: Path
) -> None:
    write_params({"arg:other": np.ones(2)}, tmp_path / "other.params")
    with qtbot.waitSignal(mlp.parameters.failed, timeout=10_000):
        mlp.parameters.load(tmp_path / "other.params")
    assert not mlp.workspace.store.can_undo
    assert answers.refusals[0].startswith("Nothing in other.params fits this graph.")
    assert "Not in the graph: other." in answers.refusals[0]


def test_parameters_without_a_graph_are_refused(
    bench: Workbench, qtbot: QtBot, answers: Answers, tmp_path: Path
) -> None:
    with qtbot.waitSignal(bench.parameters.failed, timeout=10_000):
        bench.open(tmp_path / "x.params")
    assert "Open the model's symbol file first" in answers.refusals[0]


def test_a_graph_with_a_problem_is_not_saved(mlp: Workbench, answers: Answers) -> None:
    from app.document.edits import set_param

    fc1 = next(node.id for node in mlp.workspace.document.nodes.values() if node.name == "fc1")
    mlp.workspace.try_edit(set_param, fc1, "num_hidden", "-3")
    mlp.actions.trigger("save_parameters")
    assert answers.asked == []
    assert mlp.status_line.message.startswith("Not saved: ")


def test_the_question_loads_what_fits_by_default(qtbot: QtBot) -> None:
    question = PartQuestion("3 of 4 arrays of x.params fit.", "Not in the graph: other.")
    qtbot.addWidget(question)
    assert question.defaultButton() is question.load_button
    assert question.escapeButton() is question.cancel_button
    assert question.text() == "3 of 4 arrays of x.params fit. Load these?"
