"""scikit-learn's own checks of estimators, all of them: none is expected to fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import dovetail as dt

pytest.importorskip("sklearn", reason="the estimators need scikit-learn")

from sklearn.utils.estimator_checks import parametrize_with_checks  # noqa: TID253 - at the top, as it makes the tests

# Many a check fits on few samples of chance, which no number of epochs settles.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

ESTIMATORS = [
    dt.sklearn.DovetailClassifier(max_iter=50),
    dt.sklearn.DovetailRegressor(max_iter=50),
    dt.sklearn.DovetailTransformer(max_iter=50),
]


@parametrize_with_checks(ESTIMATORS)
def test_scikit_learn_finds_nothing(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)


OTHERS = [
    dt.sklearn.DovetailClassifier(),
    dt.sklearn.DovetailRegressor(),
    dt.sklearn.DovetailTransformer(),
    dt.sklearn.DovetailClassifier((16, 8), "tanh", dropout=0.1, optimizer="rmsprop", learning_rate=0.01),
    dt.sklearn.DovetailClassifier(optimizer=dt.train.MomentumOptimizer(0.05, 0.9), batch_size=8),
    dt.sklearn.DovetailRegressor(network=dt.layers.Dense(16, activation="relu"), loss="huber"),
    dt.sklearn.DovetailTransformer(3, (), noise=0.1, early_stopping=True, validation_fraction=0.2),
]


@pytest.mark.long
@parametrize_with_checks(OTHERS)
def test_other_parameters_change_nothing(estimator: Any, check: Any) -> None:
    by_chance = estimator.early_stopping or estimator.batch_size != "auto" or estimator.dropout
    if by_chance and "sample_weight_equivalence" in str(check):
        pytest.skip("a sample and its repetition fall into other batches and parts, and drop other elements")
    check(estimator)
