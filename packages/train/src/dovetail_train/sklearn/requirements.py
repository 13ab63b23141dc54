"""scikit-learn, which the estimators of this folder need and ``dovetail-train`` does not."""

from __future__ import annotations

import importlib
from typing import Final

from dovetail.errors import PluginError

__all__ = ["require_sklearn"]

_LEAST: Final = (1, 6)


def require_sklearn() -> None:
    """Make sure that scikit-learn can be imported.

    Raises:
        PluginError: it is not installed, or too old.
    """
    try:
        found = importlib.import_module("sklearn").__version__
    except ImportError as error:
        raise PluginError(
            f"dt.sklearn needs scikit-learn, which cannot be imported ({error}). "
            "Install it: pip install 'dovetail-train[sklearn]'"
        ) from error
    if tuple(map(int, found.split(".")[:2])) < _LEAST:
        raise PluginError(
            f"dt.sklearn needs scikit-learn {'.'.join(map(str, _LEAST))} or newer; {found} is installed. "
            "Update it: pip install --upgrade 'dovetail-train[sklearn]'"
        )
