"""Bodies painted once and copied ever after: what many nodes have alike, such as a card's shadow, body and border."""

import math
from collections.abc import Hashable
from functools import lru_cache
from typing import Protocol

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPixmap

MOST_SPRITES = 128
LARGEST = 640.0
"""Sprites broader than this many pixels are painted afresh: few of them are in sight, and they take much memory."""


class Sprite(Hashable, Protocol):
    """Something that paints itself around the origin; equal ones look alike."""

    def paint(self, painter: QPainter) -> None:
        """Paint it."""


def paint_sprite(painter: QPainter, box: QRectF, sprite: Sprite) -> None:
    """Paint a sprite in a box around the origin of the painter, which may zoom but not turn."""
    device = painter.device()
    transform = painter.worldTransform()
    ratio = device.devicePixelRatio()
    zoom = transform.m11()
    if box.width() * zoom * ratio > LARGEST:
        sprite.paint(painter)
        return
    picture = _picture(sprite, box.width(), box.height(), zoom, ratio)
    corner = transform.map(box.topLeft())
    painter.save()
    painter.resetTransform()
    # On whole pixels the copy is exact; the rounding moves it by less than one.
    painter.drawPixmap(QPointF(_whole(corner.x(), ratio), _whole(corner.y(), ratio)), picture)
    painter.restore()


def _whole(value: float, ratio: float) -> float:
    return math.floor(value * ratio + 0.5) / ratio


@lru_cache(maxsize=MOST_SPRITES)
def _picture(sprite: Sprite, width: float, height: float, zoom: float, ratio: float) -> QPixmap:
    picture = QPixmap(math.ceil(width * zoom * ratio) + 1, math.ceil(height * zoom * ratio) + 1)
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(zoom, zoom)
    painter.translate(width / 2, height / 2)
    sprite.paint(painter)
    painter.end()
    return picture
