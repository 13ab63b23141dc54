"""Fuzzing of everything that reads a file: nothing but the format's own errors may come of any bytes.

python tests/io/fuzz.py TARGET --seconds 60 --folder fuzz-out     # guided by coverage; needs atheris (`make fuzz`)

`tests/data/fuzz/TARGET` holds the corpus, which the tests run as well, with mutations of their own.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

CORPUS: Final = Path(__file__).parents[1] / "data" / "fuzz"
MOST_BYTES: Final = 1 << 15
VALUES: Final = (
    None, True, False, 0, 1, -1, 2, 64, 2**31, 2**62, 2**63, 2**64, -(2**63), 10**30, 0.5, 1e308, "", "x", "../x", "\0",
    "x:0", "float32", "string", "n", "n + 1", "2*n", "(n)//0", [], {}, [[]], [0], [-1], [2**62, 2**62], ["x"],
    {"": None}, {"x": 1}, float("inf"), float("nan"), "\ud800", "[" * 50, [[[[[]]]]],
)  # fmt: skip


class Target(NamedTuple):
    """Something that reads a file.

    Attributes:
        name: names it and its corpus.
        read: reads what lies in a folder, once ``put`` has put the bytes there.
        put: puts bytes into the folder, after what stands beside them is there.
        beside: makes what the file refers to.
        json: whether mutations are those of JSON data.
    """

    name: str
    read: Callable[[Path], object]
    put: Callable[[Path, bytes], object]
    beside: Callable[[Path], object] = lambda folder: None
    json: bool = True


def sealed(content: bytes) -> bytes:
    """Seal JSON anew, so that what lies behind the digest is reached; other bytes stay as they are."""
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        return content
    if not isinstance(data, dict):
        return content
    data.pop("digest", None)
    items = "".join(f"{json.dumps(key)}: {json.dumps(value)},\n" for key, value in data.items())
    text = ("{\n" + items).encode()
    return text + f'"digest": "{hashlib.sha256(text).hexdigest()}"\n}}\n'.encode()


def data_size(header: bytes) -> int:
    """Return how many bytes the tensors of a header take, if they are few."""
    try:
        ends = [one["data_offsets"][1] for one in json.loads(header).values() if "data_offsets" in one]
        return max(end for end in ends if type(end) is int and 0 <= end < 1 << 12)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        return 0


def targets() -> dict[str, Target]:
    """Return all targets by name."""
    import dovetail as dt
    from dovetail_io.formats import NpzFormat
    from dovetail_io.graphfile import StoredGraph
    from dovetail_io.inspection.contents import contents_of
    from dovetail_io.retention import Retention
    from dovetail_io.tensors import read_tensors

    files = Path(__file__).parents[1] / "data" / "fuzz" / "beside"

    def checkpoint(folder: Path) -> object:
        found = dt.io.Checkpoint(folder / "model")
        found.verify()
        return found.read()

    def bundle(folder: Path) -> object:
        contents_of(folder).verify()
        with dt.Graph().as_default(), dt.Session() as session:
            return dt.saved_model.loader.load(session, ["serve"], folder)

    def graph(folder: Path) -> object:
        contents = contents_of(folder / "net.meta")
        contents.to_data()
        return StoredGraph(folder / "net.meta").make(dt.Graph())

    def listing(folder: Path) -> object:
        dt.train.latest_checkpoint(folder)
        return Retention(folder).read()

    found = (
        Target(
            "safetensors",
            lambda folder: read_tensors(folder / "a.safetensors"),
            lambda folder, content: (folder / "a.safetensors").write_bytes(content),
            json=False,
        ),
        Target(
            "header",
            lambda folder: read_tensors(folder / "a.safetensors"),
            lambda folder, content: (folder / "a.safetensors").write_bytes(
                len(content).to_bytes(8, "little") + content + bytes(data_size(content))
            ),
        ),
        Target(
            "npz",
            lambda folder: NpzFormat().load(folder / "a.npz"),
            lambda folder, content: (folder / "a.npz").write_bytes(content),
            json=False,
        ),
        Target(
            "checkpoint",
            checkpoint,
            lambda folder, content: (folder / "model.json").write_bytes(sealed(content)),
            lambda folder: shutil.copy(files / "model.safetensors", folder),
        ),
        Target("list", listing, lambda folder, content: (folder / "checkpoint").write_bytes(sealed(content))),
        Target(
            "graph",
            graph,
            lambda folder, content: (folder / "net.meta").write_bytes(sealed(content)),
            lambda folder: shutil.copy(files / "net.meta.safetensors", folder),
        ),
        Target(
            "bundle",
            bundle,
            lambda folder, content: (folder / "saved_model.json").write_bytes(sealed(content)),
            lambda folder: shutil.copytree(files / "bundle", folder, dirs_exist_ok=True),
        ),
    )
    return {one.name: one for one in found}


@contextmanager
def reader(target: Target) -> Iterator[Callable[[bytes], None]]:
    """A function that reads bytes; it raises where something else than the format's own errors comes of them."""
    from dovetail.errors import FormatError, NotFoundError, StorageError

    memory = Path("/dev/shm")  # a file system without a disk, where there is one
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        folder = Path(name)
        target.beside(folder)

        def read(content: bytes) -> None:
            target.put(folder, content)
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # of NumPy, that an archive is an old one
                    target.read(folder)
            except (FormatError, NotFoundError, StorageError) as error:
                str(error).encode()  # a message that can be shown

        yield read


def corpus(target: str) -> list[bytes]:
    """Return the corpus of a target."""
    return [path.read_bytes() for path in sorted((CORPUS / target).iterdir())]


# Mutations. ----------------------------------------------------------------------------------------------------------


def mutated(content: bytes, rng: np.random.Generator, as_json: bool) -> bytes:
    """Change a few things in bytes, or in the JSON data that they are."""
    if as_json and rng.random() < 0.9:
        try:
            data = json.loads(content)
        except (ValueError, RecursionError):
            return _bytes_mutated(content, rng)
        for _ in range(rng.integers(1, 4)):
            data = _data_mutated(data, rng)
        return json.dumps(data).encode()
    return _bytes_mutated(content, rng)


def _bytes_mutated(content: bytes, rng: np.random.Generator) -> bytes:
    buffer = bytearray(content)
    for _ in range(rng.integers(1, 5)):
        place = int(rng.integers(0, len(buffer) + 1))
        length = int(rng.integers(0, 9))
        kind = rng.integers(0, 4)
        if kind == 0:
            del buffer[place : place + length]
        elif kind == 1:
            buffer[place:place] = rng.bytes(length)
        elif kind == 2:
            buffer[place : place + length] = rng.choice([0, 1, 127, 128, 255], length).astype(np.uint8).tobytes()
        elif place < len(buffer):
            buffer[place] ^= 1 << rng.integers(0, 8)
    return bytes(buffer)


def _data_mutated(data: Any, rng: np.random.Generator) -> Any:
    """Walk down to some place, and put, drop, double or swap there."""
    if not isinstance(data, dict | list) or not data or rng.random() < 0.12:
        return copy.deepcopy(VALUES[rng.integers(len(VALUES))])
    keys = list(data) if isinstance(data, dict) else list(range(len(data)))
    key = keys[rng.integers(len(keys))]
    other = keys[rng.integers(len(keys))]
    if rng.random() < 0.75:
        data[key] = _data_mutated(data[key], rng)
        return data
    kind = rng.integers(0, 4)
    if kind == 0:
        del data[key]
    elif kind == 1:
        data[key], data[other] = data[other], data[key]
    elif kind == 2:
        data[key] = data[other]
    elif isinstance(data, dict):
        data[f"{key}x"] = data[other]
    else:
        data.insert(key, data[other])
    return data


# Guided by coverage. -------------------------------------------------------------------------------------------------


def run(name: str, seconds: int, folder: Path) -> None:
    """Fuzz a target for some seconds; what is found lies in ``folder``, beside the corpus that grows there."""
    import atheris

    with atheris.instrument_imports(include=["dovetail_io", "dovetail", "json", "zipfile", "numpy.lib"]):
        target = targets()[name]
    growing = folder / name
    growing.mkdir(parents=True, exist_ok=True)

    def mutate(content: bytes, most: int, seed: int) -> bytes:
        rng = np.random.default_rng(seed)
        if not target.json or rng.random() < 0.1:
            return bytes(atheris.Mutate(content, most))
        return mutated(content, rng, as_json=True)[:most]

    with reader(target) as read:
        atheris.Setup(
            [
                sys.argv[0],
                str(growing),
                str(CORPUS / name),
                f"-max_total_time={seconds}",
                f"-max_len={MOST_BYTES}",
                "-timeout=20",
                "-rss_limit_mb=1500",
                "-print_final_stats=1",
                f"-artifact_prefix={folder}/found-{name}-",
            ],
            read,
            custom_mutator=mutate,
        )
        atheris.Fuzz()


def main() -> None:
    parser = argparse.ArgumentParser(description="Fuzz a reader of files.")
    parser.add_argument("target")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--folder", type=Path, default=Path("fuzz-out"))
    options = parser.parse_args()
    run(options.target, options.seconds, options.folder)


if __name__ == "__main__":
    main()
