"""Dovetail's networks as scikit-learn estimators, as ``dt.sklearn`` hands them on; needs scikit-learn."""

from dovetail_train.sklearn.requirements import require_sklearn

require_sklearn()

from dovetail_train.sklearn.classifier import DovetailClassifier  # noqa: E402 - a sentence first, if it is not there
from dovetail_train.sklearn.regressor import DovetailRegressor  # noqa: E402
from dovetail_train.sklearn.storage import load  # noqa: E402
from dovetail_train.sklearn.transformer import DovetailTransformer  # noqa: E402

__all__ = ["DovetailClassifier", "DovetailRegressor", "DovetailTransformer", "load"]
