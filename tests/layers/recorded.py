"""Values that another framework computed, kept in `tests/data`, and comparing layers and functions with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

import dovetail as dt

__all__ = ["CLOSE", "Recorded", "load"]

CLOSE: Final = {"rtol": 1e-9, "atol": 1e-11}
"""How near float64 must come."""


def load(session: dt.Session, layer: Any, values: Sequence[np.ndarray]) -> None:
    """Give the weights of a layer these values."""
    for weight, value in zip(layer.weights, values, strict=True):
        weight.load(value, session)


class Recorded:
    """A file of arrays under `case/name`."""

    def __init__(self, file: str) -> None:
        self.arrays = np.load(Path(__file__).parents[1] / "data" / f"{file}.npz")

    def __getitem__(self, key: str) -> np.ndarray:
        """One array."""
        found: np.ndarray = self.arrays[key]
        return found

    def case(self, name: str) -> dict[str, np.ndarray]:
        """The arrays of a case."""
        keys = [key for key in self.arrays.files if key.rpartition("/")[0] == name]
        return {key.removeprefix(f"{name}/"): self.arrays[key] for key in keys}

    def check(self, name: str, function: Callable[..., dt.Tensor], *inputs: str) -> None:
        """Compare value and gradients of a function of placeholders."""
        recorded = self.case(name)
        tensors = {key: dt.placeholder(dt.float64, recorded[key].shape, name=key) for key in inputs}
        y = function(*tensors.values())
        gradients = dt.gradients(y, list(tensors.values()), recorded["cotangent"])
        with dt.Session() as session:
            session.run(dt.global_variables_initializer())
            value, found = session.run([y, gradients], {tensor: recorded[key] for key, tensor in tensors.items()})
        np.testing.assert_allclose(value, recorded["y"], **CLOSE)
        for key, gradient in zip(tensors, found, strict=True):
            np.testing.assert_allclose(gradient, recorded[f"grad_{key}"], **CLOSE, err_msg=f"gradient of {key}")

    def check_layer(self, name: str, layer: Any, *weights: str, training: bool = False) -> None:
        """Compare a layer whose weights begin at the recorded values."""
        recorded = self.case(name)
        x = dt.placeholder(dt.float64, [None, *recorded["x"].shape[1:]], name="x")
        y = layer(x, training=training)
        assert [weight.op.name.rpartition("/")[2] for weight in layer.weights] == list(weights)
        changed = [key for key, weight in zip(weights, layer.weights, strict=True) if weight.trainable]
        gradients = dt.gradients(y, [x, *layer.trainable_weights], recorded["cotangent"])
        with dt.Session() as session:
            load(session, layer, [recorded[key] for key in weights])
            value, found = session.run([y, gradients], {x: recorded["x"]})
        np.testing.assert_allclose(value, recorded["y"], **CLOSE)
        for key, gradient in zip(["x", *changed], found, strict=True):
            np.testing.assert_allclose(gradient, recorded[f"grad_{key}"], **CLOSE, err_msg=f"gradient of {key}")
