"""What the user does with cards and exercises, and how far they have come.

    record(store, card_id, rating, moment)        -> Recorded: the answer, saved in one durable commit
    set_aside(store, card_id, "suspend", moment)  or "resume", or "bury" until the next study day
    tried(store, exercise_id, passed, moment)     one try at an exercise of a notebook
    states(store), answers(store)                 what is known of each card; the reviews that count
    suspended(store), buried(store, day)          sets of card ids
    exercises(store)                              how each exercise went
    adopt(store, {old id: new id}, ids)           progress follows renamed cards; call it once per start

Card ids are those of the deck that was adopted last.
"""

import json
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from diffusion_lab.quiz import replay
from diffusion_lab.quiz.clock import Guarded, Moment, guarded
from diffusion_lab.quiz.faults import plainly
from diffusion_lab.quiz.memory import LEECH_LAPSES, State
from diffusion_lab.quiz.records import Exercise, Mark, Review, stamp
from diffusion_lab.quiz.store import Store


class Recorded(NamedTuple):
    """A saved answer. leech: a lapse too many, show what the card builds on. warning: about the clock."""

    review: Review
    state: State
    leech: bool
    warning: str | None


class Attempts(NamedTuple):
    """How an exercise went so far. alone: passed at least once without having seen the solution."""

    tries: int
    passed: bool
    alone: bool
    hints_used: int
    last_ms: int


def now(store: Store, at: Moment) -> Guarded:
    """The moment that an answer would bear: after the last review; with a warning if the clock is off."""
    return guarded(at, store.last_ms("review"))


def record(
    store: Store,
    card_id: str,
    rating: int,
    at: Moment,
    *,
    score: Mapping[str, object] | None = None,
    confidence: int | None = None,
    dur_ms: int | None = None,
    mode: str = "today",
    session: str | None = None,
) -> Recorded:
    """Saves an answer to a card: one durable commit (part of the caller's transaction, if one is open).

    score: what the scorer found, kept as JSON; its "score" is the share of the points, 0 to 1. ValueError: a
    field that cannot be. StoreError: nothing was saved.
    """
    with store.transaction():
        moment, warning = now(store, at)
        before = _state(store, card_id)
        detail, model = json.dumps(score or {}), store.memory().params_hash
        review = Review(*stamp(moment), card_id, rating, detail, confidence, dur_ms, mode, session, model)
        store.append(review, session)
        state = _state(store, card_id)
    if state is None:
        raise RuntimeError(f"the answer to {card_id} was saved without a state.")
    return Recorded(review, state, _one_too_many(before, state), warning)


def set_aside(store: Store, card_id: str, what: str, at: Moment, session: str | None = None) -> None:
    """Suspends, resumes or buries a card (records.MARKS); undone like an answer."""
    with store.transaction():
        moment = guarded(at, store.last_ms("mark")).moment
        store.append(Mark(*stamp(moment), card_id, what), session)


def states(store: Store) -> dict[str, State]:
    """What is known of every card that was ever answered, by its present id."""
    with plainly(store.files.store):
        return {card: State(*rest) for card, *rest in store.con.execute("SELECT * FROM card_state")}


def answers(store: Store) -> list[Review]:
    """The reviews that were not taken back, in order of time, each under its card's present id."""
    rows, names = store.rows("review"), replay.resolve(store.con)
    return [row._replace(card_id=names.get(row.card_id, row.card_id)) for row in rows if not row.undone]


def suspended(store: Store) -> set[str]:
    """Cards whose newest mark, burials aside, is "suspend"."""
    with plainly(store.files.store):
        names = replay.resolve(store.con)
        marks = store.con.execute(
            "SELECT card_id, what FROM mark WHERE undone = 0 AND what != 'bury' ORDER BY at_ms, uuid"
        )
        last = {names.get(card, card): what for card, what in marks}
    return {card for card, what in last.items() if what == "suspend"}


def buried(store: Store, day: int) -> set[str]:
    """Cards buried on this study day."""
    with plainly(store.files.store):
        names = replay.resolve(store.con)
        marks = store.con.execute(
            "SELECT card_id FROM mark WHERE undone = 0 AND what = 'bury' AND study_day = ?", [day]
        )
        return {names.get(card, card) for (card,) in marks}


def adopt(store: Store, aliases: Mapping[str, str], ids: Iterable[str]) -> None:
    """Lets progress follow renamed cards. aliases: old id -> id in the deck. ids: all ids in the deck.

    Writes only when there is news. ValueError: an id is both in use and an alias.
    """
    with plainly(store.files.store):
        known = dict(store.con.execute("SELECT old, new FROM alias"))
    live = {*ids, *aliases.values()}
    if all(known.get(old) == new for old, new in aliases.items()) and not live & known.keys():
        return
    with store.transaction():
        replay.adopt(store.con, aliases, live)
        replay.rebuild(store.con, store.memory())


def tried(
    store: Store,
    exercise_id: str,
    passed: bool,
    at: Moment,
    *,
    hints_used: int = 0,
    solution_seen: bool = False,
    dur_ms: int | None = None,
    detail: Mapping[str, object] | None = None,
) -> None:
    """Saves one try at an exercise of a notebook."""
    start, text = stamp(at), json.dumps(detail or {})
    store.append(Exercise(*start, exercise_id, int(passed), hints_used, int(solution_seen), dur_ms, text))


def exercises(store: Store) -> dict[str, Attempts]:
    """How each exercise went so far."""
    tries: dict[str, list[Exercise]] = {}
    for row in store.rows("exercise"):
        tries.setdefault(row.exercise_id, []).append(row)
    return {name: _attempts(rows) for name, rows in tries.items()}


def _attempts(rows: list[Exercise]) -> Attempts:
    alone = any(row.passed and not row.solution_seen for row in rows)
    hints = max(row.hints_used for row in rows)
    return Attempts(len(rows), any(row.passed for row in rows), alone, hints, rows[-1].at_ms)


def _state(store: Store, card_id: str) -> State | None:
    card = replay.resolve(store.con).get(card_id, card_id)
    found = store.con.execute("SELECT * FROM card_state WHERE card_id = ?", [card]).fetchone()
    return State(*found[1:]) if found else None


def _one_too_many(before: State | None, after: State) -> bool:
    """At 8 lapses, and at every fourth after: often enough to be heard, not so often as to be ignored."""
    lapsed = before is not None and after.lapses > before.lapses
    return lapsed and after.leech and (after.lapses - LEECH_LAPSES) % 4 == 0
