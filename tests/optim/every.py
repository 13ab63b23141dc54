"""One of every optimizer, with numbers that suit small problems."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dovetail as dt

__all__ = ["MATRICES_ONLY", "OPTIMIZERS", "schedule"]

OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "adadelta": lambda rate: dt.train.AdadeltaOptimizer(100.0 * rate, 0.9, 1e-3),
    "adafactor": lambda rate: dt.train.AdafactorOptimizer(rate),
    "adagrad": lambda rate: dt.train.AdagradOptimizer(10.0 * rate),
    "adagrad_da": lambda rate: dt.train.AdagradDAOptimizer(
        10.0 * rate, dt.train.get_or_create_global_step(), l1_regularization_strength=1e-4
    ),
    "adam": lambda rate: dt.train.AdamOptimizer(rate, epsilon=1e-4, amsgrad=True),
    "adamax": lambda rate: dt.train.AdamaxOptimizer(rate, epsilon=1e-4),
    "adamw": lambda rate: dt.train.AdamWOptimizer(rate, epsilon=1e-4, clipnorm=5.0),
    "ftrl": lambda rate: dt.train.FtrlOptimizer(10.0 * rate, l1_regularization_strength=1e-3),
    "gradient_accumulation": lambda rate: dt.train.GradientAccumulationOptimizer(
        dt.train.AdamOptimizer(2.0 * rate, epsilon=1e-4), 2
    ),
    "gradient_descent": lambda rate: dt.train.GradientDescentOptimizer(rate, global_clipnorm=2.0),
    "lamb": lambda rate: dt.train.LAMBOptimizer(rate, weight_decay=1e-3),
    "lars": lambda rate: dt.train.LARSOptimizer(10.0 * rate, 0.5, eeta=0.05),
    "lazy_adam": lambda rate: dt.train.LazyAdamOptimizer(rate, epsilon=1e-4),
    "lion": lambda rate: dt.train.LionOptimizer(rate, weight_decay=1e-3),
    "lookahead": lambda rate: dt.train.LookaheadOptimizer(dt.train.AdamOptimizer(2.0 * rate, epsilon=1e-4), 3),
    "momentum": lambda rate: dt.train.MomentumOptimizer(0.3 * rate, 0.8, use_nesterov=True, clipnorm=2.0),
    "moving_average": lambda rate: dt.train.MovingAverageOptimizer(dt.train.AdamOptimizer(rate, epsilon=1e-4), 0.9),
    "muon": lambda rate: dt.train.MuonOptimizer(rate, weight_decay=1e-3),
    "nadam": lambda rate: dt.train.NadamOptimizer(rate, epsilon=1e-4),
    "proximal_adagrad": lambda rate: dt.train.ProximalAdagradOptimizer(10.0 * rate, 0.1, 1e-4, 1e-4),
    "proximal_gradient_descent": lambda rate: dt.train.ProximalGradientDescentOptimizer(
        rate, 1e-4, 1e-4, global_clipnorm=2.0
    ),
    "radam": lambda rate: dt.train.RAdamOptimizer(rate, 0.9, 0.95, 1e-4),
    "rmsprop": lambda rate: dt.train.RMSPropOptimizer(rate, momentum=0.5, epsilon=1e-3, centered=True),
    "swa": lambda rate: dt.train.SWAOptimizer(dt.train.AdamOptimizer(rate, epsilon=1e-4), 2, 3),
}
"""By the name of the entry point: a function of a learning rate, such as 0.01 for Adam."""

MATRICES_ONLY = {"muon"}


def schedule() -> dt.Tensor:
    """Return a rate that falls with the global step."""
    return dt.train.exponential_decay(0.02, dt.train.get_or_create_global_step(), 50, 0.9)
