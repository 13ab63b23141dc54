"""What each workload is: its network, its batch and its optimizer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np

import dovetail as dt
from benchmarks.workloads.char_lstm import char_lstm
from benchmarks.workloads.char_lstm import multiply_adds as char_lstm_multiply_adds
from benchmarks.workloads.gpt import gpt
from benchmarks.workloads.gpt import multiply_adds as gpt_multiply_adds
from benchmarks.workloads.lenet import lenet
from benchmarks.workloads.lenet import multiply_adds as lenet_multiply_adds
from benchmarks.workloads.mlp import mlp
from benchmarks.workloads.mlp import multiply_adds as mlp_multiply_adds
from benchmarks.workloads.resnet import multiply_adds_20, multiply_adds_50, resnet20, resnet50


@dataclass(frozen=True)
class Workload:
    """A network, what it is fed, and how it is trained.

    Attributes:
        network: takes the inputs and whether it trains, and returns scores of the classes.
        example: shape of one input.
        batch: how many of them a step takes.
        work: multiply-adds of one example forward, in all and in the first layer, where a gradient spares a third.
        optimizer: makes the optimizer; ``None`` where the network is not trained.
        classes: how many there are to tell apart.
        vocabulary: inputs are symbols below this number, each with a label; 0 where they are float32.
    """

    network: Callable[[dt.Tensor, bool], dt.Tensor]
    example: tuple[int, ...]
    batch: int
    work: tuple[int, int]
    optimizer: Callable[[], Any] | None = None
    classes: int = 10
    vocabulary: int = 0

    @property
    def trains(self) -> bool:
        """Whether a step trains."""
        return self.optimizer is not None

    @property
    def gflop(self) -> float:
        """The work of a step's products and convolutions, in 10**9 operations, two for a multiply-add."""
        whole, first = self.work
        return 2e-9 * self.batch * (3 * whole - first if self.trains else whole)

    def batch_of(self, size: int, seed: int = 0) -> tuple[np.ndarray, ...]:
        """Return the arrays of a batch: inputs, and labels where it trains."""
        rng = np.random.default_rng(seed)
        if self.vocabulary:
            inputs = rng.integers(0, self.vocabulary, (size, *self.example), dtype=np.int32)
        else:
            inputs = rng.standard_normal((size, *self.example), dtype=np.float32)
        if not self.trains:
            return (inputs,)
        labels = (size, *self.example) if self.vocabulary else (size,)
        return inputs, rng.integers(0, self.classes, labels, dtype=np.int32)


@dataclass(frozen=True)
class Program:
    """The graph of a workload: what to feed, and what to fetch."""

    feeds: tuple[dt.Tensor, ...]
    fetches: tuple[Any, ...]


def build(workload: Workload) -> Program:
    """Add a workload to the default graph; of any batch size, as a user would write it."""
    inputs = dt.placeholder(dt.int32 if workload.vocabulary else dt.float32, ["batch", *workload.example], "inputs")
    scores = workload.network(inputs, workload.trains)
    if workload.optimizer is None:
        return Program((inputs,), (scores,))
    labels = dt.placeholder(dt.int32, scores.shape[:-1], "labels")
    loss = dt.losses.sparse_softmax_cross_entropy(labels=labels, logits=scores)
    return Program((inputs, labels), (loss, workload.optimizer().minimize(loss)))


def stepper(session: dt.Session, program: Program) -> Callable[..., np.ndarray]:
    """Return the function that takes a batch, runs a step, and returns its loss or its output."""
    call = session.make_callable(list(program.fetches), list(program.feeds))
    return lambda *batch: call(*batch)[0]


def adam() -> Any:
    """Return Adam with its usual rate."""
    return dt.train.AdamOptimizer(1e-3)


MLP = Workload(lambda x, _: mlp(x, (512, 256), 10), (784,), 128, mlp_multiply_adds(784, (512, 256), 10), adam)
LENET = Workload(lenet, (28, 28, 1), 64, lenet_multiply_adds(28), adam)
RESNET20 = Workload(resnet20, (32, 32, 3), 64, multiply_adds_20(32), lambda: dt.train.MomentumOptimizer(0.1, 0.9))
RESNET50 = Workload(resnet50, (224, 224, 3), 1, multiply_adds_50(224), classes=1000)

WORKLOADS: Mapping[str, Workload] = MappingProxyType(
    {
        "mlp_small": Workload(
            lambda x, _: mlp(x, (32,), 10),
            (64,),
            32,
            mlp_multiply_adds(64, (32,), 10),
            lambda: dt.train.GradientDescentOptimizer(0.01),
        ),
        "mlp": MLP,
        "lenet": LENET,
        "resnet20": RESNET20,
        "char_lstm": Workload(
            lambda x, _: char_lstm(x, 96), (64,), 32, char_lstm_multiply_adds(64, 96), adam, classes=96, vocabulary=96
        ),
        "gpt_mini": Workload(
            lambda x, _: gpt(x, 96),
            (128,),
            16,
            gpt_multiply_adds(128, 96),
            lambda: dt.train.AdamWOptimizer(1e-3, weight_decay=0.01),
            classes=96,
            vocabulary=96,
        ),
        "infer_mlp_b1": replace(MLP, batch=1, optimizer=None),
        "infer_resnet20_b1": replace(RESNET20, batch=1, optimizer=None),
        "infer_resnet50_b1": RESNET50,
        "infer_resnet50_b8": replace(RESNET50, batch=8),
    }
)


def smaller(workload: Workload, batch: int = 2, side: int = 32, length: int = 8) -> Workload:
    """Return the workload with a small batch of images or texts that are small where they were large; for tests."""
    *most, last = workload.example
    if most:
        example = (*(min(size, side) for size in most), last)
    else:
        example = (min(last, length) if workload.vocabulary else last,)
    return replace(workload, batch=min(workload.batch, batch), example=example)
