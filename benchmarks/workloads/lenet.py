"""A LeNet with dropout."""

from __future__ import annotations

import dovetail as dt

CLASSES = 10


def lenet(images: dt.Tensor, training: bool) -> dt.Tensor:
    """Return the scores of images of one channel."""
    x = dt.layers.conv2d(images, 32, 5, padding="same", activation="relu")
    x = dt.layers.max_pooling2d(x, 2, 2)
    x = dt.layers.conv2d(x, 64, 5, padding="same", activation="relu")
    x = dt.layers.max_pooling2d(x, 2, 2)
    x = dt.layers.flatten(x)
    x = dt.layers.dense(x, 256, activation="relu")
    x = dt.layers.dropout(x, rate=0.5, training=training)
    return dt.layers.dense(x, CLASSES)


def multiply_adds(side: int) -> tuple[int, int]:
    """Return the multiply-adds for one image of ``side`` by ``side``, of the whole and of its first layer."""
    half, quarter = side // 2, side // 4
    first = side**2 * 25 * 32
    return first + half**2 * 25 * 32 * 64 + quarter**2 * 64 * 256 + 256 * CLASSES, first
