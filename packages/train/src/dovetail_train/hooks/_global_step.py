"""The global step, which hooks count by."""

from __future__ import annotations

import dovetail as dt
from dovetail.errors import NotFoundError

__all__ = ["global_step_of"]


def global_step_of(hook: object) -> dt.Tensor:
    """Return the default graph's global step for a hook that needs it, as it is after what the graph holds so far.

    Raises:
        NotFoundError: the graph has none.
    """
    step: dt.Variable | None = dt.train.get_global_step()
    if step is None:
        raise NotFoundError(
            f"{type(hook).__name__}: the graph has no global step; make it by dt.train.get_or_create_global_step() and "
            "pass it to minimize() as global_step."
        )
    return step.value()
