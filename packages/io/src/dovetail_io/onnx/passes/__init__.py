"""Passes over the nodes of a graph; each keeps its outputs as they are."""

from __future__ import annotations

from dovetail_io.onnx.model import Graph
from dovetail_io.onnx.passes.dropout import join_dropout
from dovetail_io.onnx.passes.fuse import fuse
from dovetail_io.onnx.passes.layout import cancel_transpositions
from dovetail_io.onnx.passes.narrow import narrow_weights
from dovetail_io.onnx.passes.prune import prune
from dovetail_io.onnx.passes.recurrent import join_directions
from dovetail_io.onnx.passes.share import share

__all__ = [
    "cancel_transpositions",
    "fuse",
    "improve",
    "join_directions",
    "join_dropout",
    "narrow_weights",
    "prune",
    "share",
]


def improve(graph: Graph, *, fold_batch_norm: bool = False) -> None:
    """Run all passes, in graphs within nodes too."""
    for node in graph.nodes:
        for inner in node.graphs():
            improve(inner)
    prune(graph)
    join_dropout(graph)
    cancel_transpositions(graph)
    share(graph)
    join_directions(graph)
    fuse(graph, fold_batch_norm=fold_batch_norm)
    prune(graph)
