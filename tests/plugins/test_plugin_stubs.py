"""Stubs: what type checkers and editors see of the namespaces is what the first-party plugins provide."""

from __future__ import annotations

from typing import Any

from tools import make_stubs

from dovetail.plugins import Namespace, PluginManager

Install = Any

SOURCE = """
from __future__ import annotations

from typing import TYPE_CHECKING

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import Layer

if TYPE_CHECKING:
    from collections.abc import Sequence

class Many(Layer):
    units: int
    sizes: Sequence[int] = (1, 2)
    rate: float = 0.5
    start: dt.extend.Initializer | None = None

    def call(self, first: Tensor, second: Tensor, *, training: bool | Tensor = False) -> tuple[Tensor, Tensor]:
        return first, second
"""

EXPECTED = """
# Layers, as functions (`dense`) and as classes (`Dense`).
# Written by tools/make_stubs.py from the entry points of the first-party plugins.

from collections.abc import Sequence as _Sequence
from typing import Any as _Any

from toy_many import Many as Many

import dovetail as _dt
from dovetail import Tensor as _Tensor

def many(
    first: _Tensor,
    second: _Tensor,
    units: int,
    sizes: _Sequence[int] = ...,
    rate: float = 0.5,
    start: _dt.extend.Initializer | None = None,
    training: bool | _Tensor = False,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> tuple[_Tensor, _Tensor]: ...
def __getattr__(name: str) -> _Any: ...  # what other plugins provide
"""


def test_the_stubs_are_up_to_date() -> None:
    stale = [
        path.name for path, text in make_stubs.make_all().items() if not path.is_file() or path.read_text() != text
    ]
    assert not stale, "run python tools/make_stubs.py"


def test_a_layer_is_declared_with_the_types_of_its_class(
    install: Install, layers: Namespace, plugins: PluginManager
) -> None:
    install("toy", {"layers": ["many = toy_many:Many"]}, {"toy_many": SOURCE})
    text = make_stubs.make(layers, plugins, {"toy"}).text(layers.__doc__ or "")
    assert text == EXPECTED.lstrip()


def test_optimizers_and_attributes_are_handed_on(install: Install, plugins: PluginManager) -> None:
    entries = {
        "optimizers": ["toy_descent = toy_optim:ToyDescentOptimizer"],
        "namespaces": ["train.toy_decay = toy_optim:decay", "train = toy_more"],
    }
    sources = {
        "toy_optim": "class ToyDescentOptimizer: pass\ndecay = 1",
        "toy_more": "__all__ = ['toy_saver']\ntoy_saver = 1",
    }
    install("toy", entries, sources)
    stub = make_stubs.make(Namespace("dovetail.train", plugins), plugins, {"toy"})
    assert stub.imports == {
        "from toy_optim import ToyDescentOptimizer as ToyDescentOptimizer",
        "from toy_optim import decay as decay",
        "from toy_more import toy_saver as toy_saver",
    }
    assert stub.lines == ["ToyDescent = ToyDescentOptimizer", "toy_decay = decay"]


def test_what_core_contributes_is_handed_on(plugins: PluginManager) -> None:
    space = Namespace("dovetail.initializers", plugins)
    space.provide("renamed", make_stubs.Stub)
    stub = make_stubs.make(space, plugins, ())
    assert stub.imports == {"from tools.make_stubs import Stub as Stub"}
    assert stub.lines == ["renamed = Stub"]


def test_a_name_that_another_object_has_in_its_module_is_hidden(plugins: PluginManager) -> None:
    space = Namespace("dovetail.initializers", plugins)
    space.provide("renamed", make_stubs.Stub)
    space.provide("Stub", make_stubs.make)
    text = make_stubs.make(space, plugins, ()).text("First values of weights.")
    assert "from tools.make_stubs import Stub as _Stub" in text
    assert "renamed = _Stub" in text
    assert "Stub = make\n" in text
