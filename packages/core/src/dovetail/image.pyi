# Images: resizing.
# Written by tools/make_stubs.py from the entry points of the first-party plugins.

from typing import Any as _Any

from dovetail_layers.resizing import ResizeMethod as ResizeMethod
from dovetail_layers.resizing import resize as resize
from dovetail_layers.resizing import resize_area as resize_area
from dovetail_layers.resizing import resize_bicubic as resize_bicubic
from dovetail_layers.resizing import resize_bilinear as resize_bilinear
from dovetail_layers.resizing import resize_images as resize_images
from dovetail_layers.resizing import resize_nearest_neighbor as resize_nearest_neighbor

def __getattr__(name: str) -> _Any: ...  # what other plugins provide
