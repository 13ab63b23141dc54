"""What an export tells of itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import final

from dovetail.extend import TensorType
from dovetail_io.onnx.verify import Verification

__all__ = ["ExportReport"]


@final
class ExportReport:
    """What was exported, and how it was verified.

    Attributes:
        path: the file.
        opset: the version of ONNX's operators.
        inputs, outputs: types by name.
        verified_by: who ran the model: ``"ONNX Runtime"``, ``"the ONNX reference"``, or ``""`` where nobody did.
        sizes: for each comparison, the sizes of the open dimensions by name.
        largest_difference: of a floating element of an output from the session's.
        relative_difference: the same as a part of the output's largest element, where that is above 1.
        serving_script: the file of the serving script, if one was asked for.
    """

    __slots__ = (
        "_lack",
        "inputs",
        "largest_difference",
        "opset",
        "outputs",
        "path",
        "relative_difference",
        "serving_script",
        "sizes",
        "verified_by",
    )

    def __init__(
        self,
        path: Path,
        opset: int,
        inputs: Mapping[str, TensorType],
        outputs: Mapping[str, TensorType],
        outcome: Verification,
        serving_script: Path | None = None,
    ) -> None:
        """Keep the outcome of an export."""
        self.path = path
        self.opset = opset
        self.inputs = dict(inputs)
        self.outputs = dict(outputs)
        self.verified_by = outcome.by
        self.sizes = [{str(symbol): size for symbol, size in case.sizes.items()} for case in outcome.cases]
        self.largest_difference = outcome.difference
        self.relative_difference = outcome.relative
        self.serving_script = serving_script
        self._lack = outcome.lack

    def __repr__(self) -> str:
        """Say it in one line."""
        taken, given = (
            ", ".join(f"{name} {type}" for name, type in types.items()) for types in (self.inputs, self.outputs)
        )
        return f'ExportReport("{self.path}", opset {self.opset}: {taken} -> {given}; {self._verification()})'

    def _verification(self) -> str:
        if not self.verified_by:
            return f"not compared, as {self._lack}" if self._lack else "not compared"
        sizes = " and ".join(", ".join(f"{name}={size}" for name, size in one.items()) for one in self.sizes)
        at = f" at {sizes}" if sizes else ""
        return f"compared by {self.verified_by}{at}, largest difference {self.largest_difference:.2g}"
