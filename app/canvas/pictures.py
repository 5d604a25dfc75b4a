"""Pictures of a scene without a window, for documents and tests."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QGraphicsScene

from app.canvas.looks import Kit


def picture_of(scene: QGraphicsScene, box: QRectF, scale: float = 1.0) -> QImage:
    """Paint a part of a scene on its theme's background; `scale` is pixels per unit of the board."""
    assert hasattr(scene, "kit"), "the scene paints with a kit"
    kit: Kit = scene.kit
    before = kit.scale
    image = QImage(
        max(1, round(box.width() * scale)),
        max(1, round(box.height() * scale)),
        QImage.Format.Format_RGB32,
    )
    image.fill(kit.ink.theme.canvas)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
    kit.scale = max(scale, 1.0)
    scene.render(painter, QRectF(image.rect()), box, Qt.AspectRatioMode.IgnoreAspectRatio)
    painter.end()
    kit.scale = before
    return image
