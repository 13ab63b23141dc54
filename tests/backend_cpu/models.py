"""Small networks of every layer, which tests of the CPU backend train and run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, final

import numpy as np

import dovetail as dt

__all__ = ["MODELS", "Model"]


@final
class Model:
    """A network in a graph of its own.

    Attributes:
        graph: with one seed, so that two sessions draw the same numbers.
        inputs: placeholders whose first axis is the batch.
        output: what it says of each row.
        loss: a scalar.
        training: whether the layers train, fed.
    """

    def __init__(self, name: str, seed: int = 3) -> None:
        self.graph = dt.Graph()
        with self.graph.as_default():
            dt.set_random_seed(seed)
            self.training = dt.placeholder_with_default(False, [], name="training")
            self.inputs, self.output, self.loss = MODELS[name](self.training)

    def minimize(self, optimizer: Callable[[], Any]) -> dt.Operation:
        """Add a step that trains it."""
        with self.graph.as_default():
            return optimizer().minimize(self.loss, global_step=dt.train.get_or_create_global_step())

    def initializer(self) -> dt.Operation:
        """Return the operation that gives all variables their first values."""
        with self.graph.as_default():
            return dt.global_variables_initializer()

    def variables(self) -> list[dt.Variable]:
        """Return the variables, those of optimizers too."""
        with self.graph.as_default():
            return list(dt.global_variables())

    def feeds(self, batch: int, seed: int = 0) -> dict[dt.Tensor, np.ndarray]:
        """Return rows for each input; the first rows of a larger batch are those of a smaller one."""
        found = {}
        for number, tensor in enumerate(self.inputs):
            shape = [size for size in tensor.shape.dims[1:] if isinstance(size, int)]
            rows = [np.random.default_rng([seed, number, row]) for row in range(batch)]
            if tensor.dtype.is_floating:
                values = [rng.normal(size=shape) for rng in rows]
            else:
                values = [rng.integers(1, 5, shape) for rng in rows]
            found[tensor] = np.array(values, tensor.dtype.numpy).reshape(batch, *shape)
        return found


Made = tuple[list[dt.Tensor], dt.Tensor, dt.Tensor]


def mlp(training: dt.Tensor) -> Made:
    """Dense layers with a regulariser; mean squared error and others."""
    x, y = dt.placeholder(dt.float32, [None, 13]), dt.placeholder(dt.float32, [None, 3])
    hidden = dt.layers.dense(x, 37, activation="tanh", kernel_regularizer=dt.layers.l2_regularizer(1e-3))
    output = dt.layers.dense(dt.layers.dense(hidden, 16, activation="elu", use_bias=False), 3)
    loss = dt.losses.mean_squared_error(y, output) + 0.1 * dt.losses.absolute_difference(y, output)
    loss += dt.losses.sigmoid_cross_entropy(dt.cast(y > 0.0, dt.float32), output) + dt.losses.get_regularization_loss()
    return [x, y], output, loss


def convnet(training: dt.Tensor) -> Made:
    """What the example of digits has: convolutions, batch normalisation, pooling, dropout, softmax."""
    x, labels = dt.placeholder(dt.float32, [None, 8, 8, 1]), dt.placeholder(dt.int64, [None])
    y = dt.layers.conv2d(x, 12, 3, padding="same", use_bias=False)
    y = dt.nn.relu(dt.layers.batch_normalization(y, momentum=0.9, training=training))
    y = dt.layers.max_pooling2d(y, 2, 2)
    y = dt.layers.conv2d(y, 20, 3, padding="same", activation="relu")
    both = [dt.layers.global_average_pooling2d(y), dt.layers.global_max_pooling2d(y)]
    y = dt.layers.flatten(dt.layers.average_pooling2d(y, 2, 2))
    y = dt.layers.dense(dt.concat([y, *both], 1), 24, activation="relu")
    output = dt.layers.dense(dt.layers.dropout(y, rate=0.5, training=training), 10)
    return [x, labels], output, dt.losses.sparse_softmax_cross_entropy(labels, output)


def recurrent(training: dt.Tensor) -> Made:
    """An embedding and three kinds of recurrent layer, with lengths."""
    words, lengths = dt.placeholder(dt.int32, [None, 7]), dt.placeholder(dt.int32, [None])
    x = dt.layers.embedding(words, 9, 6)
    x = dt.layers.lstm(x, 10, return_sequences=True, sequence_length=lengths)
    x = dt.layers.gru(x, 8, return_sequences=True, reverse=True)
    output = dt.layers.dense(dt.layers.simple_rnn(x, 5), 4)
    hot = dt.one_hot(lengths % 4, 4)
    return [words, lengths], output, dt.losses.softmax_cross_entropy(hot, output, label_smoothing=0.1)


def attention(training: dt.Tensor) -> Made:
    """A block of a transformer."""
    x, labels = dt.placeholder(dt.float32, [None, 6, 16]), dt.placeholder(dt.int32, [None, 6])
    y = x + dt.layers.multi_head_attention(dt.layers.layer_normalization(x), 2, causal=True)
    y += dt.layers.dense(dt.layers.dense(dt.layers.layer_normalization(y), 33, activation="gelu"), 16)
    output = dt.layers.dense(y, 5)
    cross = dt.nn.sparse_softmax_cross_entropy_with_logits(labels=labels % 5, logits=output)
    return [x, labels], output, dt.reduce_mean(cross)


MODELS: Final[dict[str, Callable[[dt.Tensor], Made]]] = {
    "mlp": mlp,
    "convnet": convnet,
    "recurrent": recurrent,
    "attention": attention,
}
