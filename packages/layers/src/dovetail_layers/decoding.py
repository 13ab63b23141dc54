"""Sequences written word by word: beam search, and sampling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.extend import nest
from dovetail_layers.softmax import log_softmax, softmax

__all__ = ["Beams", "Written", "beam_search", "sample_from_logits", "sample_sequences"]

_NEVER = -1e30  # a logarithm of what cannot be; finite, so that it can be divided and compared


class Beams(NamedTuple):
    """What ``beam_search`` returns, the best first."""

    tokens: Tensor
    scores: Tensor
    lengths: Tensor


class Written(NamedTuple):
    """What ``sample_sequences`` returns."""

    tokens: Tensor
    lengths: Tensor


def beam_search(
    step: Callable[[Tensor, Any], tuple[Any, Any]],
    initial_state: Any,
    start_tokens: Any,
    end_token: int,
    max_steps: int,
    beam_width: int = 4,
    length_penalty: float = 0.0,
    name: str | None = None,
) -> Beams:
    """Search the most probable sequences that a network writes, several at a time.

    Sequences that have ended stay among the beams. They compete by the logarithm of their probability, divided by
    ``((5 + length) / 6) ** length_penalty`` (Wu et al., 2016, arXiv:1609.08144), as in ``BeamSearchDecoder`` of
    TensorFlow 1's ``seq2seq``. The search ends when all beams have.

    Args:
        step: takes the last token of each beam, int32 of shape ``[n]``, and the state; returns scores of the next one,
            floating, of shape ``[n, words]``, and the next state. A cell with an embedding before and a dense layer
            after is such a step.
        initial_state: a tensor or a structure of tensors, each with the batch first; the search repeats it for beams.
        start_tokens: integers of shape ``[batch]``: what stands before the first token.
        end_token: the token that ends a sequence; those after it are the same.
        max_steps: the greatest number of tokens.
        beam_width: how many sequences are kept.
        length_penalty: 0 prefers short sequences, as probability does; 1 about compares means.
        name: scope of the nodes.

    Returns:
        ``tokens``, int32 of shape ``[batch, beam_width, max_steps]``, ``scores``, float32 of shape
        ``[batch, beam_width]``, and ``lengths``, how many tokens stand before the end, int32 of this shape. No
        gradients flow through.

    Raises:
        InvalidArgumentError: a number is not positive, or the state changes its structure.
        DTypeError: the tokens are no integers.
        ShapeError: the tokens are no vector, or the scores no matrix.

    Example:
        >>> chances = np.log([[0.1, 0.6, 0.3], [0.3, 0.1, 0.6], [0.8, 0.1, 0.1]])  # of what follows 0, 1 and 2
        >>> found = dt.nn.beam_search(
        ...     lambda tokens, state: (dt.gather(chances, tokens), state), dt.zeros([1, 1]), [0], 0, max_steps=4
        ... )
        >>> dt.Session().run([found.tokens[0, 0], dt.exp(found.scores[0, 0])])
        [array([1, 2, 0, 0], dtype=int32), np.float32(0.288)]
    """
    operation = "beam_search"
    first = _start(operation, start_tokens, max_steps)
    if beam_width < 1:
        raise InvalidArgumentError(f"{operation}: beam_width is {beam_width}; it must be positive.")
    with dt.name_scope(name or operation):
        batch = first.shape[0]
        rows = dt.floor_div(dt.range(batch * beam_width), beam_width)
        state = nest.map_structure(lambda one: dt.gather(one, rows), initial_state)
        outside = beam_width * dt.expand_dims(dt.range(batch), 1)
        tokens = dt.gather(first, rows)
        begun = dt.where(dt.equal(dt.range(beam_width), 0), dt.constant(0.0), dt.constant(_NEVER))
        shape_of_beams = [batch, beam_width]

        def going(index: Tensor, tokens: Tensor, state: Any, beams: Any) -> Tensor:
            return dt.logical_not(dt.reduce_all(beams[2]))

        def further(index: Tensor, tokens: Tensor, state: Any, beams: Any) -> list[Any]:
            written, chances, ended, lengths = beams
            logits, after = _stepped(operation, step, tokens, state)
            words = dt.shape(logits)[1]
            shape = [batch, beam_width, logits.shape[1]]
            ends = dt.equal(dt.range(words), end_token)
            stays = dt.broadcast_to(dt.where(ends, dt.constant(0.0), dt.constant(_NEVER)), shape)
            chance = dt.reshape(log_softmax(dt.cast(logits, dt.float32)), shape)
            more = dt.where(dt.expand_dims(ended, 2), stays, chance)
            total = dt.expand_dims(chances, 2) + more
            longer = dt.logical_and(dt.logical_not(dt.expand_dims(ended, 2)), dt.logical_not(ends))
            sizes = dt.expand_dims(lengths, 2) + dt.cast(longer, dt.int32)
            ranks = total / _penalty(sizes, length_penalty)
            best = dt.reshape(
                dt.top_k(dt.reshape(ranks, [batch, shape[1] * shape[2]]), beam_width).indices, shape_of_beams
            )
            parents, chosen = dt.floor_div(best, words), dt.floormod(best, words)

            def picked(x: Tensor) -> Tensor:
                return dt.batch_gather(dt.reshape(x, [batch, shape[1] * shape[2]]), best)

            def of_parents(x: Tensor) -> Tensor:
                return dt.batch_gather(x, parents)

            places = dt.reshape(dt.equal(dt.range(max_steps), index), [1, 1, max_steps])
            before = of_parents(written)
            written = dt.where(places, dt.broadcast_to(dt.expand_dims(chosen, 2), before.shape.dims), before)
            done = dt.logical_or(of_parents(ended), dt.equal(chosen, end_token))
            flat = dt.reshape(parents + outside, [batch * beam_width])
            state = nest.map_structure(lambda one: dt.gather(one, flat), after)
            new = dt.reshape(chosen, [batch * beam_width])
            return [index + 1, new, state, (written, picked(total), done, picked(sizes))]

        nothing = dt.fill([*shape_of_beams, max_steps], end_token)
        starts = (
            nothing,
            dt.broadcast_to(begun, shape_of_beams),
            dt.zeros(shape_of_beams, dt.bool),
            dt.zeros(shape_of_beams, dt.int32),
        )
        _, _, _, (written, chances, _, lengths) = dt.while_loop(
            going, further, [dt.constant(0), tokens, state, starts], maximum_iterations=max_steps, back_prop=False
        )
        return Beams(written, chances / _penalty(lengths, length_penalty), lengths)


def sample_sequences(
    step: Callable[[Tensor, Any], tuple[Any, Any]],
    initial_state: Any,
    start_tokens: Any,
    end_token: int,
    max_steps: int,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    seed: int | None = None,
    name: str | None = None,
) -> Written:
    """Write sequences token by token, each drawn from what a network gives for it.

    Args:
        step: takes the last tokens, int32 of shape ``[batch]``, and the state; returns scores of the next ones,
            floating, of shape ``[batch, words]``, and the next state.
        initial_state: a tensor or a structure of tensors.
        start_tokens: integers of shape ``[batch]``: what stands before the first token.
        end_token: the token that ends a sequence; those after it are the same.
        max_steps: the greatest number of tokens.
        temperature: as for ``sample_from_logits``; 0 always takes the most probable token.
        top_k: likewise.
        top_p: likewise.
        seed: the seed of the operations.
        name: scope of the nodes.

    Returns:
        ``tokens``, int32 of shape ``[batch, max_steps]``, and ``lengths``, how many stand before the end, int32 of
        shape ``[batch]``. No gradients flow through.

    Raises:
        InvalidArgumentError: a number is out of range, or the state changes its structure.
        DTypeError: the tokens are no integers.
        ShapeError: the tokens are no vector, or the scores no matrix.

    Example:
        >>> chances = np.log([[0.1, 0.6, 0.3], [0.3, 0.1, 0.6], [0.8, 0.1, 0.1]])  # of what follows 0, 1 and 2
        >>> found = dt.nn.sample_sequences(
        ...     lambda tokens, state: (dt.gather(chances, tokens), state), dt.zeros([1]), [0], 0, 4, temperature=0.0
        ... )
        >>> dt.Session().run(found.tokens)
        array([[1, 2, 0, 0]], dtype=int32)
    """
    operation = "sample_sequences"
    first = _start(operation, start_tokens, max_steps)
    _check_sampling(operation, temperature, top_k, top_p)
    with dt.name_scope(name or operation):
        batch = first.shape[0]
        state = nest.map_structure(dt.convert_to_tensor, initial_state)

        def going(index: Tensor, tokens: Tensor, state: Any, written: Any) -> Tensor:
            return dt.logical_not(dt.reduce_all(written[1]))

        def further(index: Tensor, tokens: Tensor, state: Any, written: Any) -> list[Any]:
            sequence, ended, lengths = written
            logits, after = _stepped(operation, step, tokens, state)
            drawn = dt.cast(sample_from_logits(logits, temperature, top_k, top_p, seed), dt.int32)
            chosen = dt.where(ended, dt.fill([batch], end_token), drawn)
            done = dt.equal(chosen, end_token)
            places = dt.reshape(dt.equal(dt.range(max_steps), index), [1, max_steps])
            sequence = dt.where(places, dt.broadcast_to(dt.expand_dims(chosen, 1), sequence.shape.dims), sequence)
            return [index + 1, chosen, after, (sequence, done, lengths + dt.cast(dt.logical_not(done), dt.int32))]

        starts = (dt.fill([batch, max_steps], end_token), dt.zeros([batch], dt.bool), dt.zeros([batch], dt.int32))
        _, _, _, (sequence, _, lengths) = dt.while_loop(
            going, further, [dt.constant(0), first, state, starts], maximum_iterations=max_steps, back_prop=False
        )
        return Written(sequence, lengths)


def sample_from_logits(
    logits: Any,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Draw a class for each row of scores.

    Args:
        logits: scores before a softmax, floating, of shape ``[batch, classes]``.
        temperature: what scores are divided by: above 1 draws are more even, at 0 always the greatest score is taken.
        top_k: only so many of the most probable classes are drawn (Fan et al., 2018).
        top_p: only the fewest of the most probable classes are drawn that have this probability together (Holtzman et
            al., 2019, arXiv:1904.09751).
        seed: the operation's seed.
        name: scope of the nodes.

    Returns:
        Classes, int64 of shape ``[batch]``.

    Raises:
        InvalidArgumentError: a number is out of range.
        DTypeError: the scores are not floating.
        ShapeError: they have other axes than two.

    Example:
        >>> dt.Session().run(dt.nn.sample_from_logits([[0.0, 5.0, 4.0]], top_k=1))
        array([1])
    """
    operation = "sample_from_logits"
    _check_sampling(operation, temperature, top_k, top_p)
    scores = _matrix(operation, logits)
    with dt.name_scope(name or operation):
        if temperature == 0.0:
            return dt.argmax(scores, axis=1)
        scores = scores / temperature
        if top_k is not None:
            least = dt.top_k(scores, top_k).values[:, -1:]
            scores = _only(scores >= least, scores)
        if top_p is not None:
            falling = dt.sort(scores, direction="DESCENDING")
            before = dt.cumsum(softmax(falling), axis=1, exclusive=True)
            least = dt.reduce_min(dt.where(before < top_p, falling, dt.fill(dt.shape(falling), _greatest(scores))), 1)
            scores = _only(scores >= dt.expand_dims(least, 1), scores)
        drawn: Tensor = dt.multinomial(scores, 1, seed)[:, 0]
        return drawn


def _only(admitted: Tensor, scores: Tensor) -> Tensor:
    return dt.where(admitted, scores, dt.fill(dt.shape(scores), dt.constant(-np.inf, scores.dtype)))


def _greatest(scores: Tensor) -> Tensor:
    return dt.constant(np.inf, scores.dtype)


def _penalty(lengths: Tensor, power: float) -> Tensor:
    result: Tensor = ((5.0 + dt.cast(lengths, dt.float32)) / 6.0) ** power
    return result


def _start(operation: str, start_tokens: Any, max_steps: int) -> Tensor:
    tokens = dt.convert_to_tensor(start_tokens)
    if not tokens.dtype.is_integer:
        raise DTypeError(f"{operation}: start_tokens is {tokens.type}; give integers, by dt.cast if need be.")
    if tokens.shape.rank != 1:
        raise ShapeError(f"{operation}: start_tokens is {tokens.type}; give one token for each sequence.")
    if max_steps < 1:
        raise InvalidArgumentError(f"{operation}: max_steps is {max_steps}; it must be positive.")
    result: Tensor = dt.cast(tokens, dt.int32)
    return result


def _stepped(operation: str, step: Callable[..., Any], tokens: Tensor, state: Any) -> tuple[Tensor, Any]:
    logits, after = step(tokens, state)
    found = nest.difference(state, after)
    if found is not None:
        raise InvalidArgumentError(
            f"{operation}: the structures of the state before a step and after it {found}. Return the next state in "
            "the structure of initial_state."
        )
    return _matrix(operation, logits), after


def _matrix(operation: str, logits: Any) -> Tensor:
    scores = dt.convert_to_tensor(logits)
    if not scores.dtype.is_floating:
        raise DTypeError(f"{operation}: the scores are {scores.type}, where a floating type is wanted. Use dt.cast.")
    if scores.shape.rank != 2:
        raise ShapeError(f"{operation}: the scores are {scores.type}; their axes should be batch and words.")
    return scores


def _check_sampling(operation: str, temperature: float, top_k: int | None, top_p: float | None) -> None:
    if temperature < 0.0:
        raise InvalidArgumentError(f"{operation}: temperature is {temperature:g}; it must not be negative.")
    if top_k is not None and top_k < 1:
        raise InvalidArgumentError(f"{operation}: top_k is {top_k}; it must be positive.")
    if top_p is not None and not 0.0 < top_p <= 1.0:
        raise InvalidArgumentError(f"{operation}: top_p is {top_p:g}; it must be above 0 and at most 1.")
