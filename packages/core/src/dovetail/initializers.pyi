# First values of weights.
# Written by tools/make_stubs.py from the entry points of the first-party plugins.

from typing import Any as _Any

from dovetail.ops.former_names import tables_initializer as tables_initializer
from dovetail.ops.initializers import ConstantInitializer as ConstantInitializer
from dovetail.ops.initializers import GlorotNormal as GlorotNormal
from dovetail.ops.initializers import GlorotUniform as GlorotUniform
from dovetail.ops.initializers import HeNormal as HeNormal
from dovetail.ops.initializers import HeUniform as HeUniform
from dovetail.ops.initializers import Identity as Identity
from dovetail.ops.initializers import LecunNormal as LecunNormal
from dovetail.ops.initializers import LecunUniform as LecunUniform
from dovetail.ops.initializers import Ones as Ones
from dovetail.ops.initializers import Orthogonal as Orthogonal
from dovetail.ops.initializers import RandomNormal as RandomNormal
from dovetail.ops.initializers import RandomUniform as RandomUniform
from dovetail.ops.initializers import TruncatedNormal as TruncatedNormal
from dovetail.ops.initializers import UniformUnitScaling as UniformUnitScaling
from dovetail.ops.initializers import VarianceScaling as VarianceScaling
from dovetail.ops.initializers import Zeros as Zeros
from dovetail.ops.variables import global_variables_initializer as global_variables_initializer
from dovetail.ops.variables import local_variables_initializer as local_variables_initializer
from dovetail.ops.variables import variables_initializer as variables_initializer

constant = ConstantInitializer
global_variables = global_variables_initializer
glorot_normal = GlorotNormal
glorot_uniform = GlorotUniform
he_normal = HeNormal
he_uniform = HeUniform
identity = Identity
lecun_normal = LecunNormal
lecun_uniform = LecunUniform
local_variables = local_variables_initializer
ones = Ones
orthogonal = Orthogonal
random_normal = RandomNormal
random_uniform = RandomUniform
truncated_normal = TruncatedNormal
uniform_unit_scaling = UniformUnitScaling
variables = variables_initializer
variance_scaling = VarianceScaling
zeros = Zeros

def __getattr__(name: str) -> _Any: ...  # what other plugins provide
