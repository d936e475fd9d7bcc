"""The store keeps every answer and gives back what is taken back; all that it says follows from the log."""

import subprocess
import sys

import pytest

from diffusion_lab.quiz import resume
from diffusion_lab.quiz.memory import AGAIN, GOOD, HARD, Memory
from diffusion_lab.quiz.progress import (
    adopt,
    buried,
    exercises,
    now,
    record,
    set_aside,
    states,
    suspended,
    tried,
)  # fmt: skip
from diffusion_lab.quiz.store import open_store

from .stores import DAY, NOON, agrees, later

# Answers


def test_an_answer_is_kept_with_its_state(store):
    done = record(store, "noise", GOOD, NOON, score={"score": 0.8}, confidence=2, dur_ms=31_000, session="s1")
    assert done.state == Memory().review(None, GOOD, DAY, "noise")
    assert states(store) == {"noise": done.state}
    (row,) = store.rows("review")
    assert row == done.review
    assert (row.study_day, row.utc_offset_min, row.score_json) == (DAY, 60, '{"score": 0.8}')
    assert row.params_hash == Memory().params_hash
    assert done.warning is None


def test_answers_outlive_the_process(home):
    with open_store(NOON, home) as store:
        record(store, "a", GOOD, NOON)
    with open_store(later(1), home) as store:
        record(store, "a", HARD, later(1))
        assert [r.rating for r in store.rows("review")] == [GOOD, HARD]
        assert agrees(store)


def test_answers_with_a_clock_that_fell_back_keep_their_order(store):
    record(store, "a", GOOD, NOON)
    done = [record(store, "a", grade, later(-3)) for grade in (AGAIN, HARD, GOOD)]
    assert [d.review.at_ms - NOON.at_ms for d in done] == [1, 2, 3]
    assert all("behind" in d.warning for d in done)
    assert [r.rating for r in store.rows("review")] == [GOOD, AGAIN, HARD, GOOD]
    assert now(store, later(-3)).moment.at_ms == NOON.at_ms + 4


def test_an_answer_dated_wrongly_can_be_taken_back(store):
    record(store, "a", GOOD, NOON)
    assert "days ago" in record(store, "a", GOOD, later(5000)).warning
    store.undo()
    assert now(store, NOON).moment.at_ms == NOON.at_ms + 1


@pytest.mark.parametrize(
    "wrong",
    [{"rating": 0}, {"rating": 5}, {"confidence": 4}, {"dur_ms": -1}, {"mode": ""}, {"session": "\u202e"},
     {"card_id": "a\x1b[2J"}, {"card_id": "x" * 201}, {"score": {"score": float("nan")}}],
)  # fmt: skip
def test_a_field_that_cannot_be_is_refused_and_nothing_is_saved(store, wrong):
    (field,) = wrong
    with pytest.raises(ValueError, match=f"^{field}.* is .*; expected"):
        record(store, **{"card_id": "a", "rating": GOOD, "at": NOON, **wrong})
    assert store.rows("review") == []
    assert states(store) == {}


def test_eight_lapses_are_announced_once_and_then_every_fourth(store):
    record(store, "a", GOOD, NOON)
    told = [record(store, "a", AGAIN, later(day)).leech for day in range(1, 17)]
    assert [day for day, leech in enumerate(told, start=1) if leech] == [8, 12, 16]
    # A second failure on the same day is no lapse, so nothing is said again.
    assert not record(store, "a", AGAIN, later(16)).leech


def interrupted(store):
    with store.transaction():
        record(store, "a", GOOD, NOON)
        raise KeyboardInterrupt


def test_several_changes_are_one_commit_or_none(store):
    with pytest.raises(KeyboardInterrupt):
        interrupted(store)
    assert (store.rows("review"), states(store), store.undo()) == ([], {}, None)
    with store.transaction():
        record(store, "a", GOOD, NOON)
        record(store, "b", GOOD, NOON)
    assert set(states(store)) == {"a", "b"}


# Undo, marks, names


def test_undo_takes_back_answers_and_marks_in_reverse_order(store):
    first = record(store, "a", GOOD, NOON).state
    record(store, "a", AGAIN, later(2))
    set_aside(store, "b", "suspend", later(2))
    set_aside(store, "c", "bury", later(2))
    assert (suspended(store), buried(store, DAY + 2)) == ({"b"}, {"c"})
    assert store.undo().card_id == "c"
    assert store.undo().card_id == "b"
    assert (suspended(store), buried(store, DAY + 2)) == (set(), set())
    assert store.undo().rating == AGAIN
    assert states(store) == {"a": first}
    assert store.undo().undone == 1
    assert (states(store), store.undo()) == ({}, None)
    # Nothing was erased.
    assert [r.undone for r in store.rows("review")] == [1, 1]


def test_undo_of_one_session_leaves_the_others_alone(store):
    record(store, "a", GOOD, NOON, session="here")
    record(store, "b", GOOD, NOON, session="there")
    assert store.undo("here").card_id == "a"
    assert store.undo("here") is None
    assert set(states(store)) == {"b"}


def test_suspended_until_resumed_and_buried_until_the_next_day(store):
    for what in ("suspend", "resume", "suspend"):
        set_aside(store, "a", what, NOON)
    set_aside(store, "b", "bury", NOON)
    assert suspended(store) == {"a"}
    set_aside(store, "a", "resume", NOON)
    assert suspended(store) == set()
    assert (buried(store, DAY), buried(store, DAY + 1)) == ({"b"}, set())
    with pytest.raises(ValueError, match="what is 'hide'"):
        set_aside(store, "a", "hide", NOON)


def test_progress_follows_a_renamed_card_and_back(store):
    record(store, "fwd", GOOD, NOON)
    set_aside(store, "fwd", "suspend", NOON)
    one = states(store)["fwd"]
    adopt(store, {"fwd": "forward"}, ["forward", "other"])
    assert states(store) == {"forward": one}
    assert suspended(store) == {"forward"}
    record(store, "forward", GOOD, later(3))
    adopt(store, {"forward": "q-sample", "fwd": "q-sample"}, ["q-sample"])
    assert states(store)["q-sample"].reps == 2
    assert agrees(store)
    adopt(store, {"q-sample": "fwd", "forward": "fwd"}, ["fwd"])
    assert states(store).keys() == {"fwd"}
    assert agrees(store)


def test_a_chain_of_renamings_is_followed_to_its_end(store):
    record(store, "a", GOOD, NOON)
    adopt(store, {"a": "b"}, ["b"])
    adopt(store, {"b": "c"}, ["c"])
    adopt(store, {"c": "d"}, ["d"])
    assert states(store).keys() == {"d"}


def test_an_older_deck_finds_its_cards_again(store):
    record(store, "a", GOOD, NOON)
    adopt(store, {"a": "b"}, ["b"])
    adopt(store, {}, ["a"])
    assert states(store).keys() == {"a"}
    assert agrees(store)


def test_a_card_that_is_also_an_alias_is_refused(store):
    with pytest.raises(ValueError, match="also an alias"):
        adopt(store, {"a": "b"}, ["a", "b"])
    with pytest.raises(ValueError, match="also an alias"):
        adopt(store, {"a": "b", "b": "c"}, ["c"])


def test_known_aliases_cost_no_write(store):
    adopt(store, {"old": "new"}, ["new"])
    before = store.con.total_changes
    adopt(store, {"old": "new"}, ["new", "more"])
    assert store.con.total_changes == before


def test_an_exercise_solved_with_the_solution_open_was_not_solved_alone(store):
    tried(store, "ddpm-loss", False, NOON)
    tried(store, "ddpm-loss", True, later(0.1), hints_used=3, solution_seen=True)
    tried(store, "cfg", True, NOON, hints_used=1, detail={"mistake": "w"})
    done = exercises(store)
    assert done["ddpm-loss"] == (2, True, False, 3, later(0.1).at_ms)
    assert done["cfg"] == (1, True, True, 1, NOON.at_ms)
    assert store.undo() is None


# Settings


def test_the_newest_choice_holds_even_within_a_millisecond(store):
    for minutes in range(1, 12):
        store.choose("minutes", minutes, NOON)
    assert store.settings() == {"minutes": 11}


def test_new_weights_move_every_state(store):
    record(store, "a", GOOD, NOON)
    record(store, "a", GOOD, later(4))
    before = states(store)["a"]
    store.choose("retention", 0.95, later(4))
    assert states(store)["a"].due_day < before.due_day
    store.choose("weights", [w * 1.1 for w in Memory().weights], later(4))
    assert states(store)["a"].stability > before.stability
    assert agrees(store)


MODELS = [("weights", [1, 2]), ("weights", 3), ("retention", "high"), ("retention", 2)]


@pytest.mark.parametrize(("key", "value"), MODELS)
def test_a_model_that_cannot_be_is_not_chosen(store, key, value):
    with pytest.raises(ValueError, match=r"weights|wanted recall|finite number"):
        store.choose(key, value, NOON)
    assert store.settings() == {}


# Sittings


def test_a_sitting_goes_on_with_the_half_typed_answer(home):
    with open_store(NOON, home) as store:
        sitting = resume.start(store, "grill", ["a", "b", "c"], NOON, seed=7, deadline_ms=NOON.at_ms + 5000)
        with store.transaction():
            record(store, "a", GOOD, NOON, session=sitting.id)
            assert resume.save(store, sitting._replace(pos=1, draft="√ᾱ x0 +\nsome"), later(0.001))
    with open_store(later(0.1), home) as store:
        (found,) = resume.unfinished(store, DAY)
        assert (found.queue, found.pos, found.draft, found.seed) == (("a", "b", "c"), 1, "√ᾱ x0 +\nsome", 7)
        assert resume.taken(store, NOON) == {"b", "c"}
        assert resume.unfinished(store, DAY + 1) == []
        mine = resume.claim(store, found, later(0.1))
        assert mine == found._replace(owner=mine.owner, touched_ms=later(0.1).at_ms)
        resume.finish(store, mine)
        assert resume.unfinished(store, DAY) == []
        assert resume.claim(store, found, later(0.1)) is None


def test_only_one_of_two_windows_can_take_a_sitting_over(store):
    sitting = resume.start(store, "today", ["a"], NOON, seed=1)
    assert sitting.in_use(NOON)
    assert not sitting.in_use(later(1))
    mine = resume.claim(store, sitting, NOON)
    assert resume.claim(store, sitting, NOON) is None
    assert not resume.save(store, sitting._replace(pos=1), NOON)
    assert resume.save(store, mine._replace(pos=1), NOON)
    resume.release(store, mine)
    (free,) = resume.unfinished(store, DAY)
    assert (free.owner, free.pos, free.in_use(NOON)) == (None, 1, False)


# Cost


def test_nothing_heavy_is_loaded_before_the_first_answer(home):
    code = """
import sys
from diffusion_lab.quiz import clock, doctor, plan, progress, resume, stats, store, transfer
at = clock.Moment(1_773_140_400_000, 60)
with store.open_store(at, sys.argv[1]) as opened:
    plan.today([], progress.states(opened), clock.study_day(at), 900)
    resume.start(opened, "today", ["a"], at, seed=1)
    print(sorted({"fsrs", "torch", "numpy", "genanki", "dataclasses"} & set(sys.modules)))
    progress.record(opened, "a", 3, at)
    print("fsrs" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code, home], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n") == ["[]", "True", ""]
