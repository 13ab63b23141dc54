"""``LinearClassifier`` and ``LinearRegressor``: weighted sums of feature columns."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail_train.estimator.class_heads import class_head
from dovetail_train.estimator.dnn import no_partitioner
from dovetail_train.estimator.optimizers import OptimizerLike, step_with
from dovetail_train.estimator.ready import ReadyEstimator
from dovetail_train.estimator.regression_head import regression_head
from dovetail_train.estimator.run_config import RunConfig
from dovetail_train.estimator.warm_start import WarmStartSettings
from dovetail_train.feature_column.linear_model import linear_model

__all__ = ["LinearClassifier", "LinearRegressor", "linear_network", "linear_rate"]


class LinearClassifier(ReadyEstimator):
    """Classifies by weighted sums: logistic or softmax regression.

    Args:
        feature_columns: columns of ``dt.feature_column``, dense or categorical.
        model_dir: the folder of checkpoints and logs.
        n_classes: how many classes there are.
        weight_column: the feature that weighs examples, or a numeric column of it.
        label_vocabulary: the classes as text, where labels are; else labels are integers from 0.
        optimizer: a name, an optimizer, or a function that makes one; by name it has the learning rate
            ``min(0.2, 1 / sqrt(number of columns))``.
        config: how to run.
        partitioner: must be ``None``: variables are whole.
        warm_start_from: first values from another checkpoint.
        loss_reduction: how one loss is made of those of the examples: their sum.
        sparse_combiner: how the weights of a row with several categories are combined: ``"sum"``, ``"mean"`` or
            ``"sqrtn"``.

    Raises:
        InvalidArgumentError: a number is out of range.
        NotFoundError: there is no such optimizer.

    Example:
        >>> columns = [dt.feature_column.numeric_column("x")]
        >>> sign = dt.estimator.LinearClassifier(columns, "sign", label_vocabulary=["minus", "plus"])
        >>> x = np.array([-2.0, -1.0, 1.0, 2.0])
        >>> _ = sign.train(lambda: ({"x": x}, ["minus", "minus", "plus", "plus"]), steps=50)
        >>> [row["classes"][0] for row in sign.predict(lambda: {"x": x})]
        [b'minus', b'minus', b'plus', b'plus']
    """

    def __init__(
        self,
        feature_columns: Any,
        model_dir: str | os.PathLike[str] | None = None,
        n_classes: int = 2,
        weight_column: Any = None,
        label_vocabulary: Sequence[str] | None = None,
        optimizer: OptimizerLike = "Ftrl",
        config: RunConfig | None = None,
        partitioner: None = None,
        warm_start_from: str | os.PathLike[str] | WarmStartSettings | None = None,
        loss_reduction: str = dt.losses.Reduction.SUM,
        sparse_combiner: str = "sum",
    ) -> None:
        """Make the network's function."""
        who = type(self).__name__
        no_partitioner(who, partitioner)
        head = class_head(who, n_classes, weight_column, label_vocabulary, loss_reduction)
        network = linear_network(feature_columns, head.outputs, sparse_combiner)
        step = step_with(optimizer, linear_rate(feature_columns, 0.2), who)
        super().__init__(head, network, step, model_dir, config, warm_start_from)


class LinearRegressor(ReadyEstimator):
    """Predicts numbers by weighted sums: linear regression.

    Args:
        feature_columns: columns of ``dt.feature_column``, dense or categorical.
        model_dir: the folder of checkpoints and logs.
        label_dimension: how many numbers there are for each example.
        weight_column: the feature that weighs examples, or a numeric column of it.
        optimizer: a name, an optimizer, or a function that makes one; by name it has the learning rate
            ``min(0.2, 1 / sqrt(number of columns))``.
        config: how to run.
        partitioner: must be ``None``: variables are whole.
        warm_start_from: first values from another checkpoint.
        loss_reduction: how one loss is made of those of the examples: their sum.
        sparse_combiner: how the weights of a row with several categories are combined.

    Raises:
        InvalidArgumentError: a number is out of range.
        NotFoundError: there is no such optimizer.
    """

    def __init__(
        self,
        feature_columns: Any,
        model_dir: str | os.PathLike[str] | None = None,
        label_dimension: int = 1,
        weight_column: Any = None,
        optimizer: OptimizerLike = "Ftrl",
        config: RunConfig | None = None,
        partitioner: None = None,
        warm_start_from: str | os.PathLike[str] | WarmStartSettings | None = None,
        loss_reduction: str = dt.losses.Reduction.SUM,
        sparse_combiner: str = "sum",
    ) -> None:
        """Make the network's function."""
        who = type(self).__name__
        no_partitioner(who, partitioner)
        head = regression_head(who, label_dimension, weight_column, loss_reduction)
        network = linear_network(feature_columns, head.outputs, sparse_combiner)
        step = step_with(optimizer, linear_rate(feature_columns, 0.2), who)
        super().__init__(head, network, step, model_dir, config, warm_start_from)


def linear_rate(feature_columns: Any, most: float) -> float:
    """Return the learning rate for so many columns, which lessens as their steps add up."""
    count = len(feature_columns) if isinstance(feature_columns, Sequence) else 1
    return min(most, 1.0 / math.sqrt(max(count, 1)))


def linear_network(feature_columns: Any, outputs: int, sparse_combiner: str) -> Callable[[Any, bool], Tensor]:
    """Return a function that makes weighted sums of feature columns, in the scope ``linear``."""

    def network(features: Any, training: bool) -> Tensor:
        with dt.variable_scope("linear"):
            return linear_model(features, feature_columns, outputs, sparse_combiner)

    return network
