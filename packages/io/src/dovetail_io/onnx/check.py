"""What a model is checked for before it is written: the standard's own rules, and that each operator exists."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dovetail.errors import ExportError
from dovetail_io.onnx.packages import load_onnx

__all__ = ["check_model"]


def check_model(model: Any, path: Path | None = None) -> None:
    """Check a model.

    The checker alone passes an operator that nothing defines and, but for ``full_check``, shapes that do not fit.

    Args:
        model: the ``ModelProto``.
        path: where it lies, for one whose data are in a file beside it.

    Raises:
        ExportError: a rule is broken; a converter is wrong.
    """
    onnx = load_onnx()
    _check_operators(onnx, model)
    try:
        if path is None:
            onnx.checker.check_model(model, full_check=True)
            onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
        else:
            onnx.checker.check_model(str(path), full_check=True)
            inferred = path.with_name(f"{path.name}.inferred")
            onnx.shape_inference.infer_shapes_path(
                str(path), str(inferred), check_type=True, strict_mode=True, data_prop=True
            )
            inferred.unlink()
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ExportError(
            f"the model breaks a rule of ONNX, so a converter is wrong; nothing was written. {error}"
        ) from error


def _check_operators(onnx: Any, model: Any) -> None:
    versions = {one.domain: one.version for one in model.opset_import}
    functions = {(one.domain, one.name) for one in model.functions}

    def visit(nodes: Any) -> None:
        for node in nodes:
            if (node.domain, node.op_type) not in functions:
                try:
                    onnx.defs.get_schema(node.op_type, versions.get(node.domain, 1), node.domain)
                except onnx.defs.SchemaError as error:
                    raise ExportError(
                        f'node "{node.name}" ({node.doc_string}): {node.domain or "ai.onnx"}.{node.op_type} is neither '
                        f"in opset {versions.get(node.domain)} nor a function of the model; its converter is wrong."
                    ) from error
            for attribute in node.attribute:
                visit(attribute.g.node)

    visit(model.graph.node)
    for function in model.functions:
        visit(function.node)
