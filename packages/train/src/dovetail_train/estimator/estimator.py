"""``Estimator``: training, evaluation and prediction from one model function."""

from __future__ import annotations

import copy
import itertools
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

import dovetail as dt
from dovetail.errors import InvalidArgumentError
from dovetail_train.estimator.batches import Batch, Batches, Kind, open_input
from dovetail_train.estimator.calling import call_with
from dovetail_train.estimator.export import ServingInputReceiver
from dovetail_train.estimator.exporting import as_receiver, write_bundle
from dovetail_train.estimator.known_features import KnownFeatures, known_features
from dovetail_train.estimator.metrics_log import log_metrics
from dovetail_train.estimator.mode_keys import ModeKeys
from dovetail_train.estimator.model import Model
from dovetail_train.estimator.prediction import rows
from dovetail_train.estimator.restored import Checkpoints, Restored
from dovetail_train.estimator.run_config import RunConfig
from dovetail_train.estimator.training import run_training
from dovetail_train.estimator.warm_start import WarmStartSettings, warm_start
from dovetail_train.hooks.checkpoint_saver import CheckpointSaverListener
from dovetail_train.hooks.stop_at_step import StopAtStepHook
from dovetail_train.session_run_hook import SessionRunHook

__all__ = ["Estimator"]

_GRAPHS_KEPT: Final = 8
_PREPARED_KEPT: Final = 64


class Estimator:
    """Trains, evaluates and predicts with a network that a function describes.

    The function is called once for each mode and kind of input, in a graph of its own. Training goes on from the newest
    checkpoint in ``model_dir``, at the position in the input where that was saved, and saves there; evaluation and
    prediction read it from there.

    An ``input_fn`` is called without arguments (or with those of ``mode``, ``params`` and ``config`` that it takes) and
    returns features, or a pair ``(features, labels)``. Each is an array, or a dict of arrays with one row for each
    example. What is returned is one batch, which training repeats; a data set of ``dt.data``, a generator, or any other
    iterable gives batches one after the other until it ends. It may return tensors as well.

    Args:
        model_fn: takes ``features``, and by name what it wants of ``labels``, ``mode``, ``params`` and ``config``;
            returns an `EstimatorSpec`.
        model_dir: the folder of checkpoints and logs; that of ``config``, or else a new one among the temporary files.
        config: how to run.
        params: what ``model_fn`` and ``input_fn`` get as ``params``.
        warm_start_from: a checkpoint, or a folder of them, or `WarmStartSettings`: first values of variables, where
            ``model_dir`` has no checkpoint.

    Raises:
        InvalidArgumentError: ``model_fn`` takes arguments that are not known, or the folder is given twice and differs.

    Example:
        >>> def line(features, labels, mode):
        ...     w, b = dt.get_variable("w", []), dt.get_variable("b", [])
        ...     y = w * features + b
        ...     if mode == dt.estimator.ModeKeys.PREDICT:
        ...         return dt.estimator.EstimatorSpec(mode, predictions=y)
        ...     loss = dt.losses.mean_squared_error(labels, y)
        ...     step = dt.train.get_global_step()
        ...     train = dt.train.GradientDescentOptimizer(0.1).minimize(loss, global_step=step)
        ...     return dt.estimator.EstimatorSpec(mode, loss=loss, train_op=train)
        >>> x = np.array([0.0, 1.0, 2.0, 3.0], np.float32)
        >>> estimator = dt.estimator.Estimator(line, model_dir="line")
        >>> _ = estimator.train(lambda: (x, 2 * x + 1), steps=200)
        >>> [round(float(y)) for y in estimator.predict(lambda: x)]
        [1, 3, 5, 7]
        >>> sorted(estimator.evaluate(lambda: (x, 2 * x + 1)))
        ['global_step', 'loss']
    """

    def __init__(
        self,
        model_fn: Callable[..., Any],
        model_dir: str | os.PathLike[str] | None = None,
        config: RunConfig | None = None,
        params: Mapping[str, Any] | None = None,
        warm_start_from: str | os.PathLike[str] | WarmStartSettings | None = None,
    ) -> None:
        """Settle the folder."""
        config = config or RunConfig()
        if not isinstance(config, RunConfig):
            raise InvalidArgumentError(f"Estimator: config is {config!r}; give a dt.estimator.RunConfig.")
        given = None if model_dir is None else os.fspath(model_dir)
        if given is not None and config.model_dir is not None and given != config.model_dir:
            raise InvalidArgumentError(
                f"Estimator: model_dir is {given!r}, and that of config {config.model_dir!r}; give one of them."
            )
        folder = given or config.model_dir
        if folder is None:
            folder = tempfile.mkdtemp(prefix="dovetail-estimator-")
            dt.logging.warning("Using temporary folder as model directory: %s", folder)
        if not callable(model_fn):
            raise InvalidArgumentError(
                f"Estimator: model_fn is {model_fn!r}; give a function of features, labels and mode."
            )
        self._model_fn = model_fn
        self._config = config.replace(model_dir=folder)
        self._params: dict[str, Any] = copy.deepcopy(dict(params or {}))
        self._warm_start = warm_start_from
        self._checkpoints = Checkpoints(folder)
        self._kept: dict[Any, Restored] = {}
        self._prepared: dict[Any, tuple[Restored, Callable[..., Any]]] = {}
        self._scratch: dt.Graph | None = None
        self._seen: tuple[Kind, Any] | None = None

    # What it is. -----------------------------------------------------------------------------------------------------

    @property
    def model_dir(self) -> str:
        """The folder of checkpoints and logs."""
        return str(self._config.model_dir)

    @property
    def config(self) -> RunConfig:
        """How it runs; a copy."""
        return copy.copy(self._config)

    @property
    def params(self) -> dict[str, Any]:
        """What the functions get as ``params``; a copy."""
        return copy.deepcopy(self._params)

    @property
    def model_fn(self) -> Callable[..., Any]:
        """The model function."""
        return self._model_fn

    def latest_checkpoint(self) -> str | None:
        """Return the path of the newest checkpoint, or ``None`` where there is none."""
        found: str | None = dt.train.latest_checkpoint(self.model_dir)
        return found

    def get_variable_names(self) -> list[str]:
        """Return the names of the variables in the newest checkpoint.

        Raises:
            NotFoundError: there is no checkpoint.
        """
        return [name for name, _ in dt.train.list_variables(self._checkpoints.find(None, "get_variable_names").path)]

    def get_variable_value(self, name: str) -> Any:
        """Return the value of a variable in the newest checkpoint.

        Raises:
            NotFoundError: there is no checkpoint, or no such variable.
        """
        return dt.train.load_variable(self._checkpoints.find(None, "get_variable_value").path, name)

    # Training. -------------------------------------------------------------------------------------------------------

    def train(
        self,
        input_fn: Callable[..., Any],
        hooks: Iterable[SessionRunHook] | None = None,
        steps: int | None = None,
        max_steps: int | None = None,
        saving_listeners: Iterable[CheckpointSaverListener] | None = None,
    ) -> Self:
        """Train, from where the newest checkpoint stands, until the input ends or so many steps are made.

        Args:
            input_fn: gives features and labels.
            hooks: called around each step.
            steps: how many steps to make.
            max_steps: the global step to end at, those of earlier calls counted; nothing is done where it is reached.
            saving_listeners: what is told of checkpoints.

        Returns:
            The estimator.

        Raises:
            InvalidArgumentError: both numbers of steps are given, or one is not positive, or nothing would end the
                loop; ``input_fn`` gives nothing, or a batch of another kind than the first.
            NotFoundError, ShapeError, DTypeError: the folder holds the checkpoints of another model.
        """
        if steps is not None and max_steps is not None:
            raise InvalidArgumentError(f"train: steps is {steps}, max_steps {max_steps}; give one of them.")
        for name, number in (("steps", steps), ("max_steps", max_steps)):
            if number is not None and number <= 0:
                raise InvalidArgumentError(f"train: {name} is {number}; it must be positive, or None.")
        if max_steps is not None and self.steps_made() >= max_steps:
            dt.logging.info("Skipping training since max_steps has already saved.")
            return self
        chosen = list(hooks or ())
        graph = self._new_graph()
        with graph.as_default():
            source = self._open(self._call(input_fn, ModeKeys.TRAIN, "train"), ModeKeys.TRAIN, "train")
            try:
                model = self._model(ModeKeys.TRAIN, graph, source)
                if steps is None and max_steps is None and not chosen and not model.spec.training_hooks:
                    self._check_end(source)
                if steps is not None or max_steps is not None:
                    chosen.append(StopAtStepHook(steps, max_steps))
                start = None if self._warm_start is None else warm_start(self._warm_start)
                batches = source if isinstance(source, Batches) else None
                end = max_steps if steps is None else self.steps_made() + steps
                loss = run_training(model, batches, self._config, chosen, list(saving_listeners or ()), start, end)
            finally:
                self._checkpoints.changed()
                if isinstance(source, Batches):
                    source.close()
        dt.logging.info("Loss for final step: %s.", loss)
        return self

    def steps_made(self) -> int:
        """Return the global step of the newest checkpoint; 0 where there is none."""
        latest = self.latest_checkpoint()
        return 0 if latest is None else int(dt.train.load_variable(latest, "global_step"))

    def _check_end(self, source: Any) -> None:
        """Refuse to train for ever.

        Raises:
            InvalidArgumentError: nothing would end it.
        """
        if isinstance(source, Batches) and source.endless:
            raise InvalidArgumentError(
                "train: input_fn returns arrays, which are one batch that is repeated for ever; give steps or "
                "max_steps, or return a data set such as dt.estimator.inputs.numpy_input_fn makes."
            )

    # Evaluation. -----------------------------------------------------------------------------------------------------

    def evaluate(
        self,
        input_fn: Callable[..., Any],
        steps: int | None = None,
        hooks: Sequence[SessionRunHook] | None = None,
        checkpoint_path: str | os.PathLike[str] | None = None,
        name: str | None = None,
    ) -> dict[str, Any]:
        """Return the metrics of the model function over an input, with the mean of the loss and the global step.

        Where tensorboard is installed they are written to ``eval`` in the model's folder too, for TensorBoard.

        Args:
            input_fn: gives features and labels; arrays and tensors are one batch.
            steps: how many batches to take at most; all by default.
            hooks: called around each step.
            checkpoint_path: the checkpoint to evaluate; the newest by default.
            name: of this evaluation, where there are several; it is in messages and the folder's name, ``eval_name``.

        Raises:
            InvalidArgumentError: ``steps`` is not positive, or ``input_fn`` gives nothing.
            NotFoundError: there is no checkpoint, or it is another model's.
        """
        if steps is not None and steps <= 0:
            raise InvalidArgumentError(f"evaluate: steps is {steps}; it must be positive, or None.")
        graph, read = self._read(input_fn, ModeKeys.EVAL, "evaluate")
        running, source = self._restored(ModeKeys.EVAL, graph, read, hooks, checkpoint_path, "evaluate")
        result = running.evaluate(_limited(source, steps))
        log_metrics(Path(self.model_dir) / (f"eval_{name}" if name else "eval"), result, result["global_step"])
        text = ", ".join(f"{key} = {value}" for key, value in sorted(result.items()))
        dt.logging.info(
            "Saving dict for global step %d%s: %s", result["global_step"], f" ({name})" if name else "", text
        )
        return result

    test = evaluate

    # Prediction. -----------------------------------------------------------------------------------------------------

    def predict(
        self,
        input_fn: Callable[..., Any],
        predict_keys: Sequence[str] | str | None = None,
        hooks: Sequence[SessionRunHook] | None = None,
        checkpoint_path: str | os.PathLike[str] | None = None,
        yield_single_examples: bool = True,
    ) -> Iterator[Any]:
        """Return predictions one after the other; see ``predict_on_batch`` for those of one batch at once.

        Args:
            input_fn: gives features; labels are left out.
            predict_keys: which of the predictions to give, where they are a dict; all by default.
            hooks: called around each step.
            checkpoint_path: the checkpoint to predict with; the newest by default.
            yield_single_examples: whether to give rows, or else whole batches.

        Returns:
            An iterator over dicts by name, or over rows where the predictions are one tensor.

        Raises:
            NotFoundError: there is no checkpoint, or it is another model's, or no such prediction.
            ShapeError: at the first batch, if predictions have no row for each example.
        """
        graph, result = self._read(input_fn, ModeKeys.PREDICT, "predict")
        known = None if hooks or checkpoint_path is not None else known_features(result)
        if known is not None:
            batches: Iterator[Any] = iter((self._predicted(known, graph, result, predict_keys, "predict"),))
        else:
            running, source = self._restored(ModeKeys.PREDICT, graph, result, hooks, checkpoint_path, "predict")
            batches = running.predictions(predict_keys, source)
        return rows(batches, yield_single_examples)

    def predict_on_batch(self, features: Any, predict_keys: Sequence[str] | str | None = None) -> Any:
        """Return the predictions for one batch of features, at once: the fastest way.

        Args:
            features: an array, or a dict of arrays.
            predict_keys: which of the predictions to give; all by default.

        Returns:
            A dict of arrays by name, or an array where the predictions are one tensor.
        """
        who = "predict_on_batch"
        graph = self._free_graph()
        known = known_features(features)
        if known is not None:
            return self._predicted(known, graph, features, predict_keys, who)
        running, source = self._restored(ModeKeys.PREDICT, graph, features, None, None, who)
        return next(running.predictions(predict_keys, source))

    def _predicted(
        self, known: KnownFeatures, graph: dt.Graph, features: Any, keys: Sequence[str] | str | None, who: str
    ) -> Any:
        """Return the predictions for one batch, by what was prepared for features like these."""
        wanted = keys if keys is None or isinstance(keys, str) else tuple(keys)
        prepared = self._prepared.get((known.kind, wanted))
        if prepared is None:
            running, _ = self._restored(ModeKeys.PREDICT, graph, features, None, None, who)
            call = running.callable_for(keys)
            if running.has_hooks:
                return call(*known.arrays)
            if len(self._prepared) >= _PREPARED_KEPT:
                self._prepared.clear()
            self._prepared[known.kind, wanted] = (running, call)
        else:
            running, call = prepared
            running.restore(self._checkpoints.find(None, who))
        return call(*known.arrays)

    # Export. ---------------------------------------------------------------------------------------------------------

    def export_saved_model(
        self,
        export_dir_base: str | os.PathLike[str],
        serving_input_receiver_fn: Callable[[], Any] | None = None,
        assets_extra: Mapping[str, str | os.PathLike[str]] | None = None,
        as_text: bool = False,
        checkpoint_path: str | os.PathLike[str] | None = None,
    ) -> str:
        """Write a bundle that predicts without the model function, for ``dt.saved_model.predictor``.

        Args:
            export_dir_base: where to make the bundle's folder, which is named by the time.
            serving_input_receiver_fn: returns a ``dt.estimator.export.ServingInputReceiver``; by default a bundle
                takes the features that this estimator was last called with.
            assets_extra: files to copy into ``assets.extra``, by their place there.
            as_text: has no effect; here for TensorFlow 1 programs.
            checkpoint_path: the checkpoint to export; the newest by default.

        Returns:
            The bundle's folder.

        Raises:
            NotFoundError: there is no checkpoint.
            InvalidArgumentError: no features are known.

        Example:
            >>> columns = [dt.feature_column.numeric_column("x")]
            >>> estimator = dt.estimator.LinearRegressor(columns, "double")
            >>> _ = estimator.train(lambda: ({"x": [1.0, 2.0]}, [2.0, 4.0]), steps=100)
            >>> predict = dt.saved_model.predictor(estimator.export_saved_model("exports"))
            >>> predict({"x": [3.0]})["predictions"].shape
            (1, 1)
        """
        checkpoint = self._checkpoints.find(checkpoint_path, "export_saved_model")
        graph = self._new_graph()
        with graph.as_default():
            receiver = as_receiver((serving_input_receiver_fn or self._receive)())
            model = self._model(ModeKeys.PREDICT, graph, (receiver.features, None))
            return write_bundle(model, receiver, export_dir_base, checkpoint.path, self._config, assets_extra)

    def _receive(self) -> ServingInputReceiver:
        """Make placeholders like the features that were last seen."""
        if self._seen is None:
            raise InvalidArgumentError(
                "export_saved_model: no features have been seen yet; train, evaluate or predict before, or give "
                "serving_input_receiver_fn, such as dt.estimator.export.build_raw_serving_input_receiver_fn(features)."
            )
        kind, structure = self._seen
        (features, *_), _ = kind.placeholders(structure)
        return ServingInputReceiver(features, features)

    # Graphs. ---------------------------------------------------------------------------------------------------------

    def _new_graph(self) -> dt.Graph:
        graph = dt.Graph()
        with graph.as_default():
            if self._config.tf_random_seed is not None:
                dt.set_random_seed(self._config.tf_random_seed)
            dt.train.create_global_step(graph)
        return graph

    def _read(self, input_fn: Callable[..., Any], mode: str, who: str) -> tuple[dt.Graph, Any]:
        """Call an ``input_fn`` in a graph that is free; returns both."""
        graph = self._free_graph()
        with graph.as_default():
            return graph, self._call(input_fn, mode, who)

    def _free_graph(self) -> dt.Graph:
        """Return a graph that nothing has been built in; the next call gets it too, unless something is."""
        if self._scratch is None:
            self._scratch = self._new_graph()
        return self._scratch

    def _call(self, input_fn: Callable[..., Any], mode: str, who: str) -> Any:
        if not callable(input_fn):
            raise InvalidArgumentError(
                f"{who}: input_fn is a {type(input_fn).__name__}; give a function that returns it, as lambda: data."
            )
        known = {"mode": mode, "params": self._params, "config": self._config}
        return call_with(input_fn, f"{who}: input_fn", (), known)

    def _open(self, result: Any, mode: str, who: str) -> Batches | tuple[Any, Any]:
        source = open_input(
            result,
            who,
            check=None if mode == ModeKeys.PREDICT else self._check_batch,
            open_axes=self._open_axes,
            repeat=mode == ModeKeys.TRAIN,
            labelled=mode != ModeKeys.PREDICT,
        )
        if isinstance(source, Batches):
            self._seen = (source.kind, source.first.structure)
        return source

    def _model(self, mode: str, graph: dt.Graph, source: Batches | tuple[Any, Any]) -> Model:
        known = {"labels": None, "mode": mode, "params": self._params, "config": self._config}

        def call(features: Any, labels: Any) -> Any:
            known["labels"] = labels
            needed = [*(["labels"] if labels is not None else []), *(["params"] if self._params else [])]
            return call_with(self._model_fn, "model_fn", (features,), known, needed)

        return Model(mode, graph, source, call)

    def _restored(
        self,
        mode: str,
        graph: dt.Graph,
        result: Any,
        hooks: Sequence[SessionRunHook] | None,
        checkpoint_path: str | os.PathLike[str] | None,
        who: str,
    ) -> tuple[Restored, Batches | None]:
        """Return a session with the values of a checkpoint, and its input; graphs are kept between calls."""
        checkpoint = self._checkpoints.find(checkpoint_path, who)
        with graph.as_default():
            source = self._open(result, mode, who)
        batches = source if isinstance(source, Batches) else None
        key = None if hooks or batches is None else (mode, batches.kind)
        if key is not None and key in self._kept:
            running = self._kept[key]
            running.restore(checkpoint)
            return running, batches
        self._scratch = None
        with graph.as_default():
            model = self._model(mode, graph, source)
            running = Restored(model, checkpoint, self._config, list(hooks or ()))
        if key is not None and not running.has_hooks:
            for old in list(itertools.islice(self._kept, max(0, len(self._kept) + 1 - _GRAPHS_KEPT))):
                self._kept.pop(old).close()
                self._prepared.clear()
            self._kept[key] = running
        return running, batches

    # What ready estimators add. --------------------------------------------------------------------------------------

    _open_axes: tuple[int, ...] = ()

    def _check_batch(self, batch: Batch, where: str) -> None:
        """Look at a batch with labels; raises where it cannot be used."""


def _limited(batches: Batches | None, steps: int | None) -> Iterator[Batch | None]:
    """Take so many batches at most; of tensors one, unless more are wanted."""
    if batches is None:
        return itertools.repeat(None, steps or 1)
    return itertools.islice(batches, steps)
