# Input: data sets, batching, prefetching.
# Written by tools/make_stubs.py from the entry points of the first-party plugins.

from typing import Any as _Any

from dovetail_train.data import AUTOTUNE as AUTOTUNE
from dovetail_train.data import INFINITE_CARDINALITY as INFINITE_CARDINALITY
from dovetail_train.data import UNKNOWN_CARDINALITY as UNKNOWN_CARDINALITY
from dovetail_train.data import Dataset as Dataset
from dovetail_train.data import Iterator as Iterator
from dovetail_train.data import TensorSpec as TensorSpec
from dovetail_train.data import from_arrays as from_arrays
from dovetail_train.data import from_generator as from_generator
from dovetail_train.data import range as range
from dovetail_train.data import zip as zip

def __getattr__(name: str) -> _Any: ...  # what other plugins provide
