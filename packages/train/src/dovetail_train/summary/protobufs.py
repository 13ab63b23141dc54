"""The protocol buffers of the package ``tensorboard``, loaded when they are first needed."""

from __future__ import annotations

import functools
import importlib
from typing import Any, Final, final

from dovetail.errors import PluginError

__all__ = [
    "Event",
    "HistogramProto",
    "LogMessage",
    "RunMetadata",
    "SessionLog",
    "Summary",
    "SummaryDescription",
    "SummaryMetadata",
    "TaggedRunMetadata",
    "load_pillow",
    "load_tensorboard",
    "parsed",
    "protobuf",
]


@functools.cache
def load_tensorboard(module: str) -> Any:
    """Return a module of the package ``tensorboard``.

    Raises:
        PluginError: it is not installed.
    """
    return _load(f"tensorboard.{module}", "tensorboard")


@functools.cache
def load_pillow() -> Any:
    """Return Pillow's module ``PIL.Image``.

    Raises:
        PluginError: it is not installed.
    """
    return _load("PIL.Image", "Pillow")


def protobuf(module: str) -> Any:
    """Return one of the modules of messages, such as ``summary``.

    Raises:
        PluginError: tensorboard is not installed.
    """
    return load_tensorboard(f"compat.proto.{module}_pb2")


def parsed(message: Any, data: bytes) -> Any:
    """Return the message of a class that ``data`` are; ``None`` where they are none."""
    wrong = _load("google.protobuf.message", "protobuf").DecodeError
    try:
        return message.FromString(data)
    except wrong:
        return None


def _load(module: str, package: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise PluginError(
            f"summaries need the package {package}, which cannot be imported ({error}). "
            f"Install it: pip install 'dovetail-train[tensorboard]'"
        ) from error


@final
class _Message:
    """A class of messages, which is looked up when it is first used, as if it stood here."""

    def __init__(self, module: str, name: str) -> None:
        self._module = module
        self._name = name

    def _class(self) -> Any:
        return getattr(protobuf(self._module), self._name)

    def __call__(self, *args: Any, **fields: Any) -> Any:
        return self._class()(*args, **fields)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._class(), name)

    def __instancecheck__(self, value: object) -> bool:
        return isinstance(value, self._class())

    def __repr__(self) -> str:
        return f"<the protocol buffer {self._name!r} of tensorboard>"


Summary: Final[Any] = _Message("summary", "Summary")
"""What is told at a step: values, each under a tag."""
SummaryDescription: Final[Any] = _Message("summary", "SummaryDescription")
"""What a kind of values is called."""
SummaryMetadata: Final[Any] = _Message("summary", "SummaryMetadata")
"""Which plugin of TensorBoard shows a value."""
HistogramProto: Final[Any] = _Message("histogram", "HistogramProto")
"""Counts of values between limits."""
Event: Final[Any] = _Message("event", "Event")
"""A record of an event file."""
LogMessage: Final[Any] = _Message("event", "LogMessage")
"""A message in an event file."""
SessionLog: Final[Any] = _Message("event", "SessionLog")
"""Beginning, end or checkpoint of training, in an event file."""
TaggedRunMetadata: Final[Any] = _Message("event", "TaggedRunMetadata")
"""What was measured of a run, under a tag."""
RunMetadata: Final[Any] = _Message("config", "RunMetadata")
"""What was measured of a run."""
