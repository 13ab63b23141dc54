"""``DNNLinearCombinedClassifier`` and ``DNNLinearCombinedRegressor``: wide and deep networks."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import InvalidArgumentError
from dovetail.extend import Activation
from dovetail_train.estimator.class_heads import class_head
from dovetail_train.estimator.dnn import DNN_LEARNING_RATE, dnn_network, no_partitioner
from dovetail_train.estimator.head import Head
from dovetail_train.estimator.linear import linear_network, linear_rate
from dovetail_train.estimator.optimizers import OptimizerLike, as_optimizer, check_optimizer
from dovetail_train.estimator.ready import ReadyEstimator
from dovetail_train.estimator.regression_head import regression_head
from dovetail_train.estimator.run_config import RunConfig
from dovetail_train.estimator.warm_start import WarmStartSettings

__all__ = ["DNNLinearCombinedClassifier", "DNNLinearCombinedRegressor"]


class _Combined(ReadyEstimator):
    """A linear model beside dense layers, whose scores add up."""

    def __init__(
        self,
        head: Head,
        model_dir: Any,
        linear_feature_columns: Any,
        linear_optimizer: OptimizerLike,
        dnn_feature_columns: Any,
        dnn_optimizer: OptimizerLike,
        dnn_hidden_units: Sequence[int] | None,
        dnn_activation_fn: Activation,
        dnn_dropout: float | None,
        config: RunConfig | None,
        warm_start_from: Any,
        batch_norm: bool,
        linear_sparse_combiner: str,
    ) -> None:
        who = head.who
        parts: list[Callable[[Any, bool], Tensor]] = []
        optimizers: list[tuple[str, OptimizerLike, float]] = []
        if dnn_feature_columns:
            if not dnn_hidden_units:
                raise InvalidArgumentError(f"{who}: dnn_feature_columns are given without dnn_hidden_units.")
            parts.append(
                dnn_network(
                    who,
                    dnn_feature_columns,
                    dnn_hidden_units,
                    head.outputs,
                    dnn_activation_fn,
                    dnn_dropout,
                    batch_norm,
                )
            )
            optimizers.append(("dnn", dnn_optimizer, DNN_LEARNING_RATE))
        if linear_feature_columns:
            parts.append(linear_network(linear_feature_columns, head.outputs, linear_sparse_combiner))
            optimizers.append(("linear", linear_optimizer, linear_rate(linear_feature_columns, 0.005)))
        if not parts:
            raise InvalidArgumentError(f"{who}: give linear_feature_columns, dnn_feature_columns, or both.")
        for _, optimizer, _ in optimizers:
            check_optimizer(optimizer, who)

        def network(features: Any, training: bool) -> Tensor:
            return dt.add_n([part(features, training) for part in parts])

        def step(loss: Tensor) -> dt.Operation:
            made = []
            for scope, optimizer, rate in optimizers:
                variables = dt.trainable_variables(f"{scope}/")
                made.append(as_optimizer(optimizer, rate, who).minimize(loss, var_list=variables))
            with dt.control_dependencies(made):
                return dt.assign_add(dt.train.get_global_step(), 1).op

        super().__init__(head, network, step, model_dir, config, warm_start_from)


class DNNLinearCombinedClassifier(_Combined):
    """Classifies by a linear model beside dense layers, whose scores add up (Cheng et al., 2016).

    Args:
        model_dir: the folder of checkpoints and logs.
        linear_feature_columns: columns of the linear model.
        linear_optimizer: a name, an optimizer, or a function that makes one; by name it has the learning rate
            ``min(0.005, 1 / sqrt(number of columns))``.
        dnn_feature_columns: dense columns of the layers.
        dnn_optimizer: as ``linear_optimizer``; by name it has the learning rate 0.05.
        dnn_hidden_units: the sizes of the hidden layers.
        dnn_activation_fn: of the hidden layers, a function or the name of one in ``dt.nn``.
        dnn_dropout: the probability that an element of a hidden layer is dropped while training.
        n_classes: how many classes there are.
        weight_column: the feature that weighs examples, or a numeric column of it.
        label_vocabulary: the classes as text, where labels are; else labels are integers from 0.
        input_layer_partitioner: must be ``None``: tables are whole.
        config: how to run.
        warm_start_from: first values from another checkpoint.
        loss_reduction: how one loss is made of those of the examples: their sum.
        batch_norm: whether to normalise what each hidden layer gives.
        linear_sparse_combiner: how the weights of a row with several categories are combined.

    Raises:
        InvalidArgumentError: there are no columns, or a number is out of range.
        NotFoundError: there is no such optimizer.
    """

    def __init__(
        self,
        model_dir: str | os.PathLike[str] | None = None,
        linear_feature_columns: Any = None,
        linear_optimizer: OptimizerLike = "Ftrl",
        dnn_feature_columns: Any = None,
        dnn_optimizer: OptimizerLike = "Adagrad",
        dnn_hidden_units: Sequence[int] | None = None,
        dnn_activation_fn: Activation = "relu",
        dnn_dropout: float | None = None,
        n_classes: int = 2,
        weight_column: Any = None,
        label_vocabulary: Sequence[str] | None = None,
        input_layer_partitioner: None = None,
        config: RunConfig | None = None,
        warm_start_from: str | os.PathLike[str] | WarmStartSettings | None = None,
        loss_reduction: str = dt.losses.Reduction.SUM,
        batch_norm: bool = False,
        linear_sparse_combiner: str = "sum",
    ) -> None:
        """Make the network's function."""
        who = type(self).__name__
        no_partitioner(who, input_layer_partitioner)
        super().__init__(
            class_head(who, n_classes, weight_column, label_vocabulary, loss_reduction),
            model_dir,
            linear_feature_columns,
            linear_optimizer,
            dnn_feature_columns,
            dnn_optimizer,
            dnn_hidden_units,
            dnn_activation_fn,
            dnn_dropout,
            config,
            warm_start_from,
            batch_norm,
            linear_sparse_combiner,
        )


class DNNLinearCombinedRegressor(_Combined):
    """Predicts numbers by a linear model beside dense layers, whose scores add up.

    Args:
        model_dir: the folder of checkpoints and logs.
        linear_feature_columns: columns of the linear model.
        linear_optimizer: a name, an optimizer, or a function that makes one; by name it has the learning rate
            ``min(0.005, 1 / sqrt(number of columns))``.
        dnn_feature_columns: dense columns of the layers.
        dnn_optimizer: as ``linear_optimizer``; by name it has the learning rate 0.05.
        dnn_hidden_units: the sizes of the hidden layers.
        dnn_activation_fn: of the hidden layers, a function or the name of one in ``dt.nn``.
        dnn_dropout: the probability that an element of a hidden layer is dropped while training.
        label_dimension: how many numbers there are for each example.
        weight_column: the feature that weighs examples, or a numeric column of it.
        input_layer_partitioner: must be ``None``: tables are whole.
        config: how to run.
        warm_start_from: first values from another checkpoint.
        loss_reduction: how one loss is made of those of the examples: their sum.
        batch_norm: whether to normalise what each hidden layer gives.
        linear_sparse_combiner: how the weights of a row with several categories are combined.

    Raises:
        InvalidArgumentError: there are no columns, or a number is out of range.
        NotFoundError: there is no such optimizer.
    """

    def __init__(
        self,
        model_dir: str | os.PathLike[str] | None = None,
        linear_feature_columns: Any = None,
        linear_optimizer: OptimizerLike = "Ftrl",
        dnn_feature_columns: Any = None,
        dnn_optimizer: OptimizerLike = "Adagrad",
        dnn_hidden_units: Sequence[int] | None = None,
        dnn_activation_fn: Activation = "relu",
        dnn_dropout: float | None = None,
        label_dimension: int = 1,
        weight_column: Any = None,
        input_layer_partitioner: None = None,
        config: RunConfig | None = None,
        warm_start_from: str | os.PathLike[str] | WarmStartSettings | None = None,
        loss_reduction: str = dt.losses.Reduction.SUM,
        batch_norm: bool = False,
        linear_sparse_combiner: str = "sum",
    ) -> None:
        """Make the network's function."""
        who = type(self).__name__
        no_partitioner(who, input_layer_partitioner)
        super().__init__(
            regression_head(who, label_dimension, weight_column, loss_reduction),
            model_dir,
            linear_feature_columns,
            linear_optimizer,
            dnn_feature_columns,
            dnn_optimizer,
            dnn_hidden_units,
            dnn_activation_fn,
            dnn_dropout,
            config,
            warm_start_from,
            batch_norm,
            linear_sparse_combiner,
        )
