"""What an evaluation measured, as numbers in an event file for TensorBoard."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

import dovetail as dt
from dovetail_train.summary.file_writer import FileWriterCache

__all__ = ["log_metrics"]


def log_metrics(folder: Path, metrics: Mapping[str, Any], step: int) -> None:
    """Write the metrics that are single numbers, where tensorboard is installed."""
    if find_spec("tensorboard") is None:
        return
    numbers = {name: float(value) for name, value in metrics.items() if np.ndim(value) == 0 and name != "global_step"}
    values = [dt.Summary.Value(tag=name, simple_value=number) for name, number in numbers.items()]
    writer = FileWriterCache.get(folder)
    writer.add_summary(dt.Summary(value=values), step)
    writer.flush()
