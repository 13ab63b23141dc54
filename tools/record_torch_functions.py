"""Record what PyTorch computes for activations and losses, in float64, for the tests to compare with.

PyTorch is no dependency of the tests; they read `tests/data/torch_functions.npz`, which this script makes:

    /tmp/torch/bin/python tools/record_torch_functions.py

Keys are those of `record_torch.py`, which says how to install PyTorch.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from record_torch import FOUND, RNG, F, record, torch, with_gradients


def activations() -> None:
    """Each on numbers of either sign, some of them large."""
    x = np.concatenate([RNG.normal(0.0, 2.0, 12), [0.25, -30.0, 30.0, 7.0]])
    for name, function in {
        "elu": lambda z: F.elu(z, 0.5),
        "celu": lambda z: F.celu(z, 0.5),
        "hard_swish": F.hardswish,
        "hard_tanh": F.hardtanh,
        "mish": F.mish,
        "log_sigmoid": F.logsigmoid,
        "hardshrink": F.hardshrink,
        "softshrink": F.softshrink,
        "tanhshrink": F.tanhshrink,
        "threshold": lambda z: F.threshold(z, 0.5, -1.0),
    }.items():
        with_gradients(name, lambda x, function=function: function(x), x=x)
    with_gradients("logit", lambda x: torch.logit(x), x=RNG.uniform(size=8))
    with_gradients("logit_epsilon", lambda x: torch.logit(x, 0.2), x=RNG.uniform(size=8))
    with_gradients(
        "prelu",
        lambda x, alpha: F.prelu(x.T, alpha).T,  # channels first
        x=RNG.normal(size=(3, 5)),
        alpha=RNG.uniform(0.1, 0.5, 3),
    )
    maps = RNG.normal(size=(2, 6, 4))
    with_gradients("glu", lambda x: F.glu(x), x=maps)
    with_gradients("glu_axis", lambda x: F.glu(x, 1), x=maps)
    for name, gate in {"swiglu": F.silu, "geglu": F.gelu, "reglu": F.relu}.items():
        with_gradients(name, lambda x, gate=gate: x.chunk(2, -1)[0] * gate(x.chunk(2, -1)[1]), x=maps)


def losses() -> None:
    """Means, as `SUM_BY_NONZERO_WEIGHTS` gives without weights, and the weighted means of `MEAN`."""
    found, wanted = RNG.normal(0.0, 2.0, (4, 5)), RNG.normal(size=(4, 5))
    with_gradients("huber", lambda x, target: F.huber_loss(x, target, delta=0.7), x=found, target=wanted)
    with_gradients("absolute", F.l1_loss, input=found, target=wanted)
    rates, counts = RNG.uniform(0.5, 3.0, (4, 5)), RNG.poisson(2.0, (4, 5)).astype(float)
    with_gradients("poisson", lambda x: F.poisson_nll_loss(x, torch.tensor(counts), False, eps=1e-7), x=rates)
    for case, full in (("log_poisson", False), ("log_poisson_full", True)):
        with_gradients(
            case,
            lambda x, full=full: F.poisson_nll_loss(x, torch.tensor(counts), True, full, reduction="none"),
            x=found,
        )
    record("counts", counts=counts)
    predicted, true = RNG.dirichlet(np.ones(5), 4), RNG.dirichlet(np.ones(5), 4)
    with_gradients(
        "kl", lambda x, target: F.kl_div(torch.log(x), target, reduction="batchmean"), x=predicted, target=true
    )
    signs = RNG.integers(0, 2, (4, 5)).astype(float)
    record("signs", signs=signs)
    with_gradients(
        "weighted_cross_entropy",
        lambda x: F.binary_cross_entropy_with_logits(
            x, torch.tensor(signs), pos_weight=torch.tensor(3.0), reduction="none"
        ),
        x=found,
    )
    labels = np.array([0, 3, -1, 4])
    weights = np.array([0.5, 1.0, 2.0, 1.5, 0.25])
    record("labels", labels=labels, weights=weights)
    with_gradients("ignored", lambda x: F.cross_entropy(x, torch.tensor(labels), ignore_index=-1), x=found)
    with_gradients(
        "class_weights",
        lambda x: F.cross_entropy(x, torch.tensor(labels), torch.tensor(weights), ignore_index=-1),
        x=found,
    )
    with_gradients(
        "smoothed_and_ignored",
        lambda x: F.cross_entropy(x, torch.tensor(labels), ignore_index=-1, label_smoothing=0.2),
        x=found,
    )
    triple: dict[str, Any] = {name: RNG.normal(size=(6, 3)) for name in ("anchor", "positive", "negative")}
    with_gradients("triplet", F.triplet_margin_loss, **triple)
    with_gradients(
        "triplet_swap",
        lambda anchor, positive, negative: F.triplet_margin_loss(anchor, positive, negative, 0.5, swap=True),
        **triple,
    )


def more_losses() -> None:
    """Losses that came later, so that the numbers of the others stay."""
    scores: dict[str, Any] = {name: RNG.normal(size=(4, 5)) for name in ("first", "second")}
    order = RNG.integers(0, 2, (4, 5)) * 2.0 - 1.0
    record("order", order=order)
    with_gradients(
        "ranking",
        lambda first, second: F.margin_ranking_loss(first, second, torch.tensor(order), 0.3),
        **scores,
    )
    spread = RNG.uniform(0.2, 2.0, (4, 5))
    for case, full in (("gaussian", False), ("gaussian_full", True)):
        with_gradients(
            case,
            lambda first, second, spread, full=full: F.gaussian_nll_loss(first, second, spread, full),
            **scores,
            spread=spread,
        )


def main() -> None:
    """Compute everything and write it."""
    activations()
    losses()
    more_losses()
    FOUND["torch_version"] = np.array(torch.__version__)
    path = Path(__file__).parents[1] / "tests" / "data" / "torch_functions.npz"
    arrays: Any = FOUND
    np.savez_compressed(path, **arrays)
    print(f"{len(FOUND)} arrays, {path.stat().st_size} bytes in {path}")


if __name__ == "__main__":
    main()
