"""The executor graph of a model: every array a tile, its gradient beside it, and nothing on anything else."""

from itertools import combinations

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt

from app.canvas.executor_homes import homes_of
from app.canvas.executor_plates import title_of
from app.canvas.executor_scene import ExecutorScene
from app.canvas.executor_tiles import tile_layout
from app.canvas.executor_view import ExecutorView
from app.canvas.labels import line_meets_box
from app.document.edits import set_options
from app.services.gallery import open_entry


@pytest.fixture
def scene(workspace):
    made = ExecutorScene(workspace)
    yield made
    made.deleteLater()


def run(workspace, qtbot):
    with qtbot.waitSignal(workspace.results_changed, check_params_cb=lambda results: results is not None):
        workspace.backward()


def by_title(scene):
    return {item.look.title: item for item in scene.items_by_index}


@pytest.fixture(params=["digits-mlp", "digits-convnet"])
def model(request, scene, workspace, qtbot):
    workspace.load(open_entry(request.param))
    run(workspace, qtbot)
    return scene


def test_no_tile_and_no_name_lies_on_another(model):
    boxes = [(item.look.title, item.box) for item in model.items_by_index]
    boxes += [
        (f"name of {item.look.title}", item.plate.labels[0].box.translated(item.pos()))
        for item in model.items_by_index
    ]
    for (one, box), (other, another) in combinations(boxes, 2):
        assert not box.intersects(another), (one, other)


def test_a_gradient_stands_under_its_array_and_those_of_arguments_under_that(model):
    items = by_title(model)
    assert items["d(fc1)"].pos().x() == items["fc1"].pos().x()
    assert items["d(fc1)"].pos().y() > items["fc1"].pos().y()
    for name in ("fc1_weight", "fc1_bias"):
        assert items[name].look.form == items[f"d({name})"].look.form == "small"
        assert items[name].pos().y() < items["fc1"].pos().y()
        assert items[f"d({name})"].pos().x() == items[name].pos().x()
        assert items[f"d({name})"].pos().y() > items["d(fc1)"].pos().y()


def test_wires_to_another_row_run_where_no_tile_is(model):
    lanes = model.picture.lanes
    assert {model.wires[key].kind for key in lanes} == {"forward", "gradient"}
    for key in lanes:
        for item in model.items_by_index:
            if item.look.index not in key:
                meets = [piece for piece in model.wires[key].pieces() if line_meets_box(*piece, item.box)]
                assert not meets, item.look.title


def test_a_label_that_stands_apart_joins_the_node_that_reads_it(scene, workspace, qtbot):
    workspace.load(open_entry("digits-convnet"))
    items = by_title(scene)
    assert items["label"].look.form == "small"
    assert items["label"].pos().x() == items["softmax"].pos().x()


def test_a_drawing_that_runs_down_has_its_gradients_at_the_right(scene, workspace, draw):
    data = draw.node("Variable", 0, 0, "data")
    above = data
    for number in range(1, 4):
        fc = draw.node("FullyConnected", 0, 160 * number, f"fc{number}", num_hidden="4")
        draw.wire(above, fc, 0)
        above = fc
    workspace.try_edit(set_options, style="card")
    items = by_title(scene)
    assert items["d(fc2)"].pos().y() == items["fc2"].pos().y()
    assert items["d(fc2)"].pos().x() > items["fc2"].pos().x()
    assert items["fc2_weight"].pos().x() < items["fc2"].pos().x()
    boxes = [item.box for item in scene.items_by_index]
    assert not any(one.intersects(other) for one, other in combinations(boxes, 2))


def test_the_style_of_the_document_decides(scene, workspace, qtbot):
    workspace.load(open_entry("digits-mlp"))
    assert {item.look.form for item in scene.items_by_index} == {"tile", "small"}
    workspace.try_edit(set_options, style="picture")
    assert {item.look.form for item in scene.items_by_index} == {"square"}


def test_neighbours_that_stand_close_are_moved_apart(workspace, draw):
    for number in range(6):
        draw.node("FullyConnected", 30 * number, 10 * number, f"fc{number}", num_hidden="2")
    workspace.try_edit(set_options, style="card")
    scene = ExecutorScene(workspace)
    layout = tile_layout(scene.graph, homes_of(workspace.analysis))
    close = [
        (one, other)
        for one, other in combinations(layout.places, 2)
        if abs((one - other).x()) < 50 and abs((one - other).y()) < 36
    ]
    assert not close
    scene.deleteLater()


def test_what_backward_reads_steps_back_until_somebody_looks(workspace, qtbot):
    workspace.load(open_entry("digits-mlp"))
    view = ExecutorView(workspace)
    view.resize(900, 600)
    view.show()
    qtbot.waitExposed(view)
    view.fit()
    scene = view.executor_scene
    items = by_title(scene)
    key = items["relu1"].look.index, items["d(fc1)"].look.index
    others = [wire for other, wire in scene.wires.items() if wire.kind == "read" and other != key]
    assert scene.wires[key].pale
    qtbot.mouseMove(view.viewport(), view.mapFromScene(items["d(fc1)"].pos()))
    assert not scene.wires[key].pale
    assert any(wire.pale for wire in others)
    qtbot.mouseMove(view.viewport(), QPoint(2, 2))
    assert scene.wires[key].pale
    qtbot.mouseClick(
        view.viewport(),
        Qt.MouseButton.LeftButton,
        pos=view.mapFromScene(items["relu1"].pos() + QPointF(1, 1)),
    )
    assert not scene.wires[key].pale
    view.close()
    view.deleteLater()
    scene.deleteLater()


def test_long_names_of_arguments_are_shortened_to_what_their_node_does_not_say(model):
    from app.canvas.executor_plates import tile_name

    look = by_title(model)["d(fc1_weight)"].look
    whole, growth = tile_name(look, 400.0, 1.5)
    assert (whole.text, growth) == (title_of(look), 1.5)
    short, growth = tile_name(look, 80.0, 1.5)
    assert short.text == "d(…weight)"
    assert short.width * growth <= 80.0


def test_names_between_a_value_and_its_gradient_have_room_when_written_larger(model):
    from app.canvas.labels import grown

    large = [
        (item.look.title, grown(label.box, item.plate.foot, item.plate.growth).translated(item.pos()))
        for item in model.items_by_index
        for label in item.plate.labels
        if item.look.form == "tile"
    ]
    for (one, box), (other, another) in combinations(large, 2):
        assert not box.intersects(another), (one, other)
