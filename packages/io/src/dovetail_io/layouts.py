"""How other frameworks name and lay out the weights of layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, final

import dovetail as dt
from dovetail.extend import Array

__all__ = ["LAYOUTS", "Layout"]


@final
class Layout:
    """Names and orders of axes.

    Args:
        names: what the last part of a tensor's name may stand for here, the likeliest first.
        ignored: last parts of the names of tensors that have no counterpart.
        turns: whether kernels have their filters first.
    """

    def __init__(self, names: Mapping[str, Sequence[str]], ignored: Sequence[str] = (), *, turns: bool = False) -> None:
        self._names = names
        self._ignored = frozenset(ignored)
        self._turns = turns

    def ignores(self, tensor: str) -> bool:
        """Whether a tensor of that name has no counterpart."""
        return tensor.rpartition(".")[2] in self._ignored

    def candidates(self, name: str) -> list[str]:
        """Return the variables that a name may stand for, the likeliest first."""
        slashes = name.replace(".", "/")
        scope, slash, last = slashes.rpartition("/")
        return [name, slashes, *(f"{scope}{slash}{one}" for one in self._names.get(last, ()))]

    def put(self, variable: str, array: Array, shape: dt.Shape) -> Array:
        """Return a tensor with its axes as the variable has them: filters last, and before them the channels."""
        last = variable.rpartition("/")[2]
        if not self._turns or not last.endswith("kernel") or array.ndim < 2:
            return array
        spatial = range(2, array.ndim)
        if last == "depthwise_kernel" and array.shape[1] == 1 and shape.rank == array.ndim and shape.is_static:
            channels = shape.as_list()[-2]
            if channels and array.shape[0] % channels == 0:  # filters of one channel stand together
                apart = array.reshape(channels, -1, *array.shape[2:])
                return apart.transpose(*spatial, 0, 1)
        return array.transpose(*spatial, 1, 0)


_TORCH: Final = {
    "weight": ("kernel", "depthwise_kernel", "gamma", "embeddings"),
    "bias": ("bias", "beta"),
    "running_mean": ("moving_mean",),
    "running_var": ("moving_variance",),
}
LAYOUTS: Final[Mapping[str | None, Layout]] = MappingProxyType(
    {None: Layout({}), "torch": Layout(_TORCH, ["num_batches_tracked"], turns=True)}
)
