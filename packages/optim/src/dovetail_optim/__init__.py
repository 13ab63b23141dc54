"""Optimizers and learning-rate schedules for Dovetail, as ``dt.train`` hands them on."""

from dovetail_optim.adadelta import AdadeltaOptimizer
from dovetail_optim.adafactor import AdafactorOptimizer
from dovetail_optim.adagrad import AdagradOptimizer
from dovetail_optim.adagrad_da import AdagradDAOptimizer
from dovetail_optim.adam import AdamOptimizer
from dovetail_optim.adamax import AdamaxOptimizer
from dovetail_optim.adamw import AdamWOptimizer
from dovetail_optim.ftrl import FtrlOptimizer
from dovetail_optim.global_step import create_global_step, get_global_step, get_or_create_global_step, global_step
from dovetail_optim.gradient_descent import GradientDescentOptimizer
from dovetail_optim.lamb import LAMBOptimizer
from dovetail_optim.lars import LARSOptimizer
from dovetail_optim.lazy_adam import LazyAdamOptimizer
from dovetail_optim.lion import LionOptimizer
from dovetail_optim.momentum import MomentumOptimizer
from dovetail_optim.muon import MuonOptimizer
from dovetail_optim.nadam import NadamOptimizer
from dovetail_optim.proximal_adagrad import ProximalAdagradOptimizer
from dovetail_optim.proximal_gradient_descent import ProximalGradientDescentOptimizer
from dovetail_optim.rmsprop import RMSPropOptimizer
from dovetail_optim.schedules.cosine_decay import cosine_decay
from dovetail_optim.schedules.exponential_decay import exponential_decay
from dovetail_optim.schedules.piecewise_constant import piecewise_constant
from dovetail_optim.schedules.polynomial_decay import polynomial_decay

__all__ = [
    "AdadeltaOptimizer",
    "AdafactorOptimizer",
    "AdagradDAOptimizer",
    "AdagradOptimizer",
    "AdamOptimizer",
    "AdamWOptimizer",
    "AdamaxOptimizer",
    "FtrlOptimizer",
    "GradientDescentOptimizer",
    "LAMBOptimizer",
    "LARSOptimizer",
    "LazyAdamOptimizer",
    "LionOptimizer",
    "MomentumOptimizer",
    "MuonOptimizer",
    "NadamOptimizer",
    "ProximalAdagradOptimizer",
    "ProximalGradientDescentOptimizer",
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
