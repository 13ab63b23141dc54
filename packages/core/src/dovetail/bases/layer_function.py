"""The function form of a layer, derived from its class."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from inspect import Parameter
from typing import TYPE_CHECKING, Any, Final

from dovetail.errors import LayerError

if TYPE_CHECKING:
    from dovetail.bases.layer import Layer

__all__ = ["function_of"]

_FUNCTIONS: Final[dict[type[Layer], Callable[..., Any]]] = {}


def function_of(cls: type[Layer]) -> Callable[..., Any]:
    """Return the function that makes a layer of ``cls`` and applies it.

    Its parameters are the inputs of ``call``, the fields of the class, ``training`` where ``call`` takes it, ``name``
    and ``reuse``, which shares the weights of a layer of that name; and, by name only, the inputs that may be left out.
    """
    known = _FUNCTIONS.get(cls)
    if known is None:
        known = _FUNCTIONS[cls] = _derive(cls)
    return known


def _derive(cls: type[Layer]) -> Callable[..., Any]:
    from dovetail.bases.layer import input_names, optional_inputs, takes_training
    from dovetail.bases.registration import provided_by

    label = provided_by(cls)[0]
    extra = optional_inputs(cls)
    every = input_names(cls)
    inputs = None if every is None else tuple(name for name in every if name not in extra)
    parameters = _parameters(cls, inputs, extra, takes_training(cls))
    positional = [one.name for one in parameters if one.kind is Parameter.POSITIONAL_OR_KEYWORD]

    def layer(*values: Any, **keywords: Any) -> Any:
        given = list(values)
        if inputs is None:
            tensors = given
        else:
            if len(given) > len(positional):
                raise LayerError(f"{label} takes {len(positional)} arguments by position; {len(given)} were given.")
            for name, value in zip(positional, given, strict=False):
                if name in keywords:
                    raise LayerError(f"{label}: {name!r} is given twice, by position and by name.")
                keywords[name] = value
            missing = [name for name in inputs if name not in keywords]
            if missing:
                raise LayerError(f"{label} needs the input {missing[0]!r}.")
            tensors = [keywords.pop(name) for name in inputs]
        training = keywords.pop("training", False) if "training" in named else False
        reuse = keywords.pop("reuse", None)
        optional = {name: keywords.pop(name) for name in extra if name in keywords}
        made = cls(**keywords)
        made.share(reuse)
        return made(*tensors, training=training, **optional)

    named = {one.name for one in parameters}
    layer.__name__ = layer.__qualname__ = label
    layer.__module__ = cls.__module__
    layer.__doc__ = _documentation(cls)
    layer.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    layer.layer_class = cls  # type: ignore[attr-defined]
    return layer


def _parameters(
    cls: type[Layer], inputs: tuple[str, ...] | None, extra: tuple[str, ...], training: bool
) -> list[Parameter]:
    flexible = Parameter.KEYWORD_ONLY if inputs is None else Parameter.POSITIONAL_OR_KEYWORD
    if inputs is None:
        found = [Parameter("inputs", Parameter.VAR_POSITIONAL, annotation="Tensor")]
    else:
        found = [Parameter(name, flexible, annotation="Tensor") for name in inputs]
    found += [_of_field(one, flexible) for one in cls.fields if not one.keyword_only]
    optional = [_of_field(one, flexible) for one in cls.fields if one.keyword_only]
    if training:
        optional.insert(0, Parameter("training", flexible, default=False, annotation="bool | Tensor"))
    optional.append(Parameter("reuse", flexible, default=None, annotation="bool | str | None"))
    optional += [Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation="Tensor | None") for name in extra]
    return found + optional


def _of_field(one: Any, kind: Any) -> Parameter:
    return Parameter(
        one.name, kind, default=Parameter.empty if one.required else one.default, annotation=one.annotation
    )


def _documentation(cls: type[Layer]) -> str:
    own = inspect.cleandoc(cls.__doc__ or f"Apply the layer {cls.__qualname__}.")
    return (
        f"{own}\n\n"
        f"This function makes a new {cls.__qualname__} and applies it to its inputs, which come first; ``name`` is its "
        "scope, and\n"
        f"``reuse`` (``True`` or ``dt.AUTO_REUSE``) shares the weights of the layer of that name."
    )
