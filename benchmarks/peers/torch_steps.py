"""The workloads in PyTorch.

python -m benchmarks.peers.torch_steps WORKLOAD --mode eager|channels_last|compile
python -m benchmarks.peers.torch_steps --export FILE WORKLOAD      # an ONNX file, for ONNX Runtime
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

_BEGIN = time.perf_counter()
import torch  # noqa: E402 -- importing it is measured
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402, N812 -- as PyTorch's manual has it

IMPORT_SECONDS = time.perf_counter() - _BEGIN

from benchmarks import harness  # noqa: E402


def mlp(*sizes: int) -> nn.Module:
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class LeNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 32, 5, padding=2), nn.Conv2d(32, 64, 5, padding=2)
        self.dense1, self.dense2, self.drop = nn.Linear(7 * 7 * 64, 256), nn.Linear(256, 10), nn.Dropout(0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.dense2(self.drop(F.relu(self.dense1(x.flatten(1)))))


def shortcut(inputs: int, outputs: int, stride: int) -> nn.Module:
    if stride == 1 and inputs == outputs:
        return nn.Identity()
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))


class Basic(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs)
        self.conv2, self.norm2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs)
        self.short = shortcut(inputs, outputs, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(y)) + self.short(x))


class Bottleneck(nn.Module):
    def __init__(self, inputs: int, middle: int, stride: int) -> None:
        super().__init__()
        outputs = 4 * middle
        self.conv1, self.norm1 = nn.Conv2d(inputs, middle, 1, bias=False), nn.BatchNorm2d(middle)
        self.conv2, self.norm2 = nn.Conv2d(middle, middle, 3, stride, 1, bias=False), nn.BatchNorm2d(middle)
        self.conv3, self.norm3 = nn.Conv2d(middle, outputs, 1, bias=False), nn.BatchNorm2d(outputs)
        self.short = shortcut(inputs, outputs, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.relu(self.norm1(self.conv1(x)))
        y = F.relu(self.norm2(self.conv2(y)))
        return F.relu(self.norm3(self.conv3(y)) + self.short(x))


class ResNet(nn.Module):
    def __init__(self, stem: nn.Module, channels: int, blocks: nn.Module, outputs: int, classes: int) -> None:
        super().__init__()
        self.stem, self.norm, self.blocks = stem, nn.BatchNorm2d(channels), blocks
        self.pool = nn.MaxPool2d(3, 2, 1) if classes == 1000 else nn.Identity()
        self.dense = nn.Linear(outputs, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.blocks(self.pool(F.relu(self.norm(self.stem(x)))))
        return self.dense(x.mean((2, 3)))


def resnet20() -> nn.Module:
    blocks, channels = [], 16
    for outputs, first_stride in ((16, 1), (32, 2), (64, 2)):
        for stride in (first_stride, 1, 1):
            blocks.append(Basic(channels, outputs, stride))
            channels = outputs
    return ResNet(nn.Conv2d(3, 16, 3, 1, 1, bias=False), 16, nn.Sequential(*blocks), 64, 10)


def resnet50() -> nn.Module:
    blocks, channels = [], 64
    for middle, count, first_stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for block in range(count):
            blocks.append(Bottleneck(channels, middle, first_stride if block == 0 else 1))
            channels = 4 * middle
    return ResNet(nn.Conv2d(3, 64, 7, 2, 3, bias=False), 64, nn.Sequential(*blocks), 2048, 1000)


class CharLSTM(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.lstm = nn.Embedding(96, 64), nn.LSTM(64, 256, batch_first=True)
        self.dense = nn.Linear(256, 96)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.dense(self.lstm(self.embedding(x))[0]).flatten(0, 1)


class Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads, self.norm1, self.norm2 = heads, nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, length, width = x.shape
        qkv = self.qkv(self.norm1(x)).view(batch, length, 3, self.heads, width // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).reshape(batch, length, width))
        return x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))


class GPT(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.positions = nn.Embedding(96, 128), nn.Parameter(torch.zeros(128, 128))
        self.blocks = nn.Sequential(Block(128, 4), Block(128, 4))
        self.norm, self.dense = nn.LayerNorm(128), nn.Linear(128, 96)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.blocks(self.embedding(x) + self.positions)
        return self.dense(self.norm(x)).flatten(0, 1)


@dataclass(frozen=True)
class Workload:
    model: Callable[[], nn.Module]
    example: tuple[int, ...]
    batch: int
    optimizer: Callable[[Any], torch.optim.Optimizer] | None = None
    vocabulary: int = 0

    def batch_of(self, size: int) -> tuple[torch.Tensor, ...]:
        if self.vocabulary:
            inputs = torch.randint(0, self.vocabulary, (size, *self.example))
            return inputs, torch.randint(0, self.vocabulary, (inputs.numel(),))
        inputs = torch.randn(size, *self.example)
        return (inputs, torch.randint(0, 10, (size,))) if self.optimizer else (inputs,)


def adam(parameters: Any) -> torch.optim.Optimizer:
    return torch.optim.Adam(parameters, 1e-3)


WORKLOADS = {
    "mlp_small": Workload(lambda: mlp(64, 32, 10), (64,), 32, lambda p: torch.optim.SGD(p, 0.01)),
    "mlp": Workload(lambda: mlp(784, 512, 256, 10), (784,), 128, adam),
    "lenet": Workload(LeNet, (1, 28, 28), 64, adam),
    "resnet20": Workload(resnet20, (3, 32, 32), 64, lambda p: torch.optim.SGD(p, 0.1, momentum=0.9)),
    "char_lstm": Workload(CharLSTM, (64,), 32, adam, vocabulary=96),
    "gpt_mini": Workload(GPT, (128,), 16, lambda p: torch.optim.AdamW(p, 1e-3), vocabulary=96),
    "infer_mlp_b1": Workload(lambda: mlp(784, 512, 256, 10), (784,), 1),
    "infer_resnet20_b1": Workload(resnet20, (3, 32, 32), 1),
    "infer_resnet50_b1": Workload(resnet50, (3, 224, 224), 1),
    "infer_resnet50_b8": Workload(resnet50, (3, 224, 224), 8),
}


def prepare(name: str, mode: str) -> harness.Prepared:
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
    torch.manual_seed(0)
    workload = WORKLOADS[name]
    model = workload.model().train(workload.optimizer is not None)
    images = len(workload.example) == 3
    layout = torch.channels_last if mode == "channels_last" and images else torch.contiguous_format
    model = model.to(memory_format=layout)
    network = torch.compile(model) if mode == "compile" else model

    def batch(size: int) -> tuple[torch.Tensor, ...]:
        inputs, *labels = workload.batch_of(size)
        return inputs.to(memory_format=layout), *labels

    if workload.optimizer is None:

        def infer(inputs: torch.Tensor) -> torch.Tensor:
            with torch.inference_mode():
                return network(inputs)

        return harness.Prepared(infer, batch, workload.batch)
    optimizer = workload.optimizer(model.parameters())

    def train(inputs: torch.Tensor, labels: torch.Tensor) -> float:
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(network(inputs), labels)
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    return harness.Prepared(train, batch, workload.batch)


def export(path: str, name: str) -> None:
    """Write the network of a workload for inference as an ONNX file."""
    workload = WORKLOADS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            workload.model().eval(), workload.batch_of(workload.batch)[:1], path, opset_version=17, dynamo=False
        )


if __name__ == "__main__":
    if "--export" in sys.argv:
        export(*sys.argv[2:])
    else:
        harness.main(prepare, import_seconds=IMPORT_SECONDS)
