"""``dovetail train``: ready estimators on a CSV file or a folder of pictures, without code."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Sequence
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
                keep_checkpoint_max=max(5, (self._patience or 0) + 2),
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
                f"{made} of {self.steps} steps were made before; raise train.steps or train.epochs to go on, or choose another "
                "output.folder to begin anew"
            )
        watch = _Watch(self._estimator, self._validation, self._metric, self._patience)
        self._estimator.train(lambda: self._training, max_steps=self.steps, saving_listeners=[watch])
        best = watch.best_path or self._estimator.latest_checkpoint()
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
    """Evaluates after each checkpoint, remembers the best, and stops where nothing becomes better."""

    def __init__(self, estimator: Estimator, validation: Any, metric: str, patience: int | None) -> None:
        self.best_path: str | None = None
        self._estimator = estimator
        self._validation = validation
        self._metric = metric
        self._patience = patience
        self._best = math.inf
        self._waited = 0

    def after_save(self, session: dt.Session, global_step_value: int) -> bool | None:
        if self._validation is None or not global_step_value:
            return None
        path = self._estimator.latest_checkpoint()
        result = self._estimator.evaluate(lambda: self._validation, checkpoint_path=path)
        if self._metric not in result:
            raise NotFoundError(
                f"train.metric is {self._metric!r}, which the model does not measure; it measures "
                f"{', '.join(map(repr, sorted(result)))}."
            )
        print(f"step {global_step_value}: {_line(result)}", file=sys.stderr)
        value = float(result[self._metric]) * (1.0 if "loss" in self._metric else -1.0)
        if value < self._best:
            self._best, self._waited, self.best_path = value, 0, path
            return None
        self._waited += 1
        if self._patience is None or self._waited < self._patience:
            return None
        print(f"stopped: {self._metric} has not become better for {self._waited} evaluations", file=sys.stderr)
        return True


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
