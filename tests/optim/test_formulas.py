"""Optimizers beside the formulas of their docstrings in NumPy, for hyperparameters made by chance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dovetail as dt

Array = np.ndarray
State = dict[str, Any]
Formula = Callable[[Array, Array, State, int, dict[str, Any]], Array]

FIRST = np.array([[1.0, -2.0, 0.5], [0.25, 3.0, -1.5]])
UNIT, RATE, SMALL = st.floats(0.0, 0.99), st.floats(0.01, 0.5), st.floats(1e-3, 0.5)
BETAS = {"beta1": UNIT, "beta2": UNIT}


def moments(g: Array, s: State, h: dict[str, Any]) -> tuple[Array, Array]:
    s["m"] = h["beta1"] * s.get("m", 0.0) + (1 - h["beta1"]) * g
    s["v"] = h["beta2"] * s.get("v", 0.0) + (1 - h["beta2"]) * g * g
    s["vhat"] = np.maximum(s.get("vhat", 0.0), s["v"])
    return s["m"], s["vhat"] if h.get("amsgrad") else s["v"]


def momentum(g: Array, w: Array, s: State, t: int, h: dict[str, Any]) -> Array:
    s["a"] = h["momentum"] * s.get("a", 0.0) + g
    return w - h["learning_rate"] * (g + h["momentum"] * s["a"] if h["use_nesterov"] else s["a"])


def rmsprop(g: Array, w: Array, s: State, t: int, h: dict[str, Any]) -> Array:
    s["s"] = h["decay"] * s.get("s", 1.0) + (1 - h["decay"]) * g * g
    s["g"] = h["decay"] * s.get("g", 0.0) + (1 - h["decay"]) * g
    spread = s["s"] - s["g"] ** 2 if h["centered"] else s["s"]
    s["a"] = h["momentum"] * s.get("a", 0.0) + h["learning_rate"] * g / np.sqrt(spread + h["epsilon"])
    return w - s["a"]


def adam(g: Array, w: Array, s: State, t: int, h: dict[str, Any]) -> Array:
    m, v = moments(g, s, h)
    rate = h["learning_rate"] * np.sqrt(1 - h["beta2"] ** t) / (1 - h["beta1"] ** t)
    return w - rate * m / (np.sqrt(v) + h["epsilon"])


def adamw(g: Array, w: Array, s: State, t: int, h: dict[str, Any]) -> Array:
    m, v = moments(g, s, h)
    step = m / (1 - h["beta1"] ** t) / (np.sqrt(v / (1 - h["beta2"] ** t)) + h["epsilon"])
    return w - h["learning_rate"] * (step + h["weight_decay"] * w)


def adamax(g: Array, w: Array, s: State, t: int, h: dict[str, Any]) -> Array:
    s["m"] = h["beta1"] * s.get("m", 0.0) + (1 - h["beta1"]) * g
    s["v"] = np.maximum(h["beta2"] * s.get("v", 0.0), np.abs(g))
    return w - h["learning_rate"] / (1 - h["beta1"] ** t) * s["m"] / (s["v"] + h["epsilon"])


def nadam(g: Array, w: Array, s: State, t: int, h: dict[str, Any]) -> Array:
    m, v = moments(g, s, h)
    now, then = (h["beta1"] * (1 - 0.5 * 0.96 ** (h["momentum_decay"] * k)) for k in (t, t + 1))
    s["M"] = s.get("M", 1.0) * now
    step = (1 - now) / (1 - s["M"]) * g + then / (1 - s["M"] * then) * m
    return w - h["learning_rate"] * step / (np.sqrt(v / (1 - h["beta2"] ** t)) + h["epsilon"])


def radam(g: Array, w: Array, s: State, t: int, h: dict[str, Any]) -> Array:
    m, v = moments(g, s, h)
    m, left, p = m / (1 - h["beta1"] ** t), 1 - h["beta2"] ** t, 2 / (1 - h["beta2"]) - 1
    r = p - 2 * t * h["beta2"] ** t / left
    if r <= 5:
        return w - h["learning_rate"] * m
    scale = np.sqrt((r - 4) * (r - 2) * p / ((p - 4) * (p - 2) * r))
    return w - h["learning_rate"] * scale * m * np.sqrt(left) / (np.sqrt(v) + h["epsilon"])


def lion(g: Array, w: Array, s: State, t: int, h: dict[str, Any]) -> Array:
    m = s.get("m", np.zeros_like(g))
    s["m"] = h["beta2"] * m + (1 - h["beta2"]) * g
    w = w - h["learning_rate"] * h["weight_decay"] * w
    return w - h["learning_rate"] * np.sign(h["beta1"] * m + (1 - h["beta1"]) * g)


def lamb(g: Array, w: Array, s: State, t: int, h: dict[str, Any]) -> Array:
    m, v = moments(g, s, h)
    step = m / (1 - h["beta1"] ** t) / (np.sqrt(v / (1 - h["beta2"] ** t)) + h["epsilon"]) + h["weight_decay"] * w
    return w - h["learning_rate"] * np.linalg.norm(w) / np.linalg.norm(step) * step


def adagrad(g: Array, w: Array, s: State, t: int, h: dict[str, Any]) -> Array:
    s["a"] = s.get("a", h["initial_accumulator_value"]) + g * g
    return w - h["learning_rate"] * g / np.sqrt(s["a"])


def adadelta(g: Array, w: Array, s: State, t: int, h: dict[str, Any]) -> Array:
    s["a"] = h["rho"] * s.get("a", 0.0) + (1 - h["rho"]) * g * g
    step = np.sqrt(s.get("u", 0.0) + h["epsilon"]) / np.sqrt(s["a"] + h["epsilon"]) * g
    s["u"] = h["rho"] * s.get("u", 0.0) + (1 - h["rho"]) * step * step
    return w - h["learning_rate"] * step


def ftrl(g: Array, w: Array, s: State, t: int, h: dict[str, Any]) -> Array:
    p, rate, before = -h["learning_rate_power"], h["learning_rate"], s.get("a", h["initial_accumulator_value"])
    l1, l2 = h["l1_regularization_strength"], h["l2_regularization_strength"]
    s["a"] = before + g * g
    shrinkage = 2 * h["l2_shrinkage_regularization_strength"] * w
    s["z"] = s.get("z", 0.0) + g + shrinkage - (s["a"] ** p - before**p) / rate * w
    return np.where(np.abs(s["z"]) > l1, (l1 * np.sign(s["z"]) - s["z"]) / (s["a"] ** p / rate + 2 * l2), 0.0)


def proximal_adagrad(g: Array, w: Array, s: State, t: int, h: dict[str, Any]) -> Array:
    s["a"] = s.get("a", h["initial_accumulator_value"]) + g * g
    rate = h["learning_rate"] / np.sqrt(s["a"])
    p = w - rate * g
    shrunk = np.sign(p) * np.maximum(np.abs(p) - rate * h["l1_regularization_strength"], 0.0)
    return shrunk / (1 + rate * h["l2_regularization_strength"])


STRENGTHS = {
    name: st.sampled_from([0.0, 0.1, 0.5]) for name in ("l1_regularization_strength", "l2_regularization_strength")
}
START = {"initial_accumulator_value": SMALL}
CASES: dict[Formula, tuple[str, dict[str, Any]]] = {
    momentum: ("Momentum", {"momentum": UNIT, "use_nesterov": st.booleans()}),
    rmsprop: ("RMSProp", {"decay": UNIT, "momentum": UNIT, "epsilon": SMALL, "centered": st.booleans()}),
    adam: ("Adam", {**BETAS, "epsilon": SMALL, "amsgrad": st.booleans()}),
    adamw: ("AdamW", {**BETAS, "epsilon": SMALL, "amsgrad": st.booleans(), "weight_decay": UNIT}),
    adamax: ("Adamax", {**BETAS, "epsilon": SMALL}),
    nadam: ("Nadam", {**BETAS, "epsilon": SMALL, "momentum_decay": SMALL}),
    radam: ("RAdam", {**BETAS, "beta2": st.floats(0.5, 0.99), "epsilon": SMALL}),
    lion: ("Lion", {**BETAS, "weight_decay": UNIT}),
    lamb: ("LAMB", {**BETAS, "epsilon": SMALL, "weight_decay": UNIT}),
    adagrad: ("Adagrad", START),
    adadelta: ("Adadelta", {"rho": UNIT, "epsilon": SMALL}),
    ftrl: (
        "Ftrl",
        {
            **START,
            **STRENGTHS,
            "learning_rate_power": st.sampled_from([-0.5, -0.3, -1.0, 0.0]),
            "l2_shrinkage_regularization_strength": st.sampled_from([0.0, 0.2]),
        },
    ),
    proximal_adagrad: ("ProximalAdagrad", {**START, **STRENGTHS}),
}


@pytest.mark.parametrize("formula", CASES, ids=lambda one: one.__name__)
def test_formula(formula: Formula, long_tests: bool) -> None:
    name, strategies = CASES[formula]

    @settings(max_examples=300 if long_tests else 12)
    @given(st.fixed_dictionaries({"learning_rate": RATE, **strategies}), st.integers(0, 2**32 - 1))
    def check(numbers: dict[str, Any], seed: int) -> None:
        gradients = np.random.default_rng(seed).normal(size=(4, *FIRST.shape))
        with dt.Graph().as_default(), dt.Session() as session:
            variable, gradient = dt.Variable(FIRST), dt.placeholder(dt.float64, FIRST.shape)
            step = getattr(dt.train, name)(**numbers).apply_gradients([(gradient, variable)])
            session.run(dt.global_variables_initializer())
            w, state = FIRST, dict[str, Any]()
            for t, g in enumerate(gradients, start=1):
                w = formula(g, w, state, t, numbers)
                session.run(step, {gradient: g})
                np.testing.assert_allclose(session.run(variable), w, rtol=1e-7, atol=1e-9)

    check()
