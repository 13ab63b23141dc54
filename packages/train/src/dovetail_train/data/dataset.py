"""``Dataset``: a pipeline of elements, from sources through transformations."""

from __future__ import annotations

import builtins
import os
from collections.abc import Callable, Iterable
from typing import Any, Final, final

import dovetail as dt
from dovetail.errors import InvalidArgumentError
from dovetail_train.data.arguments import natural, positive
from dovetail_train.data.arrays import Arrays, Numbers, Once
from dovetail_train.data.batch import Batch, PaddedBatch, Unbatch
from dovetail_train.data.cache import Cache
from dovetail_train.data.cache_file import FileCache
from dovetail_train.data.generator import Generator, signature_of
from dovetail_train.data.graph_iterator import Iterator
from dovetail_train.data.interleave import Interleave
from dovetail_train.data.iterator import DatasetIterator, Turns
from dovetail_train.data.joining import Concatenate, Enumerate, zipped
from dovetail_train.data.map import Map
from dovetail_train.data.parts import Filter, sliced
from dovetail_train.data.prefetch import Prefetch
from dovetail_train.data.randomness import settle_seed
from dovetail_train.data.repeat import Repeat
from dovetail_train.data.shuffle import Shuffle
from dovetail_train.data.stage import INFINITE, UNKNOWN, Stage

__all__ = ["AUTOTUNE", "Dataset"]

AUTOTUNE: Final = -1
"""Given as a number of threads or of elements to read ahead: let Dovetail choose."""

_AHEAD: Final = 2


@final
class Dataset:
    """A sequence of elements, described but not yet read: arrays, or tuples and dicts of arrays.

    ``iter(dataset)`` reads it; each pass begins anew. A transformation returns another dataset and changes nothing.
    What is random depends on seeds and on the number of the pass alone: it is the same on every platform and for any
    number of threads, and two passes shuffle differently. Functions for ``map`` and its like take the parts of a tuple
    as their arguments, and work on NumPy arrays.

    Example:
        >>> x, y = np.arange(6.0), np.arange(6) % 2
        >>> dataset = dt.data.from_arrays((x, y)).map(lambda x, y: (x / 10, y)).batch(4)
        >>> for batch in dataset:
        ...     print(batch)
        (array([0. , 0.1, 0.2, 0.3]), array([0, 1, 0, 1]))
        (array([0.4, 0.5]), array([0, 1]))
    """

    def __init__(self, stage: Stage) -> None:
        """Wrap a stage; the functions of ``dt.data`` make datasets."""
        self._stage = stage
        self._turns = Turns()

    # Sources. ------------------------------------------------------------

    @staticmethod
    def from_tensor_slices(tensors: Any) -> Dataset:
        """Return the rows of arrays: ``dt.data.from_arrays``, under TensorFlow's name."""
        return Dataset(Arrays(tensors, "from_tensor_slices"))

    @staticmethod
    def from_tensors(tensors: Any) -> Dataset:
        """Return a dataset of one element.

        Example:
            >>> len(dt.data.Dataset.from_tensors({"a": np.zeros(3)}))
            1
        """
        return Dataset(Once(tensors, "from_tensors"))

    @staticmethod
    def from_generator(
        generator: Callable[..., Iterable[Any]],
        output_types: Any = None,
        output_shapes: Any = None,
        args: Iterable[Any] | None = None,
        *,
        output_signature: Any = None,
        length: int | None = None,
    ) -> Dataset:
        """Return what a generator gives; the function of ``dt.data``, under TensorFlow's name."""
        spec = output_signature
        if output_types is not None:
            if spec is not None:
                raise InvalidArgumentError("from_generator: give output_types or output_signature, not both.")
            spec = signature_of(output_types, output_shapes)
        return Dataset(Generator(generator, tuple(args or ()), spec, length))

    @staticmethod
    def range(*args: int, output_type: Any = dt.int64) -> Dataset:
        """Return numbers: ``range(stop)``, ``range(start, stop)`` or ``range(start, stop, step)``.

        Example:
            >>> list(dt.data.Dataset.range(5, 1, -2))
            [np.int64(5), np.int64(3)]
        """
        try:
            numbers = builtins.range(*args)
        except (TypeError, ValueError) as error:
            raise InvalidArgumentError(
                f"range: {error}; give integers: stop, or start and stop, or a step too."
            ) from None
        return Dataset(Numbers(numbers, dt.as_dtype(output_type)))

    @staticmethod
    def zip(datasets: Any, *more: Dataset) -> Dataset:
        """Return elements of several datasets, side by side; it ends with the shortest.

        Args:
            datasets: datasets in a tuple or a dict, nested as the elements shall be.
            more: further ones; ``zip(a, b)`` is ``zip((a, b))``.

        Example:
            >>> one, other = dt.data.range(3), dt.data.range(10, 13)
            >>> next(iter(dt.data.zip({"a": one, "b": other})))
            {'a': np.int64(0), 'b': np.int64(10)}
        """
        return Dataset(zipped((datasets, *more) if more else datasets, _stage_of))

    @staticmethod
    def list_files(file_pattern: str | Iterable[str], shuffle: bool | None = None, seed: int | None = None) -> Dataset:
        """Return the names of the files that patterns such as ``images/*.png`` match.

        Args:
            file_pattern: a pattern, or several.
            shuffle: whether in random order; true unless said otherwise, as in TensorFlow.
            seed: of the order.

        Raises:
            InvalidArgumentError: no file matches.

        Example:
            >>> from pathlib import Path
            >>> for name in ("b.txt", "a.txt"):
            ...     _ = Path(name).write_text(name)
            >>> list(dt.data.Dataset.list_files("*.txt", shuffle=False))
            ['a.txt', 'b.txt']
        """
        patterns = [file_pattern] if isinstance(file_pattern, str) else list(file_pattern)
        found = sorted({name for one in patterns for name in dt.gfile.Glob(one)})
        if not found:
            raise InvalidArgumentError(f"list_files: no file matches {', '.join(map(repr, patterns))}.")
        files = Dataset(Arrays(found, "list_files"))
        return files if shuffle is False else files.shuffle(len(found), seed)

    # What is known of it. ------------------------------------------------------------

    @property
    def element_spec(self) -> Any:
        """What the elements are: a ``TensorSpec``, or tuples and dicts of them.

        Where a function of the user makes them and nothing was said of its results, it is called for the first element,
        and the sizes are those of the first.

        Raises:
            DataError: there is no element to learn from; or reading it fails.

        Example:
            >>> dt.data.from_arrays({"x": np.zeros([9, 2], np.float32)}).batch(4).element_spec
            {'x': TensorSpec(shape=[None, 2], dtype=float32)}
        """
        return self._stage.spec.pack()

    @property
    def output_types(self) -> Any:
        """The dtypes of ``element_spec``, as TensorFlow 1 asks for them."""
        spec = self._stage.spec
        return spec.structure.pack([one.dtype for one in spec.leaves])

    @property
    def output_shapes(self) -> Any:
        """The shapes of ``element_spec``, as TensorFlow 1 asks for them."""
        spec = self._stage.spec
        return spec.structure.pack([dt.TensorShape(one.shape) for one in spec.leaves])

    def cardinality(self) -> int:
        """Return how many elements a pass has; -1 (``INFINITE``) or -2 (``UNKNOWN``) where there is no such number.

        Example:
            >>> numbers = dt.data.range(10)
            >>> [d.cardinality() for d in (numbers.batch(4), numbers.repeat(), numbers.filter(lambda n: n > 3))]
            [3, -1, -2]
        """
        return self._stage.cardinality()

    def __len__(self) -> int:
        """Return how many elements a pass has.

        Raises:
            TypeError: it does not end, or only reading tells.
        """
        count = self._stage.cardinality()
        if count == INFINITE:
            raise TypeError(f"{self!r} does not end, so it has no length.")
        if count == UNKNOWN:
            raise TypeError(f"only reading {self!r} tells its length; count it by sum(1 for _ in dataset).")
        return count

    def __bool__(self) -> bool:
        """Return true, whatever its length."""
        return True

    def __repr__(self) -> str:
        """Show the pipeline."""
        return f"<Dataset {self._stage.titles()}>"

    def __iter__(self) -> DatasetIterator:
        """Begin a pass."""
        return DatasetIterator(self._stage, self._turns)

    def make_one_shot_iterator(self) -> Iterator:
        """Return what gives elements to a graph, as TensorFlow 1 does: one pass, with nothing to initialize.

        Raises:
            InvalidArgumentError: the dataset is made of tensors.

        Example:
            >>> x = dt.data.range(3).map(lambda n: n * n).make_one_shot_iterator().get_next()
            >>> with dt.Session() as session:
            ...     [int(session.run(x + 1)) for _ in range(3)]
            [1, 2, 5]
        """
        return Iterator.one_shot(self._stage, self._turns)

    def make_initializable_iterator(self, shared_name: str | None = None) -> Iterator:
        """Return what gives elements to a graph, as TensorFlow 1 does; running its ``initializer`` begins a pass.

        The arrays of ``from_tensor_slices`` may be placeholders, which are then fed to the initializer.

        Args:
            shared_name: has no effect; here for TensorFlow programs.

        Example:
            >>> rows = dt.placeholder(dt.float32, [None, 2])
            >>> iterator = dt.data.Dataset.from_tensor_slices(rows).batch(2).make_initializable_iterator()
            >>> total = dt.reduce_sum(iterator.get_next())
            >>> with dt.Session() as session:
            ...     session.run(iterator.initializer, {rows: np.ones((3, 2))})
            ...     session.run(total)
            np.float32(4.0)
        """
        return Iterator.initializable(self._stage, self._turns)

    def as_numpy_iterator(self) -> DatasetIterator:
        """Begin a pass: ``iter(dataset)``, under TensorFlow's name."""
        return iter(self)

    # Transformations. ------------------------------------------------------------

    def shuffle(
        self,
        buffer_size: int | None = None,
        seed: int | None = None,
        reshuffle_each_iteration: bool | None = None,
    ) -> Dataset:
        """Return the elements in random order.

        Args:
            buffer_size: how many elements to draw from at a time, as in TensorFlow; ``None`` for all, which costs no
                memory where the data can be read in any order (arrays, ranges, image folders).
            seed: of the order; that of the default graph, or one drawn by chance, unless given.
            reshuffle_each_iteration: whether each pass has another order; true unless said otherwise.

        Example:
            >>> numbers = dt.data.range(5).shuffle(seed=1)
            >>> [int(n) for n in numbers], [int(n) for n in numbers]
            ([...], [...])
        """
        if buffer_size is not None:
            buffer_size = positive(buffer_size, "shuffle: buffer_size")
        each = reshuffle_each_iteration is None or bool(reshuffle_each_iteration)
        settled = settle_seed(seed, "shuffle")
        return Dataset(Shuffle(self._stage, buffer_size, settled, each, _by_chance(seed)))

    def batch(self, batch_size: int, drop_remainder: bool = False) -> Dataset:
        """Return so many elements stacked at a time.

        Args:
            batch_size: how many.
            drop_remainder: whether to leave out a last batch of fewer.

        Raises:
            DataError: when read, elements differ in shape.
        """
        return Dataset(Batch(self._stage, batch_size, drop_remainder))

    def pad_batch(
        self,
        batch_size: int,
        padded_shapes: Any = None,
        padding_values: Any = None,
        drop_remainder: bool = False,
    ) -> Dataset:
        """Return so many elements at a time, each filled up at its end to the greatest size in the batch.

        Args:
            batch_size: how many.
            padded_shapes: the shape to fill up to, with ``None`` for the greatest of the batch; one for all arrays, or
                one for each in a structure like that of elements.
            padding_values: what to fill up with, likewise; 0 and the empty string unless given.
            drop_remainder: whether to leave out a last batch of fewer.

        Raises:
            DataError: when read, an element is greater than the shape, or has other axes.

        Example:
            >>> words = dt.data.from_generator(lambda: ([1] * n for n in (1, 3, 2)))
            >>> next(iter(words.pad_batch(3)))
            array([[1, 0, 0],
                   [1, 1, 1],
                   [1, 1, 0]], dtype=int32)
        """
        return Dataset(PaddedBatch(self._stage, batch_size, padded_shapes, padding_values, drop_remainder))

    padded_batch = pad_batch

    def unbatch(self) -> Dataset:
        """Return the rows of each element's arrays, one after another.

        Example:
            >>> len(list(dt.data.range(10).batch(4).unbatch()))
            10
        """
        return Dataset(Unbatch(self._stage))

    def map(
        self,
        map_func: Callable[..., Any],
        num_parallel_calls: int | None = None,
        *,
        threads: int | None = None,
        element_spec: Any = None,
    ) -> Dataset:
        """Return what a function returns for each element, in order.

        The function takes the parts of a tuple as arguments, a dict or an array as one, and must not change them. It
        works on NumPy arrays; where it makes tensors of them, it is taken as a graph, which is run for each element.

        Args:
            map_func: the function; it may return an array, or tuples and dicts of arrays.
            num_parallel_calls: TensorFlow's name for ``threads``.
            threads: how many elements to compute at a time. The results are the same. Threads help where the function
                waits or works in NumPy and Pillow, which let other threads run.
            element_spec: what the function returns, in ``TensorSpec``; learned from the first element unless given.

        Raises:
            DataError: when read, the function raises, or returns other dtypes or another structure than before. The
                message names the element, and where it came from.

        Example:
            >>> list(dt.data.range(4).map(lambda n: n * n, threads=2))
            [np.int64(0), np.int64(1), np.int64(4), np.int64(9)]
        """
        return Dataset(Map(self._stage, map_func, _threads(threads, num_parallel_calls, "map"), element_spec))

    def random_map(
        self,
        map_func: Callable[..., Any],
        seed: int | None = None,
        *,
        threads: int | None = None,
        element_spec: Any = None,
    ) -> Dataset:
        """Return what a function returns for each element and a generator of random numbers.

        Args:
            map_func: as of ``map``, with ``rng``, a ``numpy.random.Generator``, as a further argument by name. Its
                numbers depend on the seed, the pass and the number of the element alone, so that the results are the
                same for any number of threads, and after going on from a saved position.
            seed: that of the default graph, or one drawn by chance, unless given.
            threads: as of ``map``.
            element_spec: as of ``map``.

        Example:
            >>> noisy = dt.data.range(3).random_map(lambda n, rng: n + rng.random(), seed=1)
            >>> list(noisy.take(3)) == list(noisy.take(3))
            True
        """
        count = _threads(threads, None, "random_map")
        settled = settle_seed(seed, "random_map")
        return Dataset(Map(self._stage, map_func, count, element_spec, settled, _by_chance(seed)))

    def flat_map(self, map_func: Callable[..., Any]) -> Dataset:
        """Return the elements of the datasets that a function makes of elements, one dataset after another.

        Example:
            >>> [int(n) for n in dt.data.range(4).flat_map(lambda n: dt.data.range(n))]
            [0, 0, 1, 0, 1, 2]
        """
        return Dataset(Interleave(self._stage, map_func, _stage_of))

    def interleave(
        self,
        map_func: Callable[..., Any],
        cycle_length: int = AUTOTUNE,
        block_length: int = 1,
        num_parallel_calls: int | None = None,
    ) -> Dataset:
        """Return the elements of the datasets that a function makes of elements, several datasets taking turns.

        Args:
            map_func: returns a dataset, such as the lines of the file whose name it is given.
            cycle_length: how many datasets are read at a time; 10 for ``AUTOTUNE``.
            block_length: how many elements each gives in its turn.
            num_parallel_calls: has no effect; here for TensorFlow programs.

        Example:
            >>> data = dt.data.range(3).interleave(lambda n: dt.data.range(10 * n, 10 * n + 3), cycle_length=2)
            >>> [int(n) for n in data]
            [0, 10, 1, 11, 2, 12, 20, 21, 22]
        """
        cycle = 10 if cycle_length == AUTOTUNE else positive(cycle_length, "interleave: cycle_length")
        block = positive(block_length, "interleave: block_length")
        return Dataset(Interleave(self._stage, map_func, _stage_of, cycle, block))

    def filter(self, predicate: Callable[..., Any]) -> Dataset:
        """Return the elements for which a function returns a true value.

        Raises:
            DataError: when read, the function raises or returns an array.
        """
        return Dataset(Filter(self._stage, predicate))

    def repeat(self, count: int | None = None) -> Dataset:
        """Return the elements so many times; without end where ``count`` is ``None`` or -1.

        Each pass shuffles anew, as passes of ``for`` loops do: three epochs are those of ``repeat(3)``.
        """
        return Dataset(Repeat(self._stage, None if count is None else natural(count, "repeat: count", least=-1)))

    def prefetch(self, buffer_size: int = AUTOTUNE) -> Dataset:
        """Return the same elements, read ahead by a thread while the last one is used.

        Args:
            buffer_size: how many to keep ready.
        """
        size = _AHEAD if buffer_size == AUTOTUNE else positive(buffer_size, "prefetch: buffer_size")
        return Dataset(Prefetch(self._stage, size))

    def cache(self, filename: str | os.PathLike[str] = "") -> Dataset:
        """Return the same elements, kept by the first pass, in memory or in a file.

        What is random before it is so once; shuffle and augment after it.

        Args:
            filename: the file; memory unless given. It takes its name when a pass is complete, and serves later
                processes too. Delete it when what comes before has changed; a pipeline of other stages is refused.

        Raises:
            FormatError: when read, the file holds something else, or is damaged.
            StorageError: when read, the file system refuses; nothing is left then.
        """
        return Dataset(FileCache(self._stage, filename) if filename else Cache(self._stage))

    def take(self, count: int) -> Dataset:
        """Return the first elements, or all where ``count`` is -1."""
        number = natural(count, "take: count", least=-1)
        return Dataset(sliced(self._stage, 0, None if number < 0 else number, 1, f"take({number})"))

    def skip(self, count: int) -> Dataset:
        """Return what follows the first elements, or nothing where ``count`` is -1."""
        number = natural(count, "skip: count", least=-1)
        return Dataset(sliced(self._stage, max(number, 0), 0 if number < 0 else None, 1, f"skip({number})"))

    def shard(self, num_shards: int | None = None, index: int | None = None, *, count: int | None = None) -> Dataset:
        """Return every so manieth element: those whose number leaves ``index`` when divided by ``num_shards``.

        Args:
            num_shards: how many parts there are.
            index: which of them. As it is the smaller, the two may stand in either order.
            count: another name of ``num_shards``.

        Raises:
            InvalidArgumentError: there is no such part.

        Example:
            >>> [int(n) for n in dt.data.range(7).shard(num_shards=3, index=1)]
            [1, 4]
        """
        given = [one for one in (num_shards, count, index) if one is not None]
        if len(given) != 2:
            raise InvalidArgumentError("shard: give how many parts there are, num_shards, and which of them, index.")
        number, parts = sorted(natural(one, "shard: a number") for one in given)
        if number == parts:
            raise InvalidArgumentError(f"shard: index is {number}; give one below num_shards, {parts}.")
        return Dataset(sliced(self._stage, number, None, parts, f"shard({parts}, {number})"))

    def enumerate(self, start: int = 0) -> Dataset:
        """Return pairs of a number, counted from ``start``, and the element."""
        return Dataset(Enumerate(self._stage, natural(start, "enumerate: start")))

    def concatenate(self, dataset: Dataset) -> Dataset:
        """Return the elements, and then those of another dataset of the same structure and dtypes.

        Raises:
            DataError: structures or dtypes differ.
        """
        stage = _stage_of(dataset)
        if stage is None:
            raise InvalidArgumentError(f"concatenate: {dataset!r:.80} is no dataset; make one by dt.data.from_arrays.")
        return Dataset(Concatenate(self._stage, stage))

    def apply(self, transformation_func: Callable[[Dataset], Any]) -> Any:
        """Return what a function makes of the dataset."""
        return transformation_func(self)


def _stage_of(value: Any) -> Stage | None:
    return value._stage if isinstance(value, Dataset) else None


def _by_chance(seed: int | None) -> bool:
    return seed is None and dt.get_default_graph().seed is None


def _threads(threads: int | None, calls: int | None, who: str) -> int:
    if threads is not None and calls is not None:
        raise InvalidArgumentError(f"{who}: give threads or num_parallel_calls, not both.")
    wanted = calls if threads is None else threads
    if wanted is None:
        return 1
    return _cores() if wanted == AUTOTUNE else positive(wanted, f"{who}: threads")


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
