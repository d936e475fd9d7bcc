"""The plan fills the time with the cards that count; with a date it beats plain FSRS on that date."""

import statistics
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diffusion_lab.quiz.memory import AGAIN, GOOD, HARD, Answer, Memory
from diffusion_lab.quiz.plan import gain, mean_recall, new, today, toward
from diffusion_lab.quiz.simulate import Learner, study

DAY = 20_000


class Item(NamedTuple):
    id: str
    topic: str = "t"
    level: int = 1
    time: int = 60
    group: str = ""


MEMORY = Memory()
HOUR = 3600


def seen(memory=MEMORY, **days):
    """States after one Good answer so many days ago."""
    return {card: memory.review(None, GOOD, DAY - ago, card) for card, ago in days.items()}


def items(text):
    return [Item(c) for c in text]


# No date


def test_due_cards_come_first_the_weakest_ahead_then_new_ones():
    states = seen(a=3, b=9, c=0, d=5)
    assert today(items("abcdef"), states, DAY, HOUR) == ["b", "d", "a", "e", "f"]


def test_weakest_means_the_lowest_recall():
    states = {
        "strong": MEMORY.replay([Answer(GOOD, DAY - 40, "s"), Answer(GOOD, DAY - 30, "s")]),
        "weak": MEMORY.review(None, AGAIN, DAY - 2, "weak"),
        "middle": MEMORY.review(None, HARD, DAY - 4, "middle"),
    }
    order = today([Item(card) for card in states], states, DAY, HOUR)
    assert order == sorted(states, key=lambda card: MEMORY.recall(states[card], DAY))
    assert order != list(states)


def test_the_budget_ends_the_queue():
    cards = items("abcdefg")
    assert today(cards, {}, DAY, 150) == ["a", "b", "c"]  # the third fills the rest
    assert today(cards, {}, DAY, 180) == ["a", "b", "c"]
    assert today(cards, {}, DAY, 181) == ["a", "b", "c", "d"]
    assert today(cards, {}, DAY, 0) == []
    assert today([], {}, DAY, HOUR) == []


def test_skipped_and_leading_cards():
    states = seen(a=3, b=9, c=5)
    assert today(items("abcd"), states, DAY, HOUR, skip={"b", "d"}, first={"a"}) == ["a", "c"]


def test_a_card_answered_today_is_not_asked_again_by_the_plan():
    states = seen(a=0)
    assert today(items("ab"), states, DAY, HOUR) == ["b"]
    assert toward(items("ab"), states, DAY, HOUR, DAY + 3, MEMORY) == ["b"]


def test_one_card_of_a_group_a_day():
    cards = [Item("a", group="g"), Item("b", group="g"), Item("c"), Item("d", group="h"), Item("e")]
    assert today(cards, {}, DAY, HOUR) == ["a", "c", "d", "e"]
    # A sibling answered today blocks the group; cards without a group block nobody.
    assert today(cards, seen(b=0, c=0), DAY, HOUR) == ["d", "e"]
    assert set(toward(cards, seen(b=0, c=0), DAY, HOUR, DAY + 3, MEMORY)) == {"d", "e"}


def test_new_cards_rise_in_level_and_topics_take_turns():
    cards = [Item("a1", "a"), Item("a2", "a"), Item("hard", "a", level=3), Item("b1", "b"), Item("b2", "b")]
    assert [card.id for card in new(cards, {})] == ["a1", "b1", "a2", "b2", "hard"]
    assert [card.id for card in new(cards, seen(a1=1))] == ["a2", "b1", "b2", "hard"]


# A date


def test_the_gain_is_the_recall_that_one_answer_adds():
    states = seen(a=6)
    state, interview = states["a"], DAY + 5
    p = MEMORY.recall(state, DAY)
    after = [MEMORY.recall(MEMORY.review(state, grade, DAY, "a"), interview) for grade in (GOOD, AGAIN)]
    expected = p * after[0] + (1 - p) * after[1] - MEMORY.recall(state, interview)
    assert gain(state, DAY, interview, MEMORY) == pytest.approx(expected, abs=1e-12)


def test_in_the_last_week_the_greatest_gain_per_second_leads():
    cards = [Item("slow", time=600), Item("quick", time=30), Item("known", time=30)]
    states = seen(slow=6, quick=6, known=0)
    states["known"] = states["known"]._replace(last_day=DAY - 1, stability=300.0)
    assert toward(cards, states, DAY, 10_000, DAY + 3, MEMORY) == ["quick", "slow", "known"]


def test_far_from_the_date_new_cards_lead_then_due_then_the_rest():
    states = seen(due=9, weaker=12, early=1)
    cards = [Item(c) for c in ("early", "due", "weaker", "new")]
    assert toward(cards, states, DAY, HOUR, DAY + 20, MEMORY) == ["new", "weaker", "due", "early"]


def test_far_from_the_date_a_due_card_leads_a_card_that_would_gain_more():
    strong = MEMORY.review(None, GOOD, DAY - 30, "s")._replace(stability=200.0, due_day=DAY)
    weak = MEMORY.review(None, AGAIN, DAY - 1, "w")._replace(due_day=DAY + 1)
    states, cards = {"weak": weak, "strong": strong}, [Item("weak"), Item("strong")]
    assert toward(cards, states, DAY, HOUR, DAY + 8, MEMORY) == ["strong", "weak"]
    assert toward(cards, states, DAY, HOUR, DAY + 7, MEMORY) == ["weak", "strong"]


def test_a_past_date_is_refused_and_the_day_itself_is_not():
    with pytest.raises(ValueError, match="past"):
        toward(items("a"), {}, DAY, HOUR, DAY - 1, MEMORY)
    assert toward(items("a"), {}, DAY, HOUR, DAY, MEMORY) == ["a"]


def test_mean_recall_counts_unseen_cards_as_lost():
    states = seen(a=0, b=7)
    expected = (1 + MEMORY.recall(states["b"], DAY)) / 5
    assert mean_recall(items("abcde"), states, MEMORY, DAY) == pytest.approx(expected, abs=1e-12)
    assert mean_recall([], {}, MEMORY, DAY) == 0.0


@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.sampled_from(["", "g", "h"]), st.integers(20, 300)), max_size=23
    ),
    st.integers(0, 3000),
    st.integers(0, 20),
    st.sets(st.integers(0, 22)),
)
@settings(derandomize=True, max_examples=150, deadline=None)
def test_any_queue_keeps_budget_groups_and_skips(deck, seconds, days_left, skipped):
    cards = [Item(str(i), group=group, time=time) for i, (_, group, time) in enumerate(deck)]
    states = seen(**{str(i): ago for i, (ago, _, _) in enumerate(deck) if ago < 20})
    skip = {str(i) for i in skipped}
    for queue in (
        today(cards, states, DAY, seconds, skip=skip),
        toward(cards, states, DAY, seconds, DAY + days_left, MEMORY, skip=skip),
    ):
        picked = [cards[int(card)] for card in queue]
        groups = [card.group for card in picked if card.group]
        assert len(set(queue)) == len(queue)
        assert not skip & set(queue)
        assert len(set(groups)) == len(groups)
        assert all(states[card].last_day < DAY for card in queue if card in states)
        # Every card but the last leaves time over.
        assert sum(card.time for card in picked[:-1]) < max(seconds, 1)


# Against plain FSRS

FORGETFUL = Memory([*MEMORY.weights[:20], 0.5])


@pytest.mark.parametrize("truth", [MEMORY, FORGETFUL], ids=["as believed", "forgets faster"])
@pytest.mark.parametrize(("count", "days", "answers"), [(61, 7, 13), (89, 13, 17)])
def test_with_a_date_more_is_known_on_it_than_with_plain_fsrs(count, days, answers, truth):
    cards, interview, learner = [Item(str(i)) for i in range(count)], DAY + days, Learner(truth, MEMORY)
    orders = [
        lambda states, day: today(cards, states, day, 60 * answers),
        lambda states, day: toward(cards, states, day, 60 * answers, interview, MEMORY),
    ]
    recalls = []
    for order in orders:
        ends = [study(learner, order, range(DAY, interview), Random(seed)) for seed in range(3)]
        assert {len(end.log) for end in ends} == {days * answers}
        recalls.append([mean_recall(cards, end.true, truth, interview) for end in ends])
    gains = [planned - plain for plain, planned in zip(*recalls)]
    # The bar of 0.08 in mean recall, on small decks: the benchmark has the large ones.
    assert statistics.mean(gains) > 0.08
    assert min(gains) > 0
    assert all(
        len(study(learner, orders[1], range(DAY, interview), Random(s)).true) == count for s in range(3)
    )


def test_the_simulated_learner_forgets_as_its_memory_says():
    learner = Learner(MEMORY, MEMORY)
    cards = [str(i) for i in range(1009)]
    start = {card: MEMORY.review(None, GOOD, DAY - 20, card) for card in cards}
    end = study(learner, lambda states, day: cards, range(DAY, DAY + 1), Random(3), start)
    p = MEMORY.recall(start["0"], DAY)
    forgot = sum(state.lapses for state in end.true.values())
    assert abs(forgot - 1009 * (1 - p)) < 4 * (1009 * p * (1 - p)) ** 0.5
    assert end.true == end.believed
