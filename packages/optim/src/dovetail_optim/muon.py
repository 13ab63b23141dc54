"""Muon."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import final

import dovetail as dt
from dovetail import Tensor, Variable
from dovetail.errors import ConfigurationError, ShapeError
from dovetail.extend import Hyperparameter, Numbers, Optimizer, dims, field

__all__ = ["MuonOptimizer"]


@final
class MuonOptimizer(Optimizer):
    """Momentum whose step is made orthogonal, for the matrices within a network (Jordan et al., 2024).

    ``a = momentum * a + (1 - momentum) * g``; ``u = momentum * a + (1 - momentum) * g`` with ``use_nesterov``, else
    ``a``; then ``w -= learning_rate * c * o(u)``, where ``o`` brings the singular values of a matrix near to 1 by
    Newton's iteration: from ``X = u / ||u||``, ``X = c1 * X + (c2 * A + c3 * A²) X`` with ``A = X Xᵀ``,
    ``newton_steps`` times. ``c`` is ``sqrt(max(1, outputs / inputs))`` (``"original"``), or
    ``0.2 * sqrt(max(outputs, inputs))`` (``"match_rms_adamw"``, Liu et al., 2025, arXiv:2502.16982), by which the rate
    suits that of AdamW. This is PyTorch's ``Muon``, but for its rounding to bfloat16 within the iteration, and for
    kernels, whose outputs are the last axis here. Kernels of convolutions count as matrices of all other axes by the
    last. The slot ``momentum`` holds ``a``.

    Biases, scales and usually embeddings and the last layer take another optimizer: give each its ``var_list``, and
    ``group`` the steps.

    Args:
        learning_rate: how far to go.
        momentum: the part of the speed to keep.
        use_nesterov: whether to look ahead, as Nesterov's accelerated gradient does.
        newton_coefficients: the three numbers of the iteration.
        epsilon: the least norm that a matrix is divided by.
        newton_steps: how often to iterate.
        adjust_rate: ``"original"`` or ``"match_rms_adamw"``.
        weight_decay: the part of each weight, times the learning rate, that a step takes away.
        use_locking: has no effect; here for TensorFlow 1 programs.
        name: the scope of the step.

    Raises:
        ConfigurationError: ``adjust_rate`` is neither, or there are not three coefficients.
        ShapeError: a variable is no matrix.

    Example:
        >>> w = dt.Variable([[3.0, 0.0], [0.0, 4.0]])
        >>> step = dt.train.MuonOptimizer(1.0, weight_decay=0.0).minimize(dt.reduce_sum(w))
        >>> with dt.Session() as session:
        ...     session.run(dt.global_variables_initializer())
        ...     session.run(step)
        ...     np.round(session.run(w), 2)
        array([[ 2.65, -0.35],
               [-0.35,  3.65]], dtype=float32)
    """

    learning_rate: Hyperparameter = 0.001
    momentum: Hyperparameter = 0.95
    use_nesterov: bool = True
    newton_coefficients: tuple[float, ...] = (3.4445, -4.775, 2.0315)
    epsilon: float = 1e-7
    newton_steps: int = 5
    adjust_rate: str = "original"
    weight_decay: Hyperparameter = field(default=0.1, kw_only=True)

    def check(self) -> None:
        """Refuse another rule of the rate, and another number of coefficients."""
        if self.adjust_rate not in ("original", "match_rms_adamw"):
            raise ConfigurationError(
                f"{self.get_name()}: adjust_rate is {self.adjust_rate!r}; choose 'original' or 'match_rms_adamw'."
            )
        if len(self.newton_coefficients) != 3:
            raise ConfigurationError(
                f"{self.get_name()}: newton_coefficients are {self.newton_coefficients}; three are needed."
            )

    def slots(self) -> Mapping[str, float]:
        """The speed, which begins at zero."""
        return {"momentum": 0.0}

    def slots_for(self, variable: Variable) -> Mapping[str, float]:
        """The speed of a matrix."""
        if len(variable.shape) < 2:
            raise ShapeError(
                f'{self.get_name()}: variable "{variable.op.name}" is {variable.handle.type}, no matrix. '
                f"Leave it out of var_list and give it another optimizer, such as AdamW. {variable.op.where()}"
            )
        return self.slots()

    def update(
        self, gradient: Tensor, value: Tensor, slots: Mapping[str, Tensor], numbers: Numbers
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """One step."""
        momentum = numbers["momentum"]
        speed = momentum * slots["momentum"] + (1.0 - momentum) * gradient
        direction = momentum * speed + (1.0 - momentum) * gradient if self.use_nesterov else speed
        inputs, outputs = dims.product(value.shape.dims[:-1]), value.shape.dims[-1]
        scale = self._scale(int(inputs), int(outputs))
        step = dt.reshape(self._orthogonal(dt.reshape(direction, [inputs, outputs])), value.shape)
        return value - numbers["learning_rate"] * scale * step, {"momentum": speed}

    def _scale(self, inputs: int, outputs: int) -> float:
        if self.adjust_rate == "original":
            return math.sqrt(max(1.0, outputs / inputs))
        return 0.2 * math.sqrt(max(outputs, inputs))

    def _orthogonal(self, matrix: Tensor) -> Tensor:
        """Return a matrix with its singular values brought near to 1."""
        first, second, third = self.newton_coefficients
        rows, columns = matrix.shape.dims
        is_tall = bool(rows > columns)
        x = matrix / dt.maximum(dt.norm(matrix), self.epsilon)
        x = dt.transpose(x) if is_tall else x
        for _ in range(self.newton_steps):
            square = dt.matmul(x, x, transpose_b=True)
            x = first * x + dt.matmul(second * square + third * dt.matmul(square, square), x)
        return dt.transpose(x) if is_tall else x
