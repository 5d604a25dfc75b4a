"""Pictures of a scene without a window, to be looked at pixel by pixel."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter

from app.canvas.executor_scene import ExecutorScene
from app.canvas.scene import BoardScene


def picture_of(scene: BoardScene | ExecutorScene, box: QRectF, scale: float = 1.0) -> QImage:
    """Paint a part of a scene on its theme's background; `scale` is pixels per unit of the board."""
    kit = scene.kit
    before = kit.scale
    size = max(1, round(box.width() * scale)), max(1, round(box.height() * scale))
    image = QImage(*size, QImage.Format.Format_RGB32)
    image.fill(kit.ink.theme.canvas)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
    kit.scale = max(scale, 1.0)
    scene.render(painter, QRectF(image.rect()), box, Qt.AspectRatioMode.IgnoreAspectRatio)
    painter.end()
    kit.scale = before
    return image


def whole_picture_of(scene: BoardScene, scale: float = 1.0) -> QImage:
    """Paint everything on a board with a margin around it."""
    return picture_of(scene, scene.content_box().adjusted(-24, -24, 24, 24), scale)
