"""What hooks watch: a tensor, or a function of the session; and whether it has become better."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, final

import numpy as np

import dovetail as dt
from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError

__all__ = ["Best", "Monitor"]

_MODES: Final = ("min", "max")


@final
class Monitor:
    """A number that a hook looks at every few steps.

    Args:
        hook: the hook's name, for messages.
        what: a tensor or its name; or a function of the session that returns the number, such as an evaluation.
        every_n_steps: after so many steps.

    Attributes:
        name: what it is called in messages.
        made: how many steps were made, in the beginnings of this training too.

    Raises:
        InvalidArgumentError: the number of steps is not positive.
    """

    def __init__(self, hook: str, what: Any, every_n_steps: int) -> None:
        """Set what to watch."""
        if every_n_steps < 1:
            raise InvalidArgumentError(f"{hook}: every_n_steps is {every_n_steps}; give at least 1.")
        self._hook = hook
        self._given = what
        self._every = every_n_steps
        self._function: Callable[[dt.Session], Any] | None = what if callable(what) else None
        self.name = getattr(what, "__name__", "the evaluation") if self._function is not None else str(what)

    def begin(self) -> None:
        """Find the tensor, and count anew.

        Raises:
            ShapeError: it holds more than one number.
        """
        self.made = 0
        if self._function is not None:
            return
        self._tensor = dt.get_default_graph().as_graph_element(self._given)
        self.name = self._tensor.name.removesuffix(":0")
        if self._tensor.shape.rank not in (None, 0):
            raise ShapeError(
                f"{self._hook}: {self.name!r} is {self._tensor.type}, where one number is wanted. Use dt.reduce_mean."
            )

    @property
    def fetches(self) -> Any:
        """What to compute in the step that is about to be made; ``None`` where nothing is due."""
        due = (self.made + 1) % self._every == 0
        return self._tensor if due and self._function is None else None

    def look(self, session: dt.Session, results: Any) -> float | None:
        """Return the number after a step; ``None`` where it is not due.

        Raises:
            DTypeError: the function returns no number.
        """
        self.made += 1
        if self.made % self._every:
            return None
        value = results if self._function is None else self._function(session)
        try:
            return float(np.asarray(value).item())
        except (TypeError, ValueError) as error:
            raise DTypeError(f"{self._hook}: {self.name} gave {value!r}, where one number is wanted.") from error


@final
class Best:
    """The best number so far, and for how many looks none was better.

    Args:
        hook: the hook's name, for messages.
        mode: ``"min"`` where less is better, ``"max"`` where more is.
        min_delta: by how much a number must be better to count.
        patience: how many looks may pass without.

    Raises:
        InvalidArgumentError: the mode is another, or a number is negative.
    """

    def __init__(self, hook: str, mode: str, min_delta: float, patience: int) -> None:
        """Begin with none."""
        if mode not in _MODES:
            raise InvalidArgumentError(f'{hook}: mode is {mode!r}; give "min" or "max".')
        if not (min_delta >= 0 and math.isfinite(min_delta)):
            raise InvalidArgumentError(f"{hook}: min_delta is {min_delta}; give 0 or a positive number.")
        if patience < 0:
            raise InvalidArgumentError(f"{hook}: patience is {patience}; give 0 or more.")
        self._sign = 1.0 if mode == "min" else -1.0
        self._least = min_delta
        self._patience = patience
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.value: float | None = None
        self.waited = 0

    def improves(self, value: float) -> bool:
        """Take a number; says whether it is the best so far. One that is NaN never is."""
        better = not math.isnan(value) and (
            self.value is None or self._sign * value < self._sign * self.value - self._least
        )
        if better:
            self.value, self.waited = value, 0
        else:
            self.waited += 1
        return better

    @property
    def exhausted(self) -> bool:
        """Whether patience is at its end."""
        return self.waited > 0 and self.waited >= self._patience

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {"best": self.value, "waited": self.waited}

    def restore(self, state: dict[str, Any]) -> None:
        """Take over what ``state`` gave."""
        self.value, self.waited = state["best"], int(state["waited"])
