"""The Qt face of a document: what it announces, when it runs, and what it drops."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from pytestqt.qtbot import QtBot

from app.document.edits import add_node, connect, delete, move, set_binding, set_options
from app.document.records import VARIABLE, Binding, Document, empty_document
from app.engine.backends.computing import is_installed
from app.qt.workspace import Workspace
from app.services.gallery import open_entry


@pytest.fixture
def workspace(qtbot: QtBot, theming: Any, settings: Any) -> Iterator[Workspace]:
    """Return a workspace with the engine loaded and Live off."""
    settings.live = False
    made = Workspace(theming, settings)
    made.load_engine()
    yield made
    made.shutdown()


def product(a: str = "10", b: str = "2") -> Document:
    """Return C = A × B with its values."""
    document = empty_document()
    ids = []
    for name, op, at in (("A", VARIABLE, 0.0), ("B", VARIABLE, 80.0), ("C", "elemwise_mul", 40.0)):
        added = add_node(document, op, (at, 0.0), name=name)
        document = added.transaction.apply(document)
        ids.append(added.node_id)
    for number, source in enumerate(ids[:2]):
        document = connect(document, source, 0, ids[2], number).apply(document)
    for name, value in (("A", a), ("B", b)):
        document = set_binding(document, Binding(name, "constant", value)).apply(document)
    return document


def node(workspace: Workspace, name: str) -> str:
    return next(found.id for found in workspace.document.nodes.values() if found.name == name)


def value(workspace: Workspace, name: str) -> list[float]:
    assert workspace.results is not None
    array = workspace.results.by_node(node(workspace, name))
    return [] if array is None else [float(number) for number in array.ravel()]


def run(qtbot: QtBot, workspace: Workspace, stage: str) -> None:
    with qtbot.waitSignal(workspace.results_changed, timeout=5000):
        getattr(workspace, stage)()


def test_importing_it_does_not_import_what_is_heavy() -> None:
    code = (
        "import sys, app.qt.workspace; "
        "print([name for name in ('numpy', 'networkx', 'pyqtgraph') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert answer.stdout.strip() == "[]"


def test_there_is_no_analysis_until_the_engine_is_loaded(qtbot: QtBot, theming: Any, settings: Any) -> None:
    workspace = Workspace(theming, settings)
    workspace.load(product())
    assert workspace.analysis is None

    with qtbot.waitSignal(workspace.analysis_changed):
        workspace.load_engine()
    assert workspace.analysis is not None and workspace.analysis.argument_names == ("A", "B")
    workspace.shutdown()


def test_an_edit_is_announced_first_as_a_document_then_as_its_analysis(workspace: Workspace) -> None:
    news: list[str] = []
    workspace.document_changed.connect(lambda _: news.append("document"))
    workspace.analysis_changed.connect(lambda _: news.append("analysis"))
    workspace.try_edit(add_node, VARIABLE, (0.0, 0.0), name="A")

    assert news == ["document", "analysis"]
    assert workspace.analysis is not None and workspace.analysis.document is workspace.document


def test_a_refused_edit_is_told_and_nothing_changes(workspace: Workspace) -> None:
    workspace.load(product())
    before, told = workspace.document, []
    workspace.message.connect(told.append)
    made = workspace.try_edit(connect, node(workspace, "C"), 0, node(workspace, "C"), 0)

    assert made is None and workspace.document is before
    assert len(told) == 1 and "C" in told[0]


def test_an_edit_hands_back_what_it_made(workspace: Workspace) -> None:
    added = workspace.try_edit(add_node, VARIABLE, (0.0, 0.0), name="A")

    assert added.node_id in workspace.document.nodes


@pytest.mark.parametrize(("stage", "shown"), [("bind", []), ("forward", [20.0]), ("backward", [20.0])])
def test_a_run_goes_as_far_as_it_is_asked(
    qtbot: QtBot, workspace: Workspace, stage: str, shown: list[float]
) -> None:
    workspace.load(product())
    run(qtbot, workspace, stage)

    assert value(workspace, "C") == shown
    assert workspace.results_are_current
    assert workspace.results is not None
    gradient = workspace.results.argument_gradient("A")
    assert (gradient is not None) == (stage == "backward")
    if gradient is not None:
        assert gradient.tolist() == [2.0]


def test_the_engine_works_on_another_thread(qtbot: QtBot, workspace: Workspace) -> None:
    workspace.load(product())
    states: list[str] = []
    workspace.run_state_changed.connect(states.append)
    run(qtbot, workspace, "forward")

    assert states == ["running", "idle"]


def test_what_cannot_be_run_is_told(qtbot: QtBot, workspace: Workspace) -> None:
    workspace.load(product(a="[1, 2]", b="[1, 2, 3]"))
    with qtbot.waitSignal(workspace.message, timeout=5000) as told:
        workspace.forward()

    assert "C" in told.args[0]
    assert workspace.results is None


def test_results_become_stale_with_a_value_but_not_with_a_position(
    qtbot: QtBot, workspace: Workspace
) -> None:
    workspace.load(product())
    run(qtbot, workspace, "forward")

    workspace.try_edit(move, {node(workspace, "A"): (500.0, 8.0)})
    workspace.try_edit(set_options, style="card")
    assert workspace.results_are_current

    with qtbot.waitSignal(workspace.results_changed):
        workspace.try_edit(set_binding, Binding("A", "constant", "7"))
    assert not workspace.results_are_current
    assert value(workspace, "C") == [20.0]


def test_that_results_are_old_is_told_once(qtbot: QtBot, workspace: Workspace) -> None:
    workspace.load(product())
    run(qtbot, workspace, "forward")
    told: list[bool] = []
    workspace.results_changed.connect(lambda _: told.append(workspace.results_are_current))
    for number in range(3):
        workspace.try_edit(set_binding, Binding("A", "constant", str(number)))
    assert told == [False]
    run(qtbot, workspace, "forward")
    workspace.try_edit(set_binding, Binding("A", "constant", "5"))
    assert told == [False, True, False]


@pytest.mark.parametrize("change", ["seed", "batch_start", "train"])
def test_settings_that_change_numbers_make_results_stale(
    qtbot: QtBot, workspace: Workspace, change: str
) -> None:
    workspace.load(product())
    run(qtbot, workspace, "forward")
    options = workspace.document.options
    changed = {"seed": options.seed + 1, "batch_start": 64, "train": not options.train}
    workspace.try_edit(set_options, **{change: changed[change]})

    assert not workspace.results_are_current


def test_live_runs_again_after_a_value_an_undo_and_a_redo(qtbot: QtBot, workspace: Workspace) -> None:
    workspace.load(product())
    run(qtbot, workspace, "backward")
    workspace.live = True

    for edit, shown in (
        (lambda: workspace.try_edit(set_binding, Binding("A", "constant", "7")), [14.0]),
        (workspace.undo, [20.0]),
        (workspace.redo, [14.0]),
    ):
        edit()
        qtbot.waitUntil(lambda: workspace.results_are_current, timeout=5000)
        assert value(workspace, "C") == shown
        assert workspace.results is not None and workspace.results.stage == "backward"


def test_live_runs_a_small_document_as_soon_as_it_is_opened(qtbot: QtBot, workspace: Workspace) -> None:
    workspace.live = True
    workspace.load(product())
    qtbot.waitUntil(lambda: workspace.results_are_current, timeout=5000)

    assert value(workspace, "C") == [20.0]


def test_live_runs_once_for_many_edits_in_a_row(qtbot: QtBot, workspace: Workspace) -> None:
    workspace.load(product())
    run(qtbot, workspace, "forward")
    workspace.live = True
    finished: list[object] = []
    workspace.results_changed.connect(lambda _: finished.append(workspace.results_are_current))
    for number in range(20):
        workspace.try_edit(set_binding, Binding("A", "constant", str(number)))
    qtbot.waitUntil(lambda: workspace.results_are_current, timeout=5000)

    assert value(workspace, "C") == [38.0]
    assert finished.count(True) == 1


def test_live_waits_while_something_is_wrong_and_goes_on_when_it_is_mended(
    qtbot: QtBot, workspace: Workspace
) -> None:
    workspace.load(product())
    workspace.try_edit(set_binding, Binding("A", "constant", "[1, 2]"))
    run(qtbot, workspace, "forward")
    workspace.live = True
    with qtbot.assertNotEmitted(workspace.run_state_changed, wait=400):
        workspace.try_edit(set_binding, Binding("B", "constant", "[1, 2, 3]"))
    assert not workspace.results_are_current

    workspace.undo()
    qtbot.waitUntil(lambda: workspace.results_are_current, timeout=5000)


def test_a_document_that_is_loaded_leaves_no_numbers_of_the_one_before(
    qtbot: QtBot, workspace: Workspace
) -> None:
    workspace.load(product())
    run(qtbot, workspace, "forward")
    workspace.forward()
    workspace.load(product("3", "3"))

    assert workspace.results is None
    assert not workspace.store.is_modified and not workspace.store.can_undo
    run(qtbot, workspace, "forward")
    assert value(workspace, "C") == [9.0]


def test_an_answer_that_comes_after_an_edit_is_not_taken_for_the_new_document(
    qtbot: QtBot, workspace: Workspace
) -> None:
    workspace.load(product())
    workspace.forward()
    workspace.try_edit(set_binding, Binding("A", "constant", "7"))
    qtbot.waitUntil(lambda: workspace.results is not None, timeout=5000)

    assert value(workspace, "C") == [20.0]
    assert not workspace.results_are_current


def test_stop_ends_a_run_without_results(qtbot: QtBot, workspace: Workspace) -> None:
    workspace.load(open_entry("digits-convnet"))
    workspace.backward()
    workspace.stop()
    qtbot.waitUntil(lambda: not workspace.is_running, timeout=5000)

    assert workspace.results is None
    run(qtbot, workspace, "forward")
    assert workspace.results_are_current


def test_live_is_remembered(workspace: Workspace, theming: Any, settings: Any) -> None:
    workspace.live = True
    other = Workspace(theming, settings)

    assert other.live
    other.shutdown()


def test_view_options_are_announced(qtbot: QtBot, workspace: Workspace) -> None:
    with qtbot.waitSignal(workspace.view_option_changed):
        workspace.try_edit(set_options, style="card")
    with qtbot.waitSignal(workspace.view_option_changed):
        workspace.try_edit(set_options, show_auto=False)
    with qtbot.waitSignal(workspace.view_option_changed):
        workspace.theming.choose("dark")
    with qtbot.assertNotEmitted(workspace.view_option_changed):
        workspace.try_edit(set_options, seed=3)


def test_selection_is_announced(qtbot: QtBot, workspace: Workspace) -> None:
    workspace.load(product())
    with qtbot.waitSignal(workspace.selection_changed) as news:
        workspace.select({node(workspace, "A")})

    assert news.args == [frozenset({node(workspace, "A")})]


def test_deleting_everything_leaves_nothing_to_run(qtbot: QtBot, workspace: Workspace) -> None:
    workspace.live = True
    workspace.load(product())
    qtbot.waitUntil(lambda: workspace.results_are_current, timeout=5000)
    workspace.try_edit(delete, list(workspace.document.nodes))

    assert not workspace.results_are_current
    with qtbot.waitSignal(workspace.message) as told:
        workspace.forward()
    assert "nothing to compute" in told.args[0]


def test_only_settings_of_the_drawing_leave_results_as_they_are() -> None:
    from app.document.changes import Change
    from app.document.records import Settings
    from app.qt.running import affects_a_run

    before = Settings()
    looks = attrs.evolve(before, title="Other", style="card", show_auto=False)
    assert not affects_a_run(Change("settings", before.id, before, looks))
    assert affects_a_run(Change("settings", before.id, before, attrs.evolve(before, seed=before.seed + 1)))


def test_backward_without_anything_to_do_says_so(workspace: Workspace, qtbot: QtBot) -> None:
    workspace.load(product())
    for name in "ABD":
        workspace.try_edit(set_binding, Binding(name, "constant", "2", request="null"))
    with qtbot.waitSignal(workspace.message) as told:
        workspace.backward()
    assert "No argument asks for a gradient" in told.args[0]


@pytest.mark.skipif(not is_installed("torch"), reason="PyTorch is not installed")
def test_pytorch_computes_once_it_is_chosen(qtbot: QtBot, workspace: Workspace) -> None:
    workspace.load(product())
    run(qtbot, workspace, "backward")
    assert workspace.results is not None and workspace.results.computing.backend == "numpy"
    with qtbot.waitSignal(workspace.results_changed):
        workspace.settings.computing = "torch:cpu"
    assert not workspace.results_are_current
    with qtbot.waitSignal(workspace.results_changed, timeout=60_000):  # loading PyTorch takes its time
        workspace.backward()
    assert workspace.results.computing.title == "PyTorch"
    assert workspace.results_are_current and value(workspace, "C") == [20.0]
    gradient = workspace.results.gradient_by_node(node(workspace, "A"))
    assert gradient is not None and gradient.ravel().tolist() == [2.0]
    assert workspace.results.host_nodes == ()


@pytest.mark.skipif(not is_installed("torch"), reason="PyTorch is not installed")
def test_a_card_that_is_gone_is_told_in_words(qtbot: QtBot, workspace: Workspace) -> None:
    workspace.load(product())
    workspace.settings.computing = "torch:cuda:77"
    with qtbot.waitSignal(workspace.message, timeout=60_000) as told:
        workspace.forward()
    assert "no device 'cuda:77'" in told.args[0]


def test_backward_once_more_adds_to_what_is_there_until_the_document_changes(
    workspace: Workspace, qtbot: QtBot
) -> None:
    workspace.load(open_entry("executor-backward"))
    workspace.try_edit(set_binding, Binding("A", "constant", "10", request="add"))

    def gradient() -> float:
        with qtbot.waitSignal(workspace.results_changed):
            workspace.backward()
        results = workspace.results
        assert results is not None
        found = results.gradient((results.graph.index_by_name["A"], 0))
        assert found is not None
        return float(found[0])

    assert [gradient(), gradient(), gradient()] == [4, 8, 12]
    workspace.try_edit(set_binding, Binding("B", "constant", "3", request="null"))
    assert gradient() == 12, "bound anew, the buffer is empty: 2 · 2 · 3"
