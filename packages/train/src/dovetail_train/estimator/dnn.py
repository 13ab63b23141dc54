"""``DNNClassifier`` and ``DNNRegressor``: dense layers on feature columns."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, Final

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import InvalidArgumentError, UnsupportedOperationError
from dovetail.extend import Activation, as_activation
from dovetail_train.estimator.class_heads import class_head
from dovetail_train.estimator.optimizers import OptimizerLike, step_with
from dovetail_train.estimator.ready import ReadyEstimator
from dovetail_train.estimator.regression_head import regression_head
from dovetail_train.estimator.run_config import RunConfig
from dovetail_train.estimator.warm_start import WarmStartSettings
from dovetail_train.feature_column.input_layer import input_layer
from dovetail_train.networks import dense_network

__all__ = ["DNN_LEARNING_RATE", "DNNClassifier", "DNNRegressor", "dnn_network", "no_partitioner"]

DNN_LEARNING_RATE: Final = 0.05


class DNNClassifier(ReadyEstimator):
    """Classifies by dense layers.

    Args:
        hidden_units: the sizes of the hidden layers.
        feature_columns: dense columns of ``dt.feature_column``.
        model_dir: the folder of checkpoints and logs.
        n_classes: how many classes there are.
        weight_column: the feature that weighs examples, or a numeric column of it.
        label_vocabulary: the classes as text, where labels are; else labels are integers from 0.
        optimizer: a name, an optimizer, or a function that makes one; by name it has the learning rate 0.05.
        activation_fn: of the hidden layers, a function or the name of one in ``dt.nn``.
        dropout: the probability that an element of a hidden layer is dropped while training.
        input_layer_partitioner: must be ``None``: tables are whole.
        config: how to run.
        warm_start_from: first values from another checkpoint.
        loss_reduction: how one loss is made of those of the examples: their sum.
        batch_norm: whether to normalise what each hidden layer gives.

    Raises:
        InvalidArgumentError: a number is out of range.
        NotFoundError: there is no such optimizer.

    Example:
        >>> columns = [dt.feature_column.numeric_column("x", shape=2)]
        >>> xor = dt.estimator.DNNClassifier([8], columns, "xor", optimizer=dt.train.AdamOptimizer(0.05))
        >>> x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
        >>> _ = xor.train(lambda: ({"x": x}, np.array([0, 1, 1, 0])), steps=300)
        >>> sorted(next(xor.predict(lambda: {"x": x})))
        ['class_ids', 'classes', 'logistic', 'logits', 'probabilities']
    """

    def __init__(
        self,
        hidden_units: Sequence[int],
        feature_columns: Any,
        model_dir: str | os.PathLike[str] | None = None,
        n_classes: int = 2,
        weight_column: Any = None,
        label_vocabulary: Sequence[str] | None = None,
        optimizer: OptimizerLike = "Adagrad",
        activation_fn: Activation = "relu",
        dropout: float | None = None,
        input_layer_partitioner: None = None,
        config: RunConfig | None = None,
        warm_start_from: str | os.PathLike[str] | WarmStartSettings | None = None,
        loss_reduction: str = dt.losses.Reduction.SUM,
        batch_norm: bool = False,
    ) -> None:
        """Make the network's function."""
        who = type(self).__name__
        no_partitioner(who, input_layer_partitioner)
        head = class_head(who, n_classes, weight_column, label_vocabulary, loss_reduction)
        network = dnn_network(who, feature_columns, hidden_units, head.outputs, activation_fn, dropout, batch_norm)
        step = step_with(optimizer, DNN_LEARNING_RATE, who)
        super().__init__(head, network, step, model_dir, config, warm_start_from)


class DNNRegressor(ReadyEstimator):
    """Predicts numbers by dense layers.

    Args:
        hidden_units: the sizes of the hidden layers.
        feature_columns: dense columns of ``dt.feature_column``.
        model_dir: the folder of checkpoints and logs.
        label_dimension: how many numbers there are for each example.
        weight_column: the feature that weighs examples, or a numeric column of it.
        optimizer: a name, an optimizer, or a function that makes one; by name it has the learning rate 0.05.
        activation_fn: of the hidden layers, a function or the name of one in ``dt.nn``.
        dropout: the probability that an element of a hidden layer is dropped while training.
        input_layer_partitioner: must be ``None``: tables are whole.
        config: how to run.
        warm_start_from: first values from another checkpoint.
        loss_reduction: how one loss is made of those of the examples: their sum.
        batch_norm: whether to normalise what each hidden layer gives.

    Raises:
        InvalidArgumentError: a number is out of range.
        NotFoundError: there is no such optimizer.
    """

    def __init__(
        self,
        hidden_units: Sequence[int],
        feature_columns: Any,
        model_dir: str | os.PathLike[str] | None = None,
        label_dimension: int = 1,
        weight_column: Any = None,
        optimizer: OptimizerLike = "Adagrad",
        activation_fn: Activation = "relu",
        dropout: float | None = None,
        input_layer_partitioner: None = None,
        config: RunConfig | None = None,
        warm_start_from: str | os.PathLike[str] | WarmStartSettings | None = None,
        loss_reduction: str = dt.losses.Reduction.SUM,
        batch_norm: bool = False,
    ) -> None:
        """Make the network's function."""
        who = type(self).__name__
        no_partitioner(who, input_layer_partitioner)
        head = regression_head(who, label_dimension, weight_column, loss_reduction)
        network = dnn_network(who, feature_columns, hidden_units, head.outputs, activation_fn, dropout, batch_norm)
        step = step_with(optimizer, DNN_LEARNING_RATE, who)
        super().__init__(head, network, step, model_dir, config, warm_start_from)


def no_partitioner(who: str, given: Any) -> None:
    """Refuse a partitioner.

    Raises:
        UnsupportedOperationError: one is given.
    """
    if given is not None:
        raise UnsupportedOperationError(f"{who}: the partitioner is {given!r}, but variables are whole; leave it out.")


def dnn_network(
    who: str,
    feature_columns: Any,
    hidden_units: Sequence[int],
    outputs: int,
    activation: Activation,
    dropout: float | None,
    batch_norm: bool,
) -> Callable[[Any, bool], Tensor]:
    """Return a function that makes dense layers on feature columns, in the scope ``dnn``.

    Raises:
        InvalidArgumentError: a size is not positive, or the probability out of range.
        PluginNotFoundError: there is no such activation.
    """
    sizes = [int(one) for one in hidden_units]
    if any(one < 1 for one in sizes):
        raise InvalidArgumentError(f"{who}: hidden_units is {list(hidden_units)}; sizes must be positive.")
    if dropout is not None and not 0.0 <= dropout < 1.0:
        raise InvalidArgumentError(f"{who}: dropout is {dropout}; it must be from 0 up to 1.")
    as_activation(activation)

    def network(features: Any, training: bool) -> Tensor:
        with dt.variable_scope("dnn"), dt.variable_scope("input_from_feature_columns"):
            net = input_layer(features, feature_columns)
        return dense_network(
            net,
            sizes,
            outputs,
            activation=activation,
            dropout=dropout,
            batch_norm=batch_norm,
            training=training,
            name="dnn",
        )

    return network
