"""Training loops with hooks for Dovetail, as ``dt.train`` hands them on."""

from dovetail_train.coordinator import Coordinator
from dovetail_train.hooks.checkpoint_saver import CheckpointSaverHook, CheckpointSaverListener
from dovetail_train.hooks.early_stopping import EarlyStoppingHook
from dovetail_train.hooks.feed_fn import FeedFnHook
from dovetail_train.hooks.final_ops import FinalOpsHook
from dovetail_train.hooks.global_step_waiter import GlobalStepWaiterHook
from dovetail_train.hooks.logging_tensor import LoggingTensorHook
from dovetail_train.hooks.nan_tensor import NanLossDuringTrainingError, NanTensorHook
from dovetail_train.hooks.profiler import ProfilerHook
from dovetail_train.hooks.progress_bar import ProgressBarHook
from dovetail_train.hooks.reduce_lr_on_plateau import ReduceLROnPlateauHook
from dovetail_train.hooks.step_counter import StepCounterHook
from dovetail_train.hooks.stop_at_step import StopAtStepHook
from dovetail_train.hooks.summary_saver import SummarySaverHook
from dovetail_train.looper_thread import LooperThread
from dovetail_train.monitored_session import MonitoredSession, SingularMonitoredSession
from dovetail_train.monitored_training_session import MonitoredTrainingSession
from dovetail_train.scaffold import Scaffold
from dovetail_train.session_creator import ChiefSessionCreator, SessionCreator
from dovetail_train.session_run_hook import SessionRunArgs, SessionRunContext, SessionRunHook, SessionRunValues
from dovetail_train.timer import SecondOrStepTimer

__all__ = [
    "ReduceLROnPlateauHook",
    "ProfilerHook",
    "ProgressBarHook",
    "GlobalStepWaiterHook",
    "EarlyStoppingHook",
    "CheckpointSaverHook",
    "CheckpointSaverListener",
    "ChiefSessionCreator",
    "Coordinator",
    "FeedFnHook",
    "FinalOpsHook",
    "LoggingTensorHook",
    "LooperThread",
    "MonitoredSession",
    "MonitoredTrainingSession",
    "NanLossDuringTrainingError",
    "NanTensorHook",
    "Scaffold",
    "SecondOrStepTimer",
    "SessionCreator",
    "SessionRunArgs",
    "SessionRunContext",
    "SessionRunHook",
    "SessionRunValues",
    "SingularMonitoredSession",
    "StepCounterHook",
    "StopAtStepHook",
    "SummarySaverHook",
]
