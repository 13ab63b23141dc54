"""Hooks: each of them reaches those who listen, costs nothing where nobody does, and has its place in the manual."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

import dovetail as dt
from dovetail import plugins as public
from dovetail.errors import PluginError
from dovetail.plugins import HOOKS, Hooks, PluginManager, hookimpl, hookspecs

Install = Any

MANUAL = Path(__file__).parents[2] / "docs" / "plugins.md"

ARGUMENTS: dict[str, dict[str, Any]] = {
    "plan_compiled": {"session": "s", "program": "p"},
    "step_run": {"session": "s", "fetches": ["loss"], "seconds": 0.5},
    "checkpoint_saved": {"path": "model-7", "step": 7},
    "format_chosen": {"path": "model.onnx", "format": "onnx"},
}


class Listener:
    """Listens to everything."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []

    @hookimpl
    def plan_compiled(self, session: Any, program: Any) -> None:
        self.heard.append(("plan_compiled", {"session": session, "program": program}))

    @hookimpl
    def step_run(self, session: Any, fetches: Any, seconds: float) -> None:
        self.heard.append(("step_run", {"session": session, "fetches": fetches, "seconds": seconds}))

    @hookimpl
    def checkpoint_saved(self, path: str, step: int | None) -> None:
        self.heard.append(("checkpoint_saved", {"path": path, "step": step}))

    @hookimpl
    def format_chosen(self, path: str, format: str) -> None:
        self.heard.append(("format_chosen", {"path": path, "format": format}))


@pytest.fixture
def hooks(plugins: PluginManager) -> Hooks:
    return Hooks(plugins)


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_reaches_who_listens(hooks: Hooks, name: str) -> None:
    listener = Listener()
    hooks.register(listener)
    assert hooks.active(name)
    getattr(hooks, name)(**ARGUMENTS[name])
    assert listener.heard == [(name, ARGUMENTS[name])]
    hooks.unregister(listener)
    assert not hooks.active(name)
    getattr(hooks, name)(**ARGUMENTS[name])
    assert len(listener.heard) == 1


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_has_a_contract_and_a_caller(name: str) -> None:
    specification = getattr(hookspecs, name)
    assert specification.__doc__
    assert list(inspect.signature(specification).parameters) == list(ARGUMENTS[name])
    assert list(inspect.signature(getattr(Hooks, name)).parameters)[1:] == list(ARGUMENTS[name])
    assert all(f"{argument}:" in specification.__doc__ for argument in ARGUMENTS[name])


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_is_in_the_manual(name: str) -> None:
    arguments = ", ".join(ARGUMENTS[name])
    assert f"`{name}({arguments})`" in MANUAL.read_text()


def test_all_hooks_are_listed() -> None:
    marked = {name for name, item in vars(hookspecs).items() if hasattr(item, "dovetail_spec")}
    assert marked == set(HOOKS) == set(ARGUMENTS)


def test_nobody_listens_at_first(hooks: Hooks) -> None:
    assert not any(hooks.active(name) for name in HOOKS)
    assert not hooks.step_run_active


def test_a_listener_takes_only_what_it_names(hooks: Hooks) -> None:
    class OnlySeconds:
        total = 0.0

        @hookimpl
        def step_run(self, seconds: float) -> None:
            self.total += seconds

    listener = OnlySeconds()
    hooks.register(listener)
    hooks.step_run("s", [], 0.25)
    hooks.step_run("s", [], 0.5)
    assert listener.total == 0.75
    assert not hooks.plan_compiled_active


def test_the_last_registered_hears_first(hooks: Hooks) -> None:
    order: list[str] = []

    class Named:
        def __init__(self, name: str) -> None:
            self.name = name

        @hookimpl
        def step_run(self) -> None:
            order.append(self.name)

    for name in ("one", "two"):
        hooks.register(Named(name))
    hooks.step_run(None, None, 0.0)
    assert order == ["two", "one"]


def test_what_a_listener_of_the_process_raises_is_raised(hooks: Hooks) -> None:
    class Failing:
        @hookimpl
        def step_run(self) -> None:
            raise ZeroDivisionError("mine")

    hooks.register(Failing())
    with pytest.raises(ZeroDivisionError, match="mine"):
        hooks.step_run(None, None, 0.0)
    assert hooks.step_run_active


class Misspelt:
    @hookimpl
    def step_ran(self) -> None:
        """Listen to nothing."""


class TooMuch:
    @hookimpl
    def step_run(self, session: Any, loss: float) -> None:
        """Want what is not given."""


class Unmarked:
    def step_run(self) -> None:
        """Listen to nothing."""


class Wrapper:
    @hookimpl(wrapper=True)
    def step_run(self) -> Any:
        return (yield)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (
            Misspelt,
            r"^Misspelt does not fit the hooks: unknown hook 'step_ran' in plugin .*\. There are plan_compiled, ",
        ),
        (TooMuch, r"^TooMuch does not fit the hooks: (.|\n)*loss(.|\n)* There are plan_compiled, step_run, "),
        (Unmarked, r"^Unmarked has no function marked with dovetail.plugins.hookimpl.$"),
        (Wrapper, r"^Wrapper: a hook observes; it cannot be a wrapper.$"),
    ],
)
def test_what_does_not_fit_is_refused(hooks: Hooks, kind: type, told: str) -> None:
    with pytest.raises(PluginError, match=told):
        hooks.register(kind())
    assert not hooks.step_run_active


def test_registered_once_and_taken_back_once(hooks: Hooks) -> None:
    listener = Listener()
    hooks.register(listener)
    with pytest.raises(PluginError, match=r"^The hooks of Listener are registered already.$"):
        hooks.register(listener)
    assert hooks.step_run_active
    hooks.unregister(listener)
    with pytest.raises(PluginError, match=r"^The hooks of Listener are not registered.$"):
        hooks.unregister(listener)


HEARING = """
from dovetail.plugins import hookimpl
heard = []
@hookimpl
def step_run(seconds):
    heard.append(seconds)
"""


def test_installed_hooks_are_loaded_once(install: Install, hooks: Hooks) -> None:
    install("toy-hooks", {"hooks": ["count = toy_hooks"]}, {"toy_hooks": HEARING})
    assert not hooks.step_run_active
    hooks.load()
    hooks.load()
    hooks.step_run(None, None, 0.5)
    import toy_hooks  # type: ignore[import-not-found]

    assert toy_hooks.heard == [0.5]


def test_denied_hooks_are_not_loaded(install: Install, hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    install("toy-hooks", {"hooks": ["count = toy_hooks"]}, {"toy_hooks": "raise SystemExit"})
    monkeypatch.setenv("DOVETAIL_PLUGINS", "-toy-hooks")
    hooks.load()
    assert not hooks.step_run_active


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("1 / 0", "could not be imported: ZeroDivisionError: division by zero"),
        (HEARING.replace("step_run", "step_ran"), "does not fit the hooks: unknown hook 'step_ran'"),
    ],
)
def test_installed_hooks_that_fail_are_left_out(
    install: Install, hooks: Hooks, plugins: PluginManager, source: str, told: str
) -> None:
    install("toy-broken", {"hooks": ["count = toy_broken"]}, {"toy_broken": source})
    install("toy-hooks", {"hooks": ["count = toy_hooks"]}, {"toy_hooks": HEARING})
    with pytest.warns(RuntimeWarning, match=r"^The hooks of toy-broken 1.0 are left out. ") as warned:
        hooks.load()
    assert told in str(warned[0].message)
    assert hooks.step_run_active
    (provider,) = [item for item in plugins.providers("hooks") if item.distribution.name == "toy-broken"]
    assert plugins.failure(provider) is not None


def test_an_installed_hook_that_raises_is_called_no_more(install: Install, hooks: Hooks) -> None:
    source = HEARING + "    1 / 0\n"
    site = install("toy-raising", {"hooks": ["count = toy_raising"]}, {"toy_raising": source})
    listener = Listener()
    hooks.load()
    hooks.register(listener)
    told = (
        "The hook step_run of toy-raising 1.0 failed, and its hooks are called no more: ZeroDivisionError: division by "
        f"zero ({site / 'toy_raising.py'}:7)"
    )
    with pytest.warns(RuntimeWarning, match=f"^{re.escape(told)}$") as warned:
        hooks.step_run(None, None, 0.5)
    assert warned[0].filename == __file__
    hooks.step_run(None, None, 0.5)
    assert len(listener.heard) == 2


def test_the_public_functions_serve_the_hooks_of_the_process() -> None:
    listener = Listener()
    public.register_hooks(listener)
    try:
        public.hook.checkpoint_saved("model-1", 1)
    finally:
        public.unregister_hooks(listener)
    assert [name for name, _ in listener.heard] == ["checkpoint_saved"]


def test_a_session_tells_what_it_compiles_and_runs() -> None:
    listener = Listener()
    public.register_hooks(listener)
    try:
        with dt.Session() as session:
            y = dt.constant(1.0) + 1.0
            session.run(y)
            session.run([y])
    finally:
        public.unregister_hooks(listener)
    names = [name for name, _ in listener.heard]
    assert names.count("step_run") == 2
    assert 1 <= names.count("plan_compiled") <= 2
    assert names.index("plan_compiled") < names.index("step_run")
    steps = [heard for name, heard in listener.heard if name == "step_run"]
    assert [step["fetches"] for step in steps] == [y, [y]]
    assert all(step["session"] is session and step["seconds"] > 0 for step in steps)
    (program, *_) = [heard["program"] for name, heard in listener.heard if name == "plan_compiled"]
    assert str(program)
