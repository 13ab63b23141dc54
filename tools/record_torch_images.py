"""Record what PyTorch computes for random configurations of layers on images, for the tests to compare with.

PyTorch is no dependency of the tests; they read `tests/data/torch_images.npz`, which this script makes from the
configurations of `tests/layers/image_configurations.py`:

    python -m venv /tmp/torch && /tmp/torch/bin/pip install torch numpy
    /tmp/torch/bin/python tools/record_torch_images.py

`shapes` holds the shape of each output, `numbers` projections of each output, of the gradient of `sum(output *
cotangent)` with respect to the images, and of that with respect to each weight; `begins` says where those of a
configuration begin.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

torch: Any = import_module("torch")  # not installed where the types are checked
F: Any = torch.nn.functional


def function(name: str, rank: int) -> Any:
    """Return PyTorch's function for so many spatial axes."""
    return getattr(F, f"{name}{rank}d")


def same_padding(size: int, window: int, stride: int, dilation: int) -> tuple[int, int]:
    """What "same" adds before and after: the odd element goes to the end."""
    total = max((-(-size // stride) - 1) * stride + (window - 1) * dilation + 1 - size, 0)
    return total // 2, total - total // 2


def padded(x: Any, pairs: Sequence[tuple[int, int]], value: float = 0.0) -> Any:
    """Pad the spatial axes."""
    return F.pad(x, [one for pair in reversed(pairs) for one in pair], value=value)


def pairs_of(
    padding: Any, spatial: Sequence[int], window: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
) -> list[tuple[int, int]]:
    """Return how much is added before and after each axis."""
    if padding == "valid":
        return [(0, 0)] * len(window)
    if padding == "same":
        return [same_padding(*sizes) for sizes in zip(spatial, window, strides, dilations, strict=True)]
    return list(padding)


def filters_first(kernel: Any) -> Any:
    """Give a filter PyTorch's layout."""
    rank = kernel.ndim - 2
    return kernel.permute(rank + 1, rank, *range(rank))


def convolved(x: Any, kernel: Any, options: Any, groups: int = 1) -> Any:
    """A convolution of images, channels first, with a filter whose channels are last."""
    window, strides = kernel.shape[:-2], options["strides"]
    dilations = options.get("dilation_rate") or options["dilations"]
    pairs = pairs_of(options["padding"], x.shape[2:], window, strides, dilations)
    conv = function("conv", len(window))
    return conv(padded(x, pairs), filters_first(kernel), None, strides, 0, dilations, groups)


def transposed(x: Any, kernel: Any, options: Any) -> Any:
    """A transposed convolution, as the gradient of the convolution from the output to the input."""
    window, strides, dilations = kernel.shape[:-2], options["strides"], options["dilation_rate"]
    extra = options.get("output_padding")
    sizes = []
    for axis, size in enumerate(x.shape[2:]):
        extent = (window[axis] - 1) * dilations[axis] + 1
        if extra is not None:
            sizes.append((size - 1) * strides[axis] + extent + extra[axis])
        else:
            more = 0 if options["padding"] == "same" else max(extent - strides[axis], 0)
            sizes.append(size * strides[axis] + more)
    output = torch.zeros((x.shape[0], kernel.shape[-2], *sizes), dtype=x.dtype, requires_grad=True)
    value = convolved(output, kernel, options)
    return torch.autograd.grad(value, output, x, create_graph=True)[0]


def depthwise(x: Any, kernel: Any, options: Any) -> Any:
    """A convolution of each channel."""
    *window, channels, multiplier = kernel.shape
    return convolved(x, kernel.reshape(*window, 1, channels * multiplier), options, channels)


def pooled(x: Any, options: Any, mean: bool) -> Any:
    """Pooling that does not see padding."""
    rank = x.ndim - 2
    window, strides = options.get("pool_size") or options["ksize"], options["strides"]
    pairs = pairs_of(options["padding"], x.shape[2:], window, strides, (1,) * rank)
    if not mean:
        return function("max_pool", rank)(padded(x, pairs, -np.inf), window, strides)
    pool, ones = function("avg_pool", rank), torch.ones_like(x)
    return pool(padded(x, pairs), window, strides) / pool(padded(ones, pairs), window, strides)


def layer(one: Any, x: Any, weights: Sequence[Any]) -> Any:
    """Compute a configuration, channels first."""
    kind, options = one.kind, one.options
    if kind in ("max_pool", "avg_pool"):
        return pooled(x, options, kind == "avg_pool")
    if kind == "convolution":
        return convolved(x, weights[0], options)
    if kind.startswith("Adaptive"):
        name = "adaptive_max_pool" if "Max" in kind else "adaptive_avg_pool"
        return function(name, one.rank)(x, options["output_size"])
    if "Pooling" in kind:
        return pooled(x, options, kind.startswith("Average"))
    if kind == "UpSampling2D":
        mode = options["interpolation"]
        size = [have * factor for have, factor in zip(x.shape[2:], options["size"], strict=True)]
        return F.interpolate(x, size, mode=mode, **({"align_corners": False} if mode == "bilinear" else {}))
    if kind.endswith("Transpose"):
        result = transposed(x, weights[0], options)
    elif kind.startswith("Depthwise"):
        result = depthwise(x, weights[0], options)
    elif kind.startswith("Separable"):
        mixed = depthwise(x, weights[0], options)
        result = function("conv", one.rank)(mixed, filters_first(weights[1]))
    else:
        result = convolved(x, weights[0], options, options["groups"])
    return result + weights[-1].reshape(-1, *(1,) * one.rank)


def main() -> None:
    """Compute every configuration and write what is kept of it."""
    from tests.layers.image_configurations import COUNT, arrays_of, configuration, projected

    numbers: list[np.ndarray] = []
    shapes: list[list[int]] = []
    begins: list[int] = []
    for number in range(COUNT):
        one = configuration(number)
        leaves = [torch.tensor(array, requires_grad=True) for array in arrays_of(number, one)]
        last = one.options.get("data_format") != "channels_first"
        axes = range(2, one.rank + 2)
        x = leaves[0].permute(0, one.rank + 1, *range(1, one.rank + 1)) if last else leaves[0]
        y = layer(one, x, leaves[1:])
        y = y.permute(0, *axes, 1) if last else y
        cotangent = np.random.default_rng([number, 2]).normal(size=tuple(y.shape))
        (y * torch.tensor(cotangent)).sum().backward()
        begins.append(sum(map(len, numbers)))
        shapes.append(list(y.shape))
        numbers += [projected(y.detach().numpy()), *(projected(leaf.grad.numpy()) for leaf in leaves)]
    path = ROOT / "tests" / "data" / "torch_images.npz"
    np.savez_compressed(
        path,
        numbers=np.concatenate(numbers),
        begins=np.array(begins),
        shapes=np.array(json.dumps(shapes)),
        torch_version=np.array(torch.__version__),
    )
    print(f"{COUNT} configurations, {path.stat().st_size} bytes in {path}")


if __name__ == "__main__":
    main()
