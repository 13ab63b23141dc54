"""Loads a graph of a bundle, with its variables, into a session."""

from __future__ import annotations

from typing import Any

import dovetail as dt
from dovetail.errors import DTypeError, FormatError
from dovetail_io.checkpoint import PathLike
from dovetail_io.metagraph import import_stored
from dovetail_io.saved_model.bundle import Bundle, MetaGraph, as_folder
from dovetail_io.saved_model.constants import SAVED_MODEL_FILENAME

__all__ = ["contains_saved_model", "load", "load_into", "maybe_saved_model_directory"]


def maybe_saved_model_directory(export_dir: PathLike | bytes) -> bool:
    """Whether a folder holds a bundle, as far as its manifest's name tells.

    Example:
        >>> dt.saved_model.loader.maybe_saved_model_directory("nowhere")
        False
    """
    return (as_folder(export_dir, "maybe_saved_model_directory") / SAVED_MODEL_FILENAME).is_file()


contains_saved_model = maybe_saved_model_directory


def load(
    sess: dt.Session,
    tags: Any,
    export_dir: PathLike | bytes,
    import_scope: str | None = None,
    **saver_kwargs: Any,
) -> MetaGraph:
    """Load a graph of a bundle into the graph of a session, and give its variables their values.

    Args:
        sess: the session.
        tags: all tags of the graph.
        export_dir: the bundle's folder.
        import_scope: a scope to put before all names; signatures keep the names without it.
        saver_kwargs: have no effect; here for TensorFlow 1 programs.

    Returns:
        What the bundle says of the graph: ``signature_def``, ``tags``, ``assets``.

    Raises:
        NotFoundError: there is no bundle, or no graph with these tags in it.
        FormatError: the bundle is damaged.
        GraphError: a name is taken in the session's graph.

    Example:
        >>> x = dt.placeholder(dt.float32, [], name="x")
        >>> w = dt.Variable(3.0, name="w")
        >>> with dt.Session() as session:
        ...     session.run(w.initializer)
        ...     dt.saved_model.simple_save(session, "exports/1", {"x": x}, {"y": w * x})
        >>> with dt.Session(graph=dt.Graph()) as session:
        ...     loaded = dt.saved_model.loader.load(session, [dt.saved_model.tag_constants.SERVING], "exports/1")
        ...     y = loaded.signature_def["serving_default"].outputs["y"].name
        ...     session.run(y, {"x:0": 2.0})
        np.float32(6.0)
    """
    if not isinstance(sess, dt.Session):
        raise DTypeError(f"saved_model.load: the first argument is {sess!r}; give a dt.Session to load into.")
    bundle = Bundle(export_dir)
    meta_graph = bundle.meta_graph(tags)
    load_into(sess, bundle, meta_graph, import_scope or "")
    return meta_graph


def load_into(sess: dt.Session, bundle: Bundle, meta_graph: MetaGraph, scope: str = "") -> dict[dt.Tensor, str]:
    """Load a graph, restore its variables and run what is to be run then.

    Returns:
        The places of the assets, by the tensors that hold their paths.
    """
    checkpoint = bundle.checkpoint()
    with sess.graph.as_default():
        saver, made = import_stored(bundle.stored_graph(meta_graph), scope=scope)
    if saver is not None:
        saver.restore(sess, checkpoint.prefix)
    assets: dict[dt.Tensor, str] = {}
    for name, path in bundle.asset_paths(meta_graph).items():
        operation, _, index = name.rpartition(":")
        outputs = {str(tensor.value_index): tensor for tensor in _made(made, operation, bundle).outputs}
        if index not in outputs:
            raise FormatError(
                f'"{bundle.manifest}" is damaged: it speaks of the tensor {name!r}, which the graph does not have.'
            )
        assets[outputs[index]] = path
    if meta_graph.main_op is not None:
        sess.run(_made(made, meta_graph.main_op, bundle), assets)
    return assets


def _made(made: dict[str, dt.Operation], name: str, bundle: Bundle) -> dt.Operation:
    if name not in made:
        raise FormatError(f'"{bundle.manifest}" is damaged: it speaks of {name!r}, which the graph does not have.')
    return made[name]
