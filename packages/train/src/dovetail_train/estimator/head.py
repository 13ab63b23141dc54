"""``Head``: what stands on the scores of a network: loss, metrics and predictions of a kind of task."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError, InvalidArgumentError
from dovetail.extend import Array
from dovetail_train.estimator.batches import Batch
from dovetail_train.estimator.estimator_spec import EstimatorSpec
from dovetail_train.estimator.export import ExportOutput
from dovetail_train.estimator.mode_keys import ModeKeys
from dovetail_train.feature_column.columns import Features
from dovetail_train.feature_column.numeric import NumericColumn

__all__ = ["Head"]

DEFAULT_SIGNATURE = "serving_default"


class Head(ABC):
    """Base of heads.

    Attributes:
        who: the estimator, for messages.
        outputs: how many scores the network gives for each example.
        weight_column: the feature that weighs examples, or a numeric column of it.
        loss_reduction: how one loss is made, of ``dt.losses.Reduction``.
    """

    def __init__(self, who: str, outputs: int, weight_column: Any, loss_reduction: str) -> None:
        """Check what is given.

        Raises:
            InvalidArgumentError: there is no such reduction, or it gives no single loss.
            DTypeError: the weight column is neither a name nor a numeric column.
        """
        dt.losses.Reduction.validate(loss_reduction)
        if loss_reduction == dt.losses.Reduction.NONE:
            raise InvalidArgumentError(f"{who}: loss_reduction is {loss_reduction!r}, which gives no single loss.")
        if weight_column is not None and not isinstance(weight_column, str | NumericColumn):
            raise DTypeError(f"{who}: weight_column is {weight_column!r}; give a feature's name, or a numeric_column.")
        self.who = who
        self.outputs = outputs
        self.weight_column = weight_column
        self.loss_reduction = loss_reduction

    # What a kind of task defines. ------------------------------------------------------------------------------------

    @abstractmethod
    def targets(self, labels: Tensor) -> Tensor:
        """Return labels as the loss takes them, of shape ``[batch, …]``."""

    @abstractmethod
    def losses(self, targets: Tensor, logits: Tensor) -> Tensor:
        """Return a loss for each example, of shape ``[batch, 1]``."""

    @abstractmethod
    def predictions(self, logits: Tensor) -> dict[str, Tensor]:
        """Return predictions by name."""

    @abstractmethod
    def metrics(self, targets: Tensor, predictions: Mapping[str, Tensor], weights: Any) -> dict[str, Any]:
        """Return metrics by name."""

    @abstractmethod
    def check_labels(self, labels: Array, where: str) -> None:
        """Look at labels that are fed.

        Raises:
            InvalidArgumentError: one is out of range; the message names row and value.
        """

    @abstractmethod
    def exports(self, predictions: Mapping[str, Tensor]) -> dict[str, ExportOutput]:
        """Return what a saved model gives by further signatures."""

    # What they have in common. ---------------------------------------------------------------------------------------

    def check(self, batch: Batch, where: str) -> None:
        """Look at a batch that is fed.

        Raises:
            InvalidArgumentError: it has no labels, several, or one is out of range.
        """
        labels = [array for path, array in zip(batch.paths, batch.arrays, strict=True) if path.startswith("[1]")]
        if len(labels) != 1:
            what = "no labels" if not labels else f"{len(labels)} arrays of labels"
            raise InvalidArgumentError(
                f"{where} has {what}; {self.who} takes a pair (features, labels) with one array."
            )
        self.check_labels(labels[0], where)

    def spec(
        self, features: Any, labels: Any, mode: str, logits: Tensor, step: Callable[[Tensor], Any]
    ) -> EstimatorSpec:
        """Return what a model function returns.

        Args:
            features: tensors by name, of which the weights are taken.
            labels: a tensor, where there are labels.
            mode: one of ``ModeKeys``.
            logits: the network's scores, of shape ``[batch, outputs]``.
            step: makes a step of training from a loss.

        Raises:
            InvalidArgumentError: labels are missing.
        """
        predictions = self.predictions(logits)
        if mode == ModeKeys.PREDICT:
            exported = {DEFAULT_SIGNATURE: predictions, "predict": predictions, **self.exports(predictions)}
            return EstimatorSpec(mode, predictions, export_outputs=exported)
        if labels is None:
            raise InvalidArgumentError(f"{self.who}: there are no labels; let input_fn return (features, labels).")
        targets = self.targets(dt.convert_to_tensor(labels))
        weights = self._weights(features)
        losses = self.losses(targets, logits)
        loss = dt.losses.compute_weighted_loss(losses, weights, reduction=self.loss_reduction)
        loss = dt.add_n([loss, *dt.losses.get_regularization_losses()])
        if mode == ModeKeys.TRAIN:
            return EstimatorSpec(mode, predictions, loss, step(loss))
        metrics = {"average_loss": dt.metrics.mean(losses, weights, name="average_loss")}
        metrics.update(self.metrics(targets, predictions, weights))
        return EstimatorSpec(mode, predictions, loss, eval_metric_ops=metrics)

    def _weights(self, features: Any) -> Any:
        """Return the weights of examples, of shape ``[batch, 1]``."""
        if self.weight_column is None:
            return 1.0
        column = self.weight_column
        if isinstance(column, NumericColumn):
            return column.dense(Features(features))
        x = Features(features).rows(column, f"{self.who}: weight_column")
        return dt.cast(x, dt.float32)
