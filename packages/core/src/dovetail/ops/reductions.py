"""Reductions: the names of the modules that hold them, in one place."""

from dovetail.ops.positions import argmax, argmin
from dovetail.ops.reducing import reduce_all, reduce_any, reduce_max, reduce_min, reduce_prod, reduce_sum
from dovetail.ops.reducing import sum_to as sum_to
from dovetail.ops.running import cumprod, cumsum
from dovetail.ops.statistics import (
    count_nonzero,
    norm,
    reduce_euclidean_norm,
    reduce_logsumexp,
    reduce_mean,
    reduce_std,
    reduce_variance,
)

__all__ = [
    "argmax",
    "argmin",
    "count_nonzero",
    "cumprod",
    "cumsum",
    "norm",
    "reduce_all",
    "reduce_any",
    "reduce_euclidean_norm",
    "reduce_logsumexp",
    "reduce_max",
    "reduce_mean",
    "reduce_min",
    "reduce_prod",
    "reduce_std",
    "reduce_sum",
    "reduce_variance",
]
