# Measures of how good a network is.
# Written by tools/make_stubs.py from the entry points of the first-party plugins.

from typing import Any as _Any

from dovetail_layers.metrics import accuracy as accuracy
from dovetail_layers.metrics import mean as mean

def __getattr__(name: str) -> _Any: ...  # what other plugins provide
