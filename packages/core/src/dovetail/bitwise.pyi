# Operations on the bits of integers.
# Written by tools/make_stubs.py from the entry points of the first-party plugins.

from typing import Any as _Any

from dovetail.ops.comparison import bitwise_and as bitwise_and
from dovetail.ops.comparison import bitwise_or as bitwise_or
from dovetail.ops.comparison import bitwise_xor as bitwise_xor
from dovetail.ops.comparison import invert as invert
from dovetail.ops.comparison import left_shift as left_shift
from dovetail.ops.comparison import right_shift as right_shift

def __getattr__(name: str) -> _Any: ...  # what other plugins provide
