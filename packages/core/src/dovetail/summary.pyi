# Logs of training.
# Written by tools/make_stubs.py from the entry points of the first-party plugins.

from typing import Any

def __getattr__(name: str) -> Any: ...  # what other plugins provide
