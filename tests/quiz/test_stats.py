"""Statistics are functions of the log; intervals hold as often as they say."""

import json
import math
from random import Random
from statistics import mean
from typing import NamedTuple

import pytest

from diffusion_lab.quiz.clock import DAY_MS, HOUR_MS, Moment, study_day
from diffusion_lab.quiz.memory import AGAIN, GOOD, HARD, Memory
from diffusion_lab.quiz.plan import today
from diffusion_lab.quiz.progress import adopt, answers, record, states
from diffusion_lab.quiz.readiness import predictions, readiness, shift
from diffusion_lab.quiz.records import Review, stamp
from diffusion_lab.quiz.simulate import Learner, study
from diffusion_lab.quiz.stats import (
    calibration,
    confident_misses,
    forecast,
    heatmap,
    report,
    streak,
    wilson,
)  # fmt: skip
from diffusion_lab.quiz.store import open_store

from .stores import DAY, NOON, later

MEMORY = Memory()


class Item(NamedTuple):
    id: str
    topic: str
    level: int = 1
    time: int = 60
    group: str = ""


def answer(card, grade, day=0.0, confidence=None, score=None):
    detail = json.dumps({} if score is None else {"score": score})
    return Review(*stamp(later(day)), card, grade, detail, confidence, None, "today", None, "x")


# Counts


def test_the_heatmap_counts_the_days_as_they_were_stored():
    # 23:30 in Berlin and the same instant in Tokyo, where it is 7:30 of the next day.
    berlin, tokyo = Moment(NOON.at_ms + 11 * HOUR_MS + 1_800_000, 60), None
    tokyo = berlin._replace(offset_min=540)
    rows = [
        Review(*stamp(at), "a", GOOD, "{}", None, None, "today", None, "x") for at in (berlin, berlin, tokyo)
    ]
    assert heatmap(rows) == {DAY: 2, DAY + 1: 1}
    assert heatmap([]) == {}


def test_a_streak_ends_with_today_or_yesterday():
    rows = [answer("a", GOOD, day) for day in (-9, -3, -2, -2, -1)]
    assert streak(rows, DAY) == 3
    assert streak([*rows, answer("a", GOOD, 0)], DAY) == 4
    assert streak(rows, DAY + 1) == 0
    assert streak([], DAY) == 0


def test_the_forecast_counts_overdue_cards_today():
    known = {
        str(i): MEMORY.review(None, GOOD, DAY, "x")._replace(due_day=DAY + i) for i in (-5, 0, 1, 3, 13, 14)
    }
    assert forecast(known, DAY) == [2, 1, 0, 1, *[0] * 9, 1]
    assert forecast(known, DAY, 2) == [2, 1]


# Confidence


def test_calibration_compares_confidence_with_results():
    rows = [
        answer("a", g, confidence=c) for g, c in [(AGAIN, 1), (HARD, 1), (GOOD, 3), (GOOD, 3), (AGAIN, None)]
    ]
    low, middle, high = calibration(rows)
    assert (low.answers, low.share) == (2, 0.5)
    assert (middle.answers, middle.share, middle.low, middle.high) == (0, None, 0.0, 1.0)
    assert (high.answers, high.share, high.high) == (2, 1.0, 1.0)
    assert high.low == pytest.approx(1 / (1 + 1.959964**2 / 2), abs=1e-6)


def test_the_interval_of_a_share_solves_its_defining_equation():
    # Wilson: the ends are the p at which |hits/n - p| is z standard errors of p.
    for hits, n in [(3, 7), (11, 13), (0, 5), (19, 19)]:
        for p in wilson(hits, n):
            if 0 < p < 1:
                assert abs(hits / n - p) == pytest.approx(1.959964 * math.sqrt(p * (1 - p) / n), rel=1e-6)
    assert wilson(0, 5)[0] == 0.0
    assert wilson(19, 19)[1] == 1.0


def test_a_confident_miss_leads_until_the_card_is_studied_again():
    rows = [
        answer("a", AGAIN, -2, 3),
        answer("b", AGAIN, -2, 2),
        answer("c", GOOD, -2, 3),
        answer("d", AGAIN, -2, 3),
    ]
    rows += [answer("a", GOOD, -2, 1), answer("d", GOOD, -1, 3), answer("e", AGAIN, 0, 3)]
    assert confident_misses(rows, DAY) == {"a"}


# Readiness


def test_below_five_answers_there_is_not_enough_data():
    cards = [Item("a", "ddpm"), Item("b", "ddpm"), Item("c", "ode")]
    rows = [answer("a", GOOD, day) for day in (-4, -3, -2, -1)]
    known = {"a": MEMORY.review(None, GOOD, DAY - 1, "a")}
    few = readiness(cards, rows, known, MEMORY, DAY + 5)
    assert [tuple(row) for row in few] == [
        ("ddpm", 2, 1, 4, None, None, None, None),
        ("ode", 1, 0, 0, None, None, None, None),
    ]
    (enough, _) = readiness(cards, [*rows, answer("b", AGAIN, -1)], known, MEMORY, DAY + 5)
    assert enough.answers == 5
    assert 0 <= enough.low < enough.ready < enough.high <= 1


def test_readiness_is_recall_times_points_over_all_cards():
    cards = [Item(c, "t") for c in "abc"]
    given = [("a", GOOD, 0.2), ("a", GOOD, 0.9), ("b", GOOD, 0.5), ("b", AGAIN, 0.1), ("a", AGAIN, 0.0)]
    # Answers of one day say nothing of forgetting: the user is taken to be as the model says, give or take 1.
    rows = [answer(card, grade, 0, score=score) for card, grade, score in given]
    known = {c: MEMORY.review(None, GOOD, DAY, c) for c in "ab"}
    (row,) = readiness(cards, rows, known, MEMORY, DAY + 4)
    p, points = MEMORY.recall(known["a"], DAY + 4), (0.9, 0.5)
    q = mean(points)
    assert row.recall == pytest.approx(2 * p / 3, abs=1e-12)
    assert row.ready == pytest.approx(2 * p / 3 * q, abs=1e-12)
    v = (sum((x - q) ** 2 for x in points) + 0.05) / 2
    drawn = 2 * (p * v + p * (1 - p) * q**2) / 9
    unknown = (q * 2 * p * (1 - p) / 3) ** 2 + (2 * p / 3) ** 2 * v / 2
    assert row.ready - row.low == pytest.approx(1.6448536 * math.sqrt(drawn + unknown), rel=1e-6)


def test_a_user_who_forgets_more_than_the_model_says_is_less_ready():
    cards, known = [Item("a", "t")], {"a": MEMORY.review(None, GOOD, DAY, "a")}
    model = MEMORY.recall(known["a"], DAY + 4)
    for grade, sign in [(AGAIN, -1), (GOOD, 1)]:
        rows = [answer("a", grade, 2 * day) for day in range(9)]
        (row,) = readiness(cards, rows, known, MEMORY, DAY + 4)
        assert sign * (row.recall - model) > 0.01


def test_more_study_raises_readiness_and_time_lowers_it():
    cards = [Item(c, "t") for c in "abcd"]
    rows = [answer(c, GOOD, 0) for c in "abcdabcd"]
    few = {c: MEMORY.review(None, GOOD, DAY, c) for c in "ab"}
    more = {**few, "c": few["a"], "d": few["a"]}
    ready = [
        readiness(cards, rows, s, MEMORY, DAY + d)[0].ready for s, d in [(few, 9), (more, 9), (more, 90)]
    ]
    assert ready[0] < ready[2] < ready[1]


def test_the_shift_solves_its_equation():
    pairs = [(0.9, True)] * 11 + [(0.9, False)] * 7 + [(0.6, True)] * 5
    own = shift(pairs)
    chances = [1 / (1 + math.exp(-(math.log(p / (1 - p)) + own.mean))) for p, _ in pairs]
    slope = sum(held - chance for chance, (_, held) in zip(chances, pairs)) - own.mean
    assert slope == pytest.approx(0, abs=1e-9)
    assert own.error == pytest.approx((1 + sum(c * (1 - c) for c in chances)) ** -0.5, rel=1e-9)
    assert shift([]) == (0.0, 1.0)


def test_predictions_are_made_before_the_answer_and_only_after_a_night():
    rows = [answer("a", GOOD, 0), answer("a", GOOD, 0.1), answer("a", AGAIN, 5), answer("b", GOOD, 5)]
    first = MEMORY.review(MEMORY.review(None, GOOD, DAY, "a"), GOOD, DAY, "a")
    assert list(predictions(rows, MEMORY)) == [(MEMORY.recall(first, DAY + 5), False)]


def rounds(truth, seed, topics=5, per_topic=9, days=17):
    """One simulated learner: whether the true score of a round lay in the interval, for each topic."""
    random, learner = Random(seed), Learner(truth, MEMORY)
    cards = [Item(f"{t}-{i}", f"topic {t}") for t in range(topics) for i in range(per_topic)]
    plan = lambda known, day: today(cards, known, day, 60 * 17)  # noqa: E731
    end = study(learner, plan, range(DAY, DAY + days), random)
    quality = lambda: random.choice([0.6, 0.8, 1.0, 1.0])  # noqa: E731
    log = [answer(a.card, a.grade, a.day - DAY, score=quality()) for a in end.log]
    interview = DAY + days + 6
    inside = []
    for row in readiness(cards, log, end.believed, MEMORY, interview):
        chances = [truth.recall(end.true.get(c.id), interview) for c in cards if c.topic == row.topic]
        score = mean((random.random() < p) * quality() for p in chances)
        inside.append(row.low <= score <= row.high)
    return inside


FORGETFUL = Memory([*MEMORY.weights[:20], 0.5])
OTHER = Memory([w * (1.15 if i % 2 else 0.85) for i, w in enumerate(MEMORY.weights)])


LEARNERS = {"as believed": MEMORY, "other weights": OTHER, "forgets faster": FORGETFUL}


@pytest.mark.parametrize("truth", LEARNERS.values(), ids=LEARNERS)
def test_nine_rounds_in_ten_lie_in_the_interval(truth):
    inside = [hit for seed in range(40) for hit in rounds(truth, seed)]
    # 200 rounds know a share of 0.9 to 0.02.
    assert abs(mean(inside) - 0.9) < 4 * math.sqrt(0.9 * 0.1 / len(inside))


# The whole


def test_the_report_is_json_with_a_stable_shape(tmp_path):
    cards = [Item("a", "ddpm"), Item("b", "ode"), Item("new", "ode")]
    with open_store(NOON, str(tmp_path)) as store:
        for day in range(6):
            record(store, "old-a", GOOD, later(day), score={"score": 0.5}, confidence=2)
            record(store, "b", AGAIN, later(day), confidence=3)
        record(store, "b", GOOD, later(6))
        store.undo()
        adopt(store, {"old-a": "a"}, ["a", "b", "new"])
        made = report(cards, answers(store), states(store), store.memory(), DAY + 6, DAY + 30)
    again = json.loads(json.dumps(made, allow_nan=False))
    assert again["schema"] == "diffusion-lab/quiz-stats"
    assert again["version"] == 1
    assert set(again) == {
        "schema", "version", "day", "interview", "answers", "streak", "cards", "leeches", "heatmap",
        "forecast", "calibration", "readiness",
    }  # fmt: skip
    assert (again["day"], again["interview"]) == ("2026-03-16", "2026-04-09")
    assert (again["answers"], again["streak"]) == (12, 6)
    assert again["cards"]["total"] == 3
    assert again["cards"]["seen"] == 2
    assert again["heatmap"] == {f"2026-03-{10 + i}": 2 for i in range(6)}
    assert list(again["forecast"]) == [f"2026-03-{16 + i}" for i in range(14)]
    assert again["forecast"]["2026-03-16"] == again["cards"]["due"] == 1
    assert [row["confidence"] for row in again["calibration"]] == [1, 2, 3]
    ddpm, ode = again["readiness"]
    assert (ddpm["topic"], ddpm["answers"], ode["cards"], ode["seen"]) == ("ddpm", 6, 2, 1)
    assert ddpm["ready"] == pytest.approx(ddpm["recall"] / 2)
    assert confident_misses(answers_of(tmp_path), DAY + 6) == {"b"}


def answers_of(folder):
    with open_store(later(6), str(folder)) as store:
        return answers(store)


def test_an_empty_log_gives_an_empty_report():
    made = report([], [], {}, MEMORY, DAY, None)
    assert (made["answers"], made["streak"], made["heatmap"], made["readiness"]) == (0, 0, {}, [])
    assert made["interview"] is None


def test_noon_is_the_day_that_the_tests_say():
    assert study_day(NOON) == DAY
    assert study_day(later(1)) == DAY + 1
    assert later(1).at_ms - NOON.at_ms == DAY_MS
