"""Every error that Dovetail raises on its own account.

Each class subclasses the builtin that a caller would catch without knowing Dovetail. Messages say what was wrong,
where (the node and the user's line), and what to do.
"""

from __future__ import annotations

__all__ = [
    "AbsentNameError",
    "AlreadyExistsError",
    "AttributeEncodingError",
    "ClosedSessionError",
    "ConfigurationError",
    "DTypeError",
    "DataError",
    "DataLossError",
    "DeviceError",
    "DovetailError",
    "ExportError",
    "FailedPreconditionError",
    "FeedError",
    "FetchError",
    "FinalizedGraphError",
    "FormatError",
    "GradientError",
    "GraphError",
    "InvalidArgumentError",
    "LayerError",
    "MissingFeedError",
    "NanLossDuringTrainingError",
    "NotFoundError",
    "NumericsError",
    "OpError",
    "OperationError",
    "OutOfRangeError",
    "PermissionDeniedError",
    "PluginCollisionError",
    "PluginError",
    "PluginNotFoundError",
    "ProgramError",
    "ShapeError",
    "StorageError",
    "UnimplementedError",
    "UninitializedVariableError",
    "UnsupportedOperationError",
]


class DovetailError(Exception):
    """Base of all errors raised by Dovetail and its first-party plugins."""


class InvalidArgumentError(DovetailError, ValueError):
    """An argument has a value that the function does not accept."""


class ShapeError(InvalidArgumentError):
    """Shapes do not fit an operation, or each other."""


class DTypeError(DovetailError, TypeError):
    """A dtype, or the type of a Python object, does not fit."""


class AttributeEncodingError(DTypeError):
    """A value is not one of the kinds that an attribute may hold."""


class GraphError(DovetailError, ValueError):
    """The graph does not allow what was asked: foreign tensors, taken names, unknown names."""


class FinalizedGraphError(GraphError, RuntimeError):
    """A finalized graph was changed."""


class AlreadyExistsError(GraphError):
    """A name is already taken, as by a variable."""


class NotFoundError(DovetailError, KeyError):
    """Something asked for by name does not exist."""

    def __str__(self) -> str:
        """Give the message itself; ``KeyError`` would quote it."""
        return str(self.args[0]) if self.args else ""


class GradientError(DovetailError, LookupError):
    """A gradient was asked for through an operation that has none."""


class FeedError(InvalidArgumentError):
    """A value in ``feed_dict`` does not fit its tensor."""


class MissingFeedError(FeedError):
    """A placeholder that the fetches need was not fed."""


class FetchError(DovetailError, TypeError):
    """An object that cannot be fetched was asked of ``run``."""


class ClosedSessionError(DovetailError, RuntimeError):
    """A closed session was asked to run."""


class UninitializedVariableError(DovetailError, RuntimeError):
    """A variable was read before its initializer ran."""


class OperationError(DovetailError, RuntimeError):
    """An operation failed while it ran; the session's state is as before the call."""


class OutOfRangeError(DovetailError, EOFError):
    """There is nothing left to read: the end of a data set, a loop that was asked to go on."""


class DataError(InvalidArgumentError):
    """A dataset's elements do not fit each other, or a function that makes them failed."""


class NumericsError(OperationError, FloatingPointError):
    """A session that checks numerics met a NaN or an infinity."""


class NanLossDuringTrainingError(DovetailError, RuntimeError):
    """A loss is NaN."""


class UnsupportedOperationError(DovetailError, NotImplementedError):
    """No backend, or not this exporter, implements an operation."""


class DeviceError(DovetailError, ValueError):
    """A device string is malformed, or names a device that is not there."""


class ProgramError(DovetailError, ValueError):
    """A program breaks the rules of its form, or its text does not parse."""


class ConfigurationError(DovetailError, TypeError):
    """A layer, initializer or optimizer was given an unknown argument, or one of the wrong kind."""


class LayerError(ConfigurationError):
    """A layer's class or configuration breaks the layer contract."""


class FormatError(DovetailError, ValueError):
    """A file is damaged, or not of the format it was taken for."""


class StorageError(DovetailError, OSError):
    """The file system refused to read or write a file: no rights, no space, a folder in its place."""


class PluginError(DovetailError, ImportError):
    """A plugin could not be loaded; the original error is the cause."""


class PluginCollisionError(PluginError):
    """Two distributions provide the same name."""


class PluginNotFoundError(DovetailError, AttributeError):
    """No installed plugin provides what was asked for."""


class AbsentNameError(PluginNotFoundError):
    """A name of TensorFlow 1 that Dovetail leaves out; the message says what to use."""


class ExportError(DovetailError, RuntimeError):
    """A model was made for another runtime and does not hold there; nothing was written."""


# What TensorFlow 1 calls some of them.
DataLossError = FormatError
FailedPreconditionError = UninitializedVariableError
OpError = DovetailError
PermissionDeniedError = StorageError
UnimplementedError = UnsupportedOperationError
