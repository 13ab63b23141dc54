"""What core contributes to the namespaces: ``dt.math``, ``dt.linalg``, ``dt.random`` and their like."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any, Final

from dovetail.ops import (
    assert_functions,
    batch_blocks,
    clipping,
    comparison,
    counting,
    former_names,
    gamma_variates,
    gather,
    linalg,
    math,
    random,
    reductions,
    running_logs,
    segments,
    signal,
    simple_names,
    sorting,
    special,
    stateless_random,
    strings,
    variables,
)
from dovetail.ops.initializers import INITIALIZERS

__all__ = ["CONTRIBUTIONS"]

_MATH: Final = (
    "abs", "accumulate_n", "acos", "acosh", "add", "add_n", "angle", "argmax", "argmin", "asin", "asinh", "atan",
    "atan2", "atanh", "ceil", "conj", "cos", "cosh", "count_nonzero", "cumprod", "cumsum", "digamma", "divide", "equal",
    "erf", "erfc", "exp", "expm1", "floor", "floordiv", "floormod", "greater", "greater_equal", "imag", "is_finite",
    "is_inf", "is_nan", "less", "less_equal", "lgamma", "log", "log1p", "logical_and", "logical_not", "logical_or",
    "logical_xor", "maximum", "minimum", "mod", "multiply", "negative", "not_equal", "pow", "real", "reciprocal",
    "reduce_all", "reduce_any", "reduce_euclidean_norm", "reduce_logsumexp", "reduce_max", "reduce_mean",
    "reduce_min", "reduce_prod", "reduce_std", "reduce_sum", "reduce_variance", "rint", "round", "rsqrt", "sigmoid",
    "sign", "sin", "sinh", "sqrt", "square", "squared_difference", "subtract", "tan", "tanh", "truediv",
)  # fmt: skip
_BITWISE: Final = (
    "bitwise_and", "bitwise_or", "bitwise_xor", "invert", "left_shift", "right_shift",
)  # fmt: skip


def _named(names: Sequence[str], *modules: ModuleType) -> dict[str, Any]:
    return {name: next(getattr(one, name) for one in modules if name in one.__all__) for name in names}


CONTRIBUTIONS: Final[dict[str, dict[str, Any]]] = {
    "bitwise": _named(_BITWISE, comparison),
    "image": {
        "extract_image_patches": batch_blocks.extract_image_patches,
        "extract_patches": batch_blocks.extract_image_patches,
        "random_crop": random.random_crop,
    },
    "initializers": {
        **INITIALIZERS,
        "global_variables": variables.global_variables_initializer,
        "local_variables": variables.local_variables_initializer,
        "tables_initializer": former_names.tables_initializer,
        "variables": variables.variables_initializer,
    },
    "linalg": {**linalg.NAMES, "global_norm": clipping.global_norm},
    "math": {
        **_named((*_MATH, *special.__all__), math, reductions, special),
        **_named(segments.__all__, segments),
        "bincount": counting.bincount,
        "confusion_matrix": counting.confusion_matrix,
        "cumulative_logsumexp": running_logs.cumulative_logsumexp,
        "divide_no_nan": math.div_no_nan,
        "invert_permutation": gather.invert_permutation,
        "is_non_decreasing": assert_functions.is_non_decreasing,
        "is_strictly_increasing": assert_functions.is_strictly_increasing,
        "scalar_mul": simple_names.scalar_mul,
        "top_k": sorting.top_k,
    },
    "signal": dict(signal.SIGNAL),
    "spectral": dict(signal.SPECTRAL),
    "strings": dict(strings.NAMES),
    "random": {
        "categorical": random.categorical,
        "gamma": gamma_variates.random_gamma,
        "multinomial": random.multinomial,
        "normal": random.random_normal,
        "poisson": gamma_variates.random_poisson,
        "set_random_seed": random.set_random_seed,
        "shuffle": random.random_shuffle,
        "stateless_categorical": stateless_random.stateless_multinomial,
        "stateless_multinomial": stateless_random.stateless_multinomial,
        "stateless_normal": stateless_random.stateless_random_normal,
        "stateless_truncated_normal": stateless_random.stateless_truncated_normal,
        "stateless_uniform": stateless_random.stateless_random_uniform,
        "truncated_normal": random.truncated_normal,
        "uniform": random.random_uniform,
    },
}
"""By namespace, what stands in it under which name."""
