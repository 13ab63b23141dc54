# Saving, loading and exporting.
# Written by tools/make_stubs.py from the entry points of the first-party plugins.

from typing import Any as _Any

from dovetail_io.api import Checkpoint as Checkpoint
from dovetail_io.api import pack as pack
from dovetail_io.api import read_graph as read_graph
from dovetail_io.api import read_packed as read_packed
from dovetail_io.api import unpack as unpack
from dovetail_io.api import verify as verify
from dovetail_io.api import write_graph as write_graph
from dovetail_io.api import write_packed as write_packed
from dovetail_io.onnx import export_onnx as export_onnx
from dovetail_io.weights import load_weights as load_weights

def __getattr__(name: str) -> _Any: ...  # what other plugins provide
