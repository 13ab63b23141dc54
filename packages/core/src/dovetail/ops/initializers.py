"""Initializers: rules for the first values of variables."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Final, final

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.graph.operation import Tensor
from dovetail.ops.constants import array_of, constant
from dovetail.ops.fills import eye, fill
from dovetail.ops.random import random_normal, random_uniform, truncated_normal
from dovetail.types.configured import Configured, make_public
from dovetail.types.dtypes import DType, DTypeLike, as_dtype, float32
from dovetail.types.shapes import Shape

__all__ = [
    "INITIALIZERS",
    "ConstantInitializer",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "UniformUnitScaling",
    "VarianceScaling",
    "Zeros",
    "constant_initializer",
    "glorot_normal_initializer",
    "glorot_uniform_initializer",
    "identity_initializer",
    "ones_initializer",
    "orthogonal_initializer",
    "random_normal_initializer",
    "random_uniform_initializer",
    "truncated_normal_initializer",
    "uniform_unit_scaling_initializer",
    "variance_scaling_initializer",
    "zeros_initializer",
]

_TRUNCATED_STDDEV: Final = 0.87962566103423978
"""Standard deviation of the standard normal distribution cut off at two standard deviations."""


class Initializer(Configured):
    """Base of rules for the first values of a variable; a subclass defines ``values``.

    Annotated fields are the configuration. Two initializers are equal if class and configuration are.

    Example:
        >>> class Ramp(Initializer):
        ...     step: float = 1.0
        ...     def values(self, shape, dtype):
        ...         return dt.reshape(dt.range(shape.size), shape) * self.step
    """

    def __call__(self, shape: Any, dtype: DTypeLike | None = None, partition_info: Any = None) -> Tensor:
        """Return a tensor of first values.

        Args:
            shape: the shape, with every size known.
            dtype: the element type; that of the configuration by default, else float32.
            partition_info: has no effect; here for TensorFlow 1 programs.

        Raises:
            ShapeError: a size is not known.
            DTypeError: there are no such values of this element type.
        """
        wanted = shape if isinstance(shape, Shape) else Shape(tuple(shape))
        if wanted.rank is None or not wanted.is_static:
            raise ShapeError(f"{self}: the shape {wanted} has sizes that are not known; give integers.")
        own: DTypeLike | None = self.__dict__.get("dtype")
        return self.values(wanted, as_dtype(dtype if dtype is not None else own if own is not None else float32))

    def values(self, shape: Shape, dtype: DType) -> Tensor:
        """Return a tensor of the shape and element type."""
        raise InvalidArgumentError(f"{type(self).__qualname__} does not define values(shape, dtype).")

    def __eq__(self, other: object) -> bool:
        """Compare class and configuration."""
        return type(self) is type(other) and self.get_config() == other.get_config()

    def __hash__(self) -> int:
        """Hash the text form."""
        return hash(repr(self))

    def _floating(self, dtype: DType) -> None:
        if not dtype.is_floating:
            raise DTypeError(f"{self} makes floating values, not {dtype.name}; use zeros_initializer or a constant.")


@final
class Zeros(Initializer):
    """Zeros (``False``, empty strings).

    Args:
        dtype: element type, where the variable does not say.
    """

    dtype: DTypeLike = float32

    def values(self, shape: Shape, dtype: DType) -> Tensor:
        """Zeros."""
        return fill(shape, constant(b"" if dtype.is_string else np.zeros((), dtype.numpy)))


@final
class Ones(Initializer):
    """Ones (``True``).

    Args:
        dtype: element type, where the variable does not say.
    """

    dtype: DTypeLike = float32

    def values(self, shape: Shape, dtype: DType) -> Tensor:
        """Ones."""
        if dtype.is_string:
            raise DTypeError(f"{self}: there is no string that is one; use constant_initializer.")
        return fill(shape, constant(np.ones((), dtype.numpy)))


@final
class ConstantInitializer(Initializer):
    """Given values.

    Args:
        value: one value for all elements; or nested lists or an array, in row-major order. Where there are fewer values
            than elements, the last one fills the rest, as in TensorFlow 1.
        dtype: element type, where the variable does not say.
        verify_shape: whether the shape of ``value`` must be the variable's.

    Raises:
        ShapeError: there are more values than elements, or the shapes differ and ``verify_shape`` is set.
    """

    value: Any = 0
    dtype: DTypeLike = float32
    verify_shape: bool = False

    def values(self, shape: Shape, dtype: DType) -> Tensor:
        """The values, filled up."""
        array = array_of(list(self.value) if isinstance(self.value, tuple) else self.value, dtype)
        wanted = shape.evaluate({})
        if self.verify_shape and array.shape != wanted:
            raise ShapeError(f"constant_initializer: the value has shape {list(array.shape)}, the variable {shape}.")
        if array.size == 1:
            return fill(shape, constant(array.reshape(())))
        missing = math.prod(wanted) - array.size
        if missing < 0 or not array.size:
            raise ShapeError(
                f"constant_initializer: {array.size} values for a variable of shape {shape}, which has "
                f"{math.prod(wanted)} elements; give as many, or one for all."
            )
        flat = array.reshape(-1)
        return constant(np.concatenate([flat, np.full(missing, flat[-1])]).reshape(wanted))


@final
class RandomUniform(Initializer):
    """Uniform random values.

    Args:
        minval: the least value.
        maxval: the bound above; 1 by default for floating types, required for integers.
        seed: the operation's seed.
        dtype: element type, where the variable does not say.
    """

    minval: float = 0.0
    maxval: float | None = None
    seed: int | None = None
    dtype: DTypeLike = float32

    def values(self, shape: Shape, dtype: DType) -> Tensor:
        """Draw them."""
        if dtype.is_integer:
            if self.maxval is None:
                raise InvalidArgumentError(f"{self}: give maxval, the bound above of the integers to draw.")
            return random_uniform(shape, int(self.minval), int(self.maxval), dtype, self.seed)
        return random_uniform(shape, self.minval, 1.0 if self.maxval is None else self.maxval, dtype, self.seed)


@final
class RandomNormal(Initializer):
    """Normally distributed random values.

    Args:
        mean: mean.
        stddev: standard deviation.
        seed: the operation's seed.
        dtype: element type, where the variable does not say.
    """

    mean: float = 0.0
    stddev: float = 1.0
    seed: int | None = None
    dtype: DTypeLike = float32

    def values(self, shape: Shape, dtype: DType) -> Tensor:
        """Draw them."""
        self._floating(dtype)
        return random_normal(shape, self.mean, self.stddev, dtype, self.seed)


@final
class TruncatedNormal(Initializer):
    """Normally distributed random values no further than two standard deviations from the mean.

    Args:
        mean: mean.
        stddev: standard deviation of the distribution before it is cut off.
        seed: the operation's seed.
        dtype: element type, where the variable does not say.
    """

    mean: float = 0.0
    stddev: float = 1.0
    seed: int | None = None
    dtype: DTypeLike = float32

    def values(self, shape: Shape, dtype: DType) -> Tensor:
        """Draw them."""
        self._floating(dtype)
        return truncated_normal(shape, self.mean, self.stddev, dtype, self.seed)


@final
class Identity(Initializer):
    """The identity matrix, times ``gain``.

    Args:
        gain: the value on the diagonal.
        dtype: element type, where the variable does not say.

    Raises:
        ShapeError: the variable is no matrix.
    """

    gain: float = 1.0
    dtype: DTypeLike = float32

    def values(self, shape: Shape, dtype: DType) -> Tensor:
        """The matrix."""
        if shape.rank != 2:
            raise ShapeError(f"{self} makes matrices; the variable has shape {shape}.")
        rows, columns = shape.evaluate({})
        matrix = eye(rows, columns, dtype=dtype)
        return matrix if self.gain == 1.0 else matrix * constant(self.gain, dtype)


class _Scaled(Initializer):
    """Base of random values whose variance depends on how many inputs and outputs a unit has."""

    _scale: ClassVar[float] = 1.0
    _mode: ClassVar[str] = "fan_in"
    _distribution: ClassVar[str] = "truncated_normal"

    def values(self, shape: Shape, dtype: DType) -> Tensor:
        """Draw them."""
        config = self.__dict__
        return self._draw(
            shape,
            dtype,
            config.get("scale", self._scale),
            config.get("mode", self._mode),
            config.get("distribution", self._distribution),
        )

    def _draw(self, shape: Shape, dtype: DType, scale: float, mode: str, distribution: str) -> Tensor:
        self._floating(dtype)
        seed: int | None = self.__dict__["seed"]
        fan_in, fan_out = _fans(shape.evaluate({}))
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2.0}[mode]
        variance = scale / max(1.0, fan)
        if distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            return random_uniform(shape, -limit, limit, dtype, seed)
        if distribution == "untruncated_normal":
            return random_normal(shape, 0.0, math.sqrt(variance), dtype, seed)
        return truncated_normal(shape, 0.0, math.sqrt(variance) / _TRUNCATED_STDDEV, dtype, seed)


def _fans(shape: tuple[int, ...]) -> tuple[float, float]:
    """Inputs and outputs of a unit: the last two axes, times the extent of a convolution's window."""
    if len(shape) < 2:
        size = float(shape[0]) if shape else 1.0
        return size, size
    window = math.prod(shape[:-2])
    return float(shape[-2] * window), float(shape[-1] * window)


@final
class VarianceScaling(_Scaled):
    """Random values of variance ``scale / n``, where ``n`` counts the inputs or outputs of a unit.

    A kernel of shape ``[height, width, inputs, outputs]`` has ``height * width * inputs`` inputs and
    ``height * width * outputs`` outputs.

    Args:
        scale: positive.
        mode: what ``n`` is: ``"fan_in"``, ``"fan_out"`` or their mean ``"fan_avg"``.
        distribution: ``"truncated_normal"`` (also called ``"normal"``), ``"untruncated_normal"`` or ``"uniform"``.
        seed: the operation's seed.
        dtype: element type, where the variable does not say.

    Raises:
        InvalidArgumentError: an argument is none of these.
    """

    scale: float = 1.0
    mode: str = "fan_in"
    distribution: str = "truncated_normal"
    seed: int | None = None
    dtype: DTypeLike = float32

    def check(self) -> None:
        """Look at the values."""
        if self.scale <= 0:
            raise InvalidArgumentError(f"VarianceScaling: scale is {self.scale}; it must be positive.")
        _one_of("mode", self.mode, ("fan_in", "fan_out", "fan_avg"))
        _one_of("distribution", self.distribution, ("normal", "truncated_normal", "untruncated_normal", "uniform"))


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InvalidArgumentError(f"VarianceScaling: {name} is {value!r}; use one of {', '.join(map(repr, known))}.")


@final
class GlorotUniform(_Scaled):
    """Uniform values within ``±sqrt(6 / (inputs + outputs))`` (Glorot and Bengio, 2010).

    Args:
        seed: the operation's seed.
        dtype: element type, where the variable does not say.
    """

    seed: int | None = None
    dtype: DTypeLike = float32
    _mode = "fan_avg"
    _distribution = "uniform"


@final
class GlorotNormal(_Scaled):
    """Truncated normal values of variance ``2 / (inputs + outputs)`` (Glorot and Bengio, 2010).

    Args:
        seed: the operation's seed.
        dtype: element type, where the variable does not say.
    """

    seed: int | None = None
    dtype: DTypeLike = float32
    _mode = "fan_avg"


@final
class HeUniform(_Scaled):
    """Uniform values within ``±sqrt(6 / inputs)`` (He et al., 2015).

    Args:
        seed: the operation's seed.
        dtype: element type, where the variable does not say.
    """

    seed: int | None = None
    dtype: DTypeLike = float32
    _scale = 2.0
    _distribution = "uniform"


@final
class HeNormal(_Scaled):
    """Truncated normal values of variance ``2 / inputs`` (He et al., 2015).

    Args:
        seed: the operation's seed.
        dtype: element type, where the variable does not say.
    """

    seed: int | None = None
    dtype: DTypeLike = float32
    _scale = 2.0


@final
class LecunUniform(_Scaled):
    """Uniform values within ``±sqrt(3 / inputs)`` (LeCun et al., 1998).

    Args:
        seed: the operation's seed.
        dtype: element type, where the variable does not say.
    """

    seed: int | None = None
    dtype: DTypeLike = float32
    _distribution = "uniform"


@final
class LecunNormal(_Scaled):
    """Truncated normal values of variance ``1 / inputs`` (LeCun et al., 1998).

    Args:
        seed: the operation's seed.
        dtype: element type, where the variable does not say.
    """

    seed: int | None = None
    dtype: DTypeLike = float32


@final
class Orthogonal(Initializer):
    """A matrix with orthogonal rows or columns, whichever are fewer, times ``gain`` (Saxe et al., 2014).

    Of a shape with more axes, all but the last count as rows.

    Args:
        gain: the factor.
        seed: the operation's seed.
        dtype: element type, where the variable does not say.

    Raises:
        ShapeError: the variable has fewer than two axes.
        DTypeError: the variable is not floating.
    """

    gain: float = 1.0
    seed: int | None = None
    dtype: DTypeLike = float32

    def values(self, shape: Shape, dtype: DType) -> Tensor:
        """Factorize a random matrix; signs are chosen so that all results are as likely."""
        from dovetail.ops.arithmetic import sign
        from dovetail.ops.diagonals import diag_part
        from dovetail.ops.linalg import qr
        from dovetail.ops.reshaping import reshape, transpose

        self._floating(dtype)
        sizes = shape.evaluate({})
        if len(sizes) < 2:
            raise ShapeError(f"{self} makes matrices; the variable has shape {shape}.")
        rows, columns = math.prod(sizes[:-1]), sizes[-1]
        q, r = qr(random_normal([max(rows, columns), min(rows, columns)], dtype=dtype, seed=self.seed))
        q = q * sign(diag_part(r))
        matrix = transpose(q) if rows < columns else q
        return reshape(matrix, shape) * constant(self.gain, dtype)


@final
class UniformUnitScaling(Initializer):
    """Uniform values within ``±factor * sqrt(3 / inputs)``, where all axes but the last are inputs (Sussillo, 2014).

    Args:
        factor: the factor; 1 keeps the variance through a linear layer.
        seed: the operation's seed.
        dtype: element type, where the variable does not say.

    Raises:
        DTypeError: the variable is not floating.
    """

    factor: float = 1.0
    seed: int | None = None
    dtype: DTypeLike = float32

    def values(self, shape: Shape, dtype: DType) -> Tensor:
        """Draw them."""
        self._floating(dtype)
        bound = self.factor * math.sqrt(3.0 / max(math.prod(shape.evaluate({})[:-1]), 1))
        return random_uniform(shape, -bound, bound, dtype, self.seed)


# The names of TensorFlow 1 at its root.
zeros_initializer = Zeros
ones_initializer = Ones
constant_initializer = ConstantInitializer
random_uniform_initializer = RandomUniform
random_normal_initializer = RandomNormal
truncated_normal_initializer = TruncatedNormal
variance_scaling_initializer = VarianceScaling
identity_initializer = Identity
glorot_uniform_initializer = GlorotUniform
glorot_normal_initializer = GlorotNormal
orthogonal_initializer = Orthogonal
uniform_unit_scaling_initializer = UniformUnitScaling

INITIALIZERS: Final[dict[str, type[Initializer]]] = {
    "constant": ConstantInitializer,
    "glorot_normal": GlorotNormal,
    "glorot_uniform": GlorotUniform,
    "he_normal": HeNormal,
    "he_uniform": HeUniform,
    "identity": Identity,
    "lecun_normal": LecunNormal,
    "lecun_uniform": LecunUniform,
    "ones": Ones,
    "orthogonal": Orthogonal,
    "random_normal": RandomNormal,
    "random_uniform": RandomUniform,
    "truncated_normal": TruncatedNormal,
    "uniform_unit_scaling": UniformUnitScaling,
    "variance_scaling": VarianceScaling,
    "zeros": Zeros,
}
"""What core contributes to ``dt.initializers``."""

for _name, _class in INITIALIZERS.items():
    make_public(_class, f"dovetail.initializers:{_name}")
