"""How an estimator is exported: its prediction graph with the values of a checkpoint, as a bundle."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dovetail as dt
from dovetail.errors import DTypeError, InvalidArgumentError, NotFoundError
from dovetail_train.estimator.batches import NoPosition
from dovetail_train.estimator.export import ServingInputReceiver, outputs_of
from dovetail_train.estimator.model import Model
from dovetail_train.estimator.run_config import RunConfig
from dovetail_train.estimator.training import fitting
from dovetail_train.monitored_session import SingularMonitoredSession

__all__ = ["as_receiver", "write_bundle"]

_DEFAULT = "serving_default"


def as_receiver(given: Any) -> ServingInputReceiver:
    """Return what a ``serving_input_receiver_fn`` returned, with names for what is fed.

    Raises:
        DTypeError: it is something else.
    """
    if not isinstance(given, ServingInputReceiver):
        raise DTypeError(
            f"export_saved_model: serving_input_receiver_fn returned {given!r}; let it return a "
            "dt.estimator.export.ServingInputReceiver."
        )
    fed = given.receiver_tensors
    return given._replace(receiver_tensors=dict(fed) if isinstance(fed, Mapping) else {"input": fed})


def write_bundle(
    model: Model,
    receiver: ServingInputReceiver,
    base: str | os.PathLike[str],
    checkpoint: str,
    config: RunConfig,
    assets_extra: Mapping[str, str | os.PathLike[str]] | None,
) -> str:
    """Write the default graph, which is the model's, to a new folder in ``base``, named by the time.

    Returns:
        The folder.

    Raises:
        InvalidArgumentError: the model has no outputs to export, or an asset's place is taken.
        NotFoundError: an asset is no file.
    """
    for place, file in (assets_extra or {}).items():
        if not Path(file).is_file():
            raise NotFoundError(f'export_saved_model: the asset {place!r}, "{file}", is no file.')
    signatures = _signatures(model, receiver)
    dt.add_to_collection(dt.GraphKeys.SAVEABLE_OBJECTS, NoPosition())
    with fitting(Path(checkpoint).parent):
        session = SingularMonitoredSession(
            scaffold=model.spec.scaffold, config=config.session_config, checkpoint_filename_with_path=checkpoint
        )
    with session:
        folder = _free_folder(Path(base))
        builder = dt.saved_model.Builder(folder)
        builder.add_meta_graph_and_variables(
            session.raw_session(), [dt.saved_model.tag_constants.SERVING], signature_def_map=signatures
        )
        builder.save()
    for place, file in (assets_extra or {}).items():
        target = folder / "assets.extra" / place
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    dt.logging.info("SavedModel written to: %s", folder)
    return str(folder)


def _signatures(model: Model, receiver: ServingInputReceiver) -> dict[str, Any]:
    exported = dict(model.spec.export_outputs or {})
    if not exported:
        exported[_DEFAULT] = outputs_of(_DEFAULT, model.spec.predictions)
    if _DEFAULT not in exported:
        if len(exported) > 1:
            raise InvalidArgumentError(
                f"export_saved_model: export_outputs has {', '.join(map(repr, exported))}; call one of them "
                f"{_DEFAULT!r}, which is what a predictor answers by."
            )
        exported[_DEFAULT] = next(iter(exported.values()))
    make = dt.saved_model.predict_signature_def
    found = {name: make(receiver.receiver_tensors, outputs_of(name, given)) for name, given in exported.items()}
    for name, tensors in (receiver.receiver_tensors_alternatives or {}).items():
        fed = tensors if isinstance(tensors, Mapping) else {"input": tensors}
        found[name] = make(fed, outputs_of(_DEFAULT, exported[_DEFAULT]))
    return found


def _free_folder(base: Path) -> Path:
    """Return a folder for a new version: seconds since 1970, so that the newest has the greatest number."""
    number = time.time_ns() // 10**9
    while (base / str(number)).exists():
        number += 1
    return base / str(number)
