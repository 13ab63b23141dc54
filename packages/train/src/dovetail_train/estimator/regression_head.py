"""The head of numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

import numpy as np

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.extend import Array
from dovetail_train.estimator.export import ExportOutput, RegressionOutput
from dovetail_train.estimator.head import Head

__all__ = ["regression_head"]


@final
class RegressionHead(Head):
    """Of numbers: the squared difference."""

    def targets(self, labels: Tensor) -> Tensor:
        """Numbers, of shape ``[batch, outputs]``."""
        if labels.dtype.is_string or labels.dtype.is_bool:
            raise DTypeError(f"{self.who}: the labels are {labels.dtype.name}; give numbers.")
        column = dt.expand_dims(labels, -1) if labels.shape.rank == 1 else labels
        if column.shape.rank != 2 or column.shape.dims[1] != self.outputs:
            raise ShapeError(
                f"{self.who}: the labels are {labels.type}, but label_dimension is {self.outputs}; give "
                f"[batch, {self.outputs}]."
            )
        found: Tensor = dt.cast(column, dt.float32)
        return found

    def losses(self, targets: Tensor, logits: Tensor) -> Tensor:
        """The squared difference."""
        return dt.square(logits - targets)

    def predictions(self, logits: Tensor) -> dict[str, Tensor]:
        """The numbers."""
        return {"predictions": logits}

    def metrics(self, targets: Tensor, predictions: Mapping[str, Tensor], weights: Any) -> dict[str, Any]:
        """The means of labels and predictions."""
        return {
            "label/mean": dt.metrics.mean(targets, weights, name="label_mean"),
            "prediction/mean": dt.metrics.mean(predictions["predictions"], weights, name="prediction_mean"),
        }

    def exports(self, predictions: Mapping[str, Tensor]) -> dict[str, ExportOutput]:
        """The numbers."""
        return {"regression": RegressionOutput(predictions["predictions"])}

    def check_labels(self, labels: Array, where: str) -> None:
        """Look for NaN."""
        if labels.dtype.kind == "f" and labels.size and not np.isfinite(labels).all():
            row = int(np.argwhere(~np.isfinite(labels))[0][0])
            raise InvalidArgumentError(
                f"{where}: the label in row {row} is {labels[row]}; leave such rows out, or mend them."
            )


def regression_head(who: str, label_dimension: int, weight_column: Any, loss_reduction: str) -> Head:
    """Return the head for so many numbers.

    Raises:
        InvalidArgumentError: there are none.
    """
    if label_dimension < 1:
        raise InvalidArgumentError(f"{who}: label_dimension is {label_dimension}; it must be positive.")
    return RegressionHead(who, label_dimension, weight_column, loss_reduction)
