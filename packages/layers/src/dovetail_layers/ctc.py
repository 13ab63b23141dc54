"""Connectionist temporal classification: the loss of labels that stand at no known place of a sequence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.extend import composite, make_scan
from dovetail_layers.softmax import log_softmax
from dovetail_layers.steps import time_and_batch_swapped

__all__ = ["classes_of_steps", "ctc_loss", "ctc_loss_v2", "integers", "scores_of_steps"]

_NEVER: Final = -1e30  # a logarithm of what cannot be; finite, so that gradients are


def _samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    """Repeated labels, no labels, padding; blanks first and last; repeated labels that are not merged."""
    logits, lengths = rng.normal(size=(5, 3, 4)), np.array([5, 4, 3], np.int32)
    labels = np.array([[1, 1], [2, 0], [0, 0]], np.int32)
    yield logits, labels, lengths, np.array([2, 1, 0], np.int32), {"blank": 3}
    yield logits, np.where(labels == 0, 3, labels), lengths, np.array([2, 2, 1], np.int32), {"blank": 0}
    yield logits, labels, lengths, np.array([2, 1, 2], np.int32), {"blank": 3, "merge": False}


@composite(name="CTCLoss", samples=_samples, dtypes=lambda logits, *others: (logits,))
def _ctc_loss(
    logits: Tensor, labels: Tensor, logit_length: Tensor, label_length: Tensor, *, blank: int, merge: bool = True
) -> Tensor:
    """Minus the logarithm of the probability of labels, summed over all ways to place them (Graves et al., 2006).

    The forward variables of section 4.1, of labels with blanks before, between and after them, step by step.
    """
    time, batch, classes = logits.shape.dims
    states = 2 * labels.shape[1] + 1
    scores = log_softmax(logits)
    blanks = dt.fill([batch, labels.shape[1] + 1], dt.constant(blank, labels.dtype))
    pairs = dt.reshape(dt.stack([blanks[:, 1:], labels], axis=2), [batch, states - 1])
    symbols = dt.concat([pairs, blanks[:, :1]], 1)
    is_label = dt.not_equal(symbols, blank)
    stays = dt.logical_or(dt.logical_not(is_label), merge)
    differs = dt.not_equal(symbols[:, 2:], symbols[:, :-2]) if merge else dt.ones_like(is_label[:, 2:])
    skips = dt.concat([dt.zeros_like(is_label[:, :2]), dt.logical_and(is_label[:, 2:], differs)], 1)
    rows = dt.expand_dims(dt.range(batch, dtype=dt.int32), 1)
    places = rows * dt.cast(classes, dt.int32) + dt.cast(symbols, dt.int32)
    emitted = dt.gather(dt.reshape(scores, [time, batch * classes]), places, axis=1)
    never = dt.constant(_NEVER, logits.dtype)
    start = dt.where(dt.equal(dt.range(states), 0), dt.zeros_like(never), never)
    first = dt.broadcast_to(start, [batch, states])
    impossible = dt.fill([batch, 2], never)

    def step(
        index: Tensor, carries: Sequence[Tensor], slices: Sequence[Tensor], constants: Sequence[Tensor]
    ) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
        (before,) = carries
        stays, skips, lengths, impossible = constants
        padded = dt.concat([impossible, before], 1)
        nowhere = dt.fill(dt.shape(before), never)
        ways = [
            dt.where(stays, before, nowhere),
            padded[:, 1:-1],
            dt.where(skips, padded[:, :-2], nowhere),
        ]
        greatest = dt.stop_gradient(dt.maximum(dt.maximum(ways[0], ways[1]), ways[2]))
        total = dt.add_n([dt.exp(way - greatest) for way in ways])
        after = greatest + dt.log(total) + slices[0]
        within = dt.expand_dims(dt.less(dt.cast(index, lengths.dtype), lengths), 1)
        return (dt.where(within, after, before),), ()

    (last,), _ = make_scan(step, [first], [emitted], [stays, skips, logit_length, impossible], prefix="ctc")
    numbers = dt.range(states, dtype=label_length.dtype)
    ends = dt.expand_dims(2 * label_length, 1)
    at_end = dt.logical_or(dt.equal(numbers, ends), dt.equal(numbers + 1, ends))
    total = dt.reduce_logsumexp(dt.where(at_end, last, dt.fill(dt.shape(last), never)), 1)
    possible = dt.greater(total, 0.5 * never)
    return dt.where(possible, -total, dt.fill(dt.shape(total), dt.constant(np.inf, logits.dtype)))


def ctc_loss(
    labels: Any,
    inputs: Any = None,
    sequence_length: Any = None,
    preprocess_collapse_repeated: bool = False,
    ctc_merge_repeated: bool = True,
    ignore_longer_outputs_than_inputs: bool = False,
    time_major: bool = True,
    logits: Any = None,
) -> Tensor:
    """Return the loss of connectionist temporal classification (Graves et al., 2006), the blank the last class.

    A row whose labels do not fit into its steps has an infinite loss and no gradient, where TensorFlow raises.

    Args:
        labels: integers of shape ``[batch, labels]``: a ``SparseTensor``, or a matrix, each row padded at its end with
            negative numbers.
        inputs: scores before a softmax, floating, of shape ``[time, batch, classes]``.
        sequence_length: integers of shape ``[batch]``: how many steps each sequence has.
        preprocess_collapse_repeated: whether labels that repeat the one before are left out first.
        ctc_merge_repeated: whether a label at steps that follow each other is one label.
        ignore_longer_outputs_than_inputs: whether rows whose labels do not fit have the loss 0.
        time_major: whether the inputs have the shape ``[time, batch, …]`` rather than ``[batch, time, …]``.
        logits: another name of ``inputs``.

    Returns:
        A loss for each sequence, of shape ``[batch]``.

    Raises:
        ShapeError: the shapes do not fit, or the number of classes is not known.
        DTypeError: the inputs are not floating, or labels or lengths are no integers.
        InvalidArgumentError: inputs or lengths are missing.

    Example:
        >>> steps = np.log([[[0.5, 0.5]], [[0.25, 0.75]]])
        >>> loss = dt.nn.ctc_loss([[0]], steps, [2])
        >>> dt.Session().run(dt.exp(-loss))  # the label at both steps, at the first, at the second
        array([0.625])
    """
    if (inputs is None) == (logits is None) or sequence_length is None:
        raise InvalidArgumentError("ctc_loss: give labels, inputs and sequence_length.")
    scores = scores_of_steps("ctc_loss", inputs if logits is None else logits, time_major)
    if isinstance(labels, (dt.SparseTensor, dt.SparseTensorValue)):
        labels = _dense(dt.SparseTensor.from_value(labels), dt.shape(scores, out_type=dt.int64)[1])
    numbers = integers("ctc_loss", "labels", labels, ("batch", "labels"))
    lengths = integers("ctc_loss", "sequence_length", sequence_length, ("batch",))
    if preprocess_collapse_repeated:
        numbers = _without_repetitions(numbers)
    counts = dt.reduce_sum(dt.cast(numbers >= 0, dt.int32), 1)
    blank = classes_of_steps("ctc_loss", scores) - 1
    losses = _losses(scores, numbers, lengths, counts, blank, ctc_merge_repeated)
    if ignore_longer_outputs_than_inputs:
        losses = dt.where(dt.is_inf(losses), dt.zeros_like(losses), losses)
    return losses


def ctc_loss_v2(
    labels: Any,
    logits: Any,
    label_length: Any,
    logit_length: Any,
    logits_time_major: bool = True,
    unique: Any = None,
    blank_index: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Return the loss of connectionist temporal classification (Graves et al., 2006), with the blank of one's choice.

    A row whose labels do not fit into its steps has an infinite loss and no gradient.

    Args:
        labels: integers of shape ``[batch, labels]``; what stands beyond the length of a row has no effect.
        logits: scores before a softmax, floating, of shape ``[time, batch, classes]``.
        label_length: integers of shape ``[batch]``: how many labels each row has.
        logit_length: integers of shape ``[batch]``: how many steps each sequence has.
        logits_time_major: whether ``logits`` has the shape ``[time, batch, …]`` rather than ``[batch, time, …]``.
        unique: has no effect; here for programs of TensorFlow.
        blank_index: the class that is the blank, 0 by default; negative ones count from the end.
        name: name of the node.

    Returns:
        A loss for each sequence, of shape ``[batch]``.

    Raises:
        ShapeError: the shapes do not fit, or the number of classes is not known.
        DTypeError: ``logits`` is not floating, or labels or lengths are no integers.
        InvalidArgumentError: the blank is no class.

    Example:
        >>> steps = np.log([[[0.5, 0.5]], [[0.25, 0.75]]])
        >>> loss = dt.nn.ctc_loss_v2([[1]], steps, label_length=[1], logit_length=[2])
        >>> dt.Session().run(dt.exp(-loss))
        array([0.875])
    """
    scores = scores_of_steps("ctc_loss", logits, logits_time_major)
    numbers = integers("ctc_loss", "labels", labels, ("batch", "labels"))
    counts = integers("ctc_loss", "label_length", label_length, ("batch",))
    lengths = integers("ctc_loss", "logit_length", logit_length, ("batch",))
    classes, blank = classes_of_steps("ctc_loss", scores), blank_index or 0
    if not -classes <= blank < classes:
        raise InvalidArgumentError(f"ctc_loss: blank_index is {blank}; there are {classes} classes.")
    return _losses(scores, numbers, lengths, counts, blank % classes, True, name)


def scores_of_steps(operation: str, scores: Any, time_major: bool = True) -> Tensor:
    """Return scores as a tensor of shape ``[time, batch, classes]``.

    Raises:
        DTypeError: they are not floating.
        ShapeError: they have other axes.
    """
    tensor = dt.convert_to_tensor(scores)
    if not tensor.dtype.is_floating:
        raise DTypeError(f"{operation}: the scores are {tensor.type}, where a floating type is wanted. Use dt.cast.")
    if tensor.shape.rank != 3:
        axes = "time, batch and classes" if time_major else "batch, time and classes"
        raise ShapeError(f"{operation}: the scores are {tensor.type}; their axes should be {axes}.")
    return tensor if time_major else time_and_batch_swapped(tensor)


def integers(operation: str, name: str, values: Any, axes: Sequence[str]) -> Tensor:
    """Return labels or lengths as a tensor.

    Raises:
        DTypeError: they are no integers.
        ShapeError: they have other axes than these.
    """
    tensor = dt.convert_to_tensor(values)
    if not tensor.dtype.is_integer:
        raise DTypeError(f"{operation}: {name} is {tensor.type}; give integers, by dt.cast if need be.")
    if tensor.shape.rank != len(axes):
        raise ShapeError(f"{operation}: {name} is {tensor.type}; its axes should be {' and '.join(axes)}.")
    return tensor


def classes_of_steps(operation: str, scores: Tensor) -> int:
    """Return the number of classes.

    Raises:
        ShapeError: it is not known.
    """
    classes = scores.shape[-1]
    if not isinstance(classes, int):
        raise ShapeError(
            f"{operation}: the scores are {scores.type}, whose number of classes is not known; call set_shape on them."
        )
    return classes


def _dense(labels: dt.SparseTensor, batch: Tensor) -> Tensor:
    """Return sparse labels, of which a placeholder may not even tell the rank, as a matrix padded with -1."""
    places = dt.reshape(labels.indices, [-1, 2])
    shape = dt.stack([batch, dt.cast(labels.dense_shape, dt.int64)[1]])
    result: Tensor = dt.sparse_to_dense(places, shape, labels.values, -1)
    return result


def _without_repetitions(labels: Tensor) -> Tensor:
    """Return labels without those that repeat the one before; the others move up."""
    kept = dt.concat(
        [labels[:, :1] >= 0, dt.logical_and(labels[:, 1:] >= 0, dt.not_equal(labels[:, 1:], labels[:, :-1]))], 1
    )
    numbers = dt.where(kept, labels, dt.fill(dt.shape(labels), dt.constant(-1, labels.dtype)))
    return dt.batch_gather(numbers, dt.argsort(dt.cast(dt.logical_not(kept), dt.int32), axis=1))


def _losses(
    scores: Tensor, labels: Tensor, lengths: Tensor, counts: Tensor, blank: int, merge: bool, name: str | None = None
) -> Tensor:
    """Apply the operation, half types in float32, padding as blanks."""
    given = dt.sequence_mask(counts, labels.shape[1])
    padded = dt.where(given, labels, dt.fill(dt.shape(labels), dt.constant(blank, labels.dtype)))
    wide = dt.cast(scores, dt.float32) if scores.dtype.is_half else scores
    losses: Tensor = _ctc_loss(wide, padded, lengths, counts, blank=blank, merge=bool(merge), name=name or "ctc_loss")
    return losses if wide is scores else dt.cast(losses, scores.dtype)
