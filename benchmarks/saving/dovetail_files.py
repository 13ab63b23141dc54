"""Checkpoints of Dovetail: what a user calls to save the variables of a session, and to restore them in another.

python -m benchmarks.saving.dovetail_files saving --mode hashed|unhashed --folder FOLDER
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dovetail as dt
from benchmarks.saving.harness import Arrays, Filing, main
from dovetail_io.hashing import RunningHash


def prepare(mode: str, arrays: Arrays) -> Filing:
    if mode == "unhashed":
        leave_hashes_out()
    graph = dt.Graph()
    with graph.as_default():
        zeros = {array.shape: dt.zeros(array.shape) for array in arrays.values()}
        variables = {name: dt.Variable(zeros[array.shape], name=name) for name, array in arrays.items()}
        saver = dt.train.Saver(variables)
    session = dt.Session(graph=graph)
    session.take_values({variables[name].op.name: array for name, array in arrays.items()})

    def save(folder: Path) -> None:
        saver.save(session, folder / "model")

    def load(folder: Path) -> dt.Session:
        other = dt.Session(graph=graph)
        saver.restore(other, folder / "model")
        return other

    def values(other: dt.Session) -> dict[str, Any]:
        with other.frozen() as (found, _):
            return {name: found[variable.op.name] for name, variable in variables.items()}

    return Filing(save, load, values)


def leave_hashes_out() -> None:
    """Let this process write and expect the hash of nothing, to measure what the rest takes."""
    RunningHash.update = lambda self, piece: None  # type: ignore[method-assign]


if __name__ == "__main__":
    main(prepare)
