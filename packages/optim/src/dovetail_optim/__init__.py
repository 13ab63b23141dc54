"""Optimizers and learning-rate schedules for Dovetail, as ``dt.train`` hands them on."""

from dovetail_optim.adam import AdamOptimizer
from dovetail_optim.adamw import AdamWOptimizer
from dovetail_optim.global_step import create_global_step, get_global_step, get_or_create_global_step, global_step
from dovetail_optim.gradient_descent import GradientDescentOptimizer
from dovetail_optim.momentum import MomentumOptimizer
from dovetail_optim.rmsprop import RMSPropOptimizer
from dovetail_optim.schedules.cosine_decay import cosine_decay
from dovetail_optim.schedules.exponential_decay import exponential_decay
from dovetail_optim.schedules.piecewise_constant import piecewise_constant
from dovetail_optim.schedules.polynomial_decay import polynomial_decay

__all__ = [
    "AdamOptimizer",
    "AdamWOptimizer",
    "GradientDescentOptimizer",
    "MomentumOptimizer",
    "RMSPropOptimizer",
    "cosine_decay",
    "create_global_step",
    "exponential_decay",
    "get_global_step",
    "get_or_create_global_step",
    "global_step",
    "piecewise_constant",
    "polynomial_decay",
]
