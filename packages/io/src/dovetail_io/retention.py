"""The file ``checkpoint`` in a folder: which checkpoints there are, which is the newest, and which to drop when.

It outlives the process: a new ``Saver`` that writes under the same name goes on where the last one stopped. Savers that
write under different names in one folder, such as ``model`` and ``best``, each keep their own. Where the file is
missing or damaged, the manifests in the folder tell what there is, and nothing that it listed is dropped.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, final

from dovetail.errors import DovetailError, FormatError, InvalidArgumentError, NotFoundError, StorageError
from dovetail_io.checkpoint import Checkpoint, PathLike, as_prefix, whole_checkpoints
from dovetail_io.files import flush_folder, locked, remove, replace_file
from dovetail_io.sealed import LISTING, is_plain_name, moment, read_sealed, seal

__all__ = [
    "DEFAULT_NAME",
    "CheckpointState",
    "Group",
    "Retention",
    "get_checkpoint_state",
    "latest_checkpoint",
    "update_checkpoint_state",
]

DEFAULT_NAME: Final = "checkpoint"
_STEP: Final = re.compile(r"-[0-9]+$")


@final
class Group:
    """The checkpoints of one saver in a folder, the oldest first: their names, and when they were saved.

    Attributes:
        identity: what a saver knows it by.
        checkpoints: those that are dropped in time.
        next_kept: the next one dropped that was saved after this moment is kept for ever.
    """

    __slots__ = ("checkpoints", "identity", "next_kept")

    def __init__(self, identity: str, checkpoints: Mapping[str, float], next_kept: float | None) -> None:
        """Begin a group."""
        self.identity = identity
        self.checkpoints = dict(checkpoints)
        self.next_kept = next_kept

    def add(self, name: str, saved: float) -> None:
        """Take in a checkpoint as the newest."""
        self.checkpoints.pop(name, None)
        self.checkpoints[name] = saved

    def surplus(self, most: int, hours: float) -> list[str]:
        """Return the names to drop so that ``most`` remain, without those to keep for ever, which leave the group."""
        if self.next_kept is None:
            self.next_kept = next(iter(self.checkpoints.values())) + hours * 3600.0
        drop: list[str] = []
        for name, saved in list(self.checkpoints.items())[: max(len(self.checkpoints) - most, 0)]:
            if saved > self.next_kept:
                self.next_kept += hours * 3600.0
                del self.checkpoints[name]
            else:
                drop.append(name)
        return drop


@final
class Retention:
    """What the file ``checkpoint`` of a folder holds.

    Args:
        folder: the folder.
        name: the file's name.
    """

    def __init__(self, folder: Path, name: str | None = None) -> None:
        if name is not None and not is_plain_name(name):
            raise InvalidArgumentError(f"latest_filename is {name!r}; give the name of a file, without folders.")
        self._path = folder / (name or DEFAULT_NAME)
        self.folder = folder
        self.latest: str | None = None
        self.groups: list[Group] = []

    def read(self) -> bool:
        """Read the file; says whether it was there.

        Raises:
            FormatError: it is damaged; this object then holds nothing.
            StorageError: it cannot be read.
        """
        try:
            data = read_sealed(self._path, LISTING)
        except NotFoundError:
            return False
        try:
            latest = data["latest"]
            groups = [
                Group(
                    str(one["identity"]),
                    {_plain(item["name"]): moment(item["saved"]) for item in one["checkpoints"]},
                    None if one["next_kept"] is None else float(one["next_kept"]),
                )
                for one in data["groups"]
            ]
            self.latest, self.groups = None if latest is None else _plain(latest), groups
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise FormatError(
                f'"{self._path}" is damaged: {error!r}. Delete it; the checkpoints are found without it.'
            ) from error
        return True

    def write(self) -> None:
        """Write the file.

        Raises:
            StorageError: the file system refuses; the file is as it was.
        """
        fields = {
            "latest": self.latest,
            "groups": [
                {
                    "identity": group.identity,
                    "next_kept": group.next_kept,
                    "checkpoints": [{"name": name, "saved": saved} for name, saved in group.checkpoints.items()],
                }
                for group in self.groups
            ],
        }
        replace_file(self._path, [seal(LISTING, fields, {"groups": 3})])

    def group_for(self, name: str, identity: str | None) -> Group:
        """Return the group of ``identity``, else the one that has checkpoints named as ``name``, else a new one."""
        for group in self.groups:
            if group.identity == identity:
                return group
        base = _STEP.sub("", name)
        for group in self.groups if identity is None else ():
            if any(_STEP.sub("", one) == base for one in group.checkpoints):
                return group
        self.groups.append(Group(identity or secrets.token_hex(4), {}, None))
        return self.groups[-1]

    def drop(self, group: Group, names: Iterable[str]) -> None:
        """Delete checkpoints; one that cannot be deleted stays in the group, to be tried again."""
        for name in names:
            try:
                paths = Checkpoint(self.folder / name).paths()[
                    ::-1
                ]  # the manifest last: it tells what is to be deleted
            except NotFoundError:
                paths = []
            except DovetailError:
                endings = (".safetensors", ".meta", ".meta.safetensors", ".json")
                paths = [self.folder / f"{name}{ending}" for ending in endings]
            if remove(paths):
                group.checkpoints.pop(name, None)
        try:
            flush_folder(self.folder)
        except OSError as error:
            raise StorageError(
                f'old checkpoints in "{self.folder}" could not be deleted: {error.strerror or error}.'
            ) from error


def _plain(name: Any) -> str:
    if not isinstance(name, str) or not is_plain_name(name):
        raise ValueError(f"{name!r} is no name of a checkpoint in this folder")
    return name


@final
class CheckpointState:
    """What is known of the checkpoints of a folder, under the names of TensorFlow 1.

    Attributes:
        model_checkpoint_path: the newest whole one.
        all_model_checkpoint_paths: those that savers still keep track of, the oldest first.
        all_model_checkpoint_timestamps: when each was saved, as seconds since 1970.
    """

    __slots__ = ("all_model_checkpoint_paths", "all_model_checkpoint_timestamps", "model_checkpoint_path")

    def __init__(self, latest: str, paths: Sequence[str], times: Sequence[float]) -> None:
        """Record the state."""
        self.model_checkpoint_path = latest
        self.all_model_checkpoint_paths = list(paths)
        self.all_model_checkpoint_timestamps = list(times)

    def __repr__(self) -> str:
        """Show the newest."""
        return f"<CheckpointState {self.model_checkpoint_path!r}, {len(self.all_model_checkpoint_paths)} checkpoints>"


def _listed(retention: Retention) -> dict[str, float]:
    """Return the checkpoints that the file lists, the oldest first; nothing where it is damaged."""
    try:
        retention.read()
    except FormatError:
        return {}
    merged: dict[str, float] = {}
    for group in retention.groups:
        merged |= group.checkpoints
    return dict(sorted(merged.items(), key=lambda item: item[1]))


def _is_whole(folder: Path, name: str) -> bool:
    try:
        return Checkpoint(folder / name).is_whole()
    except DovetailError:
        return False


def _folder(path: Any, what: str) -> Path:
    if not isinstance(path, (str, os.PathLike)):
        raise InvalidArgumentError(f"{what}: the folder is {path!r}; give a string or a Path.")
    return Path(path)


def latest_checkpoint(checkpoint_dir: PathLike, latest_filename: str | None = None) -> str | None:
    """Return the path of the newest checkpoint in a folder whose files are all there with the right sizes.

    Args:
        checkpoint_dir: the folder.
        latest_filename: name of the file that lists them, ``"checkpoint"`` by default.

    Returns:
        What ``Saver.restore`` takes, or ``None`` where there is none.

    Raises:
        StorageError: the folder cannot be read.

    Example:
        >>> v = dt.Variable(1.0, name="v")
        >>> with dt.Session() as session:
        ...     session.run(v.initializer)
        ...     path = dt.train.Saver().save(session, "checkpoints/model", global_step=3)
        >>> dt.train.latest_checkpoint("checkpoints")
        'checkpoints/model-3'
    """
    folder = _folder(checkpoint_dir, "latest_checkpoint")
    retention = Retention(folder, latest_filename)
    listed = list(_listed(retention))
    candidates = [retention.latest, *reversed(listed)] if retention.latest else list(reversed(listed))
    for name in candidates:
        if _is_whole(folder, name):
            return str(folder / name)
    whole = whole_checkpoints(folder)
    return str(whole[0].prefix) if whole else None


def get_checkpoint_state(checkpoint_dir: PathLike, latest_filename: str | None = None) -> CheckpointState | None:
    """Return what is known of the checkpoints of a folder, or ``None`` where there is none."""
    latest = latest_checkpoint(checkpoint_dir, latest_filename)
    if latest is None:
        return None
    folder = _folder(checkpoint_dir, "get_checkpoint_state")
    known = {
        name: saved for name, saved in _listed(Retention(folder, latest_filename)).items() if _is_whole(folder, name)
    }
    if not known:
        known = {one.prefix.name: one.saved for one in reversed(whole_checkpoints(folder))}
    paths = [str(folder / name) for name in known]
    return CheckpointState(latest, paths, list(known.values()))


def update_checkpoint_state(
    save_dir: PathLike,
    model_checkpoint_path: PathLike,
    all_model_checkpoint_paths: Collection[PathLike] | None = None,
    latest_filename: str | None = None,
) -> None:
    """Say which checkpoint of a folder is the newest, and which are to be kept track of.

    Args:
        save_dir: the folder.
        model_checkpoint_path: the newest.
        all_model_checkpoint_paths: all, the oldest first.
        latest_filename: name of the file that lists them, ``"checkpoint"`` by default.

    Raises:
        NotFoundError: there is no such checkpoint in the folder.
        StorageError: the file system refuses.
    """
    folder = _folder(save_dir, "update_checkpoint_state")
    retention = Retention(folder, latest_filename)
    names = [_name_in(folder, path) for path in (*(all_model_checkpoint_paths or ()), model_checkpoint_path)]
    with locked(folder):
        retention.latest = names[-1]
        group = retention.group_for(names[-1], None)
        for name in names:
            group.add(name, Checkpoint(folder / name).saved)
        retention.write()


def _name_in(folder: Path, path: PathLike) -> str:
    prefix = as_prefix(path, "update_checkpoint_state")
    if prefix.parent.resolve() != folder.resolve() and prefix.parent != Path():
        raise InvalidArgumentError(f'update_checkpoint_state: the checkpoint "{prefix}" does not lie in "{folder}".')
    return prefix.name
