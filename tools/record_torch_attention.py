"""Record what PyTorch computes for three hundred configurations of attention, and for transformers, in float64.

PyTorch is no dependency of the tests; they read `tests/data/torch_attention.json`, which this script makes:

    python -m venv /tmp/torch && /tmp/torch/bin/pip install torch numpy
    /tmp/torch/bin/python tools/record_torch_attention.py

Inputs and weights are drawn by `np.random.default_rng(number of the configuration)`, in the order of `shapes`, so that
the file holds configurations and digests only: of an array, two sums of its elements with weights that differ.
"""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

torch: Any = import_module("torch")  # not installed where the types are checked
F: Any = torch.nn.functional

COUNT = 300
BLOCKS = 24


def digest(array: Any) -> list[float]:
    """Return two sums of the elements, to twelve digits."""
    array = array.detach().numpy()
    places = np.arange(array.size)
    return [float(f"{(array.ravel() * np.cos(factor * places)).sum():.12g}") for factor in (0.7, 1.9)]


def draw(number: int) -> dict[str, Any]:
    """Draw a configuration of attention."""
    rng = np.random.default_rng(20_000 + number)
    groups, share, size = int(rng.integers(1, 4)), int(rng.integers(1, 4)), int(rng.integers(1, 4)) * 2
    cross = bool(rng.random() < 0.5)
    queries = int(rng.integers(1, 6))
    return {
        "heads": groups * share,
        "key_heads": groups,
        "key_size": size,
        "output_size": int(rng.integers(1, 7)) if rng.random() < 0.5 else None,
        "depth": int(rng.integers(1, 7)),
        "key_depth": int(rng.integers(1, 7)) if cross else None,
        "batch": int(rng.integers(1, 4)),
        "queries": queries,
        "keys": int(rng.integers(1, 6)) if cross else queries,
        "causal": bool(rng.random() < 0.5),
        "mask": int(rng.choice([0, 2, 3, 4])),
        "use_bias": bool(rng.random() < 0.7),
        "rotary": bool(rng.random() < 0.3),
    }


def shapes(config: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of what is drawn: inputs, then weights in the layer's order."""
    wide, fewer = config["heads"] * config["key_size"], config["key_heads"] * config["key_size"]
    depth, key_depth = config["depth"], config["key_depth"]
    found: dict[str, tuple[int, ...]] = {"query": (config["batch"], config["queries"], depth)}
    kernels: dict[str, tuple[int, int]] = {}
    if key_depth is None:
        kernels[""] = (depth, wide + 2 * fewer)
    else:
        found["key"] = (config["batch"], config["keys"], key_depth)
        kernels |= {"query_": (depth, wide), "key_": (key_depth, fewer), "value_": (key_depth, fewer)}
    kernels["output_"] = (wide, config["output_size"] or depth)
    for prefix, shape in kernels.items():
        found[f"{prefix}kernel"] = shape
        if config["use_bias"]:
            found[f"{prefix}bias"] = shape[1:]
    return found


def mask_of(config: dict[str, Any], rng: np.random.Generator) -> np.ndarray | None:
    """Draw a mask with so many axes; every query may attend to the first key."""
    full = config["batch"], config["heads"], config["queries"], config["keys"]
    axes = {2: (0, 3), 3: (0, 2, 3), 4: (0, 1, 2, 3)}.get(config["mask"])
    if axes is None:
        return None
    mask = rng.random([full[axis] for axis in axes]) < 0.6
    mask[..., 0] = True
    return mask


def turned(x: Any) -> Any:
    """Turn halves by places, as complex numbers."""
    half = x.shape[-1] // 2
    angles = torch.outer(torch.arange(x.shape[-2]), 10000.0 ** (-torch.arange(half, dtype=torch.float64) / half))
    numbers = torch.complex(x[..., :half], x[..., half:]) * torch.polar(torch.ones_like(angles), angles)
    return torch.cat([numbers.real, numbers.imag], -1)


def attention(number: int) -> dict[str, Any]:
    """Run a configuration of attention."""
    config = draw(number)
    rng = np.random.default_rng(number)
    leaves = {name: torch.tensor(rng.normal(size=shape), requires_grad=True) for name, shape in shapes(config).items()}
    mask = mask_of(config, rng)
    size, heads, groups = config["key_size"], config["heads"], config["key_heads"]

    def product(x: Any, prefix: str) -> Any:
        y = x @ leaves[f"{prefix}kernel"]
        return y + leaves[f"{prefix}bias"] if config["use_bias"] else y

    if config["key_depth"] is None:
        parts = product(leaves["query"], "").split([heads * size, groups * size, groups * size], -1)
    else:
        parts = [product(leaves["query"], "query_"), *(product(leaves["key"], one) for one in ("key_", "value_"))]
    queries, keys, values = (one.unflatten(-1, (-1, size)).transpose(1, 2) for one in parts)
    if config["rotary"]:
        queries, keys = turned(queries), turned(keys)
    allowed = torch.ones(config["queries"], config["keys"], dtype=torch.bool)
    if config["causal"]:
        allowed = allowed.tril()
    if mask is not None:
        given = torch.tensor(mask)
        given = given[:, None, None] if mask.ndim == 2 else given[:, None] if mask.ndim == 3 else given
        allowed = allowed & given
    means = F.scaled_dot_product_attention(queries, keys, values, allowed, enable_gqa=True)
    y = product(means.transpose(1, 2).flatten(2), "output_")
    (y * torch.cos(0.3 * torch.arange(y.numel(), dtype=torch.float64)).reshape(y.shape)).sum().backward()
    gradients = {name: digest(leaf.grad) for name, leaf in leaves.items()}
    return {"config": config, "output": digest(y), "gradients": gradients}


def block(number: int) -> dict[str, Any]:
    """Run a block of an encoder or of a decoder."""
    rng = np.random.default_rng(30_000 + number)
    heads = int(rng.integers(1, 4))
    config: dict[str, Any] = {
        "heads": heads,
        "depth": heads * int(rng.integers(1, 4)),
        "feedforward_size": int(rng.integers(1, 9)),
        "activation": str(rng.choice(["relu", "gelu"])),
        "normalize_first": bool(rng.random() < 0.5),
        "decoder": bool(rng.random() < 0.5),
        "causal": bool(rng.random() < 0.5),
        "masked": bool(rng.random() < 0.5),
        "batch": int(rng.integers(1, 4)),
        "steps": int(rng.integers(1, 6)),
        "keys": int(rng.integers(1, 6)),
    }
    depth, wide = config["depth"], config["feedforward_size"]
    rng = np.random.default_rng(number)
    x = torch.tensor(rng.normal(size=(config["batch"], config["steps"], depth)), requires_grad=True)
    memory = torch.tensor(rng.normal(size=(config["batch"], config["keys"], depth)), requires_grad=True)
    mask, memory_mask = (rng.random((config["batch"], config[name])) < 0.6 for name in ("steps", "keys"))
    mask[:, 0] = memory_mask[:, 0] = True
    options = {
        "dim_feedforward": wide,
        "dropout": 0.0,
        "activation": config["activation"],
        "norm_first": config["normalize_first"],
        "batch_first": True,
        "dtype": torch.float64,
    }
    weights: dict[str, Any] = {}

    def fill(*names: str) -> None:
        """Draw weights in Dovetail's order and layout."""
        for name in names:
            parameter = dict(module.named_parameters())[name]
            value = torch.tensor(rng.normal(size=tuple(parameter.shape)[::-1]))
            weights[name] = value
            parameter.data = value.T if value.ndim == 2 else value

    def fill_memory_attention() -> None:
        """Draw queries', keys' and values' kernels and biases one by one."""
        kernels, biases = [], []
        for _ in range(3):
            kernels.append(rng.normal(size=(depth, depth)))
            biases.append(rng.normal(size=depth))
        inner = module.multihead_attn
        inner.in_proj_weight.data = torch.tensor(np.concatenate(kernels, 1)).T
        inner.in_proj_bias.data = torch.tensor(np.concatenate(biases))
        fill("multihead_attn.out_proj.weight", "multihead_attn.out_proj.bias")

    own = [f"self_attn.{name}" for name in ("in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias")]
    future = torch.ones(config["steps"], config["steps"], dtype=torch.bool).triu(1) if config["causal"] else None
    unseen = ~torch.tensor(mask) if config["masked"] else None
    if config["decoder"]:
        module = torch.nn.TransformerDecoderLayer(depth, heads, **options)
        order = [*own, "norm1.weight", "norm1.bias"]
        fill(*order)
        fill_memory_attention()
        fill("norm2.weight", "norm2.bias", "linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias")
        fill("norm3.weight", "norm3.bias")
        forgotten = ~torch.tensor(memory_mask) if config["masked"] else None
        y = module(x, memory, future, None, unseen, forgotten)
    else:
        module = torch.nn.TransformerEncoderLayer(depth, heads, **options)
        fill(*own, "norm1.weight", "norm1.bias", "linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias")
        fill("norm2.weight", "norm2.bias")
        y = module(x, future, unseen)
    (y * torch.cos(0.3 * torch.arange(y.numel(), dtype=torch.float64)).reshape(y.shape)).sum().backward()
    inputs = [x, memory] if config["decoder"] else [x]
    return {"config": config, "output": digest(y), "gradients": [digest(one.grad) for one in inputs]}


def main() -> None:
    """Record everything."""
    path = Path(__file__).parents[1] / "tests" / "data" / "torch_attention.json"
    found = {
        "attention": [attention(number) for number in range(COUNT)],
        "blocks": [block(number) for number in range(BLOCKS)],
    }
    parts = (
        f'"{name}": [\n' + ",\n".join(json.dumps(one, separators=(",", ":")) for one in cases) + "\n]"
        for name, cases in found.items()
    )
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n")
    print(f"{path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
