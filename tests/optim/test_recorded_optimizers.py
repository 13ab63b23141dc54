"""Optimizers beside what TensorFlow, Keras, PyTorch and optax computed (tools/record_optimizers.py)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt

DATA = Path(__file__).parents[1] / "data"
TENSORFLOW, TORCH, OPTAX = (np.load(DATA / f"optimizers_{name}.npz") for name in ("tensorflow", "torch", "optax"))
GIVEN = {key.partition("/")[2]: TORCH[key] for key in TORCH.files if key.startswith("problem/")}
Maker = Callable[[], Any]


def matrices(variable: dt.Variable) -> bool:
    return len(variable.shape) > 1


def check(recorded: Any, case: str, optimizer: Any, rtol: float = 1e-10, atol: float = 0.0) -> None:
    """Run the five steps that were recorded."""
    names = [name for name in ("weight", "bias") if f"{case}/{name}" in recorded.files]
    variables = [dt.Variable(GIVEN[name], name=name) for name in names]
    gradients = [dt.placeholder(dt.float64, one.shape) for one in variables]
    step = optimizer.apply_gradients(list(zip(gradients, variables, strict=True)), dt.train.get_global_step())
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        for index in range(5):
            session.run(
                step,
                {one: GIVEN[f"{name}_gradients"][index] for one, name in zip(gradients, names, strict=True)},
            )
            for name, variable in zip(names, variables, strict=True):
                np.testing.assert_allclose(
                    session.run(variable),
                    recorded[f"{case}/{name}"][index],
                    rtol=rtol,
                    atol=atol,
                    err_msg=f"{name} after step {index + 1}",
                )


TENSORFLOW_1: dict[str, Maker] = {
    "gradient_descent": lambda: dt.train.GradientDescentOptimizer(0.125),
    "momentum": lambda: dt.train.MomentumOptimizer(0.125, 0.875),
    "nesterov": lambda: dt.train.MomentumOptimizer(0.125, 0.875, use_nesterov=True),
    "rmsprop": lambda: dt.train.RMSPropOptimizer(0.125, 0.75, epsilon=0.375),
    "rmsprop_centered": lambda: dt.train.RMSPropOptimizer(0.125, 0.75, 0.625, 0.375, centered=True),
    "adam": lambda: dt.train.AdamOptimizer(0.125, 0.75, 0.9375, 0.25),
    "adagrad": lambda: dt.train.AdagradOptimizer(0.125, 0.25),
    "adagrad_da": lambda: dt.train.AdagradDAOptimizer(0.125, dt.train.get_or_create_global_step(), 0.25),
    "adagrad_da_regularized": lambda: dt.train.AdagradDAOptimizer(
        0.125, dt.train.get_or_create_global_step(), 0.25, 0.375, 0.5
    ),
    "adadelta": lambda: dt.train.AdadeltaOptimizer(0.5, 0.75, 0.125),
    "ftrl": lambda: dt.train.FtrlOptimizer(0.125, initial_accumulator_value=0.25),
    "ftrl_regularized": lambda: dt.train.FtrlOptimizer(
        0.125, -0.375, 0.25, 0.375, 0.5, l2_shrinkage_regularization_strength=0.125
    ),
    "proximal_gradient_descent": lambda: dt.train.ProximalGradientDescentOptimizer(0.125, 0.375, 0.5),
    "proximal_gradient_descent_l2": lambda: dt.train.ProximalGradientDescentOptimizer(0.125, 0.0, 0.5),
    "proximal_adagrad": lambda: dt.train.ProximalAdagradOptimizer(0.125, 0.25, 0.375, 0.5),
}


@pytest.mark.parametrize("case", TENSORFLOW_1)
def test_tensorflow_1(case: str) -> None:
    check(TENSORFLOW, case, TENSORFLOW_1[case]())


@pytest.mark.parametrize("case", TENSORFLOW_1)
def test_tensorflow_1_of_some_rows(case: str) -> None:
    """Rows given twice add up before the step; what TensorFlow leaves alone stays to the bit."""
    optimizer = TENSORFLOW_1[case]()
    table = dt.Variable(GIVEN["table"], name="table")
    values, indices = dt.placeholder(dt.float64, [3, 2]), dt.placeholder(dt.int64, [3])
    slices = dt.IndexedSlices(values, indices, table.shape)
    step = optimizer.apply_gradients([(slices, table)], dt.train.get_global_step())
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        for index in range(5):
            session.run(step, {values: GIVEN["row_gradients"][index], indices: GIVEN["rows"][index]})
            found, expected = session.run(table), TENSORFLOW[f"{case}/table"][index]
            np.testing.assert_allclose(found, expected, rtol=1e-10)
            still = (expected == GIVEN["table"]).all(axis=1)
            np.testing.assert_array_equal(found[still], expected[still])


@pytest.mark.parametrize(
    ("case", "make"),
    [
        ("adam_amsgrad", lambda: dt.train.AdamOptimizer(0.0625, 0.75, 0.9375, 0.0, amsgrad=True)),
        ("adamax", lambda: dt.train.AdamaxOptimizer(0.0625, 0.75, 0.9375, 0.125)),
        ("nadam", lambda: dt.train.NadamOptimizer(0.0625, 0.75, 0.9375, 0.125, momentum_decay=1.0)),
        ("lion", lambda: dt.train.LionOptimizer(0.0625, 0.75, 0.9375, weight_decay=0.25)),
        ("lamb", lambda: dt.train.LAMBOptimizer(0.0625, 0.75, 0.9375, 0.125)),
    ],
)
def test_keras(case: str, make: Maker) -> None:
    check(TENSORFLOW, case, make(), rtol=1e-6)  # Keras keeps powers and products in float32


@pytest.mark.parametrize(
    ("case", "make"),
    [
        ("adam_amsgrad", lambda: dt.train.AdamOptimizer(0.05, 0.8, 0.95, 0.0, amsgrad=True)),
        ("adamw_amsgrad", lambda: dt.train.AdamWOptimizer(0.05, 0.8, 0.95, 0.1, weight_decay=0.3, amsgrad=True)),
        ("sgdw", lambda: dt.train.MomentumOptimizer(0.05, 0.9, weight_decay=0.3)),
        ("adagrad", lambda: dt.train.AdagradOptimizer(0.1, 0.2)),
        ("adadelta", lambda: dt.train.AdadeltaOptimizer(0.5, 0.8, 0.1)),
        ("adamax", lambda: dt.train.AdamaxOptimizer(0.05, 0.8, 0.95, 0.0)),
        ("nadam", lambda: dt.train.NadamOptimizer(0.05, 0.8, 0.95, 0.1, 0.01)),
        ("radam", lambda: dt.train.RAdamOptimizer(0.05, 0.8, 0.7, 0.1)),
        ("adafactor", lambda: dt.train.AdafactorOptimizer(0.3, weight_decay=0.2)),
        ("adafactor_clipped", lambda: dt.train.AdafactorOptimizer(0.3, -0.6, 0.1, 2.0)),
    ],
)
def test_torch(case: str, make: Maker) -> None:
    check(TORCH, case, make(), rtol=1e-7 if case == "nadam" else 1e-10)  # whose product PyTorch keeps in float32


@pytest.mark.parametrize(
    ("case", "make"),
    [
        ("muon", lambda: dt.train.MuonOptimizer(0.1, weight_decay=0.2)),
        (
            "muon_plain",
            lambda: dt.train.MuonOptimizer(0.1, weight_decay=0.0, use_nesterov=False, adjust_rate="match_rms_adamw"),
        ),
    ],
)
def test_torch_muon(case: str, make: Maker) -> None:
    check(TORCH, case, make(), rtol=0.02, atol=0.01)  # PyTorch iterates in bfloat16


@pytest.mark.parametrize(
    ("case", "make"),
    [
        ("lion", lambda: dt.train.LionOptimizer(0.05, 0.8, 0.95, weight_decay=0.2)),
        ("lamb", lambda: dt.train.LAMBOptimizer(0.05, 0.8, 0.95, 0.1, weight_decay=0.2)),
        ("adamw", lambda: dt.train.AdamWOptimizer(0.05, 0.8, 0.95, 0.1, weight_decay=0.2)),
        (
            "adamw_masked",
            lambda: dt.train.AdamWOptimizer(0.05, 0.8, 0.95, 0.1, weight_decay=0.2, decay_filter=matrices),
        ),
        ("adamax", lambda: dt.train.AdamaxOptimizer(0.05, 0.8, 0.95, 0.0)),
    ],
)
def test_optax(case: str, make: Maker) -> None:
    check(OPTAX, case, make())


def test_optax_muon() -> None:
    """Its average is divided by ``1 - beta^t``, which the norm takes out again."""
    optimizer = dt.train.MuonOptimizer(0.1, weight_decay=0.2, use_nesterov=False, epsilon=1e-8)
    check(OPTAX, "muon", optimizer, rtol=1e-6)
