"""Moments and stores that the tests of the quiz's memory share."""

from diffusion_lab.quiz.clock import DAY_MS, Moment, study_day
from diffusion_lab.quiz.home import Files
from diffusion_lab.quiz.memory import GOOD
from diffusion_lab.quiz.progress import record, states
from diffusion_lab.quiz.replay import replayed
from diffusion_lab.quiz.store import open_store

# 2026-03-10 12:00 in Berlin.
NOON = Moment(1_773_140_400_000, 60)
DAY = study_day(NOON)


def later(days, at=NOON):
    return at._replace(at_ms=at.at_ms + round(days * DAY_MS))


def agrees(store):
    """Whether the cached states are what a replay of the log gives."""
    return states(store) == replayed(store.con, store.memory())


def fill(home, cards=300):
    """A store with one answer per card, closed again."""
    with open_store(NOON, home) as store, store.transaction():
        for i in range(cards):
            record(store, f"card-{i}", GOOD, NOON)
    return Files(home)
