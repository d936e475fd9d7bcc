"""Puts a new store in the place of an old one: built aside, moved when it is whole, the old files kept."""

import os
from collections.abc import Iterable, Sequence
from shutil import rmtree

from diffusion_lab.quiz import backup
from diffusion_lab.quiz.clock import Moment
from diffusion_lab.quiz.home import Files
from diffusion_lab.quiz.records import Row
from diffusion_lab.quiz.store import open_store


def install(files: Files, at: Moment, rows: Iterable[Row], keep: Sequence[str], why: str) -> list[str]:
    """A store of these rows and its mirror. The files of `keep` go on as NAME.why-MILLISECONDS.

    Returns what was done, as sentences.
    """
    aside = Files(os.path.join(files.folder, f"restore-{os.urandom(4).hex()}"))
    with open_store(at, aside.folder) as store:
        store.merge(rows)
        if not os.path.exists(aside.mirror):
            backup.write_mirror(store.con, aside)
    done = []
    for path in keep:
        # A -wal left beside the new store would be taken for its own.
        for ending in ("", "-wal", "-shm"):
            if os.path.exists(path + ending):
                kept = f"{path}.{why}-{at.at_ms}{ending}"
                os.replace(path + ending, kept)
                done.append(f"Kept the old file as {kept}.")
    os.replace(aside.store, files.store)
    os.replace(aside.mirror, files.mirror)
    rmtree(aside.folder)
    return done
