"""What TensorFlow 1 keeps in ``tf.data.experimental``."""

from dovetail_train.data.dataset import AUTOTUNE
from dovetail_train.data.stage import INFINITE as INFINITE_CARDINALITY
from dovetail_train.data.stage import UNKNOWN as UNKNOWN_CARDINALITY
from dovetail_train.data.tensorflow1 import cardinality, map_and_batch, shuffle_and_repeat, unbatch

__all__ = [
    "AUTOTUNE",
    "INFINITE_CARDINALITY",
    "UNKNOWN_CARDINALITY",
    "cardinality",
    "map_and_batch",
    "shuffle_and_repeat",
    "unbatch",
]
