"""Input: datasets, their transformations, positions that can be saved; handed on as ``dt.data``."""

from dovetail_train.data.dataset import AUTOTUNE, Dataset
from dovetail_train.data.iterator import Iterator
from dovetail_train.data.sources import from_arrays, from_generator
from dovetail_train.data.spec import TensorSpec
from dovetail_train.data.stage import INFINITE as INFINITE_CARDINALITY
from dovetail_train.data.stage import UNKNOWN as UNKNOWN_CARDINALITY

range = Dataset.range
zip = Dataset.zip

__all__ = [
    "AUTOTUNE",
    "INFINITE_CARDINALITY",
    "UNKNOWN_CARDINALITY",
    "Dataset",
    "Iterator",
    "TensorSpec",
    "from_arrays",
    "from_generator",
    "range",
    "zip",
]
