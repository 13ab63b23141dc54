"""What a plugin's author imports: bases to subclass, declarations of operations, types, and what a backend implements."""

from dovetail.bases.format import Format
from dovetail.bases.layer import Layer
from dovetail.bases.optimizer import Optimizer
from dovetail.compiler.backend import Availability, Backend, DeviceInfo, Executable, Status
from dovetail.compiler.program import Instruction, Origin, Output, Program, ProgramInput, Value
from dovetail.graph.layercall import LayerCall
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.registry import all_definitions, find_definition, primitive
from dovetail.graph.source import Source
from dovetail.graph.subgraph import Subgraph, trace
from dovetail.ops.composites import CompositeOp, composite
from dovetail.ops.initializers import Initializer
from dovetail.ops.scalar import Expression
from dovetail.ops.scalars import ScalarOp, scalar
from dovetail.plugins import hookimpl, register, register_hooks, registered
from dovetail.types.dims import Dim, Symbol, SymbolicDim
from dovetail.types.dtypes import DType
from dovetail.types.shapes import Constraint, Shape, TensorType

__all__ = [
    "Array",
    "Availability",
    "Backend",
    "CompositeOp",
    "Constraint",
    "DType",
    "DeviceInfo",
    "Dim",
    "Executable",
    "Expression",
    "Format",
    "Initializer",
    "Instruction",
    "Layer",
    "LayerCall",
    "Op",
    "Optimizer",
    "Origin",
    "Output",
    "Program",
    "ProgramInput",
    "Sample",
    "ScalarOp",
    "Shape",
    "Signature",
    "Source",
    "Status",
    "Subgraph",
    "Symbol",
    "SymbolicDim",
    "TensorType",
    "Value",
    "all_definitions",
    "composite",
    "find_definition",
    "hookimpl",
    "primitive",
    "register",
    "register_hooks",
    "registered",
    "scalar",
    "trace",
]
