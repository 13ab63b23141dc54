"""``CNNClassifier``: convolutions on images."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import Activation, as_activation
from dovetail_train.estimator.class_heads import class_head
from dovetail_train.estimator.optimizers import OptimizerLike, step_with
from dovetail_train.estimator.ready import ReadyEstimator
from dovetail_train.estimator.run_config import RunConfig
from dovetail_train.estimator.single_feature import as_numbers, one_feature
from dovetail_train.estimator.warm_start import WarmStartSettings
from dovetail_train.networks import convolutional_network

__all__ = ["CNNClassifier"]


class CNNClassifier(ReadyEstimator):
    """Classifies images by convolutions that are pooled, and dense layers behind them.

    Features are images of shape ``[batch, height, width]`` or ``[batch, height, width, channels]``; unsigned bytes are
    scaled to lie between 0 and 1.

    Args:
        n_classes: how many classes there are.
        filters: how many filters each convolution has.
        kernel_size: height and width of the filters.
        pool_size: of how many rows and columns the greatest number is kept after each convolution; 1 for all.
        hidden_units: the sizes of the dense layers.
        model_dir: the folder of checkpoints and logs.
        feature_key: the feature that holds the images, where there are several.
        weight_column: the feature that weighs examples.
        label_vocabulary: the classes as text, where labels are; else labels are integers from 0.
        optimizer: a name, an optimizer, or a function that makes one.
        activation_fn: a function, or the name of one in ``dt.nn``.
        dropout: the probability that an element of a dense layer is dropped while training.
        batch_norm: whether to normalise what each layer gives.
        config: how to run.
        warm_start_from: first values from another checkpoint.
        loss_reduction: how one loss is made of those of the examples: their mean.

    Raises:
        InvalidArgumentError: a number is out of range.
        NotFoundError: there is no such optimizer.

    Example:
        >>> images = np.zeros([4, 8, 8], np.uint8)
        >>> images[2:] = 255
        >>> shades = dt.estimator.CNNClassifier(2, filters=[4], hidden_units=[8], model_dir="shades")
        >>> _ = shades.train(lambda: (images, np.array([0, 0, 1, 1])), steps=20)
        >>> shades.evaluate(lambda: (images, np.array([0, 0, 1, 1])))["accuracy"]
        np.float32(1.0)
    """

    def __init__(
        self,
        n_classes: int = 2,
        filters: Sequence[int] = (32, 64),
        kernel_size: int | tuple[int, int] = 3,
        pool_size: int = 2,
        hidden_units: Sequence[int] = (128,),
        model_dir: str | os.PathLike[str] | None = None,
        feature_key: str | None = None,
        weight_column: Any = None,
        label_vocabulary: Sequence[str] | None = None,
        optimizer: OptimizerLike = "Adam",
        activation_fn: Activation = "relu",
        dropout: float | None = None,
        batch_norm: bool = False,
        config: RunConfig | None = None,
        warm_start_from: str | os.PathLike[str] | WarmStartSettings | None = None,
        loss_reduction: str = dt.losses.Reduction.SUM_OVER_BATCH_SIZE,
    ) -> None:
        """Make the network's function."""
        who = type(self).__name__
        head = class_head(who, n_classes, weight_column, label_vocabulary, loss_reduction)
        as_activation(activation_fn)

        def network(features: Any, training: bool) -> Tensor:
            return convolutional_network(
                as_numbers(one_feature(features, feature_key, who), who),
                filters,
                head.outputs,
                kernel_size=kernel_size,
                pool_size=pool_size,
                hidden_units=hidden_units,
                activation=activation_fn,
                dropout=dropout,
                batch_norm=batch_norm,
                training=training,
                name="cnn",
            )

        super().__init__(head, network, step_with(optimizer, None, who), model_dir, config, warm_start_from)
