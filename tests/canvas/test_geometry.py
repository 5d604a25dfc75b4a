"""Places of ports, ways of wires and of words, in both styles."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPointF, QRectF

from app.canvas import labels
from app.canvas.geometry import (
    CARD,
    GRID,
    PICTURE,
    NodeShape,
    Placed,
    auto_spots,
    geometry_of,
    reach_at,
    snap,
    visible_grid,
)
from app.canvas.ways import curve, distance, distance_to_way, straight, text_place

NUMBERS = st.floats(-2000, 2000)
POINTS = st.builds(QPointF, NUMBERS, NUMBERS)
SHAPES = [
    NodeShape("variable"),
    NodeShape("auxiliary"),
    NodeShape("operator", flow=(0,)),
    NodeShape("operator", flow=(0, 1)),
    NodeShape("operator", flow=(0,), side=(1, 2)),
    NodeShape("operator", flow=(0,), side=(1, 2, 3, 4), side_up=False),
    NodeShape("operator", flow=(0, 1, 2, 3, 4, 5, 6, 7), room=True, outputs=5),
    NodeShape("group", flow=(0, 1), outputs=0, room=True),
]
BOTH = pytest.mark.parametrize("geometry", [PICTURE, CARD], ids=["picture", "card"])
EVERY = pytest.mark.parametrize(
    "shape", SHAPES, ids=lambda shape: f"{shape.kind}{len(shape.flow)}{len(shape.side)}"
)


@BOTH
@EVERY
def test_every_input_has_a_port_and_no_two_share_a_place(geometry, shape):
    if geometry is CARD and shape.kind in ("variable", "auxiliary"):
        assert geometry.inputs(shape) == {}
        return
    ports = geometry.inputs(shape)
    assert set(ports) == {*shape.slots, *shape.side}
    points = [(round(port.point.x(), 3), round(port.point.y(), 3)) for port in ports.values()]
    assert len(set(points)) == len(points)
    for port in ports.values():
        assert math.isclose(math.hypot(port.away.x(), port.away.y()), 1.0, abs_tol=1e-6)


@BOTH
@EVERY
def test_ports_lie_at_the_edge_not_inside_and_not_far_off(geometry, shape):
    body = geometry.body(shape)
    for port in (*geometry.inputs(shape).values(), *geometry.outputs(shape)):
        assert not geometry.holds(shape, port.point, 0.95)
        assert body.adjusted(-16, -16, 16, 16).contains(port.point)


def test_a_variadic_operator_has_one_port_too_many():
    assert NodeShape("operator", flow=(0, 1), room=True).slots == (0, 1, 2)
    assert NodeShape("group", room=True).slots == (0,)


@given(POINTS, POINTS)
def test_picture_wires_run_between_the_outlines(one, other):
    if distance(one, other) < 120:
        return
    source, target = Placed(SHAPES[0], one), Placed(SHAPES[3], other)
    wire = PICTURE.wire(source, 0, target, 1)
    assert not PICTURE.holds(source.shape, wire.start - one, 1.0)
    assert PICTURE.holds(source.shape, wire.start - one, 1.4)
    assert not PICTURE.holds(target.shape, wire.end - other, 1.0)
    assert PICTURE.holds(target.shape, wire.end - other, 1.4)


@given(POINTS, POINTS)
def test_card_wires_begin_and_end_at_their_ports(one, other):
    shape = NodeShape("operator", flow=(0, 1), side=(2,), outputs=2)
    wire = CARD.wire(Placed(shape, one), 1, Placed(shape, other), 2)
    assert wire.start == one + CARD.outputs(shape)[1].point
    assert wire.end == other + CARD.inputs(shape)[2].point
    assert wire.polyline()[0] == wire.start
    assert distance(wire.polyline()[-1], wire.end) < 1e-6


@given(POINTS, POINTS)
def test_a_way_back_swings_around_instead_of_through_the_card(one, other):
    shape = SHAPES[2]
    wire = CARD.wire(Placed(shape, one), 0, Placed(shape, other), 0)
    first, last = wire.polyline()[1], wire.polyline()[-2]
    assert first.x() >= wire.start.x() - 1e-6, "it leaves to the right"
    assert last.x() <= wire.end.x() + 1e-6, "it arrives from the left"


def test_two_wires_between_the_same_nodes_bow_apart():
    source, target = Placed(SHAPES[0], QPointF(0, 0)), Placed(SHAPES[3], QPointF(0, 160))
    left, right = PICTURE.bowed(source, target, 13), PICTURE.bowed(source, target, -13)
    assert distance(left.middle, right.middle) > 15
    assert left.aside is not None
    assert QPointF.dotProduct(left.aside, right.aside) < 0


@given(POINTS, st.floats(20, 160), st.floats(10, 20), st.floats(0, 2 * math.pi))
def test_the_shape_beside_a_straight_wire_does_not_touch_it(start, width, height, angle):
    wire = straight(start, start + QPointF(math.cos(angle), math.sin(angle)) * 200)
    assert not labels.line_meets_box(wire.start, wire.end, text_place(wire, width, height))


@given(POINTS, st.lists(POINTS, min_size=2, max_size=6))
def test_the_distance_to_a_way_is_that_to_its_nearest_point(point, way):
    apart, along = distance_to_way(point, way)
    assert 0 <= along <= 1
    assert apart <= min(distance(point, corner) for corner in way) + 1e-6


def test_a_hit_reaches_as_far_on_the_screen_at_every_zoom():
    for scale in (0.1, 0.5, 1.0, 3.0):
        assert reach_at(scale) * scale == pytest.approx(14.0)


@given(st.floats(0.01, 4.0))
def test_the_visible_grid_is_a_multiple_of_eight_and_never_too_dense(scale):
    step = visible_grid(scale)
    assert step * scale >= 12.0
    assert step % GRID == 0
    assert math.log(step / GRID, 3) == pytest.approx(round(math.log(step / GRID, 3)))


@given(st.floats(-1e5, 1e5), st.sampled_from([8.0, 24.0, 72.0]))
def test_snapping_goes_to_the_nearest_line(value, step):
    snapped = snap(value, step)
    assert snapped % step == 0
    assert abs(snapped - value) <= step / 2


@pytest.mark.parametrize("style", ["picture", "card"])
@pytest.mark.parametrize("count", [1, 2, 3, 4])
@pytest.mark.parametrize("side_up", [True, False])
def test_automatic_arguments_stand_clear_of_the_body_and_of_each_other(style, count, side_up):
    side = tuple(range(1, count + 1))
    shape = NodeShape("operator", flow=(0,), side=side, side_up=side_up)
    spots = auto_spots(style, shape, side)
    body = geometry_of(style).body(shape)
    places = [spot.centre for spot in spots.values()]
    assert all(not body.adjusted(-12, -8, 12, 8).contains(place) for place in places)
    boxes = [QRectF(place.x() - 12, place.y() - 8, 24, 16) for place in places]
    assert not any(one.intersects(other) for at, one in enumerate(boxes) for other in boxes[at + 1 :])


def test_a_label_goes_to_the_first_side_that_is_free():
    body, size = QRectF(-20, -14, 40, 28), QPointF(40, 16)
    up = [(QPointF(0, 0), QPointF(0, -200))]
    taken = [QRectF(20, -20, 80, 40)]

    def place(sides, lines, boxes):
        return labels.free_place(body, size, sides, labels.Surroundings(lines, boxes))

    assert place(("above", "right"), [], []).bottom() <= body.top()
    assert place(("above", "right"), up, []).left() >= body.right()
    assert place(("above", "right", "left"), up, taken).right() <= body.left()
    walled = [*up, (QPointF(0, 0), QPointF(200, 0))]
    assert place(("above", "right"), walled, taken).bottom() <= body.top(), "the least bad"


def test_beside_a_square_no_label_goes_into_a_corner():
    body, size = QRectF(-13, -13, 26, 26), QPointF(40, 16)
    sides = ("lower left", "lower right", "upper left", "upper right", "left", "right", "above", "below")
    for side in sides:
        box = labels.free_place(body, size, (side,), labels.Surroundings(square=True))
        assert not box.intersects(body), side


def test_a_curve_between_level_ports_is_straight():
    from app.canvas.ways import Anchor

    wire = curve(Anchor(QPointF(0, 5), QPointF(1, 0)), Anchor(QPointF(60, 5), QPointF(-1, 0)))
    assert {round(point.y(), 6) for point in wire.polyline()} == {5.0}
