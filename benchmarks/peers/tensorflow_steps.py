"""The workloads in TensorFlow with Keras' layers, each step a ``tf.function``; ``--mode xla`` compiles it by XLA."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
_BEGIN = time.perf_counter()
import tensorflow as tf  # noqa: E402 -- importing it is measured
from tensorflow import keras  # noqa: E402

IMPORT_SECONDS = time.perf_counter() - _BEGIN

import numpy as np  # noqa: E402

from benchmarks import harness  # noqa: E402

L = keras.layers
RNG = np.random.default_rng(0)


def mlp(*sizes: int) -> keras.Model:
    hidden = [L.Dense(size, "relu") for size in sizes[1:-1]]
    return keras.Sequential([L.Input((sizes[0],)), *hidden, L.Dense(sizes[-1])])


def lenet() -> keras.Model:
    return keras.Sequential(
        [
            L.Input((28, 28, 1)),
            L.Conv2D(32, 5, padding="same", activation="relu"),
            L.MaxPooling2D(),
            L.Conv2D(64, 5, padding="same", activation="relu"),
            L.MaxPooling2D(),
            L.Flatten(),
            L.Dense(256, "relu"),
            L.Dropout(0.5),
            L.Dense(10),
        ]
    )


def convolved(x: Any, filters: int, size: int, stride: int) -> Any:
    return L.BatchNormalization()(L.Conv2D(filters, size, stride, "same", use_bias=False)(x))


def joined(x: Any, y: Any, stride: int) -> Any:
    """Return ``y`` plus ``x``, projected where stride or channels differ."""
    filters = y.shape[-1]
    short = x if stride == 1 and x.shape[-1] == filters else convolved(x, filters, 1, stride)
    return L.ReLU()(L.Add()([y, short]))


def resnet20() -> keras.Model:
    inputs = L.Input((32, 32, 3))
    x = L.ReLU()(convolved(inputs, 16, 3, 1))
    for filters, first_stride in ((16, 1), (32, 2), (64, 2)):
        for stride in (first_stride, 1, 1):
            y = L.ReLU()(convolved(x, filters, 3, stride))
            x = joined(x, convolved(y, filters, 3, 1), stride)
    return keras.Model(inputs, L.Dense(10)(L.GlobalAveragePooling2D()(x)))


def resnet50() -> keras.Model:
    """Return version 1.5, which strides in the 3x3 convolutions; that of ``keras.applications`` is version 1."""
    inputs = L.Input((224, 224, 3))
    x = L.MaxPooling2D(3, 2, "same")(L.ReLU()(convolved(inputs, 64, 7, 2)))
    for filters, count, first_stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for block in range(count):
            stride = first_stride if block == 0 else 1
            y = L.ReLU()(convolved(x, filters, 1, 1))
            y = L.ReLU()(convolved(y, filters, 3, stride))
            x = joined(x, convolved(y, 4 * filters, 1, 1), stride)
    return keras.Model(inputs, L.Dense(1000)(L.GlobalAveragePooling2D()(x)))


def char_lstm() -> keras.Model:
    layers = [L.Embedding(96, 64), L.LSTM(256, return_sequences=True), L.Dense(96)]
    return keras.Sequential([L.Input((64,), dtype="int32"), *layers])


class Positions(L.Layer):
    def build(self, shape: Any) -> None:
        self.positions = self.add_weight(shape=shape[1:], initializer="zeros")

    def call(self, x: Any) -> Any:
        return x + self.positions


class Attention(L.Layer):
    heads = 4

    def build(self, shape: Any) -> None:
        _, self.length, self.width = shape
        self.qkv, self.out = L.Dense(3 * self.width), L.Dense(self.width)
        self.qkv.build(shape)
        self.out.build(shape)
        self.mask = np.triu(np.full((self.length, self.length), -1e30, np.float32), 1)

    def call(self, x: Any) -> Any:
        size = self.width // self.heads
        qkv = tf.reshape(self.qkv(x), (-1, self.length, 3, self.heads, size))
        query, key, value = tf.unstack(tf.transpose(qkv, (2, 0, 3, 1, 4)))
        scores = tf.nn.softmax(tf.matmul(query, key, transpose_b=True) / size**0.5 + self.mask)
        return self.out(tf.reshape(tf.transpose(scores @ value, (0, 2, 1, 3)), (-1, self.length, self.width)))


def gpt() -> keras.Model:
    def gelu(x: Any) -> Any:
        return tf.nn.gelu(x, approximate=True)

    inputs = L.Input((128,), dtype="int32")
    x = Positions()(L.Embedding(96, 128)(inputs))
    for _ in range(2):
        x = L.Add()([x, Attention()(L.LayerNormalization(epsilon=1e-5)(x))])
        y = L.Dense(4 * 128, activation=gelu)(L.LayerNormalization(epsilon=1e-5)(x))
        x = L.Add()([x, L.Dense(128)(y)])
    return keras.Model(inputs, L.Dense(96)(L.LayerNormalization(epsilon=1e-5)(x)))


@dataclass(frozen=True)
class Workload:
    model: Callable[[], keras.Model]
    example: tuple[int, ...]
    batch: int
    optimizer: Callable[[], Any] | None = None
    vocabulary: int = 0

    def batch_of(self, size: int) -> tuple[Any, ...]:
        if self.vocabulary:
            shape = (size, *self.example)
            symbols = [RNG.integers(0, self.vocabulary, shape, dtype=np.int32) for _ in range(2)]
            return tuple(tf.constant(one) for one in symbols)
        inputs = tf.constant(RNG.standard_normal((size, *self.example), dtype=np.float32))
        if self.optimizer is None:
            return (inputs,)
        return inputs, tf.constant(RNG.integers(0, 10, size, dtype=np.int32))


def adam() -> Any:
    return keras.optimizers.Adam(1e-3)


WORKLOADS = {
    "mlp_small": Workload(lambda: mlp(64, 32, 10), (64,), 32, lambda: keras.optimizers.SGD(0.01)),
    "mlp": Workload(lambda: mlp(784, 512, 256, 10), (784,), 128, adam),
    "lenet": Workload(lenet, (28, 28, 1), 64, adam),
    "resnet20": Workload(resnet20, (32, 32, 3), 64, lambda: keras.optimizers.SGD(0.1, 0.9)),
    "char_lstm": Workload(char_lstm, (64,), 32, adam, vocabulary=96),
    "gpt_mini": Workload(gpt, (128,), 16, lambda: keras.optimizers.AdamW(1e-3), vocabulary=96),
    "infer_mlp_b1": Workload(lambda: mlp(784, 512, 256, 10), (784,), 1),
    "infer_resnet20_b1": Workload(resnet20, (32, 32, 3), 1),
    "infer_resnet50_b1": Workload(resnet50, (224, 224, 3), 1),
    "infer_resnet50_b8": Workload(resnet50, (224, 224, 3), 8),
}


def prepare(name: str, mode: str) -> harness.Prepared:
    threads = int(os.environ.get("OMP_NUM_THREADS", "2"))
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    compiled = tf.function(jit_compile=True) if mode == "xla" else tf.function
    workload = WORKLOADS[name]
    model = workload.model()
    if workload.optimizer is None:
        infer = compiled(lambda x: model(x, training=False))
        return harness.Prepared(lambda x: infer(x).numpy(), workload.batch_of, workload.batch)
    optimizer = workload.optimizer()
    optimizer.build(model.trainable_variables)

    @compiled
    def train(x: Any, labels: Any) -> Any:
        with tf.GradientTape() as tape:
            scores = model(x, training=True)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, scores))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    return harness.Prepared(lambda x, labels: float(train(x, labels)), workload.batch_of, workload.batch)


if __name__ == "__main__":
    harness.main(prepare, import_seconds=IMPORT_SECONDS)
