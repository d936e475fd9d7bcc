"""Sittings that survive a closed window: the queue, the place in it, the seed and the half-typed answer.

    sitting = start(store, "today", queue, moment, seed)
    save(store, sitting._replace(pos=3, draft="the mean is"), moment)   call as often as there is news
    finish(store, sitting)            the end; or release(store, sitting), to be continued
    unfinished(store, day)            sittings of a study day that may be continued, newest first
    claim(store, sitting, moment)     takes one over, unless another window was faster
    taken(store, moment)              cards that wait in other windows now: leave them out of a new queue

To save an answer and the new place in one commit, call progress.record and save in one store.transaction().
"""

import json
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

from diffusion_lab.quiz.clock import MINUTE_MS, Moment, study_day
from diffusion_lab.quiz.faults import plainly
from diffusion_lab.quiz.store import Store

SILENCE_MS = 10 * MINUTE_MS


class Sitting(NamedTuple):
    """One run of questions. pos: index of the card being asked. owner: the window that runs it, or None."""

    id: str
    mode: str
    started_ms: int
    touched_ms: int
    study_day: int
    queue: tuple[str, ...]
    pos: int
    seed: int
    draft: str
    deadline_ms: int | None
    owner: str | None

    def in_use(self, at: Moment) -> bool:
        """Whether a window seems to be running it: one that lives, and saved within the last ten minutes."""
        silent = at.at_ms - self.touched_ms >= SILENCE_MS
        return self.owner is not None and not silent and not _is_gone(self.owner)


_FIELDS = ", ".join("queue_json" if name == "queue" else name for name in Sitting._fields)


def start(
    store: Store, mode: str, queue: Sequence[str], at: Moment, seed: int, deadline_ms: int | None = None
) -> Sitting:
    """A new sitting, owned by this process."""
    name, day = os.urandom(8).hex(), study_day(at)
    sitting = Sitting(name, mode, at.at_ms, at.at_ms, day, tuple(queue), 0, seed, "", deadline_ms, _owner())
    with store.transaction():
        marks = ", ".join("?" * len(Sitting._fields))
        store.con.execute(f"INSERT INTO session ({_FIELDS}, done) VALUES ({marks}, 0)", _values(sitting))
    return sitting


def save(store: Store, sitting: Sitting, at: Moment) -> bool:
    """Keeps queue, place, draft and deadline. False: another window has taken it over; stop asking."""
    news = [json.dumps(sitting.queue), sitting.pos, sitting.draft, sitting.deadline_ms, at.at_ms]
    with store.transaction():
        changed = store.con.execute(
            "UPDATE session SET queue_json = ?, pos = ?, draft = ?, deadline_ms = ?, touched_ms = ? "
            "WHERE id = ? AND owner IS ?",
            [*news, sitting.id, sitting.owner],
        )
    return changed.rowcount == 1


def release(store: Store, sitting: Sitting) -> None:
    """Leaves a sitting to be continued by any window."""
    with store.transaction():
        store.con.execute(
            "UPDATE session SET owner = NULL WHERE id = ? AND owner IS ?", [sitting.id, sitting.owner]
        )


def finish(store: Store, sitting: Sitting) -> None:
    """Ends a sitting for good."""
    with store.transaction():
        store.con.execute("UPDATE session SET done = 1, owner = NULL WHERE id = ?", [sitting.id])


def claim(store: Store, seen: Sitting, at: Moment) -> Sitting | None:
    """Takes over a sitting in the state in which it was seen; None: another window took or ended it since."""
    owner = _owner()
    with store.transaction():
        changed = store.con.execute(
            "UPDATE session SET owner = ?, touched_ms = ? WHERE id = ? AND done = 0 AND owner IS ?",
            [owner, at.at_ms, seen.id, seen.owner],
        )
        if changed.rowcount != 1:
            return None
        row = store.con.execute(f"SELECT {_FIELDS} FROM session WHERE id = ?", [seen.id]).fetchone()
    return _sitting(row)


def unfinished(store: Store, day: int) -> list[Sitting]:
    """The sittings of a study day that were not finished, the one used last first."""
    query = f"SELECT {_FIELDS} FROM session WHERE done = 0 AND study_day = ? ORDER BY touched_ms DESC, id"
    with plainly(store.files.store):
        return [_sitting(row) for row in store.con.execute(query, [day])]


def taken(store: Store, at: Moment) -> set[str]:
    """The cards that still wait in sittings which other windows are running now."""
    running = [sitting for sitting in unfinished(store, study_day(at)) if sitting.in_use(at)]
    return {card for sitting in running for card in sitting.queue[sitting.pos :]}


def _owner() -> str:
    return f"{os.getpid()}-{os.urandom(4).hex()}"


def _is_gone(owner: str) -> bool:
    """Whether the window's process has ended for certain. A kill leaves its name behind."""
    if os.name != "posix":
        return False  # there, signal 0 would end the process
    try:
        os.kill(int(owner.split("-")[0]), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, ValueError, OverflowError):
        return False
    return False


def _values(sitting: Sitting) -> list[object]:
    return [json.dumps(value) if name == "queue" else value for name, value in sitting._asdict().items()]


def _sitting(row: Sequence[Any]) -> Sitting:
    sitting = Sitting(*row)
    return sitting._replace(queue=tuple(json.loads(row[Sitting._fields.index("queue")])))
