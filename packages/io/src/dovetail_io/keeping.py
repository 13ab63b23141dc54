"""Which checkpoints a saver has written, and which of them go."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import final

from dovetail.errors import FormatError
from dovetail_io.checkpoint import Checkpoint
from dovetail_io.retention import Group, Retention

__all__ = ["Keeper"]


@final
class Keeper:
    """Lists the checkpoints of one saver, in each folder that it writes to, and drops old ones.

    Args:
        most: how many stay; 0 for all.
        hours: of those that would go, one is kept for ever in that time.

    Attributes:
        recovered: checkpoints of an earlier program, to be counted in at the next save in their folder.
    """

    def __init__(self, most: int, hours: float) -> None:
        self.most = most
        self.hours = hours
        self.recovered: list[Path] = []
        self._identities: dict[Path, str] = {}
        self._kept: dict[Path, list[str]] = {}

    @property
    def checkpoints(self) -> list[str]:
        """The checkpoints that were written or recovered and not dropped, the oldest first."""
        found = [str(folder / name) for folder, names in self._kept.items() for name in names]
        return [*map(str, self.recovered), *found]

    def announce(self, retention: Retention, name: str) -> Group:
        """List a checkpoint before it is written, so that it is not forgotten if the process is killed after that."""
        folder = retention.folder.resolve()
        with suppress(FormatError):  # then it begins anew, and nothing that it listed is dropped
            retention.read()
        group = retention.group_for(name, self._identities.get(folder))
        self._recover(group, folder)
        group.add(name, max(group.checkpoints.values(), default=0.0))
        retention.write()
        return group

    def retain(self, retention: Retention, group: Group, name: str, saved: float, shown: Path) -> None:
        """List a checkpoint as the newest, and drop old ones; ``shown`` is the folder as the program names it."""
        group.add(name, saved)
        retention.latest = name
        if self.most:
            drop = group.surplus(self.most, self.hours)
            if drop:
                retention.drop(group, drop)
        retention.write()
        self._identities[retention.folder.resolve()] = group.identity
        self._kept[shown] = list(group.checkpoints)

    def _recover(self, group: Group, folder: Path) -> None:
        for path in [one for one in self.recovered if one.parent.resolve() == folder]:
            self.recovered.remove(path)
            group.add(path.name, Checkpoint(path).saved)
        there = [item for item in group.checkpoints.items() if (folder / f"{item[0]}.json").exists()]
        group.checkpoints = dict(sorted(there, key=lambda item: item[1]))
