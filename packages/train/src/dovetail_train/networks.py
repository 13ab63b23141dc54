"""The usual networks, built from layers: what ready estimators are made of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import InvalidArgumentError, ShapeError
from dovetail.extend import Activation, InitializerLike, Layer, RegularizerLike, Training

__all__ = ["Autoencoding", "autoencoder", "convolutional_network", "dense_network", "recurrent_network"]

_CELLS = ("lstm", "gru", "simple_rnn")


def dense_network(
    inputs: Tensor,
    hidden_units: Sequence[int],
    outputs: int | None = None,
    *,
    activation: Activation = "relu",
    dropout: float | None = None,
    batch_norm: bool = False,
    kernel_initializer: InitializerLike = None,
    kernel_regularizer: RegularizerLike = None,
    training: Training = False,
    name: str | None = None,
) -> Tensor:
    """Return densely connected layers one after the other.

    Args:
        inputs: of shape ``[batch, …]``; all axes but the first become one.
        hidden_units: the sizes of the hidden layers; there may be none.
        outputs: the size of a last layer without activation; there is none unless given.
        activation: of the hidden layers, a function or the name of one in ``dt.nn``.
        dropout: the probability that an element of a hidden layer is dropped while training.
        batch_norm: whether to normalise what each hidden layer gives.
        kernel_initializer: first values of the kernels.
        kernel_regularizer: gives losses of the kernels.
        training: whether dropout and batch normalisation act as they do while training.
        name: the scope of the layers; one that is free unless given.

    Returns:
        A tensor of shape ``[batch, units of the last layer]``.

    Raises:
        InvalidArgumentError: a size is not positive, or the probability is out of range.

    Example:
        >>> dense_network(dt.zeros([8, 28, 28]), [64, 32], 10).shape
        Shape([8, 10])
    """
    with dt.variable_scope(name, "dense_network"):
        x = _flat(inputs)
        for number, units in enumerate(hidden_units):
            x = dt.layers.dense(
                x,
                units,
                activation,
                kernel_initializer=kernel_initializer,
                kernel_regularizer=kernel_regularizer,
                name=f"hiddenlayer_{number}",
            )
            x = _regularized(x, dropout, batch_norm, training, f"hiddenlayer_{number}")
        return _last(x, outputs, kernel_regularizer)


def convolutional_network(
    images: Tensor,
    filters: Sequence[int] = (32, 64),
    outputs: int | None = None,
    *,
    kernel_size: int | tuple[int, int] = 3,
    pool_size: int = 2,
    hidden_units: Sequence[int] = (128,),
    activation: Activation = "relu",
    dropout: float | None = None,
    batch_norm: bool = False,
    kernel_regularizer: RegularizerLike = None,
    training: Training = False,
    name: str | None = None,
) -> Tensor:
    """Return convolutions that are pooled one after the other, and densely connected layers on what they give.

    Args:
        images: of shape ``[batch, height, width, channels]``, or without the last axis for one channel.
        filters: how many filters each convolution has.
        outputs: the size of a last layer without activation; there is none unless given.
        kernel_size: height and width of the filters.
        pool_size: of how many rows and columns the greatest number is kept after each convolution; 1 for all. It ends
            where the image is too small for it.
        hidden_units: the sizes of the dense layers behind the convolutions.
        activation: a function, or the name of one in ``dt.nn``.
        dropout: the probability that an element of a dense layer is dropped while training.
        batch_norm: whether to normalise what each convolution and each dense layer gives.
        kernel_regularizer: gives losses of the kernels.
        training: whether dropout and batch normalisation act as they do while training.
        name: the scope of the layers; one that is free unless given.

    Returns:
        A tensor of shape ``[batch, units of the last layer]``.

    Raises:
        ShapeError: the images have another rank than 3 or 4.
        InvalidArgumentError: a size is not positive, or the probability is out of range.

    Example:
        >>> convolutional_network(dt.zeros([8, 28, 28]), [8, 16], 10).shape
        Shape([8, 10])
    """
    rank = images.shape.rank
    if rank not in (3, 4):
        raise ShapeError(
            f"convolutional_network: the images are {images.type}; give [batch, height, width, channels], or "
            "[batch, height, width] for one channel."
        )
    if pool_size < 1:
        raise InvalidArgumentError(f"convolutional_network: pool_size is {pool_size}; it must be at least 1.")
    with dt.variable_scope(name, "convolutional_network"):
        x = dt.expand_dims(images, -1) if rank == 3 else images
        for number, count in enumerate(filters):
            label = f"convolution_{number}"
            x = dt.layers.conv2d(
                x,
                count,
                kernel_size,
                padding="same",
                activation=activation,
                kernel_regularizer=kernel_regularizer,
                name=label,
            )
            x = _regularized(x, None, batch_norm, training, label)
            if pool_size > 1 and not any(isinstance(size, int) and size < pool_size for size in x.shape.dims[1:3]):
                x = dt.layers.max_pooling2d(x, pool_size, pool_size, name=f"pool_{number}")
        return dense_network(
            x,
            hidden_units,
            outputs,
            activation=activation,
            dropout=dropout,
            batch_norm=batch_norm,
            kernel_regularizer=kernel_regularizer,
            training=training,
            name="dense",
        )


def recurrent_network(
    sequences: Tensor,
    units: Sequence[int] = (64,),
    outputs: int | None = None,
    *,
    cell: str = "lstm",
    bidirectional: bool = False,
    sequence_length: Tensor | None = None,
    hidden_units: Sequence[int] = (),
    activation: Activation = "relu",
    dropout: float | None = None,
    kernel_regularizer: RegularizerLike = None,
    training: Training = False,
    name: str | None = None,
) -> Tensor:
    """Return recurrent layers one above the other, and densely connected ones on what the last step gives.

    Args:
        sequences: of shape ``[batch, time, size]``, or without the last axis for one number a step.
        units: the sizes of the recurrent layers.
        outputs: the size of a last layer without activation; there is none unless given.
        cell: ``"lstm"``, ``"gru"`` or ``"simple_rnn"``.
        bidirectional: whether each layer walks in both directions.
        sequence_length: integers of shape ``[batch]``; what stands beyond them has no effect.
        hidden_units: the sizes of dense layers behind the recurrent ones.
        activation: of these, a function or the name of one in ``dt.nn``.
        dropout: the probability that an element of what a layer gives is dropped while training.
        kernel_regularizer: gives losses of the kernels.
        training: whether dropout acts as it does while training.
        name: the scope of the layers; one that is free unless given.

    Returns:
        A tensor of shape ``[batch, units of the last layer]``.

    Raises:
        ShapeError: the sequences have another rank than 2 or 3.
        InvalidArgumentError: there is no such cell or no recurrent layer, or a number is out of range.

    Example:
        >>> recurrent_network(dt.zeros([8, 28, 28]), [32], 10, cell="gru", bidirectional=True).shape
        Shape([8, 10])
    """
    rank = sequences.shape.rank
    if rank not in (2, 3):
        raise ShapeError(
            f"recurrent_network: the sequences are {sequences.type}; give [batch, time, size], or [batch, time] for "
            "one number a step."
        )
    if not units:
        raise InvalidArgumentError("recurrent_network: units is empty; give the size of one recurrent layer at least.")
    with dt.variable_scope(name, "recurrent_network"):
        x = dt.expand_dims(sequences, -1) if rank == 2 else sequences
        for number, size in enumerate(units):
            label = f"recurrent_{number}"
            last = number == len(units) - 1
            layer = _recurrent(cell, size, not last, kernel_regularizer, "forward" if bidirectional else label)
            if bidirectional:
                layer = dt.layers.Bidirectional(layer, name=label)
            x = layer(x, sequence_length=sequence_length, training=training)
            x = _regularized(x, dropout, False, training, label)
        return dense_network(
            x,
            hidden_units,
            outputs,
            activation=activation,
            dropout=dropout,
            kernel_regularizer=kernel_regularizer,
            training=training,
            name="dense",
        )


class Autoencoding(NamedTuple):
    """What an autoencoder makes of its inputs.

    Attributes:
        code: the innermost layer, of shape ``[batch, units]``.
        reconstruction: of the inputs' shape.
    """

    code: Tensor
    reconstruction: Tensor


def autoencoder(
    inputs: Tensor,
    hidden_units: Sequence[int],
    *,
    activation: Activation = "relu",
    output_activation: Activation = None,
    dropout: float | None = None,
    batch_norm: bool = False,
    kernel_regularizer: RegularizerLike = None,
    training: Training = False,
    name: str | None = None,
) -> Autoencoding:
    """Return a narrowing network and its mirror image, which restores what went in.

    Args:
        inputs: of shape ``[batch, …]``, whose sizes but the first are known.
        hidden_units: the sizes of the layers down to the code, which is the last and has no activation; the layers
            behind it have the same sizes the other way.
        activation: of the other hidden layers, a function or the name of one in ``dt.nn``.
        output_activation: of the last layer; none by default, ``"sigmoid"`` for numbers from 0 to 1.
        dropout: the probability that an element of a hidden layer, but the code, is dropped while training.
        batch_norm: whether to normalise what each hidden layer, but the code, gives.
        kernel_regularizer: gives losses of the kernels.
        training: whether dropout and batch normalisation act as they do while training.
        name: the scope of the layers; one that is free unless given.

    Raises:
        ShapeError: a size other than the batch's is not known.
        InvalidArgumentError: there is no hidden layer, or a number is out of range.

    Example:
        >>> code, reconstruction = autoencoder(dt.zeros([8, 28, 28]), [64, 16])
        >>> code.shape, reconstruction.shape
        (Shape([8, 16]), Shape([8, 28, 28]))
    """
    if not hidden_units:
        raise InvalidArgumentError("autoencoder: hidden_units is empty; give the size of the code at least.")
    sizes = [size for size in inputs.shape.dims[1:] if isinstance(size, int)]
    if inputs.shape.rank is None or len(sizes) != len(inputs.shape.dims) - 1:
        raise ShapeError(f"autoencoder: the inputs are {inputs.type}; all sizes but the first must be known.")
    *outer, code_size = hidden_units
    options = {
        "activation": activation,
        "dropout": dropout,
        "batch_norm": batch_norm,
        "kernel_regularizer": kernel_regularizer,
        "training": training,
    }
    with dt.variable_scope(name, "autoencoder"):
        flat = _flat(inputs)
        encoded = dense_network(flat, outer, **options, name="encoder")  # type: ignore[arg-type] # declared there
        code = dt.layers.dense(encoded, code_size, kernel_regularizer=kernel_regularizer, name="code")
        decoded = dense_network(code, outer[::-1], **options, name="decoder")  # type: ignore[arg-type] # likewise
        restored = dt.layers.dense(
            decoded,
            math.prod(sizes),
            output_activation,
            kernel_regularizer=kernel_regularizer,
            name="reconstruction",
        )
        return Autoencoding(code, dt.reshape(restored, [-1, *sizes]))


def _flat(inputs: Tensor) -> Tensor:
    """Make one axis of all but the first."""
    if inputs.shape.rank == 2:
        return inputs
    if inputs.shape.rank == 1:
        return dt.expand_dims(inputs, -1)
    flat: Tensor = dt.layers.flatten(inputs)
    return flat


def _regularized(x: Tensor, dropout: float | None, batch_norm: bool, training: Training, name: str) -> Tensor:
    if dropout:
        x = dt.layers.dropout(x, rate=dropout, training=training, name=f"{name}_dropout")
    if batch_norm:
        x = dt.layers.batch_normalization(x, training=training, name=f"{name}_normalization")
    return x


def _last(x: Tensor, outputs: int | None, regularizer: RegularizerLike) -> Tensor:
    if outputs is None:
        return x
    result: Tensor = dt.layers.dense(x, outputs, kernel_regularizer=regularizer, name="logits")
    return result


def _recurrent(cell: str, units: int, sequences: bool, regularizer: RegularizerLike, name: str) -> Layer:
    """Make a recurrent layer.

    Raises:
        InvalidArgumentError: there is no such cell.
    """
    if cell not in _CELLS:
        raise InvalidArgumentError(
            f"recurrent_network: cell is {cell!r}; use {', '.join(map(repr, _CELLS[:-1]))} or {_CELLS[-1]!r}."
        )
    kinds = dict(zip(_CELLS, (dt.layers.LSTM, dt.layers.GRU, dt.layers.SimpleRNN), strict=True))
    layer: Layer = kinds[cell](units, return_sequences=sequences, kernel_regularizer=regularizer, name=name)
    return layer
