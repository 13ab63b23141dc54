"""``Options``: what an export may be asked for, checked before anything is done."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping, Sequence
from typing import Any, Final, final

from dovetail.errors import InvalidArgumentError
from dovetail_io.onnx.packages import load_onnx

__all__ = ["OPSETS", "Options", "options_from"]

OPSETS: Final = range(18, 26)
_IR_VERSIONS: Final = {18: 8, 19: 9, 20: 9}
_IR_VERSION: Final = 10


@final
@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """The arguments of ``dt.io.export_onnx``, which describes them."""

    inputs: Any
    outputs: Any
    opset: int = 21
    ir_version: int | None = None
    verify: bool = True
    sample_inputs: Mapping[Any, Any] | None = None
    feeds: Mapping[Any, Any] | None = None
    functions: bool = False
    inline: bool = False
    fold_batch_norm: bool = False
    keep_training: bool = False
    float16_weights: bool = False
    input_layout: str | Mapping[Any, str] | None = None
    output_layout: str | Mapping[Any, str] | None = None
    name: str = "dovetail"
    metadata: Mapping[str, Any] | None = None
    class_labels: Sequence[str] | None = None
    preprocessing: Mapping[str, Any] | None = None
    serving_script: bool = False

    @property
    def file_version(self) -> int:
        """The IR version: by default the oldest that runtimes of the opset know, as newer ones lock them out."""
        return self.ir_version or _IR_VERSIONS.get(self.opset, _IR_VERSION)

    def check(self) -> None:
        """Look at versions, and at what excludes each other.

        Raises:
            InvalidArgumentError: a version is out of range, or two options contradict each other.
        """
        onnx = load_onnx()
        newest = min(OPSETS[-1], onnx.defs.onnx_opset_version())
        if self.opset not in OPSETS or self.opset > newest:
            raise InvalidArgumentError(f"export_onnx: opset is {self.opset!r}; use one from {OPSETS[0]} to {newest}.")
        oldest = _IR_VERSIONS.get(self.opset, _IR_VERSION)
        if not oldest <= self.file_version <= onnx.IR_VERSION:
            raise InvalidArgumentError(
                f"export_onnx: ir_version is {self.ir_version!r}; for opset {self.opset} use one from {oldest} to "
                f"{onnx.IR_VERSION}, or leave it out."
            )
        if self.functions and self.inline:
            raise InvalidArgumentError(
                "export_onnx: functions=True makes functions of all layers and inline=True of none; give one of them."
            )
        if self.fold_batch_norm and self.keep_training:
            raise InvalidArgumentError(
                "export_onnx: fold_batch_norm=True merges batch normalisation into convolutions, and "
                "keep_training=True keeps it as training needs it; give one of them."
            )


def options_from(given: Mapping[str, Any]) -> Options:
    """Return the options that a dict holds.

    Raises:
        InvalidArgumentError: one is not known, or inputs or outputs are missing.
    """
    known = [one.name for one in dataclasses.fields(Options)]
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            advice = f"Did you mean {near[0]!r}?" if near else f"It takes {', '.join(known)}."
            raise InvalidArgumentError(f"export_onnx: there is no option {name!r}. {advice}")
    for name in ("inputs", "outputs"):
        if name not in given:
            raise InvalidArgumentError(
                f"export_onnx: {name} is missing; a model needs to know them, as in "
                f"dt.save(session, 'model.onnx', inputs=[x], outputs=[y])."
            )
    return Options(**given)
