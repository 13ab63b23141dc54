"""What ``dovetail export`` reads: a bundle, or a checkpoint and its graph, into a session."""

from __future__ import annotations

import difflib
from argparse import Namespace
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

import dovetail as dt
from dovetail.errors import InvalidArgumentError, NotFoundError
from dovetail.extend import Feed, definitions, needed_operations
from dovetail_io.listing import load_checkpoint
from dovetail_io.metagraph import import_meta_graph
from dovetail_io.onnx.arguments import type_of
from dovetail_io.saved_model.bundle import Bundle, find_signature
from dovetail_io.saved_model.loader import load_into, maybe_saved_model_directory
from dovetail_io.saved_model.signatures import get_tensor_from_tensor_info

__all__ = ["opened"]

_SHOWN: Final = 8


def _open_checkpoint(session: dt.Session, source: Path) -> None:
    """Restore a checkpoint with its graph: one by its path or one of its files, or the newest of a folder.

    Raises:
        NotFoundError: there is no checkpoint, or no graph beside it.
        FormatError: a file is damaged.
    """
    prefix = load_checkpoint(source).prefix
    graph = prefix.with_name(f"{prefix.name}.meta")
    if not graph.exists():
        raise NotFoundError(
            f'the checkpoint "{prefix}" has no graph beside it, no file "{graph.name}"; put it there by '
            f"dt.train.export_meta_graph, or save with write_meta_graph=True."
        )
    saver = import_meta_graph(graph)
    if saver is not None:
        saver.restore(session, str(prefix))


def _tensor_named(graph: dt.Graph, name: str) -> dt.Tensor:
    """Return a tensor by its name, or that of the operation that makes it.

    Raises:
        NotFoundError: there is none; those of similar names are listed.
    """
    try:
        return graph.get_tensor_by_name(name if ":" in name else f"{name}:0")
    except NotFoundError as error:
        known = [op.name for op in graph.get_operations() if op.outputs]
        near = difflib.get_close_matches(name.partition(":")[0], known, 3)
        advice = f"Did you mean {' or '.join(map(repr, near))}?" if near else f"Nothing takes {_ends(graph)}."
        raise NotFoundError(f"the graph has no tensor {name!r}. {advice}") from error


def _outputs_wanted(graph: dt.Graph, source: Path, names: Sequence[str]) -> dict[str, dt.Tensor]:
    """Return outputs by the names they are to have.

    Raises:
        InvalidArgumentError: none is named; what may be meant is listed.
        NotFoundError: there is no such tensor.
    """
    if not names:
        raise InvalidArgumentError(
            f'"{source}" does not say what the outputs of a model are; name them by --outputs. '
            f"Nothing takes {_ends(graph)}."
        )
    return {name.removesuffix(":0"): _tensor_named(graph, name) for name in names}


def _ends(graph: dt.Graph) -> str:
    """Return the last tensors that no operation takes."""
    taken = {tensor for op in graph.get_operations() for tensor in op.inputs}
    ends = [
        one.name for op in graph.get_operations() for one in op.outputs if one.dtype.is_numeric and one not in taken
    ]
    return ", ".join(ends[-_SHOWN:]) or "any"


def _placeholders_of(outputs: Iterable[dt.Tensor], feeds: Mapping[dt.Tensor, Any]) -> list[dt.Tensor]:
    """Return the placeholders that outputs need and that are not fed, in the order in which they were made."""
    arrays = {tensor: np.asarray(value, tensor.dtype.numpy) for tensor, value in feeds.items()}
    needed = needed_operations(outputs, (), {tensor: Feed(type_of(array), array) for tensor, array in arrays.items()})
    found = [op.outputs[0] for op in needed if isinstance(op.definition, definitions.Placeholder)]
    return [tensor for tensor in found if tensor not in arrays]


def opened(
    session: dt.Session, source: Path, asked: Namespace, feeds: Mapping[str, Any]
) -> tuple[dict[str, dt.Tensor], dict[str, dt.Tensor], dict[dt.Tensor, Any]]:
    """Load what is to be exported into a session; returns inputs and outputs by name, and constants.

    Args:
        session: where to.
        source: what to load.
        asked: the command's ``inputs``, ``outputs``, ``signature`` and ``tags``.
        feeds: constants by names of tensors.

    Raises:
        NotFoundError: there is nothing to load, or no such tensor or signature in it.
        InvalidArgumentError: what to export cannot be told; what may be meant is listed.
        FormatError: a file is damaged.
    """
    inputs: dict[str, dt.Tensor] = {}
    outputs: dict[str, dt.Tensor] = {}
    constants: dict[dt.Tensor, Any] = {}
    if maybe_saved_model_directory(source):
        bundle = Bundle(source)
        meta_graph = bundle.chosen(None if asked.tags is None else asked.tags.split(","))
        constants.update(load_into(session, bundle, meta_graph))
        if not asked.outputs or asked.signature:
            signature = find_signature(meta_graph.signature_def, meta_graph.chosen(asked.signature), source)
            inputs, outputs = (
                {key: get_tensor_from_tensor_info(info, session.graph) for key, info in infos.items()}
                for infos in (signature.inputs, signature.outputs)
            )
    else:
        for option in ("signature", "tags"):
            if getattr(asked, option):
                raise InvalidArgumentError(f'"{source}" is a checkpoint, which has no {option}; leave --{option} out.')
        _open_checkpoint(session, source)
    if asked.outputs or not outputs:
        outputs = _outputs_wanted(session.graph, source, asked.outputs or ())
    constants.update({_tensor_named(session.graph, name): value for name, value in feeds.items()})
    if asked.inputs:
        inputs = {name.removesuffix(":0"): _tensor_named(session.graph, name) for name in asked.inputs}
    elif not inputs:
        inputs = {one.op.name: one for one in _placeholders_of(outputs.values(), constants)}
    return {key: one for key, one in inputs.items() if one not in constants}, outputs, constants
