"""``predictor``: answers by the signatures of a bundle."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, final

import dovetail as dt
from dovetail.errors import DovetailError, FeedError, InvalidArgumentError, NotFoundError
from dovetail.extend import definitions, needed_operations
from dovetail_io.checkpoint import PathLike, nearest
from dovetail_io.saved_model.bundle import Bundle, MetaGraph, find_signature
from dovetail_io.saved_model.loader import load_into
from dovetail_io.saved_model.signatures import SignatureDef

__all__ = ["Predictor", "predictor"]


class _Prepared(NamedTuple):
    """A signature, ready to answer: a function of the inputs in order and of values for all calls."""

    definition: SignatureDef
    answer: Callable[..., dict[str, Any]]
    constant: tuple[Any, ...]


@final
class Predictor:
    """Answers by the signatures of a bundle, which it holds in a session of its own; made by `predictor`.

    Call it with a dict of inputs, or with inputs by name; the result is a dict of outputs. What a signature needs is
    prepared once. Threads may call it at the same time.

    Attributes:
        session: the session.
        signature: name of the signature that it answers by, unless a call names another.
        signatures: all signatures of the graph, by name.
    """

    def __init__(
        self, bundle: Bundle, meta_graph: MetaGraph, signature: str, feeds: Mapping[Any, Any], session: dt.Session
    ) -> None:
        """Load the graph and prepare the signature."""
        self.signature = signature
        self.signatures: Mapping[str, SignatureDef] = meta_graph.signature_def
        self.session = session
        self._folder = bundle.folder
        self._prepared: dict[str, _Prepared] = {}
        self._lock = threading.Lock()
        assets = load_into(session, bundle, meta_graph)
        self._constant = {**assets, **{self._tensor(key, "feeds"): value for key, value in feeds.items()}}
        self._of(signature)

    def __call__(
        self, inputs: Mapping[str, Any] | None = None, /, *, signature: str | None = None, **named: Any
    ) -> dict[str, Any]:
        """Answer.

        Args:
            inputs: values by the signature's names of inputs.
            signature: name of the signature, where it is not the predictor's.
            named: the same as ``inputs``, by keyword.

        Returns:
            Arrays by the signature's names of outputs.

        Raises:
            FeedError: an input is missing, unknown, or does not fit its tensor.
            NotFoundError: there is no such signature.
        """
        name = self.signature if signature is None else signature
        prepared = self._prepared.get(name) or self._of(name)
        if type(inputs) is dict and not named:  # the common case, without looking further
            given: Mapping[str, Any] = inputs
        elif isinstance(inputs, Mapping | None):
            given = {**(inputs or {}), **named}
        else:
            raise FeedError(
                f"predictor: the inputs are {type(inputs).__name__}; give a dict, such as "
                f"{_example(prepared.definition)}."
            )
        expected = prepared.definition.inputs
        if given.keys() != expected.keys():
            raise FeedError(_misfit(name, given, prepared.definition))
        try:
            return prepared.answer(*[given[key] for key in expected], *prepared.constant)
        except FeedError as error:
            listed = ", ".join(f"{key!r} ({info.name}: {info})" for key, info in expected.items())
            raise FeedError(f"predictor: the signature {name!r} takes {listed}: {error}") from error

    @property
    def inputs(self) -> dict[str, str]:
        """Dtypes and shapes of the signature's inputs by name."""
        return {key: str(info) for key, info in self.signatures[self.signature].inputs.items()}

    @property
    def outputs(self) -> dict[str, str]:
        """Dtypes and shapes of the signature's outputs by name."""
        return {key: str(info) for key, info in self.signatures[self.signature].outputs.items()}

    def close(self) -> None:
        """Free variables and plans."""
        self.session.close()

    def __enter__(self) -> Predictor:
        """Return the predictor."""
        return self

    def __exit__(self, *failure: object) -> None:
        """Close it."""
        self.close()

    def __repr__(self) -> str:
        """Show the folder and the signature."""
        inputs = ", ".join(f"{key}: {type}" for key, type in self.inputs.items())
        outputs = ", ".join(f"{key}: {type}" for key, type in self.outputs.items())
        return f"<Predictor of {str(self._folder)!r}, {self.signature}: {inputs} -> {outputs}>"

    def _of(self, name: str) -> _Prepared:
        with self._lock:
            if name not in self._prepared:
                self._prepared[name] = self._prepare(name)
            return self._prepared[name]

    def _prepare(self, name: str) -> _Prepared:
        definition = find_signature(self.signatures, name, self._folder)
        feeds = [self._tensor(info.name, f"input {key!r}") for key, info in definition.inputs.items()]
        fetches = {key: self._tensor(info.name, f"output {key!r}") for key, info in definition.outputs.items()}
        constant = {tensor: value for tensor, value in self._constant.items() if tensor not in feeds}
        fed = dict.fromkeys([*feeds, *constant])
        for op in needed_operations(list(fetches.values()), [], fed):
            if isinstance(op.definition, definitions.Placeholder):
                needed = op.outputs[0]
                raise InvalidArgumentError(
                    f"predictor: the outputs of the signature {name!r} need {needed.name!r} ({needed.type}), which is "
                    f"none of its inputs; give a value for all calls by feeds={{{needed.name!r}: …}}. {op.where()}"
                )
        answer = self.session.make_callable(fetches, [*feeds, *constant])
        return _Prepared(definition, answer, tuple(constant.values()))

    def _tensor(self, key: Any, what: str) -> dt.Tensor:
        try:
            found = self.session.graph.as_graph_element(key)
        except DovetailError as error:
            raise NotFoundError(f'predictor: {what} of "{self._folder}": {error}') from error
        if isinstance(found, dt.Operation) and len(found.outputs) == 1:
            return found.outputs[0]
        if not isinstance(found, dt.Tensor):
            raise NotFoundError(f'predictor: {what} of "{self._folder}" is {key!r}, which is no tensor.')
        return found


def predictor(
    export_dir: PathLike | bytes,
    signature: str | None = None,
    tags: Any = None,
    *,
    feeds: Mapping[Any, Any] | None = None,
    config: dt.ConfigProto | None = None,
    num_threads: int | None = None,
) -> Predictor:
    """Load a bundle to answer by its signatures: a dict of arrays in, a dict of arrays out.

    Args:
        export_dir: the bundle's folder.
        signature: name of the signature; ``"serving_default"``, or the only one, unless given.
        tags: tags of the graph; ``"serve"``, or those of the only graph, unless given.
        feeds: values for all calls, by tensors' names, such as ``{"is_training:0": False}``.
        config: options of the session.
        num_threads: how many threads an answer may use, as in `Session`.

    Raises:
        NotFoundError: there is no bundle, or no such graph or signature in it; the message says what there is.
        FormatError: the bundle is damaged.
        InvalidArgumentError: the signature's outputs need a placeholder that is not among its inputs.

    Example:
        >>> x = dt.placeholder(dt.float32, ["batch", 2], name="x")
        >>> with dt.Session() as session:
        ...     dt.saved_model.simple_save(session, "exports/1", {"x": x}, {"sum": dt.reduce_sum(x, axis=1)})
        >>> predict = dt.saved_model.predictor("exports/1")
        >>> predict({"x": [[1.0, 2.0], [3.0, 4.0]]})
        {'sum': array([3., 7.], dtype=float32)}
        >>> predict
        <Predictor of 'exports/1', serving_default: x: float32[batch, 2] -> sum: float32[batch]>
    """
    bundle = Bundle(export_dir)
    meta_graph = bundle.chosen(tags)
    chosen = meta_graph.chosen(signature)
    session = dt.Session(graph=dt.Graph(), config=config, num_threads=num_threads)
    try:
        return Predictor(bundle, meta_graph, chosen, feeds or {}, session)
    except BaseException:
        session.close()
        raise


def _example(definition: SignatureDef) -> str:
    return "{" + ", ".join(f"{key!r}: …" for key in definition.inputs) + "}"


def _misfit(name: str, given: Mapping[Any, Any], definition: SignatureDef) -> str:
    missing = [key for key in definition.inputs if key not in given]
    unknown = [key for key in given if key not in definition.inputs]
    parts = [f"{', '.join(map(repr, missing))} missing"] if missing else []
    parts += [f"{', '.join(map(repr, unknown))} unknown"] if unknown else []
    listed = ", ".join(f"{key!r}: {info}" for key, info in definition.inputs.items())
    hint = nearest(str(unknown[0]), missing) if unknown else ""
    return f"predictor: the signature {name!r} takes {{{listed}}}; {' and '.join(parts)}.{hint}"
