"""The workloads in JAX, each step under ``jit`` with its state donated, images NHWC."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

_BEGIN = time.perf_counter()
import jax  # noqa: E402 -- importing it is measured
import jax.numpy as jnp  # noqa: E402

IMPORT_SECONDS = time.perf_counter() - _BEGIN

import numpy as np  # noqa: E402
from jax import lax  # noqa: E402

from benchmarks import harness  # noqa: E402

RNG = np.random.default_rng(0)


def weight(*shape: int) -> jax.Array:
    scale = np.sqrt(2 / np.prod(shape[:-1]))
    return jnp.asarray(RNG.standard_normal(shape) * scale, jnp.float32)


def dense(inputs: int, outputs: int) -> tuple[jax.Array, jax.Array]:
    return weight(inputs, outputs), jnp.zeros(outputs)


def norm(channels: int) -> tuple[jax.Array, jax.Array]:
    return jnp.ones(channels), jnp.zeros(channels)


def conv(x: jax.Array, filters: jax.Array, stride: int = 1) -> jax.Array:
    padding = [((filters.shape[0] - 1) // 2,) * 2] * 2
    layout = ("NHWC", "HWIO", "NHWC")
    return lax.conv_general_dilated(x, filters, (stride, stride), padding, dimension_numbers=layout)


def max_pool(x: jax.Array, size: int, padding: Any = "VALID") -> jax.Array:
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, size, size, 1), (1, 2, 2, 1), padding)


def batch_norm(x: jax.Array, gamma: jax.Array, beta: jax.Array, training: bool) -> jax.Array:
    if not training:
        return x * gamma + beta
    mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
    return (x - mean) * lax.rsqrt(variance + 1e-5) * gamma + beta


def layer_norm(x: jax.Array, gamma: jax.Array, beta: jax.Array) -> jax.Array:
    mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) * lax.rsqrt(variance + 1e-5) * gamma + beta


def mlp_weights(*sizes: int) -> Any:
    return [dense(inputs, outputs) for inputs, outputs in pairwise(sizes)]


def mlp(weights: Any, x: jax.Array, key: Any, training: bool) -> jax.Array:
    for kernel, bias in weights[:-1]:
        x = jax.nn.relu(x @ kernel + bias)
    return x @ weights[-1][0] + weights[-1][1]


def lenet_weights() -> Any:
    return [
        (weight(5, 5, 1, 32), jnp.zeros(32)),
        (weight(5, 5, 32, 64), jnp.zeros(64)),
        dense(3136, 256),
        dense(256, 10),
    ]


def lenet(weights: Any, x: jax.Array, key: Any, training: bool) -> jax.Array:
    for filters, bias in weights[:2]:
        x = max_pool(jax.nn.relu(conv(x, filters) + bias), 2)
    x = jax.nn.relu(x.reshape(x.shape[0], -1) @ weights[2][0] + weights[2][1])
    if training:
        x = jnp.where(jax.random.bernoulli(key, 0.5, x.shape), x * 2, 0)
    return x @ weights[3][0] + weights[3][1]


BLOCKS_20 = [
    (inputs if block == 0 else outputs, outputs, stride if block == 0 else 1)
    for inputs, outputs, stride in ((16, 16, 1), (16, 32, 2), (32, 64, 2))
    for block in range(3)
]
BLOCKS_50 = [
    (inputs if block == 0 else 4 * middle, middle, stride if block == 0 else 1)
    for inputs, middle, count, stride in ((64, 64, 3, 1), (256, 128, 4, 2), (512, 256, 6, 2), (1024, 512, 3, 2))
    for block in range(count)
]


def convolutions(*shapes: tuple[int, int, int]) -> list[Any]:
    return [(weight(size, size, inputs, outputs), norm(outputs)) for size, inputs, outputs in shapes]


def resnet20_weights() -> Any:
    blocks = []
    for inputs, outputs, _ in BLOCKS_20:
        short = [] if inputs == outputs else [(1, inputs, outputs)]
        blocks.append(convolutions((3, inputs, outputs), (3, outputs, outputs), *short))
    return {"stem": convolutions((3, 3, 16))[0], "blocks": blocks, "dense": dense(64, 10)}


def resnet50_weights() -> Any:
    blocks = []
    for inputs, middle, _ in BLOCKS_50:
        short = [] if inputs == 4 * middle else [(1, inputs, 4 * middle)]
        shapes = (1, inputs, middle), (3, middle, middle), (1, middle, 4 * middle)
        blocks.append(convolutions(*shapes, *short))
    return {"stem": convolutions((7, 3, 64))[0], "blocks": blocks, "dense": dense(2048, 1000)}


def resnet(weights: Any, x: jax.Array, training: bool, strides: list[tuple[int, ...]]) -> jax.Array:
    """Run the blocks; ``strides`` holds those of a block's convolutions, its shortcut's at the end."""

    def convolved(x: jax.Array, one: Any, stride: int) -> jax.Array:
        return batch_norm(conv(x, one[0], stride), *one[1], training)

    for block, (*inner, outer) in zip(weights["blocks"], strides, strict=True):
        y = x
        for one, stride in zip(block, inner[:-1], strict=False):
            y = jax.nn.relu(convolved(y, one, stride))
        y = convolved(y, block[len(inner) - 1], inner[-1])
        x = jax.nn.relu(y + (convolved(x, block[-1], outer) if len(block) > len(inner) else x))
    return x.mean((1, 2)) @ weights["dense"][0] + weights["dense"][1]


def resnet20(weights: Any, x: jax.Array, key: Any, training: bool) -> jax.Array:
    x = jax.nn.relu(batch_norm(conv(x, weights["stem"][0]), *weights["stem"][1], training))
    return resnet(weights, x, training, [(stride, 1, stride) for _, _, stride in BLOCKS_20])


def resnet50(weights: Any, x: jax.Array, key: Any, training: bool) -> jax.Array:
    x = jax.nn.relu(batch_norm(conv(x, weights["stem"][0], 2), *weights["stem"][1], training))
    x = max_pool(x, 3, [(0, 0), (1, 1), (1, 1), (0, 0)])
    return resnet(weights, x, training, [(1, stride, 1, stride) for _, _, stride in BLOCKS_50])


def char_lstm_weights() -> Any:
    return {"embedding": weight(96, 64), "lstm": dense(64 + 256, 4 * 256), "dense": dense(256, 96)}


def char_lstm(weights: Any, x: jax.Array, key: Any, training: bool) -> jax.Array:
    kernel, bias = weights["lstm"]
    inputs = (weights["embedding"][x] @ kernel[:64] + bias).swapaxes(0, 1)

    def cell(carry: Any, x: jax.Array) -> Any:
        hidden, memory = carry
        enter, forget, new, leave = jnp.split(x + hidden @ kernel[64:], 4, -1)
        memory = jax.nn.sigmoid(forget) * memory + jax.nn.sigmoid(enter) * jnp.tanh(new)
        hidden = jax.nn.sigmoid(leave) * jnp.tanh(memory)
        return (hidden, memory), hidden

    zeros = jnp.zeros((x.shape[0], 256))
    _, hidden = lax.scan(cell, (zeros, zeros), inputs)
    return (hidden.swapaxes(0, 1) @ weights["dense"][0] + weights["dense"][1]).reshape(-1, 96)


def gpt_weights(width: int = 128) -> Any:
    def block() -> Any:
        return {
            "norms": (norm(width), norm(width)),
            "attention": (dense(width, 3 * width), dense(width, width)),
            "dense": (dense(width, 4 * width), dense(4 * width, width)),
        }

    return {
        "embedding": weight(96, width),
        "positions": jnp.zeros((128, width)),
        "blocks": [block(), block()],
        "norm": norm(width),
        "dense": dense(width, 96),
    }


def gpt(weights: Any, x: jax.Array, key: Any, training: bool) -> jax.Array:
    x = weights["embedding"][x] + weights["positions"]
    batch, length, width = x.shape
    mask = jnp.tril(jnp.ones((length, length), bool))
    for block in weights["blocks"]:
        (qkv, qkv_bias), (out, out_bias) = block["attention"]
        (up, up_bias), (down, down_bias) = block["dense"]
        y = layer_norm(x, *block["norms"][0]) @ qkv + qkv_bias
        query, key, value = y.reshape(batch, length, 3, 4, width // 4).transpose(2, 0, 3, 1, 4)
        scores = jnp.where(mask, query @ key.swapaxes(-1, -2) / (width // 4) ** 0.5, -1e30)
        mixed = (jax.nn.softmax(scores) @ value).transpose(0, 2, 1, 3).reshape(batch, length, width)
        x = x + mixed @ out + out_bias
        x = x + jax.nn.gelu(layer_norm(x, *block["norms"][1]) @ up + up_bias) @ down + down_bias
    return (layer_norm(x, *weights["norm"]) @ weights["dense"][0] + weights["dense"][1]).reshape(-1, 96)


def zeros_like(weights: Any) -> Any:
    return jax.tree.map(jnp.zeros_like, weights)


@dataclass(frozen=True)
class Optimizer:
    init: Callable[[Any], Any]
    update: Callable[[Any, Any, Any, Any], Any]  # gradients, state, weights, step -> weights, state


def sgd(rate: float, momentum: float = 0.0) -> Optimizer:
    def update(gradients: Any, speeds: Any, weights: Any, step: Any) -> Any:
        if momentum:
            speeds = gradients = jax.tree.map(lambda s, g: momentum * s + g, speeds, gradients)
        return jax.tree.map(lambda w, g: w - rate * g, weights, gradients), speeds

    return Optimizer(zeros_like if momentum else lambda weights: None, update)


def adam(rate: float, decay: float = 0.0) -> Optimizer:
    def update(gradients: Any, moments: Any, weights: Any, step: Any) -> Any:
        means = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, moments[0], gradients)
        squares = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, moments[1], gradients)
        now = rate * jnp.sqrt(1 - 0.999**step) / (1 - 0.9**step)

        def new(w: Any, m: Any, v: Any) -> Any:
            return w * (1 - rate * decay) - now * m / (jnp.sqrt(v) + 1e-8)

        return jax.tree.map(new, weights, means, squares), (means, squares)

    return Optimizer(lambda weights: (zeros_like(weights), zeros_like(weights)), update)


@dataclass(frozen=True)
class Workload:
    weights: Callable[[], Any]
    network: Callable[[Any, jax.Array, Any, bool], jax.Array]
    example: tuple[int, ...]
    batch: int
    optimizer: Optimizer | None = None
    vocabulary: int = 0

    def batch_of(self, size: int) -> tuple[np.ndarray, ...]:
        if self.vocabulary:
            inputs = RNG.integers(0, self.vocabulary, (size, *self.example), dtype=np.int32)
            return inputs, RNG.integers(0, self.vocabulary, inputs.size, dtype=np.int32)
        inputs = RNG.standard_normal((size, *self.example), dtype=np.float32)
        return (inputs, RNG.integers(0, 10, size, dtype=np.int32)) if self.optimizer else (inputs,)


WORKLOADS = {
    "mlp_small": Workload(lambda: mlp_weights(64, 32, 10), mlp, (64,), 32, sgd(0.01)),
    "mlp": Workload(lambda: mlp_weights(784, 512, 256, 10), mlp, (784,), 128, adam(1e-3)),
    "lenet": Workload(lenet_weights, lenet, (28, 28, 1), 64, adam(1e-3)),
    "resnet20": Workload(resnet20_weights, resnet20, (32, 32, 3), 64, sgd(0.1, 0.9)),
    "char_lstm": Workload(char_lstm_weights, char_lstm, (64,), 32, adam(1e-3), vocabulary=96),
    "gpt_mini": Workload(gpt_weights, gpt, (128,), 16, adam(1e-3, 0.01), vocabulary=96),
    "infer_mlp_b1": Workload(lambda: mlp_weights(784, 512, 256, 10), mlp, (784,), 1),
    "infer_resnet20_b1": Workload(resnet20_weights, resnet20, (32, 32, 3), 1),
    "infer_resnet50_b1": Workload(resnet50_weights, resnet50, (224, 224, 3), 1),
    "infer_resnet50_b8": Workload(resnet50_weights, resnet50, (224, 224, 3), 8),
}


def prepare(name: str, mode: str) -> harness.Prepared:
    workload = WORKLOADS[name]
    weights = workload.weights()
    if workload.optimizer is None:
        infer = jax.jit(lambda weights, x: workload.network(weights, x, None, False))
        return harness.Prepared(lambda x: np.asarray(infer(weights, x)), workload.batch_of, workload.batch)
    optimizer = workload.optimizer

    def loss_of(weights: Any, x: jax.Array, labels: jax.Array, key: Any) -> jax.Array:
        scores = workload.network(weights, x, key, True)
        right = jnp.take_along_axis(scores, labels[:, None], 1)[:, 0]
        return (jax.nn.logsumexp(scores, -1) - right).mean()

    def train(weights: Any, state: Any, step: Any, key: Any, x: jax.Array, labels: jax.Array) -> Any:
        key, once = jax.random.split(key)
        loss, gradients = jax.value_and_grad(loss_of)(weights, x, labels, once)
        weights, state = optimizer.update(gradients, state, weights, step)
        return weights, state, step + 1, key, loss

    compiled = jax.jit(train, donate_argnums=(0, 1, 2, 3))
    kept = [weights, optimizer.init(weights), jnp.float32(1), jax.random.key(0)]

    def step(x: np.ndarray, labels: np.ndarray) -> float:
        *kept[:], loss = compiled(*kept, x, labels)
        return float(loss)

    return harness.Prepared(step, workload.batch_of, workload.batch)


if __name__ == "__main__":
    harness.main(prepare, import_seconds=IMPORT_SECONDS)
