"""``dt.test``: what TensorFlow 1 programs use in their tests; ``dt.testing`` has more."""

from dovetail.testing.jacobians import compute_gradient, compute_gradient_error

__all__ = ["compute_gradient", "compute_gradient_error"]
