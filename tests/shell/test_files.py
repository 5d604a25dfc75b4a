"""Opening, saving and the unsaved question: nothing is lost, and a refusal is one sentence."""

import json
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.document.edits import add_node
from app.document.records import VARIABLE, empty_document
from app.services.gallery import open_entry
from app.services.project_file import read_project, write_project
from app.shell.dialogs import Answer
from app.shell.workbench import Workbench
from tests.windows import Answers

SYMBOL = {
    "nodes": [
        {"op": "null", "name": "data", "inputs": []},
        {"op": "null", "name": "fc1_weight", "inputs": []},
        {"op": "null", "name": "fc1_bias", "inputs": []},
        {
            "op": "FullyConnected",
            "name": "fc1",
            "attrs": {"num_hidden": "8"},
            "inputs": [[0, 0, 0], [1, 0, 0], [2, 0, 0]],
        },
    ],
    "arg_nodes": [0, 1, 2],
    "heads": [[3, 0, 0]],
}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """Return a document in a file."""
    path = tmp_path / "net.chalk"
    write_project(open_entry("digits-mlp"), path)
    return path


def edit(bench: Workbench, name: str = "Z") -> None:
    bench.workspace.try_edit(add_node, VARIABLE, (0.0, 0.0), name=name)
    assert bench.workspace.store.is_modified


def open_file(qtbot: QtBot, bench: Workbench, path: Path) -> None:
    with qtbot.waitSignal(bench.files.opened, timeout=10_000):
        bench.files.open(path)


def test_a_document_is_opened_remembered_and_offered_again(
    bench: Workbench, qtbot: QtBot, answers: Answers, saved: Path
) -> None:
    answers.open_path = saved
    with qtbot.waitSignal(bench.files.opened, timeout=10_000):
        bench.actions.trigger("open")

    assert bench.workspace.document == read_project(saved)
    assert bench.workspace.path == saved
    assert bench.settings.recent_files == (saved,)
    assert bench.files.folder == saved.parent
    assert bench.parts is not None and bench.parts.start_page.recent[0].accessibleName() == "net.chalk"


def test_a_symbol_file_is_opened_but_never_written_over(
    bench: Workbench, qtbot: QtBot, answers: Answers, tmp_path: Path
) -> None:
    path = tmp_path / "old-symbol.json"
    path.write_text(json.dumps(SYMBOL), encoding="utf-8")
    open_file(qtbot, bench, path)
    assert {node.op for node in bench.workspace.document.nodes.values()} == {VARIABLE, "FullyConnected"}
    before = path.read_bytes()

    answers.save_path = tmp_path / "new.chalk"
    assert bench.files.save()
    assert answers.asked == ["old-symbol.chalk"]
    assert path.read_bytes() == before
    assert read_project(answers.save_path) == bench.workspace.document


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"{ not json", "net.chalk"),
        (b"\xff\xfe\x00", "net.chalk"),
        (b'{"format": "chalkgraph", "version": 999}', "net.chalk"),
        (b'{"some": "json"}', "neither"),
    ],
)
def test_a_file_that_cannot_be_opened_is_one_sentence_and_nothing_is_lost(
    bench: Workbench, qtbot: QtBot, answers: Answers, tmp_path: Path, content: bytes, word: str
) -> None:
    bench.actions.trigger("new")
    edit(bench)
    before = bench.workspace.document
    path = tmp_path / "net.chalk"
    path.write_bytes(content)
    with qtbot.waitSignal(bench.files.failed, timeout=10_000):
        bench.files.open(path)

    assert bench.workspace.document is before
    assert len(answers.refusals) == 1 and word in answers.refusals[0]
    assert "Traceback" not in answers.refusals[0] and "\n" not in answers.refusals[0]
    assert bench.status_line.message == answers.refusals[0]


def test_a_recent_file_that_is_gone_is_forgotten(
    bench: Workbench, qtbot: QtBot, answers: Answers, tmp_path: Path
) -> None:
    gone = tmp_path / "gone.chalk"
    bench.settings.add_recent_file(gone)
    with qtbot.waitSignal(bench.files.failed, timeout=10_000):
        bench.files.open(gone)

    assert bench.settings.recent_files == ()
    assert not bench.has_document


@pytest.mark.parametrize(("answer", "goes"), [("cancel", False), ("discard", True), ("save", True)])
def test_unsaved_changes_are_asked_about_before_they_go(
    bench: Workbench, answers: Answers, tmp_path: Path, answer: Answer, goes: bool
) -> None:
    bench.actions.trigger("new")
    edit(bench)
    drawn = bench.workspace.document
    answers.unsaved_answer, answers.save_path = answer, tmp_path / "kept.chalk"
    bench.actions.trigger("new")

    assert answers.asked[0] == "Untitled"
    assert (bench.workspace.document == empty_document()) == goes
    assert answers.save_path.exists() == (answer == "save")
    if answer == "save":
        assert read_project(answers.save_path) == drawn
    if not goes:
        assert bench.workspace.document is drawn and bench.workspace.store.can_undo


def test_a_save_that_is_given_up_keeps_the_document(bench: Workbench, answers: Answers) -> None:
    bench.actions.trigger("new")
    edit(bench)
    answers.unsaved_answer, answers.save_path = "save", None
    bench.window.close()

    assert bench.window.isVisible()
    assert bench.workspace.store.is_modified


def test_nothing_is_asked_when_nothing_was_changed(
    bench: Workbench, answers: Answers, qtbot: QtBot, saved: Path
) -> None:
    open_file(qtbot, bench, saved)
    edit(bench)
    bench.workspace.undo()
    bench.actions.trigger("new")

    assert answers.asked == []


def test_closing_asks_and_cancel_keeps_the_window(bench: Workbench, answers: Answers) -> None:
    bench.actions.trigger("new")
    edit(bench)
    answers.unsaved_answer = "cancel"
    bench.window.close()
    assert bench.window.isVisible() and answers.asked == ["Untitled"]

    answers.unsaved_answer = "discard"
    bench.window.close()
    assert not bench.window.isVisible()


def test_saving_clears_the_mark_and_the_next_save_asks_nothing(
    bench: Workbench, qtbot: QtBot, answers: Answers, saved: Path
) -> None:
    open_file(qtbot, bench, saved)
    edit(bench)
    bench.actions.trigger("save")

    assert answers.asked == []
    assert not bench.workspace.store.is_modified
    assert read_project(saved) == bench.workspace.document
    qtbot.waitUntil(lambda: bench.status_line.numbers.endswith("· saved"))
    edit(bench, "Y")
    qtbot.waitUntil(lambda: bench.status_line.numbers.endswith("· unsaved"))


def test_a_place_that_cannot_be_written_is_told_and_the_changes_stay(
    bench: Workbench, answers: Answers, tmp_path: Path
) -> None:
    bench.actions.trigger("new")
    edit(bench)
    answers.save_path = tmp_path / "no such folder" / "x.chalk"

    assert not bench.files.save()
    assert bench.workspace.store.is_modified and bench.workspace.path is None
    assert len(answers.refusals) == 1 and "x.chalk" in answers.refusals[0]


def test_a_copy_leaves_file_and_mark_alone(
    bench: Workbench, qtbot: QtBot, answers: Answers, saved: Path
) -> None:
    open_file(qtbot, bench, saved)
    edit(bench)
    answers.save_path = saved.with_name("net copy.chalk")

    assert bench.files.save_copy()
    assert answers.asked == ["net copy.chalk"]
    assert bench.workspace.path == saved and bench.workspace.store.is_modified
    assert read_project(answers.save_path) == bench.workspace.document


def test_names_for_new_files_suit_every_system(bench: Workbench, qtbot: QtBot) -> None:
    from app.document.edits import set_options

    bench.actions.trigger("new")
    bench.workspace.try_edit(set_options, title='E = A × B: "what/if" <1>?')

    assert bench.files.suggestion(".chalk").name == "E A B what if 1.chalk"


# -- old files


@pytest.mark.parametrize("answer", [True, False])
def test_an_old_file_offers_to_round_pooling_up(
    bench: Workbench, qtbot: QtBot, answers: Answers, tmp_path: Path, answer: bool
) -> None:
    from app.document.edits import set_binding
    from app.document.records import Binding
    from tests.old_inception import old_inception

    path = tmp_path / "inception-symbol.json"
    path.write_text(old_inception())
    answers.mend_answer = answer
    with qtbot.waitSignal(bench.files.opened, timeout=20_000):
        bench.files.open(path)
    qtbot.waitUntil(lambda: bool(answers.asked))
    workspace = bench.workspace
    assert answers.asked == ["inception-symbol.json"]
    assert workspace.store.can_undo is answer
    assert ("Pooling rounds up" in bench.status_line.message) is answer
    workspace.try_edit(set_binding, Binding("data", shape=(1, 3, 224, 224)))
    assert workspace.analysis is not None
    assert (workspace.analysis.errors == ()) is answer
    if answer:
        workspace.undo()
        workspace.undo()
        assert not workspace.store.is_modified


def test_a_file_in_which_rounding_changes_nothing_asks_nothing(
    bench: Workbench, qtbot: QtBot, answers: Answers, tmp_path: Path
) -> None:
    from tests.old_inception import old_inception

    path = tmp_path / "new-symbol.json"
    path.write_text(old_inception().replace('"pool_type"', '"pooling_convention": "valid", "pool_type"'))
    with qtbot.waitSignal(bench.files.opened, timeout=20_000):
        bench.files.open(path)
    assert answers.asked == []


@pytest.mark.parametrize("answer", [True, False])
def test_each_repair_of_an_old_file_is_asked_for_and_undone_by_itself(
    bench: Workbench, qtbot: QtBot, answers: Answers, tmp_path: Path, answer: bool
) -> None:
    from tests.detection_files import detection_file

    path = tmp_path / "boxes-symbol.json"
    path.write_text(detection_file())
    answers.mend_answer = answer
    with qtbot.waitSignal(bench.files.opened):
        bench.files.open(path)
    qtbot.waitUntil(lambda: len(answers.asked) == 2)
    workspace = bench.workspace
    assert workspace.analysis is not None
    assert [problem.name for problem in workspace.analysis.errors] == ([] if answer else ["boxes"])
    labels = ["Call operators as MXNet calls them today", "Round pooling up as before MXNet 0.8"]
    assert list(workspace.store.history_labels().done) == (labels if answer else [])


def test_the_question_about_an_old_file_rounds_up_by_default(qtbot: QtBot) -> None:
    from app.engine.repairs.old_pooling import OLD_POOLING
    from app.shell.dialogs import RepairQuestion

    question = RepairQuestion("net-symbol.json", OLD_POOLING)
    qtbot.addWidget(question)
    assert question.defaultButton() is question.repair_button
    assert question.escapeButton() is question.leave_button
    assert "net-symbol.json is from before MXNet 0.8" in question.text()


# -- exports


def test_a_symbol_file_is_exported(bench: Workbench, qtbot: QtBot, answers: Answers, tmp_path: Path) -> None:
    from app.services.symbol_json import read_symbol

    with qtbot.waitSignal(bench.files.opened):
        bench.files.open_gallery("digits-mlp")
    answers.save_path = tmp_path / "mlp-symbol.json"
    with qtbot.waitSignal(bench.exports.written, timeout=10_000):
        bench.actions.trigger("export_symbol")

    symbol = read_symbol(answers.save_path.read_text(encoding="utf-8"))
    assert symbol.list_outputs() == ["softmax_output"]
    assert answers.asked == ["Digits with an MLP-symbol.json"]


def test_an_opaque_node_is_opened_and_exported_as_it_came(
    bench: Workbench, qtbot: QtBot, answers: Answers, tmp_path: Path
) -> None:
    from app.services.symbol_json import read_symbol, write_symbol
    from tests.opaque_files import SENTENCE, opaque_file

    path = tmp_path / "q-symbol.json"
    path.write_text(opaque_file())
    with qtbot.waitSignal(bench.files.opened):
        bench.files.open(path)
    assert bench.workspace.analysis is not None
    assert bench.workspace.analysis.errors[0].sentence.startswith(SENTENCE)
    answers.save_path = tmp_path / "again-symbol.json"
    with qtbot.waitSignal(bench.exports.written, timeout=10_000):
        bench.actions.trigger("export_symbol")
    assert answers.save_path.read_text() == write_symbol(read_symbol(opaque_file()))
    asked = len(answers.asked)
    bench.exports.write_code("numpy")
    assert len(answers.asked) == asked
    assert SENTENCE in bench.status_line.message


def test_a_graph_with_a_problem_is_not_exported_and_says_why(
    bench: Workbench, qtbot: QtBot, answers: Answers
) -> None:
    from app.document.edits import set_param

    with qtbot.waitSignal(bench.files.opened):
        bench.files.open_gallery("digits-mlp")
    fc1 = next(node.id for node in bench.workspace.document.nodes.values() if node.name == "fc1")
    bench.workspace.try_edit(set_param, fc1, "num_hidden", "-3")
    bench.actions.trigger("export_numpy")

    assert answers.asked == []
    assert bench.status_line.message.startswith("Not exported: ") and "fc1" in bench.status_line.message


def test_an_empty_board_has_nothing_to_export(bench: Workbench) -> None:
    bench.actions.trigger("new")
    assert not bench.actions["export_numpy"].isEnabled()
    bench.exports.write_code("numpy")

    assert "nothing to export" in bench.status_line.message


def test_a_failed_export_is_told(bench: Workbench, qtbot: QtBot, answers: Answers, tmp_path: Path) -> None:
    with qtbot.waitSignal(bench.files.opened):
        bench.files.open_gallery("executor-backward")
    answers.save_path = tmp_path / "no such folder" / "x.py"
    with qtbot.waitSignal(bench.exports.failed, timeout=10_000):
        bench.actions.trigger("export_numpy")

    assert len(answers.refusals) == 1 and "x.py" in answers.refusals[0]


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Digits with an MLP", "digits_with_an_mlp.py"),
        ("2 inputs", "graph_2_inputs.py"),
        ("class", "graph_class.py"),
        ("…", "untitled.py"),
    ],
)
def test_a_program_gets_a_name_that_python_can_import(
    bench: Workbench, answers: Answers, title: str, name: str
) -> None:
    from app.document.edits import set_options

    bench.actions.trigger("new")
    edit(bench, "A")
    bench.workspace.try_edit(add_node, "square", (0.0, 80.0))
    bench.workspace.try_edit(set_options, title=title)
    bench.exports.write_code("numpy")

    assert answers.asked == [name]
