"""``Network``: a graph with a session and prepared callables; and the pool that lets fits share them.

Building, planning and compiling a network takes as long as many steps of a small one. What is fed (weights of samples,
``alpha``, the learning rate) and what a session holds (values, the seed) are no part of a graph, so the hundreds of
fits of a search over parameters need few networks. An estimator holds its network for itself from ``fit`` on; when it
is forgotten, the network goes back to the pool and serves the next fit with the same blueprint.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Hashable, Mapping
from typing import Any, Final, final

import dovetail as dt
from dovetail.extend import Array, graph_from_data, graph_to_data, needed_operations
from dovetail_train.sklearn.blueprint import CODE, Blueprint

__all__ = ["Network", "POOL", "Pool"]

_IDLE: Final = 16
_LARGEST: Final = 1 << 25
"""Bytes of variables above which a network is not kept: its steps take so long that planning is nothing beside them."""


@final
class Network:
    """A graph with a session of its own.

    Attributes:
        key: that of its blueprint; ``None`` for one that was loaded.
        session: the session.
        outputs: a prepared callable of inputs.
        predictions: likewise.
        code: the tensor of an autoencoder's code; ``encode`` is a prepared callable that gives it of inputs, ``decode``
            one that gives the outputs of it.
    """

    def __init__(self, graph: dt.Graph, key: Hashable, num_threads: int | None) -> None:
        """Open a session on a graph that a blueprint built."""
        self.key = key
        self.num_threads = num_threads
        self.session = dt.Session(graph=graph, num_threads=num_threads)
        self.variables = {one.op.name: one for one in graph.get_collection(dt.GraphKeys.GLOBAL_VARIABLES)}
        self._trainable = {one.op.name for one in graph.get_collection(dt.GraphKeys.TRAINABLE_VARIABLES)}
        self.inputs = graph.get_tensor_by_name("inputs:0")
        loss, train = graph.get_tensor_by_name("loss:0"), graph.get_operation_by_name("train")
        needed = {op.name for op in needed_operations([loss], [train], {})}
        self._fed = [name for name in _FED if name in needed]
        fed = [f"{name}:0" for name in self._fed]
        prepare = self.session.make_callable
        self._initialize = prepare(graph.get_operation_by_name("initializers"))
        self._step = prepare([loss, train], fed)
        self.outputs = prepare("outputs:0", ["inputs:0"])
        self.predictions = prepare("predictions:0", ["inputs:0"])
        self.code: dt.Tensor | None = next(iter(graph.get_collection(CODE)), None)
        self.encode = prepare(self.code, ["inputs:0"]) if self.code is not None else None
        self.decode = prepare("outputs:0", [self.code]) if self.code is not None else None

    @property
    def dtype(self) -> Any:
        """The dtype of inputs and weights, as NumPy's."""
        return self.inputs.dtype.numpy

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one sample."""
        return tuple(int(size) for size in self.inputs.shape.dims[1:])

    @property
    def size(self) -> int:
        """How many bytes the variables take."""
        return sum(one.shape.num_elements() * one.dtype.size for one in self.variables.values())

    def begin(self, seed: int) -> None:
        """Draw first values; all random numbers depend on ``seed`` alone."""
        self.session.set_random_state({"seed": seed, "counters": {}})
        self._initialize()

    def step(self, **values: Any) -> float:
        """Train on a batch; takes a value for each placeholder of the graph, and returns the loss before the step."""
        return float(self._step(*[values[name] for name in self._fed])[0])

    def values(self, *, trained: bool = False) -> dict[str, Array]:
        """Return the values of all variables, or of those that an estimator's user knows as weights."""
        names = [name for name in self.variables if not trained or name in self._trainable]
        return dict(zip(names, self.session.run([self.variables[name] for name in names]), strict=True))

    def take(self, values: Mapping[str, Array]) -> None:
        """Give all variables values.

        Raises:
            NotFoundError: there is no such variable.
            DTypeError: an array has another dtype than its variable.
            ShapeError: an array has another shape than its variable.
        """
        self.session.take_values(values)

    def progress(self) -> tuple[dict[str, Array], dict[str, Any]]:
        """Return all that training changes: values and random numbers, for ``go_back``."""
        return self.values(), self.session.random_state()

    def go_back(self, values: Mapping[str, Array], random: Mapping[str, Any]) -> None:
        """Take over what ``progress`` gave."""
        self.take(values)
        self.session.set_random_state(random)

    def state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """Return all of it as JSON-able data and arrays."""
        values, random = self.progress()
        data = {"graph": graph_to_data(self.session.graph), "random": random, "num_threads": self.num_threads}
        return data, values

    @classmethod
    def from_state(cls, data: Mapping[str, Any], values: Mapping[str, Array]) -> Network:
        """Make what ``state`` described.

        Raises:
            FormatError: the data have another form.
            NotFoundError: an operation needs a distribution that is not installed.
        """
        graph = dt.Graph()
        graph_from_data(data["graph"], graph)
        network = cls(graph, None, data["num_threads"])
        network.go_back(values, data["random"])
        return network


_FED: Final = ("inputs", "targets", "weights", "total", "alpha", "learning_rate", "training")


@final
class Pool:
    """Networks that no estimator holds, the last used ones of them."""

    def __init__(self) -> None:
        """Begin with none."""
        self._begin_anew()
        if hasattr(os, "register_at_fork"):
            # Another thread may have held the lock, or run a network, when the process was copied.
            os.register_at_fork(after_in_child=self._begin_anew)

    def _begin_anew(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[Network] = []  # the longest unused first
        self._returned: deque[Network] = deque()

    def take(self, blueprint: Blueprint) -> Network:
        """Return a network of that blueprint, which is the caller's until given back."""
        key = blueprint.key
        with self._lock:
            while self._returned:
                self._idle.append(self._returned.popleft())
            del self._idle[:-_IDLE]
            for number, network in enumerate(self._idle):
                if network.key == key:
                    return self._idle.pop(number)
        return Network(blueprint.graph(), key, blueprint.num_threads)

    def give_back(self, network: Network) -> None:
        """Take a network that its holder needs no more; without a lock, as the garbage collector calls this."""
        if network.key is not None and network.size <= _LARGEST:
            self._returned.append(network)


POOL: Final = Pool()
