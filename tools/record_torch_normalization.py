"""Record what PyTorch computes for normalisation, in float64, for the tests to compare with.

PyTorch is no dependency of the tests; they read `tests/data/torch_normalization.npz`, which this script makes:

    /tmp/torch/bin/python tools/record_torch_normalization.py

Keys are those of `record_torch.py`, which says how to install PyTorch.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from record_torch import FOUND, RNG, F, channels_last, images_first, leaf, record, torch, with_gradients

EPSILON = 1e-3


def activations() -> None:
    """Groups and channels of images, of sequences and of vectors; root mean squares."""
    for case, shape, groups in (
        ("group", (2, 3, 4, 6), 3),
        ("group_one", (2, 3, 4, 6), 1),
        ("group_vectors", (3, 6), 2),
    ):
        with_gradients(
            case,
            lambda x, gamma, beta, groups=groups: (
                channels_last(F.group_norm(images_first(x), groups, gamma, beta, EPSILON))
                if x.ndim == 4
                else F.group_norm(x, groups, gamma, beta, EPSILON)
            ),
            x=RNG.normal(1.0, 2.0, shape),
            gamma=RNG.uniform(0.5, 1.5, 6),
            beta=RNG.normal(size=6),
        )
    with_gradients(
        "instance",
        lambda x, gamma, beta: channels_last(F.instance_norm(images_first(x), None, None, gamma, beta, eps=EPSILON)),
        x=RNG.normal(1.0, 2.0, (2, 3, 4, 5)),
        gamma=RNG.uniform(0.5, 1.5, 5),
        beta=RNG.normal(size=5),
    )
    for case, sizes in (("rms", (4,)), ("rms_two_axes", (3, 4))):
        with_gradients(
            case,
            lambda x, gamma, sizes=sizes: F.rms_norm(x, sizes, gamma, EPSILON),
            x=RNG.normal(1.0, 2.0, (2, 3, 4)),
            gamma=RNG.uniform(0.5, 1.5, sizes),
        )


def kernels() -> None:
    """Kernels whose lengths are weights of their own, or whose greatest singular value is 1."""
    with_gradients(
        "weight_dense",
        lambda x, g, kernel, bias: F.linear(x, torch._weight_norm(kernel.T, g.T, 0), bias),
        x=RNG.normal(size=(5, 4)),
        g=RNG.uniform(0.5, 1.5, (1, 3)),
        kernel=RNG.normal(size=(4, 3)),
        bias=RNG.normal(size=3),
    )
    with_gradients(
        "weight_convolution",
        lambda x, g, kernel, bias: channels_last(
            F.conv2d(images_first(x), torch._weight_norm(kernel.permute(3, 2, 0, 1), g.permute(3, 2, 0, 1), 0), bias)
        ),
        x=RNG.normal(size=(2, 4, 5, 2)),
        g=RNG.uniform(0.5, 1.5, (1, 1, 1, 3)),
        kernel=RNG.normal(size=(3, 2, 2, 3)),
        bias=RNG.normal(size=3),
    )
    spectral("spectral_dense", torch.nn.Linear(4, 3), RNG.normal(size=(5, 4)), 1)
    spectral("spectral_convolution", torch.nn.Conv2d(2, 3, 3), RNG.normal(size=(2, 4, 5, 2)), 2)


def spectral(case: str, module: Any, x: np.ndarray, iterations: int) -> None:
    """One step of training of a layer that is divided by its greatest singular value."""
    module = torch.nn.utils.spectral_norm(module.double(), n_power_iterations=iterations)
    u = RNG.normal(size=3)
    module.weight_u.copy_(torch.tensor(u / np.linalg.norm(u)))
    inputs = leaf(x)
    y = module(images_first(inputs) if x.ndim == 4 else inputs)
    y = channels_last(y) if x.ndim == 4 else y
    cotangent = RNG.normal(size=tuple(y.shape))
    (y * torch.tensor(cotangent)).sum().backward()

    def units_last(kernel: Any) -> Any:
        return kernel.permute(2, 3, 1, 0) if kernel.ndim == 4 else kernel.T

    record(case, x=x, y=y, cotangent=cotangent, u=u, next_u=module.weight_u, bias=module.bias)
    record(case, kernel=units_last(module.weight_orig), grad_kernel=units_last(module.weight_orig.grad))
    record(case, grad_x=inputs.grad, grad_bias=module.bias.grad)


def main() -> None:
    """Compute everything and write it."""
    torch.manual_seed(1)
    activations()
    kernels()
    FOUND["torch_version"] = np.array(torch.__version__)
    path = Path(__file__).parents[1] / "tests" / "data" / "torch_normalization.npz"
    arrays: Any = FOUND
    np.savez_compressed(path, **arrays)
    print(f"{len(FOUND)} arrays, {path.stat().st_size} bytes in {path}")


if __name__ == "__main__":
    main()
