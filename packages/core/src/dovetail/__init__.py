"""Dovetail: deep learning from parts that fit together.

Names follow the graph-and-session API that TensorFlow 1 made known: ``import dovetail as tf`` runs its tutorials.
``dt.layers``, ``dt.nn``, ``dt.train`` and the other namespaces are filled by the plugins that are installed.
"""

from dovetail import errors
from dovetail import plugins as _plugins
from dovetail.bases.format import load, save
from dovetail.graph.graph import Graph, GraphKeys, get_default_graph, reset_default_graph
from dovetail.graph.operation import Operation, Tensor
from dovetail.graph.shortcuts import (
    add_to_collection,
    control_dependencies,
    device,
    get_collection,
    get_collection_ref,
    get_default_session,
    name_scope,
)
from dovetail.ops.arithmetic import *
from dovetail.ops.arrays import *
from dovetail.ops.casting import *
from dovetail.ops.comparison import *
from dovetail.ops.constants import constant, convert_to_tensor
from dovetail.ops.control_flow import cond
from dovetail.ops.einsum import einsum
from dovetail.ops.elementary import *
from dovetail.ops.gather import *
from dovetail.ops.gradients import gradients
from dovetail.ops.indexed_slices import IndexedSlices
from dovetail.ops.initializers import (
    constant_initializer,
    glorot_normal_initializer,
    glorot_uniform_initializer,
    identity_initializer,
    ones_initializer,
    random_normal_initializer,
    random_uniform_initializer,
    truncated_normal_initializer,
    variance_scaling_initializer,
    zeros_initializer,
)
from dovetail.ops.linear import batch_matmul, matmul, tensordot
from dovetail.ops.passing import *
from dovetail.ops.random import *
from dovetail.ops.reductions import *
from dovetail.ops.selection import *
from dovetail.ops.state import group, no_op, placeholder, placeholder_with_default
from dovetail.ops.state import tuple_ as tuple
from dovetail.ops.variable_scope import (
    AUTO_REUSE,
    VariableScope,
    get_local_variable,
    get_variable,
    get_variable_scope,
    variable_scope,
)
from dovetail.ops.variables import (
    Variable,
    assign,
    assign_add,
    assign_sub,
    global_variables,
    global_variables_initializer,
    is_variable_initialized,
    local_variables,
    local_variables_initializer,
    model_variables,
    report_uninitialized_variables,
    trainable_variables,
    variables_initializer,
)
from dovetail.session.config import ConfigProto, GPUOptions
from dovetail.session.explain import explain
from dovetail.session.session import InteractiveSession, Session
from dovetail.types.dims import Symbol
from dovetail.types.dtypes import (
    DType,
    as_dtype,
    bfloat16,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    string,
    uint8,
    uint16,
    uint32,
    uint64,
)
from dovetail.types.dtypes import bool_ as bool
from dovetail.types.shapes import Shape
from dovetail.types.shapes import Shape as TensorShape
from dovetail.version import __version__

_plugins.install(__name__)

__all__ = [
    "__version__",
]
