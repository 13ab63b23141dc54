"""Names of TensorFlow 1 that are left out say what to use."""

from __future__ import annotations

import pytest

import dovetail as dt
from dovetail.errors import AbsentNameError, PluginError, PluginNotFoundError


def test_at_the_root_in_a_namespace_and_in_a_module() -> None:
    with pytest.raises(AbsentNameError) as raised:
        _ = dt.GradientTape  # type: ignore[attr-defined]
    assert str(raised.value) == (
        "dovetail leaves out 'GradientTape' of TensorFlow 1: use dt.gradients. docs/tensorflow1.md lists all names."
    )
    assert raised.value.name == "GradientTape"
    with pytest.raises(AbsentNameError, match="^dovetail.train leaves out 'Supervisor' of TensorFlow 1: use dt"):
        _ = dt.train.Supervisor
    with pytest.raises(
        AbsentNameError, match="^dovetail.app leaves out 'flags' of TensorFlow 1: use Python's argparse"
    ):
        _ = dt.app.flags  # type: ignore[attr-defined]


def test_on_an_object() -> None:
    with pytest.raises(AbsentNameError, match="^dovetail.Graph leaves out 'as_graph_def' of TensorFlow 1: graphs are"):
        dt.Graph().as_graph_def()  # type: ignore[attr-defined]
    with pytest.raises(AbsentNameError, match="^dovetail.Session leaves out 'partial_run' of TensorFlow 1: fetch"):
        dt.Session().partial_run()  # type: ignore[attr-defined]
    for owner in (dt.Graph(), dt.Session()):
        with pytest.raises(AttributeError, match=f"^'{type(owner).__name__}' object has no attribute 'nothing'$"):
            _ = owner.nothing  # type: ignore[attr-defined]


def test_where_a_namespace_is_empty() -> None:
    with pytest.raises(AbsentNameError, match="^dovetail.summary leaves out 'initialize' of TensorFlow 1: make a dt."):
        _ = dt.summary.initialize
    with pytest.raises(AbsentNameError, match="^dovetail.saved_model leaves out 'save' of TensorFlow 1: use dt"):
        _ = dt.saved_model.save


def test_the_advice_survives_an_import_statement() -> None:
    for statement in ("from dovetail import GradientTape", "from dovetail.train import Supervisor"):
        with pytest.raises(ImportError) as raised:
            exec(statement)
        assert isinstance(raised.value, PluginError)
        assert "of TensorFlow 1: use dt." in str(raised.value)


def test_names_that_nobody_has_are_missing_as_ever() -> None:
    with pytest.raises(AttributeError, match="^module 'dovetail' has no attribute 'reduce_men'$"):
        _ = dt.reduce_men  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match="^module 'dovetail.app' has no attribute 'flogs'$"):
        _ = dt.app.flogs  # type: ignore[attr-defined]
    with pytest.raises(PluginNotFoundError, match="Did you mean"):
        _ = dt.nn.softmaxx
    assert not hasattr(dt, "__nothing__")
    assert not hasattr(dt, "GradientTape")
