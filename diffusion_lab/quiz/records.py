"""The log: what the user did, as rows that are only ever added. Everything else is computed from them.

    Review     an answer to a card             Mark      a card suspended, resumed or buried by hand
    Exercise   a try at a notebook's exercise  Setting   a choice such as the interview date

Each row has a random uuid, an instant, the UTC offset and the study day of that instant, and a flag
`undone`. Two logs merge by the union of their uuids.
"""

import json
import os
from collections.abc import Callable
from typing import NamedTuple

from diffusion_lab.quiz.clock import DAY_MS, Moment, study_day

MARKS = ("suspend", "resume", "bury")
_EARLIEST_MS = 946_684_800_000  # 2000-01-01
_NO_JSON = object()


class Review(NamedTuple):
    """An answer. rating: 1-4 (Again, Hard, Good, Easy). confidence: 1-3 or None. score_json: what the scorer
    found, with "score" (share of the points, 0 to 1) where there is one. params_hash: the model of memory.
    """

    uuid: str
    at_ms: int
    utc_offset_min: int
    study_day: int
    undone: int
    card_id: str
    rating: int
    score_json: str
    confidence: int | None
    dur_ms: int | None
    mode: str
    session: str | None
    params_hash: str


class Mark(NamedTuple):
    """A card set aside by hand: "suspend" until "resume", or "bury" for the study day."""

    uuid: str
    at_ms: int
    utc_offset_min: int
    study_day: int
    undone: int
    card_id: str
    what: str


class Exercise(NamedTuple):
    """One try at an exercise of a notebook. solution_seen: the solution was opened before."""

    uuid: str
    at_ms: int
    utc_offset_min: int
    study_day: int
    undone: int
    exercise_id: str
    passed: int
    hints_used: int
    solution_seen: int
    dur_ms: int | None
    detail_json: str


class Setting(NamedTuple):
    """A choice of the user's. The row with the greatest (at_ms, uuid) holds."""

    uuid: str
    at_ms: int
    utc_offset_min: int
    study_day: int
    undone: int
    key: str
    value_json: str


Row = Review | Mark | Exercise | Setting
TABLES: dict[str, type[Row]] = {"review": Review, "mark": Mark, "exercise": Exercise, "setting": Setting}
KINDS = {row: kind for kind, row in TABLES.items()}


def stamp(at: Moment) -> tuple[str, int, int, int, int]:
    """The five fields that every row starts with, for something done now."""
    return os.urandom(16).hex(), at.at_ms, at.offset_min, study_day(at), 0


def kind_of(row: Row) -> str:
    """The table of a row."""
    return KINDS[type(row)]


def check(row: Row) -> None:
    """ValueError if a field is not what it must be."""
    for field, value in zip(row._fields, row):
        fits, wanted = RULES[field]
        if not fits(value):
            raise ValueError(f"{field} is {short(value)}; expected {wanted}.")
    if row.study_day != study_day(Moment(row.at_ms, row.utc_offset_min)):
        raise ValueError(f"study_day is {row.study_day}, which does not fit at_ms and utc_offset_min.")


def short(value: object) -> str:
    """A value as it may be shown in a message: one line, ASCII, not long."""
    # ascii(): no control character of a foreign file reaches the terminal.
    text = ascii(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _whole(low: int, high: int) -> Callable[[object], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _text(longest: int) -> Callable[[object], bool]:
    # Printable excludes control characters, surrogates and direction marks.
    return lambda value: isinstance(value, str) and 0 < len(value) <= longest and value.isprintable()


def _or_none(fits: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: value is None or fits(value)


def is_uuid(value: object) -> bool:
    """32 lower-case hexadecimal digits."""
    return isinstance(value, str) and len(value) == 32 and set(value) <= set("0123456789abcdef")


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON.")


def _is_json(value: object) -> bool:
    return _parsed(value) is not _NO_JSON


def _is_object(value: object) -> bool:
    return isinstance(_parsed(value), dict)


def _parsed(value: object) -> object:
    if not isinstance(value, str) or len(value) > 20_000 or not value.isascii():
        return _NO_JSON
    try:
        parsed: object = json.loads(value, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return _NO_JSON
    return parsed


Rule = tuple[Callable[[object], bool], str]
_FLAG: Rule = (_whole(0, 1), "0 or 1")
_NAME: Rule = (_text(200), "a printable text of 1 to 200 characters")
_JSON: Rule = (_is_json, "JSON in ASCII, as a text of at most 20,000 characters")
_OBJECT: Rule = (_is_object, "an object {...} of JSON in ASCII, as a text of at most 20,000 characters")
_DURATION: Rule = (_or_none(_whole(0, 7 * DAY_MS)), "milliseconds, at most a week, or null")
RULES: dict[str, Rule] = {
    "uuid": (is_uuid, "32 hexadecimal digits"),
    "at_ms": (_whole(_EARLIEST_MS, 32_503_680_000_000), "milliseconds since 1970, from the year 2000 on"),
    "utc_offset_min": (_whole(-960, 960), "minutes from UTC, -960 to 960"),
    "study_day": (_whole(0, 400_000), "days since 1970"),
    "undone": _FLAG,
    "card_id": _NAME,
    "rating": (_whole(1, 4), "1 (again), 2 (hard), 3 (good) or 4 (easy)"),
    "score_json": _OBJECT,
    "confidence": (_or_none(_whole(1, 3)), "1, 2, 3 or null"),
    "dur_ms": _DURATION,
    "mode": _NAME,
    "session": (_or_none(_text(200)), "a printable text or null"),
    "params_hash": _NAME,
    "what": (lambda value: value in MARKS, f"one of {', '.join(MARKS)}"),
    "exercise_id": _NAME,
    "passed": _FLAG,
    "hints_used": (_whole(0, 1000), "0 to 1000"),
    "solution_seen": _FLAG,
    "detail_json": _OBJECT,
    "key": _NAME,
    "value_json": _JSON,
}
