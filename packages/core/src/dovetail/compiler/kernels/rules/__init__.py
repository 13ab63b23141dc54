"""For each primitive, what its elements are computed from; importing this registers all rules."""

from dovetail.compiler.kernels.rules import (
    arrays,
    generating,
    picking,
    products,
    reductions,
    running,
    scalar,
    sorting,
    windows,
)

__all__ = ["arrays", "generating", "picking", "products", "reductions", "running", "scalar", "sorting", "windows"]
