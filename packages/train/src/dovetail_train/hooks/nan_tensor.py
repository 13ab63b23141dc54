"""``NanTensorHook``."""

from __future__ import annotations

from typing import Any, final

import numpy as np

import dovetail as dt
from dovetail.errors import NanLossDuringTrainingError
from dovetail_train.session_run_hook import SessionRunArgs, SessionRunContext, SessionRunHook, SessionRunValues

__all__ = ["NanLossDuringTrainingError", "NanTensorHook"]


@final
class NanTensorHook(SessionRunHook):
    """Ends the loop when a tensor is NaN.

    Which operation made the first one, and on which line, is told by sessions that have
    ``dt.ConfigProto(check_numerics=True)``: they look after each step, and repeat the one that went wrong.

    Args:
        loss_tensor: the tensor.
        fail_on_nan_loss: whether to raise ``NanLossDuringTrainingError``, or to end the loop with a message.
    """

    def __init__(self, loss_tensor: Any, fail_on_nan_loss: bool = True) -> None:
        """Set what to look at."""
        self._loss = loss_tensor
        self._fail = fail_on_nan_loss

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        """Ask for the tensor."""
        return SessionRunArgs(self._loss)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Look at it.

        Raises:
            NanLossDuringTrainingError: it is NaN.
        """
        value = run_values.results
        if value != value if value.ndim == 0 else np.isnan(value).any():  # the first is the sooner done by far
            message = (
                f'the loss "{self._loss.name}" is NaN. A smaller learning rate, or gradients clipped by '
                "dt.clip_by_global_norm, may help; config=dt.ConfigProto(check_numerics=True) tells which operation "
                f"made it. {self._loss.op.where()}"
            )
            if self._fail:
                raise NanLossDuringTrainingError(message)
            dt.logging.warning("%s", message)
            run_context.request_stop()
