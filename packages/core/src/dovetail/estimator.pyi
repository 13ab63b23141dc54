# Training, evaluation and prediction from one model function.
# Written by tools/make_stubs.py from the entry points of the first-party plugins.

from typing import Any as _Any

from dovetail_train.estimator import export as export
from dovetail_train.estimator import inputs as inputs
from dovetail_train.estimator.autoencoder import Autoencoder as Autoencoder
from dovetail_train.estimator.baseline import BaselineClassifier as BaselineClassifier
from dovetail_train.estimator.baseline import BaselineRegressor as BaselineRegressor
from dovetail_train.estimator.cnn import CNNClassifier as CNNClassifier
from dovetail_train.estimator.dnn import DNNClassifier as DNNClassifier
from dovetail_train.estimator.dnn import DNNRegressor as DNNRegressor
from dovetail_train.estimator.dnn_linear_combined import DNNLinearCombinedClassifier as DNNLinearCombinedClassifier
from dovetail_train.estimator.dnn_linear_combined import DNNLinearCombinedRegressor as DNNLinearCombinedRegressor
from dovetail_train.estimator.estimator import Estimator as Estimator
from dovetail_train.estimator.estimator_spec import EstimatorSpec as EstimatorSpec
from dovetail_train.estimator.exporters import BestExporter as BestExporter
from dovetail_train.estimator.exporters import Exporter as Exporter
from dovetail_train.estimator.exporters import FinalExporter as FinalExporter
from dovetail_train.estimator.exporters import LatestExporter as LatestExporter
from dovetail_train.estimator.linear import LinearClassifier as LinearClassifier
from dovetail_train.estimator.linear import LinearRegressor as LinearRegressor
from dovetail_train.estimator.mode_keys import ModeKeys as ModeKeys
from dovetail_train.estimator.rnn import RNNClassifier as RNNClassifier
from dovetail_train.estimator.run_config import RunConfig as RunConfig
from dovetail_train.estimator.train_and_evaluate import EvalSpec as EvalSpec
from dovetail_train.estimator.train_and_evaluate import TrainSpec as TrainSpec
from dovetail_train.estimator.train_and_evaluate import train_and_evaluate as train_and_evaluate
from dovetail_train.estimator.warm_start import WarmStartSettings as WarmStartSettings

def __getattr__(name: str) -> _Any: ...  # what other plugins provide
