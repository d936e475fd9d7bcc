"""Where a user's data lies: one folder, readable by its owner alone.

data_home()   DIFFUSION_LAB_HOME if set, else the place that the system keeps for application data
Files(folder) the names inside: store, mirror, backups
"""

import os
import sys
from typing import NamedTuple

NAME = "diffusion-lab"


def data_home() -> str:
    """$DIFFUSION_LAB_HOME, or diffusion-lab in the place that the system keeps for such data."""
    chosen = os.environ.get("DIFFUSION_LAB_HOME")
    if chosen:
        return os.path.abspath(os.path.expanduser(chosen))
    return os.path.join(_base(), NAME)


def _base() -> str:
    if sys.platform == "win32":
        return os.environ.get("LOCALAPPDATA") or os.path.expanduser(r"~\AppData\Local")
    if sys.platform == "darwin":
        return os.path.expanduser("~/Library/Application Support")
    named = os.environ.get("XDG_DATA_HOME", "")
    # The XDG specification: a relative path is to be ignored.
    return named if os.path.isabs(named) else os.path.expanduser("~/.local/share")


class Files(NamedTuple):
    """The files of one store."""

    folder: str

    @property
    def store(self) -> str:
        """The SQLite file."""
        return os.path.join(self.folder, "quiz.sqlite")

    @property
    def mirror(self) -> str:
        """Every row of the log as a line of JSON: what the store can be rebuilt from."""
        return os.path.join(self.folder, "quiz-log.jsonl")

    @property
    def backups(self) -> str:
        """One copy of the store per day of study."""
        return os.path.join(self.folder, "backups")

    def make(self) -> None:
        """Creates the folders (mode 0700) and an empty store (mode 0600) where they are missing."""
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        os.makedirs(self.backups, mode=0o700, exist_ok=True)
        os.close(os.open(self.store, os.O_RDWR | os.O_CREAT, 0o600))
