"""The graph that a model function makes for one mode and one kind of input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

import dovetail as dt
from dovetail.errors import DTypeError
from dovetail_train.estimator.batches import Batch, Batches
from dovetail_train.estimator.estimator_spec import EstimatorSpec
from dovetail_train.estimator.mode_keys import ModeKeys

__all__ = ["Model"]


@final
class Model:
    """A graph for one mode, and what is fed to it.

    Attributes:
        mode: one of ``ModeKeys``.
        graph: the graph.
        feeds: placeholders for the arrays of a batch; empty where the input is made of tensors.
        global_step: the number of steps that were made.
        spec: what the model function returned.
        metrics: values and updates by name, the mean of the loss among them, where the mode is to evaluate.
    """

    def __init__(
        self,
        mode: str,
        graph: dt.Graph,
        source: Batches | tuple[Any, Any],
        call: Callable[[Any, Any], Any],
    ) -> None:
        """Call the model function in the default graph, which is ``graph``."""
        self.mode = mode
        self.graph = graph
        self.feeds: list[dt.Tensor] = []
        if isinstance(source, Batches):
            structure, self.feeds = source.kind.placeholders(source.first.structure)
            features, labels = (*structure, None)[:2]
        else:
            features, labels = source
        self.global_step: dt.Variable = dt.train.get_or_create_global_step(graph)
        self.features = features
        spec = call(features, None if mode == ModeKeys.PREDICT else labels)
        if not isinstance(spec, EstimatorSpec):
            raise DTypeError(
                f"model_fn returned {spec!r}; let it return a dt.estimator.EstimatorSpec for the mode {mode!r}."
            )
        self.spec = spec
        self.metrics: dict[str, Any] = {}
        if mode == ModeKeys.EVAL:
            self.metrics = dict(spec.eval_metric_ops)
            self.metrics.setdefault("loss", dt.metrics.mean(spec.loss, name="loss"))

    def feed(self, batch: Batch | None) -> dict[dt.Tensor, Any] | None:
        """Return what to feed for a batch; nothing where the input is made of tensors."""
        if batch is None:
            return None
        return dict(zip(self.feeds, batch.arrays, strict=True))
