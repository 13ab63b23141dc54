"""``export_onnx``: a graph and a session's weights as an ONNX model that has been compared with them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import dovetail as dt
from dovetail_io.onnx.arguments import Tensors
from dovetail_io.onnx.report import ExportReport

__all__ = ["export_onnx"]


def export_onnx(
    session: dt.Session,
    inputs: Tensors,
    outputs: Tensors,
    path: str | os.PathLike[str],
    *,
    opset: int = 21,
    ir_version: int | None = None,
    verify: bool = True,
    sample_inputs: Mapping[Any, Any] | None = None,
    feeds: Mapping[Any, Any] | None = None,
    functions: bool = False,
    inline: bool = False,
    fold_batch_norm: bool = False,
    keep_training: bool = False,
    float16_weights: bool = False,
    input_layout: str | Mapping[Any, str] | None = None,
    output_layout: str | Mapping[Any, str] | None = None,
    name: str = "dovetail",
    metadata: Mapping[str, Any] | None = None,
    class_labels: Sequence[str] | None = None,
    preprocessing: Mapping[str, Any] | None = None,
    serving_script: bool = False,
) -> ExportReport:
    """Write what ``outputs`` compute of ``inputs``, with the weights that the session holds, as an ONNX model.

    Sizes that the graph leaves open stay open: a placeholder of shape ``["batch", 28]`` becomes an input of shape
    ``[batch, 28]``. Images keep their channels last at the model's inputs and outputs, unless asked otherwise; inside
    they are transposed once, filters and the weights after ``flatten`` at export. Variables become initializers of
    their names. Nodes have the names of the graph's, with their scopes, and the line of the program that made them.

    Before anything is written, everything that cannot be exported is listed with its line. The model then passes ONNX's
    full check and strict shape inference, is run by ONNX Runtime at three sizes of every open dimension, and is
    compared with the session. The file appears whole or not at all. Assertions of the graph are left out.

    Args:
        session: holds the variables; they must be initialized.
        inputs: tensors that the model takes, of known rank: placeholders, or any others. A dict gives them names.
        outputs: tensors that the model gives. A dict gives them names.
        path: the file. Above 1.8 GB of weights, these are in a file beside it, which has the ending ``.data``.
        opset: the version of ONNX's operators, from 18 to 25.
        ir_version: the version of the file's format; by default 10, and for opsets below 21 that of their time, so that
            runtimes of their time read it.
        verify: whether to compare with the session. A float32 output may differ by 1e-4 of its largest element.
        sample_inputs: arrays to compare on, by input; random numbers by default. For other sizes than theirs, elements
            are left out or repeated.
        feeds: values of other tensors that become constants, such as ``{is_training: False}``.
        functions: whether all layers are functions of the model, with their weights as inputs, rather than those alone
            that a third party's distribution provides.
        inline: whether no layer is a function. By default a third party's is, since its name says what no operator
            does; those of dovetail-layers are not, since their operators are the standard's own, runtimes look for
            patterns of these, and transpositions cancel only where no function ends.
        fold_batch_norm: whether batch normalisation is folded into the convolution or product before it; that is
            faster, but the model can then not be trained on.
        keep_training: whether the model keeps what the graph does only while training, where the flag is fed as true,
            to be trained on elsewhere: dropout as ``Dropout`` and batch normalisation as ``BatchNormalization`` in
            their training forms, noise by ``RandomUniform`` and ``RandomNormal``. It is compared with random numbers
            fixed, and without ONNX Runtime's rewriting, which takes every model for one that is trained, and folds
            what normalises by the batch; a session for it needs ``graph_optimization_level`` at ``ORT_DISABLE_ALL``.
        float16_weights: whether kernels and tables, float32 weights of two axes or more, are stored in half the size
            and widened when the model is loaded. Outputs may then differ by 1e-2 of their largest element.
        input_layout: the order of an image's axes at the model's inputs, ``"NHWC"``, as in the graph, or ``"NCHW"``; of
            other ranks ``"NWC"`` or ``"NCW"``, ``"NDHWC"`` or ``"NCDHW"``. One for all inputs of its rank, or a dict.
        output_layout: likewise of the model's outputs.
        name: the name of the model's graph.
        metadata: what the model says of itself: texts, or what JSON can hold.
        class_labels: names of the classes, in the order of an output's last axis; kept in the metadata as JSON.
        preprocessing: what is done to data before they are fed, such as ``{"scale": 1 / 255, "mean": [0.5]}``; kept in
            the metadata as JSON.
        serving_script: whether to write a short program beside the model, ``model_serve.py`` beside ``model.onnx``,
            that runs it with NumPy and ONNX Runtime alone. It multiplies the first input by the ``scale`` of the
            preprocessing, takes off its ``mean`` and divides by its ``std``.

    Returns:
        What was written, and how large the largest difference was.

    Raises:
        UnsupportedOperationError: operations cannot be exported; all are listed.
        MissingFeedError: a placeholder is needed that is neither among ``inputs`` nor ``feeds``.
        InvalidArgumentError: an input is unknown, used by no output, or of unknown rank; a version is out of range;
            labels or a layout fit no output or input.
        UninitializedVariableError: a variable has no value.
        ExportError: the model does not do what the graph does. Nothing is written.
        StorageError: the file system refuses; a model that was there is as it was.
        PluginError: the package onnx is not installed.

    Example:
        >>> x = dt.placeholder(dt.float32, ["batch", 2], name="x")
        >>> y = dt.nn.softmax(x, name="y")
        >>> dt.io.export_onnx(dt.Session(), [x], [y], "softmax.onnx")
        ExportReport("softmax.onnx", opset 21: x float32[batch, 2] -> y float32[batch, 2]; ...)
    """
    report: ExportReport = dt.save(
        session,
        path,
        format="onnx",
        inputs=inputs,
        outputs=outputs,
        opset=opset,
        ir_version=ir_version,
        verify=verify,
        sample_inputs=sample_inputs,
        feeds=feeds,
        functions=functions,
        inline=inline,
        fold_batch_norm=fold_batch_norm,
        keep_training=keep_training,
        float16_weights=float16_weights,
        input_layout=input_layout,
        output_layout=output_layout,
        name=name,
        metadata=metadata,
        class_labels=class_labels,
        preprocessing=preprocessing,
        serving_script=serving_script,
    )
    return report
