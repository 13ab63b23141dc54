"""Cross-entropies of scores: of classes that exclude each other, and of ones that do not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.extend import Expression, basis, composite, scalar
from dovetail_layers.activations import minus_absolute
from dovetail_layers.softmax import one_axis, stable_log_softmax

__all__ = [
    "sigmoid_cross_entropy_with_logits",
    "softmax_cross_entropy_with_logits",
    "softmax_cross_entropy_with_logits_v2",
    "sparse_softmax_cross_entropy_with_logits",
    "weighted_cross_entropy_with_logits",
]


def _dense_samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    """Probabilities and scores, along the last axis and another."""
    yield rng.dirichlet(np.ones(4), 3), rng.normal(size=(3, 4))
    yield rng.dirichlet(np.ones(3), (2, 2)).transpose(0, 2, 1), rng.normal(size=(2, 3, 2)), {"axis": 1}


def _sparse_samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    """Classes and scores of a batch, and of a batch of sequences."""
    yield rng.integers(0, 4, 3), rng.normal(size=(3, 4))
    yield rng.integers(0, 3, (2, 2)).astype(np.int32), rng.normal(size=(2, 2, 3))


@composite(name="SoftmaxCrossEntropy", samples=_dense_samples, dtypes=lambda labels, logits: (logits,))
def _softmax_cross_entropy(labels: Tensor, logits: Tensor, *, axis: int = -1) -> Tensor:
    """``-sum(labels * log_softmax(logits))`` along an axis."""
    return -dt.reduce_sum(labels * stable_log_softmax(logits, axis), axis)


@composite(name="SparseSoftmaxCrossEntropy", samples=_sparse_samples, dtypes=lambda labels, logits: (logits,))
def _sparse_softmax_cross_entropy(labels: Tensor, logits: Tensor) -> Tensor:
    """``-log_softmax(logits)[label]`` along the last axis; NaN where the label is no class."""
    classes = logits.shape[-1]
    chosen = dt.one_hot(labels, classes, dtype=logits.dtype)
    loss = -dt.reduce_sum(chosen * stable_log_softmax(logits, -1), -1)
    count = dt.cast(classes, labels.dtype)
    known = dt.logical_and(labels >= dt.zeros_like(count), labels < count)
    return dt.select(known, loss, dt.constant(np.nan, logits.dtype))


@scalar(name="SigmoidCrossEntropy", domain=((0.0, 1.0), (-2.0, 2.0)), floating=True)
def _sigmoid_cross_entropy(labels: Expression, logits: Expression) -> Expression:
    """``-labels * log(sigmoid(logits)) - (1 - labels) * log(1 - sigmoid(logits))``, without overflow."""
    positive = basis.select(logits > 0, logits, 0)
    return positive - logits * labels + basis.log1p(basis.exp(minus_absolute(logits)))


@scalar(name="WeightedCrossEntropy", domain=((0.0, 1.0), (-2.0, 2.0), (0.5, 2.0)), floating=True)
def _weighted_cross_entropy(labels: Expression, logits: Expression, pos_weight: Expression) -> Expression:
    """``-pos_weight * labels * log(sigmoid(logits)) - (1 - labels) * log(1 - sigmoid(logits))``, without overflow."""
    negative = basis.select(logits > 0, 0, -logits)
    weight = 1 + (pos_weight - 1) * labels
    return (1 - labels) * logits + weight * (negative + basis.log1p(basis.exp(minus_absolute(logits))))


def softmax_cross_entropy_with_logits_v2(
    labels: Any, logits: Any, axis: int | None = None, name: str | None = None, dim: int | None = None
) -> Tensor:
    """Return the cross-entropy between given probabilities of classes and the softmax of scores.

    Gradients go to the labels as well; ``dt.stop_gradient`` keeps them out.

    Args:
        labels: probabilities, of the shape of ``logits``; each row should sum to 1.
        logits: floating scores.
        axis: the axis of the classes, the last by default.
        name: name of the node.
        dim: another name of ``axis``.

    Returns:
        A tensor of the shape of ``logits`` without the axis, and of its dtype.

    Raises:
        ShapeError: the shapes differ.
        DTypeError: ``logits`` is not floating.

    Example:
        >>> dt.Session().run(dt.nn.softmax_cross_entropy_with_logits_v2([[1.0, 0.0]], [[0.0, 0.0]]))
        array([0.6931472], dtype=float32)
    """
    operation = "softmax_cross_entropy_with_logits"
    scores = _scores(operation, logits)
    wanted = dt.convert_to_tensor(labels)
    if wanted.dtype is not scores.dtype:
        wanted = dt.cast(wanted, scores.dtype)
    if not wanted.shape.is_compatible_with(scores.shape):
        raise ShapeError(
            f"{operation}: labels are {wanted.type}, logits {scores.type}; their shapes must be equal. For classes "
            "given by "
            f"number, use sparse_softmax_cross_entropy_with_logits. {scores.op.where()}"
        )
    result: Tensor = _softmax_cross_entropy(wanted, scores, axis=one_axis(operation, axis, dim), name=name)
    return result


def softmax_cross_entropy_with_logits(
    _sentinel: Any = None,
    labels: Any = None,
    logits: Any = None,
    dim: int = -1,
    name: str | None = None,
    axis: int | None = None,
) -> Tensor:
    """Return what ``softmax_cross_entropy_with_logits_v2`` does; no gradient goes to the labels.

    Args:
        _sentinel: must stay ``None``: give labels and logits by name, for their order is easily mistaken.
        labels: probabilities, of the shape of ``logits``.
        logits: floating scores.
        dim: the axis of the classes.
        name: name of the node.
        axis: another name of ``dim``.

    Raises:
        InvalidArgumentError: labels or logits are not given by name.
        ShapeError: the shapes differ.
        DTypeError: ``logits`` is not floating.

    Example:
        >>> dt.Session().run(dt.nn.softmax_cross_entropy_with_logits(labels=[[1.0, 0.0]], logits=[[0.0, 0.0]]))
        array([0.6931472], dtype=float32)
    """
    _by_name("softmax_cross_entropy_with_logits", _sentinel, labels, logits)
    chosen = dim if axis is None else axis
    return softmax_cross_entropy_with_logits_v2(dt.stop_gradient(labels), logits, axis=chosen, name=name)


def sparse_softmax_cross_entropy_with_logits(
    _sentinel: Any = None, labels: Any = None, logits: Any = None, name: str | None = None
) -> Tensor:
    """Return the cross-entropy between classes given by number and the softmax of scores.

    Args:
        _sentinel: must stay ``None``: give labels and logits by name, for their order is easily mistaken.
        labels: int32 or int64 numbers from 0 up to the number of classes, of the shape of ``logits`` without its last
            axis.
        logits: floating scores, the classes along the last axis.
        name: name of the node.

    Returns:
        A tensor of the shape of ``labels`` and the dtype of ``logits``; NaN where a label is no class.

    Raises:
        InvalidArgumentError: labels or logits are not given by name.
        ShapeError: the shapes do not fit.
        DTypeError: ``labels`` holds no integers, or ``logits`` is not floating.

    Example:
        >>> dt.Session().run(dt.nn.sparse_softmax_cross_entropy_with_logits(labels=[1], logits=[[0.0, 0.0]]))
        array([0.6931472], dtype=float32)
    """
    operation = "sparse_softmax_cross_entropy_with_logits"
    _by_name(operation, _sentinel, labels, logits)
    classes, scores = dt.convert_to_tensor(labels), _scores(operation, logits)
    if not classes.dtype.is_integer:
        raise DTypeError(
            f"{operation}: labels are {classes.type}; give classes as integers, or use "
            "softmax_cross_entropy_with_logits for "
            f"probabilities. {scores.op.where()}"
        )
    if classes.shape.rank is not None and scores.shape.rank is not None and classes.shape.rank != scores.shape.rank - 1:
        raise ShapeError(
            f"{operation}: labels are {classes.type}, logits {scores.type}; labels must have one axis less than "
            "logits. "
            f"For probabilities, use softmax_cross_entropy_with_logits. {scores.op.where()}"
        )
    result: Tensor = _sparse_softmax_cross_entropy(classes, scores, name=name)
    return result


def sigmoid_cross_entropy_with_logits(
    _sentinel: Any = None, labels: Any = None, logits: Any = None, name: str | None = None
) -> Tensor:
    """Return the cross-entropy between given probabilities and the sigmoid of scores, element by element.

    Args:
        _sentinel: must stay ``None``: give labels and logits by name, for their order is easily mistaken.
        labels: probabilities, of the type of ``logits``.
        logits: floating scores.
        name: name of the node.

    Returns:
        A tensor of the type of ``logits``.

    Raises:
        InvalidArgumentError: labels or logits are not given by name.
        ShapeError: the shapes differ.
        DTypeError: the dtypes differ or are not floating.

    Example:
        >>> dt.Session().run(dt.nn.sigmoid_cross_entropy_with_logits(labels=[1.0], logits=[0.0]))
        array([0.6931472], dtype=float32)
    """
    operation = "sigmoid_cross_entropy_with_logits"
    _by_name(operation, _sentinel, labels, logits)
    scores = _scores(operation, logits)
    wanted = dt.convert_to_tensor(labels, scores.dtype) if not isinstance(labels, Tensor) else labels
    _of_one_shape(operation, wanted, scores)
    result: Tensor = _sigmoid_cross_entropy(wanted, scores, name=name)
    return result


def weighted_cross_entropy_with_logits(
    labels: Any = None, logits: Any = None, pos_weight: Any = None, name: str | None = None, targets: Any = None
) -> Tensor:
    """Return the sigmoid cross-entropy, element by element, in which what is true counts ``pos_weight`` times.

    A weight above 1 raises recall, one below 1 precision.

    Args:
        labels: probabilities, mostly 0 or 1, of the shape of ``logits``.
        logits: floating scores.
        pos_weight: the factor, a number or one that broadcasts to ``logits``.
        name: name of the node.
        targets: another name of ``labels``.

    Returns:
        A tensor of the shape and dtype of ``logits``.

    Raises:
        InvalidArgumentError: logits, ``pos_weight``, or the labels are missing, or those are given twice.
        ShapeError: the shapes differ, or that of ``pos_weight`` does not fit.
        DTypeError: ``logits`` is not floating.

    Example:
        >>> dt.Session().run(dt.nn.weighted_cross_entropy_with_logits([1.0, 0.0], [0.0, 0.0], 2.0))
        array([1.3862944, 0.6931472], dtype=float32)
    """
    operation = "weighted_cross_entropy_with_logits"
    if (labels is None) == (targets is None) or logits is None or pos_weight is None:
        raise InvalidArgumentError(
            f"{operation}: give labels (targets is their old name), logits and pos_weight, each once."
        )
    scores = _scores(operation, logits)
    wanted = dt.cast(targets if labels is None else labels, scores.dtype)
    _of_one_shape(operation, wanted, scores)
    result: Tensor = _weighted_cross_entropy(wanted, scores, dt.cast(pos_weight, scores.dtype), name=name)
    return result


def _of_one_shape(operation: str, labels: Tensor, scores: Tensor) -> None:
    if not labels.shape.is_compatible_with(scores.shape):
        raise ShapeError(
            f"{operation}: labels are {labels.type}, logits {scores.type}; their shapes must be equal. "
            f"{scores.op.where()}"
        )


def _by_name(operation: str, sentinel: Any, labels: Any, logits: Any) -> None:
    if sentinel is not None or labels is None or logits is None:
        raise InvalidArgumentError(f"{operation}: give both by name, {operation}(labels=…, logits=…).")


def _scores(operation: str, logits: Any) -> Tensor:
    scores = dt.convert_to_tensor(logits)
    if not scores.dtype.is_floating:
        raise DTypeError(
            f"{operation}: logits are {scores.type}, where a floating type is wanted; use dt.cast. {scores.op.where()}"
        )
    return scores
