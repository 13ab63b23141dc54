"""Weights of other frameworks: from a safetensors file, or a dict of arrays, into the variables of a session.

Three things differ between frameworks: what tensors are called, in which order their axes lie, and which of them there
are. A name map settles the first, a layout the second, and the third is told before anything changes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, final

import numpy as np

import dovetail as dt
from dovetail.errors import DTypeError, InvalidArgumentError, NotFoundError, ShapeError
from dovetail.extend import Array
from dovetail_io.checkpoint import PathLike, as_prefix, nearest
from dovetail_io.layouts import LAYOUTS, Layout
from dovetail_io.snapshot import listed
from dovetail_io.tensors import TensorSpec, read_tensors

__all__ = ["LoadedWeights", "load_weights"]

Target = str | Sequence[str] | None
NameMap = Mapping[str, Target] | Callable[[str], Target] | Sequence[tuple[str, str]]
Transform = Callable[[Array], Array] | Sequence[int]
_SHOWN: Final = 8


class LoadedWeights(NamedTuple):
    """What ``load_weights`` has done.

    Attributes:
        assigned: for each variable that was given a value, the tensor that it came from.
        missing: variables that nothing was found for.
        unexpected: tensors that no variable was found for.
    """

    assigned: dict[str, str]
    missing: list[str]
    unexpected: list[str]


def load_weights(
    sess: dt.Session,
    source: PathLike | Mapping[str, Array],
    name_map: NameMap | None = None,
    *,
    layout: str | None = None,
    transform: Mapping[str, Transform] | None = None,
    variables: Iterable[dt.Variable] | None = None,
    strict: bool = True,
    cast: bool = False,
) -> LoadedWeights:
    r"""Give variables the values of another framework's weights; nothing changes unless all of them fit.

    A tensor goes to the variable of its name, where dots count as slashes. ``name_map`` says what else it is called:

    - a dict from names of tensors, or what they begin with up to a dot, to names of variables or scopes, such as
      ``{"fc": "dense", "ln.weight": "norm/gamma"}``; the longest that fits counts; ``None`` leaves tensors out, and a
      list gives one tensor to several variables;
    - pairs of a regular expression and its replacement, each applied to what the one before has made, such as
      ``[(r"^model\.", ""), (r"layers\.(\d+)", r"block_\1")]``;
    - a function of a tensor's name, which returns the name of the variable, a list of them, or ``None``.

    With ``layout="torch"``, ``weight`` also stands for a kernel, a table of embeddings or a scale, ``running_mean`` for
    a moving mean and so on, and kernels get the order of axes that Dovetail's layers have. Where a dense layer follows
    a flattened image, its rows differ in order too, and recurrent layers have other gates: ``transform`` says how.

    Args:
        sess: the session whose variables to set.
        source: a safetensors file, or arrays by name, such as ``{k: v.numpy() for k, v in net.state_dict().items()}``.
        name_map: what tensors are called here.
        layout: ``"torch"`` for files of PyTorch; ``None`` where names and axes are as here.
        transform: by a variable's name, an order of axes or a function of the tensor to apply in place of the layout's.
        variables: the variables to set; by default the trainable ones, and weights of layers such as moving averages.
        strict: whether to refuse where a variable has no tensor, or a tensor no variable.
        cast: whether to convert tensors of another dtype, such as halves for float32.

    Returns:
        What went where, and what was left.

    Raises:
        NotFoundError: with ``strict``, something is missing or unexpected: all of it is listed, with the nearest names.
        ShapeError: a tensor has another shape than its variable.
        DTypeError: a tensor has another dtype than its variable.
        InvalidArgumentError: two tensors go to one variable.
        FormatError: the file is damaged or no safetensors file.

    Example:
        >>> x = dt.placeholder(dt.float32, [None, 3], name="x")
        >>> y = dt.layers.dense(x, 2, name="head")
        >>> weights = {"fc.weight": np.ones((2, 3), np.float32), "fc.bias": np.zeros(2, np.float32)}
        >>> with dt.Session() as session:
        ...     done = dt.io.load_weights(session, weights, {"fc": "head"}, layout="torch")
        ...     print(done.assigned)
        ...     session.run(y, {x: [[1.0, 2.0, 3.0]]})
        {'head/kernel': 'fc.weight', 'head/bias': 'fc.bias'}
        array([[6., 6.]], dtype=float32)
    """
    if not isinstance(sess, dt.Session):
        raise DTypeError(f"load_weights: the first argument is {sess!r}; give the dt.Session that holds the variables.")
    weights = _Source(source)
    wanted = _variables(sess.graph, variables)
    plan = _Plan(weights, wanted, _renaming(name_map), _layout(layout), dict(transform or {}))
    if strict:
        plan.check_complete()
    arrays = weights.read(set(plan.assigned.values()))
    values = {
        wanted[name].op.name: _fitting(arrays[tensor], wanted[name], plan, cast)
        for name, tensor in plan.assigned.items()
    }
    sess.take_values(values)
    return LoadedWeights(plan.assigned, plan.missing, plan.unexpected)


@final
class _Source:
    """Tensors by name, in a file or in memory."""

    def __init__(self, given: Any) -> None:
        self.specs: dict[str, TensorSpec]
        self._arrays: dict[str, Array] | None = None
        if isinstance(given, Mapping):
            self.what = "the given dict"
            self._arrays = {name: np.asarray(value) for name, value in given.items()}
            self.specs = {name: TensorSpec(dt.as_dtype(one.dtype), one.shape) for name, one in self._arrays.items()}
        else:
            self._path: Path = as_prefix(given, "load_weights")
            self.what = f'"{self._path}"'
            self.specs = read_tensors(self._path, ())[1]

    def read(self, names: set[str]) -> Mapping[str, Array]:
        """Return the arrays of some names, which belong to the caller."""
        if self._arrays is None:
            return read_tensors(self._path, names)[0]
        return {name: self._arrays[name].copy() for name in names}


def _variables(graph: dt.Graph, given: Iterable[dt.Variable] | None) -> dict[str, dt.Variable]:
    if given is None:
        of_layers = {name for call in graph.layer_calls for name in call.weights}
        known = graph.get_collection(dt.GraphKeys.GLOBAL_VARIABLES)
        given = [one for one in known if one.trainable or one.op.name in of_layers]
    found: dict[str, dt.Variable] = {}
    for one in given:
        if not isinstance(one, dt.Variable):
            raise DTypeError(f"load_weights: variables holds {one!r}; give variables.")
        found[one.save_name] = one
    if not found:
        raise InvalidArgumentError("load_weights: there are no variables to set; make the network first.")
    return found


def _renaming(given: Any) -> Callable[[str], Target]:
    if given is None:
        return lambda name: name
    if isinstance(given, Mapping):
        return lambda name: _by_dict(given, name)
    if callable(given):
        return given  # type: ignore[no-any-return]
    try:
        pairs = [(re.compile(pattern), replacement) for pattern, replacement in given]
    except (TypeError, ValueError, re.error) as error:
        raise InvalidArgumentError(
            f"load_weights: name_map is {given!r} ({error}); give a dict, a function, or pairs of a regular expression "
            "and its replacement."
        ) from error

    def rename(name: str) -> str:
        for pattern, replacement in pairs:
            name = pattern.sub(replacement, name)
        return name

    return rename


def _by_dict(given: Mapping[str, Target], name: str) -> Target:
    """Return what a dict makes of a name: of the whole, or of the longest part up to a dot or slash."""
    ends = [len(name), *(place.start() for place in reversed(list(re.finditer(r"[./]", name)))), 0]
    for end in ends:
        if name[:end] in given:
            target, rest = given[name[:end]], name[end:].lstrip("./")
            if target is None or not rest:
                return target
            scopes = [target] if isinstance(target, str) else target
            return [f"{scope}/{rest}" if scope else rest for scope in scopes]
    return name


def _layout(given: str | None) -> Layout:
    if given not in LAYOUTS:
        known = ", ".join(map(repr, LAYOUTS))
        raise InvalidArgumentError(f"load_weights: layout is {given!r}; give one of {known}.")
    return LAYOUTS[given]


@final
class _Plan:
    """Which tensor goes to which variable, and how its axes are put."""

    def __init__(
        self,
        source: _Source,
        variables: Mapping[str, dt.Variable],
        rename: Callable[[str], Target],
        layout: Layout,
        transform: dict[str, Transform],
    ) -> None:
        self.source = source
        self.assigned: dict[str, str] = {}
        self.unexpected: list[str] = []
        self._variables = variables
        self._layout = layout
        self._transform = transform
        for tensor in source.specs:
            targets = rename(tensor)
            if targets is None or layout.ignores(tensor):
                continue
            for target in [targets] if isinstance(targets, str) else targets:
                names = [name for name in layout.candidates(target) if name in variables]
                if not names:
                    self.unexpected.append(tensor)
                for name in names[:1]:
                    if name in self.assigned:
                        raise InvalidArgumentError(
                            f"load_weights: {self.assigned[name]!r} and {tensor!r} of {source.what} both go to the "
                            f'variable "{name}"; leave one of them out by the name map.'
                        )
                    self.assigned[name] = tensor
        order = {name: place for place, name in enumerate(variables)}
        self.assigned = dict(sorted(self.assigned.items(), key=lambda item: order[item[0]]))
        self.missing = [name for name in variables if name not in self.assigned]
        unknown = [name for name in transform if name not in variables]
        if unknown:
            raise InvalidArgumentError(
                f"load_weights: transform names {listed(unknown)}, which is no variable to be set."
                f"{nearest(unknown[0], variables)}"
            )

    def check_complete(self) -> None:
        """Make sure that every variable has a tensor, and every tensor a variable."""
        if not self.missing and not self.unexpected:
            return
        lines = [
            f"  {name}: {self._variables[name].dtype.name}{self._variables[name].shape}, missing."
            f"{nearest(name, self.unexpected, 0.5)}"
            for name in self.missing
        ]
        lines += [
            f"  {name}: {self.source.specs[name]}, unexpected.{nearest(name, self.missing, 0.5)}"
            for name in self.unexpected
        ]
        more = [f"  … and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
        raise NotFoundError(
            f"load_weights: {self.source.what} does not fit the variables: {len(self.missing)} of "
            f"{len(self._variables)} variables are missing in it, and {len(self.unexpected)} of its "
            f"{len(self.source.specs)} tensors have no variable. Name them in name_map, or pass strict=False to load "
            "the rest.\n" + "\n".join([*lines[:_SHOWN], *more])
        )

    def put(self, name: str, array: Array) -> Array:
        """Return a tensor with its axes as the variable has them."""
        how = self._transform.get(name)
        if how is None:
            return self._layout.put(name, array, self._variables[name].shape)
        return np.asarray(how(array)) if callable(how) else array.transpose(how)


def _fitting(array: Array, variable: dt.Variable, plan: _Plan, cast: bool) -> Array:
    name = variable.save_name
    tensor = plan.assigned[name]
    try:
        put = plan.put(name, array)
    except (ValueError, TypeError) as error:
        raise ShapeError(
            f'load_weights: {tensor!r} of {plan.source.what}, {plan.source.specs[tensor]}, cannot be put for "{name}": '
            f"{error}. {variable.op.where()}"
        ) from error
    if not variable.shape.is_compatible_with(dt.Shape(put.shape)):
        raise ShapeError(
            f"load_weights: {tensor!r} of {plan.source.what} has the shape {list(put.shape)}{_turned(array, put)}, the "
            f'variable "{name}" {variable.shape}.{_hint(array, variable)} {variable.op.where()}'
        )
    if dt.as_dtype(put.dtype) is not variable.dtype:
        numeric = not variable.dtype.is_string and put.dtype != object
        if not cast or not numeric:
            advice = " Pass cast=True to convert it." if numeric else ""
            raise DTypeError(
                f"load_weights: {tensor!r} of {plan.source.what} is {dt.as_dtype(put.dtype).name}, the variable "
                f'"{name}" {variable.dtype.name}.{advice} {variable.op.where()}'
            )
        put = put.astype(variable.dtype.numpy)
    return put


def _turned(array: Array, put: Array) -> str:
    return "" if array.shape == put.shape else f" ({list(array.shape)} in the file)"


def _hint(array: Array, variable: dt.Variable) -> str:
    other = LAYOUTS["torch"].put(variable.save_name, array, variable.shape)
    return ' layout="torch" makes it fit.' if variable.shape.is_compatible_with(dt.Shape(other.shape)) else ""
