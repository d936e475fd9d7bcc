"""From the log to what is known of each card; the table `card_state` holds the result.

    refresh(con, memory, card_id)   replays one card
    rebuild(con, memory)            replays all of them
    resolve(con)                    old id -> id that the card bears now, for cards that were renamed

Answers count in order of (instant, uuid), so the result depends on the set of rows alone, never on the order
in which they arrived. Progress follows a renamed card: the log keeps the id of its time, the replay joins.
"""

import sqlite3
from collections.abc import Mapping, Set

from diffusion_lab.quiz.memory import Answer, Memory, State

_ANSWERS = "SELECT rating, study_day, card_id FROM review WHERE undone = 0 {where} ORDER BY at_ms, uuid"
_KEEP = "INSERT OR REPLACE INTO card_state VALUES (?, ?, ?, ?, ?, ?, ?)"


def resolve(con: sqlite3.Connection) -> dict[str, str]:
    """Every id that was given up, with the id that the card bears now. Ids in use are absent."""
    step: dict[str, str] = dict(con.execute("SELECT old, new FROM alias"))
    now = {}
    for old, new in step.items():
        for _ in step:  # no more renamings than there are: ends on any table
            new = step.get(new, new)
        now[old] = new
    return now


def refresh(con: sqlite3.Connection, memory: Memory, card_id: str) -> State | None:
    """Replays one card; None if no answer to it counts."""
    names = resolve(con)
    card = names.get(card_id, card_id)
    ids = [card, *(old for old, new in names.items() if new == card)]
    where = f"AND card_id IN ({', '.join('?' * len(ids))})"
    answers = [Answer(*row) for row in con.execute(_ANSWERS.format(where=where), ids)]
    con.execute("DELETE FROM card_state WHERE card_id = ?", [card])
    if not answers:
        return None
    state = memory.replay(answers)
    con.execute(_KEEP, (card, *state))
    return state


def replayed(con: sqlite3.Connection, memory: Memory) -> dict[str, State]:
    """The state of every card, from the log alone."""
    names = resolve(con)
    answers: dict[str, list[Answer]] = {}
    for row in con.execute(_ANSWERS.format(where="")):
        answer = Answer(*row)
        answers.setdefault(names.get(answer.seed, answer.seed), []).append(answer)
    return {card: memory.replay(answers[card]) for card in sorted(answers)}


def rebuild(con: sqlite3.Connection, memory: Memory) -> None:
    """Replays every card."""
    states = replayed(con, memory)
    con.execute("DELETE FROM card_state")
    con.executemany(_KEEP, ((card, *state) for card, state in states.items()))


def adopt(con: sqlite3.Connection, aliases: Mapping[str, str], live: Set[str]) -> None:
    """Notes renamings (old id -> id in use); `rebuild` follows.

    live: the ids in use. None of them counts as given up, so a card may take its first name again, and no
    chain of renamings can close. ValueError: the deck says both of one id.
    """
    both = live & aliases.keys()
    if both:
        raise ValueError(f"{min(both)!r} is the id of a card and also an alias: drop the alias.")
    con.executemany("DELETE FROM alias WHERE old = ?", [(card,) for card in live])
    con.executemany("INSERT OR REPLACE INTO alias VALUES (?, ?)", aliases.items())
