# Networks as scikit-learn estimators.
# Written by tools/make_stubs.py from the entry points of the first-party plugins.

from typing import Any as _Any

from dovetail_train.sklearn import DovetailClassifier as DovetailClassifier
from dovetail_train.sklearn import DovetailRegressor as DovetailRegressor
from dovetail_train.sklearn import DovetailTransformer as DovetailTransformer
from dovetail_train.sklearn import load as load

def __getattr__(name: str) -> _Any: ...  # what other plugins provide
