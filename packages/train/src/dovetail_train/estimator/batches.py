"""What an ``input_fn`` gives: batches of arrays of one kind, counted, or tensors of the graph."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol, final, runtime_checkable

import numpy as np

import dovetail as dt
from dovetail.errors import DataError, DovetailError, DTypeError, InvalidArgumentError, ShapeError
from dovetail.extend import Array, DType, nest
from dovetail_train.data.spec import as_leaf
from dovetail_train.estimator.frames import columns_of, is_frame, is_series, values_of

__all__ = ["Batch", "Batches", "Kind", "NoPosition", "as_batch", "open_input"]

POSITION: Final = "input"


@runtime_checkable
class Resumable(Protocol):
    """An iterator that can tell its position and go on from one."""

    def state(self) -> Any:
        """Return the position, as data for JSON."""

    def restore(self, state: Any) -> None:
        """Go on from a position."""


@runtime_checkable
class Declared(Protocol):
    """An iterator that says what its elements are."""

    @property
    def element_spec(self) -> Any:
        """An element with a dtype and a shape for each array; sizes that differ are open."""


class Batch(NamedTuple):
    """One batch.

    Attributes:
        structure: the pair of features and labels, with anything for leaves.
        paths: the subscripts that lead to each leaf, in order.
        arrays: the leaves.
    """

    structure: Any
    paths: tuple[str, ...]
    arrays: list[Array]


class Kind(NamedTuple):
    """What all batches of an input have in common.

    Attributes:
        paths: the subscripts that lead to each array.
        dtypes: their dtypes.
        shapes: their shapes without the first axis; ``None`` for sizes that differ.
    """

    paths: tuple[str, ...]
    dtypes: tuple[DType, ...]
    shapes: tuple[tuple[int | None, ...], ...]

    def placeholders(self, structure: Any) -> tuple[Any, list[dt.Tensor]]:
        """Make a placeholder for each array in the default graph; returns them in their structure, and in order."""
        made = [
            dt.placeholder(dtype, [None, *shape], name=_node_name(path))
            for path, dtype, shape in zip(self.paths, self.dtypes, self.shapes, strict=True)
        ]
        return nest.pack(structure, made), made


def as_batch(element: Any, where: str, labelled: bool = True) -> Batch:
    """Take an element of an input as features and labels.

    Args:
        element: features, or a pair of features and labels: arrays, or dicts or tuples of them.
        where: the batch, for messages.
        labelled: whether to take the labels, or leave them out.

    Raises:
        InvalidArgumentError: there is nothing, or more than a pair.
        DataError: something is no array.
        DTypeError: something is a tensor.
        ShapeError: an array has no batch axis, or the arrays have not the same number of rows.
    """
    if type(element) is tuple:
        if len(element) not in (1, 2):
            raise InvalidArgumentError(
                f"{where} is a tuple of {len(element)}; give features, or a pair (features, labels)."
            )
        features, labels = element if len(element) == 2 else (element[0], None)
    else:
        features, labels = element, None
    if features is None:
        raise InvalidArgumentError(f"{where} is {element!r}, without features; return arrays, or a dict of arrays.")
    structure: Any = (_plain(features, "[0]", where),)
    if labels is not None and labelled:
        structure = (*structure, _plain(labels, "[1]", where))
    leaves = nest.flatten_with_paths(structure)
    arrays = [leaf if type(leaf) is np.ndarray else _as_array(leaf, path, where) for path, leaf in leaves]
    rows = None
    for (path, _), array in zip(leaves, arrays, strict=True):
        if not array.shape:
            raise ShapeError(
                f"{where}: {_label(path)} is a single value; batches have a first axis of rows. Use batch(…) of the "
                "data set, or give arrays."
            )
        if rows is None:
            rows = len(array)
        elif len(array) != rows:
            raise ShapeError(
                f"{where}: {_label(path)} has {len(array)} rows, {_label(leaves[0][0])} has {rows}; give as many."
            )
    if rows is None:
        raise InvalidArgumentError(f"{where} holds no arrays; return features, or a pair (features, labels).")
    return Batch(structure, tuple(path for path, _ in leaves), arrays)


def _plain(value: Any, path: str, where: str) -> Any:
    """Make arrays of lists, series and the columns of frames, which structures would be taken apart for.

    Raises:
        DataError: a list is ragged, or holds something else than numbers or text.
    """
    if type(value) is np.ndarray:
        return value
    if is_frame(value):
        return columns_of(value, where)
    if is_series(value):
        return values_of(value, _label(path), where)
    if isinstance(value, Mapping):
        return {name: _plain(one, f"{path}[{name!r}]", where) for name, one in value.items()}
    return as_leaf(value, where, lambda: _label(path)) if isinstance(value, list) else value


def _as_array(value: Any, path: str, where: str) -> Array:
    if isinstance(value, dt.Tensor):
        raise DTypeError(
            f"{where}: {_label(path)} is {value!r}, a part of the graph; an input gives either arrays or tensors."
        )
    return np.asarray(as_leaf(value, where, lambda: _label(path)))


def _kind_of(batch: Batch, where: str) -> Kind:
    dtypes = []
    for path, array in zip(batch.paths, batch.arrays, strict=True):
        if array.dtype == object and array.size and not isinstance(array.flat[0], (str, bytes)):
            raise DataError(
                f"{where}: {_label(path)} holds objects such as {array.flat[0]!r}; give numbers or text, with the same "
                "number of elements in each row."
            )
        try:
            dtypes.append(dt.as_dtype(array.dtype))
        except DTypeError as error:
            raise DTypeError(f"{where}: {_label(path)}: {error}") from error
    return Kind(batch.paths, tuple(dtypes), tuple(array.shape[1:] for array in batch.arrays))


@final
class NoPosition:
    """Stands for an input whose position does not matter, as in evaluation: it passes over what a checkpoint holds."""

    name = POSITION

    def state(self) -> None:
        """There is none."""

    def restore(self, state: Any) -> None:
        """Stay."""


@final
class Batches(Iterator[Batch]):
    """The batches of an input in order.

    Args:
        source: gives elements anew each time that it is iterated; a generator gives them once.
        who: what they are for, for messages.
        check: looks at each batch and raises where it cannot be used; takes the batch and its name for messages.
        open_axes: axes of features whose sizes may differ between batches.
        endless: whether the source never ends.
        labelled: whether to take labels, or leave them out.

    Attributes:
        endless: whether the source never ends.
        name: of their position in checkpoints.
        who: what they are for.
        count: how many batches were taken.
        first: the first batch, to see what kind they are of.
        kind: what all have in common.
    """

    def __init__(
        self,
        source: Iterable[Any],
        who: str,
        check: Callable[[Batch, str], None] | None = None,
        open_axes: Sequence[int] = (),
        endless: bool = False,
        labelled: bool = True,
    ) -> None:
        """Look at the first batch."""
        self._labelled = labelled
        self._lost: InvalidArgumentError | None = None
        self.endless = endless
        self.name = POSITION
        self.who = who
        self.count = 0
        self._source = source
        self._check = check
        self._ended = False
        self._drawn = 0
        self._iterator = self._begin()
        try:
            self._peeked: Batch | None = self._draw()
        except StopIteration:
            raise InvalidArgumentError(
                f"{who}: the input ended before its first batch; input_fn must give one at least."
            ) from None
        self.first = self._peeked
        self.kind = self._opened(_kind_of(self.first, self._where(1)), open_axes)

    def __next__(self) -> Batch:
        """Return the next batch.

        Raises:
            StopIteration: there is none.
            InvalidArgumentError: it is of another kind than the first.
        """
        if self._lost is not None:
            raise self._lost
        batch = self._peeked
        if batch is None:
            batch = self._draw()
        self._peeked = None
        self.count += 1
        return batch

    def close(self) -> None:
        """Let the input free what it holds, such as threads and files."""
        close = getattr(self._iterator, "close", None)
        if callable(close):
            close()

    def state(self) -> Any:
        """Return how far the batches taken reach: the count, and the input's own position where it tells one."""
        if self._ended:
            return None
        own = self._iterator.state() if isinstance(self._iterator, Resumable) and self._peeked is None else None
        return {"batches": self.count, "own": own}

    def restore(self, state: Any) -> None:
        """Go on behind the batches that were taken when ``state`` was saved; from the beginning where they ended.

        An input that does not take the position, as that of other data, is read from its beginning, with a warning.
        A generator cannot begin anew: where it ends before the position, the next batch is refused.
        """
        if not state or not state["batches"]:
            return
        count, own = int(state["batches"]), state["own"]
        if isinstance(self._iterator, Resumable) and own is not None:
            try:
                self._iterator.restore(own)
            except (DovetailError, LookupError, TypeError, ValueError) as error:
                self._start_anew(f"does not take that position ({error})")
                return
        else:
            ends = object()
            for _ in range(count - self._drawn):
                if next(self._iterator, ends) is ends:
                    self._start_anew("ends before")
                    return
        self._drawn = self.count = count
        self._peeked = None

    def _start_anew(self, why: str) -> None:
        if self._source is self._iterator:
            self._lost = InvalidArgumentError(
                f"{self.who}: the checkpoint was saved further on in the input, but the generator {why}. Let input_fn "
                "give the data that it was trained with, or set RunConfig(restore_input=False)."
            )
            return
        dt.logging.warning(
            "%s: the checkpoint was saved further on in the input, but the input %s; it is read from its beginning.",
            self.who,
            why,
        )
        self.close()
        self._iterator = self._begin()
        self._drawn = 0
        self._peeked = self._draw()

    def _begin(self) -> Iterator[Any]:
        return iter(self._source)

    def _draw(self) -> Batch:
        if self.endless and self._drawn:  # the one batch again
            self._drawn += 1
            return self.first
        where = self._where(self._drawn + 1)
        try:
            element = next(self._iterator)
        except StopIteration:
            self._ended = True
            raise
        except Exception as error:
            error.add_note(f"{where} was about to be read.")
            raise
        batch = as_batch(element, where, self._labelled)
        if self._drawn or self.count:
            self._hold(batch, where)
        if self._check is not None:
            self._check(batch, where)
        self._drawn += 1
        return batch

    def _where(self, number: int) -> str:
        return f"{self.who}: batch {number} of the input"

    def _hold(self, batch: Batch, where: str) -> None:
        """Hold a batch to the kind of the first.

        Raises:
            InvalidArgumentError: keys differ.
            DTypeError: a dtype differs.
            ShapeError: a shape differs.
        """
        kind = self.kind
        if batch.paths != kind.paths:
            raise InvalidArgumentError(_other_keys(kind.paths, batch.paths, where))
        for path, dtype, shape, array in zip(kind.paths, kind.dtypes, kind.shapes, batch.arrays, strict=True):
            if array.dtype != dtype.numpy and dt.as_dtype(array.dtype) is not dtype:
                raise DTypeError(
                    f"{where}: {_label(path)} is {dt.as_dtype(array.dtype).name}, but {dtype.name} in the first batch; "
                    "let input_fn give one dtype."
                )
            found = array.shape[1:]
            if found != shape and not (
                len(found) == len(shape) and all(one in (None, size) for one, size in zip(shape, found, strict=True))
            ):
                raise ShapeError(
                    f"{where}: the rows of {_label(path)} have shape {list(found)}, but {list(shape)} in the first "
                    "batch; let input_fn give one shape, or a data set of declared open sizes, as pad_batch makes it."
                )

    def _opened(self, found: Kind, open_axes: Sequence[int]) -> Kind:
        """Open the sizes that may differ: those that the iterator declares so, and those of ``open_axes``."""
        if isinstance(self._source, list | itertools.repeat):  # a single batch
            return found if not open_axes else _with_free_axes(found, [None] * len(found.shapes), open_axes)
        declared = nest.flatten(self._iterator.element_spec) if isinstance(self._iterator, Declared) else []
        if len(declared) != len(found.shapes):
            declared = [None] * len(found.shapes)
        return _with_free_axes(found, declared, open_axes)


def _with_free_axes(found: Kind, declared: Sequence[Any], open_axes: Sequence[int]) -> Kind:
    shapes = []
    for path, shape, spec in zip(found.paths, found.shapes, declared, strict=True):
        sizes = None if spec is None or spec.shape is None else list(spec.shape)[1:]
        known = sizes if sizes is not None and len(sizes) == len(shape) else shape
        free = open_axes if path.startswith("[0]") else ()
        shapes.append(
            tuple(
                size if isinstance(one, int) and axis not in free else None
                for axis, (size, one) in enumerate(zip(shape, known, strict=True), start=1)
            )
        )
    return found._replace(shapes=tuple(shapes))


def open_input(
    result: Any,
    who: str,
    *,
    check: Callable[[Batch, str], None] | None = None,
    open_axes: Sequence[int] = (),
    repeat: bool = False,
    labelled: bool = True,
) -> Batches | tuple[Any, Any]:
    """Read what an ``input_fn`` returned.

    Args:
        result: arrays, dicts of them, a pair (features, labels) of these, which make one batch; a data set, generator
            or other iterable of such; or tensors in place of arrays.
        who: what it is for, for messages.
        check: looks at each batch.
        open_axes: axes of features whose sizes may differ between batches.
        repeat: whether what makes one batch is given again and again.
        labelled: whether to take labels, or leave them out.

    Returns:
        Batches; of tensors the pair (features, labels).

    Raises:
        InvalidArgumentError: there is nothing.
    """
    if result is None:
        raise InvalidArgumentError(
            f"{who}: input_fn returned None; let it return features, a pair (features, labels), or a data set."
        )
    if type(result) is not np.ndarray and any(isinstance(leaf, dt.Tensor) for leaf in nest.flatten(result)):
        pair = result if isinstance(result, tuple) else (result, None)
        if len(pair) != 2:
            raise InvalidArgumentError(
                f"{who}: input_fn returned a tuple of {len(pair)}; give features, or a pair (features, labels)."
            )
        return nest.map_structure(_as_tensor, pair[0]), nest.map_structure(_as_tensor, pair[1])
    if _is_one_batch(result):
        return Batches(itertools.repeat(result) if repeat else [result], who, check, open_axes, repeat, labelled)
    if not isinstance(result, Iterable):
        raise DTypeError(
            f"{who}: input_fn returned {result!r}; let it return arrays, dicts of arrays, a pair (features, labels) of "
            "these, or a data set or generator that gives them."
        )
    return Batches(result, who, check, open_axes, labelled=labelled)


def _is_one_batch(result: Any) -> bool:
    return isinstance(result, tuple | list | Mapping | np.ndarray) or is_frame(result) or is_series(result)


def _as_tensor(leaf: Any) -> Any:
    return leaf if leaf is None else dt.convert_to_tensor(leaf)


def _label(path: str) -> str:
    """Name an array: the subscripts that lead to it, without the place of the pair."""
    what = "features" if path.startswith("[0]") else "labels"
    return what + path[3:]


def _node_name(path: str) -> str:
    name = "".join(one if one.isalnum() or one in "._-" else "_" for one in _label(path).replace("']['", "_"))
    return name.replace("__", "_").strip("_")


def _other_keys(expected: Sequence[str], found: Sequence[str], where: str) -> str:
    missing = [_label(path) for path in expected if path not in found]
    other = [_label(path) for path in found if path not in expected]
    text = f"{where} has other keys than the first:"
    if missing:
        text += f" {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"
    if other:
        text += f"{' and' if missing else ''} {', '.join(other)} {'is' if len(other) == 1 else 'are'} new"
    near = difflib.get_close_matches(missing[0], other, 1) if missing else []
    return text + (f". Was {near[0]} meant as {missing[0]}?" if near else "; let input_fn give the same keys.")
