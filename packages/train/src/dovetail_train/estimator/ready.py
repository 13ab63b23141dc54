"""What ready estimators have in common: a head on a network, and an optimizer."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from dovetail import Tensor
from dovetail_train.estimator.batches import Batch
from dovetail_train.estimator.estimator import Estimator
from dovetail_train.estimator.estimator_spec import EstimatorSpec
from dovetail_train.estimator.head import Head
from dovetail_train.estimator.mode_keys import ModeKeys
from dovetail_train.estimator.run_config import RunConfig

__all__ = ["ReadyEstimator"]


class ReadyEstimator(Estimator):
    """Base of estimators that bring their network.

    Args:
        head: loss, metrics and predictions.
        network: makes the scores from features, and whether it is to train.
        step: makes a step of training from a loss.
        model_dir: as for `Estimator`.
        config: as for `Estimator`.
        warm_start_from: as for `Estimator`.
    """

    def __init__(
        self,
        head: Head,
        network: Callable[[Any, bool], Tensor],
        step: Callable[[Tensor], Any],
        model_dir: str | os.PathLike[str] | None,
        config: RunConfig | None,
        warm_start_from: Any = None,
    ) -> None:
        """Make the model function."""

        def model_fn(features: Any, labels: Any, mode: str) -> EstimatorSpec:
            logits = network(features, mode == ModeKeys.TRAIN)
            return head.spec(features, labels, mode, logits, step)

        super().__init__(model_fn, model_dir, config, None, warm_start_from)
        self._head = head

    def _check_batch(self, batch: Batch, where: str) -> None:
        self._head.check(batch, where)
