"""The mock interview: what is asked follows from what was missed, and the parts come in their time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diffusion_lab.quiz.interview import (
    CURVEBALL_AT,
    DEEPEST,
    ROLES,
    TASK_AT,
    TASKS,
    Script,
    Turn,
    following,
    script,
)
from diffusion_lab.quiz.library import library

PLAY = Script(("o1", "o2"), ("a", "b", "c", "d", "e"), ("t1", "t2"), ("x1", "x2"))
IDS = ["o1", "a", "b", "c", "t1", "x1", "f1", "f2", "f3", "f4", "f5"]


def turn(id, *follow):
    return Turn(id, follow)


def test_it_opens_with_an_opening():
    assert following(PLAY, [], 0.0) == ("o1", "opening")


def test_a_follow_up_comes_before_the_next_thread():
    assert following(PLAY, [turn("o1", "f1", "f2")], 0.1) == ("f1", "follow-up")
    assert following(PLAY, [turn("o1")], 0.1) == ("a", "thread")


def test_follow_ups_go_three_deep_and_no_deeper():
    turns = [turn("o1", "f1"), turn("f1", "f2"), turn("f2", "f3")]
    assert following(PLAY, turns, 0.1) == ("f3", "follow-up")
    assert following(PLAY, [*turns, turn("f3", "f4")], 0.1) == ("a", "thread")


def test_task_and_curveball_come_in_their_time_and_once():
    before = [turn("o1", "f1")]
    assert following(PLAY, before, TASK_AT)[1] == "task"
    assert following(PLAY, [*before, turn("t1")], TASK_AT)[1] == "thread"
    assert following(PLAY, [*before, turn("t1")], CURVEBALL_AT) == ("x1", "curveball")
    assert following(PLAY, [*before, turn("t1"), turn("x1")], CURVEBALL_AT) == ("a", "thread")


def test_a_follow_up_that_was_a_task_is_the_task():
    assert following(PLAY, [turn("o1", "t2"), turn("t2")], TASK_AT) == ("a", "thread")


@given(
    st.lists(st.tuples(st.sampled_from(IDS), st.lists(st.sampled_from(IDS), max_size=3)), max_size=12),
    st.floats(0, 2),
)
def test_nothing_is_asked_twice_and_the_time_is_kept(history, progress):
    turns = [Turn(id, tuple(follow)) for id, follow in history]
    step = following(PLAY, turns, progress)
    if progress >= 1:
        assert step is None
    elif step is not None:
        assert step.id not in {turn.id for turn in turns}
        if step.part == "follow-up":
            assert step.id in turns[-1].follow


@given(st.sampled_from(sorted(ROLES)), st.integers(0, 99), st.lists(st.booleans(), min_size=30, max_size=30))
def test_a_whole_interview_over_the_shipped_cards(role, seed, hits):
    """However somebody answers: one opening, a task, and never four follow-ups in a row."""
    cards = LIBRARY.cards
    play = script(cards.values(), role, seed)
    turns, parts = [], []
    for number, hit in enumerate(hits[:15]):
        step = following(play, turns, number / 15)
        if step is None:
            break
        card = cards[step.id]
        missed = next((edge.to for edge in card.follow_ups if edge.missed != (None if not hit else 0)), None)
        turns.append(Turn(step.id, (missed,) if missed in cards else ()))
        parts.append(step.part)
    assert parts[0] == "opening"
    assert parts.count("opening") == 1
    assert any(cards[turn.id].kind in TASKS for turn in turns)
    assert "follow-up" * (DEEPEST + 1) not in "".join(parts)
    assert len({turn.id for turn in turns}) == len(turns)


LIBRARY = library()


@pytest.mark.parametrize("role", ROLES)
def test_threads_are_broad_and_weak_topics_come_first(role):
    cards = LIBRARY.cards
    play = script(cards.values(), role, 1)
    first = [cards[id].topic for id in play.threads[:6]]
    assert len(set(first)) == len(first)
    weak = cards[play.threads[-1]].topic
    assert cards[script(cards.values(), role, 1, [weak]).threads[0]].topic == weak


def test_every_role_s_topics_exist():
    topics = {heading.topic for heading in LIBRARY.headings.values()}
    assert {topic for topics, _ in ROLES.values() for topic in topics} <= topics
