"""``Autoencoder``: a network that restores what goes in."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import dovetail as dt
from dovetail.extend import Activation, as_activation
from dovetail_train.estimator.estimator import Estimator
from dovetail_train.estimator.estimator_spec import EstimatorSpec
from dovetail_train.estimator.mode_keys import ModeKeys
from dovetail_train.estimator.optimizers import OptimizerLike, step_with
from dovetail_train.estimator.run_config import RunConfig
from dovetail_train.estimator.single_feature import as_numbers, one_feature
from dovetail_train.estimator.warm_start import WarmStartSettings
from dovetail_train.networks import autoencoder

__all__ = ["Autoencoder"]


class Autoencoder(Estimator):
    """Learns a short code from which features are restored, by dense layers; labels are left out.

    Features are numbers of any shape; unsigned bytes are scaled to lie between 0 and 1. Predictions are the ``code``,
    the ``reconstruction`` and the mean squared ``error`` of each example, by which unusual ones are found.

    Args:
        hidden_units: the sizes of the layers down to the code; those behind it are the same the other way.
        model_dir: the folder of checkpoints and logs.
        feature_key: the feature to restore, where there are several.
        noise: the standard deviation of normal numbers that are added to what goes in while training: with it, the
            network learns to take noise away (Vincent et al., 2008).
        optimizer: a name, an optimizer, or a function that makes one.
        activation_fn: of the hidden layers, a function or the name of one in ``dt.nn``.
        output_activation: of the last layer; ``"sigmoid"`` for numbers between 0 and 1.
        dropout: the probability that an element of a hidden layer is dropped while training.
        batch_norm: whether to normalise what each hidden layer gives.
        config: how to run.
        warm_start_from: first values from another checkpoint.

    Raises:
        InvalidArgumentError: a number is out of range.
        NotFoundError: there is no such optimizer.

    Example:
        >>> x = np.linspace(0, 1, 24, dtype=np.float32).reshape(6, 4)
        >>> coder = dt.estimator.Autoencoder([8, 1], "coder", activation_fn="tanh")
        >>> _ = coder.train(lambda: x, steps=10)
        >>> found = coder.predict_on_batch(x)
        >>> found["code"].shape, found["reconstruction"].shape, found["error"].shape
        ((6, 1), (6, 4), (6,))
    """

    def __init__(
        self,
        hidden_units: Sequence[int],
        model_dir: str | os.PathLike[str] | None = None,
        feature_key: str | None = None,
        noise: float = 0.0,
        optimizer: OptimizerLike = "Adam",
        activation_fn: Activation = "relu",
        output_activation: Activation = None,
        dropout: float | None = None,
        batch_norm: bool = False,
        config: RunConfig | None = None,
        warm_start_from: str | os.PathLike[str] | WarmStartSettings | None = None,
    ) -> None:
        """Make the model function."""
        who = type(self).__name__
        as_activation(activation_fn)
        as_activation(output_activation)
        step = step_with(optimizer, None, who)

        def model_fn(features: Any, labels: Any, mode: str) -> EstimatorSpec:
            training = mode == ModeKeys.TRAIN
            x = as_numbers(one_feature(features, feature_key, who), who)
            made = autoencoder(
                x + dt.random_normal(dt.shape(x), stddev=noise) if training and noise else x,
                hidden_units,
                activation=activation_fn,
                output_activation=output_activation,
                dropout=dropout,
                batch_norm=batch_norm,
                training=training,
                name="autoencoder",
            )
            square = dt.square(made.reconstruction - x)
            axes = list(range(1, len(x.shape.dims)))
            predictions = {
                "code": made.code,
                "reconstruction": made.reconstruction,
                "error": dt.reduce_mean(square, axis=axes),
            }
            if mode == ModeKeys.PREDICT:
                return EstimatorSpec(mode, predictions, export_outputs={"serving_default": predictions})
            loss = dt.reduce_mean(square)
            if training:
                return EstimatorSpec(mode, predictions, loss, step(loss))
            metrics = {"average_loss": dt.metrics.mean(square, name="average_loss")}
            return EstimatorSpec(mode, predictions, loss, eval_metric_ops=metrics)

        super().__init__(model_fn, model_dir, config, None, warm_start_from)
