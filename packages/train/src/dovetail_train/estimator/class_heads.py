"""Heads of classes: the logistic function for two, softmax for more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

import numpy as np

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.extend import Array, ArrayAttribute
from dovetail_train.estimator.export import ClassificationOutput, ExportOutput
from dovetail_train.estimator.head import Head
from dovetail_train.feature_column.identifiers import VocabularyIds

__all__ = ["class_head"]


class _Labelled(Head):
    """What heads of classes have in common."""

    def __init__(
        self, who: str, outputs: int, classes: int, weight_column: Any, label_vocabulary: Any, loss_reduction: str
    ) -> None:
        """Check the vocabulary.

        Raises:
            InvalidArgumentError: it has another size than there are classes, or holds a label twice.
        """
        super().__init__(who, outputs, weight_column, loss_reduction)
        self.classes = classes
        self.vocabulary: ArrayAttribute | None = None
        self.exact: frozenset[bytes] = frozenset()
        if label_vocabulary is not None:
            words = [one.encode() if isinstance(one, str) else one for one in label_vocabulary]
            if len(words) != classes or len(set(words)) != classes or not all(isinstance(one, bytes) for one in words):
                raise InvalidArgumentError(
                    f"{who}: label_vocabulary is {list(label_vocabulary)}, but n_classes {classes}; give each class "
                    "another text."
                )
            self.vocabulary = ArrayAttribute(np.array(words, object))
            self.exact = frozenset(words)

    def exports(self, predictions: Mapping[str, Tensor]) -> dict[str, ExportOutput]:
        """Classes with their probabilities."""
        return {"classification": ClassificationOutput(predictions["probabilities"], predictions["classes"])}

    def numbers(self, labels: Tensor) -> Tensor:
        """Return labels as numbers of classes, of shape ``[batch, 1]``.

        Raises:
            DTypeError: they are text without a vocabulary, or the other way round.
        """
        column = _column(labels, self.who, "labels")
        if self.vocabulary is not None:
            if not column.dtype.is_string:
                raise DTypeError(
                    f"{self.who}: the labels are {column.dtype.name}, but label_vocabulary holds text; leave it out, "
                    "or give labels as text."
                )
            found: Tensor = VocabularyIds(self.vocabulary)(column)
            return found
        if column.dtype.is_string:
            raise DTypeError(
                f"{self.who}: the labels are text; give label_vocabulary, which says which class is which."
            )
        return column

    def check_labels(self, labels: Array, where: str) -> None:
        """Look for the vocabulary's words, or numbers below the number of classes."""
        flat = labels.reshape(-1)
        if labels.dtype.kind in "USO":
            if self.vocabulary is None:
                return  # of which the graph is not made
            for row, one in enumerate(flat.tolist()):
                word = one.encode() if isinstance(one, str) else one
                if word not in self.exact:
                    known = ", ".join(repr(each.decode(errors="replace")) for each in self.vocabulary.array[:12])
                    raise InvalidArgumentError(f"{where}: the label in row {row} is {one!r}, which is none of {known}.")
            return
        if flat.size and (flat.max() >= self.classes or flat.min() < 0 or flat.max() != flat.max()):
            wrong = (flat >= self.classes) | (flat < 0) | (flat != flat)
            row = int(np.argmax(wrong))
            raise InvalidArgumentError(
                f"{where}: the label in row {row} is {flat[row]}, but there are {self.classes} classes, from 0 to "
                f"{self.classes - 1}. Mend the labels, or raise n_classes."
            )

    def named(self, ids: Tensor) -> Tensor:
        """Return the text of classes: of the vocabulary, or digits."""
        if self.vocabulary is None:
            return dt.as_string(ids)
        return dt.gather(dt.constant(self.vocabulary.array), ids)


@final
class ClassesHead(_Labelled):
    """Of three or more classes: softmax, cross entropy."""

    def targets(self, labels: Tensor) -> Tensor:
        """Numbers of classes."""
        ids = self.numbers(labels)
        if not ids.dtype.is_integer:
            raise DTypeError(f"{self.who}: the labels are {ids.dtype.name}; give integers, such as y.astype('int64').")
        found: Tensor = dt.cast(ids, dt.int64)
        return found

    def losses(self, targets: Tensor, logits: Tensor) -> Tensor:
        """The cross entropy."""
        found = dt.nn.sparse_softmax_cross_entropy_with_logits(labels=dt.squeeze(targets, axis=[1]), logits=logits)
        return dt.expand_dims(found, -1)

    def predictions(self, logits: Tensor) -> dict[str, Tensor]:
        """Scores, probabilities, the most probable class by number and by name."""
        ids = dt.expand_dims(dt.argmax(logits, axis=-1), -1)
        return {
            "logits": logits,
            "probabilities": dt.nn.softmax(logits),
            "class_ids": ids,
            "classes": self.named(ids),
        }

    def metrics(self, targets: Tensor, predictions: Mapping[str, Tensor], weights: Any) -> dict[str, Any]:
        """The accuracy."""
        return {"accuracy": dt.metrics.accuracy(targets, predictions["class_ids"], weights, name="accuracy")}


@final
class BinaryHead(_Labelled):
    """Of two classes: one score, the logistic function."""

    def targets(self, labels: Tensor) -> Tensor:
        """Zeros and ones."""
        found: Tensor = dt.cast(self.numbers(labels), dt.float32)
        return found

    def losses(self, targets: Tensor, logits: Tensor) -> Tensor:
        """The cross entropy."""
        found: Tensor = dt.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=logits)
        return found

    def predictions(self, logits: Tensor) -> dict[str, Tensor]:
        """The score, the probability of class 1 and of both, the more probable class by number and by name."""
        two = dt.concat([dt.zeros_like(logits), logits], axis=-1)
        ids = dt.expand_dims(dt.argmax(two, axis=-1), -1)
        return {
            "logits": logits,
            "logistic": dt.sigmoid(logits),
            "probabilities": dt.nn.softmax(two),
            "class_ids": ids,
            "classes": self.named(ids),
        }

    def metrics(self, targets: Tensor, predictions: Mapping[str, Tensor], weights: Any) -> dict[str, Any]:
        """Those of TensorFlow 1."""
        logistic, ids = predictions["logistic"], dt.cast(predictions["class_ids"], dt.float32)
        measure = dt.metrics
        share, seen = measure.mean(targets, weights, name="label_mean")
        return {
            "accuracy": measure.accuracy(targets, ids, weights, name="accuracy"),
            "precision": measure.precision(targets, ids, weights, name="precision"),
            "recall": measure.recall(targets, ids, weights, name="recall"),
            "prediction/mean": measure.mean(logistic, weights, name="prediction_mean"),
            "label/mean": (share, seen),
            "accuracy_baseline": (dt.maximum(share, 1.0 - share), dt.no_op()),
            "auc": measure.auc(targets, logistic, weights, name="auc"),
            "auc_precision_recall": measure.auc(
                targets, logistic, weights, curve="PR", summation_method="careful_interpolation", name="auc_pr"
            ),
        }


def class_head(who: str, n_classes: int, weight_column: Any, label_vocabulary: Any, loss_reduction: str) -> Head:
    """Return the head for so many classes.

    Raises:
        InvalidArgumentError: there are fewer than two.
    """
    if n_classes < 2:
        raise InvalidArgumentError(f"{who}: n_classes is {n_classes}; there must be two at least.")
    if n_classes == 2:
        return BinaryHead(who, 1, 2, weight_column, label_vocabulary, loss_reduction)
    return ClassesHead(who, n_classes, n_classes, weight_column, label_vocabulary, loss_reduction)


def _column(x: Tensor, who: str, what: str) -> Tensor:
    """Return a vector or a matrix of one column as a matrix of one column.

    Raises:
        ShapeError: it is neither.
    """
    if x.shape.rank == 1:
        return dt.expand_dims(x, -1)
    if x.shape.rank != 2 or x.shape.dims[1] != 1:
        raise ShapeError(f"{who}: the {what} are {x.type}; give one for each example, [batch] or [batch, 1].")
    return x
