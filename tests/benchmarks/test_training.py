"""The measurements of training run; no time is asserted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import dovetail as dt
from benchmarks import training
from benchmarks.workloads.catalogue import WORKLOADS


def test_every_contender_makes_its_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "STEPS", 4)
    monkeypatch.setattr(training, "UNTIMED", 1)
    small = WORKLOADS["mlp_small"]
    logs = tmp_path / "logs"
    blocks = [training.bare_loop(small), training.monitored(small, logs, False), training.monitored(small, logs, True)]
    trained, block = training.estimator(tmp_path / "model")
    assert all(one() > 0.0 for one in [*blocks, block, block])
    assert dt.train.load_variable(trained.latest_checkpoint(), "global_step") == 8
    assert any(logs.glob("events.out.*"))
    row = WORKLOADS["mlp"].batch_of(1)[0]
    (alone,) = trained.predict(lambda: row)
    np.testing.assert_array_equal(alone["scores"], trained.predict_on_batch(row)["scores"][0])
