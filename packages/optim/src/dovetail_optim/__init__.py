"""Optimizers and learning-rate schedules for Dovetail, as ``dt.train`` hands them on."""

from dovetail.extend import Optimizer
from dovetail_optim.adadelta import AdadeltaOptimizer
from dovetail_optim.adafactor import AdafactorOptimizer
from dovetail_optim.adagrad import AdagradOptimizer
from dovetail_optim.adagrad_da import AdagradDAOptimizer
from dovetail_optim.adam import AdamOptimizer
from dovetail_optim.adamax import AdamaxOptimizer
from dovetail_optim.adamw import AdamWOptimizer
from dovetail_optim.exponential_moving_average import ExponentialMovingAverage
from dovetail_optim.external_optimizer import ExternalOptimizerInterface
from dovetail_optim.ftrl import FtrlOptimizer
from dovetail_optim.global_step import (
    assert_global_step,
    create_global_step,
    get_global_step,
    get_or_create_global_step,
    global_step,
)
from dovetail_optim.gradient_accumulation import GradientAccumulationOptimizer
from dovetail_optim.gradient_descent import GradientDescentOptimizer
from dovetail_optim.lamb import LAMBOptimizer
from dovetail_optim.lars import LARSOptimizer
from dovetail_optim.lazy_adam import LazyAdamOptimizer
from dovetail_optim.lion import LionOptimizer
from dovetail_optim.lookahead import LookaheadOptimizer
from dovetail_optim.momentum import MomentumOptimizer
from dovetail_optim.moving_average import MovingAverageOptimizer
from dovetail_optim.muon import MuonOptimizer
from dovetail_optim.nadam import NadamOptimizer
from dovetail_optim.proximal_adagrad import ProximalAdagradOptimizer
from dovetail_optim.proximal_gradient_descent import ProximalGradientDescentOptimizer
from dovetail_optim.radam import RAdamOptimizer
from dovetail_optim.rmsprop import RMSPropOptimizer
from dovetail_optim.schedules.cosine_decay import cosine_decay
from dovetail_optim.schedules.cosine_decay_restarts import cosine_decay_restarts
from dovetail_optim.schedules.exponential_decay import exponential_decay
from dovetail_optim.schedules.inverse_time_decay import inverse_time_decay
from dovetail_optim.schedules.linear_cosine_decay import linear_cosine_decay, noisy_linear_cosine_decay
from dovetail_optim.schedules.natural_exp_decay import natural_exp_decay
from dovetail_optim.schedules.noam_decay import noam_decay
from dovetail_optim.schedules.one_cycle import one_cycle
from dovetail_optim.schedules.piecewise_constant import piecewise_constant
from dovetail_optim.schedules.polynomial_decay import polynomial_decay
from dovetail_optim.schedules.reduce_on_plateau import ReduceLROnPlateau
from dovetail_optim.schedules.warmup import warmup
from dovetail_optim.scipy_optimizer import ScipyOptimizerInterface
from dovetail_optim.swa import SWAOptimizer

__all__ = [
    "AdadeltaOptimizer",
    "AdafactorOptimizer",
    "AdagradDAOptimizer",
    "AdagradOptimizer",
    "AdamOptimizer",
    "AdamWOptimizer",
    "AdamaxOptimizer",
    "ExponentialMovingAverage",
    "ExternalOptimizerInterface",
    "FtrlOptimizer",
    "GradientAccumulationOptimizer",
    "GradientDescentOptimizer",
    "LAMBOptimizer",
    "LARSOptimizer",
    "LazyAdamOptimizer",
    "LionOptimizer",
    "LookaheadOptimizer",
    "MomentumOptimizer",
    "MovingAverageOptimizer",
    "MuonOptimizer",
    "NadamOptimizer",
    "Optimizer",
    "ProximalAdagradOptimizer",
    "ProximalGradientDescentOptimizer",
    "RAdamOptimizer",
    "RMSPropOptimizer",
    "ReduceLROnPlateau",
    "SWAOptimizer",
    "ScipyOptimizerInterface",
    "assert_global_step",
    "cosine_decay",
    "cosine_decay_restarts",
    "create_global_step",
    "exponential_decay",
    "get_global_step",
    "get_or_create_global_step",
    "global_step",
    "inverse_time_decay",
    "linear_cosine_decay",
    "natural_exp_decay",
    "noam_decay",
    "noisy_linear_cosine_decay",
    "one_cycle",
    "piecewise_constant",
    "polynomial_decay",
    "warmup",
]
