"""Estimators as bytes and files: network, weights and what was fitted, in a container that holds no code."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Final, Self, final

import numpy as np
from sklearn.utils.validation import check_is_fitted

import dovetail as dt
from dovetail.errors import DovetailError, FormatError, InvalidArgumentError
from dovetail.extend import Array, decode_value, encode_value
from dovetail_train.sklearn.attributes import attributes_from_data, attributes_to_data
from dovetail_train.sklearn.network import Network

__all__ = ["FORMAT", "Stored", "load"]

FORMAT: Final = "dovetail-sklearn"
_CONTAINER: Final = "_container"
_VARIABLE: Final = "variable/"
_ATTRIBUTE: Final = "attribute/"
_HELD: Final = ("_network", "_release")
PathLike = str | os.PathLike[str]


@final
class NotStored:
    """Stands for a function that a file names and that is not there, until the parameter is set again."""

    def __init__(self, name: str, parameter: str) -> None:
        """Remember what it was."""
        self.name = name
        self.parameter = parameter

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        """Say what to do.

        Raises:
            InvalidArgumentError: always.
        """
        raise InvalidArgumentError(
            f"the parameter {self.parameter} was the function {self.name!r}, of which a file keeps the name alone. "
            f"The estimator predicts without it; before it is fitted again, define it in a module and import that "
            f"before load, or call set_params({self.parameter}=...)."
        )

    def __repr__(self) -> str:
        """Show the name."""
        return f"<{self.name}, not stored>"


class Stored(ABC):
    """What an estimator can be written as, and made from."""

    _network: Network
    _kinds: ClassVar[dict[str, type[Stored]]] = {}

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Note the class, for ``load`` to find."""
        super().__init_subclass__(**keywords)
        Stored._kinds[cls.__name__] = cls

    # pickle and joblib. ----------------------------------------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        """Return the parameters, and as bytes what was fitted."""
        if not hasattr(self, "_network"):
            return dict(self.__dict__)
        fitted = self._fitted()
        rest = {name: value for name, value in self.__dict__.items() if name not in fitted and name not in _HELD}
        data, arrays = self._content()
        return rest | {_CONTAINER: dt.io.pack(data, arrays, format=FORMAT)}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        """Take what ``__getstate__`` gave.

        Raises:
            FormatError: the bytes are damaged.
        """
        rest = dict(state)
        content = rest.pop(_CONTAINER, None)
        self.__dict__.update(rest)
        if content is not None:
            source = f"pickled {type(self).__name__}"
            data, arrays = dt.io.unpack(content, format=FORMAT, source=source)
            self._take(data, arrays, source)

    # Files. ----------------------------------------------------------------------------------------------------------

    def save(self, path: PathLike) -> str:
        """Write the fitted estimator to a file, which ``load`` reads; returns the path.

        The file holds parameters, weights, the graph and the state of training, and no code. Of a parameter that is a
        function it keeps the name. A ``random_state`` that is an object is left out.

        Raises:
            NotFittedError: it is not fitted.
            StorageError: the file system refuses; what was there before is as it was.
        """
        check_is_fitted(self)
        data, arrays = self._content()
        parameters = {name: _to_data(value) for name, value in self.get_params(deep=False).items()}  # type: ignore[attr-defined]
        written: str = dt.io.write_packed(path, {**data, "parameters": parameters}, arrays, format=FORMAT)
        return written

    @classmethod
    def load(cls, path: PathLike) -> Self:
        """Return an estimator of this class that ``save`` wrote.

        Raises:
            NotFoundError: there is no such file.
            FormatError: it is damaged, or holds another kind of estimator.
        """
        found = load(path)
        if not isinstance(found, cls):
            raise FormatError(
                f'"{os.fspath(path)}" holds a {type(found).__name__}, no {cls.__name__}. Use '
                f"dt.sklearn.{type(found).__name__}.load, or dt.sklearn.load for any of them."
            )
        return found

    # Content. --------------------------------------------------------------------------------------------------------

    def _fitted(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name.endswith("_") and name not in _HELD}

    def _content(self) -> tuple[dict[str, Any], dict[str, Array]]:
        attributes, arrays = attributes_to_data(self._fitted())
        network, values = self._network.state()
        data = {"estimator": type(self).__name__, "attributes": attributes, "network": network}
        return data, {_ATTRIBUTE + name: array for name, array in arrays.items()} | {
            _VARIABLE + name: np.asarray(value) for name, value in values.items()
        }

    def _take(self, data: Mapping[str, Any], arrays: Mapping[str, Array], source: str) -> None:
        try:
            values = _below(arrays, _VARIABLE)
            network = Network.from_state(data["network"], values)
            attributes = attributes_from_data(data["attributes"], _below(arrays, _ATTRIBUTE))
        except (KeyError, TypeError) as error:
            if isinstance(error, DovetailError):
                raise
            raise FormatError(f'"{source}" does not describe an estimator: {error!r}. Save it anew.') from error
        self.__dict__.update(attributes)
        self._hold(network)

    @abstractmethod
    def _hold(self, network: Network) -> None:
        """Take a network that was read."""


def load(path: PathLike) -> Any:
    """Return the estimator that ``save`` wrote, of whichever class.

    Raises:
        NotFoundError: there is no such file.
        FormatError: it is damaged.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> X, y = load_iris(return_X_y=True)
        >>> path = dt.sklearn.DovetailClassifier((8,), max_iter=5, n_iter_no_change=None).fit(X, y).save("iris.model")
        >>> load(path).predict(X[:3]).shape
        (3,)
    """
    data, arrays = dt.io.read_packed(path, format=FORMAT)
    cls: Any = Stored._kinds.get(str(data.get("estimator")))
    parameters = data.get("parameters")
    if cls is None or not isinstance(parameters, dict):
        raise FormatError(
            f'"{os.fspath(path)}" holds a {data.get("estimator")!r}, which is not known here. Import the module that '
            "defines it."
        )
    try:
        estimator = cls(**{name: _from_data(value, name) for name, value in parameters.items()})
    except TypeError as error:
        raise FormatError(f'"{os.fspath(path)}" does not fit {cls.__name__}: {error}. Save it anew.') from error
    estimator._take(data, arrays, os.fspath(path))
    return estimator


def _below(arrays: Mapping[str, Array], prefix: str) -> dict[str, Array]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _to_data(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Mapping):  # labels may be numbers, which the keys of JSON are not
        return {"pairs": [[_to_data(key), _to_data(item)] for key, item in value.items()]}
    if isinstance(value, NotStored):
        return {"function": value.name}
    if isinstance(value, np.random.RandomState):
        return None
    if isinstance(value, (list, tuple)):
        return [_to_data(item) for item in value]
    return encode_value(value)


def _from_data(data: Any, parameter: str) -> Any:
    if isinstance(data, Mapping) and "pairs" in data:
        return {_from_data(key, parameter): _from_data(item, parameter) for key, item in data["pairs"]}
    try:
        return decode_value(data)
    except FormatError:
        if isinstance(data, Mapping) and "function" in data:
            return NotStored(str(data["function"]), parameter)
        raise
