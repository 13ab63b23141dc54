"""``BaselineClassifier`` and ``BaselineRegressor``: what can be said without looking at the features."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Final

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import nest
from dovetail_train.estimator.class_heads import class_head
from dovetail_train.estimator.optimizers import OptimizerLike, step_with
from dovetail_train.estimator.ready import ReadyEstimator
from dovetail_train.estimator.regression_head import regression_head
from dovetail_train.estimator.run_config import RunConfig

__all__ = ["BaselineClassifier", "BaselineRegressor"]

_LEARNING_RATE: Final = 0.3


class BaselineClassifier(ReadyEstimator):
    """Learns how frequent the classes are, and predicts that: the mark that a network has to beat.

    Args:
        model_dir: the folder of checkpoints and logs.
        n_classes: how many classes there are.
        weight_column: the feature that weighs examples, or a numeric column of it.
        label_vocabulary: the classes as text, where labels are; else labels are integers from 0.
        optimizer: a name, an optimizer, or a function that makes one; by name it has the learning rate 0.3.
        config: how to run.
        loss_reduction: how one loss is made of those of the examples: their sum.
    """

    def __init__(
        self,
        model_dir: str | os.PathLike[str] | None = None,
        n_classes: int = 2,
        weight_column: Any = None,
        label_vocabulary: Sequence[str] | None = None,
        optimizer: OptimizerLike = "Ftrl",
        config: RunConfig | None = None,
        loss_reduction: str = dt.losses.Reduction.SUM,
    ) -> None:
        """Make the network's function."""
        who = type(self).__name__
        head = class_head(who, n_classes, weight_column, label_vocabulary, loss_reduction)
        step = step_with(optimizer, _LEARNING_RATE, who)
        super().__init__(head, lambda features, _: _bias(features, head.outputs), step, model_dir, config)


class BaselineRegressor(ReadyEstimator):
    """Learns the mean of the labels, and predicts that: the mark that a network has to beat.

    Args:
        model_dir: the folder of checkpoints and logs.
        label_dimension: how many numbers there are for each example.
        weight_column: the feature that weighs examples, or a numeric column of it.
        optimizer: a name, an optimizer, or a function that makes one; by name it has the learning rate 0.3.
        config: how to run.
        loss_reduction: how one loss is made of those of the examples: their sum.
    """

    def __init__(
        self,
        model_dir: str | os.PathLike[str] | None = None,
        label_dimension: int = 1,
        weight_column: Any = None,
        optimizer: OptimizerLike = "Ftrl",
        config: RunConfig | None = None,
        loss_reduction: str = dt.losses.Reduction.SUM,
    ) -> None:
        """Make the network's function."""
        who = type(self).__name__
        head = regression_head(who, label_dimension, weight_column, loss_reduction)
        step = step_with(optimizer, _LEARNING_RATE, who)
        super().__init__(head, lambda features, _: _bias(features, head.outputs), step, model_dir, config)


def _bias(features: Mapping[str, Any] | Tensor, outputs: int) -> Tensor:
    """Return the same scores for each example."""
    size = dt.shape(dt.convert_to_tensor(nest.flatten(features)[0]))[0]
    with dt.variable_scope("baseline"):
        bias = dt.get_variable("bias", [outputs], initializer=dt.zeros_initializer())
        return dt.zeros(dt.stack([size, outputs])) + bias
