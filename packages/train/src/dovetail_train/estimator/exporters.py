"""Exporters: when ``train_and_evaluate`` exports the model."""

from __future__ import annotations

import json
import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, final

import dovetail as dt
from dovetail.errors import FormatError, InvalidArgumentError, NotFoundError

__all__ = ["BestExporter", "Exporter", "FinalExporter", "LatestExporter"]

Receive = Callable[[], Any] | None


class Exporter(ABC):
    """Base of what exports a model after an evaluation."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The folder, below ``export`` in that of the model."""

    @abstractmethod
    def export(
        self,
        estimator: Any,
        export_path: str | os.PathLike[str],
        checkpoint_path: str,
        eval_result: Mapping[str, Any],
        is_the_final_export: bool,
    ) -> str | None:
        """Export, or not.

        Args:
            estimator: the estimator.
            export_path: the folder of exports.
            checkpoint_path: the checkpoint that was evaluated.
            eval_result: the metrics.
            is_the_final_export: whether training has ended.

        Returns:
            The folder of the export, or ``None`` where nothing was exported.
        """


class _ToFolder(Exporter):
    def __init__(
        self,
        name: str,
        serving_input_receiver_fn: Receive = None,
        assets_extra: Mapping[str, str | os.PathLike[str]] | None = None,
        as_text: bool = False,
        exports_to_keep: int | None = None,
    ) -> None:
        if exports_to_keep is not None and exports_to_keep < 1:
            raise InvalidArgumentError(
                f"{type(self).__name__}: exports_to_keep is {exports_to_keep}; it must be positive, or None for all."
            )
        self._name = name
        self._receive = serving_input_receiver_fn
        self._assets = assets_extra
        self._keep = exports_to_keep

    @property
    def name(self) -> str:
        """The folder, below ``export`` in that of the model."""
        return self._name

    def _write(self, estimator: Any, path: str | os.PathLike[str], checkpoint: str) -> str:
        folder: str = estimator.export_saved_model(path, self._receive, self._assets, checkpoint_path=checkpoint)
        if self._keep is not None:
            versions = sorted(
                (one for one in Path(path).iterdir() if one.name.isdecimal()), key=lambda one: int(one.name)
            )
            for old in versions[: -self._keep]:
                shutil.rmtree(old)
        return folder


@final
class FinalExporter(_ToFolder):
    """Exports once, when training has ended.

    Args:
        name: the folder of the exports.
        serving_input_receiver_fn: as for ``export_saved_model``.
        assets_extra: as for ``export_saved_model``.
        as_text: has no effect; here for TensorFlow 1 programs.
    """

    def __init__(
        self,
        name: str,
        serving_input_receiver_fn: Receive = None,
        assets_extra: Mapping[str, str | os.PathLike[str]] | None = None,
        as_text: bool = False,
    ) -> None:
        """Remember what is given."""
        super().__init__(name, serving_input_receiver_fn, assets_extra, as_text)

    def export(
        self,
        estimator: Any,
        export_path: str | os.PathLike[str],
        checkpoint_path: str,
        eval_result: Mapping[str, Any],
        is_the_final_export: bool,
    ) -> str | None:
        """Export at the end."""
        return self._write(estimator, export_path, checkpoint_path) if is_the_final_export else None


@final
class LatestExporter(_ToFolder):
    """Exports after each evaluation.

    Args:
        name: the folder of the exports.
        serving_input_receiver_fn: as for ``export_saved_model``.
        assets_extra: as for ``export_saved_model``.
        as_text: has no effect; here for TensorFlow 1 programs.
        exports_to_keep: so many of the newest stay; ``None`` for all.
    """

    def __init__(
        self,
        name: str,
        serving_input_receiver_fn: Receive = None,
        assets_extra: Mapping[str, str | os.PathLike[str]] | None = None,
        as_text: bool = False,
        exports_to_keep: int | None = 5,
    ) -> None:
        """Remember what is given."""
        super().__init__(name, serving_input_receiver_fn, assets_extra, as_text, exports_to_keep)

    def export(
        self,
        estimator: Any,
        export_path: str | os.PathLike[str],
        checkpoint_path: str,
        eval_result: Mapping[str, Any],
        is_the_final_export: bool,
    ) -> str | None:
        """Export."""
        return self._write(estimator, export_path, checkpoint_path)


def _less_loss(best_eval_result: Mapping[str, Any], current_eval_result: Mapping[str, Any]) -> bool:
    for result in (best_eval_result, current_eval_result):
        if "loss" not in result:
            raise NotFoundError("BestExporter: an evaluation gave no 'loss'; give compare_fn.")
    return bool(best_eval_result["loss"] > current_eval_result["loss"])


@final
class BestExporter(_ToFolder):
    """Exports after each evaluation that is the best so far, those of earlier programs counted.

    Args:
        name: the folder of the exports.
        serving_input_receiver_fn: as for ``export_saved_model``.
        event_file_pattern: has no effect: the best result is kept beside the exports; here for TensorFlow 1 programs.
        compare_fn: takes ``best_eval_result`` and ``current_eval_result`` and says whether the second is better; that
            with the smaller loss by default.
        assets_extra: as for ``export_saved_model``.
        as_text: has no effect; here for TensorFlow 1 programs.
        exports_to_keep: so many of the newest stay; ``None`` for all.
    """

    def __init__(
        self,
        name: str = "best_exporter",
        serving_input_receiver_fn: Receive = None,
        event_file_pattern: str = "eval/*.tfevents.*",
        compare_fn: Callable[[Mapping[str, Any], Mapping[str, Any]], bool] = _less_loss,
        assets_extra: Mapping[str, str | os.PathLike[str]] | None = None,
        as_text: bool = False,
        exports_to_keep: int | None = 5,
    ) -> None:
        """Remember what is given."""
        super().__init__(name, serving_input_receiver_fn, assets_extra, as_text, exports_to_keep)
        self._better = compare_fn

    def export(
        self,
        estimator: Any,
        export_path: str | os.PathLike[str],
        checkpoint_path: str,
        eval_result: Mapping[str, Any],
        is_the_final_export: bool,
    ) -> str | None:
        """Export, where the result is better than the best before."""
        kept = Path(export_path) / "best.json"
        best = _read(kept)
        if best is not None and not self._better(best, eval_result):
            return None
        dt.logging.info("Performing best model export.")
        folder = self._write(estimator, export_path, checkpoint_path)
        numbers = {name: float(value) for name, value in eval_result.items() if getattr(value, "ndim", 0) == 0}
        work = kept.with_suffix(".part")
        work.write_text(json.dumps(numbers, indent=2))
        work.replace(kept)
        return folder


def _read(path: Path) -> dict[str, float] | None:
    try:
        found: dict[str, float] = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise FormatError(
            f'BestExporter: "{path}", which holds the best result so far, is damaged: {error}. Delete it to begin anew.'
        ) from error
    return found
