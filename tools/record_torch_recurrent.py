"""Record what PyTorch computes for three hundred configurations of recurrent layers, in float64.

PyTorch is no dependency of the tests; they read `tests/data/torch_recurrent.json`, which this script makes:

    python -m venv /tmp/torch && /tmp/torch/bin/pip install torch numpy
    /tmp/torch/bin/python tools/record_torch_recurrent.py

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

GATES = {"lstm": 4, "gru": 3, "tanh": 1, "relu": 1}
COUNT = 300


def draw(number: int) -> dict[str, Any]:
    """Draw a configuration."""
    rng = np.random.default_rng(10_000 + number)
    kind = str(rng.choice(list(GATES)))
    units = int(rng.integers(1, 7))
    projection = int(rng.integers(1, units)) if kind == "lstm" and units > 1 and rng.random() < 0.4 else None
    batch, time = int(rng.integers(1, 5)), int(rng.integers(1, 8))
    lengths = rng.integers(1, time + 1, batch).tolist() if rng.random() < 0.5 else None
    if lengths:
        lengths[int(rng.integers(batch))] = time
    return {
        "kind": kind,
        "batch": batch,
        "time": time,
        "inputs": int(rng.integers(1, 6)),
        "units": units,
        "projection": projection,
        "bidirectional": bool(rng.random() < 0.5),
        "lengths": lengths,
        "time_major": bool(rng.random() < 0.3),
    }


def shapes(config: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of what is drawn: inputs, then for each direction states and weights."""
    columns, units = GATES[config["kind"]] * config["units"], config["units"]
    found: dict[str, tuple[int, ...]] = {"x": (config["batch"], config["time"], config["inputs"])}
    for direction in ("forward", "backward")[: 1 + config["bidirectional"]]:
        found[f"{direction}/kernel"] = (config["inputs"], columns)
        found[f"{direction}/recurrent_kernel"] = (config["projection"] or units, columns)
        found[f"{direction}/bias"] = (columns,)
        if config["kind"] == "gru":
            found[f"{direction}/recurrent_bias"] = (columns,)
        if config["projection"]:
            found[f"{direction}/projection_kernel"] = (units, config["projection"])
    return found


def digest(array: np.ndarray) -> list[float]:
    """Return two sums of the elements, to twelve digits."""
    places = np.arange(array.size)
    return [float(f"{(array.ravel() * np.cos(factor * places)).sum():.12g}") for factor in (0.7, 1.9)]


def ordered(kind: str, columns: Any) -> Any:
    """Return the columns of gates in PyTorch's order."""
    if kind != "gru":
        return columns
    update, reset, candidate = columns.chunk(3, dim=-1)
    return torch.cat([reset, update, candidate], dim=-1)


def compute(number: int) -> dict[str, Any]:
    """Run a configuration."""
    config = draw(number)
    rng = np.random.default_rng(number)
    leaves = {name: torch.tensor(rng.normal(size=shape), requires_grad=True) for name, shape in shapes(config).items()}
    kind, options = config["kind"], {"batch_first": True, "bidirectional": config["bidirectional"]}
    if kind in ("tanh", "relu"):
        module = torch.nn.RNN(config["inputs"], config["units"], nonlinearity=kind, **options)
    elif kind == "gru":
        module = torch.nn.GRU(config["inputs"], config["units"], **options)
    else:
        module = torch.nn.LSTM(config["inputs"], config["units"], proj_size=config["projection"] or 0, **options)
    weights = {}
    for direction, ending in (("forward", ""), ("backward", "_reverse"))[: 1 + config["bidirectional"]]:
        part = {name.partition("/")[2]: leaf for name, leaf in leaves.items() if name.startswith(direction)}
        weights[f"weight_ih_l0{ending}"] = ordered(kind, part["kernel"]).T
        weights[f"weight_hh_l0{ending}"] = ordered(kind, part["recurrent_kernel"]).T
        weights[f"bias_ih_l0{ending}"] = ordered(kind, part["bias"])
        weights[f"bias_hh_l0{ending}"] = ordered(
            kind, part.get("recurrent_bias", torch.zeros(part["bias"].shape, dtype=torch.float64))
        )
        if "projection_kernel" in part:
            weights[f"weight_hr_l0{ending}"] = part["projection_kernel"].T
    x: Any = leaves["x"]
    if config["lengths"]:
        x = torch.nn.utils.rnn.pack_padded_sequence(x, config["lengths"], batch_first=True, enforce_sorted=False)
    y, last = torch.func.functional_call(module.double(), weights, (x,))
    if config["lengths"]:
        y, _ = torch.nn.utils.rnn.pad_packed_sequence(y, batch_first=True)
    states = last if isinstance(last, tuple) else (last,)
    outputs = [y, *(state[way] for way in range(1 + config["bidirectional"]) for state in states)]
    total = sum(
        (one * torch.cos(0.3 * torch.arange(one.numel(), dtype=torch.float64)).reshape(one.shape)).sum()
        for one in outputs
    )
    total.backward()
    return {
        "config": config,
        "outputs": [digest(one.detach().numpy()) for one in outputs],
        "gradients": {name: digest(leaf.grad.numpy()) for name, leaf in leaves.items()},
    }


def main() -> None:
    """Record everything."""
    path = Path(__file__).parents[1] / "tests" / "data" / "torch_recurrent.json"
    found = [json.dumps(compute(number)) for number in range(COUNT)]
    path.write_text("[\n" + ",\n".join(found) + "\n]\n")
    print(f"{path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
