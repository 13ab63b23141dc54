"""``make_template``: a function whose variables are shared by all of its calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

from dovetail.errors import InvalidArgumentError
from dovetail.ops.variable_scope import VariableScope, variable_scope
from dovetail.ops.variables import Variable

__all__ = ["Template", "make_template"]


@final
class Template:
    """A function whose calls share the variables that it makes by ``get_variable``."""

    def __init__(
        self, name: str, function: Callable[..., Any], unique_name: str | None, keywords: dict[str, Any]
    ) -> None:
        """Describe it; `make_template` does so."""
        self._name = name
        self._function = function
        self._unique_name = unique_name
        self._keywords = keywords
        self._scope: VariableScope | None = None
        self._called = False

    def enter(self) -> None:
        """Settle the scope of the variables, where that is not done by the first call."""
        with variable_scope(self._unique_name, self._name) as scope:
            self._scope = scope

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function; the first call makes the variables."""
        keywords = {**self._keywords, **kwargs}
        if self._scope is None:
            with variable_scope(self._unique_name, self._name) as scope:
                self._scope, self._called = scope, True
                return self._function(*args, **keywords)
        reuse, self._called = self._called or None, True
        with variable_scope(self._scope, reuse=reuse):
            return self._function(*args, **keywords)

    @property
    def name(self) -> str:
        """The name that was given."""
        return self._name

    @property
    def func(self) -> Callable[..., Any]:
        """The function."""
        return self._function

    @property
    def variable_scope(self) -> VariableScope | None:
        """The scope of the variables; ``None`` before the first call."""
        return self._scope

    @property
    def variables(self) -> list[Variable]:
        """The global variables under the scope; none before the first call."""
        return [] if self._scope is None else self._scope.global_variables()

    global_variables = variables

    @property
    def trainable_variables(self) -> list[Variable]:
        """Those of them that optimizers change."""
        return [] if self._scope is None else self._scope.trainable_variables()


def make_template(
    name_: str,
    func_: Callable[..., Any],
    create_scope_now_: bool = False,
    unique_name_: str | None = None,
    custom_getter_: Any = None,
    **kwargs: Any,
) -> Template:
    """Return a function that makes its variables at the first call, and shares them in all that follow.

    Args:
        name_: the scope of the variables, made unique.
        func_: the function, which gets its variables by ``get_variable``.
        create_scope_now_: whether to settle the scope now, not at the first call.
        unique_name_: a name for the scope that is not made unique.
        custom_getter_: not supported.
        **kwargs: arguments of the function, the same in each call.

    Raises:
        InvalidArgumentError: ``custom_getter_`` is given.
        NotFoundError: in a call, if a call after the first one asks for a new variable.

    Example:
        >>> def scale(x):
        ...     return x * dt.get_variable("factor", [], initializer=dt.ones_initializer())
        >>> scaled = dt.make_template("scale", scale)
        >>> y, z = scaled(1.0), scaled(2.0)
        >>> [one.name for one in scaled.variables]
        ['scale/factor:0']
    """
    if custom_getter_ is not None:
        raise InvalidArgumentError(
            "make_template: custom_getter_ is not supported; call a function of your own instead of get_variable."
        )
    template = Template(name_, func_, unique_name_, kwargs)
    if create_scope_now_:
        template.enter()
    return template
