"""``OnnxFormat``: ONNX among the formats that ``dt.save`` chooses from."""

from __future__ import annotations

from pathlib import Path
from typing import Any, final

import dovetail as dt
from dovetail.errors import InvalidArgumentError
from dovetail.extend import Format
from dovetail_io.onnx.export import export
from dovetail_io.onnx.options import options_from
from dovetail_io.onnx.report import ExportReport

__all__ = ["OnnxFormat"]


@final
class OnnxFormat(Format):
    """Models in ONNX; it is only written."""

    name = "onnx"
    suffixes = (".onnx",)

    def save(self, what: Any, path: Path, **options: Any) -> ExportReport:
        """Write what a session computes as an ONNX model; the options are those of ``dt.io.export_onnx``.

        Raises:
            InvalidArgumentError: ``what`` is no session, an option is not known, or inputs or outputs are missing.
        """
        if not isinstance(what, dt.Session):
            raise InvalidArgumentError(
                f"the format 'onnx' holds what a dt.Session computes, not {what!r}; give the session, with inputs and "
                f"outputs."
            )
        return export(what, path, options_from(options))

    def load(self, path: Path, **options: Any) -> Any:
        """Refuse.

        Raises:
            InvalidArgumentError: always.
        """
        raise InvalidArgumentError(
            f'"{path}" is an ONNX model, which is only written here; run it with onnxruntime, or keep a checkpoint or '
            f"a bundle beside it to go on from."
        )
