"""Decoders of connectionist temporal classification: the best step by step, and the best over all placements."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, final

import numpy as np

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import InvalidArgumentError
from dovetail.extend import Array, Op, Sample, Shape, TensorType, primitive
from dovetail_layers.ctc import classes_of_steps, integers, scores_of_steps
from dovetail_layers.steps import time_and_batch_swapped

__all__ = ["CTCBeamSearch", "CTCBeams", "CTCGreedy", "ctc_beam_search_decoder", "ctc_greedy_decoder"]


class CTCGreedy(NamedTuple):
    """What ``ctc_greedy_decoder`` returns."""

    decoded: list[dt.SparseTensor]
    neg_sum_logits: Tensor


class CTCBeams(NamedTuple):
    """What ``ctc_beam_search_decoder`` returns."""

    decoded: list[dt.SparseTensor]
    log_probability: Tensor


def ctc_greedy_decoder(
    inputs: Any, sequence_length: Any, merge_repeated: bool = True, blank_index: int | None = None
) -> CTCGreedy:
    """Return the labels of the best class of each step, without blanks.

    Args:
        inputs: scores, floating, of shape ``[time, batch, classes]``.
        sequence_length: integers of shape ``[batch]``: how many steps each sequence has.
        merge_repeated: whether a class at steps that follow each other is one label.
        blank_index: the class that is the blank, the last by default; negative ones count from the end.

    Returns:
        ``decoded``, a list of one ``SparseTensor``, int64 of shape ``[batch, labels]``, as wide as the row with most,
        and ``neg_sum_logits``, of shape ``[batch, 1]``: minus the sum of the scores of the best classes.

    Raises:
        ShapeError: the shapes do not fit, or the number of classes is not known.
        DTypeError: the scores are not floating, or the lengths are no integers.
        InvalidArgumentError: the blank is no class.

    Example:
        >>> scores = dt.one_hot([[0], [0], [2], [0], [1], [2]], 3)
        >>> dt.Session().run(dt.sparse_tensor_to_dense(dt.nn.ctc_greedy_decoder(scores, [6]).decoded[0]))
        array([[0, 0, 1]])
    """
    operation = "ctc_greedy_decoder"
    scores = scores_of_steps(operation, inputs)
    lengths = integers(operation, "sequence_length", sequence_length, ("batch",))
    classes = classes_of_steps(operation, scores)
    blank = classes - 1 if blank_index is None else blank_index
    if not -classes <= blank < classes:
        raise InvalidArgumentError(f"{operation}: blank_index is {blank}; there are {classes} classes.")
    with dt.name_scope(operation):
        best = time_and_batch_swapped(dt.argmax(scores, axis=-1))
        within = dt.sequence_mask(lengths, best.shape[1])
        kept = dt.logical_and(within, dt.not_equal(best, blank % classes))
        if merge_repeated:
            new = dt.concat([dt.ones_like(within[:, :1]), dt.not_equal(best[:, 1:], best[:, :-1])], 1)
            kept = dt.logical_and(kept, new)
        labels = dt.where(kept, best, dt.fill(dt.shape(best), dt.constant(-1, best.dtype)))
        moved = dt.batch_gather(labels, dt.argsort(dt.cast(dt.logical_not(kept), dt.int32), axis=1))
        greatest = time_and_batch_swapped(dt.expand_dims(dt.reduce_max(scores, -1), 2))[:, :, 0]
        total = dt.reduce_sum(dt.where(within, greatest, dt.zeros_like(greatest)), 1, keepdims=True)
        return CTCGreedy([_sparse(dt.cast(moved, dt.int64))], -total)


def _sparse(labels: Tensor) -> dt.SparseTensor:
    """Return labels that are padded with -1 without the padding."""
    given = labels >= 0
    widest = dt.reduce_max(dt.concat([dt.reduce_sum(dt.cast(given, dt.int64), 1), dt.zeros([1], dt.int64)], 0))
    shape = dt.stack([dt.cast(dt.shape(labels)[0], dt.int64), widest])
    places = dt.where(given)
    return dt.SparseTensor(places, dt.gather_nd(labels, places), shape)


@primitive
@final
class CTCBeamSearch(Op):
    """The most probable label sequences, by beam search over prefixes (Graves and Jaitly, 2014; Hannun et al., 2014).

    Inputs are scores ``[time, batch, classes]``, the blank the last class, and lengths ``[batch]``; outputs are labels,
    int64 of shape ``[paths, batch, time]``, padded with -1, and logarithms of probabilities, ``[batch, paths]``.
    """

    beam_width: int
    paths: int = 1
    merge_repeated: bool = False
    differentiable = False

    def dtypes(self, *dtypes: Any) -> tuple[Any, ...]:
        """Labels are int64, probabilities of the dtype of the scores."""
        return dt.int64, dtypes[0]

    def infer(self, scores: TensorType, lengths: TensorType) -> tuple[TensorType, TensorType]:
        """Labels are at most as many as steps."""
        time, batch, _ = scores.dims
        return (
            TensorType(dt.int64, Shape([self.paths, batch, time])),
            TensorType(scores.dtype, Shape([batch, self.paths])),
        )

    def reference(self, scores: Array, lengths: Array) -> tuple[Array, Array]:
        """Search each sequence on its own."""
        time, batch, _ = scores.shape
        labels = np.full((self.paths, batch, time), -1, np.int64)
        chances = np.full((batch, self.paths), -np.inf, scores.dtype)
        wide = scores.astype(np.float64)
        highest = wide.max(-1, keepdims=True)
        logarithms = wide - highest - np.log(np.exp(wide - highest).sum(-1, keepdims=True))
        for row in range(batch):
            found = self._search(logarithms[: lengths[row], row])
            for path, (prefix, chance) in enumerate(found[: self.paths]):
                kept = [
                    one
                    for place, one in enumerate(prefix)
                    if not (self.merge_repeated and place and prefix[place - 1] == one)
                ]
                labels[path, row, : len(kept)] = kept
                chances[row, path] = chance
        return labels, chances

    def _search(self, steps: Array) -> list[tuple[tuple[int, ...], float]]:
        """Return prefixes, the most probable first, and the logarithms of their probabilities."""
        blank = steps.shape[-1] - 1
        beams: dict[tuple[int, ...], list[float]] = {(): [0.0, -np.inf]}  # ending with a blank, with the last label
        for step in steps:
            after: dict[tuple[int, ...], list[float]] = {}
            for prefix, (with_blank, with_label) in beams.items():
                total = np.logaddexp(with_blank, with_label)
                same = after.setdefault(prefix, [-np.inf, -np.inf])
                same[0] = np.logaddexp(same[0], total + step[blank])
                if prefix:
                    same[1] = np.logaddexp(same[1], with_label + step[prefix[-1]])
                for label in range(blank):
                    before = with_blank if prefix and prefix[-1] == label else total
                    longer = after.setdefault((*prefix, label), [-np.inf, -np.inf])
                    longer[1] = np.logaddexp(longer[1], before + step[label])
            best = sorted(after.items(), key=lambda item: -_total(item[1]))
            beams = dict(best[: self.beam_width])
        return [(prefix, _total(chances)) for prefix, chances in beams.items()]

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Three sequences of several lengths; one path, and two."""
        scores, lengths = rng.normal(size=(4, 3, 3)), np.array([4, 0, 2], np.int32)
        yield Sample(cls(8), scores, lengths, wrt=())
        yield Sample(cls(4, 2, True), scores, lengths, wrt=())


def _total(chances: list[float]) -> float:
    return float(np.logaddexp(chances[0], chances[1]))


def ctc_beam_search_decoder(
    inputs: Any, sequence_length: Any, beam_width: int = 100, top_paths: int = 1, merge_repeated: bool = True
) -> CTCBeams:
    """Return the label sequences that are most probable over all ways to place them, the blank the last class.

    It runs in NumPy.

    Args:
        inputs: scores before a softmax, floating, of shape ``[time, batch, classes]``.
        sequence_length: integers of shape ``[batch]``: how many steps each sequence has.
        beam_width: how many prefixes are kept from step to step.
        top_paths: how many sequences are returned, at most ``beam_width``.
        merge_repeated: whether labels of the result that repeat the one before are left out, as in TensorFlow 1, which
            loses letters that stand twice: mostly ``False`` is wanted.

    Returns:
        ``decoded``, a list of ``top_paths`` tensors, each a ``SparseTensor``, int64 of shape ``[batch, labels]``, and
        ``log_probability``, of shape ``[batch, top_paths]``; minus infinity where there are fewer sequences.

    Raises:
        ShapeError: the shapes do not fit.
        DTypeError: the scores are not floating, or the lengths are no integers.
        InvalidArgumentError: the numbers of beams and paths do not fit.

    Example:
        >>> scores = np.log([[[0.4, 0.6]], [[0.4, 0.6]]])  # a blank at both steps has 0.36, a label somewhere 0.64
        >>> found = dt.nn.ctc_beam_search_decoder(scores, [2])
        >>> dt.Session().run([dt.sparse_tensor_to_dense(found.decoded[0]), dt.exp(found.log_probability)])
        [array([[0]]), array([[0.64]])]
    """
    operation = "ctc_beam_search_decoder"
    if not 1 <= top_paths <= beam_width:
        raise InvalidArgumentError(
            f"{operation}: top_paths is {top_paths} and beam_width {beam_width}; give 1 <= top_paths <= beam_width."
        )
    scores = scores_of_steps(operation, inputs)
    lengths = integers(operation, "sequence_length", sequence_length, ("batch",))
    labels, chances = CTCBeamSearch(beam_width, top_paths, merge_repeated)(scores, lengths, name=operation)
    return CTCBeams([_sparse(labels[path]) for path in range(top_paths)], chances)
