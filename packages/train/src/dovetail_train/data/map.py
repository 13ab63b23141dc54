"""Elements that a function makes of elements, in threads or not, always in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, final

import numpy as np

from dovetail.errors import DataError
from dovetail_train.data.arrays import tensors_of
from dovetail_train.data.functions import ElementFunction
from dovetail_train.data.randomness import ElementRandom
from dovetail_train.data.spec import ElementSpec, Leaves, TensorSpec, specs_of
from dovetail_train.data.stage import Cursor, Stage, State, Turn
from dovetail_train.data.structure import Structure

__all__ = ["Map", "given_spec"]


def given_spec(spec: Any, who: str) -> ElementSpec:
    """Return what a user says of elements: ``TensorSpec`` in tuples and dicts.

    Raises:
        DataError: it is something else.
    """
    structure = Structure.of(spec)
    leaves = structure.flatten(spec) or []
    if not leaves or not all(isinstance(leaf, TensorSpec) for leaf in leaves):
        raise DataError(
            f"{who}: {spec!r} does not say what elements are; give dt.data.TensorSpec(shape, dtype), in "
            "tuples and dicts as elements are."
        )
    return ElementSpec(structure, tuple(leaves))


@final
class Map(Stage):
    """What a function returns for each element.

    Args:
        before: the stage.
        function: of the arrays of an element.
        threads: how many elements are computed at a time.
        spec: what the function returns; what it returns for the first element unless given.
        seed: where given, the function takes a generator of random numbers as ``rng``.
        drawn: whether the seed came by chance, so that a position has to tell it.
    """

    def __init__(
        self,
        before: Stage,
        function: Callable[..., Any],
        threads: int,
        spec: Any = None,
        seed: int | None = None,
        drawn: bool = False,
    ) -> None:
        """Keep the settings."""
        super().__init__(before)
        self.who = "map" if seed is None else "random_map"
        self.function = ElementFunction(self.who, function, before)
        self.threads = threads
        self.seed = seed
        self.drawn = drawn
        self._given = None if spec is None else given_spec(spec, f"{self.who}: element_spec")
        self._spec = self._given
        self._open_sizes: set[int] = set()
        self.stream = _random_stages(before)

    @property
    def spec(self) -> ElementSpec:
        """What was said, or what the first element is; the function is called for it if it has not yet been."""
        if self._spec is None and tensors_of(self):
            if not self.function.trace():
                raise DataError(
                    f"{self.who}: what {self.function.name} returns cannot be learned, as the dataset is made of "
                    "tensors and the function works on arrays; give element_spec."
                )
            self._spec = self.function.spec
        if self._spec is None:
            cursor = _MapCursor(self, Turn(0))
            try:
                cursor.next()
            except StopIteration:
                raise DataError(
                    f"{self.who}: there is no element that would show what {self.function.name} returns; give "
                    "element_spec."
                ) from None
            finally:
                cursor.close()
        assert self._spec is not None
        return self._spec

    def take(self, result: Any, number: int) -> list[Any]:
        """Return the arrays of what the function returned.

        Raises:
            DataError: it is not what it returned before, or not what was said.
        """

        def where() -> str:
            return f"what {self.function.name} returned for element {number}"

        if self._spec is None:
            first, leaves = specs_of(result, self.who, where)
            if self.function.spec is not None:
                self._spec = self.function.spec
                return leaves
            self._spec = first.with_leaves(self._as_unknown(one) for one in first.leaves)
            return leaves
        return self._spec.take(result, self.who, where, shapes=self._given is not None)

    def _as_unknown(self, one: TensorSpec) -> TensorSpec:
        """Leave open what a batch leaves open: the first size, and those of the first batch that differ."""
        if not one.shape or not self.inputs[0].is_batched():
            return one
        return one.with_shape((None, *[None if size in self._open_sizes else size for size in one.shape[1:]]))

    def note(self, leaves: Leaves) -> None:
        """Look at an element before the function's results are known: which sizes differ from batch to batch."""
        if self._spec is None and not self._open_sizes:
            pairs = zip(self.inputs[0].spec.leaves, leaves, strict=True)
            self._open_sizes = {
                have
                for one, leaf in pairs
                for size, have in zip((one.shape or ())[1:], np.shape(leaf)[1:], strict=False)
                if size is None
            }

    def cardinality(self) -> int:
        """As before."""
        return self.inputs[0].cardinality()

    def open(self, turn: Turn) -> Cursor:
        """Begin a pass."""
        return _MapCursor(self, turn) if self.threads < 2 else _ThreadedCursor(self, turn)

    def title(self) -> str:
        """Name the stage; how many threads compute it changes nothing."""
        return self.who if self.seed is None else f"{self.who}(seed={'' if self.drawn else self.seed})"


def _random_stages(stage: Stage) -> int:
    mine = isinstance(stage, Map) and stage.seed is not None
    return int(mine) + sum(_random_stages(one) for one in stage.inputs)


class _Applied(Cursor):
    """Calls the function, with random numbers of the element where they are wanted."""

    def __init__(self, stage: Map, turn: Turn) -> None:
        self.stage = stage
        self.turn = turn
        self.before = stage.inputs[0].open(turn)
        self._prepare()

    def _prepare(self) -> None:
        seed = self.stage.seed
        self.random = None if seed is None else ElementRandom(seed, self.stage.stream, self.turn.number)

    def call(self, leaves: Leaves, number: int, token: Any) -> Any:
        self.stage.note(leaves)
        if self.random is None:
            return self.stage.function(leaves, number, token)
        return self.stage.function(leaves, number, token, rng=self.random.at(number))

    def seed_state(self) -> int | None:
        return self.stage.seed if self.stage.drawn else None

    def restore_before(self, state: State) -> int:
        seed, number, before = state
        if seed is not None:
            self.stage.seed = int(seed)
        self._prepare()
        self.before.restore(before)
        return int(number)


@final
class _MapCursor(_Applied):
    def __init__(self, stage: Map, turn: Turn) -> None:
        super().__init__(stage, turn)
        self._number = 0

    def next(self) -> Leaves:
        before = self.before
        leaves = before.next()
        number = self._number
        self._number = number + 1
        return self.stage.take(self.call(leaves, number, before.token), number)

    def skip(self, count: int) -> int:
        done = self.before.skip(count)
        self._number += done
        return done

    @property
    def token(self) -> Any:
        return self.before.token

    def state(self) -> State:
        return [self.seed_state(), self._number, self.before.state()]

    def restore(self, state: State) -> None:
        self._number = self.restore_before(state)

    def close(self) -> None:
        self.before.close()


@final
class _ThreadedCursor(_Applied):
    """Keeps some elements under way more than there are threads, and gives them back in order."""

    def __init__(self, stage: Map, turn: Turn) -> None:
        super().__init__(stage, turn)
        self._pool: ThreadPoolExecutor | None = None
        self._begin(0)

    def _begin(self, number: int) -> None:
        self._under_way: deque[tuple[Future[Any], Any, State]] = deque()
        self._number = self._submitted = number
        self._state = self.before.state()
        self._token: Any = None
        self._failure: Exception | None = None
        self._ended = False

    def _fill(self) -> None:
        """Put elements under way; an error in reading one waits for those before it."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.stage.threads, thread_name_prefix="dovetail-map")
        while not self._ended and len(self._under_way) < 2 * self.stage.threads:
            try:
                leaves = self.before.next()
            except StopIteration:
                self._ended = True
                return
            except Exception as error:  # noqa: BLE001 - raised below, when its turn has come
                self._failure, self._ended = error, True
                return
            token = self.before.token
            task = self._pool.submit(self.call, leaves, self._submitted, token)
            self._submitted += 1
            self._under_way.append((task, token, self.before.state()))

    def next(self) -> Leaves:
        self._fill()
        if not self._under_way:
            if self._failure is not None:
                raise self._failure
            raise StopIteration
        task, token, state = self._under_way.popleft()
        result = task.result()
        number = self._number
        self._number, self._token, self._state = number + 1, token, state
        return self.stage.take(result, number)

    @property
    def token(self) -> Any:
        return self._token

    def state(self) -> State:
        return [self.seed_state(), self._number, self._state]

    def restore(self, state: State) -> None:
        self._stop()
        self._begin(self.restore_before(state))

    def _stop(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def close(self) -> None:
        self._stop()
        self.before.close()
