"""Whether a checkpoint fits the variables that are to be restored from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

import dovetail as dt
from dovetail.errors import DovetailError, DTypeError, NotFoundError, ShapeError
from dovetail_io.checkpoint import Checkpoint, nearest
from dovetail_io.snapshot import listed

__all__ = ["check_fit"]

_SHOWN = 5


def check_fit(checkpoint: Checkpoint, variables: Mapping[str, dt.Variable], *, reshape: bool) -> None:
    """Make sure that a checkpoint has a value of the right type for each variable.

    Args:
        checkpoint: the checkpoint.
        variables: the variables by the names that they have in it.
        reshape: whether a tensor of another shape fits that has as many elements.

    Raises:
        NotFoundError: it lacks some; the message lists them, with the nearest names.
        ShapeError: a tensor's shape is not its variable's.
        DTypeError: a tensor's dtype is not its variable's.
    """
    missing = [name for name in variables if not checkpoint.has_tensor(name)]
    if missing:
        extra = [name for name in checkpoint.names if name not in variables]
        lines = [f"  {name}: {_type(variables[name])}, missing.{nearest(name, extra)}" for name in missing[:_SHOWN]]
        lines += [f"  … and {len(missing) - _SHOWN} more"] if len(missing) > _SHOWN else []
        also = f" It holds, and the saver does not know: {listed(extra)}." if extra else ""
        raise NotFoundError(
            f'the checkpoint "{checkpoint.prefix}" has no value for {len(missing)} of {len(variables)} variables; '
            f"it was saved from another network.{also} Give Saver variables that it holds, or a dict of names.\n"
            + "\n".join(lines)
        )
    wrong: list[str] = []
    kinds: set[type[DovetailError]] = set()
    for name, variable in variables.items():
        spec = checkpoint.spec(name)
        if spec.dtype is not variable.dtype:
            kinds.add(DTypeError)
        elif not variable.shape.is_compatible_with(dt.Shape(spec.shape)) and not (
            reshape and _can_reshape(variable, spec.shape)
        ):
            kinds.add(ShapeError)
        else:
            continue
        wrong.append(f"  {name}: {spec} in the checkpoint, {_type(variable)} in the graph. {variable.op.where()}")
    if wrong:
        count = len(wrong)
        wrong = wrong[:_SHOWN] + ([f"  … and {count - _SHOWN} more"] if count > _SHOWN else [])
        raise (DTypeError if DTypeError in kinds else ShapeError)(
            f'the checkpoint "{checkpoint.prefix}" does not fit the graph: {count} of {len(variables)} variables '
            f"have another type. Build the network that was saved, or leave them out of the Saver's var_list.\n"
            + "\n".join(wrong)
        )


def _can_reshape(variable: dt.Variable, shape: Sequence[int]) -> bool:
    return variable.shape.is_static and variable.shape.num_elements() == int(np.prod(shape))


def _type(variable: dt.Variable) -> str:
    return f"{variable.dtype.name}{variable.shape}"
