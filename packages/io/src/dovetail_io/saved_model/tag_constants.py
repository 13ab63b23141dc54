"""Tags that tell the graphs of a bundle apart, under TensorFlow 1's names."""

from __future__ import annotations

from typing import Final

__all__ = ["EVAL", "GPU", "SERVING", "TPU", "TRAINING"]

SERVING: Final = "serve"
TRAINING: Final = "train"
EVAL: Final = "eval"
GPU: Final = "gpu"
TPU: Final = "tpu"
