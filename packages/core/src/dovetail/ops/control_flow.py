"""``cond`` and its relatives: computing one of several branches."""

from __future__ import annotations

from typing import Any, final

from dovetail.graph.op import Op, Signature
from dovetail.graph.registry import primitive
from dovetail.types.dtypes import DType
from dovetail.types.shapes import TensorType

__all__ = ["Cond"]


@primitive
@final
class Cond(Op):
    """One of two bodies, chosen by a truth value.

    Inputs are the truth value and the arguments, which both bodies take; outputs are those of the body chosen.
    """

    then_body: Any
    else_body: Any

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """Those of the bodies' outputs."""
        return tuple(one.dtype for one in self.then_body.output_types)

    def infer(self, predicate: TensorType, *arguments: TensorType) -> Signature:
        """Types of the bodies' outputs."""
        result: Signature = self.then_body.output_types
        return result

    def branch(self, predicate: bool) -> Any:
        """Return the body for a truth value."""
        return self.then_body if predicate else self.else_body

    def reference(self, predicate: Any, *arguments: Any, then_body: Any, else_body: Any) -> Any:
        """Run the body chosen."""
        return (then_body if predicate else else_body)(*arguments)
