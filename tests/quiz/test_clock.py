"""Study days turn at four in the morning, wherever the user is and whatever daylight saving does."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diffusion_lab.quiz.clock import DAY_MS, HOUR_MS, Moment, date_of, day_of, guarded, moment, study_day


def local(text: str, offset_min: int) -> Moment:
    zone = timezone(timedelta(minutes=offset_min))
    return moment(datetime.fromisoformat(text).replace(tzinfo=zone))


@pytest.mark.parametrize(
    ("text", "offset_min", "day"),
    [
        ("2026-03-10 04:00", 0, "2026-03-10"),
        ("2026-03-10 03:59:59.999", 0, "2026-03-09"),
        ("2026-03-10 00:00", 0, "2026-03-09"),
        ("2026-03-10 23:59", 0, "2026-03-10"),
        # Kathmandu and Kiritimati: offsets that are no whole hours, and the largest one.
        ("2026-03-10 04:00", 345, "2026-03-10"),
        ("2026-03-10 03:59", 345, "2026-03-09"),
        ("2026-03-10 04:00", 840, "2026-03-10"),
        # Berlin, spring: 02:00 +1 becomes 03:00 +2 on 2026-03-29, so the day turns 4 h of clock after 23:00.
        ("2026-03-29 01:59", 60, "2026-03-28"),
        ("2026-03-29 03:00", 120, "2026-03-28"),
        ("2026-03-29 04:00", 120, "2026-03-29"),
        # Berlin, autumn: 02:30 happens twice on 2026-10-25; both belong to the evening before.
        ("2026-10-25 02:30", 120, "2026-10-24"),
        ("2026-10-25 02:30", 60, "2026-10-24"),
        ("2026-10-25 03:59", 60, "2026-10-24"),
        ("2026-10-25 04:00", 60, "2026-10-25"),
        # New York, spring 2026-03-08 and the turn of a year and of a leap day.
        ("2026-03-08 03:30", -240, "2026-03-07"),
        ("2026-03-08 04:00", -240, "2026-03-08"),
        ("2027-01-01 01:00", -300, "2026-12-31"),
        ("2028-03-01 03:00", -300, "2028-02-29"),
    ],
)
def test_the_study_day_is_the_local_date_four_hours_ago(text, offset_min, day):
    assert date_of(study_day(local(text, offset_min))).isoformat() == day


def test_the_same_instant_is_another_day_elsewhere():
    instant = local("2026-03-10 12:00", 0)
    tokyo, honolulu = instant._replace(offset_min=540), instant._replace(offset_min=-600)
    assert study_day(tokyo) == study_day(instant) == day_of(date(2026, 3, 10))
    assert study_day(honolulu) == day_of(date(2026, 3, 9))


@given(st.integers(0, 4_000_000_000_000), st.integers(-960, 960))
@settings(derandomize=True, max_examples=300)
def test_a_study_day_is_24_hours_long_and_agrees_with_calendar_arithmetic(at_ms, offset_min):
    at = Moment(at_ms, offset_min)
    assert study_day(at._replace(at_ms=at_ms + DAY_MS)) == study_day(at) + 1
    here = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms, minutes=offset_min, hours=-4)
    assert date_of(study_day(at)) == here.date()


def test_a_datetime_without_an_offset_is_refused():
    with pytest.raises(ValueError, match="no UTC offset"):
        moment(datetime(2026, 3, 10))


NOW = local("2026-03-10 12:00", 60)


def test_time_never_runs_backwards_nor_stands():
    assert guarded(NOW, None) == (NOW, None)
    assert guarded(NOW, NOW.at_ms - 5) == (NOW, None)
    assert guarded(NOW, NOW.at_ms) == (Moment(NOW.at_ms + 1, 60), None)
    assert guarded(NOW, NOW.at_ms + 5) == (Moment(NOW.at_ms + 6, 60), None)


@pytest.mark.parametrize(
    ("ahead_ms", "words"),
    [
        (12 * HOUR_MS, None),
        (12 * HOUR_MS + 1, "12 hours behind"),
        (30 * DAY_MS, "30 days behind"),
        (-365 * DAY_MS, None),
        (-366 * DAY_MS, "366 days ago"),
    ],
)
def test_a_clock_far_from_the_last_review_is_named(ahead_ms, words):
    warning = guarded(NOW, NOW.at_ms + ahead_ms).warning
    assert warning is None if words is None else words in warning
