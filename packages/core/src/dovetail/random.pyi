# Random numbers.
# Written by tools/make_stubs.py from the entry points of the first-party plugins.

from typing import Any as _Any

from dovetail.ops.random import multinomial as multinomial
from dovetail.ops.random import random_normal as random_normal
from dovetail.ops.random import random_shuffle as random_shuffle
from dovetail.ops.random import random_uniform as random_uniform
from dovetail.ops.random import set_random_seed as set_random_seed
from dovetail.ops.random import truncated_normal as truncated_normal

normal = random_normal
shuffle = random_shuffle
uniform = random_uniform

def __getattr__(name: str) -> _Any: ...  # what other plugins provide
