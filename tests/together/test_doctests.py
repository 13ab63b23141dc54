"""The examples in docstrings run and give what they say."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from types import ModuleType

import numpy as np
import pytest

import dovetail as dt

PACKAGES = ("dovetail", "dovetail_layers", "dovetail_optim", "dovetail_io", "dovetail_train", "dovetail_backend_cpu")


def modules() -> list[str]:
    found = []
    for name in PACKAGES:
        package = importlib.import_module(name)
        found.append(name)
        found.extend(
            module.name
            for module in pkgutil.walk_packages(package.__path__, f"{name}.")
            if not module.name.endswith("__main__")
        )
    return found


@pytest.mark.parametrize("name", modules())
def test_examples_run(name: str, tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    module: ModuleType = importlib.import_module(name)
    monkeypatch.chdir(str(tmp_path))
    finder = doctest.DocTestFinder(exclude_empty=True)
    runner = doctest.DocTestRunner(
        optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL
    )
    report: list[str] = []
    for case in finder.find(module, module.__name__):
        if case.examples:
            with dt.Graph().as_default():
                case.globs.update({"dt": dt, "np": np})
                runner.run(case, out=report.append)
    assert runner.failures == 0, "".join(report)
