"""The tables of the store, and how an older store becomes a newer one.

    upgrade(con, path, before)   brings the schema to VERSION; a newer store is refused and left untouched

The tables of the log (`review`, `mark`, `exercise`, `setting`) only grow. `card_state` is a cache of their
replay. `alias`, `session` and `undo` belong to this computer.
"""

import sqlite3
from collections.abc import Callable, Sequence

from diffusion_lab.quiz.faults import StoreError
from diffusion_lab.quiz.records import TABLES

_STAMP = """uuid TEXT PRIMARY KEY, at_ms INTEGER NOT NULL, utc_offset_min INTEGER NOT NULL,
    study_day INTEGER NOT NULL, undone INTEGER NOT NULL CHECK (undone IN (0, 1))"""
_FIRST = (
    f"""CREATE TABLE review ({_STAMP}, card_id TEXT NOT NULL,
    rating INTEGER NOT NULL CHECK (rating IN (1, 2, 3, 4)), score_json TEXT NOT NULL,
    confidence INTEGER CHECK (confidence IN (1, 2, 3)), dur_ms INTEGER, mode TEXT NOT NULL, session TEXT,
    params_hash TEXT NOT NULL)""",
    "CREATE INDEX review_of_card ON review (card_id, at_ms)",
    "CREATE INDEX review_in_time ON review (undone, at_ms)",
    f"CREATE TABLE mark ({_STAMP}, card_id TEXT NOT NULL, what TEXT NOT NULL)",
    f"""CREATE TABLE exercise ({_STAMP}, exercise_id TEXT NOT NULL, passed INTEGER NOT NULL,
    hints_used INTEGER NOT NULL, solution_seen INTEGER NOT NULL, dur_ms INTEGER,
    detail_json TEXT NOT NULL)""",
    f"CREATE TABLE setting ({_STAMP}, key TEXT NOT NULL, value_json TEXT NOT NULL)",
    """CREATE TABLE card_state (card_id TEXT PRIMARY KEY, stability REAL NOT NULL, difficulty REAL NOT NULL,
    reps INTEGER NOT NULL, lapses INTEGER NOT NULL, last_day INTEGER NOT NULL, due_day INTEGER NOT NULL)""",
    "CREATE TABLE alias (old TEXT PRIMARY KEY, new TEXT NOT NULL)",
    """CREATE TABLE session (id TEXT PRIMARY KEY, mode TEXT NOT NULL, started_ms INTEGER NOT NULL,
    touched_ms INTEGER NOT NULL, study_day INTEGER NOT NULL, queue_json TEXT NOT NULL, pos INTEGER NOT NULL,
    seed INTEGER NOT NULL, draft TEXT NOT NULL, deadline_ms INTEGER, owner TEXT, done INTEGER NOT NULL)""",
    """CREATE TABLE undo (seq INTEGER PRIMARY KEY AUTOINCREMENT, uuid TEXT NOT NULL, of TEXT NOT NULL,
    session TEXT)""",
)
MIGRATIONS: tuple[Sequence[str], ...] = (_FIRST,)
# Marks a SQLite file as ours: "DLqz".
APPLICATION_ID = 0x444C717A

SELECT = {kind: f"SELECT {', '.join(row._fields)} FROM {kind}" for kind, row in TABLES.items()}
INSERT = {
    kind: f"INSERT INTO {kind} ({', '.join(row._fields)}) VALUES ({', '.join('?' * len(row._fields))})"
    for kind, row in TABLES.items()
}


def upgrade(
    con: sqlite3.Connection,
    path: str,
    before: Callable[[int], None],
    migrations: Sequence[Sequence[str]] = MIGRATIONS,
) -> None:
    """Applies the missing migrations, each with its version number in one transaction.

    before(version): called ahead of each step on a store that holds data. StoreError: the store was written
    by a newer release, or the file belongs to another program.
    """
    version = _version(con)
    if version > len(migrations):
        raise StoreError(
            f"The store {path} was written by a newer Diffusion Lab (its layout is {version}, this one knows "
            f"{len(migrations)}). It was not touched. Update with `pip install --upgrade diffusion-lab`."
        )
    _refuse_strangers(con, path, version)
    for number in range(version + 1, len(migrations) + 1):
        if number > 1:
            before(number)
        con.execute("BEGIN IMMEDIATE")
        try:
            # Another process may have done it while this one waited for the lock.
            if _version(con) < number:
                for statement in migrations[number - 1]:
                    con.execute(statement)
                con.execute(f"PRAGMA user_version = {number}")
                con.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            con.execute("COMMIT")
        except BaseException:
            con.execute("ROLLBACK")
            raise


def _version(con: sqlite3.Connection) -> int:
    return int(con.execute("PRAGMA user_version").fetchone()[0])


def _refuse_strangers(con: sqlite3.Connection, path: str, version: int) -> None:
    # In this order: another process may create the tables between the two questions.
    if version == 0 and not con.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
        return
    if con.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise StoreError(
            f"{path} belongs to another program. It was not touched. Move it away, or set DIFFUSION_LAB_HOME "
            "to another folder."
        )
