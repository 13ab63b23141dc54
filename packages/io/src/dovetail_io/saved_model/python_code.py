"""Signatures that Python code would have to answer, which no bundle holds."""

from __future__ import annotations

import dovetail as dt
from dovetail.errors import UnsupportedOperationError
from dovetail.extend import definitions, needed_operations
from dovetail_io.saved_model.signatures import SignatureDef

__all__ = ["refuse_python_code"]


def refuse_python_code(name: str, signature: SignatureDef, graph: dt.Graph) -> None:
    """Look whether the outputs of a signature follow from its inputs without Python code.

    Raises:
        UnsupportedOperationError: they need what ``py_func`` computes.
    """
    inputs, outputs = (
        [graph.get_tensor_by_name(one.name) for one in part.values()] for part in (signature.inputs, signature.outputs)
    )
    for op in needed_operations(outputs, [], dict.fromkeys(inputs)):
        if isinstance(op.definition, (definitions.PyFunc, definitions.PyFuncStateless)):
            raise UnsupportedOperationError(
                f"SavedModelBuilder: the signature {name!r} needs Python code, {op.definition.function!r}, which a "
                f"bundle does not hold. Take what it returns as an input of the signature, or compute it by "
                f"operations. {op.where()}"
            )
