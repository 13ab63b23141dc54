# Activations and other functions of networks.
# Written by tools/make_stubs.py from the entry points of the first-party plugins.

from typing import Any as _Any

def __getattr__(name: str) -> _Any: ...  # what other plugins provide
