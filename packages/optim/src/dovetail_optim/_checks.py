"""What optimizers ask of their numbers."""

from __future__ import annotations

from typing import Any

from dovetail.errors import ConfigurationError
from dovetail.extend import Optimizer

__all__ = ["above_zero", "at_most_zero", "not_below_zero", "whole"]


def above_zero(optimizer: Optimizer, *names: str) -> None:
    """Raise ``ConfigurationError`` unless fields are numbers above zero."""
    _demand(optimizer, names, "must be above zero", lambda value: value > 0)


def not_below_zero(optimizer: Optimizer, *names: str) -> None:
    """Raise ``ConfigurationError`` unless fields are numbers from zero."""
    _demand(optimizer, names, "must not be below zero", lambda value: value >= 0)


def at_most_zero(optimizer: Optimizer, *names: str) -> None:
    """Raise ``ConfigurationError`` unless fields are numbers up to zero."""
    _demand(optimizer, names, "must not be above zero", lambda value: value <= 0)


def whole(optimizer: Optimizer, *names: str) -> None:
    """Raise ``ConfigurationError`` unless fields are numbers from one, as of steps."""
    _demand(optimizer, names, "must be at least 1", lambda value: value >= 1)


def _demand(optimizer: Optimizer, names: tuple[str, ...], what: str, holds: Any) -> None:
    for name in names:
        value = getattr(optimizer, name)
        if not holds(value):
            raise ConfigurationError(f"{optimizer.get_name()}: {name} is {value}; it {what}.")
