"""Vector mathematics: each function once per module and width, of polynomials and integer instructions."""

from dovetail_backend_cpu.emit.mathematics.functions import call_function

__all__ = ["call_function"]
