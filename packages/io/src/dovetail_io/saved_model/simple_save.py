"""``simple_save``: a bundle for serving, in one call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dovetail as dt
from dovetail_io.checkpoint import PathLike
from dovetail_io.saved_model.builder import SavedModelBuilder
from dovetail_io.saved_model.signature_constants import DEFAULT_SERVING_SIGNATURE_DEF_KEY
from dovetail_io.saved_model.signatures import predict_signature_def
from dovetail_io.saved_model.tag_constants import SERVING

__all__ = ["simple_save"]


def simple_save(
    session: dt.Session,
    export_dir: PathLike | bytes,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, Any],
    legacy_init_op: dt.Operation | None = None,
) -> None:
    """Save a session's graph and variables for serving, with one signature, ``"serving_default"``.

    Args:
        session: the session.
        export_dir: the folder; it must not be there, or be empty.
        inputs: tensors by name.
        outputs: tensors by name.
        legacy_init_op: what to run after loading.

    Raises:
        InvalidArgumentError: the folder is there and holds something; inputs or outputs are missing.
        UninitializedVariableError: a variable has no value.
        StorageError: the file system refuses.

    Example:
        >>> x = dt.placeholder(dt.float32, [None], name="x")
        >>> with dt.Session() as session:
        ...     dt.saved_model.simple_save(session, "exports/1", inputs={"x": x}, outputs={"y": 2.0 * x})
        >>> dt.saved_model.predictor("exports/1")({"x": [1.0, 2.0]})
        {'y': array([2., 4.], dtype=float32)}
    """
    builder = SavedModelBuilder(export_dir)
    signature = predict_signature_def(inputs, outputs)
    builder.add_meta_graph_and_variables(
        session, [SERVING], {DEFAULT_SERVING_SIGNATURE_DEF_KEY: signature}, main_op=legacy_init_op, clear_devices=True
    )
    builder.save()
