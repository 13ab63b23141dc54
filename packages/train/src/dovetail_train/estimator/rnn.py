"""``RNNClassifier``: recurrent layers on sequences."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError, InvalidArgumentError
from dovetail_train.estimator.class_heads import class_head
from dovetail_train.estimator.optimizers import OptimizerLike, step_with
from dovetail_train.estimator.ready import ReadyEstimator
from dovetail_train.estimator.run_config import RunConfig
from dovetail_train.estimator.single_feature import as_numbers, one_feature
from dovetail_train.estimator.warm_start import WarmStartSettings
from dovetail_train.feature_column.columns import Features
from dovetail_train.networks import recurrent_network

__all__ = ["RNNClassifier"]


class RNNClassifier(ReadyEstimator):
    """Classifies sequences by recurrent layers.

    Features are numbers of shape ``[batch, time, size]`` or ``[batch, time]``; or, with ``vocabulary_size``, integers
    of shape ``[batch, time]``, as a tokeniser gives them, each of which becomes a vector that is learned. Time may
    differ from batch to batch.

    Args:
        n_classes: how many classes there are.
        units: the sizes of the recurrent layers.
        cell: ``"lstm"``, ``"gru"`` or ``"simple_rnn"``.
        bidirectional: whether each layer walks in both directions.
        hidden_units: the sizes of dense layers behind them.
        vocabulary_size: how many integers there are, from 0, where the sequences are made of these.
        embedding_dimension: the length of their vectors.
        padding: the integer that fills the end of short sequences, which has no effect; ``None`` for none.
        model_dir: the folder of checkpoints and logs.
        feature_key: the feature that holds the sequences, where there are several.
        sequence_length_key: the feature that holds their lengths; what stands beyond has no effect.
        weight_column: the feature that weighs examples.
        label_vocabulary: the classes as text, where labels are; else labels are integers from 0.
        optimizer: a name, an optimizer, or a function that makes one.
        dropout: the probability that an element of what a layer gives is dropped while training.
        config: how to run.
        warm_start_from: first values from another checkpoint.
        loss_reduction: how one loss is made of those of the examples: their mean.

    Raises:
        InvalidArgumentError: a number is out of range, or there is no such cell.
        NotFoundError: there is no such optimizer.

    Example:
        >>> tokens = np.array([[1, 2, 0], [2, 1, 2], [1, 0, 0], [2, 0, 0]])
        >>> first = dt.estimator.RNNClassifier(units=[8], vocabulary_size=3, model_dir="first", optimizer="Adam")
        >>> _ = first.train(lambda: (tokens, tokens[:, 0] - 1), steps=5)
        >>> first.predict_on_batch(np.array([[1, 2, 2, 2, 1]]))["probabilities"].shape
        (1, 2)
    """

    _open_axes = (1,)

    def __init__(
        self,
        n_classes: int = 2,
        units: Sequence[int] = (64,),
        cell: str = "lstm",
        bidirectional: bool = False,
        hidden_units: Sequence[int] = (),
        vocabulary_size: int | None = None,
        embedding_dimension: int = 32,
        padding: int | None = 0,
        model_dir: str | os.PathLike[str] | None = None,
        feature_key: str | None = None,
        sequence_length_key: str | None = None,
        weight_column: Any = None,
        label_vocabulary: Sequence[str] | None = None,
        optimizer: OptimizerLike = "Adam",
        dropout: float | None = None,
        config: RunConfig | None = None,
        warm_start_from: str | os.PathLike[str] | WarmStartSettings | None = None,
        loss_reduction: str = dt.losses.Reduction.SUM_OVER_BATCH_SIZE,
    ) -> None:
        """Make the network's function."""
        who = type(self).__name__
        if vocabulary_size is not None and (vocabulary_size < 1 or embedding_dimension < 1):
            raise InvalidArgumentError(
                f"{who}: vocabulary_size is {vocabulary_size}, embedding_dimension {embedding_dimension}; they must be "
                "positive."
            )
        head = class_head(who, n_classes, weight_column, label_vocabulary, loss_reduction)

        def network(features: Any, training: bool) -> Tensor:
            x = one_feature(features, feature_key, who)
            lengths = None
            if sequence_length_key is not None:
                lengths = dt.cast(Features(features).raw(sequence_length_key, who), dt.int64)
            if vocabulary_size is None:
                x = as_numbers(x, who)
            else:
                if not x.dtype.is_integer or x.shape.rank != 2:
                    raise DTypeError(
                        f"{who}: the sequences are {x.type}, but vocabulary_size is {vocabulary_size}; give integers, "
                        "[batch, time]."
                    )
                if lengths is None and padding is not None:
                    lengths = _lengths(x, padding)
                with dt.variable_scope("rnn"):
                    table = dt.get_variable("embedding_weights", [vocabulary_size, embedding_dimension])
                x = dt.nn.embedding_lookup(table, x)
            return recurrent_network(
                x,
                units,
                head.outputs,
                cell=cell,
                bidirectional=bidirectional,
                sequence_length=lengths,
                hidden_units=hidden_units,
                dropout=dropout,
                training=training,
                name="rnn",
            )

        super().__init__(head, network, step_with(optimizer, None, who), model_dir, config, warm_start_from)


def _lengths(tokens: Tensor, padding: int) -> Tensor:
    """Return how long sequences are without the padding at their end; one at least."""
    places = dt.range(1, dt.shape(tokens)[1] + 1)
    kept = dt.cast(dt.not_equal(tokens, dt.constant(padding, tokens.dtype)), places.dtype)
    found: Tensor = dt.cast(dt.maximum(dt.reduce_max(kept * places, axis=1), 1), dt.int64)
    return found
