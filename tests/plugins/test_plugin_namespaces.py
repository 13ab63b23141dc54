"""Namespaces: where attributes come from, in which form, and what is said when there are none."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from dovetail.errors import PluginCollisionError, PluginError, PluginNotFoundError
from dovetail.plugins import Namespace, PluginManager

Install = Any

LAYERS = """
class Base:
    @classmethod
    def function(cls):
        def layer(*inputs): return cls
        layer.__name__ = cls.__name__
        return layer

class Plain(Base): pass
class MaxPooling2D(Base): pass
"""


@pytest.fixture
def toy_layers(install: Install) -> None:
    entries = {"layers": ["plain = toy_layers:Plain", "max_pooling2d = toy_layers:MaxPooling2D"]}
    install("toy-layers", entries, {"toy_layers": LAYERS})


@pytest.fixture
def train(plugins: PluginManager) -> Namespace:
    return Namespace("dovetail.train", plugins)


@pytest.fixture
def nn(plugins: PluginManager) -> Namespace:
    return Namespace("dovetail.nn", plugins)


@pytest.mark.usefixtures("toy_layers")
def test_a_layer_is_a_function_and_a_class(layers: Namespace) -> None:
    assert layers.Plain.__module__ == "toy_layers"
    assert layers.plain("x") is layers.Plain
    assert layers.MaxPooling2D is sys.modules["toy_layers"].MaxPooling2D
    assert layers.max_pooling2d("x") is layers.MaxPooling2D
    assert layers.max_pooling2d is layers.max_pooling2d  # kept once it was made


@pytest.mark.usefixtures("toy_layers")
def test_a_layer_is_imported_from_the_namespace(layers: Namespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dovetail_test_layers", layers)
    space: dict[str, Any] = {}
    exec("from dovetail_test_layers import plain, Plain\nimport dovetail_test_layers as whole", space)
    assert space["plain"]() is space["Plain"]
    assert space["whole"] is layers


@pytest.mark.usefixtures("toy_layers")
def test_completion_imports_nothing(layers: Namespace) -> None:
    assert {"plain", "Plain", "max_pooling2d", "MaxPooling2D"} <= set(dir(layers))
    assert not [name for name in dir(layers) if name in ("_plugins", "_short", "_found")]
    assert "toy_layers" not in sys.modules


def test_dunder_names_cost_no_scan(layers: Namespace, plugins: PluginManager) -> None:
    assert not hasattr(layers, "__path__")
    assert not hasattr(layers, "__wrapped__")
    assert not hasattr(layers, "_repr_html_")
    with pytest.raises(AttributeError, match=r"^module 'dovetail.layers' has no attribute '__all__'$"):
        _ = layers.__all__
    assert not plugins.scanned


def test_a_layer_must_be_a_class_of_layers(install: Install, layers: Namespace) -> None:
    install("toy", {"layers": ["odd = toy_odd:odd"]}, {"toy_odd": "def odd(): pass"})
    with pytest.raises(PluginError) as raised:
        _ = layers.odd
    assert str(raised.value).startswith(
        "toy 1.0: toy_odd:odd must be a subclass of dovetail.extend.Layer to serve as the layer 'odd', but is <function"
    )


def test_an_optimizer_answers_to_both_names(install: Install, train: Namespace) -> None:
    entries = {"optimizers": ["toy_descent = toy_optim:ToyDescentOptimizer"]}
    install("toy", entries, {"toy_optim": "class ToyDescentOptimizer: pass"})
    assert {"ToyDescent", "ToyDescentOptimizer"} <= set(dir(train))
    assert train.ToyDescent is train.ToyDescentOptimizer
    assert train.ToyDescent.__module__ == "toy_optim"
    assert not hasattr(train, "toy_descent")


def test_one_attribute_from_one_entry(install: Install, train: Namespace) -> None:
    install("toy", {"namespaces": ["train.ToySaver = toy_saver:Saver"]}, {"toy_saver": "class Saver: pass"})
    assert "ToySaver" in dir(train)
    assert "toy_saver" not in sys.modules
    assert train.ToySaver is sys.modules["toy_saver"].Saver


def test_a_module_hands_on_what_it_lists(install: Install, nn: Namespace) -> None:
    install("toy", {"namespaces": ["nn = toy_nn"]}, {"toy_nn": "__all__ = ['toylu']\ntoylu = 1\nhidden = 2"})
    assert nn.toylu == 1
    assert "toylu" in dir(nn)
    assert "hidden" not in dir(nn)
    assert not hasattr(nn, "hidden")


def test_namespaces_merge_what_several_give(install: Install, train: Namespace) -> None:
    install("toy-a", {"namespaces": ["train = toy_train_a"]}, {"toy_train_a": "__all__ = ['toy_a']\ntoy_a = 'a'"})
    install("toy-b", {"namespaces": ["train = toy_train_b"]}, {"toy_train_b": "__all__ = ['toy_b']\ntoy_b = 'b'"})
    install("toy-c", {"namespaces": ["train.toy_c = toy_train_c:toy_c"]}, {"toy_train_c": "toy_c = 'c'"})
    assert (train.toy_a, train.toy_b, train.toy_c) == ("a", "b", "c")


@pytest.mark.parametrize(
    "entries",
    [
        {"namespaces": ["layers.plain = toy_other:plain"]},
        {"namespaces": ["layers = toy_other"]},
        {"layers": ["plain = toy_other:plain"]},
    ],
)
@pytest.mark.usefixtures("toy_layers")
def test_an_attribute_from_two_distributions_is_an_error(
    install: Install, layers: Namespace, entries: dict[str, list[str]]
) -> None:
    install("toy-other", entries, {"toy_other": "__all__ = ['plain']\nplain = 1"})
    with pytest.raises(PluginCollisionError) as raised:
        _ = layers.plain
    text = str(raised.value)
    assert text.startswith("dovetail.layers: 'plain' is provided twice: by ")
    assert "toy-layers 1.0 (toy_layers:Plain)" in text
    assert "toy-other 1.0 (toy_other" in text
    assert "plain" not in dir(layers)
    assert layers.MaxPooling2D.__module__ == "toy_layers"


def test_one_distribution_may_give_an_attribute_in_two_ways(install: Install, layers: Namespace) -> None:
    entries = {"layers": ["plain = toy_layers:Plain"], "namespaces": ["layers = toy_layers"]}
    install("toy", entries, {"toy_layers": LAYERS + "__all__ = ['Plain']"})
    assert layers.Plain is sys.modules["toy_layers"].Plain


@pytest.mark.usefixtures("toy_layers")
def test_an_unknown_attribute_suggests_the_nearest(layers: Namespace) -> None:
    assert not hasattr(layers, "plane")
    with pytest.raises(PluginNotFoundError) as raised:
        _ = layers.plane
    assert str(raised.value).startswith("dovetail.layers has no 'plane'. Did you mean ")
    assert "'plain'" in str(raised.value)


@pytest.mark.usefixtures("toy_layers")
def test_the_advice_survives_an_import_statement(layers: Namespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dovetail_test_layers", layers)
    with pytest.raises(ImportError) as raised:
        exec("from dovetail_test_layers import plane")
    assert isinstance(raised.value, PluginError)
    assert "dovetail.layers has no 'plane'. Did you mean 'plain'" in str(raised.value)


FEEDING_TRAIN = ("dovetail-optim", "dovetail-io", "dovetail-train")


def without(monkeypatch: pytest.MonkeyPatch, *distributions: str) -> None:
    """Let first-party distributions seem not to be installed, and nothing be allowed."""
    from dovetail.plugins import first_party

    monkeypatch.setenv("DOVETAIL_PLUGINS", "none")
    is_installed = first_party._is_installed
    monkeypatch.setattr(
        first_party, "_is_installed", lambda name: name.partition("[")[0] not in distributions and is_installed(name)
    )


@pytest.mark.parametrize(
    ("name", "attribute", "distribution"),
    [
        ("dovetail.layers", "dense", "dovetail-layers"),
        ("dovetail.train", "AdamOptimizer", "dovetail-optim"),
        ("dovetail.train", "exponential_decay", "dovetail-optim"),
        ("dovetail.train", "Saver", "dovetail-io"),
        ("dovetail.train", "StopAtStepHook", "dovetail-train"),
        ("dovetail.data", "Dataset", "dovetail-train"),
    ],
)
def test_an_empty_namespace_says_what_to_install(
    plugins: PluginManager, monkeypatch: pytest.MonkeyPatch, name: str, attribute: str, distribution: str
) -> None:
    without(monkeypatch, *FEEDING_TRAIN, "dovetail-layers")
    with pytest.raises(PluginNotFoundError) as raised:
        getattr(Namespace(name, plugins), attribute)
    told = f"{distribution}, which is not installed, may provide it: pip install {distribution}"
    assert str(raised.value) == f"{name} has no {attribute!r}. {told}"


def test_where_several_feed_a_namespace_all_that_are_missing_are_named(
    plugins: PluginManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    without(monkeypatch, *FEEDING_TRAIN)
    with pytest.raises(PluginNotFoundError) as raised:
        _ = Namespace("dovetail.train", plugins).anything
    assert str(raised.value) == (
        "dovetail.train has no 'anything'. What feeds dovetail.train and is not installed: dovetail-optim, "
        "dovetail-io, dovetail-train. To install: pip install dovetail-optim dovetail-io dovetail-train"
    )


@pytest.mark.parametrize(
    ("group", "name", "distribution", "argument"),
    [
        ("backends", "cuda", "dovetail-backend-cuda", "dovetail-backend-cuda"),
        ("formats", "onnx", "dovetail-io[onnx]", "'dovetail-io[onnx]'"),
    ],
)
def test_an_unknown_plugin_says_what_to_install(
    plugins: PluginManager, monkeypatch: pytest.MonkeyPatch, group: str, name: str, distribution: str, argument: str
) -> None:
    without(monkeypatch, "dovetail-backend-cuda", "dovetail-io")
    with pytest.raises(PluginNotFoundError) as raised:
        plugins.get(group, name)
    assert str(raised.value) == (
        f"There is no {group[:-1]} {name!r}. {distribution}, which is not installed, may provide it: "
        f"pip install {argument}"
    )


def test_a_denied_attribute_says_by_what(install: Install, layers: Namespace, monkeypatch: pytest.MonkeyPatch) -> None:
    install("toy-layers", {"layers": ["plain = toy_layers:Plain"]}, {"toy_layers": "raise SystemExit"})
    monkeypatch.setenv("DOVETAIL_PLUGINS", "-toy-layers")
    assert "plain" not in dir(layers)
    with pytest.raises(PluginNotFoundError) as raised:
        _ = layers.plain
    assert str(raised.value) == (
        "dovetail.layers: 'plain' is provided by toy-layers 1.0, which is denied by DOVETAIL_PLUGINS=-toy-layers."
    )


def test_a_broken_layer_raises_and_the_others_work(install: Install, layers: Namespace) -> None:
    install("toy-broken", {"layers": ["broken = toy_broken:Broken"]}, {"toy_broken": "1 / 0"})
    install("toy-layers", {"layers": ["plain = toy_layers:Plain"]}, {"toy_layers": LAYERS})
    with pytest.raises(PluginError, match=r"^toy-broken 1\.0 .* could not be imported: ZeroDivisionError"):
        _ = layers.broken
    assert "broken" not in dir(layers)
    assert layers.plain() is layers.Plain


def test_a_broken_module_is_named_where_a_name_is_missing(install: Install, nn: Namespace) -> None:
    install("toy-broken", {"namespaces": ["nn = toy_broken_nn"]}, {"toy_broken_nn": "1 / 0"})
    install("toy-unlisted", {"namespaces": ["nn = toy_unlisted_nn"]}, {"toy_unlisted_nn": "toylu = 1"})
    install("toy-nn", {"namespaces": ["nn = toy_nn"]}, {"toy_nn": "__all__ = ['toylu']\ntoylu = 1"})
    assert nn.toylu == 1
    assert "toylu" in dir(nn)
    with pytest.raises(PluginNotFoundError) as raised:
        _ = nn.swoosh
    assert "may come from toy-broken 1.0, which could not be imported: ZeroDivisionError: division by zero. " in str(
        raised.value
    )
    assert "toy-unlisted 1.0, which could not be imported: AttributeError: module 'toy_unlisted_nn' has no" in str(
        raised.value
    )
    assert isinstance(raised.value.__cause__, (ZeroDivisionError, AttributeError))


def test_a_module_that_lists_more_than_it_has(install: Install, nn: Namespace) -> None:
    install("toy", {"namespaces": ["nn = toy_nn"]}, {"toy_nn": "__all__ = ['toylu']"})
    with pytest.raises(PluginError) as raised:
        _ = nn.toylu
    assert str(raised.value) == (
        "toy 1.0: toy_nn names 'toylu' in its __all__, but does not give it: AttributeError: module 'toy_nn' has no "
        "attribute 'toylu'"
    )


def test_core_contributes_first(install: Install, plugins: PluginManager) -> None:
    install("toy", {"namespaces": ["initializers.zeros = toy_never:zeros"]})
    space = Namespace("dovetail.initializers", plugins)
    space.provide("zeros", 1)
    space.provide("zeros", 1)
    assert space.zeros == 1
    assert "zeros" in dir(space)
    with pytest.raises(PluginCollisionError, match=r"^dovetail.initializers: core already contributes 'zeros'.$"):
        space.provide("zeros", 2)


@pytest.mark.usefixtures("toy_layers")
def test_what_is_registered_later_is_seen(layers: Namespace, plugins: PluginManager) -> None:
    assert layers.Plain
    module = ModuleType("toy_module")
    module.__dict__.update(__all__=["extra"], extra=5)
    with plugins.registered("namespaces", "layers", module):
        assert layers.extra == 5
    assert not hasattr(layers, "extra")
    with plugins.registered("layers", "plain", object()), pytest.raises(PluginCollisionError):
        _ = layers.Plain
    assert layers.Plain


@pytest.mark.usefixtures("toy_layers")
def test_the_representation_names_who_feeds_it(layers: Namespace, plugins: PluginManager) -> None:
    assert "toy-layers 1.0" in repr(layers)
    assert repr(layers).startswith("<namespace 'dovetail.layers' fed by ")
    assert repr(Namespace("dovetail.none", plugins)) == "<namespace 'dovetail.none' fed by no installed plugin>"


def test_the_representation_never_raises(layers: Namespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOVETAIL_PLUGINS", "a b")
    assert repr(layers).startswith(
        "<namespace 'dovetail.layers', whose plugins cannot be listed: DOVETAIL_PLUGINS=a b: "
    )


def test_it_says_what_it_is_for(layers: Namespace) -> None:
    assert layers.__doc__ == "Layers, as functions (`dense`) and as classes (`Dense`)."
    assert layers.__spec__ is not None
    assert layers.__spec__.name == "dovetail.layers"
    assert layers.__package__ == "dovetail"
