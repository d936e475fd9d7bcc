"""The model of memory agrees with a second implementation and keeps its own promises."""

import json
import math
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diffusion_lab.quiz.memory import AGAIN, EASY, GOOD, HARD, Answer, Memory, clamped, fuzzed, rating

SETS = json.loads((Path(__file__).parent / "ts_fsrs" / "histories.json").read_text())
FIRST = 20_000


@pytest.mark.parametrize("weights", SETS, ids=lambda s: s["name"])
def test_states_and_recall_equal_those_of_ts_fsrs_on_random_histories(weights):
    assert len(weights["histories"]) == 500
    memory = Memory(weights["weights"])
    for history in weights["histories"]:
        flat, (stability, difficulty, later, recall) = history["reviews"], history["end"]
        day, answers = FIRST, []
        for gap, grade in zip(flat[::2], flat[1::2]):
            day += gap
            answers.append(Answer(grade, day, "card"))
        state = memory.replay(answers)
        assert state.stability == pytest.approx(stability, rel=1e-4)
        assert state.difficulty == pytest.approx(difficulty, rel=1e-4)
        assert memory.recall(state, day + later) == pytest.approx(recall, abs=1e-4)


def test_default_weights_are_those_of_ts_fsrs():
    assert Memory().weights == tuple(SETS[0]["weights"])


def test_one_answer_at_a_time_equals_the_replay():
    memory = Memory()
    history = [(3, 0), (1, 2), (3, 2), (2, 5), (4, 17), (1, 60), (3, 61)]
    answers = [Answer(g, FIRST + d, "c") for g, d in history]
    state = None
    for i, answer in enumerate(answers):
        state = memory.review(state, *answer)
        assert state == memory.replay(answers[: i + 1])
    # A lapse needs a night between: neither the first answer nor a second look on the same day is one.
    assert (state.reps, state.lapses) == (7, 2)


def test_first_answer_again_is_no_lapse_and_same_day_failures_are_one():
    memory = Memory()
    days = [(AGAIN, 0), (AGAIN, 0), (GOOD, 3), (AGAIN, 9), (AGAIN, 9)]
    assert memory.replay(Answer(g, d, "c") for g, d in days).lapses == 1


def test_eight_lapses_make_a_leech():
    memory = Memory()
    state = memory.review(None, GOOD, FIRST, "c")
    for i in range(1, 9):
        assert not state.leech
        state = memory.review(state, AGAIN, FIRST + i, "c")
    assert state.leech


def test_a_day_before_the_last_counts_as_the_last():
    memory = Memory()
    state = memory.review(None, GOOD, FIRST, "c")
    assert memory.review(state, GOOD, FIRST - 30, "c") == memory.review(state, GOOD, FIRST, "c")


def test_recall_is_one_today_and_the_wanted_one_after_a_stability():
    memory = Memory()
    state = memory.review(None, EASY, FIRST, "c")._replace(stability=8.0)
    assert memory.recall(state, FIRST) == 1.0
    assert memory.recall(state, FIRST + 8) == pytest.approx(0.9, abs=1e-12)
    assert memory.recall(None, FIRST) == 0.0


def test_recall_falls_with_time_and_rises_with_the_grade():
    memory = Memory()
    after = [memory.review(None, g, FIRST, "c") for g in (AGAIN, HARD, GOOD, EASY)]
    recalls = [[memory.recall(s, FIRST + d) for d in range(0, 50, 7)] for s in after]
    assert all(a > b for curve in recalls for a, b in pairwise(curve))
    assert all(a[-1] < b[-1] for a, b in pairwise(recalls))


def test_a_higher_wanted_recall_comes_due_sooner():
    easy = [Memory(retention=r).review(None, EASY, FIRST, "c").due_day for r in (0.8, 0.9, 0.97)]
    assert easy[0] > easy[1] > easy[2]


@given(st.integers(3, 36_500), st.text("abc-0", min_size=1, max_size=9), st.integers(0, 99))
@settings(derandomize=True, max_examples=300)
def test_fuzz_is_drawn_from_the_seed_and_stays_within_its_width(interval, card, reps):
    seed = f"{card}:{reps}"
    moved = fuzzed(interval, seed)
    assert moved == fuzzed(interval, seed)
    stretches = [(0.15, interval - 2.5, 4.5), (0.1, interval - 7, 13), (0.05, interval - 20, math.inf)]
    width = 1 + sum(share * min(max(days, 0), most) for share, days, most in stretches)
    assert moved >= 2
    assert abs(moved - interval) <= width + 0.5


def test_fuzz_is_drawn_anew_for_every_review_of_a_card():
    memory = Memory()
    strong = memory.review(None, GOOD, FIRST, "c")._replace(stability=300.0)
    after = [memory.review(strong._replace(reps=reps), GOOD, FIRST + 300, "c") for reps in range(1, 24)]
    assert len({state.stability for state in after}) == 1
    assert len({state.due_day for state in after}) > 10


def test_short_intervals_are_not_fuzzed_and_long_ones_spread():
    assert [fuzzed(i, "any:1") for i in (1, 2)] == [1, 2]
    drawn = [fuzzed(100, f"{card}:1") for card in range(2003)]
    width = 1 + 0.15 * 4.5 + 0.1 * 13 + 0.05 * 80
    assert set(drawn) == set(range(round(100 - width), round(100 + width) + 1))
    # Uniform: the mean lies within 4 standard errors of the centre.
    assert abs(sum(drawn) / 2003 - 100) < 4 * width / math.sqrt(3 * 2003)


@pytest.mark.parametrize(
    ("must", "share", "late", "grade"),
    [
        ([True, False], 1.0, False, AGAIN),
        ([True, True], 0.69, False, HARD),
        ([True, True], 1.0, True, HARD),
        ([True, True], 0.7, False, GOOD),
        ([], 1.0, False, GOOD),
        ([], 0.0, False, HARD),
        ([False], 0.0, True, AGAIN),
    ],
)
def test_grade_of_a_scored_answer(must, share, late, grade):
    assert rating(must, share, late) == grade


@pytest.mark.parametrize("share", [-0.1, 1.1, math.nan])
def test_a_share_outside_0_to_1_is_refused(share):
    with pytest.raises(ValueError, match="between 0 and 1"):
        rating([], share, False)


def test_weights_outside_the_bounds_are_moved_inside():
    wild = Memory([1e9] * 21).weights
    assert wild[4] == 10.0
    assert wild[20] == 0.8
    assert Memory([-5] * 21).weights[20] == 0.1


@pytest.mark.parametrize(
    "bad", [[1.0] * 19, [1.0] * 17, [], [math.nan] * 21, [math.inf] * 21, ["1"] * 21, [True] * 21]
)
def test_weights_of_another_version_or_no_numbers_are_refused(bad):
    with pytest.raises(ValueError, match=r"weights were given|a finite number"):
        clamped(bad)


def test_the_hash_names_weights_and_wanted_recall():
    same = {Memory().params_hash, Memory(SETS[0]["weights"]).params_hash}
    assert len(same) == 1
    assert len(same | {Memory(retention=0.85).params_hash, Memory(SETS[1]["weights"]).params_hash}) == 3


def test_nothing_to_replay_and_a_wanted_recall_of_one_are_refused():
    with pytest.raises(ValueError, match="no review"):
        Memory().replay([])
    with pytest.raises(ValueError, match="wanted recall"):
        Memory(retention=1.0)
