"""Residual networks (He et al., 2015): ResNet-20 for small images, and ResNet-50 in its version 1.5.

Version 1.5 strides in the 3x3 convolution of a block, not in the 1x1 before it.
"""

from __future__ import annotations

import dovetail as dt

STAGES_20 = ((16, 3, 1), (32, 3, 2), (64, 3, 2))  # channels, blocks, stride of the first block
STAGES_50 = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))
WIDER = 4  # a bottleneck's output has so many times the channels of its middle


def convolved(x: dt.Tensor, filters: int, size: int, stride: int, training: bool) -> dt.Tensor:
    """Return a convolution without bias, normalised by batch."""
    x = dt.layers.conv2d(x, filters, size, strides=stride, padding="same", use_bias=False)
    return dt.layers.batch_normalization(x, momentum=0.9, epsilon=1e-5, training=training)


def shortcut(x: dt.Tensor, filters: int, stride: int, training: bool) -> dt.Tensor:
    """Return ``x``, projected where stride or channels change."""
    if stride == 1 and x.shape[-1] == filters:
        return x
    return convolved(x, filters, 1, stride, training)


def basic_block(x: dt.Tensor, filters: int, stride: int, training: bool) -> dt.Tensor:
    """Return two 3x3 convolutions of ``x``, and ``x``."""
    y = dt.nn.relu(convolved(x, filters, 3, stride, training))
    y = convolved(y, filters, 3, 1, training)
    return dt.nn.relu(y + shortcut(x, filters, stride, training))


def bottleneck(x: dt.Tensor, filters: int, stride: int, training: bool) -> dt.Tensor:
    """Return a 1x1, a 3x3 and a 1x1 convolution of ``x``, and ``x``."""
    y = dt.nn.relu(convolved(x, filters, 1, 1, training))
    y = dt.nn.relu(convolved(y, filters, 3, stride, training))
    y = convolved(y, WIDER * filters, 1, 1, training)
    return dt.nn.relu(y + shortcut(x, WIDER * filters, stride, training))


def resnet20(images: dt.Tensor, training: bool) -> dt.Tensor:
    """Return ten scores of each image."""
    x = dt.nn.relu(convolved(images, 16, 3, 1, training))
    for filters, blocks, stride in STAGES_20:
        for block in range(blocks):
            x = basic_block(x, filters, stride if block == 0 else 1, training)
    return dt.layers.dense(dt.reduce_mean(x, [1, 2]), 10)


def resnet50(images: dt.Tensor, training: bool) -> dt.Tensor:
    """Return a thousand scores of each image."""
    x = dt.nn.relu(convolved(images, 64, 7, 2, training))
    x = dt.layers.max_pooling2d(x, 3, 2, padding="same")
    for filters, blocks, stride in STAGES_50:
        for block in range(blocks):
            x = bottleneck(x, filters, stride if block == 0 else 1, training)
    return dt.layers.dense(dt.reduce_mean(x, [1, 2]), 1000)


def multiply_adds_20(side: int) -> tuple[int, int]:
    """Return the multiply-adds of ResNet-20 for one image, of the whole and of its first layer."""
    first = side**2 * 9 * 3 * 16
    total, channels = first, 16
    for filters, blocks, stride in STAGES_20:
        for block in range(blocks):
            side = -(-side // stride) if block == 0 else side
            total += side**2 * 9 * (channels + filters) * filters
            if block == 0 and (stride != 1 or channels != filters):
                total += side**2 * channels * filters
            channels = filters
    return total + channels * 10, first


def multiply_adds_50(side: int) -> tuple[int, int]:
    """Return the multiply-adds of ResNet-50 for one image, of the whole and of its first layer."""
    side = -(-side // 2)
    first = side**2 * 49 * 3 * 64
    side = -(-side // 2)
    total, channels = first, 64
    for filters, blocks, stride in STAGES_50:
        for block in range(blocks):
            before, side = side, -(-side // stride) if block == 0 else side
            wide = WIDER * filters
            total += before**2 * channels * filters + side**2 * (9 * filters + wide) * filters
            if block == 0:
                total += side**2 * channels * wide
            channels = wide
    return total + channels * 1000, first
