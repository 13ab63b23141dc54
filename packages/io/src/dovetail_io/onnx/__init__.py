"""Export to ONNX.

``converter`` and ``Builder`` are for whoever writes a converter. A third party's is declared by an entry point of the
group ``dovetail.onnx`` whose name is the operation's type.
"""

from dovetail_io.onnx.api import export_onnx
from dovetail_io.onnx.builder import Builder, ConversionError
from dovetail_io.onnx.format import OnnxFormat
from dovetail_io.onnx.model import Value
from dovetail_io.onnx.registry import converter, converter_of
from dovetail_io.onnx.report import ExportReport

__all__ = [
    "Builder",
    "ConversionError",
    "ExportReport",
    "OnnxFormat",
    "Value",
    "converter",
    "converter_of",
    "export_onnx",
]
