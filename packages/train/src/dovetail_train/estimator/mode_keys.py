"""``ModeKeys``: what a model function is called for."""

from __future__ import annotations

from typing import Final, final

__all__ = ["ModeKeys"]


@final
class ModeKeys:
    """What a model function is called for; it makes another graph for each.

    Attributes:
        TRAIN: to train: labels are given, dropout acts, the result has a ``train_op``.
        EVAL: to evaluate: labels are given, the result has a loss and perhaps metrics.
        PREDICT: to predict: there are no labels, the result has predictions.
    """

    TRAIN: Final = "train"
    EVAL: Final = "eval"
    PREDICT: Final = "infer"
