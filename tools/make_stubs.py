"""Write the stubs of core's namespaces: what type checkers and editors see of ``dt.layers`` and its like.

At run time a namespace finds its attributes through entry points. For the first-party plugins, which are installed
beside core in a development environment, this writes the same as ``packages/core/src/dovetail/<namespace>.pyi``::

    python tools/make_stubs.py            # write
    python tools/make_stubs.py --check    # say what is out of date, with exit status 1

A layer's function is written with the signature and the annotations of its class.
"""

from __future__ import annotations

import argparse
import ast
import builtins
import inspect
import subprocess
import sys
from collections.abc import Container
from pathlib import Path
from types import ModuleType
from typing import Any

import dovetail
from dovetail.plugins import Namespace, PluginManager, Provider, manager
from dovetail.plugins.namespaces import NAMES

STUBS = Path(__file__).parents[1] / "packages" / "core" / "src" / "dovetail"
FIRST_PARTY = frozenset({"dovetail-core", "dovetail-layers", "dovetail-optim", "dovetail-io", "dovetail-train"})
HEADER = "# {doc}\n# Written by tools/make_stubs.py from the entry points of the first-party plugins.\n"
OTHERS = "def __getattr__(name: str) -> _Any: ...  # what other plugins provide"


class Stub:
    """One stub: its imports, and the lines below them."""

    def __init__(self) -> None:
        self.imports: set[str] = set()
        self.lines: list[str] = []
        self.names: set[str] = set()

    def hand_on(self, module: str, attribute: str, name: str) -> None:
        """Give ``attribute`` of ``module`` under ``name``."""
        self.names.add(name)
        self.imports.add(f"from {module} import {attribute} as {attribute}")
        if name != attribute:
            self.lines.append(f"{name} = {attribute}")

    def layer(self, name: str, cls: type) -> None:
        """Declare the function form of a layer's class."""
        self.names.add(name)
        signature = inspect.signature(cls.function())  # type: ignore[attr-defined]
        scopes = [_bindings(sys.modules[base.__module__]) for base in cls.__mro__[:-1]]
        parameters: list[str] = []
        seen_star = False
        for parameter in signature.parameters.values():
            if parameter.kind is parameter.VAR_POSITIONAL:
                seen_star = True
            elif parameter.kind is parameter.KEYWORD_ONLY and not seen_star:
                parameters.append("*")
                seen_star = True
            parameters.append(self._parameter(parameter, scopes))
        returned = self._annotation(inspect.signature(cls.call).return_annotation, scopes)  # type: ignore[attr-defined]
        self.lines.append(f"def {name}({', '.join(parameters)}) -> {returned}: ...")

    def _parameter(self, parameter: inspect.Parameter, scopes: list[dict[str, str]]) -> str:
        stars = "*" if parameter.kind is parameter.VAR_POSITIONAL else ""
        stars = "**" if parameter.kind is parameter.VAR_KEYWORD else stars
        text = f"{stars}{parameter.name}: {self._annotation(parameter.annotation, scopes)}"
        if parameter.default is parameter.empty:
            return text
        simple = parameter.default is None or isinstance(parameter.default, bool | int | float | str)
        return f"{text} = {parameter.default!r}" if simple else f"{text} = ..."

    def _annotation(self, annotation: Any, scopes: list[dict[str, str]]) -> str:
        if annotation is inspect.Signature.empty:
            return "_Any"
        text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
        tree = ast.parse(text, mode="eval")
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and not hasattr(builtins, node.id):
                self.imports.add(_private(_import_of(node.id, scopes)))
                node.id = f"_{node.id}"
        return ast.unparse(tree)

    def text(self, doc: str) -> str:
        """Give the whole file, formatted as the repository's code is."""
        given = {line.partition(" = ")[0] for line in self.lines}
        hidden = {one for one in map(_renamed_in, self.imports) if one in given}  # as `diag`, where that is another's
        shown = [_private(one) if _renamed_in(one) in hidden else one for one in self.imports]
        imports = sorted({*shown, "from typing import Any as _Any"})
        lines = [*sorted(_of_hidden(line, hidden) for line in self.lines), "", OTHERS]
        plain = "\n".join([HEADER.format(doc=doc), *imports, "", *lines, ""])
        file = ["--stdin-filename", str(STUBS / "stub.pyi"), "-"]
        ruff = [sys.executable, "-m", "ruff"]
        ordered = subprocess.run(
            [*ruff, "check", "--quiet", "--select", "I", "--fix", *file], input=plain, capture_output=True, text=True
        )
        return subprocess.run(
            [*ruff, "format", "--quiet", *file], input=ordered.stdout, capture_output=True, text=True, check=True
        ).stdout


def _bindings(module: ModuleType) -> dict[str, str]:
    """Give, for each name that ``module`` binds at its top, the import that gives it; also those for type checkers."""
    found: dict[str, str] = {}
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                bound = alias.asname or alias.name
                renamed = f" as {alias.asname}" if alias.asname else ""
                found.setdefault(bound, f"from {node.module} import {alias.name}{renamed}")
        elif isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                statement = f"import {alias.name} as {alias.asname}" if alias.asname else f"import {top}"
                found.setdefault(alias.asname or top, statement)
    for name in vars(module):
        found.setdefault(name, f"from {module.__name__} import {name}")
    return found


def _import_of(name: str, scopes: list[dict[str, str]]) -> str:
    for scope in scopes:
        if name in scope:
            return scope[name]
    raise LookupError(f"no module of the class and its bases binds {name!r}, which an annotation uses")


def _private(statement: str) -> str:
    """Let an import bind its name with an underscore before it, so that it is no attribute of the namespace."""
    imported, _, renamed = statement.partition(" as ")
    return f"{imported} as _{renamed or imported.rpartition(' ')[2]}"


def _renamed_in(statement: str) -> str:
    return statement.rpartition(" as ")[2]


def _of_hidden(line: str, hidden: Container[str]) -> str:
    name, _, attribute = line.partition(" = ")
    return f"{name} = _{attribute}" if attribute in hidden else line


def make(space: Namespace, plugins: PluginManager, distributions: Container[str] = FIRST_PARTY) -> Stub:
    """Make the stub of a namespace from what core and some distributions give it."""
    stub = Stub()
    for name in sorted(space.contributed()):
        target = getattr(space, name)
        stub.hand_on(target.__module__, getattr(target, "__qualname__", name), name)
    for name, owners in sorted(space.offered().items()):
        ours = [owner for owner in owners if owner.distribution.key in distributions]
        if ours and name not in stub.names:
            _add(stub, name, ours[0], plugins)
    return stub


def _add(stub: Stub, name: str, provider: Provider, plugins: PluginManager) -> None:
    if provider.group == "dovetail.layers" and name == provider.name:
        stub.layer(name, plugins.load(provider))
    elif provider.group == "dovetail.namespaces" and "." not in provider.name:
        stub.hand_on(provider.module, name, name)
    elif provider.attribute:
        stub.hand_on(provider.module, provider.attribute, name)
    else:  # a module as one attribute
        package, _, module = provider.module.rpartition(".")
        stub.hand_on(package, module, name)


def make_all() -> dict[Path, str]:
    """Give the text of every stub by its file; namespaces that nothing feeds have a stub too."""
    return {
        STUBS / f"{short}.pyi": make(getattr(dovetail, short), manager).text(doc)
        for short, doc in sorted(NAMES.items())
    }


def main() -> int:
    """Write the stubs, or check them."""
    parser = argparse.ArgumentParser(description="Write the stubs of core's namespaces.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a stub is out of date")
    check = parser.parse_args().check
    stale = {path: text for path, text in make_all().items() if not path.is_file() or path.read_text() != text}
    for path, text in stale.items():
        print(f"{path.name} is out of date" if check else f"wrote {path}")
        if not check:
            path.write_text(text)
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
