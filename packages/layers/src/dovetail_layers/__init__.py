"""What fills ``dt.layers``, ``dt.nn``, ``dt.losses`` and ``dt.metrics``: layers, activations, losses, measures."""

from dovetail_layers.activation import Activation
from dovetail_layers.batch_normalization import BatchNormalization
from dovetail_layers.convolutional import Conv2D
from dovetail_layers.dense import Dense
from dovetail_layers.dropout import Dropout
from dovetail_layers.flatten import Flatten
from dovetail_layers.pooling import AveragePooling2D, MaxPooling2D
from dovetail_layers.sequential import Sequential

__all__ = [
    "Activation",
    "AveragePooling2D",
    "BatchNormalization",
    "Conv2D",
    "Dense",
    "Dropout",
    "Flatten",
    "MaxPooling2D",
    "Sequential",
]
