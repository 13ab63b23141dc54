"""``SavedModelFormat``: bundles among the formats that ``dt.save`` and ``dt.load`` choose from."""

from __future__ import annotations

from pathlib import Path
from typing import Any, final

import dovetail as dt
from dovetail.errors import InvalidArgumentError
from dovetail.extend import Format
from dovetail_io.options import check_options, options_of
from dovetail_io.saved_model.builder import SavedModelBuilder
from dovetail_io.saved_model.bundle import MetaGraph
from dovetail_io.saved_model.loader import contains_saved_model, load
from dovetail_io.saved_model.predictor import Predictor, predictor
from dovetail_io.saved_model.signature_constants import DEFAULT_SERVING_SIGNATURE_DEF_KEY
from dovetail_io.saved_model.signatures import predict_signature_def
from dovetail_io.saved_model.tag_constants import SERVING

__all__ = ["SavedModelFormat"]


@final
class SavedModelFormat(Format):
    """Saved models: folders with a graph, its variables and signatures."""

    name = "saved_model"
    suffixes = ("/",)

    def save(self, what: Any, path: Path, **options: Any) -> str:
        """Write a session's graph and variables to a new folder; returns its path.

        Args:
            what: a ``dt.Session``.
            path: the folder.
            options: ``inputs`` and ``outputs``, dicts of tensors by name, which make the signature
                ``"serving_default"``; ``tags``, ``["serve"]`` unless given; and those of
                ``SavedModelBuilder.add_meta_graph_and_variables``.

        Raises:
            InvalidArgumentError: the folder is there and holds something; inputs or outputs are missing.
            StorageError: the file system refuses.
        """
        if not isinstance(what, dt.Session):
            raise InvalidArgumentError(
                f"the format 'saved_model' holds the graph and variables of a dt.Session, not {what!r}."
            )
        own = options_of(SavedModelBuilder.add_meta_graph_and_variables, "sess")
        check_options("saving a saved model", options, ["inputs", "outputs", *own])
        inputs, outputs = options.pop("inputs", None), options.pop("outputs", None)
        signatures = dict(options.pop("signature_def_map", None) or {})
        if inputs is not None or outputs is not None or not signatures:
            signatures[DEFAULT_SERVING_SIGNATURE_DEF_KEY] = predict_signature_def(inputs or {}, outputs or {})
        builder = SavedModelBuilder(path)
        builder.add_meta_graph_and_variables(what, options.pop("tags", [SERVING]), signatures, **options)
        builder.save()
        return str(path)

    @classmethod
    def recognizes(cls, path: Path) -> bool:
        """Whether the folder holds the manifest of a saved model."""
        return contains_saved_model(path)

    def load(self, path: Path, **options: Any) -> Predictor | MetaGraph:
        """Return a predictor.

        Args:
            path: the folder.
            options: those of ``dt.saved_model.predictor``; or ``session``, a ``dt.Session`` to load into, with
                ``tags``, of which then the graph's description is returned.

        Raises:
            NotFoundError: there is no saved model, or no such graph or signature in it.
            FormatError: it is damaged.
        """
        loading = ["session", "tags", "import_scope"] if "session" in options else options_of(predictor, "export_dir")
        check_options("loading a saved model", options, loading)
        session = options.pop("session", None)
        if session is not None:
            return load(session, options.pop("tags", [SERVING]), path, **options)
        return predictor(path, **options)
