"""``Session``: runs a graph, and holds the state of its variables and random numbers."""

from __future__ import annotations

import itertools
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, final

import numpy as np

from dovetail.compiler.backend import DeviceInfo
from dovetail.compiler.lower import Feed, lower, needed_operations
from dovetail.compiler.placement import Devices
from dovetail.compiler.plan import Plan, SegmentError, optimize
from dovetail.compiler.program import Program
from dovetail.errors import (
    ClosedSessionError,
    DovetailError,
    DTypeError,
    FeedError,
    InvalidArgumentError,
    NotFoundError,
    OperationError,
    OutOfRangeError,
    ShapeError,
    UninitializedVariableError,
)
from dovetail.graph.graph import Graph, get_default_graph, session_stack
from dovetail.graph.op import Array
from dovetail.graph.operation import Operation, Tensor
from dovetail.ops import nest
from dovetail.ops.random_bits import key_of
from dovetail.ops.sparse import SparseTensor
from dovetail.ops.state import Placeholder, VariableHandle
from dovetail.plugins import hook
from dovetail.session.backends import available_backends
from dovetail.session.collection import no_collection
from dovetail.session.config import ConfigProto
from dovetail.session.feeds import FeedSlot, Sizes
from dovetail.session.fetches import FetchPlan
from dovetail.session.locks import ReadWriteLock
from dovetail.types.dims import Symbol
from dovetail.types.shapes import Shape

__all__ = ["InteractiveSession", "Session"]

_NOTHING: Final[Mapping[Any, Any]] = {}
_versions: Final = itertools.count(1)
_LEAVES: Final = frozenset({Tensor, Operation, str})


@final
class _Entry:
    """A plan with what a session needs to run it.

    Attributes:
        plan: the compiled plan.
        sizes: finds what the symbols stand for.
        sources: for each input of the program: its kind and key, and for feeds the place among them.
        states: names of the variables that it writes, in the order of the outputs after the fetches.
        counters: names of the random operations that it runs.
        feeds_only: whether the program's inputs are just the feeds, in order.
    """

    __slots__ = ("counters", "feeds_only", "fetch_count", "plan", "sizes", "sources", "states", "writes")

    def __init__(
        self,
        plan: Plan,
        fetch_count: int,
        slots: Sequence[FeedSlot],
        types: Sequence[Any],
        settled: frozenset[tuple[Symbol, int]],
    ) -> None:
        program = plan.program
        places = {slot.tensor: i for i, slot in enumerate(slots)}
        self.plan = plan
        self.fetch_count = fetch_count
        self.sizes = Sizes([slot.tensor for slot in slots], types, program.constraints, settled)
        self.sources: list[tuple[str, Any]] = [
            (given.kind, places[given.key] if given.kind == "feed" else given.key) for given in program.inputs
        ]
        self.feeds_only = self.sources == [("feed", i) for i in range(len(slots))]
        self.states = [one.key for one in program.outputs[fetch_count:]]
        self.counters = [key[0] for kind, key in self.sources if kind == "counter"]
        self.writes = bool(self.states or self.counters)


class Session:
    """Runs operations of a graph; variables and random numbers live in it.

    Args:
        target: has no effect; here for TensorFlow 1 programs.
        graph: the graph to run; the default one unless given.
        config: options.
        check_numerics: after each run, look for NaN and infinities in what was fetched or written; when there is one,
            repeat the step, find the first operation that made one, and raise ``NumericsError`` with its line and
            inputs. Variables are then not updated in place, which takes memory for a copy; no time when off.
        num_threads: how many threads a step may use at most; every core by default, or as many as
            ``DOVETAIL_NUM_THREADS`` says. Small steps use one, and so do others while busy cores make that faster.
            Results do not depend on it.

    Example:
        >>> with dt.Session() as session:
        ...     session.run(dt.constant(1.0) + 2.0)
        np.float32(3.0)
    """

    def __init__(
        self,
        target: str = "",
        graph: Graph | None = None,
        config: ConfigProto | None = None,
        *,
        check_numerics: bool = False,
        num_threads: int | None = None,
    ) -> None:
        """Open a session."""
        if num_threads is not None and num_threads < 1:
            raise InvalidArgumentError(
                f"Session: num_threads is {num_threads}; use at least 1, or None for every core."
            )
        if target and not isinstance(target, str):
            raise DTypeError(f"Session's first argument is the target, a string, not {target!r}; pass graph= by name.")
        self._graph = get_default_graph() if graph is None else graph
        self._config = config or ConfigProto()
        self._check_numerics = check_numerics or self._config.check_numerics
        self._num_threads = num_threads or self._config.intra_op_parallelism_threads or None
        self._closed = False
        self._devices: Devices | None = None
        self._variables: dict[str, Any] = {}
        # Of the variables' values; no two sessions share one.
        self._version = next(_versions)
        self._counters: dict[str, int] = {}
        self._keys: dict[Any, Any] = {}
        self._seed: int | None = None
        self._slots: dict[Any, FeedSlot] = {}
        self._fetches: dict[Any, FetchPlan] = {}
        self._plans: dict[Any, _Entry] = {}
        self._identities: dict[Any, int] = {}
        self._lock = ReadWriteLock()
        self._build_lock = threading.RLock()
        self._entered: list[AbstractContextManager[Any]] = []
        self._closing: list[Callable[[], None]] = []

    # What it is. -----------------------------------------------------------------------------------------------------

    @property
    def graph(self) -> Graph:
        """The graph that it runs."""
        return self._graph

    @property
    def devices(self) -> Devices:
        """Its devices and the backends that serve them."""
        if self._devices is None:
            hook.load()
            self._devices = Devices(available_backends(), self._config.backends, self._config.allow_soft_placement)
        return self._devices

    def list_devices(self) -> list[DeviceInfo]:
        """Return the devices that operations can run on."""
        return self.devices.all()

    # Running. --------------------------------------------------------------------------------------------------------

    def run(
        self, fetches: Any, feed_dict: Mapping[Any, Any] | None = None, options: Any = None, run_metadata: Any = None
    ) -> Any:
        """Compute ``fetches``.

        Args:
            fetches: a tensor, operation, variable or name, or nested lists, tuples and dicts of them.
            feed_dict: values for placeholders, or in place of any other tensor; for a tuple of tensors, such as the
                state of a recurrent network, a tuple of values.
            options: has no effect; here for TensorFlow 1 programs.
            run_metadata: has no effect; here for TensorFlow 1 programs.

        Returns:
            The structure of ``fetches`` with arrays for tensors (NumPy scalars where the rank is 0) and ``None`` for
            operations.

        Raises:
            FeedError: a value does not fit its tensor, or two values do not fit each other.
            MissingFeedError: a placeholder that is needed was not fed.
            UninitializedVariableError: a variable that is read has no value yet.
            OperationError: an operation failed; no variable has changed.
            ClosedSessionError: the session is closed.
        """
        fetch = self._fetch(fetches)
        slots: list[FeedSlot] = []
        arrays: list[Array] = []
        for key, value in (feed_dict or _NOTHING).items():
            slot = self._slots.get(key) if isinstance(key, (Tensor, str)) else None
            if slot is None:
                if isinstance(key, (SparseTensor, tuple)):
                    self._feed_parts(key, value, slots, arrays)
                    continue
                slot = self._slot(key)
            slots.append(slot)
            arrays.append(slot.convert(value))
        if hook.step_run_active:
            begin = time.perf_counter()
            result = fetch.rebuild(self._run(fetch, slots, arrays))
            hook.step_run(self, fetches, time.perf_counter() - begin)
            return result
        return fetch.rebuild(self._run(fetch, slots, arrays))

    def make_callable(
        self, fetches: Any, feed_list: Sequence[Any] | None = None, accept_options: bool = False
    ) -> Callable[..., Any]:
        """Return a function of the values of ``feed_list`` that does what ``run`` does, with less overhead.

        Example:
            >>> x = dt.placeholder(dt.float32, [])
            >>> double = dt.Session().make_callable(x * 2.0, [x])
            >>> double(4.0)
            np.float32(8.0)
        """
        fetch = self._fetch(fetches)
        slots = [self._slot(key) for key in feed_list or ()]
        converters = [slot.convert for slot in slots]
        rebuild, execute = fetch.rebuild, self._execute
        key = (fetch.identity, *[(slot.tensor, None) for slot in slots])
        # Where a plan does not depend on what is fed, it is looked up once.
        lasting = all(slot.ranked and not slot.is_flag for slot in slots)
        entry: _Entry | None = None

        def call(*values: Any, options: Any = None, run_metadata: Any = None) -> Any:
            nonlocal entry
            if len(values) != len(converters):
                raise FeedError(
                    f"the callable takes {len(converters)} values ({', '.join(slot.tensor.name for slot in slots)}); "
                    f"{len(values)} were given."
                )
            arrays = [convert(value) for convert, value in zip(converters, values)]  # noqa: B905 - as many, see above
            if entry is not None:
                sizes = entry.sizes.of(arrays)
                if not isinstance(sizes, frozenset):
                    return rebuild(execute(entry, arrays, sizes))
            result = rebuild(self._run(fetch, slots, arrays))
            entry = self._plans.get(key) if lasting else None
            return result

        return call

    def _fetch(self, fetches: Any) -> FetchPlan:
        if self._closed:
            raise ClosedSessionError(
                "the session is closed; open a new dt.Session() and initialize or restore its variables."
            )
        key = _frozen(fetches)
        try:
            found = self._fetches.get(key)
        except TypeError:
            return self._new_fetch(fetches)
        if found is None:
            found = self._fetches[key] = self._new_fetch(fetches)
        return found

    def _new_fetch(self, fetches: Any) -> FetchPlan:
        fetch = FetchPlan(self._graph, fetches)
        with self._build_lock:
            contents = (*fetch.tensors, None, *fetch.targets)
            fetch.identity = self._identities.setdefault(contents, len(self._identities))
        return fetch

    def _slot(self, key: Any) -> FeedSlot:
        try:
            slot = self._slots.get(key)
        except TypeError as error:
            raise FeedError(f"cannot feed {key!r}: the keys of feed_dict are tensors or their names.") from error
        if slot is None:
            slot = FeedSlot(self._graph, key)
            if isinstance(key, (Tensor, str)):
                self._slots[key] = slot
        return slot

    def _feed_parts(self, key: Any, value: Any, slots: list[FeedSlot], arrays: list[Array]) -> None:
        """Feed the tensors of a tuple, or the three of a sparse one; a shape that it has already is not fed."""
        if isinstance(key, tuple):
            found = nest.difference(key, value)
            if found is not None:
                raise FeedError(f"cannot feed {key!r}: the structures of the tensors and of the values {found}.")
            for one, other in zip(nest.flatten(key), nest.flatten(value), strict=True):
                slots.append(self._slot(one))
                arrays.append(slots[-1].convert(other))
            return
        if not isinstance(value, tuple) or len(value) != 3:
            raise FeedError(
                f"cannot feed {value!r} for the SparseTensor {key.name!r}; give a SparseTensorValue, or a tuple of "
                f"indices, values and dense_shape."
            )
        for part, one in zip(key.parts(), value, strict=True):
            if isinstance(part.op.definition, Placeholder):
                slots.append(self._slot(part))
                arrays.append(slots[-1].convert(one))

    def _run(self, fetch: FetchPlan, slots: Sequence[FeedSlot], arrays: Sequence[Array]) -> Sequence[Any]:
        key = (
            fetch.identity,
            *[(slot.tensor, slot.plan_key(array)) for slot, array in zip(slots, arrays, strict=True)],
        )
        entry = self._plans.get(key)
        if entry is None:
            entry = self._plan(key, fetch, slots, arrays, frozenset())
        sizes = entry.sizes.of(arrays)
        settled: frozenset[tuple[Symbol, int]] = frozenset()
        while isinstance(sizes, frozenset):
            settled |= sizes
            other = (*key, settled)
            entry = self._plans.get(other) or self._plan(other, fetch, slots, arrays, settled)
            sizes = entry.sizes.of(arrays)
        return self._execute(entry, arrays, sizes)

    def _plan(
        self,
        key: Any,
        fetch: FetchPlan,
        slots: Sequence[FeedSlot],
        arrays: Sequence[Array],
        settled: frozenset[tuple[Symbol, int]],
    ) -> _Entry:
        with self._build_lock:
            known = self._plans.get(key)
            if known is not None:
                return known
            if self._closed:
                raise ClosedSessionError("the session is closed; open a new dt.Session().")
            feeds: dict[Tensor, Feed] = {}
            types = []
            for slot, array in zip(slots, arrays, strict=True):
                if slot.tensor in feeds:
                    raise FeedError(f'"{slot.tensor.name}" is fed twice; feed_dict names it in two ways.')
                type = slot.type_for(array)
                types.append(type)
                feeds[slot.tensor] = Feed(type, np.array(array) if slot.is_flag else None)
            with no_collection():
                program = lower(self._graph, fetch.tensors, fetch.targets, feeds, settled)
                plan = Plan(program, self.devices, num_threads=self._num_threads, in_place=not self._check_numerics)
            entry = _Entry(plan, len(fetch.tensors), slots, types, settled)
            if self._config.log_device_placement:
                self._log_placement(entry.plan)
            if hook.plan_compiled_active:
                hook.plan_compiled(self, entry.plan.program)
            self._plans[key] = entry
            return entry

    def _log_placement(self, plan: Plan) -> None:
        for segment in plan.segments:
            for one in segment.program.instructions:
                text = f"{one.origin.name}: ({one.op.name}): {segment.device.name} by {segment.backend.name}"
                print(text)  # noqa: T201 - log_device_placement asks for it

    def _execute(self, entry: _Entry, arrays: Sequence[Array], sizes: Mapping[Symbol, int]) -> Sequence[Any]:
        lock = self._lock
        if entry.writes:
            lock.acquire_write()
        else:
            lock.acquire_read()
        try:
            if self._closed:
                raise _closed_error()
            inputs = arrays if entry.feeds_only else self._inputs(entry, arrays)
            version: int | None = self._version
            if entry.states:
                # Before the run, so that no interruption leaves new values under an old number.
                version, self._version = None, next(_versions)
            try:
                outputs = entry.plan.run(inputs, sizes, version)
            except SegmentError as failure:
                raise self._operation_error(failure) from failure.status.cause
            if self._check_numerics:
                self._look_for_nan(entry, inputs, sizes, outputs)
            if entry.writes:
                return self._commit(entry, inputs, outputs)
            return [_owned(array, inputs, ()) for array in outputs]
        finally:
            if entry.writes:
                lock.release_write()
            else:
                lock.release_read()

    def _inputs(self, entry: _Entry, arrays: Sequence[Array]) -> list[Any]:
        inputs: list[Any] = []
        for kind, key in entry.sources:
            if kind == "feed":
                inputs.append(arrays[key])
            elif kind == "state":
                value = self._variables.get(key)
                if value is None:
                    raise self._uninitialized(key)
                inputs.append(value)
            elif kind == "counter":
                inputs.append(np.uint64(self._counters.get(key[0], 0)))
            elif kind == "key":
                inputs.append(self._key(key))
            else:
                inputs.append(np.bool_(key in self._variables))
        return inputs

    def _key(self, identity: Any) -> Any:
        found = self._keys.get(identity)
        if found is None:
            _, op_seed, stable_id = identity
            graph_seed = self._graph.seed
            if graph_seed is None and op_seed is None and self._seed is None:
                self._seed = secrets.randbits(63)
            found = np.uint64(key_of(graph_seed, op_seed, stable_id, self._seed or 0))
            self._keys[identity] = found
        return found

    def _commit(self, entry: _Entry, inputs: Sequence[Any], outputs: Sequence[Any]) -> list[Any]:
        count = entry.fetch_count
        states: list[Array] = []
        for name, array in zip(entry.states, outputs[count:], strict=True):
            # An array of the variable's own was written in place; no two variables may share one.
            own = array is self._variables.get(name)
            # Of a scalar NumPy would take out the element: bytes, which lose their zeros at the end.
            scalar = type(array) is np.ndarray and not array.ndim
            states.append(array if own else array.copy() if scalar else np.asarray(_owned(array, inputs, states)))
        fetched = [_owned(array, inputs, states) for array in outputs[:count]]
        self._variables.update(zip(entry.states, states, strict=True))
        for name in entry.counters:
            self._counters[name] = self._counters.get(name, 0) + 1
        return fetched

    # Errors. ---------------------------------------------------------------------------------------------------------

    def _uninitialized(self, name: str) -> UninitializedVariableError:
        op = self._graph.get_operation_by_name(name)
        return UninitializedVariableError(
            f'variable "{name}" is read before it has a value; run dt.global_variables_initializer() first (or '
            f'"{name}/Assign" alone), or restore it with a Saver. {op.where()}'
        )

    def _operation_error(self, failure: SegmentError) -> DovetailError:
        one, status = failure.instruction, failure.status
        # What ends a loop, or says what to run first, keeps its kind.
        kept = (OutOfRangeError, UninitializedVariableError)
        kind = next((kind for kind in kept if isinstance(status.cause, kind)), OperationError)
        shapes = f" Its inputs were {', '.join(status.inputs)}." if status.inputs else ""
        return kind(f"{one.op.name}: {status.message}{shapes} No variable has changed. {one.origin.where()}")

    def _look_for_nan(
        self, entry: _Entry, inputs: Sequence[Any], sizes: Mapping[Symbol, int], outputs: Sequence[Any]
    ) -> None:
        from dovetail.session.numerics import all_finite, first_bad_operation

        if not all_finite(outputs):
            raise first_bad_operation(entry.plan.program, inputs, sizes)

    # State that savers read and write. -------------------------------------------------------------------------------

    @contextmanager
    def frozen(self) -> Iterator[tuple[Mapping[str, Array], dict[str, Any]]]:
        """Show all state of one moment without copying it, and keep it as it is within the context.

        Steps that change state wait meanwhile, in other threads; do not run the session within the context.

        Yields:
            The values of the variables that have one, by the names of their operations, as arrays that cannot be
            written; and what ``random_state`` returns.

        Raises:
            ClosedSessionError: the session is closed.

        Example:
            >>> v = dt.Variable([1.0, 2.0], name="v")
            >>> with dt.Session() as session:
            ...     session.run(v.initializer)
            ...     with session.frozen() as (values, random_state):
            ...         print(values["v"], random_state["counters"])
            [1. 2.] {}
        """
        self.random_state()  # draws the seed, as a writer
        with self._lock.reading():
            if self._closed:
                raise _closed_error()
            values = {name: np.asarray(value).view() for name, value in self._variables.items()}
            for value in values.values():
                value.flags.writeable = False
            yield values, self._random_state()

    def take_values(self, values: Mapping[str, Array]) -> None:
        """Give variables values, all of them or, where one does not fit, none.

        The arrays become the session's own and are not copied where that can be avoided: do not use them afterwards.

        Args:
            values: arrays by the names of the variables' operations.

        Raises:
            NotFoundError: the graph has no such variable.
            DTypeError: an array has another dtype than its variable.
            ShapeError: an array has another shape than its variable.
        """
        taken: list[Array] = []
        for name, given in values.items():
            self._check_value(name, given)
            own = given.base is None and given.flags.carray and not any(given is other for other in taken)
            taken.append(given if own else given.copy(order="C"))
        with self._lock.writing():
            if self._closed:
                raise _closed_error()
            self._version = next(_versions)
            self._variables.update(zip(values, taken, strict=True))

    def _check_value(self, name: str, value: Array) -> None:
        op = self._graph.get_operation_by_name(name)
        kind = op.definition
        if not isinstance(kind, VariableHandle):
            raise NotFoundError(f'"{name}" is no variable, so it cannot be given a value. {op.where()}')
        if value.dtype != kind.dtype.numpy:
            raise DTypeError(f'variable "{name}" is {kind.dtype.name}, its new value {value.dtype}. {op.where()}')
        if not kind.shape.is_compatible_with(Shape(value.shape)):
            raise ShapeError(
                f'variable "{name}" has the shape {kind.shape}, its new value {Shape(value.shape)}. {op.where()}'
            )

    def random_state(self) -> dict[str, Any]:
        """Return the state of the random numbers: the seed drawn where none was set, and how often each operation ran.

        With the variables it is all that a session's future depends on; so the seed is drawn now if it has not been.
        """
        with self._lock.writing():
            if self._seed is None and self._graph.seed is None:
                self._seed = secrets.randbits(63)
            return self._random_state()

    def _random_state(self) -> dict[str, Any]:
        return {"seed": self._seed, "counters": dict(sorted(self._counters.items()))}

    def set_random_state(self, state: Mapping[str, Any]) -> None:
        """Take over what ``random_state`` gave, in this session or another process."""
        with self._lock.writing():
            self._seed = state["seed"]
            self._counters = {str(name): int(count) for name, count in state["counters"].items()}
            self._keys.clear()

    @property
    def state_version(self) -> int:
        """A number that is another one whenever a run may have changed a variable."""
        return self._version

    def initialized_variables(self) -> list[str]:
        """Return the names of the variables that have a value."""
        with self._lock.reading():
            return sorted(self._variables)

    def program(self, fetches: Any, feed_dict: Mapping[Any, Any] | None = None, watch: Any = None) -> Program:
        """Return the program that ``run`` would execute; ``watch(name, program)`` sees it after each pass.

        Placeholders of known rank may be left out of ``feed_dict``.
        """
        fetch = self._fetch(fetches)
        slots: list[FeedSlot] = []
        arrays: list[Array] = []
        for key, value in (feed_dict or _NOTHING).items():
            if isinstance(key, (SparseTensor, tuple)):
                self._feed_parts(key, value, slots, arrays)
                continue
            slots.append(self._slot(key))
            arrays.append(slots[-1].convert(value))
        feeds = {
            slot.tensor: Feed(slot.type_for(array), np.array(array) if slot.is_flag else None)
            for slot, array in zip(slots, arrays, strict=True)
        }
        for op in needed_operations(fetch.tensors, fetch.targets, feeds):
            if isinstance(op.definition, Placeholder) and op.outputs[0].shape.rank is not None:
                feeds.setdefault(op.outputs[0], Feed(op.outputs[0].type))
        return optimize(lower(self._graph, fetch.tensors, fetch.targets, feeds), self.devices.keeps, watch)

    # Life. -----------------------------------------------------------------------------------------------------------

    if not TYPE_CHECKING:  # for a type checker there is no such attribute

        def __getattr__(self, name):
            """Say what to use for a method of TensorFlow 1 that is left out."""
            from dovetail.plugins.absent import missing_member

            raise missing_member("Session", name)

    def before_close(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` when the session is about to close, such as one that waits for what is written of it.

        What a callback raises, ``close`` raises when the session is closed.
        """
        self._closing.append(callback)

    def close(self) -> None:
        """Free variables and plans; running afterwards raises ``ClosedSessionError``."""
        with ExitStack() as stack:
            stack.callback(self._free)
            while self._closing:
                stack.callback(self._closing.pop())

    def _free(self) -> None:
        with self._lock.writing():
            self._closed = True
            self._variables.clear()
            self._plans.clear()
            self._fetches.clear()

    @contextmanager
    def as_default(self) -> Iterator[Self]:
        """Make it the session of ``Tensor.eval`` and ``Operation.run`` within the context."""
        stack = session_stack()
        stack.append(self)
        try:
            yield self
        finally:
            stack.remove(self)

    def __enter__(self) -> Self:
        """Make the session and its graph the default ones."""
        for context in (self._graph.as_default(), self.as_default()):
            context.__enter__()
            self._entered.append(context)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the session."""
        for _ in range(2):
            self._entered.pop().__exit__(kind, error, traceback)
        self.close()


def _closed_error() -> ClosedSessionError:
    return ClosedSessionError("the session was closed; open a new dt.Session().")


def _frozen(fetches: Any) -> Any:
    """Return a key that nested lists, tuples and dicts of fetches share with equal ones of the same types alone."""
    kind = type(fetches)
    if kind in _LEAVES:
        return fetches
    if kind is list or isinstance(fetches, tuple):
        return (kind, *[one if type(one) in _LEAVES else _frozen(one) for one in fetches])
    if kind is dict:
        return (kind, *fetches, *map(_frozen, fetches.values()))
    return fetches


def _owned(array: Any, inputs: Sequence[Any], states: Sequence[Any]) -> Any:
    """Return a result that shares no memory with state, feeds, constants or other results."""
    if type(array) is not np.ndarray:
        return array
    if array.ndim == 0:
        return array[()]
    if array.base is not None or not array.flags.writeable:
        return array.copy()
    for other in inputs:
        if array is other:
            return array.copy()
    for other in states:
        if array is other:
            return array.copy()
    return array


@final
class InteractiveSession(Session):
    """A session that is the default one from the moment it is made, for notebooks and shells."""

    def __init__(
        self,
        target: str = "",
        graph: Graph | None = None,
        config: ConfigProto | None = None,
        *,
        check_numerics: bool = False,
        num_threads: int | None = None,
    ) -> None:
        """Open the session and make it, and its graph if one is given, the default."""
        super().__init__(target, graph, config, check_numerics=check_numerics, num_threads=num_threads)
        session_stack().append(self)
        self._graph_context = None if graph is None else graph.as_default()
        if self._graph_context is not None:
            self._graph_context.__enter__()

    def close(self) -> None:
        """Close the session and stop being the default one."""
        if self in session_stack():
            session_stack().remove(self)
            if self._graph_context is not None:
                self._graph_context.__exit__(None, None, None)
        super().close()
