"""Study days: the local date of (now - 4 h), so an answer at 1 a.m. belongs to the evening before.

A day is an integer, days since 1970-01-01, so that days subtract. Every review keeps the UTC offset that
held when it was given: travel and daylight saving never move history. Only `now` reads the clock.

    moment(datetime.now().astimezone())  -> Moment(at_ms, offset_min)  the one place where a datetime comes in
    study_day(moment)                    -> int
    guarded(moment, last_ms)             -> Guarded(moment, warning)   a clock that never runs backwards
    day_of(date), date_of(day)           -> int, date
"""

from datetime import date, datetime
from typing import NamedTuple

ROLLOVER_MS = 4 * 3_600_000
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
_EPOCH = date(1970, 1, 1).toordinal()


class Moment(NamedTuple):
    """An instant (ms since 1970, UTC) and the UTC offset of the user's clock at that instant (minutes)."""

    at_ms: int
    offset_min: int


class Guarded(NamedTuple):
    """A moment after the last review, and a sentence when the clock looks wrong (else None)."""

    moment: Moment
    warning: str | None


def moment(now: datetime) -> Moment:
    """The instant and offset of an aware datetime. ValueError: a datetime without an offset."""
    offset = now.utcoffset()
    if offset is None:
        raise ValueError("the time has no UTC offset: pass datetime.now().astimezone().")
    return Moment(int(now.timestamp() * 1000), round(offset.total_seconds() / 60))


def now() -> Moment:
    """The present moment by this computer's clock."""
    return moment(datetime.now().astimezone())


def study_day(at: Moment) -> int:
    """floor((at_ms + offset - 4 h) / 1 day): days since 1970-01-01."""
    return (at.at_ms + at.offset_min * MINUTE_MS - ROLLOVER_MS) // DAY_MS


def day_of(day: date) -> int:
    """The study day that bears this date."""
    return day.toordinal() - _EPOCH


def date_of(day: int) -> date:
    """The date that a study day bears."""
    return date.fromordinal(day + _EPOCH)


def guarded(at: Moment, last_ms: int | None) -> Guarded:
    """max(at, last + 1 ms), so that order in time is the order of events.

    last_ms: the last review. A warning if the clock is over 12 h behind it or over a year ahead of it.
    """
    if last_ms is None:
        return Guarded(at, None)
    behind = last_ms - at.at_ms
    warning = None
    if behind > 12 * HOUR_MS:
        warning = (
            f"The clock is {_span(behind)} behind your last review. "
            "Answers are dated as that review until the clock has caught up; check the computer's date."
        )
    elif -behind > 365 * DAY_MS:
        warning = (
            f"Your last review is {_span(-behind)} ago. If that cannot be, check the computer's date before "
            "you answer: a date in the future would make every card overdue."
        )
    return Guarded(at._replace(at_ms=max(at.at_ms, last_ms + 1)), warning)


def _span(ms: int) -> str:
    return f"{ms // HOUR_MS} hours" if ms < 2 * DAY_MS else f"{ms // DAY_MS} days"
