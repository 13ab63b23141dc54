"""What a plugin's author imports: bases to subclass, declarations of operations, types, what a backend implements."""

from dovetail import definitions
from dovetail.bases.activations import Activation, as_activation
from dovetail.bases.format import Format
from dovetail.bases.layer import InitializerLike, Layer, RegularizerLike, Training, as_initializer
from dovetail.bases.optimizer import Hyperparameter, Numbers, Optimizer
from dovetail.bases.registration import layer_name
from dovetail.bases.regularizer import Regularizer
from dovetail.compiler.backend import Availability, Backend, DeviceInfo, Executable, Status
from dovetail.compiler.lower import Feed, lower, needed_operations
from dovetail.compiler.passes import decompose_composites
from dovetail.compiler.plan import optimize
from dovetail.compiler.program import Instruction, Origin, Output, Program, ProgramInput, Value
from dovetail.compiler.reference import ReferenceBackend
from dovetail.compiler.timing import Timing
from dovetail.graph.layercall import LayerCall
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.registry import all_definitions, find_definition, primitive
from dovetail.graph.source import Source
from dovetail.graph.subgraph import Subgraph, trace
from dovetail.ops import nest
from dovetail.ops import scalar as expressions
from dovetail.ops.composites import CompositeOp, composite
from dovetail.ops.control_flow import smart_cond
from dovetail.ops.convolution import convolution, convolution_transpose
from dovetail.ops.graphdata import graph_from_data, graph_hash, graph_to_data
from dovetail.ops.gru import gru
from dovetail.ops.initializers import Initializer
from dovetail.ops.loop_functions import while_history
from dovetail.ops.loops import make_scan
from dovetail.ops.lstm import lstm
from dovetail.ops.pooling import average_pool, max_pool
from dovetail.ops.reductions import sum_to
from dovetail.ops.scalar import Expression, basis
from dovetail.ops.scalars import ScalarOp, scalar
from dovetail.ops.simple_rnn import simple_rnn
from dovetail.ops.sizes import known_elements
from dovetail.ops.windows import Window, as_padding
from dovetail.plugins import get as plugin
from dovetail.plugins import hook, hookimpl, register, register_hooks, registered
from dovetail.plugins import names as plugin_names
from dovetail.plugins import packages as plugin_packages
from dovetail.session.profile import Profile, recording
from dovetail.types import dims
from dovetail.types.attributes import ArrayAttribute, ArraySource, ArrayStore
from dovetail.types.configured import Configured, decode_value, encode_value
from dovetail.types.dims import Dim, Symbol, SymbolicDim
from dovetail.types.dtypes import DType
from dovetail.types.fields import field
from dovetail.types.shapes import Constraint, Shape, TensorType

__all__ = [
    "Activation",
    "Array",
    "ArrayAttribute",
    "ArraySource",
    "ArrayStore",
    "Availability",
    "Backend",
    "CompositeOp",
    "Configured",
    "Constraint",
    "DType",
    "DeviceInfo",
    "Dim",
    "Executable",
    "Expression",
    "Feed",
    "Format",
    "Hyperparameter",
    "Initializer",
    "InitializerLike",
    "Instruction",
    "Layer",
    "LayerCall",
    "Numbers",
    "Op",
    "Optimizer",
    "Origin",
    "Output",
    "Profile",
    "Program",
    "ProgramInput",
    "Regularizer",
    "ReferenceBackend",
    "RegularizerLike",
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
    "Timing",
    "Training",
    "Value",
    "Window",
    "all_definitions",
    "as_activation",
    "as_initializer",
    "as_padding",
    "average_pool",
    "basis",
    "composite",
    "convolution",
    "convolution_transpose",
    "decode_value",
    "decompose_composites",
    "definitions",
    "dims",
    "encode_value",
    "expressions",
    "field",
    "find_definition",
    "graph_from_data",
    "graph_hash",
    "graph_to_data",
    "gru",
    "hook",
    "hookimpl",
    "layer_name",
    "known_elements",
    "lower",
    "lstm",
    "make_scan",
    "max_pool",
    "needed_operations",
    "nest",
    "optimize",
    "plugin",
    "plugin_names",
    "plugin_packages",
    "primitive",
    "recording",
    "register",
    "register_hooks",
    "registered",
    "scalar",
    "simple_rnn",
    "smart_cond",
    "sum_to",
    "trace",
    "while_history",
]
