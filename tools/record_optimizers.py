"""Record what TensorFlow, Keras, PyTorch and optax compute for optimizers and schedules, in float64.

None of them is a dependency of the tests; they read `tests/data/optimizers_*.npz`, which this script makes, one for
each argument, with whatever Python has that library:

    python tools/record_optimizers.py tensorflow     # tf.compat.v1.train and tf.keras.optimizers
    python tools/record_optimizers.py torch
    python tools/record_optimizers.py optax

A key is `case/weight` or `case/bias`, after each of five steps along the gradients of `problem()`; `case/table` where a
gradient has some rows only; `schedule/name`, a rate at each of `STEPS`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(__file__).parents[1] / "tests" / "data"
COUNT = 5
STEPS = [0, 1, 7, 10, 15, 20, 35, 60]
Found = dict[str, np.ndarray]


def problem() -> Found:
    """Give first values, gradients of five steps, and gradients of rows, the same for everyone."""
    rng = np.random.default_rng(20241107)
    return {
        "weight": rng.normal(size=(4, 3)),
        "bias": rng.normal(size=3),
        "weight_gradients": rng.normal(size=(COUNT, 4, 3)),
        "bias_gradients": rng.normal(size=(COUNT, 3)),
        "table": rng.normal(size=(5, 2)),
        "rows": np.array([[0, 3, 3], [1, 0, 3], [3, 1, 1], [0, 0, 0], [3, 0, 1]]),
        "row_gradients": rng.normal(size=(COUNT, 3, 2)),
    }


def tensorflow() -> Found:
    """Record TensorFlow 1's optimizers, dense and sparse, those of Keras, and TensorFlow 1's schedules."""
    tf: Any = import_module("tensorflow")
    given, found = problem(), dict[str, np.ndarray]()
    train = tf.compat.v1.train
    count: Any = None
    makers: dict[str, Callable[[], Any]] = {
        "gradient_descent": lambda: train.GradientDescentOptimizer(0.125),
        "momentum": lambda: train.MomentumOptimizer(0.125, 0.875),
        "nesterov": lambda: train.MomentumOptimizer(0.125, 0.875, use_nesterov=True),
        "rmsprop": lambda: train.RMSPropOptimizer(0.125, 0.75, epsilon=0.375),
        "rmsprop_centered": lambda: train.RMSPropOptimizer(0.125, 0.75, 0.625, 0.375, centered=True),
        "adam": lambda: train.AdamOptimizer(0.125, 0.75, 0.9375, 0.25),
        "adagrad": lambda: train.AdagradOptimizer(0.125, 0.25),
        "adagrad_da": lambda: train.AdagradDAOptimizer(0.125, count, 0.25),
        "adagrad_da_regularized": lambda: train.AdagradDAOptimizer(0.125, count, 0.25, 0.375, 0.5),
        "adadelta": lambda: train.AdadeltaOptimizer(0.5, 0.75, 0.125),
        "ftrl": lambda: train.FtrlOptimizer(0.125, initial_accumulator_value=0.25),
        "ftrl_regularized": lambda: train.FtrlOptimizer(
            0.125, -0.375, 0.25, 0.375, 0.5, l2_shrinkage_regularization_strength=0.125
        ),
        "proximal_gradient_descent": lambda: train.ProximalGradientDescentOptimizer(*np.array([0.125, 0.375, 0.5])),
        "proximal_gradient_descent_l2": lambda: train.ProximalGradientDescentOptimizer(*np.array([0.125, 0.0, 0.5])),
        "proximal_adagrad": lambda: train.ProximalAdagradOptimizer(*np.array([0.125, 0.25, 0.375, 0.5])),
    }
    for case, make in makers.items():
        for sparse in (False, True):
            with tf.Graph().as_default():
                count = train.get_or_create_global_step()
                names = ["table"] if sparse else ["weight", "bias"]
                variables = [tf.compat.v1.Variable(given[name], use_resource=True) for name in names]
                if sparse:
                    fed = [tf.compat.v1.placeholder(tf.float64, [3, 2]), tf.compat.v1.placeholder(tf.int64, [3])]
                    gradients = [tf.IndexedSlices(fed[0], fed[1], tf.constant([5, 2], tf.int64))]
                    values = [given["row_gradients"], given["rows"]]
                else:
                    fed = gradients = [tf.compat.v1.placeholder(tf.float64, one.shape) for one in variables]
                    values = [given[f"{name}_gradients"] for name in names]
                step = make().apply_gradients(list(zip(gradients, variables, strict=True)), count)
                with tf.compat.v1.Session() as session:
                    session.run(tf.compat.v1.global_variables_initializer())
                    for index in range(COUNT):
                        session.run(step, {one: value[index] for one, value in zip(fed, values, strict=True)})
                        for name, variable in zip(names, variables, strict=True):
                            found.setdefault(f"{case}/{name}", np.zeros((COUNT, *given[name].shape)))
                            found[f"{case}/{name}"][index] = session.run(variable)
    keras = tf.keras.optimizers
    later: dict[str, Callable[[], Any]] = {
        "adam_amsgrad": lambda: keras.Adam(0.0625, 0.75, 0.9375, 0.0, amsgrad=True),
        "adamax": lambda: keras.Adamax(0.0625, 0.75, 0.9375, 0.125),
        "nadam": lambda: keras.Nadam(0.0625, 0.75, 0.9375, 0.125),
        "lion": lambda: keras.Lion(0.0625, 0.75, 0.9375, weight_decay=0.25),
        "lamb": lambda: keras.Lamb(0.0625, 0.75, 0.9375, 0.125),
    }
    for case, make in later.items():
        record_steps(found, case, given, tf.Variable, make(), lambda optimizer, pairs: optimizer.apply_gradients(pairs))
    for name, rates in tensorflow_schedules(tf).items():
        found[f"schedule/{name}"] = rates
    return found


def record_steps(found: Found, case: str, given: Found, make: Any, optimizer: Any, step: Any) -> None:
    """Run five steps of a library whose variables give `numpy()`."""
    names = ["weight", "bias"]
    variables = [make(given[name]) for name in names]
    for index in range(COUNT):
        step(optimizer, [(given[f"{name}_gradients"][index], one) for name, one in zip(names, variables, strict=True)])
        for name, variable in zip(names, variables, strict=True):
            found.setdefault(f"{case}/{name}", np.zeros((COUNT, *given[name].shape)))
            found[f"{case}/{name}"][index] = variable.numpy()


def tensorflow_schedules(tf: Any) -> Found:
    """Give rates at each of `STEPS`."""
    train = tf.compat.v1.train
    makers: dict[str, Callable[[Any], Any]] = {
        "exponential": lambda s: train.exponential_decay(0.5, s, 10, 0.1),
        "exponential_staircase": lambda s: train.exponential_decay(0.5, s, 10, 0.1, True),
        "natural_exp": lambda s: train.natural_exp_decay(0.5, s, 10, 0.3),
        "natural_exp_staircase": lambda s: train.natural_exp_decay(0.5, s, 10, 0.3, True),
        "inverse_time": lambda s: train.inverse_time_decay(0.5, s, 10, 0.3),
        "inverse_time_staircase": lambda s: train.inverse_time_decay(0.5, s, 10, 0.3, True),
        "polynomial": lambda s: train.polynomial_decay(0.5, s, 20, 0.1, 2.0),
        "polynomial_cycle": lambda s: train.polynomial_decay(0.5, s, 10, 0.1, cycle=True),
        "cosine": lambda s: train.cosine_decay(0.5, s, 20, 0.2),
        "cosine_restarts": lambda s: train.cosine_decay_restarts(0.5, s, 8, 2.0, 0.7, 0.1),
        "cosine_restarts_even": lambda s: train.cosine_decay_restarts(0.5, s, 8, 1.0, 0.7, 0.1),
        "linear_cosine": lambda s: train.linear_cosine_decay(0.5, s, 20, 0.75, 0.1, 0.01),
        "piecewise_constant": lambda s: train.piecewise_constant(s, [7, 15], [1.0, 0.5, 0.25]),
    }
    found = {}
    for name, make in makers.items():
        rates = []
        for step in STEPS:
            rate = make(tf.constant(step, tf.int64))
            rates.append(np.asarray(rate() if callable(rate) else rate))
        found[name] = np.array(rates, np.float64)
    return found


def pytorch() -> Found:
    """Record PyTorch's optimizers and schedules."""
    torch: Any = import_module("torch")
    optim = torch.optim
    given, found = problem(), dict[str, np.ndarray]()
    makers: dict[str, Callable[[Any], Any]] = {
        "adam_amsgrad": lambda p: optim.Adam(p, 0.05, (0.8, 0.95), 0.0, amsgrad=True),
        "adamw_amsgrad": lambda p: optim.AdamW(p, 0.05, (0.8, 0.95), 0.1, weight_decay=0.3, amsgrad=True),
        "sgdw": lambda p: optim.SGD(p, 0.05, momentum=0.9),
        "adagrad": lambda p: optim.Adagrad(p, 0.1, initial_accumulator_value=0.2, eps=0.0),
        "adadelta": lambda p: optim.Adadelta(p, 0.5, 0.8, 0.1),
        "adamax": lambda p: optim.Adamax(p, 0.05, (0.8, 0.95), 0.0),
        "nadam": lambda p: optim.NAdam(p, 0.05, (0.8, 0.95), 0.1, momentum_decay=0.01),
        "radam": lambda p: optim.RAdam(p, 0.05, (0.8, 0.7), 0.1),
        "adafactor": lambda p: optim.Adafactor(p, 0.3, weight_decay=0.2),
        "adafactor_clipped": lambda p: optim.Adafactor(p, 0.3, -0.6, (0.1, 2.0), 1.0),
        "muon": lambda p: optim.Muon(p[:1], 0.1, weight_decay=0.2),
        "muon_plain": lambda p: optim.Muon(
            p[:1], 0.1, weight_decay=0.0, nesterov=False, adjust_lr_fn="match_rms_adamw"
        ),
    }
    for case, make in makers.items():
        turned = case.startswith("muon")  # kernels of PyTorch's layers have the outputs first
        names = ["weight"] if turned else ["weight", "bias"]
        values = [given[name].T if turned else given[name] for name in names]
        parameters = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in values]
        optimizer = make(parameters)
        for index in range(COUNT):
            for name, parameter in zip(names, parameters, strict=True):
                gradient = given[f"{name}_gradients"][index]
                parameter.grad = torch.tensor(gradient.T if turned else gradient)
                if case == "sgdw":
                    parameter.data.mul_(1.0 - 0.05 * 0.3)
            optimizer.step()
            for name, parameter in zip(names, parameters, strict=True):
                found.setdefault(f"{case}/{name}", np.zeros((COUNT, *given[name].shape)))
                value = parameter.detach().numpy()
                found[f"{case}/{name}"][index] = value.T if turned else value
    schedules = optim.lr_scheduler
    rate_of: dict[str, Callable[[Any], Any]] = {
        "one_cycle": lambda o: schedules.OneCycleLR(o, 0.5, total_steps=40, cycle_momentum=False),
        "one_cycle_linear": lambda o: schedules.OneCycleLR(
            o, 0.5, total_steps=40, pct_start=0.25, anneal_strategy="linear", cycle_momentum=False, div_factor=10.0
        ),
        "one_cycle_three_phases": lambda o: schedules.OneCycleLR(
            o, 0.5, total_steps=40, cycle_momentum=False, three_phase=True
        ),
    }
    for name, make_schedule in rate_of.items():
        found[f"schedule/{name}"] = np.array(pytorch_rates(torch, make_schedule, 40))
    losses = [1.0, 0.9, 0.95, 0.91, 0.92, 0.5, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.499999, 0.7, 0.7, 0.7, 0.7, 0.7]
    found["plateau/losses"] = np.array(losses)
    settings: dict[str, dict[str, Any]] = {
        "plain": {"patience": 1},
        "cooldown": {"patience": 1, "cooldown": 2, "min_lr": 0.02},
        "absolute": {"patience": 0, "threshold": 0.2, "threshold_mode": "abs", "factor": 0.5},
        "max": {"patience": 2, "mode": "max", "factor": 0.5},
    }
    for name, setting in settings.items():
        optimizer = optim.SGD([torch.zeros(1, requires_grad=True)], 0.5)
        scheduler = schedules.ReduceLROnPlateau(optimizer, **setting)
        rates = []
        for loss in losses:
            scheduler.step(loss)
            rates.append(optimizer.param_groups[0]["lr"])
        found[f"plateau/{name}"] = np.array(rates)
    return found


def pytorch_rates(torch: Any, make: Any, count: int) -> list[float]:
    """Give the rates of `count` steps."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 1.0)
    scheduler = make(optimizer)
    rates = []
    for index in range(count):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if index < count - 1:
            scheduler.step()
    return rates


def optax() -> Found:
    """Record optax' optimizers and schedules."""
    jax: Any = import_module("jax")
    jax.config.update("jax_enable_x64", True)
    library: Any = import_module("optax")
    contrib: Any = import_module("optax.contrib")
    given, found = problem(), dict[str, np.ndarray]()
    makers: dict[str, Any] = {
        "lion": library.lion(0.05, 0.8, 0.95, weight_decay=0.2),
        "lamb": library.lamb(0.05, 0.8, 0.95, 0.1, weight_decay=0.2),
        "lamb_masked": library.lamb(0.05, 0.8, 0.95, 0.1, weight_decay=0.2, mask={"weight": True, "bias": False}),
        "adamw": library.adamw(0.05, 0.8, 0.95, 0.1, weight_decay=0.2),
        "adamw_masked": library.adamw(0.05, 0.8, 0.95, 0.1, weight_decay=0.2, mask={"weight": True, "bias": False}),
        "adamax": library.adamax(0.05, 0.8, 0.95, 0.0),
        "radam": library.radam(0.05, 0.8, 0.7, 0.1),
        "clip_by_global_norm": library.chain(library.clip_by_global_norm(1.5), library.adam(0.05, 0.8, 0.95, 0.0)),
        "accumulated": library.MultiSteps(library.sgd(0.1, 0.9), 2),
    }
    muon = contrib.muon(0.1, nesterov=False, weight_decay=0.2)
    for case, rule in {**makers, "muon": muon}.items():
        names = ["weight"] if case == "muon" else ["weight", "bias"]
        values = {name: jax.numpy.asarray(given[name]) for name in names}
        state = rule.init(values)
        for index in range(COUNT):
            gradients = {name: jax.numpy.asarray(given[f"{name}_gradients"][index]) for name in names}
            updates, state = rule.update(gradients, state, values)
            values = library.apply_updates(values, updates)
            for name in names:
                found.setdefault(f"{case}/{name}", np.zeros((COUNT, *given[name].shape)))
                found[f"{case}/{name}"][index] = np.asarray(values[name])
    values = library.LookaheadParams(given["weight"], given["weight"])
    rule = library.lookahead(library.sgd(0.1, 0.9), 2, 0.25)
    state = rule.init(values)
    found["lookahead/weight"] = np.zeros((COUNT, 4, 3))
    for index in range(COUNT):
        updates, state = rule.update(given["weight_gradients"][index], state, values)
        values = library.apply_updates(values, updates)
        found["lookahead/weight"][index] = np.asarray(values.fast)
    schedules = {
        "warmup_cosine": library.warmup_cosine_decay_schedule(0.0, 0.5, 10, 50, 0.05),
        "warmup_constant": library.warmup_constant_schedule(0.1, 0.5, 10),
    }
    for name, schedule in schedules.items():
        found[f"schedule/{name}"] = np.array([float(schedule(step)) for step in STEPS])
    return found


def main() -> None:
    """Record what the argument names."""
    recorders = {"tensorflow": tensorflow, "torch": pytorch, "optax": optax}
    (name,) = sys.argv[1:]
    arrays: Any = {**recorders[name](), **{f"problem/{key}": value for key, value in problem().items()}}
    arrays["version"] = np.array(import_module(name).__version__)
    path = DATA / f"optimizers_{name}.npz"
    np.savez_compressed(path, **arrays)
    print(f"{len(arrays)} arrays, {path.stat().st_size} bytes in {path}")


if __name__ == "__main__":
    main()
