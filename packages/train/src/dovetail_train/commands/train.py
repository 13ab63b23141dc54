"""``dovetail train``: ready estimators on a CSV file or a folder of pictures, without code."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, final

import dovetail as dt
from dovetail.errors import NotFoundError
from dovetail.extend import plugin
from dovetail_train.commands.settings import MODELS, Settings, read_settings
from dovetail_train.commands.table import Table
from dovetail_train.data.images import image_classes
from dovetail_train.estimator.baseline import BaselineClassifier, BaselineRegressor
from dovetail_train.estimator.cnn import CNNClassifier
from dovetail_train.estimator.dnn import DNNClassifier, DNNRegressor
from dovetail_train.estimator.estimator import Estimator
from dovetail_train.estimator.linear import LinearClassifier, LinearRegressor
from dovetail_train.estimator.optimizers import check_optimizer
from dovetail_train.estimator.run_config import RunConfig
from dovetail_train.hooks.checkpoint_saver import CheckpointSaverListener

__all__ = ["RECORD", "train"]

RECORD: Final = "dovetail-train.json"
_EVALUATIONS: Final = 10
_CSV: Final[dict[str, Any]] = dict(
    zip(
        MODELS,
        (DNNClassifier, DNNRegressor, LinearClassifier, LinearRegressor, BaselineClassifier, BaselineRegressor),
        strict=False,
    )
)


def train(arguments: Sequence[str]) -> int:
    """Train as a file of settings says; returns 0."""
    parser = argparse.ArgumentParser(
        prog="dovetail train",
        description="Train a ready network on a CSV file or a folder of pictures, as a file of settings says. Started "
        "again, it goes on where it stopped.",
    )
    parser.add_argument("settings", metavar="CONFIG.toml", help="the settings; docs/estimators.md describes them")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="SECTION.NAME=VALUE",
        help="another value for a setting, such as --set train.steps=100; may be repeated",
    )
    options = parser.parse_args(arguments)
    settings = read_settings(options.settings, options.set)
    job = _of_pictures(settings) if settings["data"]["images"] is not None else _of_table(settings)
    job.run()
    return 0


@final
class _Job:
    """A training: an estimator, its data, and when to look at it."""

    def __init__(
        self,
        settings: Settings,
        make: Callable[[RunConfig], Estimator],
        training: Any,
        validation: Any,
        rows: int,
        record: dict[str, Any],
    ) -> None:
        options = settings["train"]
        self.settings = settings
        self.folder = settings.path(settings["output"]["folder"])
        batch = options["batch_size"]
        self.steps: int = options["steps"] or math.ceil(options["epochs"] * rows / batch)
        every = options["evaluate_every"] or max(1, self.steps // _EVALUATIONS)
        self._patience: int | None = options["patience"]
        self._metric: str = options["metric"]
        self._record = record
        self._estimator = make(
            RunConfig(
                self.folder,
                options["seed"],
                save_checkpoints_steps=every,
                progress=options["progress"],
            )
        )
        buffer, seed = options["shuffle"], options["seed"]
        mixed = training.shuffle(buffer, seed=seed) if buffer else training
        self._training = mixed.repeat().batch(batch).prefetch(2)
        self._validation = None if validation is None else validation.batch(max(batch, 128))

    def run(self) -> None:
        """Train, evaluate, export, and tell."""
        self.folder.mkdir(parents=True, exist_ok=True)
        made = self._estimator.steps_made()
        if made >= self.steps:
            print(
                f"{made} of {self.steps} steps were made before; raise train.steps or train.epochs to go on, or choose "
                "another output.folder to begin anew"
            )
        watch = _Watch(self._estimator, self.folder / "best", self._validation, self._metric, self._patience)
        self._estimator.train(lambda: self._training, max_steps=self.steps, saving_listeners=[watch])
        best = self._estimator.latest_checkpoint() if self._validation is None else watch.best_path
        if self._validation is not None:
            result = self._estimator.evaluate(lambda: self._validation, checkpoint_path=best)
            print(f"validation: {_line(result)}")
        bundle = self._estimator.export_saved_model(self.folder / "export", checkpoint_path=best)
        record = {**self._record, "settings": self.settings.text}
        (self.folder / RECORD).write_text(json.dumps(record, indent=2, default=str) + "\n", encoding="utf-8")
        print(f"the model is saved in {bundle}")
        print(f"to predict: dovetail predict {self.folder} INPUT")


@final
class _Watch(CheckpointSaverListener):
    """Evaluates after each checkpoint, keeps the best in a folder, and stops where nothing becomes better."""

    def __init__(self, estimator: Estimator, folder: Path, validation: Any, metric: str, patience: int | None) -> None:
        self._estimator = estimator
        self._folder = folder
        self._validation = validation
        self._metric = metric
        self._patience = patience
        self._kept = folder / "best.json"
        self._best: dict[str, Any] = json.loads(self._kept.read_text()) if self._kept.is_file() else {}
        self._waited = 0

    @property
    def best_path(self) -> str | None:
        """The checkpoint of the best evaluation, those of earlier programs counted."""
        return self._best.get("checkpoint")

    def begin(self) -> None:
        self._saver = dt.train.Saver(max_to_keep=1, defer_build=True)
        self._first = True

    def after_save(self, session: dt.Session, global_step_value: int) -> bool | None:
        first, self._first = self._first, False
        if self._validation is None or first:  # the checkpoint that training begins with
            return None
        result = self._estimator.evaluate(lambda: self._validation, checkpoint_path=self._estimator.latest_checkpoint())
        if self._metric not in result:
            raise NotFoundError(
                f"train.metric is {self._metric!r}, which the model does not measure; it measures "
                f"{', '.join(map(repr, sorted(result)))}."
            )
        print(f"step {global_step_value}: {_line(result)}", file=sys.stderr)
        value = float(result[self._metric]) * (1.0 if "loss" in self._metric else -1.0)
        if value < self._best.get(self._metric, math.inf):
            self._keep(session, global_step_value, value)
            return None
        self._waited += 1
        if self._patience is None or self._waited < self._patience:
            return None
        print(f"stopped: {self._metric} has not become better for {self._waited} evaluations", file=sys.stderr)
        return True

    def _keep(self, session: dt.Session, step: int, value: float) -> None:
        self._waited = 0
        path = self._saver.save(session, self._folder / "model.ckpt", global_step=step, write_meta_graph=False)
        self._best = {self._metric: value, "checkpoint": path}
        self._kept.write_text(json.dumps(self._best), encoding="utf-8")


def _line(result: dict[str, Any]) -> str:
    return ", ".join(f"{name} {float(value):.4g}" for name, value in sorted(result.items()) if name != "global_step")


def _optimizer(settings: Settings) -> Callable[[], Any]:
    model = settings["model"]
    name = check_optimizer(model["optimizer"], "model.optimizer")
    return lambda: plugin("dovetail.optimizers", name)(learning_rate=model["learning_rate"])


def _of_table(settings: Settings) -> _Job:
    table = Table(settings)
    model = settings["model"]
    kind = _CSV[model["type"]]
    options: dict[str, Any] = {"optimizer": _optimizer(settings)}
    if not model["type"].startswith("baseline"):
        options["feature_columns"] = table.columns()
    if model["type"].startswith("dnn"):
        options.update(
            hidden_units=model["hidden_units"],
            activation_fn=model["activation"],
            dropout=model["dropout"],
            batch_norm=model["batch_norm"],
        )
    if table.classes is not None:
        options.update(n_classes=len(table.classes), label_vocabulary=table.classes)
    options["loss_reduction"] = dt.losses.Reduction.SUM_OVER_BATCH_SIZE
    record = {"label": table.label, "classes": table.classes, "kind": "table"}

    def make(config: RunConfig) -> Estimator:
        made: Estimator = kind(config=config, **options)
        return made

    return _Job(settings, make, table.training(), table.validation(), table.rows, record)


def _of_pictures(settings: Settings) -> _Job:
    data, model = settings["data"], settings["model"]
    size = data["image_size"]
    if size is None:
        raise settings.fail("[data]: image_size is missing; give height and width to scale to, such as [32, 32].")
    shape = [size, size] if isinstance(size, int) else size
    folder = settings.existing("images")
    whole = dt.data.from_image_folder(folder, mode=data["image_mode"], size=shape)
    classes = image_classes(folder)
    mixed = whole.shuffle(seed=settings["train"]["seed"] or 0, reshuffle_each_iteration=False)
    held = 0
    validation: Any = None
    if data["validation_images"] is not None:
        validation = dt.data.from_image_folder(
            settings.existing("validation_images"), mode=data["image_mode"], size=shape, classes=classes
        )
    else:
        held = math.floor(len(whole) * data["validation"])
        validation = mixed.take(held) if held else None
    training = mixed.skip(held)
    rows = len(whole) - held
    record = {"classes": classes, "kind": "pictures", "mode": data["image_mode"], "size": shape}

    def make(config: RunConfig) -> Estimator:
        return CNNClassifier(
            len(classes),
            model["filters"],
            hidden_units=model["hidden_units"],
            optimizer=_optimizer(settings),
            activation_fn=model["activation"],
            dropout=model["dropout"],
            batch_norm=model["batch_norm"],
            label_vocabulary=None,
            config=config,
        )

    return _Job(settings, make, training, validation, rows, record)
