"""Which distribution to install for a name that nothing installed provides."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["FIRST_PARTY", "KINDS", "advice"]

KINDS = {
    "dovetail.layers": "layer",
    "dovetail.ops": "operation",
    "dovetail.optimizers": "optimizer",
    "dovetail.backends": "backend",
    "dovetail.formats": "format",
    "dovetail.onnx": "ONNX mapping",
    "dovetail.namespaces": "attribute",
    "dovetail.hooks": "set of hooks",
    "dovetail.commands": "command",
}
"""What one entry of a group is called in messages."""

_IO = ("dovetail-io",)
_LAYERS = ("dovetail-layers",)
_OPTIM = ("dovetail-optim",)
_TRAIN = ("dovetail-train",)

FIRST_PARTY: dict[str, tuple[str, ...]] = {
    "dovetail.backends:cpu": ("dovetail-backend-cpu",),
    "dovetail.backends:cuda": ("dovetail-backend-cuda",),
    "dovetail.commands:cache": ("dovetail-backend-cpu",),
    "dovetail.commands:export": ("dovetail-io[onnx]",),
    "dovetail.commands:diff": _IO,
    "dovetail.commands:inspect": _IO,
    "dovetail.commands:verify": _IO,
    "dovetail.constraints": _LAYERS,
    "dovetail.data": _TRAIN,
    "dovetail.estimator": _TRAIN,
    "dovetail.feature_column": _TRAIN,
    "dovetail.formats": _IO,
    "dovetail.formats:onnx": ("dovetail-io[onnx]",),
    "dovetail.image": _LAYERS,
    "dovetail.io": _IO,
    "dovetail.layers": _LAYERS,
    "dovetail.losses": _LAYERS,
    "dovetail.metrics": _LAYERS,
    "dovetail.nn": _LAYERS,
    "dovetail.onnx": ("dovetail-io[onnx]",),
    "dovetail.optimizers": _OPTIM,
    "dovetail.saved_model": _IO,
    "dovetail.sklearn": ("dovetail-train[sklearn]",),
    "dovetail.summary": _TRAIN,
    "dovetail.train": (*_OPTIM, *_IO, *_TRAIN),
    **dict.fromkeys(
        [
            "dovetail.train:" + name
            for name in (
                "NewCheckpointReader",
                "Saver",
                "Stateful",
                "checkpoint_exists",
                "export_meta_graph",
                "get_checkpoint_mtimes",
                "get_checkpoint_state",
                "import_meta_graph",
                "latest_checkpoint",
                "list_variables",
                "load_checkpoint",
                "load_variable",
                "remove_checkpoint",
                "update_checkpoint_state",
                "write_graph",
            )
        ],
        _IO,
    ),
    **dict.fromkeys(
        [
            "dovetail.train:" + name
            for name in (
                "CheckpointSaverListener",
                "ChiefSessionCreator",
                "Coordinator",
                "LooperThread",
                "MonitoredSession",
                "MonitoredTrainingSession",
                "NanLossDuringTrainingError",
                "Scaffold",
                "SecondOrStepTimer",
                "SessionCreator",
                "SessionRunArgs",
                "SessionRunContext",
                "SessionRunValues",
                "SingularMonitoredSession",
            )
        ],
        _TRAIN,
    ),
}
"""First-party distributions by group or namespace, or by ``group:name`` where names of one namespace differ."""

_TRAIN_ENDINGS = {"Optimizer": _OPTIM, "Average": _OPTIM, "_decay": _OPTIM, "_restarts": _OPTIM, "Hook": _TRAIN}


def advice(where: str, name: str, known: Iterable[str]) -> str:
    """Say what to do about a ``name`` that nothing provides: what to install, or which known name is nearest.

    Args:
        where: A group, such as ``dovetail.backends``, or a namespace, such as ``dovetail.train``.
        name: What was asked for.
        known: The names that are there.
    """
    known = sorted(known)
    missing = [item for item in _givers(where, name) if not _is_installed(item)]
    sentences = []
    near = _nearest(name, known)
    if near:
        sentences.append(f"Did you mean {' or '.join(map(repr, near))}?")
    if missing:
        sentences.append(_to_install(where, missing))
    elif known and not near:
        sentences.append(f"There {'is' if len(known) == 1 else 'are'} {_listed(known)}.")
    if not known and not missing:
        sentences.append("No installed plugin provides any.")
    return " ".join(sentences)


def _givers(where: str, name: str) -> tuple[str, ...]:
    if where == "dovetail.train":
        for ending, distributions in _TRAIN_ENDINGS.items():
            if name.endswith(ending):
                return distributions
    return FIRST_PARTY.get(f"{where}:{name}", FIRST_PARTY.get(where, ()))


def _is_installed(distribution: str) -> bool:
    import importlib.metadata

    try:
        importlib.metadata.distribution(distribution.partition("[")[0])
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _nearest(name: str, known: list[str]) -> list[str]:
    import difflib

    by_folded = {item.lower(): item for item in known}
    return [by_folded[match] for match in difflib.get_close_matches(name.lower(), by_folded, n=2, cutoff=0.7)]


def _to_install(where: str, missing: list[str]) -> str:
    command = " ".join(f"'{item}'" if "[" in item else item for item in missing)
    if len(missing) == 1:
        return f"{missing[0]}, which is not installed, may provide it: pip install {command}"
    return f"What feeds {where} and is not installed: {', '.join(missing)}. To install: pip install {command}"


def _listed(known: list[str], limit: int = 12) -> str:
    shown = ", ".join(map(repr, known[:limit]))
    return f"{shown} and {len(known) - limit} more" if len(known) > limit else shown
