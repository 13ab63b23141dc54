"""Files that appear whole or not at all, also when the process is killed or the disk is full.

A set of files is written under temporary names, each flushed to the disk; then a sealed file that vouches for the
others is renamed to its place. Before that moment the old set counts, after it the new one (see ``sealed``). Writers of
one folder take turns; the first thing that a writer does is to finish or clear away what a killed one left.
"""

from __future__ import annotations

import os
import re
import secrets
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, final

from dovetail.errors import DovetailError, StorageError
from dovetail_io.hashing import CHUNK, Buffer, RunningHash, chunks
from dovetail_io.sealed import (
    CHECKPOINT,
    GRAPH,
    FileRecord,
    open_regular,
    read_bytes,
    records_from_data,
    temporary_name,
    unseal,
)

__all__ = ["FileSet", "file_hash", "flush_folder", "locked", "remove", "replace_file"]

_TEMPORARY: Final = re.compile(r"\.(.+)\.([0-9a-f]{16})\.partial")
_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)  # which Windows has and needs


def write_file(path: Path, content: Iterable[Buffer]) -> tuple[int, str]:
    """Write a new file and flush it to the disk; returns its size and SHA-256.

    Args:
        path: the file.
        content: its bytes, each buffer of them wanted when those before are written.

    Raises:
        StorageError: the file system refuses; nothing is left.
    """
    size = 0
    with RunningHash() as digest:
        try:
            descriptor = os.open(path, _FLAGS, 0o666)
            try:
                for part in (part for buffer in content for part in chunks(buffer)):
                    digest.update(part)
                    size += len(part)
                    while part:
                        part = part[os.write(descriptor, part) :]
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            with suppress(OSError):
                path.unlink()
            raise _refused(path.parent, error) from error
        return size, digest.hexdigest()


def _refused(folder: Path, error: OSError) -> StorageError:
    reason = error.strerror or str(error)
    return StorageError(f'nothing could be saved in "{folder}": {reason}. What was saved there before is as it was.')


def flush_folder(folder: Path) -> None:
    """Make sure that renamings in a folder have reached the disk."""
    if sys.platform == "win32":
        return  # folders cannot be opened there; renamings are journalled
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(path: Path, content: Iterable[Buffer]) -> None:
    """Put a single file in place of an older one.

    Raises:
        StorageError: the file system refuses; the older one is as it was.
    """
    temporary = path.with_name(temporary_name(path.name, secrets.token_hex(8)))
    write_file(temporary, content)
    try:
        temporary.replace(path)
        flush_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise _refused(path.parent, error) from error


def remove(paths: Iterable[Path]) -> bool:
    """Remove files, in order, up to the first that the file system does not let go; says whether all are gone."""
    for path in paths:
        try:
            path.unlink()
        except FileNotFoundError:
            continue
        except OSError:
            return False
    return True


@final
class FileSet:
    """Files of one folder that replace their predecessors together; a context manager.

    Call ``add`` for each file, then ``commit`` with the sealed file that names them. Leaving the context without
    ``commit`` clears all away.

    Args:
        folder: where they lie.

    Attributes:
        folder: where they lie.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._token = secrets.token_hex(8)
        self._waiting: dict[Path, Path] = {}
        self._committed = False

    def add(self, stem: str, ending: str, content: Iterable[Buffer], *, pending: str | None = None) -> FileRecord:
        """Write a file under its temporary name.

        Args:
            stem: what its name begins with.
            ending: what is put after the stem.
            content: its bytes.
            pending: part of the temporary name; drawn anew for each set unless given.

        Raises:
            StorageError: the file system refuses.
        """
        token = pending or self._token
        path = self.folder / (stem + ending)
        temporary = path.with_name(temporary_name(path.name, token))
        with suppress(OSError):
            temporary.unlink()
        self._waiting[temporary] = path
        size, sha256 = write_file(temporary, content)
        return FileRecord(ending, size, sha256, token)

    def commit(self, name: str, content: bytes) -> None:
        """Write the sealed file ``name`` and put all files in place.

        Raises:
            StorageError: the file system refuses.
        """
        path = self.folder / name
        temporary = path.with_name(temporary_name(name, self._token))
        try:
            write_file(temporary, [content])
            try:
                flush_folder(self.folder)  # the names of the files are on the disk before something refers to them
                temporary.replace(path)
            except OSError:
                with suppress(OSError):
                    temporary.unlink()
                raise
            self._committed = True
            flush_folder(self.folder)  # the new set counts before files of the old one are replaced
            for written, final in self._waiting.items():
                written.replace(final)
            flush_folder(self.folder)
        except StorageError:
            raise
        except OSError as error:
            if not self._committed:
                raise _refused(self.folder, error) from error
            raise StorageError(
                f'"{path}" is saved, but may not outlast a crash of the machine: {error.strerror or error}. Save again.'
            ) from error

    def __enter__(self) -> FileSet:
        return self

    def __exit__(self, *failure: object) -> None:
        if not self._committed:
            remove(self._waiting)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Within: no other process or thread writes sets of files in ``folder``, which is made if it is not there.

    On entry, what a killed writer left is finished if it had been committed, else cleared away.

    Raises:
        StorageError: the file system refuses.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _refused(folder, error) from error
    with _folder_lock(folder) as alone:
        if alone:
            try:
                _settle(folder)
            except OSError as error:
                if isinstance(error, StorageError):
                    raise
                raise _refused(folder, error) from error
        yield


if sys.platform == "win32":

    @contextmanager
    def _folder_lock(folder: Path) -> Iterator[bool]:
        import msvcrt

        descriptor = os.open(folder / ".writing.lock", os.O_RDWR | os.O_CREAT)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
            yield True
        finally:
            os.close(descriptor)

else:

    @contextmanager
    def _folder_lock(folder: Path) -> Iterator[bool]:
        """Lock the folder itself; the lock ends with the process, however that ends. Gives whether there are locks."""
        import fcntl

        try:
            descriptor = os.open(folder, os.O_RDONLY)
        except OSError as error:
            raise _refused(folder, error) from error
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                alone = True
            except OSError:
                alone = False
            yield alone
        finally:
            with suppress(OSError):
                os.close(descriptor)


def _settle(folder: Path) -> None:
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if not entry.is_dir(follow_symlinks=False)]
    left = {match[0]: match[1] for name in names if (match := _TEMPORARY.fullmatch(name))}
    if not left:
        return
    owners = {name for name in names if name.endswith(".json") and not name.startswith(".")}
    owners |= {final.removesuffix(".safetensors") for final in left.values()} & set(names)
    promised: dict[str, FileRecord] = {}
    for owner in sorted(owners):
        for record, path in _files_of(folder / owner):
            promised[temporary_name(path.name, record.pending)] = record
    for name, final_name in left.items():
        if name in promised and file_hash(folder / name) == promised[name].sha256:
            (folder / name).replace(folder / final_name)
        else:
            (folder / name).unlink()
    flush_folder(folder)


def _files_of(owner: Path) -> list[tuple[FileRecord, Path]]:
    """Return what a sealed file vouches for; nothing where it is damaged or something else."""
    try:
        content = read_bytes(owner, owner.parent)
    except DovetailError:
        return []
    for kind in (CHECKPOINT, GRAPH):
        try:
            data = unseal(content, owner, kind)
            stem = owner.with_name(owner.name.removesuffix(".json"))
            return [(record, record.path(stem)) for record in records_from_data(data.get("files"), owner)]
        except DovetailError:
            continue
    return []


def file_hash(path: Path) -> str:
    """Return a file's SHA-256; raises what ``open_regular`` raises."""
    with open_regular(path) as file, RunningHash() as digest:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
        return digest.hexdigest()
