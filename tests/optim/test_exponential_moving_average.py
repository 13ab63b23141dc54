"""Moving averages: what has one, what they are called, where they are saved. Values: tests/together/tensorflow1."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import AlreadyExistsError, DTypeError


def test_averages_take_the_place_of_their_variables_in_a_checkpoint(tmp_path: Path) -> None:
    w = dt.Variable([1.0, 2.0], name="w")
    other = dt.Variable(5.0, name="other", trainable=False)
    average = dt.train.ExponentialMovingAverage(0.5)
    update = average.apply()
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        session.run(w.assign([3.0, 2.0]))
        session.run(update)
        np.testing.assert_array_equal(session.run(average.average(w)), [2.0, 2.0])
        dt.train.Saver().save(session, tmp_path / "model")
    dt.reset_default_graph()
    w, other = dt.Variable([0.0, 0.0], name="w"), dt.Variable(0.0, name="other", trainable=False)
    names = dt.train.ExponentialMovingAverage(0.5).variables_to_restore()
    assert names == {"w/ExponentialMovingAverage": w, "other": other}
    with dt.Session() as session:
        dt.train.Saver(names).restore(session, tmp_path / "model")
        np.testing.assert_array_equal(session.run(w), [2.0, 2.0])
        assert session.run(other) == 5.0


def test_names() -> None:
    w = dt.Variable([1.0], name="w")
    average = dt.train.ExponentialMovingAverage(0.9, name="mean")
    assert average.name == "mean"
    assert average.average(w) is None
    assert average.average_name(w) == "w/mean"
    average.apply([w])
    found = average.average(w)
    assert found is not None
    assert found.op.name == average.average_name(w) == "w/mean"
    assert found not in dt.trainable_variables()
    assert dt.get_collection(dt.GraphKeys.MOVING_AVERAGE_VARIABLES) == [w]
    assert average.variables_to_restore([]) == {"w": w, "w/mean": found}


def test_early_updates_keep_less() -> None:
    w = dt.Variable(0.0, name="w")
    step = dt.train.get_or_create_global_step()
    average = dt.train.ExponentialMovingAverage(0.9, num_updates=step)
    update = average.apply([w])
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        w.load(1.0, session)
        session.run(update)
        assert session.run(average.average(w)) == pytest.approx(0.9)


def test_what_cannot_be_averaged() -> None:
    w, count = dt.Variable(0.0, name="w"), dt.Variable(0, name="count")
    average = dt.train.ExponentialMovingAverage(0.9)
    average.apply([w])
    with pytest.raises(AlreadyExistsError, match='"w:0" has an average already, "w/ExponentialMovingAverage:0"; call'):
        average.apply([w])
    with pytest.raises(DTypeError, match='^ExponentialMovingAverage: "count:0" is int32; give floating ones.$'):
        average.apply([count])
