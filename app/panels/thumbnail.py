"""A small picture of a document: its nodes as ellipses where they stand, and straight wires between them."""

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from app.document.records import GROUP, VARIABLE, Document
from app.qt.theme import Theme

LARGEST_SCALE = 0.36
NODE = QRectF(-7.0, -5.0, 14.0, 10.0)


def paint_thumbnail(painter: QPainter, area: QRectF, document: Document, theme: Theme) -> None:
    """Draw a document into an area, as large as it fits."""
    places = _places(document, area)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    wire = QPen(theme.wire_faint, 1.4)
    painter.setPen(wire)
    groups = {node.id for node in document.nodes.values() if node.op == GROUP}
    for edge in document.edges.values():
        if edge.source in places and edge.target in places and edge.target not in groups:
            painter.drawLine(QLineF(places[edge.source], places[edge.target]))
    outputs = _outputs(document)
    picture = theme.picture
    for key, place in places.items():
        op = document.nodes[key].op
        shape = NODE.translated(place)
        if op == GROUP:
            painter.setBrush(QColor(Qt.GlobalColor.transparent))
            painter.setPen(QPen(picture.group, 1.6))
            painter.drawRoundedRect(shape, 2, 2)
            continue
        painter.setBrush(picture.argument if op == VARIABLE else picture.operator)
        painter.setPen(
            QPen(theme.accent if key in outputs else picture.outline, 1.6 if key in outputs else 1.2)
        )
        painter.drawEllipse(shape)
    painter.restore()


def _places(document: Document, area: QRectF) -> dict[str, QPointF]:
    """Scale the nodes' positions into the area, whole and in its middle."""
    if not document.nodes:
        return {}
    xs = [node.position[0] for node in document.nodes.values()]
    ys = [node.position[1] for node in document.nodes.values()]
    inner = area.adjusted(16, 12, -16, -12)
    wide, high = max(xs) - min(xs), max(ys) - min(ys)
    scale = min(
        LARGEST_SCALE,
        inner.width() / wide if wide else LARGEST_SCALE,
        inner.height() / high if high else LARGEST_SCALE,
    )
    middle = QPointF((max(xs) + min(xs)) / 2, (max(ys) + min(ys)) / 2)
    return {
        key: inner.center() + (QPointF(*node.position) - middle) * scale
        for key, node in document.nodes.items()
    }


def _outputs(document: Document) -> set[str]:
    """Guess what is bound without any engine: what a Group lists, else the operators that feed nothing."""
    groups = {node.id for node in document.nodes.values() if node.op == GROUP}
    if groups:
        return {edge.source for edge in document.edges.values() if edge.target in groups}
    sources = {edge.source for edge in document.edges.values()}
    return {key for key, node in document.nodes.items() if key not in sources and node.op != VARIABLE}
