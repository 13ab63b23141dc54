"""Estimators as ONNX models."""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from typing import Any

from sklearn.utils.validation import check_is_fitted

import dovetail as dt
from dovetail_train.sklearn.network import Network

__all__ = ["Exported"]


class Exported(ABC):
    """What can be written as an ONNX model."""

    _network: Network

    def to_onnx(self, path: str | os.PathLike[str], **options: Any) -> Any:
        """Write what the estimator predicts as an ONNX model, compared with it by ONNX Runtime where that is installed.

        The input is ``X``, of the dtype that the estimator was fitted on and of any number of rows. The metadata tell
        the estimator's class, the names of features and, of a classifier, in JSON, the classes.

        Args:
            path: the file.
            options: those of ``dt.io.export_onnx``, such as ``opset``.

        Returns:
            The report of ``dt.io.export_onnx``.

        Raises:
            NotFittedError: the estimator is not fitted.
            PluginError: the package onnx is not installed.
        """
        check_is_fitted(self)
        names = getattr(self, "feature_names_in_", None)
        metadata = {
            "estimator": type(self).__name__,
            **({} if names is None else {"features": self._json(names.tolist())}),
            **self._metadata(),
            **options.pop("metadata", {}),
        }
        return dt.io.export_onnx(
            self._network.session,
            {"X": self._network.inputs},
            self._onnx_outputs(),
            path,
            metadata=metadata,
            **options,
        )

    @abstractmethod
    def _onnx_outputs(self) -> dict[str, Any]:
        """Return the tensors that the model gives, by name."""

    def _metadata(self) -> dict[str, str]:
        """Return what else the model tells of itself."""
        return {}

    @staticmethod
    def _json(value: Any) -> str:
        return json.dumps(value)
