# Optimizers, schedules, checkpoints, hooks of a training loop.
# Written by tools/make_stubs.py from the entry points of the first-party plugins.

from typing import Any as _Any

from dovetail_io.checkpoint import checkpoint_exists as checkpoint_exists
from dovetail_io.listing import get_checkpoint_mtimes as get_checkpoint_mtimes
from dovetail_io.listing import list_variables as list_variables
from dovetail_io.listing import load_checkpoint as load_checkpoint
from dovetail_io.listing import load_variable as load_variable
from dovetail_io.listing import remove_checkpoint as remove_checkpoint
from dovetail_io.metagraph import export_meta_graph as export_meta_graph
from dovetail_io.metagraph import import_meta_graph as import_meta_graph
from dovetail_io.metagraph import write_graph as write_graph
from dovetail_io.retention import get_checkpoint_state as get_checkpoint_state
from dovetail_io.retention import latest_checkpoint as latest_checkpoint
from dovetail_io.retention import update_checkpoint_state as update_checkpoint_state
from dovetail_io.saver import Saver as Saver
from dovetail_io.stateful import Stateful as Stateful
from dovetail_optim import Optimizer as Optimizer
from dovetail_optim.adadelta import AdadeltaOptimizer as AdadeltaOptimizer
from dovetail_optim.adafactor import AdafactorOptimizer as AdafactorOptimizer
from dovetail_optim.adagrad import AdagradOptimizer as AdagradOptimizer
from dovetail_optim.adagrad_da import AdagradDAOptimizer as AdagradDAOptimizer
from dovetail_optim.adam import AdamOptimizer as AdamOptimizer
from dovetail_optim.adamax import AdamaxOptimizer as AdamaxOptimizer
from dovetail_optim.adamw import AdamWOptimizer as AdamWOptimizer
from dovetail_optim.exponential_moving_average import ExponentialMovingAverage as ExponentialMovingAverage
from dovetail_optim.external_optimizer import ExternalOptimizerInterface as ExternalOptimizerInterface
from dovetail_optim.ftrl import FtrlOptimizer as FtrlOptimizer
from dovetail_optim.global_step import assert_global_step as assert_global_step
from dovetail_optim.global_step import create_global_step as create_global_step
from dovetail_optim.global_step import get_global_step as get_global_step
from dovetail_optim.global_step import get_or_create_global_step as get_or_create_global_step
from dovetail_optim.global_step import global_step as global_step
from dovetail_optim.gradient_accumulation import GradientAccumulationOptimizer as GradientAccumulationOptimizer
from dovetail_optim.gradient_descent import GradientDescentOptimizer as GradientDescentOptimizer
from dovetail_optim.lamb import LAMBOptimizer as LAMBOptimizer
from dovetail_optim.lars import LARSOptimizer as LARSOptimizer
from dovetail_optim.lazy_adam import LazyAdamOptimizer as LazyAdamOptimizer
from dovetail_optim.lion import LionOptimizer as LionOptimizer
from dovetail_optim.lookahead import LookaheadOptimizer as LookaheadOptimizer
from dovetail_optim.momentum import MomentumOptimizer as MomentumOptimizer
from dovetail_optim.moving_average import MovingAverageOptimizer as MovingAverageOptimizer
from dovetail_optim.muon import MuonOptimizer as MuonOptimizer
from dovetail_optim.nadam import NadamOptimizer as NadamOptimizer
from dovetail_optim.proximal_adagrad import ProximalAdagradOptimizer as ProximalAdagradOptimizer
from dovetail_optim.proximal_gradient_descent import (
    ProximalGradientDescentOptimizer as ProximalGradientDescentOptimizer,
)
from dovetail_optim.radam import RAdamOptimizer as RAdamOptimizer
from dovetail_optim.rmsprop import RMSPropOptimizer as RMSPropOptimizer
from dovetail_optim.schedules.cosine_decay import cosine_decay as cosine_decay
from dovetail_optim.schedules.cosine_decay_restarts import cosine_decay_restarts as cosine_decay_restarts
from dovetail_optim.schedules.exponential_decay import exponential_decay as exponential_decay
from dovetail_optim.schedules.inverse_time_decay import inverse_time_decay as inverse_time_decay
from dovetail_optim.schedules.linear_cosine_decay import linear_cosine_decay as linear_cosine_decay
from dovetail_optim.schedules.linear_cosine_decay import noisy_linear_cosine_decay as noisy_linear_cosine_decay
from dovetail_optim.schedules.natural_exp_decay import natural_exp_decay as natural_exp_decay
from dovetail_optim.schedules.noam_decay import noam_decay as noam_decay
from dovetail_optim.schedules.one_cycle import one_cycle as one_cycle
from dovetail_optim.schedules.piecewise_constant import piecewise_constant as piecewise_constant
from dovetail_optim.schedules.polynomial_decay import polynomial_decay as polynomial_decay
from dovetail_optim.schedules.reduce_on_plateau import ReduceLROnPlateau as ReduceLROnPlateau
from dovetail_optim.schedules.warmup import warmup as warmup
from dovetail_optim.scipy_optimizer import ScipyOptimizerInterface as ScipyOptimizerInterface
from dovetail_optim.swa import SWAOptimizer as SWAOptimizer
from dovetail_train.coordinator import Coordinator as Coordinator
from dovetail_train.hooks.checkpoint_saver import CheckpointSaverHook as CheckpointSaverHook
from dovetail_train.hooks.checkpoint_saver import CheckpointSaverListener as CheckpointSaverListener
from dovetail_train.hooks.early_stopping import EarlyStoppingHook as EarlyStoppingHook
from dovetail_train.hooks.feed_fn import FeedFnHook as FeedFnHook
from dovetail_train.hooks.final_ops import FinalOpsHook as FinalOpsHook
from dovetail_train.hooks.global_step_waiter import GlobalStepWaiterHook as GlobalStepWaiterHook
from dovetail_train.hooks.logging_tensor import LoggingTensorHook as LoggingTensorHook
from dovetail_train.hooks.nan_tensor import NanLossDuringTrainingError as NanLossDuringTrainingError
from dovetail_train.hooks.nan_tensor import NanTensorHook as NanTensorHook
from dovetail_train.hooks.profiler import ProfilerHook as ProfilerHook
from dovetail_train.hooks.progress_bar import ProgressBarHook as ProgressBarHook
from dovetail_train.hooks.reduce_lr_on_plateau import ReduceLROnPlateauHook as ReduceLROnPlateauHook
from dovetail_train.hooks.step_counter import StepCounterHook as StepCounterHook
from dovetail_train.hooks.stop_at_step import StopAtStepHook as StopAtStepHook
from dovetail_train.hooks.summary_saver import SummarySaverHook as SummarySaverHook
from dovetail_train.looper_thread import LooperThread as LooperThread
from dovetail_train.monitored_session import MonitoredSession as MonitoredSession
from dovetail_train.monitored_session import SingularMonitoredSession as SingularMonitoredSession
from dovetail_train.monitored_training_session import MonitoredTrainingSession as MonitoredTrainingSession
from dovetail_train.scaffold import Scaffold as Scaffold
from dovetail_train.session_creator import ChiefSessionCreator as ChiefSessionCreator
from dovetail_train.session_creator import SessionCreator as SessionCreator
from dovetail_train.session_run_hook import SessionRunArgs as SessionRunArgs
from dovetail_train.session_run_hook import SessionRunContext as SessionRunContext
from dovetail_train.session_run_hook import SessionRunHook as SessionRunHook
from dovetail_train.session_run_hook import SessionRunValues as SessionRunValues
from dovetail_train.summary.reading import summary_iterator as summary_iterator
from dovetail_train.timer import SecondOrStepTimer as SecondOrStepTimer

Adadelta = AdadeltaOptimizer
Adafactor = AdafactorOptimizer
Adagrad = AdagradOptimizer
AdagradDA = AdagradDAOptimizer
Adam = AdamOptimizer
AdamW = AdamWOptimizer
Adamax = AdamaxOptimizer
Ftrl = FtrlOptimizer
GradientAccumulation = GradientAccumulationOptimizer
GradientDescent = GradientDescentOptimizer
LAMB = LAMBOptimizer
LARS = LARSOptimizer
LazyAdam = LazyAdamOptimizer
Lion = LionOptimizer
Lookahead = LookaheadOptimizer
Momentum = MomentumOptimizer
MovingAverage = MovingAverageOptimizer
Muon = MuonOptimizer
Nadam = NadamOptimizer
NewCheckpointReader = load_checkpoint
ProximalAdagrad = ProximalAdagradOptimizer
ProximalGradientDescent = ProximalGradientDescentOptimizer
RAdam = RAdamOptimizer
RMSProp = RMSPropOptimizer
SWA = SWAOptimizer
piecewise_constant_decay = piecewise_constant

def __getattr__(name: str) -> _Any: ...  # what other plugins provide
